"""The kinds of file that can be read, and how a file is recognised by its columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lib.errors import BadInput
from lib.ingest.teams import code_of_id_sql, code_sql

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)"
# Type of value -> what its text must look like, and the SQL that reads it from the column {x}.
PARSERS = {
    "text": (r"(?s).+", "{x}"),
    "integer": (r"[+-]?\d{1,15}(\.0*)?", "CAST(split_part({x}, '.', 1) AS BIGINT)"),
    "number": (NUMBER, "CAST({x} AS DOUBLE)"),
    "date": (
        r"(19|20)\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])([ T]00:00.*)?",
        "CAST(try_strptime(left(replace({x}, '-', ''), 8), '%Y%m%d') AS DATE)",
    ),
    "timestamp": (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*", "TRY_CAST({x} AS TIMESTAMP)"),
    "game": (r"(00)?[1-6]\d{7}(\.0*)?", "lpad(split_part({x}, '.', 1), 10, '0')"),
    "person": (r"\d+(\.0*)?", "split_part({x}, '.', 1)"),
    "team": (r"[A-Za-z]{2,4}", code_sql("{x}")),
    "team_id": (r"\d+(\.0*)?", code_of_id_sql("split_part({x}, '.', 1)")),
    "matchup": (r"[A-Za-z]{2,4} (@|vs\.?) [A-Za-z]{2,4}", "{x}"),
    "result": (r"[WLwl]", "upper({x})"),
    "side": (r"(?i)home|away", "lower({x})"),
    "flag": (
        r"(?i)[01](\.0*)?|true|false",
        "lower({x}) NOT IN ('0', '0.', '0.0', 'false')",
    ),
    "value": (r"(?i)[23]PT.*", "upper(left({x}, 3))"),
    "minutes": (r"\d+:[0-5]\d|\d+(\.\d*)?|PT\d+M([0-5]?\d(\.\d+)?S)?", "{x}"),
}


@dataclass(frozen=True)
class Field:
    """One column that is read: its type is a key of PARSERS. An *optional* one may be gone, a *nullable* one empty."""

    name: str
    type: str
    nullable: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of file; *key* gives the columns, as SQL, that tell its rows apart."""

    name: str
    title: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read, in lower case."""
        return tuple(field.name for field in self.fields)


STATS = (
    "pts",
    "fgm",
    "fga",
    "fg3m",
    "fg3a",
    "ftm",
    "fta",
    "oreb",
    "dreb",
    "reb",
    "ast",
    "stl",
    "blk",
    "tov",
    "pf",
)
_BOX = tuple(Field(name, "integer", nullable=True) for name in (*STATS, "plus_minus"))
_TEAM_GAME = (
    Field("team_abbreviation", "team"),
    Field("game_id", "game"),
    Field("game_date", "date"),
    Field("matchup", "matchup"),
    Field("wl", "result", nullable=True),
)
SCHEDULE = Kind(
    "schedule",
    "LeagueGameFinder schedule",
    (*_TEAM_GAME, Field("pts", "integer", nullable=True, optional=True)),
    ("game_id", "game_date", "team_abbreviation"),
)
PLAYERS = Kind(
    "players",
    "LeagueGameLog players",
    (
        Field("player_id", "person"),
        Field("player_name", "text"),
        *_TEAM_GAME,
        Field("min", "minutes", True),
        *_BOX,
    ),
    ("game_id", "player_id"),
)
TEAMS = Kind(
    "teams",
    "LeagueGameLog teams",
    (*_TEAM_GAME, Field("min", "minutes", True), *_BOX),
    ("game_id", "team_abbreviation"),
)
SHOTS = Kind(
    "shots",
    "ShotChartDetail",
    (
        Field("game_id", "game"),
        Field("game_event_id", "person"),
        Field("player_id", "person"),
        Field("player_name", "text"),
        Field("team_id", "team_id"),
        Field("action_type", "text"),
        Field("shot_type", "value"),
        Field("shot_distance", "number", nullable=True),
        Field("shot_made_flag", "flag"),
        Field("game_date", "date"),
        Field("htm", "team"),
        Field("vtm", "team"),
    ),
    ("game_id", "game_event_id"),
)
LINES = Kind(
    "lines",
    "game lines",
    (
        Field("date", "date"),
        Field("away", "team"),
        Field("home", "team"),
        Field("whos_favored", "side", nullable=True),
        Field("spread", "number", nullable=True),
        Field("total", "number", nullable=True),
        Field("season", "text", nullable=True, optional=True),
        Field("score_away", "integer", nullable=True, optional=True),
        Field("score_home", "integer", nullable=True, optional=True),
        Field("bookmaker_key", "text", nullable=True, optional=True),
        Field("snapshot_timestamp", "timestamp", nullable=True, optional=True),
    ),
    (
        "date",
        "least(away, home)",
        "greatest(away, home)",
        "bookmaker_key",
        "snapshot_timestamp",
    ),
)
KINDS = (SCHEDULE, PLAYERS, TEAMS, SHOTS, LINES)


def recognise(columns: Iterable[str]) -> tuple[Kind, ...]:
    """The kinds that a file with these columns can be read as; none where it is something else.

    A whole LeagueGameFinder answer has the team lines too, so it is both a schedule and team lines; what tells it from
    a LeagueGameLog of teams is that it never has VIDEO_AVAILABLE.
    """
    have = {column.lower() for column in columns}
    if _shares(have, {"spread", "total", "home", "away", "whos_favored"}, 3):
        return (LINES,)
    if _shares(
        have,
        {
            "shot_distance",
            "shot_made_flag",
            "game_event_id",
            "action_type",
            "shot_type",
            "htm",
        },
        3,
    ):
        return (SHOTS,)
    if not _shares(
        have,
        {"season_id", "team_abbreviation", "game_id", "game_date", "matchup", "wl"},
        4,
    ):
        return ()
    if have & {"player_id", "player_name"}:
        return (PLAYERS,)
    if not _shares(have, set(STATS) - {"pts"}, 3):
        return (SCHEDULE,)
    return (TEAMS,) if "video_available" in have else (SCHEDULE, TEAMS)


def refuse_gone(file: str, kind: Kind, columns: Iterable[str]) -> None:
    """BadInput where *file*, read as *kind*, lacks a column that is needed."""
    have = {column.lower() for column in columns}
    for field in kind.fields:
        if not field.optional and field.name not in have:
            shown = field.name if kind is LINES else field.name.upper()
            raise BadInput(
                f"{file}: column {shown} is not there; {kind.title} needs it, so pull the file again with it"
            )


def _shares(have: set[str], marks: set[str], least: int) -> bool:
    return len(have & marks) >= least
