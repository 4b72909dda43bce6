"""Whether the sources agree with each other: teams with the sum of their players, scores with results."""

from __future__ import annotations

import duckdb

from lib.ingest.kinds import STATS
from lib.ingest.query import first_row, rows
from lib.wording import counted, some

_TEAM_AND_PLAYERS = """
SELECT count(*), {aggregates} FROM (SELECT * FROM teams WHERE dropped IS NULL) t JOIN (
  SELECT game_id, game_date, team_abbreviation, {sums} FROM players WHERE dropped IS NULL GROUP BY ALL
) p USING (game_id, game_date, team_abbreviation)
"""
_POINTS = """
SELECT canonical, team, points.pts, summed.pts FROM points JOIN games USING (game_id, game_date) JOIN (
  SELECT game_id, game_date, team_abbreviation AS team, CAST(sum(pts) AS BIGINT) AS pts
  FROM players WHERE dropped IS NULL GROUP BY ALL
) summed USING (game_id, game_date, team) WHERE points.pts <> summed.pts ORDER BY ALL
"""
_LINED = """
SELECT DISTINCT canonical FROM lines JOIN points USING (game_id, game_date)
WHERE dropped IS NULL AND points.pts <> CASE team WHEN home THEN score_home ELSE score_away END ORDER BY ALL
"""
_WINNERS = """
SELECT canonical FROM games JOIN points w USING (game_id, game_date)
JOIN points l USING (game_id, game_date)
WHERE w.team = winner AND l.team <> winner AND w.pts <= l.pts ORDER BY canonical
"""
_SCORES = """
SELECT season, kind, coalesce('it is taken from ' || source, 'no other file has it'), count(DISTINCT game_id)
FROM points JOIN games USING (game_id, game_date)
WHERE status = 3 AND counts AND source IS DISTINCT FROM 'the schedule' GROUP BY ALL ORDER BY season, min(game_id), 3
"""


def unlike_sums(con: duckdb.DuckDBPyConnection) -> list[str]:
    """A finding per statistic in which team lines differ from the sum of their players, and one for scores that do."""
    sums = ", ".join(f"CAST(sum({name}) AS BIGINT) AS {name}" for name in STATS)
    aggregates = ", ".join(
        f"count(*) FILTER (t.{name} <> p.{name}), CAST(coalesce(sum(t.{name} - p.{name}), 0) AS BIGINT)"
        for name in STATS
    )
    row = first_row(con, _TEAM_AND_PLAYERS.format(aggregates=aggregates, sums=sums)) or (0,)
    found = []
    for place, name in enumerate(STATS):
        unlike, more = row[1 + 2 * place], row[2 + 2 * place]
        if unlike:
            note = "; a team's include those charged to nobody" if name == "tov" else ""
            found.append(
                f"{name.upper()}: {unlike:,} of {row[0]:,} team lines differ from the sum of their players, by {more:+,} in all{note}"
            )
    unlike_scores = [f"{game} {team} ({score}, players {total})" for game, team, score, total in rows(con, _POINTS)]
    if unlike_scores:
        found.append(
            f"{counted(len(unlike_scores), 'score')} unlike the sum of the players' points: {some(unlike_scores)}"
        )
    return found


def score_sources(con: duckdb.DuckDBPyConnection) -> list[str]:
    """A finding per season and kind of game whose scores do not stand in the schedule itself: where they are from."""
    return [
        f"{season} {kind}: the schedule has no score for {counted(games, 'game')}; {source}"
        for season, kind, source, games in rows(con, _SCORES)
    ]


def contradictions(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Findings for scores that contradict the result or the betting lines' own scores."""
    found = []
    for said, query in (
        ("the result (WL)", _WINNERS),
        ("those of the betting lines", _LINED),
    ):
        names = [row[0] for row in rows(con, query)]
        if names:
            found.append(f"{counted(len(names), 'game')} with scores that contradict {said}: {some(names)}")
    return found
