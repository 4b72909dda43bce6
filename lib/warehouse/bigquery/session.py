"""One look at a BigQuery warehouse.

Questions are gathered and answered by one job, and none is sent twice. What is kept by name is no table but a named
query, written before the statements that read it; only a computed chunk is stored, in a stage table: the target of the
query job itself.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib.contract import Contract
from lib.errors import CannotJudge, QueryFailed
from lib.warehouse.bigquery.jobs import Jobs, said
from lib.warehouse.bigquery.statements import (
    QUESTIONS_PER_JOB,
    Query,
    needed_views,
    prefixed,
    renamed,
    together,
    used,
    with_views,
)
from lib.warehouse.bigquery.tables import arrow_type
from lib.warehouse.interface import Answers, Parameters, Row
from lib.warehouse.kept import key_of

if TYPE_CHECKING:
    import pyarrow as pa

STORED = "computed"  # what is kept under this name is stored: the rows that will be published


@dataclass
class Question:
    """A query that waits for others to be sent along with it. ``key`` is all that its answer hangs on but the state."""

    query: Query
    key: str
    answer: list[Row] | None = None
    failure: QueryFailed | None = None


@dataclass
class BigQuerySession:
    """Sees the tables as they are when a question is answered; questions of one batch see the same state."""

    jobs: Jobs
    facts: Callable[[], dict[str, str]]
    jobs_are_dear: bool = True
    _views: dict[str, Query] = field(default_factory=dict)
    _tables_of: dict[str, str] = field(default_factory=dict)  # by view, the table whose rows it computes
    _known: dict[str, Question] = field(default_factory=dict)
    _answers: Answers = field(default_factory=dict)
    _waiting: list[Question] = field(default_factory=list)
    _stored: list[str] = field(default_factory=list)

    @property
    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Every table of the contracts' datasets, with its columns: metadata, no job."""
        if not hasattr(self, "_tables"):
            self._tables = Columns(self.jobs)
        return self._tables

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """All rows of a query, by a job of its own."""
        return self.jobs.rows(self.jobs.run(*self._final(Query(sql, parameters))))

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[Row]]:
        """The rows of a query once they are needed; until then other questions join it in one job."""
        query = Query(sql, parameters)
        key = repr(self._final(query))
        if key not in self._known:
            self._known[key] = Question(query, key, self._answers.get(key))
            if self._known[key].answer is None:
                self._waiting.append(self._known[key])
        return partial(self._rows_of, self._known[key])

    def recall(self, answers: Answers) -> None:
        """Answers of the same state: what they hold is not asked again, and what is answered here is added."""
        self._answers = answers

    def _rows_of(self, question: Question) -> list[Row]:
        if question.answer is None and question.failure is None:
            self._answer()
        if question.failure is not None:
            raise question.failure
        if question.answer is None:
            raise CannotJudge("a question was left without an answer: what it would have said is not known")
        return list(question.answer)

    def arrow(self, sql: str, **parameters: object) -> pa.Table:
        """The rows of a query as an Arrow table; by the Storage Read API where there is one."""
        job = self.jobs.run(*self._final(Query(sql, parameters)))
        answer = self.jobs.call(job.result)
        with said():
            return answer.to_arrow(create_bqstorage_client=not self.jobs.address.api_endpoint)

    def view(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Gives a query a name; it is run with every query that reads it."""
        if name in self._views:
            self._answer()  # what waits means the query that had the name before
        self._views[name] = renamed(Query(sql, parameters), name)
        if contract:
            self._tables_of[name] = contract.name

    def keep(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Runs a query into a stage table, which is gone after the session unless it was made a stage."""
        if name in self._views:
            self._answer()
        attempt = self.jobs.labels.get("attempt") or uuid.uuid4().hex
        table = f"{self.jobs.address.stage_dataset}.stage_{attempt}_{len(self._stored)}"
        with self.jobs.labelled(table=contract.name if contract else None):
            self.jobs.run(*self._final(Query(sql, parameters)), purpose="compute", destination=table)
        self._stored.append(table)
        self._views[name] = Query(f"SELECT * FROM {table}", {})

    def keep_by_part(
        self, name: str, sql: str, contract: Contract, whole: Parameters, parts: Sequence[Parameters]
    ) -> None:
        """One job: BigQuery divides its work itself."""
        self.keep(name, sql, contract, **whole)

    def keep_once(self, sql: str, **parameters: object) -> str:
        """The name of a query; the same query has one name."""
        digest = hashlib.sha256(key_of(sql, parameters).encode()).hexdigest()
        name = f"kept_{digest[:12]}"  # the same in every session: answers are known by the text of the question
        if name not in self._views:
            self.view(name, sql, None, **parameters)
        return name

    def write_stage(self, name: str, stage: Path, where: str) -> None:
        """Notes in the stage's file where the rows lie and which query reads them: nothing is moved."""
        table = self._stored.pop()
        final = with_views(Query(f"SELECT * FROM {name} WHERE {where}", {}), self._views)
        stage.write_text(json.dumps({"table": table, "select": final.sql}))

    def _rows_together(self, query: Query) -> tuple[Any, ...]:
        computed = {self._tables_of[name] for name in needed_views(query.sql, self._views) if name in self._tables_of}
        label = {"table": computed.pop()} if len(computed) == 1 else {}
        with self.jobs.labelled(**label):
            return self.jobs.rows(self.jobs.run(*self._final(query)))[0]

    def bytes_waiting(self) -> tuple[int, int]:
        """Bytes that the questions asked so far would read, by dry run, and how many they are; they are forgotten."""
        asked, self._waiting = [question.query for question in self._waiting], []
        self._known.clear()
        return (self.bytes_of(together(asked)) if asked else 0), len(asked)

    def bytes_of(self, query: Query) -> int:
        """Bytes that a query would read, by dry run."""
        return self.jobs.bytes_of(*self._final(query))

    def arrow_schema(self, table: str) -> pa.Schema:
        """The types of a table's columns, from its metadata: no job."""
        import pyarrow as pa

        held: Any = self.jobs.call(self.jobs.client.get_table, self.jobs.address.table(table))
        return pa.schema([(column.name, arrow_type(column)) for column in held.schema])

    def close(self) -> None:
        """Drops what was stored and not made a stage."""
        for table in self._stored:
            self.jobs.call(self.jobs.client.delete_table, table, not_found_ok=True)

    def _final(self, query: Query) -> tuple[str, Mapping[str, object]]:
        whole = used(with_views(query, self._views))
        return prefixed(whole.sql, self.jobs.address.datasets), whole.parameters

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            for start in range(0, len(waiting), QUESTIONS_PER_JOB):
                self._answer_together(waiting[start : start + QUESTIONS_PER_JOB])
        except BaseException:  # a quota, a line that is down: who needs one of them asks again, and hears it again
            self._waiting = [one for one in waiting if one.answer is None and one.failure is None] + self._waiting
            raise

    def _answer_together(self, questions: list[Question]) -> None:
        """All of them by one job; where that fails by halves, until the one at fault stands alone and is named."""
        try:
            found = self._rows_together(together([question.query for question in questions]))
        except QueryFailed as failure:
            if len(questions) == 1:
                questions[0].failure = failure
                return
            middle = len(questions) // 2
            self._answer_together(questions[:middle])
            self._answer_together(questions[middle:])
            return
        for question, rows in zip(questions, found, strict=True):
            question.answer = self._answers[question.key] = [tuple(row.values()) for row in rows]


class Columns(Mapping[str, tuple[str, ...]]):
    """The tables by name; columns are looked up when they are asked for, a few requests at once."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._found: dict[str, tuple[str, ...]] = {}
        listed = jobs.each(self._listed, jobs.address.datasets.items())
        self._names = [name for names in listed for name in names]

    def __getitem__(self, name: str) -> tuple[str, ...]:
        if name not in self._names:
            raise KeyError(name)
        if not self._found:
            self._found = dict(zip(self._names, self._jobs.each(self._columns, self._names), strict=True))
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _listed(self, dataset: tuple[str, str]) -> list[str]:
        name, called = dataset
        tables = self._jobs.found(self._list, called)
        return [f"{name}.{table}" for table in tables or ()]

    def _list(self, dataset: str, **how: Any) -> list[str]:
        return [item.table_id for item in self._jobs.client.list_tables(dataset, **how)]

    def _columns(self, name: str) -> tuple[str, ...]:
        table: Any = self._jobs.call(self._jobs.client.get_table, self._jobs.address.table(name))
        return tuple(column.name for column in table.schema)
