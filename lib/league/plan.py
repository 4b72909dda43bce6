"""What is simulated: the seasons' windows, days without games, and the sizes of the two leagues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from lib.league.teams import TEAMS


@dataclass(frozen=True)
class SeasonPlan:
    """One season: its windows, its dark days and how many rounds and playoff dates it has.

    ``all_star`` is the Sunday of the All-Star weekend, ``playoffs`` the first playoff day (None: none is simulated).
    """

    year: int
    first: date
    last: date
    rounds: int
    dark: frozenset[date]
    all_star: date
    cup: date | None
    playoffs: date | None
    end: date

    def regular_dates(self) -> list[date]:
        """Every day of the regular season that may have games."""
        days = (self.first + timedelta(n) for n in range((self.last - self.first).days + 1))
        return [day for day in days if day not in self.dark and day != self.cup]


@dataclass(frozen=True)
class LeaguePlan:
    """A league: its teams, seasons, sizes and what is planted in its raw tables."""

    teams: tuple[str, ...]
    seasons: tuple[SeasonPlan, ...]
    as_of: date
    last_final: date
    last_scheduled: date
    slots: int  # rostered players a team
    role_minutes: tuple[float, ...]  # by rank within a team
    play_counts: tuple[tuple[int, float], ...]  # players used in a game, and how often
    minute_cap: float
    pace: float  # possessions relative to the real league's
    free_throws: float  # free throws a possession relative to the real league's
    newcomers: int  # a summer
    trades: int  # pairs of players a season
    signings: int  # within a season
    injuries: float  # spells relative to the full league's
    preseason_rounds: int
    all_star_games: int
    postponed: int  # a season
    playoff_dates: int
    pocket: bool


def _days(first: str, count: int = 1) -> Iterator[date]:
    start = date.fromisoformat(first)
    return (start + timedelta(n) for n in range(count))


def _season(
    first: str, last: str, dark: tuple[str, ...], all_star: str, cup: str | None, playoffs: str | None, end: str
) -> SeasonPlan:
    sunday = date.fromisoformat(all_star)
    friday = (sunday - timedelta(2)).isoformat()
    days = frozenset([*_days(friday, 6), *(date.fromisoformat(day) for day in dark)])
    return SeasonPlan(
        year=int(first[:4]),
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        rounds=82,
        dark=days,
        all_star=sunday,
        cup=date.fromisoformat(cup) if cup else None,
        playoffs=date.fromisoformat(playoffs) if playoffs else None,
        end=date.fromisoformat(end),
    )


# Dark days: Election Day, Thanksgiving, Christmas Eve, the college final.
REAL_SEASONS = (
    _season(
        "2021-10-19", "2022-04-10", ("2021-11-25", "2021-12-24", "2022-04-04"),
        "2022-02-20", None, "2022-04-16", "2022-06-19",
    ),
    _season(
        "2022-10-18", "2023-04-09", ("2022-11-08", "2022-11-24", "2022-12-24", "2023-04-03"),
        "2023-02-19", None, "2023-04-15", "2023-06-18",
    ),
    _season(
        "2023-10-24", "2024-04-14", ("2023-11-07", "2023-11-23", "2023-12-24", "2024-04-08"),
        "2024-02-18", "2023-12-09", "2024-04-20", "2024-06-23",
    ),
    _season(
        "2024-10-22", "2025-04-13", ("2024-11-05", "2024-11-28", "2024-12-24", "2025-04-07"),
        "2025-02-16", "2024-12-17", "2025-04-19", "2025-06-22",
    ),
    _season(
        "2025-10-21", "2026-04-12", ("2025-11-27", "2025-12-24", "2026-04-06"),
        "2026-02-15", "2025-12-16", None, "2026-06-21",
    ),
)  # fmt: skip

FULL = LeaguePlan(
    teams=tuple(team.code for team in TEAMS),
    seasons=REAL_SEASONS,
    as_of=date(2026, 1, 5),
    last_final=date(2026, 1, 3),
    last_scheduled=date(2026, 1, 12),
    slots=17,
    role_minutes=(33.5, 32, 30.5, 29, 27.5, 25.5, 23, 20, 18.5, 16, 11.5, 6.5, 4, 3, 2.5, 2, 1),
    play_counts=((8, 0.04), (9, 0.20), (10, 0.30), (11, 0.22), (12, 0.12), (13, 0.08), (14, 0.03), (15, 0.01)),
    minute_cap=36.3,
    pace=1.0,
    free_throws=1.0,
    newcomers=75,
    trades=46,
    signings=80,
    injuries=1.0,
    preseason_rounds=3,
    all_star_games=2,
    postponed=6,
    playoff_dates=44,
    pocket=False,
)


def _pocket_season(real: SeasonPlan, last: str, rounds: int, all_star: str, playoffs: date | None) -> SeasonPlan:
    """A season of a few weeks: no Mondays, the All-Star Sunday in November."""
    mondays = [day for day in _days(real.first.isoformat(), 80) if day.weekday() == 0]
    sunday = date.fromisoformat(all_star)
    dark = real.dark.union(mondays, (sunday, sunday - timedelta(1)))
    return SeasonPlan(
        real.year, real.first, date.fromisoformat(last), rounds, dark, sunday, real.cup, playoffs, real.end
    )


POCKET = LeaguePlan(
    teams=("BOS", "LAL", "DEN", "MIA", "NYK", "PHX"),
    seasons=(
        _pocket_season(REAL_SEASONS[2], "2023-12-17", 22, "2023-11-26", date(2023, 12, 26)),
        _pocket_season(REAL_SEASONS[3], "2024-12-22", 24, "2024-11-17", None),
    ),
    as_of=date(2024, 12, 20),
    last_final=date(2024, 12, 18),
    last_scheduled=date(2024, 12, 22),
    slots=6,
    role_minutes=(46, 45, 43, 41, 37, 20),
    play_counts=((5, 0.12), (6, 0.88)),
    minute_cap=46.0,
    pace=0.65,
    free_throws=2.8,
    newcomers=3,
    trades=3,
    signings=1,
    injuries=0.3,
    preseason_rounds=0,
    all_star_games=1,
    postponed=1,
    playoff_dates=0,
    pocket=True,
)
