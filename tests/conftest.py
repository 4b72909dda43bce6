"""What the tests share: the pocket league, warehouses of it, and settings that fit it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.garbage import look_seldom
from lib.league import League, pocket_league
from lib.sandbox import compute_all, load_raw
from lib.settings import ROOT, Settings, load_settings
from lib.warehouse import EmbeddedWarehouse, connect
from tests.skips import allowed, in_ci

# a model of a thousand rows is trained faster by one thread than by two that fight for the cores
os.environ.setdefault("OMP_NUM_THREADS", "1")
look_seldom()

POCKET = (
    (r"dirty_tree = false", "dirty_tree = true"),  # whoever works on the code can test it
    (r"start_date = .*", "start_date = 2023-10-24"),
    (r"regular_season_games = .*", "regular_season_games = 66"),
    (r"play_in_games = .*", "play_in_games = 1"),
    (r"playoff_games = .*", "playoff_games = [5, 5]"),
    (r'^"?nba_(precompute|predictions).*\n', ""),  # phases 2 and 3 alone
)
WHOLE = (
    *POCKET[:5],
    (r"minimum_games = 1\d", "minimum_games = 5"),  # in a season of 22 games
    (r"^default_limit_pct = .*", "default_limit_pct = 60"),
    (r"^(\w+) = (15|20|25)$", r"\1 = 60"),
    (r"minimum_rows = .*", "minimum_rows = 500"),
    (r"minimum_split_rows = .*", "minimum_split_rows = 50"),
)


# files that take a minute and more in make test-full, which gives a worker file after file: begun last, one of them would
# leave the other worker with nothing to do
LONGEST = (
    "test_bigquery_chain.py", "test_chain.py", "test_lab.py", "test_sandbox.py", "test_resume.py",
    "test_nbval.py", "test_operations.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others in their order."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """In CI nothing is skipped in silence."""
    if not (in_ci() and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not allowed(reason):
        report.outcome = "failed"
        report.longrepr = f"{reason}: in CI a skip is a failure unless tests/skips.py lists its reason"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Looks at every test's end."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Looks at every file: a whole one can be skipped, too."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.fixture(scope="session")
def league() -> League:
    """Six teams, two autumns: 96 game dates, 24 of them bootstrap."""
    return pocket_league()


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's settings, with the pocket league's size and phases 2 and 3 only."""
    return _changed_settings(tmp_path_factory.mktemp("settings"), POCKET)


@pytest.fixture(scope="session")
def whole_settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's settings, with the pocket league's size: every phase, and a model of few rows."""
    return _changed_settings(tmp_path_factory.mktemp("whole"), WHOLE)


def _changed_settings(folder: Path, changes: tuple[tuple[str, str], ...]) -> Path:
    return changed_settings(ROOT / "runbook.toml", folder / "runbook.toml", changes)


def changed_settings(source: Path, target: Path, changes: tuple[tuple[str, str], ...]) -> Path:
    """Writes the settings of *source* with *changes* to *target*."""
    text = source.read_text()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count, f"runbook.toml has no line like {pattern}"
    target.write_text(text)
    return target


@pytest.fixture(scope="session")
def settings(settings_file: Path) -> Settings:
    """The settings of the pocket league."""
    return load_settings(settings_file)


@pytest.fixture(scope="session")
def raw_file(league: League, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse file with the raw data alone. Copy it; never change it."""
    with _built_once(tmp_path_factory, "raw") as path:
        if not path.exists():
            load_raw(connect(f"duckdb:///{path}"), league.tables, league.as_of, "sandbox")
    return path


@pytest.fixture(scope="session")
def computed_file(raw_file: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse file with Phase 3 computed. Copy it; never change it."""
    with _built_once(tmp_path_factory, "computed") as path:
        if not path.exists():
            unfinished = path.with_name("unfinished.duckdb")
            shutil.copy(raw_file, unfinished)
            compute_all(connect(f"duckdb:///{unfinished}"), settings)
            unfinished.rename(path)
    return path


@pytest.fixture(scope="session")
def whole_settings(whole_settings_file: Path) -> Settings:
    """The settings of the pocket league with every phase."""
    return load_settings(whole_settings_file)


@pytest.fixture(scope="session")
def whole_file(computed_file: Path, whole_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse file with phases 3 and 4 computed. Copy it; never change it."""
    with _built_once(tmp_path_factory, "whole") as path:
        if not path.exists():
            unfinished = path.with_name("unfinished.duckdb")
            shutil.copy(computed_file, unfinished)
            compute_all(connect(f"duckdb:///{unfinished}"), whole_settings, (4,))
            unfinished.rename(path)
    return path


@pytest.fixture
def raw_only(raw_file: Path, tmp_path: Path) -> EmbeddedWarehouse:
    """A warehouse of one's own with raw data and nothing computed."""
    return _copy(raw_file, tmp_path / "raw_only.duckdb")


@pytest.fixture
def warehouse(computed_file: Path, tmp_path: Path) -> EmbeddedWarehouse:
    """A warehouse of one's own with Phase 3 computed."""
    return _copy(computed_file, tmp_path / "warehouse.duckdb")


@pytest.fixture
def whole(whole_file: Path, tmp_path: Path) -> EmbeddedWarehouse:
    """A warehouse of one's own with phases 3 and 4 computed."""
    return _copy(whole_file, tmp_path / "whole.duckdb")


@pytest.fixture
def whole_environment(pocket_environment: Path, whole_settings_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a person who works on the pocket league with every phase; gives the folder of the runs."""
    monkeypatch.setenv("RUNBOOK_CONFIG", str(whole_settings_file))
    return pocket_environment


@pytest.fixture
def pocket_environment(settings_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The environment of a person who works on the pocket league; gives the folder of the runs."""
    monkeypatch.setenv("RUNBOOK_CONFIG", str(settings_file))
    monkeypatch.setenv("RUNBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("RUNBOOK_WAREHOUSE", raising=False)
    return tmp_path / "runs"


@contextmanager
def _built_once(factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A place for a warehouse that all workers of a test run share, held alone while one of them builds it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with (folder / "building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / "warehouse.duckdb"


def _copy(source: Path, target: Path) -> EmbeddedWarehouse:
    shutil.copy(source, target)
    return connect(f"duckdb:///{target}", wait=20)
