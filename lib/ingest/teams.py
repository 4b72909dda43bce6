"""The thirty teams: codes, full names, ids, and the other codes that files use for them."""

from __future__ import annotations

NAMES = {
    "ATL": "Atlanta Hawks",
    "BOS": "Boston Celtics",
    "CLE": "Cleveland Cavaliers",
    "NOP": "New Orleans Pelicans",
    "CHI": "Chicago Bulls",
    "DAL": "Dallas Mavericks",
    "DEN": "Denver Nuggets",
    "GSW": "Golden State Warriors",
    "HOU": "Houston Rockets",
    "LAC": "LA Clippers",
    "LAL": "Los Angeles Lakers",
    "MIA": "Miami Heat",
    "MIL": "Milwaukee Bucks",
    "MIN": "Minnesota Timberwolves",
    "BKN": "Brooklyn Nets",
    "NYK": "New York Knicks",
    "ORL": "Orlando Magic",
    "IND": "Indiana Pacers",
    "PHI": "Philadelphia 76ers",
    "PHX": "Phoenix Suns",
    "POR": "Portland Trail Blazers",
    "SAC": "Sacramento Kings",
    "SAS": "San Antonio Spurs",
    "OKC": "Oklahoma City Thunder",
    "TOR": "Toronto Raptors",
    "UTA": "Utah Jazz",
    "MEM": "Memphis Grizzlies",
    "WAS": "Washington Wizards",
    "DET": "Detroit Pistons",
    "CHA": "Charlotte Hornets",
}
FIRST_ID = 1610612737  # the league numbers its teams from here, in the order in which NAMES lists them
IDS = {str(FIRST_ID + place): code for place, code in enumerate(NAMES)}
VARIANTS = {
    "BRK": "BKN",
    "CHO": "CHA",
    "PHO": "PHX",
    "GS": "GSW",
    "NO": "NOP",
    "NY": "NYK",
    "SA": "SAS",
    "UTAH": "UTA",
    "UTH": "UTA",
    "WSH": "WAS",
}


def code_sql(text: str) -> str:
    """SQL that turns the team code in *text* into the league's; an unknown code comes out as it is, in capitals."""
    branches = " ".join(f"WHEN '{variant}' THEN '{code}'" for variant, code in VARIANTS.items())
    return f"CASE upper({text}) {branches} ELSE upper({text}) END"


def code_of_id_sql(text: str) -> str:
    """SQL that turns the league's team id in *text* into a code; an unknown id comes out as it is."""
    branches = " ".join(f"WHEN '{number}' THEN '{code}'" for number, code in IDS.items())
    return f"CASE {text} {branches} ELSE {text} END"


def name_sql(code: str) -> str:
    """SQL for the full name of the team whose code is in the column *code*."""
    branches = " ".join(f"WHEN '{known}' THEN '{name}'" for known, name in NAMES.items())
    return f"CASE {code} {branches} END"


def known_sql(column: str) -> str:
    """SQL that is true where *column* holds one of the thirty codes."""
    return f"{column} IN ({', '.join(repr(code) for code in NAMES)})"
