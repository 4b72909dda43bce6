"""The gate of phase 2: is the raw data there that phase 3 reads?"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lib.calendar import COUNTED, EVER, SCHEDULE, Calendar, as_ranges, last_to_be_closed
from lib.coverage import expected_sql
from lib.errors import CannotJudge
from lib.exclusions import excluded_days
from lib.settings import Settings
from lib.states import too_many
from lib.verdicts import AMBER, RED, Finding, Verdict, worst
from lib.warehouse import Session
from lib.warehouse.interface import Row
from lib.wording import counted

Rows = Callable[[], list[Row]]
INGEST = "load what is missing, then run the gate again: runbook gate 2"
KINDS = ("001", "002", "003", "004", "005", "006")  # preseason, regular, All-Star, playoffs, play-in, Cup final
CHAINS = {"player_boxscores": "players_with_boxes", "team_boxscores": "teams_with_boxes"}

OPEN_GAMES = f"""
SELECT game_date, game_id, away_team_tricode, home_team_tricode
FROM {SCHEDULE}
WHERE game_status IN (1, 2) AND {COUNTED}
"""

SEASON_GAMES = f"""
SELECT season_year, kind, COUNT(DISTINCT game_id) AS games
FROM {SCHEDULE}
WHERE game_status = 3
GROUP BY season_year, kind
"""

# an All-Star day has teams of its own, and a preseason's opponents may be no NBA teams
STRAY_BOXES = f"""
WITH games AS (SELECT * FROM {SCHEDULE}),
counted AS (
  SELECT game_date, home_team_tricode AS team_abbr FROM games WHERE game_status = 3 AND {COUNTED}
  UNION ALL
  SELECT game_date, away_team_tricode AS team_abbr FROM games WHERE game_status = 3 AND {COUNTED}
),
boxes AS (
  SELECT game_date, team_abbr FROM nba_raw.nbac_gamebook_player_stats WHERE game_date BETWEEN @first AND @last
  UNION DISTINCT
  SELECT game_date, team_abbr FROM nba_raw.bdl_player_boxscores WHERE game_date BETWEEN @first AND @last
  UNION DISTINCT
  SELECT game_date, team_abbr FROM nba_raw.nbac_team_boxscore WHERE game_date BETWEEN @first AND @last
)
SELECT boxes.game_date, boxes.team_abbr
FROM boxes
LEFT JOIN counted ON counted.game_date = boxes.game_date AND counted.team_abbr = boxes.team_abbr
LEFT JOIN (SELECT DISTINCT game_date FROM games WHERE kind IN ('001', '003')) AS shows ON shows.game_date = boxes.game_date
WHERE counted.game_date IS NULL AND shows.game_date IS NULL
"""

SOURCES = f"""
WITH expected AS (
  SELECT season_year, game_date, home_team_tricode AS home, away_team_tricode AS away
  FROM {SCHEDULE}
  WHERE game_status = 3 AND {COUNTED}
),
gamebook AS (
  SELECT DISTINCT game_date, team_abbr FROM nba_raw.nbac_gamebook_player_stats WHERE game_date BETWEEN @first AND @last
),
bdl AS (
  SELECT DISTINCT game_date, team_abbr FROM nba_raw.bdl_player_boxscores WHERE game_date BETWEEN @first AND @last
),
team_boxes AS (
  SELECT DISTINCT game_date, team_abbr FROM nba_raw.nbac_team_boxscore WHERE game_date BETWEEN @first AND @last
),
plays AS (
  SELECT DISTINCT game_date, home_team_abbr FROM nba_raw.bigdataball_play_by_play WHERE game_date BETWEEN @first AND @last
),
lines AS (
  SELECT DISTINCT game_date, home_team_abbr FROM nba_raw.odds_api_game_lines WHERE game_date BETWEEN @first AND @last
),
odds AS (
  SELECT DISTINCT game_date FROM nba_raw.odds_api_player_points_props WHERE game_date BETWEEN @first AND @last
),
pros AS (
  SELECT DISTINCT game_date FROM nba_raw.bettingpros_player_points_props WHERE game_date BETWEEN @first AND @last
),
injuries AS (
  SELECT DISTINCT game_date FROM nba_raw.nbac_injury_report WHERE report_date BETWEEN @first AND @last
)
SELECT
  expected.season_year, COUNT(*) AS games, COUNT(gamebook.game_date) AS gamebook, COUNT(bdl.game_date) AS bdl,
  COUNT(team_boxes.game_date) AS team_boxes, COUNT(plays.game_date) AS play_by_play, COUNT(lines.game_date) AS game_lines,
  COUNT(odds.game_date) AS odds_api_props, COUNT(pros.game_date) AS bettingpros_props, COUNT(injuries.game_date) AS injury_reports
FROM expected
LEFT JOIN gamebook ON gamebook.game_date = expected.game_date AND gamebook.team_abbr = expected.home
LEFT JOIN bdl ON bdl.game_date = expected.game_date AND bdl.team_abbr = expected.home
LEFT JOIN team_boxes ON team_boxes.game_date = expected.game_date AND team_boxes.team_abbr = expected.home
LEFT JOIN plays ON plays.game_date = expected.game_date AND plays.home_team_abbr = expected.home
LEFT JOIN lines ON lines.game_date = expected.game_date AND lines.home_team_abbr = expected.home
LEFT JOIN odds ON odds.game_date = expected.game_date
LEFT JOIN pros ON pros.game_date = expected.game_date
LEFT JOIN injuries ON injuries.game_date = expected.game_date
GROUP BY expected.season_year
"""
SOURCE_NAMES = (
    "games", "gamebook", "bdl", "team_boxes", "play_by_play", "game_lines", "odds_api_props", "bettingpros_props", "injury_reports",
)  # fmt: skip


def raw_gate(session: Session, settings: Settings, calendar: Calendar, first: date, last: date) -> Verdict:
    """Schedule closed and whole, player boxes and team boxes for every expected game; the rest is reported per season.

    Raises CannotJudge where the range holds no expected date.
    """
    days = calendar.expected_dates(first, last)
    if not days:
        raise CannotJudge(f"nba_raw.nbac_schedule has no final game from {first} to {last}: nothing can be judged")
    asked = ask_raw(session, settings, calendar, first, last)
    findings = [*_open_games(asked, settings, calendar), *_stray_boxes(asked, calendar)]
    findings += _season_totals(asked, settings, calendar)
    lines = [_line("game_schedule", days, {}, findings, calendar)]
    for chain in CHAINS:
        short = {
            day: (games, waiting) for day, games, waiting in asked.short[chain]() if waiting and day in calendar.games
        }
        found = _chain_findings(chain, days, short, settings, calendar)
        lines.append(_line(chain, days, short, found, calendar))
        findings += found
    return Verdict(
        gate="coverage",
        verdict=worst(line["verdict"] for line in lines),
        sentence=_sentence(lines),
        findings=tuple(findings),
        table=tuple(lines),
        about={
            "phase": 2,
            "as_of": str(calendar.as_of),
            "first": str(first),
            "last": str(last),
            "threshold_pct": settings.gates.raw_coverage_pct,
            "sources": _per_season(asked.sources()),
        },
    )


@dataclass(frozen=True)
class Asked:
    """What the gate asks: games that are not closed, boxes without a game, games by kind, short dates, sources."""

    open_games: Rows
    stray_boxes: Rows
    season_games: Rows
    short: Mapping[str, Rows]
    sources: Rows


def ask_raw(session: Session, settings: Settings, calendar: Calendar, first: date, last: date) -> Asked:
    """Asks all that the gate will need, so that an engine may answer it together."""
    return Asked(
        session.ask(OPEN_GAMES, first=EVER["first"], last=last_to_be_closed(settings, calendar.as_of)),
        session.ask(STRAY_BOXES, first=first, last=min(last, last_to_be_closed(settings, calendar.as_of))),
        session.ask(SEASON_GAMES, **EVER),
        {
            chain: session.ask(_short(rule), first=first, last=last, history_from=first)
            for chain, rule in CHAINS.items()
        },
        session.ask(SOURCES, first=first, last=last),
    )


def source_report(session: Session, first: date, last: date) -> list[dict[str, Any]]:
    """Per season: expected games, and how many of them each raw source knows."""
    return _per_season(session.ask(SOURCES, first=first, last=last)())


def _per_season(rows: list[Row]) -> list[dict[str, Any]]:
    return [{"season_year": row[0], **dict(zip(SOURCE_NAMES, row[1:], strict=True))} for row in sorted(rows)]


def _open_games(asked: Asked, settings: Settings, calendar: Calendar) -> list[Finding]:
    before, games = last_to_be_closed(settings, calendar.as_of), sorted(asked.open_games())
    if not games:
        return []
    day, game, away, home = games[0]
    what = f"schedule not closed: {len(games)} games up to {before} are neither final nor postponed, first {away} at {home} on {day} ({game})"
    return [Finding(RED, "nba_raw.nbac_schedule", what, INGEST)]


def _stray_boxes(asked: Asked, calendar: Calendar) -> list[Finding]:
    """A game that was played and that the schedule does not count would be expected by nothing."""
    ends = {calendar.season_start(day): day for day in sorted(calendar.games)}
    stray = [row for row in sorted(asked.stray_boxes()) if _may_be_played(row[0], ends, calendar)]
    if not stray:
        return []
    day, team = stray[0]
    what = f"box scores of {counted(len(stray), 'team')} on dates on which the schedule counts no final game of theirs, first {team} on {day}"
    return [Finding(RED, "nba_raw.nbac_schedule", what, "load the schedule of those dates; runbook gate 2")]


def _may_be_played(day: date, ends: Mapping[date, date], calendar: Calendar) -> bool:
    """Whether *day* lies in a season: after its start, and before its last game unless it may still go on."""
    start = calendar.season_start(day)
    return start in ends and (day <= ends[start] or not _is_closed(start.year, calendar))


def _season_totals(asked: Asked, settings: Settings, calendar: Calendar) -> list[Finding]:
    """Every closed season between the first and the last that is held, also one of which nothing is there."""
    held: dict[int, dict[str, int]] = {}
    for season, kind, games in asked.season_games():
        held.setdefault(season, {})[kind] = games
    starts = calendar.starts
    closed = [s for s in range(min(starts), max(starts) + 1) if _is_closed(s, calendar)] if starts else []
    faults = [finding for season in closed for finding in _season_faults(season, held.get(season, {}), settings)]
    return faults + [fault for season, kinds in sorted(held.items()) for fault in _unknown_kinds(season, kinds)]


def _unknown_kinds(season: int, kinds: Mapping[str, int]) -> list[Finding]:
    return [
        Finding(
            RED,
            "nba_raw.nbac_schedule",
            f"season {season} holds {counted(games, 'game')} of the kind '{kind}', which is none: a game id begins with 001 to"
            " 006, and may have lost its zeros",
            INGEST,
        )
        for kind, games in sorted(kinds.items())
        if kind not in KINDS
    ]


def _is_closed(season: int, calendar: Calendar) -> bool:
    return calendar.as_of >= date(season + 1, 7, 1)


def _season_faults(season: int, held: dict[str, int], settings: Settings) -> list[Finding]:
    rules = settings.schedule
    low, high = rules.playoff_games
    wanted = (
        ("002", "regular-season", (rules.regular_season_games,) * 2),
        ("005", "play-in", (rules.play_in_games,) * 2),
        ("004", "playoff", (low, high)),
        ("006", "Cup final", (int(season >= rules.cup_final_since),) * 2),
    )
    faults = []
    for kind, name, (least, most) in wanted:
        games = held.get(kind, 0)
        if not least <= games <= most:
            needed = f"{least}" if least == most else f"{least} to {most}"
            faults.append(
                Finding(
                    RED,
                    "nba_raw.nbac_schedule",
                    f"season {season} holds {games} {name} games, a closed season holds {needed}",
                    INGEST,
                )
            )
    return faults


def _short(rule: str) -> str:
    """By date the games, and those of them that wait for raw data."""
    return f"""
SELECT
  game_date, COUNT(DISTINCT game_id) AS games, COUNT(DISTINCT IF(waiting IS NOT NULL, game_id, NULL)) AS waiting_games
FROM ({expected_sql(rule)})
GROUP BY game_date
"""


def _chain_findings(
    chain: str, days: Sequence[date], short: dict[date, tuple[int, int]], settings: Settings, calendar: Calendar
) -> list[Finding]:
    if not short:
        return []
    judged = [day for day in days if not calendar.is_bootstrap(day)]
    missing = [day for day in judged if day in short]
    percent = 100 * (len(judged) - len(missing)) / len(judged) if judged else 100
    held = percent >= settings.gates.raw_coverage_pct and not _lacks_bootstrap(days, short, settings, calendar)
    severity = AMBER if held else RED
    games = sum(count for _, count in short.values())
    what = f"no box score for {counted(games, 'game')} on {counted(len(short), 'date')}: {as_ranges(short, list(calendar.games))}"
    return [Finding(severity, chain, what, INGEST)]


def _lacks_bootstrap(days: Sequence[date], short: Container[date], settings: Settings, calendar: Calendar) -> bool:
    """Whether more bootstrap dates of a season are short than the percentage of its dates allows; one may be.

    A date that is excluded for every table of phase 3 is not missed.
    """
    tables = [name for name in settings.tables if settings.phase_of(name) == 3]
    excluded = frozenset(days).intersection(*(excluded_days(settings, calendar, table) for table in tables))
    early = [day for day in days if calendar.is_bootstrap(day) and day in short and day not in excluded]
    seasons = calendar.by_season(early).values()
    return any(too_many(len(e), settings.gates.raw_coverage_pct, calendar.season_length) for e in seasons)


def _line(
    name: str,
    days: Sequence[date],
    short: dict[date, tuple[int, int]],
    findings: Sequence[Finding],
    calendar: Calendar,
) -> dict[str, Any]:
    judged = [day for day in days if not calendar.is_bootstrap(day)]
    early = [day for day in days if calendar.is_bootstrap(day)]
    covered = [day for day in judged if day not in short]
    absent = [day for day in judged if day in short and short[day][0] == short[day][1]]
    return {
        "table": name,
        "covered": len(covered),
        "expected": len(judged),
        "coverage_pct": round(100 * len(covered) / len(judged), 2) if judged else None,
        "missing": len(judged) - len(covered),
        "partial": len(judged) - len(covered) - len(absent),
        "absent": len(absent),
        "outdated": 0,
        "found": 0,
        "bootstrap": f"{sum(day not in short for day in early)}/{len(early)}",
        "excluded": 0,
        "verdict": worst(finding.severity for finding in findings),
    }


def _sentence(lines: Sequence[dict[str, Any]]) -> str:
    red = [line["table"] for line in lines if line["verdict"] == RED]
    if red:
        return f"Raw data is not complete: {', '.join(red)}."
    short = [line["table"] for line in lines if line["verdict"] == AMBER]
    return f"Raw data holds{', with gaps in ' + ', '.join(short) if short else ''}."
