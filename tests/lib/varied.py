"""A small season whose raw rows enter every branch of the Phase 3 SELECTs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.lib.raw_rows import RawRows

START = date(2023, 10, 24)
TEAMS = {
    "BOS": "Boston Celtics",
    "LAL": "Los Angeles Lakers",
    "MIA": "Miami Heat",
    "UTA": "Utah Jazz",
}
MINUTES = ("{m}:{s:02d}", "{m}:{s:02d}", "{m}", "{m}.5", "PT{m}M{s:02d}.00S")
# what is special about the n-th game
OVERTIME, NO_TEAM_BOX, SECOND_SOURCE, NO_SHOTS, FEW_SHOTS, NO_NAMES = 2, 3, 4, 5, 6, 7


def varied_rows(rounds: int = 15) -> RawRows:
    """*rounds* game days of two games each, and what surrounds them; the same rows every time."""
    chance = random.Random(7)
    rows = RawRows()
    day = START
    for number in range(rounds):
        pairs = (("BOS", "LAL", "MIA", "UTA"), ("MIA", "BOS", "UTA", "LAL"), ("LAL", "MIA", "BOS", "UTA"))[number % 3]
        _game(rows, chance, day, pairs[0], pairs[1], number)
        _game(rows, chance, day, pairs[2], pairs[3], number + 3)
        day += timedelta(days=chance.choice((1, 1, 2, 2, 3, 4)))
    _exhibitions(rows, day)
    for away in TEAMS:
        for home in TEAMS:
            if away < home and (away, home) != ("BOS", "MIA"):
                rows.distance(away, home, chance.randint(300, 2700))
    return rows


def game_days(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[date]:
    """The dates on which a game of *rows* counts."""
    final = [row for row in rows["nba_raw.nbac_schedule"] if row["game_status"] == 3]
    return sorted({row["game_date"] for row in final if row["game_id"].startswith(("002", "004", "005", "006"))})


def _game(rows: RawRows, chance: random.Random, day: date, away: str, home: str, number: int) -> None:
    special = number % 11
    kind = {"game_id": f"004{day.year % 100 - 1}{number:05d}"} if day >= date(2023, 11, 22) else {}
    scores = {away: chance.randint(88, 130), home: chance.randint(88, 129)}
    scores[home] += scores[home] == scores[away]
    rows.scheduled(day, away, home, home_team_score=scores[home], away_team_score=scores[away], **kind)
    if number % 5 == 0:  # a copy loaded earlier, and the row of the date it was postponed from
        game_id = rows["nba_raw.nbac_schedule"][-1]["game_id"]
        rows.scheduled(day, away, home, game_id=game_id, game_status=1, processed_at=datetime(2023, 9, 1, tzinfo=UTC))
        rows.scheduled(day - timedelta(days=1), away, home, game_id=game_id, game_status=4)
    for team in (away, home):
        if special != NO_TEAM_BOX or team == home:
            _team_box(rows, chance, day, away, home, team, scores[team], overtime=special == OVERTIME)
        _players(rows, chance, day, f"{away}_{home}", team, second_source=special == SECOND_SOURCE)
        if special != NO_SHOTS:
            _shots(rows, chance, day, f"{away}_{home}", team, special)
    _lines(rows, chance, day, away, home)


def _team_box(
    rows: RawRows, chance: random.Random, day: date, away: str, home: str, team: str, points: int, overtime: bool
) -> None:
    attempts = chance.randint(24, 34)
    rows.team_box(
        day, away, home, team, minutes="265:00" if overtime else chance.choice(("240:00", "240:00", "240", None)), points=points,
        fg_attempted=attempts, fg_made=attempts // 2, ft_attempted=chance.randint(9, 34), turnovers=chance.randint(6, 21),
        offensive_rebounds=chance.randint(4, 16), steals=chance.randint(2, 12), blocks=chance.randint(1, 9),
    )  # fmt: skip


def _players(rows: RawRows, chance: random.Random, day: date, game: str, team: str, second_source: bool) -> None:
    for index in range(6):
        player = f"{team.lower()}player{index}"
        if not second_source and chance.random() < 0.15:
            rows.player(
                day, player, team, game, player_status=chance.choice(("dnp", "inactive")), minutes=None, points=None
            )
            continue
        makes, threes = chance.randint(0, 6), chance.randint(0, 4)
        shape = chance.choice(MINUTES).format(m=chance.randint(1, 44), s=chance.randint(0, 59))
        points = 2 * makes + 3 * threes + 3 * index  # the last of them averages 20 and more: a star
        figures = {
            "minutes": chance.choice(("00:00", "00:01", None)) if chance.random() < 0.08 else shape,
            "points": points,
            "field_goals_made": makes + threes,
            "field_goals_attempted": chance.choice((0, makes + threes + chance.randint(0, 9))),
            "three_pointers_made": threes,
            "free_throws_attempted": chance.randint(0, 9),
            "turnovers": chance.choice((None, 0, 1, 2, 5)),
        }
        source = rows.second_source if second_source else rows.player
        source(day, player, team, game, **figures)
        if chance.random() < 0.1:
            source(
                day, player, team, game, **{**figures, "points": 99, "processed_at": datetime(2023, 9, 1, tzinfo=UTC)}
            )
        _props(rows, chance, day, player, points)


def _props(rows: RawRows, chance: random.Random, day: date, player: str, points: int) -> None:
    line = points + chance.choice((0, 0.5, -0.5, 3.5, -2.25))
    roll = chance.random()
    if roll < 0.4:
        rows.prop(day, player, line, chance.choice(("fanduel", "betmgm", "draftkings"))).prop(
            day, player, line + 1, "fanduel", 15
        )
    elif roll < 0.7:
        for best in (True, False):
            rows.add(
                "bettingpros_player_points_props", game_date=day, player_lookup=player, bookmaker=f"book{best}",
                points_line=line + best, opening_line=chance.choice((None, line - 1.5)), is_active=chance.random() < 0.8,
                is_best_line=best, bookmaker_last_update=datetime(day.year, day.month, day.day, 9, tzinfo=UTC),
            )  # fmt: skip
    if chance.random() < 0.2:
        team = player[:3].upper()
        status = chance.choice(("out", "out", "questionable", "doubtful", "probable"))
        rows.injury(day, player, team, status, confidence_score=chance.choice((0.95, 0.5)))
        rows.injury(
            day, player, team, chance.choice(("out", "available")), report_date=day - timedelta(days=1), hour=17
        )


def _shots(rows: RawRows, chance: random.Random, day: date, game: str, team: str, special: int) -> None:
    away, home = game.split("_")
    other = home if team == away else away
    for _ in range(9 if special == FEW_SHOTS else 31):
        index = chance.randint(0, 5)
        prefix = "16305" if day.month == 11 else ""
        made = chance.random() < 0.5
        role = None if special == NO_NAMES else chance.choice((None, "assist" if made else "block"))
        mate = {"assist": team, "block": other}.get(role or "", team).lower()
        distance = round(chance.uniform(0, 28), 1)
        rows.shots(
            day, team, 1, game, player_1_lookup=f"{prefix}{team.lower()}player{index}", shot_made=made, shot_distance=distance,
            shot_type=None if index == 3 else "3PT" if distance > 23 else "2PT", player_2_role=role,
            event_subtype="3pt jump shot" if distance > 23.2 else "layup",
            player_2_lookup=f"{prefix}{mate}player{chance.randint(0, 5)}" if role else None,
        )  # fmt: skip
    if special != NO_NAMES:
        rows.shots(
            day, team, 2, game, player_1_lookup=f"{team.lower()}player1", event_type="free throw",
            event_subtype=chance.choice(("free throw 1/1", "free throw 1/2")), shot_distance=None, shot_type="FT",
        )  # fmt: skip


def _lines(rows: RawRows, chance: random.Random, day: date, away: str, home: str) -> None:
    for book in chance.sample(("draftkings", "fanduel", "betmgm"), chance.randint(0, 3)):
        spread, total = chance.randint(-24, 24) / 2, chance.randint(400, 480) / 2
        for hour, move in ((9, 0.0), (18, chance.choice((0.0, 0.5, -1.5)))):
            at = {"bookmaker_key": book, "snapshot_timestamp": datetime(day.year, day.month, day.day, hour, tzinfo=UTC)}
            rows.game_line(day, away, home, TEAMS[home], spread + move, **at)
            rows.game_line(day, away, home, TEAMS[away], -spread - move, **at)
            rows.game_line(day, away, home, "Over", total + move, **at)
            rows.game_line(day, away, home, "Under", total + move, **at)


def _exhibitions(rows: RawRows, after: date) -> None:
    """Preseason, All-Star, a scheduled and a cancelled game: none of them counts."""
    rows.game(START - timedelta(days=5), "BOS", "LAL", game_id="0012300001")
    rows.game(START + timedelta(days=1), "BOS", "UTA", game_id="0032300001")
    rows.scheduled(after, "BOS", "LAL", game_status=1, home_team_score=None, away_team_score=None)
    rows.scheduled(after, "MIA", "UTA", game_status=5, home_team_score=None, away_team_score=None)
