"""Does the type of an answer's column fit the type that a contract gives it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

_FITS: dict[str, Callable[[Any], bool]] = {
    "STRING": lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t),
    "INT64": pa.types.is_int64,
    "FLOAT64": pa.types.is_float64,
    "BOOL": pa.types.is_boolean,
    "DATE": pa.types.is_date32,
    "TIMESTAMP": lambda t: pa.types.is_timestamp(t) and t.tz is not None,
}
ANY_NUMERIC = (38, 9)  # what BigQuery answers for every NUMERIC


def fits(found: Any, wanted: str) -> bool:
    """Whether an Arrow type can be the GoogleSQL type *wanted*, for instance ``NUMERIC(5, 1)`` or ``ARRAY<STRING>``."""
    if wanted.startswith("ARRAY<"):
        return (pa.types.is_list(found) or pa.types.is_large_list(found)) and fits(found.value_type, wanted[6:-1])
    if wanted.startswith("NUMERIC"):
        return bool(pa.types.is_decimal(found)) and _same_scale((found.precision, found.scale), wanted)
    known = _FITS.get(wanted)
    return known is None or bool(known(found))


def _same_scale(found: tuple[int, int], wanted: str) -> bool:
    if "(" not in wanted or found == ANY_NUMERIC:
        return True
    numbers = [int(number) for number in wanted[wanted.index("(") + 1 : -1].split(",")]
    return found == (numbers[0], numbers[1] if len(numbers) > 1 else 0)
