"""What every warehouse offers, whatever engine is behind it: the rest of the code knows these two protocols alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from lib.contract import Contract
from lib.lease import Fence, HeldLeases, Lease, Owner

if TYPE_CHECKING:
    import pyarrow as pa

Row = tuple[Any, ...]
Parameters = Mapping[str, object]
Answers = dict[str, list[Row]]  # what was answered of one state, by whatever the engine knows a question by


@dataclass(frozen=True)
class Publication:
    """What one publish changes: rows of *days* in *table* come from *stage*, with their receipts and attempts."""

    table: str
    date_column: str
    days: tuple[date, ...]
    stage: Path | None
    receipts: tuple[Row, ...] = ()
    attempts: tuple[Row, ...] = ()
    fence: Fence | None = None  # shown inside the transaction; None where nobody else can be at work


class Session(Protocol):
    """One look at the warehouse. Queries are GoogleSQL with ``@name`` parameters.

    ``jobs_are_dear``: whether what will be asked is asked ahead, so that one job does it.
    """

    jobs_are_dear: bool

    @property
    def tables(self) -> Mapping[str, tuple[str, ...]]:
        """Every table by ``dataset.table``, with its columns."""

    def arrow_schema(self, table: str) -> pa.Schema:
        """The types of a table's columns, as an answer would have them."""

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """All rows of a query; CannotJudge where it fails: an error is never an empty answer."""

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[Row]]:
        """The rows of a query once they are needed: until then others may join it. Every column needs a name.

        The rows come in no order. What was asked before is not run again, so whoever knows that a question will come
        may ask it early.
        """

    def recall(self, answers: Answers) -> None:
        """Takes *answers* of earlier sessions that saw the same state, and adds its own; an engine may forget them."""

    def arrow(self, sql: str, **parameters: object) -> pa.Table:
        """The rows of a query as an Arrow table."""

    def keep(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Keeps a query's rows under *name* for the rest of the session; *contract* tells the types of a table's rows."""

    def keep_by_part(
        self, name: str, sql: str, contract: Contract, whole: Parameters, parts: Sequence[Parameters]
    ) -> None:
        """The same of a query that gives the same rows for *whole* as for *parts*, once in a session.

        Part by part where that keeps more cores busy.
        """

    def view(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Gives a query a name for the rest of the session; whether its rows are kept is the engine's choice."""

    def keep_once(self, sql: str, **parameters: object) -> str:
        """The name under which a query's rows are kept; asked for again, the query is not run again."""

    def write_stage(self, name: str, stage: Path, where: str) -> None:
        """Puts what was kept under *name*, as far as *where* holds, into a stage that can be published."""

    def facts(self) -> dict[str, str]:
        """What is noted about the warehouse: as_of, kind, id."""


class Warehouse(Protocol):
    """A place that holds the tables. No connection outlives its operation."""

    url: str
    engine: str  # name and version; sums of hashes are compared on the same engine only

    @property
    def absolute_url(self) -> str:
        """The URL as other processes have to write it."""

    @property
    def place(self) -> str:
        """What a person calls it: the path of the file, or the project with its prefix."""

    @property
    def in_place(self) -> bool:
        """Whether what is written are production's own tables, and not others beside them."""

    @property
    def stages(self) -> Path:
        """The folder in which this host notes its stages until they are published."""

    def labelled(self, **labels: str | None) -> AbstractContextManager[None]:
        """Whatever the warehouse is asked inside belongs to this run, phase, table and attempt."""

    def reading(self) -> AbstractContextManager[Session]:
        """A session that sees one state. BadInput where there is no warehouse."""

    def aside(self) -> AbstractContextManager[Session]:
        """The same for whatever takes long, or must keep nobody waiting: no writer waits for its end."""

    def exists(self) -> bool:
        """Whether there is a warehouse at the URL."""

    def create(self, contracts: Iterable[Contract], meta: Mapping[str, str]) -> None:
        """Creates the tables that are not there yet and notes the facts of *meta*."""

    def load(self, tables: Mapping[str, pa.Table]) -> None:
        """Replaces whole tables, all or none."""

    def publish(self, publication: Publication) -> None:
        """Replaces the dates of one table by a stage's, with receipts and attempts, in one transaction.

        Raises Fenced, with nothing changed, where the publication's fence is not of the phase's latest lease: the
        transaction itself updates the lease's row and asserts that it was one, which a mere look could not promise.
        """

    def take_leases(self, phases: Sequence[str], owner: Owner, patience: float) -> HeldLeases:
        """Takes the leases of *phases*, all or none, each with the next token of its phase.

        Raises Taken where another holder lives and has shown a sign of life within *patience* seconds.
        """

    def leases(self) -> list[Lease]:
        """The leases that are held now, by phase; those of the dead left out."""

    def append(self, table: str, rows: Sequence[Row]) -> None:
        """Adds rows to one of the runbook's own tables; the values in the order of its contract."""

    def stage_rows(self, table: str, rows: pa.Table, stage: Path) -> None:
        """Puts rows that were computed here into a stage of *table*."""

    def drop_stage(self, stage: Path) -> None:
        """Removes a stage with everything it holds, whether or not it was published."""

    def beside(self, kind: str) -> Path:
        """A local file that belongs to the warehouse, for instance ``key``."""

    def meta(self) -> dict[str, str]:
        """What is noted about the warehouse: as_of, kind, id."""

    def state(self) -> object:
        """Something that is another after every write; ask it inside a session."""

    def notes(self) -> list[str]:
        """What a person who asks for the state should know beside it; a sentence each."""

    def trouble(self) -> list[str]:
        """What stands in the way of writing: a sentence each, empty where nothing does."""
