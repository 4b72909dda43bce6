"""The artefact: model, feature contract, metrics, card and what they came from, in one folder that verifies itself.

Nothing in it is loaded before every file has the digest that ``model.json`` gives.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from lib.errors import CannotJudge
from lib.features import TRAINING_21
from lib.ml.card import card
from lib.ml.fitting import PARAMETERS, fit, grid_digest
from lib.ml.matrix import Matrix
from lib.ml.scores import MODEL, scores
from lib.registry import registry

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

FACTS = "model.json"
PACKAGES = ("scikit-learn", "numpy", "joblib")
CODE = Path(__file__).parent


class ModelFacts(BaseModel):
    """What ``model.json`` says; ``files`` gives the SHA-256 of every other file of the folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = 1
    system_id: str = MODEL
    key: str
    trained_at: datetime
    seed: int
    parameters: dict[str, Any]
    fingerprint: str
    rows: int
    parts: dict[str, tuple[str, str, int]]  # first date, last date, rows
    simulated: bool
    warehouse_id: str
    as_of: str
    versions: dict[str, str]
    grid_digest: str
    files: dict[str, str]


@dataclass(frozen=True)
class Origin:
    """The warehouse that the matrix was read from."""

    warehouse_id: str
    as_of: str
    simulated: bool


@dataclass(frozen=True)
class Artefact:
    """A verified artefact on disk."""

    folder: Path
    facts: ModelFacts

    @property
    def digest(self) -> str:
        """SHA-256 of ``model.json``, and so of everything in the folder."""
        return _digest(self.folder / FACTS)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What the model is worth."""
        found: dict[str, Any] = json.loads((self.folder / "metrics.json").read_text())
        return found

    @cached_property
    def regressor(self) -> HistGradientBoostingRegressor:
        """The model itself, loaded now; CannotJudge where it does not predict what it did when it was saved."""
        import joblib

        loaded: HistGradientBoostingRegressor = joblib.load(self.folder / "model.joblib")
        if grid_digest(loaded) != self.facts.grid_digest:
            raise CannotJudge(f"{self.folder}: the model predicts other values here than where it was trained")
        return loaded


def versions() -> dict[str, str]:
    """The packages that a model depends on."""
    return {name: version(name) for name in PACKAGES}


def key_of(matrix: Matrix, seed: int, origin: Origin) -> str:
    """What a model is made of: warehouse, data, seed, parameters, code and versions. Equal keys, equal models.

    Two warehouses with the same rows have a model each: an artefact says which one it may be used on.
    """
    code = {path.name: _digest(path) for path in sorted(CODE.glob("*.py"))}
    parts = [origin.warehouse_id, matrix.fingerprint, seed, PARAMETERS, TRAINING_21, code, versions()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def train(matrix: Matrix, seed: int, origin: Origin, into: Path) -> Artefact:
    """Trains, scores and saves a model as a folder under *into*, whole or not at all."""
    import joblib

    regressor = fit(matrix, seed)
    metrics = scores(regressor, matrix)
    into.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".model-", dir=into))
    try:
        joblib.dump(regressor, unfinished / "model.joblib")
        (unfinished / "metrics.json").write_text(json.dumps(metrics, indent=1))
        (unfinished / "features.json").write_text(json.dumps(_feature_contract(), indent=1))
        facts = _facts(matrix, seed, origin, regressor, {})
        (unfinished / "card.md").write_text(card(facts, metrics))
        files = {path.name: _digest(path) for path in sorted(unfinished.iterdir())}
        (unfinished / FACTS).write_text(facts.model_copy(update={"files": files}).model_dump_json(indent=1))
        return open_artefact(_settle(unfinished, into / f"model-{facts.key[:12]}"))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def open_artefact(folder: Path) -> Artefact:
    """The artefact in *folder*; CannotJudge where a file is changed, gone or added: nothing was loaded."""
    try:
        facts = ModelFacts.model_validate_json((folder / FACTS).read_text())
    except OSError as error:
        raise CannotJudge(f"{folder} is no model: it has no {FACTS}") from error
    except (ValidationError, ValueError) as error:
        raise CannotJudge(f"{folder / FACTS} is damaged: {str(error).splitlines()[0]}; train again") from error
    there = {path.name: _digest(path) if path.is_file() else "" for path in folder.iterdir() if path.name != FACTS}
    wrong = sorted(name for name in {*there, *facts.files} if there.get(name) != facts.files.get(name))
    if wrong:
        raise CannotJudge(f"{folder}: {', '.join(wrong)} is not what was trained; nothing was loaded: train again")
    return Artefact(folder, facts)


def artefacts_in(folders: Iterable[Path], passed_over: Callable[[str], object] = str) -> list[Artefact]:
    """Every artefact that verifies under *folders*, the newest first; of damaged ones *passed_over* is told why."""
    found = []
    for path in (path for folder in folders if folder.is_dir() for path in folder.glob("model-*")):
        try:
            found.append(open_artefact(path))
        except CannotJudge as error:
            passed_over(str(error))
    return sorted(found, key=lambda artefact: artefact.facts.trained_at, reverse=True)


def adopt(known: Artefact, into: Path) -> Artefact:
    """The same artefact under *into*, copied where it is not there yet."""
    target = into / known.folder.name
    _make_way(target)
    if not target.exists():
        into.mkdir(parents=True, exist_ok=True)
        copy = Path(tempfile.mkdtemp(prefix=".model-", dir=into))
        shutil.copytree(known.folder, copy, dirs_exist_ok=True)
        _settle(copy, target)
    return open_artefact(target)


def _facts(
    matrix: Matrix, seed: int, origin: Origin, regressor: HistGradientBoostingRegressor, files: dict[str, str]
) -> ModelFacts:
    return ModelFacts(
        key=key_of(matrix, seed, origin),
        trained_at=datetime.now(UTC),
        seed=seed,
        parameters=PARAMETERS,
        fingerprint=matrix.fingerprint,
        rows=len(matrix),
        parts={name: _ends(matrix, part) for name, part in matrix.split.named().items()},
        simulated=origin.simulated,
        warehouse_id=origin.warehouse_id,
        as_of=origin.as_of,
        versions=versions(),
        grid_digest=grid_digest(regressor),
        files=files,
    )


def _ends(matrix: Matrix, part: slice) -> tuple[str, str, int]:
    days = matrix.days[part]
    return str(days[0]), str(days[-1]), len(days)


def _feature_contract() -> list[dict[str, str]]:
    columns = {column.name: column for column in registry().table("ml_feature_store_v2").contract.columns}
    return [{"name": name, "type": columns[name].type, "means": columns[name].description} for name in TRAINING_21]


def _settle(unfinished: Path, target: Path) -> Path:
    """Everything on disk, then the final name: a crash leaves no half a model under it."""
    for path in unfinished.iterdir():
        with path.open("rb") as stream:
            os.fsync(stream.fileno())
    unfinished.chmod(0o755)
    _make_way(target)
    if not target.exists():
        unfinished.rename(target)
    return target


def _make_way(target: Path) -> None:
    """A damaged artefact is kept, under a name that nobody looks for models by; one that verifies stays."""
    try:
        if target.exists():
            open_artefact(target)
    except CannotJudge:
        names = (target.with_name(f"damaged-{n}-{target.name}") for n in count(1))
        target.rename(next(name for name in names if not name.exists()))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
