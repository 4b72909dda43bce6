"""From seasons to a folder that ingest takes: schedule, player and team game logs, shots."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lib.errors import BadInput, CannotJudge
from lib.fetch.cache import Cache
from lib.fetch.pulls import Answer, Pull, pulls_of, schedule_pull, team_ids
from lib.fetch.source import Again, Refused, Source, answer_of
from lib.ingest.kinds import KINDS, Kind

# the whole answer of the schedule has the team lines, too, which come from the game log
SCHEDULE_COLUMNS = ("SEASON_ID", "TEAM_ID", "TEAM_ABBREVIATION", "TEAM_NAME", "GAME_ID", "GAME_DATE", "MATCHUP", "WL", "PTS")  # fmt: skip


@dataclass
class Fetched:
    """What a fetch came to: rows by kind, requests made and answers taken from the cache, what is suspect."""

    rows: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    cached: int = 0
    suspect: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


@dataclass
class Fetch:
    """Pulls seasons into *folder*. ``on_pull`` is told each pull, how many are done and how many there are."""

    source: Source
    cache: Cache
    folder: Path
    on_pull: Callable[[Pull, int, int], None] = lambda pull, done, total: None
    result: Fetched = field(default_factory=Fetched)

    def run(self, seasons: Sequence[str]) -> Fetched:
        """Everything of *seasons*, then the files. What came stays in the cache, whatever happens."""
        refuse_other_seasons(self.folder, seasons)
        schedules = [schedule_pull(season) for season in seasons]
        first = self._all(schedules, expected=len(schedules))
        rest = [
            pull
            for season, schedule in zip(seasons, schedules, strict=True)
            for pull in pulls_of(season, self._teams(schedule, first[schedule]))
        ]
        answers = first | self._all(rest, expected=len(schedules) + len(rest), done=len(schedules))
        self.folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            mine = [(pull, answer) for pull, answer in answers.items() if pull.kind is kind]
            if mine:
                self._write(kind, [answer for _, answer in mine])
        return self.result

    def _all(self, pulls: Iterable[Pull], expected: int, done: int = 0) -> dict[Pull, Answer]:
        answers = {}
        for number, pull in enumerate(pulls, start=done):
            self.on_pull(pull, number, expected)
            try:
                answers[pull] = self._one(pull)
            except Refused as error:
                if pull.needed:
                    raise
                self.result.suspect.append(f"{error}; these games are not in the files")
                continue
            suspicion = pull.suspicion(len(answers[pull].rows))
            self.result.suspect += [suspicion] if suspicion else []
        return answers

    def _one(self, pull: Pull) -> Answer:
        kept = self.cache.get(pull)
        if kept is not None:
            try:
                answer = answer_of(pull, kept)
                self.result.cached += 1
                return answer
            except Again:
                pass  # what was kept is no answer: asked for again
        raw = self.source.get(pull)
        self.cache.put(pull, raw)
        self.result.asked += 1
        return answer_of(pull, raw)

    def _teams(self, pull: Pull, schedule: Answer) -> set[str]:
        found = team_ids(schedule) if "TEAM_ID" in schedule.columns else set()
        if not found:
            raise CannotJudge(f"{pull.name}: not one game of the league: is the season right, and has it begun?")
        return found

    def _write(self, kind: Kind, answers: list[Answer]) -> None:
        names = _common(answers) if kind.name != "schedule" else [c for c in SCHEDULE_COLUMNS if c in _common(answers)]
        places = [[answer.columns.index(name) for name in names] for answer in answers]
        rows = [[_text(row[at]) for at in place] for answer, place in zip(answers, places, strict=True) for row in answer.rows]  # fmt: skip
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        table = pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})
        path = self.folder / f"{kind.name}.parquet"
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        pq.write_table(table, temporary)
        os.replace(temporary, path)
        self.result.rows[kind.name] = table.num_rows
        self.result.files.append(path)


def refuse_other_seasons(folder: Path, seasons: Sequence[str]) -> None:
    """BadInput where the files of *folder* hold seasons that *seasons* do not name: they would be replaced without them."""
    path = folder / "schedule.parquet"
    if not path.exists():
        return
    try:
        held = pq.read_table(path, columns=["SEASON_ID"])["SEASON_ID"].unique().to_pylist()
        others = {int(name[-4:]) for name in held} - {int(season[:4]) for season in seasons}
    except (OSError, KeyError, TypeError, ValueError) as error:  # Arrow's errors are among them
        raise BadInput(f"{path} is no file of an earlier fetch and would be replaced: choose another --out") from error
    if others:
        named = ", ".join(f"{year}-{(year + 1) % 100:02d}" for year in sorted(others))
        raise BadInput(
            f"{folder} holds files of {named}, too, which would be replaced without them: name all the seasons (what came"
            " before is taken from raw/), or another --out"
        )


def _common(answers: Sequence[Answer]) -> list[str]:
    """The columns that every answer has, in the order of the first."""
    return [name for name in answers[0].columns if all(name in answer.columns for answer in answers)]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
