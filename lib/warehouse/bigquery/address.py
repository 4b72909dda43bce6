"""The URL of a BigQuery warehouse: ``bigquery://PROJECT?location=us-west2&dataset_prefix=trial_``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from lib.errors import BadInput
from lib.registry import registry

SCHEME = "bigquery"
DEFAULT_PREFIX = "trial_"
STAGE_DATASET = "runbook_stage"
SYSTEM_DATASET = "runbook"
LOOPBACK = re.compile(r"^http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?/?$")


@dataclass(frozen=True)
class Address:
    """Where the warehouse is and how patient the client is; times in seconds, bytes of a single query.

    ``lease_seconds`` is the least age of its last sign of life at which another runner counts as dead.

    ``raw_prefix`` is set where the raw data stand in prefixed datasets of their own as well: only there may they be
    loaded. ``in_place`` is the production datasets themselves: what ``--in-place`` puts into the URL, so that plans,
    manifests and notebooks carry it.
    """

    project: str
    location: str = "US"
    dataset_prefix: str = DEFAULT_PREFIX
    raw_prefix: str = ""
    in_place: bool = False
    impersonate: str = ""
    api_endpoint: str = ""
    maximum_gib: float = 1024.0
    deadline: float = 300.0
    http_timeout: float = 60.0
    job_timeout: float = 3600.0
    lease_seconds: float = 300.0

    @property
    def prefix(self) -> str:
        """What stands before the names of the datasets that are written."""
        return "" if self.in_place else self.dataset_prefix

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is a server on this machine, which asks for no credentials."""
        return bool(LOOPBACK.match(self.api_endpoint))

    @property
    def place(self) -> str:
        """What a person calls it."""
        return f"bigquery://{self.project} ({'in place' if self.in_place else f'{self.prefix}*'})"

    @property
    def url(self) -> str:
        """The URL in full: parameters that are not the default, in a fixed order."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "project"}
        given = {k: _text(v) for k, v in said.items() if v != _defaults()[k] or k == "location"}
        return f"{SCHEME}://{self.project}?{urlencode(given, quote_via=quote)}"

    @cached_property
    def datasets(self) -> Mapping[str, str]:
        """The dataset of the contracts by its name in the project; raw data are read where they are."""
        computed = {table.contract.dataset for table in registry().computed} | {SYSTEM_DATASET}
        known = {table.contract.dataset for table in registry().tables.values()}
        return {name: (self.prefix if name in computed else self.raw_prefix) + name for name in known}

    @property
    def stage_dataset(self) -> str:
        """Where stages lie until they are published; its tables expire by themselves."""
        return f"{self.prefix}{STAGE_DATASET}"

    def table(self, name: str) -> str:
        """``dataset.table`` as it is called in the project."""
        dataset, _, table = name.partition(".")
        return f"{self.datasets[dataset]}.{table}"

    def is_raw(self, dataset: str) -> bool:
        """Whether the dataset holds raw data, which are never written unless they have a prefix of their own."""
        return dataset not in {table.contract.dataset for table in registry().computed} | {SYSTEM_DATASET}


def read_address(url: str) -> Address:
    """The address that a URL states; BadInput names the part that is wrong."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(given) - set(_defaults()))
    if not re.fullmatch(r"[a-z0-9][a-z0-9:.-]{1,61}[a-z0-9]", parts.netloc) or parts.path.strip("/"):
        raise BadInput(f"'{url}' names no project: write {SCHEME}://PROJECT?location=us-west2&dataset_prefix=trial_")
    if unknown:
        raise BadInput(f"'{url}': unknown {', '.join(unknown)}; known: {', '.join(_defaults())}")
    address = Address(parts.netloc, **{name: _read(name, text) for name, text in given.items()})  # type: ignore[arg-type]
    for prefix in (address.dataset_prefix, address.raw_prefix):
        if not re.fullmatch(r"[A-Za-z0-9_]*", prefix):
            raise BadInput(f"'{prefix}' cannot begin the name of a dataset: letters, digits and _ only")
    if address.in_place and "dataset_prefix" in given:
        raise BadInput("--in-place is production's own datasets, dataset_prefix others beside them: choose one")
    if not address.in_place and not address.prefix:
        raise BadInput(
            "an empty dataset_prefix would write the production datasets: say --in-place instead if you mean it"
        )
    return address


def _read(name: str, text: str) -> object:
    kind: Callable[[str], object] = type(_defaults()[name])
    try:
        return text in ("1", "true", "yes") if kind is bool else kind(text)
    except ValueError as error:
        raise BadInput(f"{name}={text}: a number is needed") from error


def _defaults() -> dict[str, object]:
    return {f.name: f.default for f in fields(Address) if f.name != "project"}


def _text(value: object) -> str:
    return "1" if value is True else f"{value:g}" if isinstance(value, float) else str(value)
