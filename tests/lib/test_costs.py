"""What a plan is expected to cost where the tables that it reads are filled by the plan itself."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, cast

import pytest

from lib.costs.estimate import BOXES, GAMES, Estimator
from lib.plan import Chunk
from lib.registry import registry
from lib.settings import Settings

CONTEXT, FACTORS = "nba_analytics.upcoming_player_game_context", "nba_precompute.player_composite_factors"
START = date(2023, 10, 24)
DAYS = [START + timedelta(days=n) for n in range(100)]


def bytes_to_come(settings: Settings, held: int, absent: list[date]) -> int:
    """Of all sources of the composite factors, where each holds *held* rows and the context lacks the dates *absent*."""
    table = registry().table(FACTORS)
    rows = {BOXES: 20_000, GAMES: 750} | {source.table: held for source in table.sources if source.table != GAMES}
    estimator = Estimator(cast(Any, None), settings, dict, {CONTEXT: frozenset(absent)}, rows)
    return estimator._to_come(table, Chunk(FACTORS, START, dict.fromkeys(DAYS, "absent"), 1))


@pytest.mark.parametrize("missing", [0, 50, 100])
def test_what_a_half_filled_source_will_gain_is_counted_by_its_dates(settings: Settings, missing: int) -> None:
    """A dry run counts the dates that are there, and the plan fills the others before."""
    whole = bytes_to_come(settings, 1, DAYS)
    assert whole > 0
    assert bytes_to_come(settings, 1, DAYS[:missing]) == pytest.approx(whole * missing / 100, rel=0.01)


def test_of_what_the_plan_fills_after_the_chunk_nothing_is_counted(settings: Settings) -> None:
    later = [day + timedelta(days=365) for day in DAYS]
    assert bytes_to_come(settings, 1, later) == 0


def test_empty_sources_are_counted_whole(settings: Settings) -> None:
    assert bytes_to_come(settings, 0, []) > bytes_to_come(settings, 1, DAYS)
