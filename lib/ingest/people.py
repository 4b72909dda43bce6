"""Who is who: one ``player_lookup`` per PLAYER_ID."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from lib.errors import BadInput
from lib.ingest.query import first_row, rows
from lib.wording import counted

# Where a name was read: the box score's spelling goes before the shot chart's.
_NAMES = """
WITH said AS (
  SELECT player_id, player_name, game_date, 0 AS source FROM players WHERE dropped IS NULL
  UNION ALL SELECT player_id, player_name, game_date, 1 FROM shots WHERE dropped IS NULL
)
SELECT player_id, arg_max(player_name, (1 - source, game_date, player_name)), min(game_date),
  count(DISTINCT player_name)
FROM said GROUP BY ALL ORDER BY ALL
"""
_TOGETHER = """
SELECT game_date, lookup, list((player_id, name) ORDER BY player_id) FROM people JOIN (
  SELECT player_id, game_date FROM players WHERE dropped IS NULL
  UNION SELECT player_id, game_date FROM shots WHERE dropped IS NULL
) USING (player_id) GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1
"""


@dataclass(frozen=True)
class Person:
    """One PLAYER_ID: the latest spelling of the name, and the first date on which it is seen."""

    player_id: str
    name: str
    lookup: str
    first_seen: datetime.date
    spellings: int


def player_lookup(name: str) -> str:
    """The key of a name: ``Luka Dončić`` is ``lukadoncic``, ``Tim Hardaway Jr.`` is ``timhardawayjr``."""
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", name).lower())


def make_people(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Makes ``people`` (player_id, name, lookup) and gives the findings about names.

    BadInput where two PLAYER_IDs have one lookup on one date, or a name has no letter that a lookup can hold.
    """
    people = [Person(who, name, player_lookup(name), first, count) for who, name, first, count in rows(con, _NAMES)]
    for person in people:
        if not person.lookup:
            raise BadInput(
                f"PLAYER_ID {person.player_id}: '{person.name}' has no letter a to z; write the name in Latin letters"
            )
    _register(con, people)
    _refuse_same_date(con)
    settled, findings = _told_apart(people)
    _register(con, settled)
    respelt = [person for person in people if person.spellings > 1]
    if respelt:
        known = ", ".join(f"{person.name} ({person.player_id})" for person in respelt[:3])
        findings.append(
            f"{counted(len(respelt), 'player')} spelt in several ways, keyed by the latest spelling: {known}"
        )
    return findings


def _register(con: duckdb.DuckDBPyConnection, people: list[Person]) -> None:
    columns = {
        "player_id": [person.player_id for person in people],
        "name": [person.name for person in people],
        "lookup": [person.lookup for person in people],
    }
    con.register(
        "people",
        pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}),
    )


def _refuse_same_date(con: duckdb.DuckDBPyConnection) -> None:
    found = first_row(con, _TOGETHER)
    if found:
        date, lookup, ((one, name), (two, other), *_) = found
        raise BadInput(
            f"{date}: PLAYER_ID {one} ({name}) and PLAYER_ID {two} ({other}) both have the lookup '{lookup}'; "
            "spell one of the names so that they differ"
        )


def _told_apart(people: list[Person]) -> tuple[list[Person], list[str]]:
    """Namesakes on different dates: the later-seen ones get their PLAYER_ID appended."""
    by_lookup: dict[str, list[Person]] = defaultdict(list)
    for person in people:
        by_lookup[person.lookup].append(person)
    settled, findings = [], []
    for lookup, namesakes in sorted(by_lookup.items()):
        first, *later = sorted(namesakes, key=lambda person: (person.first_seen, person.player_id))
        settled.append(first)
        for person in later:
            settled.append(replace(person, lookup=lookup + person.player_id))
            findings.append(
                f"PLAYER_ID {person.player_id} ({person.name}, first seen {person.first_seen}) has the lookup of "
                f"PLAYER_ID {first.player_id} (first seen {first.first_seen}): it is kept as '{settled[-1].lookup}'"
            )
    return settled, findings
