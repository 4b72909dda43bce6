"""Five seasons of thirty teams through the real client: minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lib.calendar import read_calendar
from lib.fingerprint import Fingerprint, ask_fingerprints
from lib.league import full_league
from lib.registry import registry
from lib.sandbox import compute_all, load_raw
from lib.settings import ROOT, Settings, load_settings
from lib.warehouse import Warehouse, connect
from tests.bigquery_server import serving
from tests.lib.test_bigquery_chain import Chain, raw_bytes_read

pytestmark = [pytest.mark.torture, pytest.mark.timeout(3000)]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(ROOT / "runbook.toml")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Iterator[tuple[Chain, Warehouse]]:
    """The full league on the loopback server and in a file, both computed by the ordinary write path."""
    league = full_league(7)
    folder = tmp_path_factory.mktemp("full")
    embedded = connect(f"duckdb:///{folder / 'w.duckdb'}", wait=20)
    load_raw(embedded, league.tables, league.as_of, "ingested")
    compute_all(embedded, settings, (3, 4))
    with pytest.MonkeyPatch.context() as patched, serving() as server:
        patched.setenv("XDG_STATE_HOME", str(folder))
        began = time.monotonic()
        chain = Chain(server, league, settings)
        print(f"\nfive seasons in {time.monotonic() - began:.0f} s, {len(chain.backfill)} jobs")
        yield chain, embedded


def test_five_seasons_of_ten_tables_are_those_of_the_embedded_engine(
    both: tuple[Chain, Warehouse], settings: Settings
) -> None:
    chain, embedded = both
    expected = prints(embedded, settings)
    assert prints(chain.warehouse, settings) == expected
    assert all(len(seasons) == 5 for seasons in expected.values())
    rows = sum(season.rows for seasons in expected.values() for season in seasons.values())
    print(f"{rows} rows of {len(expected)} tables have the same fingerprints")


def test_five_seasons_are_at_most_150_jobs_and_read_each_raw_byte_at_most_three_times(
    both: tuple[Chain, Warehouse],
) -> None:
    chain, _ = both
    assert len(chain.backfill) <= 150
    read, held = raw_bytes_read(chain)
    print("\n".join(f"{name} {held[name]} bytes, read {read[name] / held[name]:.2f} times" for name in sorted(read)))
    print(f"all {sum(held.values())} bytes, read {sum(read.values()) / sum(held.values()):.2f} times")
    assert 0 < sum(read.values()) <= 3 * sum(held.values())
    for name, estimate in chain.estimates.items():
        jobs = [job for job in chain.spent if job.table == name]
        actual = sum(job.bytes_billed for job in jobs)
        print(f"{name}: {estimate.bytes_billed >> 20} MiB billed estimated, {actual >> 20} actual, {len(jobs)} jobs")
        assert 0.4 <= estimate.bytes_billed / actual <= 2.5


def prints(warehouse: Warehouse, settings: Settings) -> dict[str, dict[str, Fingerprint]]:
    """Every table's fingerprint by season."""
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
        known, bounds = registry().tables, (settings.start_date, calendar.as_of)
        asked = {name: ask_fingerprints(session, known[name], calendar, *bounds) for name in settings.tables}
        return {name: found() for name, found in asked.items()}
