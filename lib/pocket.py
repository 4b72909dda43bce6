"""Settings for the pocket league: the project's own, but for what only a full season can hold."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from lib.errors import BadInput
from lib.settings import ROOT

HEADER = "# Written by 'runbook sandbox --pocket': the settings of the pocket league, written anew with it.\n"
SIZE: Mapping[str, Mapping[str, Any]] = {
    "schedule": {"regular_season_games": 66, "play_in_games": 1, "playoff_games": [5, 5]},
    "features": {"default_limit_pct": 60, "exceptions": {}},
    "checks": {"baseline_rows": 200, "regression_pct": 70, "degradation_pct": 80},  # a month holds 350 rows
    "ml": {"minimum_rows": 500, "minimum_split_rows": 50},
}
MINIMUM_GAMES = 5  # in a season of 22 games


def write_pocket_settings(path: Path, **facts: Any) -> Path:
    """Writes the project's settings with the pocket league's size, and with *facts*, to *path*.

    The project's exclusions are left out: they belong to real dates. Raises BadInput where *path* is somebody's own.
    """
    if path.exists() and not path.read_text().startswith(HEADER):
        raise BadInput(f"{path} is somebody's own and would be lost: move it, or choose another --warehouse")
    known: dict[str, Any] = tomllib.loads((ROOT / "runbook.toml").read_text())
    for key, value in {"start_date": date(2023, 10, 24), "exclusions": [], **SIZE, **facts}.items():
        known[key] = known.get(key, {}) | value if isinstance(value, dict) else value
    for rule in known["tables"].values():
        rule |= {"minimum_games": min(rule.get("minimum_games", 0), MINIMUM_GAMES)}
    path.write_text(HEADER + "".join(f"{key} = {_toml(value)}\n" for key, value in known.items()))
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)
