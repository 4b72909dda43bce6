"""What the tests of figures computed by hand share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from tests.lib.memory import Memory
from tests.lib.raw_rows import RawRows

Row = Mapping[str, Any]
D = date(2024, 1, 10)
START = date(2023, 10, 24)
EARLIER = datetime(2023, 9, 1, tzinfo=UTC)


def january(day: int) -> date:
    return date(2024, 1, day)


def computed(rows: RawRows) -> Memory:
    """The tables over the dates on which *rows* has a game in the schedule."""
    memory = Memory(rows)
    memory.compute({row["game_date"] for row in rows["nba_raw.nbac_schedule"]}, START)
    return memory


def one(memory: Memory, table: str, **where: object) -> Row:
    """The only row of a table with these values."""
    found = [row for row in memory.rows(table) if all(row[name] == value for name, value in where.items())]
    assert len(found) == 1, found
    return found[0]


def player_of(rows: RawRows, **where: object) -> Row:
    return one(computed(rows), "player_game_summary", **(where or {"player_lookup": "star"}))


def star(**changes: Any) -> RawRows:
    """Appendix B: the star's 36 minutes in the home team's 100.68 possessions."""
    return RawRows().game(D, "BOS", "LAL").player(D, "star", "LAL", **changes)


def season_of_games(*games: tuple[date, str, str, int], player: str = "star", team: str = "LAL") -> RawRows:
    """Games (day, away, home, the star's points) with team boxes and one player."""
    rows = RawRows()
    for day, away, home, points in games:
        rows.game(day, away, home).player(day, player, team, f"{away}_{home}", points=points)
    return rows
