"""The checks that are written: files of SQL, and functions of ``lib/checks/rules``. Discovered, listed nowhere."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import sqlglot
from sqlglot import exp
from sqlglot.dialects import BigQuery

from lib.checks import rules
from lib.checks.model import SETS, Check
from lib.errors import BadInput, CannotJudge
from lib.registry import registry
from lib.verdicts import AMBER, RED

FOLDER = Path(__file__).parent
HEAD = re.compile(r"^-- (\w+): (.*)$", re.MULTILINE)
NEEDED = {"set", "severity", "means", "cause", "do"}
OPTIONAL = {"units"}


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, by set and name; CannotJudge where two bear one name."""
    files = [_read(path) for path in sorted(FOLDER.glob("phase_*/*.sql"))]
    modules = (import_module(f"{rules.__name__}.{module.name}") for module in iter_modules(rules.__path__))
    found = sorted([*files, *(check for module in modules for check in module.CHECKS)], key=_place)
    names = [check.name for check in found]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise CannotJudge(f"two checks are called {', '.join(doubled)}: a name stands for one rule")
    return tuple(found)


def checks_of(phase: int, sets: tuple[str, ...] = SETS) -> tuple[Check, ...]:
    """The checks that judge *phase*, of the named sets."""
    return tuple(check for check in all_checks() if check.phase in (None, phase) and check.set in sets)


def named(name: str) -> tuple[Check, ...]:
    """The checks of a set, or the one check of that name; BadInput where neither is called so."""
    found = tuple(check for check in all_checks() if name in (check.name, check.set))
    if not found:
        raise BadInput(f"no check and no set of checks is called '{name}'; 'runbook check --list' shows them")
    return found


def _place(check: Check) -> tuple[int, int, str]:
    return SETS.index(check.set), check.phase or 0, check.name


def _read(path: Path) -> Check:
    text = path.read_text()
    head = dict(HEAD.findall(text))
    if not NEEDED <= set(head) <= NEEDED | OPTIONAL or head["severity"] not in (RED, AMBER) or head["set"] not in SETS:
        raise CannotJudge(
            f"{path.name}: a check begins with '-- set: {'|'.join(SETS)}', '-- severity: red|amber', '-- means: ...',"
            " '-- cause: ...' and '-- do: ...'; '-- units: ...' may follow"
        )
    tree = sqlglot.parse_one(text, read=BigQuery)
    phase = int(path.parent.name.removeprefix("phase_"))
    return Check(path.stem, phase=phase, sql=text, tables=_tables(tree, path), columns=_columns(tree), **head)


def _tables(tree: exp.Expr, path: Path) -> tuple[str, ...]:
    names = dict.fromkeys(f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db)
    unknown = [name for name in names if name not in registry().tables]
    if unknown or not names:
        raise CannotJudge(f"{path.name} reads {', '.join(unknown) or 'no table'}: a check reads tables of lib/tables")
    return tuple(names)


def _columns(tree: exp.Expr) -> tuple[str, ...]:
    """The columns that its condition asks about; keys and dates left out."""
    conditions = [tree.args.get("having"), tree.args.get("where")]
    names = [column.name for part in conditions if part for column in part.find_all(exp.Column)]
    keys = {"game_id", "game_date", "analysis_date", "cache_date", "player_lookup", "team_abbr", "season_year"}
    return tuple(dict.fromkeys(name for name in names if name not in keys and not name.startswith("@")))
