"""The calendar, read off the schedule: seasons, expected dates, bootstrap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from lib.errors import BadInput, CannotJudge
from lib.settings import NO_BOX_SCORE, Settings
from lib.warehouse import Session
from lib.warehouse.interface import Row

EASTERN = ZoneInfo("America/New_York")
EVER = {"first": date(1946, 1, 1), "last": date(2100, 1, 1)}

# of several copies of a game's row the latest holds
SCHEDULE = """
(SELECT game_id, game_date, season_year, home_team_tricode, away_team_tricode, game_status, SUBSTR(game_id, 1, 3) AS kind
FROM nba_raw.nbac_schedule
WHERE game_date BETWEEN @first AND @last
QUALIFY ROW_NUMBER() OVER (PARTITION BY game_id, game_date ORDER BY processed_at DESC, game_status DESC) = 1)
"""
COUNTED = "kind IN ('002', '004', '005', '006')"

SEASON_STARTS = f"""
SELECT season_year, MIN(game_date) AS season_start
FROM {SCHEDULE}
WHERE kind = '002' AND game_status NOT IN (4, 5)
GROUP BY season_year
ORDER BY season_year
"""

EXPECTED_GAMES = f"""
SELECT game_date, COUNT(*) AS games, MIN(kind) AS lowest_kind, MAX(kind) AS highest_kind
FROM {SCHEDULE}
WHERE game_status = 3 AND {COUNTED}
GROUP BY game_date
ORDER BY game_date
"""

UNPLAYED_DATES = f"""
SELECT DISTINCT game_date
FROM {SCHEDULE}
WHERE game_status IN (1, 2) AND {COUNTED}
"""

BOXES = ("nba_raw.nbac_gamebook_player_stats", "nba_raw.bdl_player_boxscores", "nba_raw.nbac_team_boxscore")


@dataclass(frozen=True)
class Calendar:
    """Season starts by season year, expected games by date, and the dates that hold unplayed games.

    ``kinds`` has the dates whose games are all of one kind, the first three digits of their ids. ``unboxed`` are dates
    without any box score; they are looked at only where an exclusion asks for them, and only as far as it does. ``open``
    are dates with final games from the first on that is being played, or was until lately: what is computed for a date
    counts the games before it, so nothing is expected of them before all of those are over.
    """

    as_of: date
    starts: Mapping[int, date]
    games: Mapping[date, int]
    unplayed: frozenset[date]
    bootstrap_days: int
    kinds: Mapping[date, str] = field(default_factory=dict)
    unboxed: frozenset[date] = frozenset()
    open: frozenset[date] = frozenset()

    def season_start(self, day: date) -> date:
        """First regular-season date of the season *day* lies in; *day* itself before the first known season."""
        place = bisect_right(self._sorted_starts, day)
        return self._sorted_starts[place - 1] if place else day

    @property
    def closed_until(self) -> date:
        """The day before the first open date, as-of where none is."""
        return min(self.open) - timedelta(days=1) if self.open else self.as_of

    @cached_property
    def season_length(self) -> int:
        """Expected dates of the longest season: what one that goes on is going to have, too."""
        return max(map(len, self.by_season(self.games).values()), default=0)

    @cached_property
    def _sorted_starts(self) -> list[date]:
        return sorted(self.starts.values())

    def is_bootstrap(self, day: date) -> bool:
        """Whether *day* is one of the first ``bootstrap_days`` calendar days of its season."""
        return 0 <= (day - self.season_start(day)).days < self.bootstrap_days

    def refuse_without_game(self, day: date) -> None:
        """BadInput, naming the nearest game date, where *day* has no expected game."""
        if day not in self.games:
            near = min(self.games, key=lambda known: abs((known - day).days))
            raise BadInput(f"no expected game on {day}; the nearest game date is {near}")

    def expected_dates(self, first: date, last: date) -> list[date]:
        """The dates with expected games from *first* to *last*, both included."""
        return [day for day in self.games if first <= day <= last]

    def by_season(self, days: Iterable[date]) -> dict[date, list[date]]:
        """*days* in order, by the start of their season."""
        seasons: dict[date, list[date]] = {}
        for day in sorted(days):
            seasons.setdefault(self.season_start(day), []).append(day)
        return seasons


def ask_calendar(session: Session) -> list[Callable[[], list[Row]]]:
    """Asks for what the calendar is made of: starts of seasons, expected games, dates that wait."""
    return [session.ask(sql, **EVER) for sql in (SEASON_STARTS, EXPECTED_GAMES, UNPLAYED_DATES)]


def read_calendar(session: Session, settings: Settings) -> Calendar:
    """The calendar of the warehouse; CannotJudge where the schedule is missing or empty."""
    if "nba_raw.nbac_schedule" not in session.tables:
        raise CannotJudge("nba_raw.nbac_schedule is not in the warehouse: without a schedule nothing can be expected")
    starts, games, waiting = (sorted(rows()) for rows in ask_calendar(session))
    if not starts or not games:
        raise CannotJudge("nba_raw.nbac_schedule holds no final games: load the schedule; an empty one is never a pass")
    as_of, unplayed = read_as_of(session), frozenset(day for (day,) in waiting)
    begun = min((day for day in unplayed if day > last_to_be_closed(settings, as_of)), default=date.max)
    unclosed = frozenset(day for day, *_ in games if day >= begun)
    games = [row for row in games if row[0] not in unclosed]
    return Calendar(
        as_of=as_of,
        starts=dict(starts),
        games={day: count for day, count, *_ in games},
        unplayed=unplayed,
        bootstrap_days=settings.gates.bootstrap_days,
        kinds={day: lowest for day, _, lowest, highest in games if lowest == highest},
        unboxed=_unboxed(session, settings, [day for day, *_ in games]),
        open=unclosed,
    )


def last_to_be_closed(settings: Settings, as_of: date) -> date:
    """The last date whose games have to be final."""
    return as_of - timedelta(days=settings.gates.schedule_grace_days + 1)


def _unboxed(session: Session, settings: Settings, days: Iterable[date]) -> frozenset[date]:
    """Those of *days* that exclusions by rule ask about and on which no source has a box score."""
    rules = [rule for rule in settings.exclusions if rule.rule == NO_BOX_SCORE]
    asked = {day for day in days if any(rule.names(day) for rule in rules)}
    if not asked:
        return frozenset()
    bounds = {"first": min(asked), "last": max(asked)}
    sql = "SELECT DISTINCT game_date FROM {} WHERE game_date BETWEEN @first AND @last"
    answers = [session.ask(sql.format(table), **bounds) for table in BOXES]
    return frozenset(asked - {day for rows in answers for (day,) in rows()})


def read_as_of(session: Session) -> date:
    """The instant the warehouse speaks for: noted in it, else today, US/Eastern."""
    noted = session.facts().get("as_of")
    return date.fromisoformat(noted) if noted else datetime.now(EASTERN).date()


def closed_range(calendar: Calendar, settings: Settings, first: date | None, last: date | None) -> tuple[date, date]:
    """The range asked for, completed from the settings' start and as-of, or the day before a date that is still played.

    Raises BadInput where it ends before it starts or reaches past as-of.
    """
    start, end = first or settings.start_date, last or calendar.closed_until
    if start > end:
        raise BadInput(f"the range starts {start}, after its end {end}")
    if end > calendar.as_of:
        raise BadInput(f"the range ends {end}, past as-of {calendar.as_of}: what lies ahead cannot be complete")
    return start, end


def as_date(text: str) -> date | None:
    """A date as YYYY-MM-DD, None for an empty text; BadInput for anything else."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadInput(f"'{text}' is no date: write YYYY-MM-DD") from error


def as_ranges(days: Iterable[date], neighbours: Sequence[date]) -> str:
    """*days* as text, runs of neighbouring game dates as ranges: ``2024-01-03..2024-01-09 (6), 2024-02-01``."""
    place = {day: index for index, day in enumerate(neighbours)}
    runs: list[list[date]] = []
    for day in sorted(days):
        follows = runs and place.get(day, -9) == place.get(runs[-1][-1], -99) + 1
        runs[-1].append(day) if follows else runs.append([day])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]} ({len(run)})" for run in runs)
