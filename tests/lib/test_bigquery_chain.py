"""The whole backfill of the pocket league through the real client: rows, jobs, bytes, and every statement that is sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib.backfill import Backfill
from lib.basis import make_basis
from lib.calendar import read_calendar
from lib.checks.rules.unknowns import KINDS
from lib.costs import TableCost, cost_findings, cost_verdict, costs_of, in_all
from lib.coverage import Judge
from lib.errors import BadInput
from lib.gates import coverage_gate
from lib.league import League
from lib.lease import holding
from lib.live.view import base_of
from lib.ml.phase5 import predictions_gate
from lib.monitor import LATEST_ATTEMPTS
from lib.phase4_gate import ask_defaults
from lib.plan import Plan, make_plan
from lib.registry import registry
from lib.reviewed import left_of
from lib.sandbox import load_raw
from lib.settings import Settings
from lib.step import Step
from lib.training import Training
from lib.verdicts import Verdict
from lib.warehouse import Session, Warehouse, connect
from lib.warehouse.bigquery import BigQueryWarehouse
from runbook.prints import prints_over
from tests.bigquery_server import Served, serving
from tests.bigquery_server.jobs import Job
from tests.bigquery_server.translate import statements
from tests.lib.google_engine import Google, GoogleError

pytestmark = pytest.mark.full
GATES: dict[str, Callable[[Step], list[Verdict]]] = {
    "10_preflight": lambda step: [
        step.warehouse_ready(), step.tables_ready(), step.coverage(2), step.sources(), step.sample()
    ],
    "40_validate": lambda step: [
        step.coverage(), step.quality("post-backfill", "unknowns"), step.quality("features", "regression"),
        step.quality("reconciliation"),
    ],
    "50_signoff": lambda step: [
        step.tables(), step.validator(), step.attempts(), step.quality(), step.dependencies()
    ],
}  # fmt: skip
SCHEDULE = "nba_raw.nbac_schedule"
RAW = {table.name for table in registry().raw}


class Chain:
    """A warehouse with raw data, and both phases computed by the ordinary write path."""

    def __init__(self, server: Served, league: League, settings: Settings) -> None:
        self.server, self.settings = server, settings
        warehouse = connect(server.warehouse_url(deadline=60, http_timeout=60, job_timeout=120))
        assert isinstance(warehouse, BigQueryWarehouse)
        self.warehouse = warehouse
        load_raw(warehouse, league.tables, league.as_of, "ingested")
        self.loaded = len(server.jobs)
        self.estimates: dict[str, TableCost] = {}
        self.plans = [self.run(phase) for phase in (3, 4)]
        self.backfill = server.jobs[self.loaded :]
        self.spent = list(warehouse.spent.jobs)

    def run(self, phase: int) -> Plan:
        """Plans a phase and carries the plan out."""
        plan = self.plan(phase)
        self.estimates |= {cost.table: cost for cost in costs_of(self.warehouse, plan, self.settings)}
        with holding(self.warehouse, [phase], "test", 60) as fences:
            backfill = Backfill(self.warehouse, self.settings, run="test", fence=fences[str(phase)])
            for group in plan.groups:
                for table in group:
                    for outcome in backfill.run_chunks(plan.chunks_of(table)):
                        assert not outcome.failed
                        assert not outcome.blocked
        return plan

    def plan(self, phase: int) -> Plan:
        """What a phase needs now."""
        with self.warehouse.reading() as session:
            calendar = read_calendar(session, self.settings)
            judge = Judge(session, self.settings, calendar)
            return make_plan(judge, [phase], self.settings.start_date, calendar.as_of)

    @property
    def jobs(self) -> list[Job]:
        """The jobs of the backfill, without the loads of raw data."""
        return self.server.jobs[self.loaded :]


@pytest.fixture(scope="module")
def chain(league: League, whole_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with pytest.MonkeyPatch.context() as patched, serving() as server:
        patched.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield Chain(server, league, whole_settings)


def rows(session: Session, name: str, settings: Settings) -> list[tuple[object, ...]]:
    """Every row of a table without its volatile columns, in one order; equal numbers are equal."""
    table = registry().table(name)
    columns = ", ".join(table.contract.business_columns)
    sql = f"SELECT {columns} FROM {name} WHERE {table.date_column} BETWEEN @first AND @last"
    found = session.arrow(sql, first=settings.start_date, last=settings.start_date.replace(year=2100)).to_pylist()
    key = table.contract.key
    return [tuple(row.values()) for row in sorted(found, key=lambda row: tuple(str(row[name]) for name in key))]


def receipts(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.reading() as session:
        return sorted(
            session.rows(
                "SELECT table_name, day, kind, key_count, content, sql_digest, input_digest FROM runbook.receipts"
            )
        )


def test_all_ten_tables_are_those_of_the_embedded_engine(chain: Chain, whole_file: Path) -> None:
    embedded = connect(f"duckdb:///{whole_file}", wait=20)
    for name in chain.settings.tables:
        with embedded.reading() as here, chain.warehouse.reading() as there:
            expected = rows(here, name, chain.settings)
            assert expected
            assert rows(there, name, chain.settings) == expected, name
    assert receipts(chain.warehouse) == receipts(embedded)


def test_the_gates_are_green_and_nothing_is_left_to_do(chain: Chain) -> None:
    with chain.warehouse.reading() as session:
        calendar = read_calendar(session, chain.settings)
        judge = Judge(session, chain.settings, calendar)
        for phase in (3, 4):
            verdict = coverage_gate(judge, phase, chain.settings.start_date, calendar.as_of)
            assert verdict.verdict == "green", verdict.findings
    assert not chain.plan(4).chunks


def test_a_backfill_of_ten_tables_is_at_most_150_jobs_whatever_the_seasons(chain: Chain) -> None:
    """A chunk spans seasons here, so the number of jobs is that of the tables."""
    assert len(chain.backfill) <= 150
    of_tables = Counter(job.labels["table"] for job in chain.backfill if "attempt" in job.labels)
    assert len(of_tables) == 10
    assert max(of_tables.values()) <= 8
    print(
        f"\n{len(chain.backfill)} jobs: {Counter(j.id.rpartition('_')[2] for j in chain.backfill)}; {dict(of_tables)}"
    )
    assert sum(of_tables.values()) <= 80
    assert all(plan.chunks_of(name)[1:] == [] for plan in chain.plans for group in plan.groups for name in group)


def test_a_step_asks_everything_at_once(chain: Chain) -> None:
    """Each job is dear: the gates of a notebook share theirs."""
    counts = {}
    for name, phase in (("10_preflight", 3), ("40_validate", 3), ("40_validate", 4), ("50_signoff", 4)):
        step = Step(name, phase, chain.warehouse, chain.settings, chain.settings.start_date)
        before = len(chain.server.jobs)
        for verdict in GATES[name](step):
            assert not verdict.red, verdict.findings
        counts[name, phase] = len(chain.server.jobs) - before
    print("\n" + "\n".join(f"{name} phase {phase}: {count} jobs" for (name, phase), count in counts.items()))
    assert counts["10_preflight", 3] <= 3 + 5  # the calendar, all questions, and a sample of each table
    assert max(count for (name, _), count in counts.items() if name != "10_preflight") <= 5


def test_what_else_is_asked_of_the_warehouse(chain: Chain) -> None:
    """Reviewed plans, manifests, watchers, readiness and predictions: sent here, so that each is analysed below."""
    first, last = chain.settings.start_date, chain.plans[0].last
    step = Step("60_train", 4, chain.warehouse, chain.settings, first)
    with step.judge() as (judge, *_):
        made = replace(chain.plans[0], basis=make_basis(judge, chain.warehouse.url, [3, 4], True, first, last))
        left_of(replace(made, chunks=(), found={}), judge)
        gates = chain.settings.gates.model_copy(update={"analytics_coverage_pct": 90.0})
        lower = Judge(judge.session, chain.settings.model_copy(update={"gates": gates}), judge.calendar)
        with pytest.raises(BadInput, match=r"moved: gates\.analytics_coverage_pct from 95\.0 to 90\.0"):
            left_of(made, lower)
        predictions_gate(judge, first, last)
        base_of(judge, [3, 4], first, last, 0)
        assert ask_defaults(judge, first, last)[0]()[0][0] > 1000
        for sql in (KINDS, LATEST_ATTEMPTS):
            judge.session.rows(sql, first=first, last=last)
    assert not Training(step).readiness().red
    assert step.history()
    before = len(chain.server.jobs)
    assert len(prints_over(chain.warehouse, made, chain.settings.tables)) == 10
    assert len(chain.server.jobs) == before + 2  # the calendar, and one scan of all


def raw_bytes_read(chain: Chain) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes that the ten SELECTs read of each raw table, and bytes that it holds, by the size model."""
    store = chain.server.store
    read, held = Counter[str](), {}
    for purpose, reading, size in store.read:
        dataset, _, table = reading.table.partition(".")
        name = f"{dataset.removeprefix('t_')}.{table}"
        if purpose == "compute" and name in RAW:
            read[name] += size
    for name in RAW:
        held[name] = sum(sum(columns.values()) for columns in store._size(f"t_{name}").values())
    return read, held


def test_the_selects_read_each_raw_byte_at_most_three_times(chain: Chain) -> None:
    read, held = raw_bytes_read(chain)
    times = {name: read[name] / held[name] for name in read}
    lines = [f"{name} {held[name]} bytes, read {read[name]}: {read[name] / held[name]:.2f}" for name in sorted(read)]
    print("\n" + "\n".join([*lines, f"all {sum(held.values())}, read {sum(read.values())}"]))
    assert 0 < sum(read.values()) <= 3 * sum(held.values())
    assert {name for name, count in times.items() if count > 3} == {SCHEDULE}
    # every SELECT needs it, and it is so small that the least amount that is billed for a table is more
    assert times[SCHEDULE] <= len(chain.settings.tables)
    assert held[SCHEDULE] < 0.005 * sum(held.values())


def test_every_job_is_labelled_limited_and_named_after_its_attempt(chain: Chain) -> None:
    computing = [job for job in chain.jobs if job.labels.get("attempt")]
    assert len(computing) > 30
    for job in computing:
        assert set(job.labels) >= {"run", "table", "phase", "attempt"}
        assert job.id.startswith(f"runbook_{job.labels['attempt']}_")
    for job in chain.jobs:
        assert int(job.configuration["query"]["maximumBytesBilled"]) == 1024 * 2**30
        assert job.configuration["jobTimeoutMs"] == "120000"
        assert not job.error


def test_no_stage_is_left(chain: Chain) -> None:
    assert [name for name in chain.server.store.tables if name.startswith("t_runbook_stage.")] == []
    assert not list(chain.warehouse.stages.glob("*"))


def test_a_plan_says_what_it_costs_and_a_budget_refuses_it(chain: Chain) -> None:
    whole = chain.plans[0]
    costs = costs_of(chain.warehouse, whole, chain.settings)
    total = in_all(costs)
    assert {cost.table for cost in costs} == {chunk.table for chunk in whole.chunks}
    assert total.bytes_read > 100_000
    assert total.bytes_billed >= 10 * 2**20 * total.jobs
    assert total.partitions == 2 * whole.dates
    facts = chain.settings.bigquery
    assert not cost_findings(costs, facts)
    assert [f.where for f in cost_findings(costs, facts.model_copy(update={"budget": 0.0}))] == ["budget"]
    poor = chain.settings.model_copy(update={"bigquery": facts.model_copy(update={"budget": 0.0})})
    refused, passed = (cost_verdict(chain.warehouse, whole, settings) for settings in (poor, chain.settings))
    assert refused is not None
    assert passed is not None
    assert (refused.red, passed.red) == (True, False)
    assert "MiB" in passed.sentence
    few = facts.model_copy(update={"partitions_per_day": 300})
    assert {f.where for f in cost_findings(costs, few)} == {cost.table for cost in costs}


def test_estimates_hold_though_what_they_are_read_from_is_not_computed_yet(chain: Chain) -> None:
    """Every table was estimated before its phase began, the feature store with four empty tables before it."""
    print("\ntable: KiB read and MiB billed, estimated and actual; jobs")
    for name, estimate in chain.estimates.items():
        jobs = [job for job in chain.spent if job.table == name]
        read, billed = (sum(getattr(job, f"bytes_{kind}") for job in jobs) for kind in ("processed", "billed"))
        print(
            f"{name}: {estimate.bytes_read >> 10} {read >> 10}; {estimate.bytes_billed >> 20} {billed >> 20};"
            f" {estimate.jobs} {len(jobs)}"
        )
        assert 0.5 <= estimate.bytes_read / read <= 2, name
        assert 0.5 <= estimate.bytes_billed / billed <= 2, name
        assert abs(estimate.jobs - len(jobs)) <= 1
    assert len(chain.estimates) == 10


def test_google_accepts_every_statement_that_was_sent(chain: Chain) -> None:
    """No statement is sent that its analyzer does not accept against the contracts."""
    refused = refused_by_google(chain.server.jobs)
    assert not refused, "\n\n".join(refused)


def refused_by_google(jobs: Iterable[Job]) -> list[str]:
    """What Google's analyzer says of those statements that it does not accept, each with its text."""
    jobs = [job for job in jobs if job.sql]
    own = [replace(table.contract, dataset=f"t_{table.contract.dataset}") for table in registry().tables.values()]
    sent = {_normal(job): job for job in jobs}
    print(f"\n{len(jobs)} statements, {len(sent)} different ones")
    engines: dict[str, Google] = {}
    refused = []
    for text, job in sent.items():
        table = job.labels.get("table", "")
        if table not in engines:
            engines[table] = Google([*own, *_stages(table)])
        kinds = {p["name"]: p["parameterType"] for p in job.configuration["query"].get("queryParameters", ())}
        for statement in statements(text):
            try:
                engines[table].accept(statement, kinds)
            except GoogleError as error:
                refused.append(f"{error}\n{statement}")
    return refused


def _normal(job: Job) -> str:
    """The text with the names of stages and written-out dates taken out."""
    text = re.sub(r"stage_[0-9a-zA-Z_]+", "stage", job.sql)
    return re.sub(r"IN \((DATE '[0-9-]+'(, )?)+\)", "IN (DATE '2024-01-01')", text)


def _stages(label: str) -> Iterator[object]:
    """The stage of the table that a job computes."""
    for table in registry().computed:
        if table.name.replace(".", "_") == label:
            yield replace(table.contract, dataset="t_runbook_stage", table="stage")


def test_a_function_of_another_engine_makes_the_analysis_fail() -> None:
    with pytest.raises(GoogleError, match="Function not found: list_sum"):
        Google([]).accept("SELECT list_sum([1])", {})
