"""The registry: every table's contract and SELECT, read off ``lib/tables/<dataset>/<table>.sql``.

Dataset is the folder and table the file name. Upstream tables, the windows they are read over, the order and
the groups that may run side by side are read off the SELECT, so the registry cannot lie about dependencies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, cached_property
from graphlib import TopologicalSorter
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.dialects import BigQuery

from lib.contract import Contract, read_contract
from lib.errors import BadInput, CannotJudge

TABLES = Path(__file__).parent / "tables"
DATE, HISTORY, STATIC = "date", "history", "static"


@dataclass(frozen=True)
class Source:
    """One reading of one upstream table: which columns, and over which dates.

    ``window`` is ``date`` (the rows of D itself), ``history`` (the season's rows strictly before D) or ``static``.
    ``date_column`` is the column that says to which D a row belongs.
    """

    table: str
    columns: tuple[str, ...]
    window: str
    date_column: str | None


@dataclass(frozen=True)
class Table:
    """One registered table. Raw tables have no SELECT."""

    contract: Contract
    select: str | None
    sources: tuple[Source, ...]

    @property
    def name(self) -> str:
        """``dataset.table``."""
        return self.contract.name

    @property
    def date_column(self) -> str:
        """The partition column; CannotJudge where the table has none."""
        if self.contract.partition is None:
            raise CannotJudge(f"{self.name} is not partitioned by date")
        return self.contract.partition

    @property
    def upstream(self) -> tuple[str, ...]:
        """The tables its SELECT reads, each once."""
        return tuple(dict.fromkeys(source.table for source in self.sources))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of contract types and SELECT, white space and comments left out."""
        types = ";".join(f"{column.name} {column.type} {column.required}" for column in self.contract.columns)
        words = " ".join(token.text for token in BigQuery().tokenize(self.select or ""))
        return hashlib.sha256(f"{self.name}\n{types}\n{words}".encode()).hexdigest()


class Registry:
    """All registered tables by name."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.tables: Mapping[str, Table] = {table.name: table for table in tables}

    def table(self, name: str) -> Table:
        """The table called *name*, with or without its dataset; BadInput where there is none."""
        matches = [known for known in self.tables if name in (known, known.partition(".")[2])]
        if len(matches) != 1:
            near = get_close_matches(name.rpartition(".")[2], [known.partition(".")[2] for known in self.tables], n=1)
            meant = f"; did you mean '{near[0]}'?" if near else ""
            raise BadInput(
                f"no table is called '{name}'{meant} Computed tables: {', '.join(t.name for t in self.computed)}"
            )
        return self.tables[matches[0]]

    @property
    def computed(self) -> list[Table]:
        """The tables that have a SELECT, upstream first."""
        order = TopologicalSorter({name: table.upstream for name, table in self.tables.items()}).static_order()
        return [self.tables[name] for name in order if self.tables[name].select]

    @property
    def raw(self) -> list[Table]:
        """The tables without a SELECT."""
        return [table for table in self.tables.values() if not table.select]

    def groups(self, names: Iterable[str]) -> list[list[str]]:
        """*names* in waves: the tables of one wave may run side by side."""
        wanted = set(names)
        sorter = TopologicalSorter({name: wanted & set(self.tables[name].upstream) for name in wanted})
        sorter.prepare()
        waves = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            waves.append(ready)
            sorter.done(*ready)
        return waves

    def downstream(self, name: str) -> list[Table]:
        """The tables whose SELECT reads *name*."""
        return [table for table in self.computed if name in table.upstream]


@cache
def registry(folder: Path = TABLES) -> Registry:
    """Reads every ``*.sql`` file under *folder*; CannotJudge names the file that is wrong."""
    tables = [_read(path) for path in sorted(folder.glob("*/*.sql"))]
    contracts = {table.name: table.contract for table in tables}
    for table in tables:
        _refuse_unknown(table, contracts)
    return Registry(tables)


def _read(path: Path) -> Table:
    create, *selects = (part for part in sqlglot.parse(path.read_text(), read=BigQuery) if part)
    contract = read_contract(create, str(path))
    if contract.name != f"{path.parent.name}.{path.stem}":
        raise CannotJudge(f"{path}: creates {contract.name}; the folder is the dataset and the file name the table")
    if len(selects) > 1:
        raise CannotJudge(f"{path}: one CREATE TABLE and at most one SELECT, found {len(selects)} more statements")
    if not selects:
        return Table(contract, None, ())
    return Table(contract, _second_statement(path), _sources(selects[0], path))


def _second_statement(path: Path) -> str:
    """The SELECT as it is written, without its semicolon."""
    tokens = BigQuery().tokenize(path.read_text())
    end = next(token.end for token in tokens if token.text == ";")
    return path.read_text()[end + 1 :].strip().removesuffix(";").rstrip()


def _sources(select: exp.Expr, path: Path) -> tuple[Source, ...]:
    own_names = {cte.alias for cte in select.find_all(exp.CTE)}
    readings = [table for table in select.find_all(exp.Table) if not (table.name in own_names and not table.db)]
    return tuple(sorted({_source(reading, path) for reading in readings}, key=repr))


def _source(reading: exp.Table, path: Path) -> Source:
    scope = reading.find_ancestor(exp.Select)
    name = f"{reading.db}.{reading.name}"
    if scope is None or scope.args.get("joins"):
        raise CannotJudge(f"{path}: {name} must be read in a CTE of its own, without joins")
    columns = tuple(sorted({column.name for column in scope.find_all(exp.Column)}))
    return Source(name, columns, *_window(scope))


def _window(scope: exp.Select) -> tuple[str, str | None]:
    bounds = {between.this.name: between.args["low"].name for between in scope.find_all(exp.Between)}
    dated = [item.this.name for item in scope.find_all(exp.In) if item.args.get("unnest")]
    if dated:
        return DATE, dated[0]
    lows = [(column, low) for column, low in bounds.items() if low == "history_from"]
    return (HISTORY, lows[0][0]) if lows else (STATIC, None)


def _refuse_unknown(table: Table, contracts: Mapping[str, Contract]) -> None:
    for source in table.sources:
        contract = contracts.get(source.table)
        if contract is None:
            raise CannotJudge(f"{table.name} reads {source.table}, which no contract names")
        unknown = set(source.columns) - set(contract.column_names)
        if unknown:
            raise CannotJudge(f"{table.name} reads {', '.join(sorted(unknown))}, which {source.table} does not have")
        if (source.window == STATIC) != (contract.partition is None):
            raise CannotJudge(f"{table.name}: {source.table} needs BETWEEN bounds on {contract.partition}")
