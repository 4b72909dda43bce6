"""Finding the files of a folder and reading their columns as text."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from lib.errors import BadInput
from lib.ingest.kinds import KINDS, Kind, recognise, refuse_gone

SUFFIXES = (".parquet", ".csv")
UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error)


@dataclass(frozen=True)
class Source:
    """One file read as one kind: *rows* holds the kind's columns as text, NULL where the file lacks an optional one."""

    file: str
    kind: Kind
    rows: pa.Table


def paths_of(folder: Path) -> list[Path]:
    """The Parquet and CSV files of *folder*, by name; BadInput where it is missing."""
    if not folder.is_dir():
        raise BadInput(f"{folder}: there is no such folder; name the folder that holds the files")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)


def read_sources(folder: Path, besides: Collection[str] = ()) -> tuple[list[Source], list[str]]:
    """Every file of *folder* that is recognised, by name, and the names of the Parquet and CSV files that are not.

    The files named in *besides* are left out. BadInput where the folder is missing, has no file of a known kind or no
    schedule, or a file cannot be read.
    """
    sources: list[Source] = []
    strangers: list[str] = []
    for path in (path for path in paths_of(folder) if path.name not in besides):
        found = _read(path)
        sources += found
        strangers += [] if found else [path.name]
    _refuse_without_schedule(folder, {source.kind.name for source in sources})
    return sources, strangers


def _refuse_without_schedule(folder: Path, kinds: set[str]) -> None:
    titles = ", ".join(kind.title for kind in KINDS)
    if not kinds:
        raise BadInput(f"{folder}: no Parquet or CSV file has the columns of any of: {titles}")
    if "schedule" not in kinds:
        raise BadInput(
            f"{folder}: no file is a schedule (LeagueGameFinder: GAME_ID, GAME_DATE, MATCHUP, WL); without one "
            "nobody can say which games should be there, so add it"
        )


def _read(path: Path) -> list[Source]:
    try:
        columns = column_names(path)
        kinds = recognise(columns)
        for kind in kinds:
            refuse_gone(path.name, kind, columns)
        wanted = {name for kind in kinds for name in kind.columns}
        rows = _read_text(path, [column for column in columns if column.lower() in wanted]) if kinds else None
    except UNREADABLE as error:
        raise unreadable(path, error) from error
    return [Source(path.name, kind, _columns_of(rows, kind)) for kind in kinds] if rows is not None else []


def unreadable(path: Path, error: Exception) -> BadInput:
    """What to say of a file that is cut off or something else than its name says."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BadInput(f"{path.name}: cannot be read ({reason}); replace the file")


def column_names(path: Path) -> list[str]:
    """The names in the head of a file; BadInput where a column of a known kind is there twice."""
    if path.suffix.lower() == ".parquet":
        names = list(pq.read_schema(path).names)
    else:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            names = next(csv.reader(lines), [])
    folded = [name.lower() for name in names]
    twice = sorted({name for name in folded if folded.count(name) > 1})
    if twice and recognise(names):
        raise BadInput(f"{path.name}: column {twice[0]} is there twice; keep one of them")
    return names


def _read_text(path: Path, columns: Iterable[str]) -> pa.Table:
    names = list(columns)
    if path.suffix.lower() == ".parquet":
        rows = pq.read_table(path, columns=names)
    else:
        options = pacsv.ConvertOptions(
            include_columns=names,
            column_types={name: pa.string() for name in names},
            strings_can_be_null=True,
            null_values=[""],
        )
        rows = pacsv.read_csv(
            path,
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=options,
        )
    return pa.table({name.lower(): pc.cast(rows[name], pa.string()) for name in names})


def _columns_of(rows: pa.Table, kind: Kind) -> pa.Table:
    empty = pa.nulls(rows.num_rows, pa.string())
    return pa.table({name: rows[name] if name in rows.column_names else empty for name in kind.columns})
