"""What is pulled: one request each, known by season, kind of file and kind of game."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lib.errors import BadInput
from lib.ingest.coverage import ROUND
from lib.ingest.kinds import PLAYERS, SCHEDULE, SHOTS, TEAMS, Kind

REGULAR = "Regular Season"
PLAYOFFS = "Playoffs"
# by the first season that had them; IST is the final of the Cup, which is no regular-season game
GAME_KINDS = {REGULAR: 1946, "PlayIn": 2019, PLAYOFFS: 1946, "IST": 2023}
FIRST_SEASON = 1996
NBA = "00"
NBA_TEAM = re.compile(r"16106127\d\d")


@dataclass(frozen=True)
class Answer:
    """One answer: its columns and rows, as the source gave them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, eq=False)
class Pull:
    """One request: the endpoint with its parameters, the part of the answer that is wanted, the kind of file it is."""

    name: str
    kind: Kind
    season: str
    games: str
    endpoint: str
    result_set: str
    parameters: Mapping[str, Any]

    @property
    def needed(self) -> bool:
        """Whether a season cannot be had without it; single games can be told as missing."""
        return self.games in (REGULAR, PLAYOFFS)

    def suspicion(self, rows: int) -> str:
        """Why an answer of so many *rows* is suspect; empty where it is not."""
        if rows == 0 and self.games == REGULAR:
            return f"{self.name}: no rows for a regular season"
        if rows and any(rows % cap == 0 for cap in ROUND):
            return f"{self.name}: exactly {rows:,} rows, a cap of the source: the pull was probably cut short"
        return ""


def seasons_of(text: str) -> list[str]:
    """The seasons of ``2021-22..2025-26`` or ``2024-25``, in order; BadInput for anything else."""
    first, dots, last = text.partition("..")
    start, end = _year(first, text), _year(last if dots else first, text)
    if start > end:
        raise BadInput(f"--seasons {text}: {first} comes after {last}; write the earlier one first")
    return [f"{year}-{(year + 1) % 100:02d}" for year in range(start, end + 1)]


def _year(season: str, text: str) -> int:
    match = re.fullmatch(r"(\d{4})-(\d\d)", season.strip())
    if not match or (int(match[1]) + 1) % 100 != int(match[2]) or int(match[1]) < FIRST_SEASON:
        raise BadInput(f"--seasons {text}: '{season}' is no season: write 2024-25, or 2021-22..2025-26")
    return int(match[1])


def is_over(season: str, day: date) -> bool:
    """Whether no game of *season* can come any more: the last finals ended by October of 2020."""
    return day >= date(int(season[:4]) + 1, 10, 15)


def schedule_pull(season: str) -> Pull:
    """Every game of a season, a row for each team."""
    from nba_api.stats.endpoints import LeagueGameFinder

    asked = LeagueGameFinder(
        player_or_team_abbreviation="T", season_nullable=season, league_id_nullable=NBA, get_request=False
    )
    return Pull(
        f"schedule {season}", SCHEDULE, season, REGULAR, asked.endpoint, "LeagueGameFinderResults", asked.parameters
    )


def pulls_of(season: str, teams: Iterable[str]) -> Iterator[Pull]:
    """Everything of a season but its schedule. Shots of the regular season come team by team: together they hit a cap."""
    for games in (name for name, since in GAME_KINDS.items() if int(season[:4]) >= since):
        yield _log(season, games, "P", PLAYERS)
        yield _log(season, games, "T", TEAMS)
        for team in sorted(teams) if games == REGULAR else ("0",):
            yield _shots(season, games, team)


def team_ids(schedule: Answer) -> set[str]:
    """The league's own teams of a schedule: exhibition opponents have other ids."""
    at = schedule.columns.index("TEAM_ID")
    return {str(row[at]) for row in schedule.rows if NBA_TEAM.fullmatch(str(row[at]))}


def _log(season: str, games: str, whose: str, kind: Kind) -> Pull:
    from nba_api.stats.endpoints import LeagueGameLog

    asked = LeagueGameLog(
        season=season, season_type_all_star=games, player_or_team_abbreviation=whose, league_id=NBA, get_request=False
    )
    name = f"{kind.name} {season} {games}"
    return Pull(name, kind, season, games, asked.endpoint, "LeagueGameLog", asked.parameters)


def _shots(season: str, games: str, team: str) -> Pull:
    from nba_api.stats.endpoints import ShotChartDetail

    asked = ShotChartDetail(
        team_id=team, player_id=0, context_measure_simple="FGA", season_nullable=season, season_type_all_star=games,
        league_id=NBA, get_request=False,
    )  # fmt: skip
    name = f"shots {season} {games}" + ("" if team == "0" else f" {team}")
    return Pull(name, SHOTS, season, games, asked.endpoint, "Shot_Chart_Detail", asked.parameters)
