"""The coverage grid: what is missing is seen, named and counted, with or without colour."""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree

from lib.charts import coverage_grid, row_counts
from lib.charts.coverage import grid_picture
from lib.charts.look import STATES
from lib.charts.picture import Boxes, Note
from lib.grid import GRID_MIME, Run, grid_table, grid_tables, grid_title
from tests.lib.charts.coverages import coverage, dates, full

DAYS = dates(20)
SHORT = coverage("upcoming", {day: 10 if n < 12 else 4 if n < 15 else 0 for n, day in enumerate(DAYS)})


def _runs(covered: object) -> list[tuple[str, int]]:
    return [(run.state, run.dates) for run in covered.runs]  # type: ignore[attr-defined]


def test_neighbouring_dates_in_one_state_are_one_bar_and_no_date_is_lost() -> None:
    table = grid_tables({SHORT.table: SHORT})[0]
    assert _runs(table) == [("full", 12), ("partial", 3), ("absent", 5)]
    assert sum(run.dates for run in table.runs) == len(DAYS)


def test_a_break_between_games_is_seen_as_a_break() -> None:
    apart = coverage("t", dict.fromkeys([*dates(3), *dates(3, date(2023, 11, 10))], 10))
    assert _runs(grid_tables({"t": apart})[0]) == [("full", 3), ("full", 3)]


def test_seasons_stand_in_rows_of_their_own() -> None:
    both = coverage("t", dict.fromkeys([date(2023, 10, 24), date(2024, 10, 22)], 10))
    assert [text for _, text in coverage_grid({"t": both}).y.ticks] == ["2023-24", "2024-25"]


def test_the_title_names_the_short_tables_the_worst_first() -> None:
    title = grid_title(grid_tables({"a": full("offense"), SHORT.table: SHORT}))
    assert title == "1 of 2 tables is short: upcoming 12 of 20"
    assert grid_title(grid_tables({"a": full("offense")})) == "All 1 tables are full on every date that can be"


def test_an_outdated_date_makes_the_title_say_short_though_every_key_is_there() -> None:
    stale = coverage("stale", dict.fromkeys(DAYS, 10), outdated=True)
    assert coverage_grid({"t": stale}).title == "1 of 1 tables is short: t 20 dates outdated or failed"


def test_excluded_and_bootstrap_dates_look_neither_full_nor_missing() -> None:
    assert _runs(grid_tables({"t": coverage("t", dict.fromkeys(DAYS, 0), excluded=True)})[0]) == [("excluded", 20)]
    assert _runs(grid_tables({"t": coverage("t", dict.fromkeys(DAYS, 10), bootstrap=True)})[0]) == [("bootstrap", 20)]
    assert _runs(grid_tables({"t": coverage("t", dict.fromkeys(DAYS, 0), bootstrap=True)})[0]) == [("absent", 20)]


def test_a_date_without_expected_keys_is_not_drawn() -> None:
    assert _runs(grid_tables({"t": coverage("t", dict.fromkeys(DAYS, 0), expected=0)})[0]) == []


def test_running_and_failed_dates_are_laid_over_what_the_warehouse_holds() -> None:
    live = {(SHORT.table, DAYS[18]): "running", (SHORT.table, DAYS[19]): "failed"}
    assert _runs(grid_tables({SHORT.table: SHORT}, live)[0])[-3:] == [("absent", 3), ("running", 1), ("failed", 1)]


def test_a_table_is_not_called_full_while_all_that_it_lacks_is_being_computed() -> None:
    live = dict.fromkeys([(SHORT.table, day) for day in DAYS[12:]], "running")
    picture = coverage_grid({SHORT.table: SHORT}, live)
    assert picture.title == "1 of 1 tables is short: upcoming 12 of 20, 8 running"
    heads = [mark.text for mark in picture.marks if isinstance(mark, Note) and mark.bold]
    assert heads == ["■ upcoming: 12 of 20 dates full (60.0 %); 8 running"]


def test_why_a_date_was_missing_is_not_told_of_it_once_it_is_there() -> None:
    absent = coverage("t", {DAYS[0]: 0}, todo="absent: no row")
    assert [run.told for run in grid_tables({"t": absent})[0].runs] == ["2023-10-24: absent, 1 game date (absent: no row)"]  # fmt: skip
    assert [run.told for run in grid_tables({"t": absent}, {("t", DAYS[0]): "full"})[0].runs] == ["2023-10-24: full, 1 game date"]  # fmt: skip


def test_every_state_differs_in_lightness_or_pattern_so_that_print_shows_it() -> None:
    looks = {name: (fill.pattern, _lightness(fill.colour)) for name, fill in STATES.items()}
    plain = sorted(light for pattern, light in looks.values() if not pattern)
    assert all(later - earlier > 0.1 for earlier, later in pairwise(plain))
    patterns = [pattern for pattern, _ in looks.values() if pattern]
    assert len(patterns) == len(set(patterns))


def test_the_grid_is_read_back_from_an_archive_as_it_was() -> None:
    shown = coverage_grid({SHORT.table: SHORT})
    kept = json.loads(json.dumps(shown._repr_mimebundle_()))[GRID_MIME]
    assert grid_picture([grid_table(raw) for raw in kept["tables"]]).svg() == shown.svg()


def test_each_bar_tells_its_dates_and_its_reason() -> None:
    assert Run("partial", DAYS[0], DAYS[2], 3, "partial: 4 of 10 keys").told == (
        "2023-10-24 to 2023-10-26: partial, 3 game dates (partial: 4 of 10 keys)"
    )


def test_nothing_judged_is_no_full_table() -> None:
    picture = coverage_grid({})
    assert "No table was judged" in picture.title
    assert ElementTree.fromstring(picture.svg()) is not None


def test_rows_are_counted_against_the_expected_ones() -> None:
    picture = row_counts({SHORT.table: SHORT, "b": full("offense")})
    assert picture.title == "1 of 2 tables hold too few keys: upcoming 132 of 200"
    held = next(mark for mark in picture.marks if isinstance(mark, Boxes) and mark.name == "held")
    assert held.x1.tolist() == [66.0, 100.0]
    assert row_counts({"b": full("offense")}).title == "All 200 expected keys are there"


def _lightness(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
