"""Where a session keeps things, and what they are called: the same in every session, so that texts are the same, too."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEPT_ONCE = re.compile(r"\bkept_[0-9a-f]{12}(?:_\d+)?\b")
_PARAMETER = re.compile(r"@(\w+)")

_homes = itertools.count(1)


def new_home() -> str:
    """A database in memory for one session, which spills to disk: unlike temporary tables, every cursor sees it.

    DuckDB gives two sessions on one file in one process the same instance, hence the number; no file is called so.
    """
    return f'"kept/{next(_homes)}"'


def key_of(sql: str, parameters: Mapping[str, object]) -> str:
    """All that an answer hangs on: the text, and those of the parameters that it names."""
    named = set(_PARAMETER.findall(sql))
    return repr((sql, sorted((name, value) for name, value in parameters.items() if name in named)))


@dataclass
class KeptNames:
    """Names for what queries give, by their texts; a text that is asked with other parameters is numbered."""

    _known: dict[str, str] = field(default_factory=dict)

    def of(self, sql: str, parameters: Mapping[str, object]) -> tuple[str, bool]:
        """The name, and whether it is new."""
        asked = key_of(sql, parameters)
        new = asked not in self._known
        if new:
            name = f"kept_{hashlib.sha256(sql.encode()).hexdigest()[:12]}"
            earlier = sum(known.startswith(name) for known in self._known.values())
            self._known[asked] = f"{name}_{earlier + 1}" if earlier else name
        return self._known[asked], new
