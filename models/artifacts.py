"""
Models as JSON: written in one order, hashed, and read back only if every part is what it should be.

Nothing is unpickled. A file whose hash, kind, field or number is not as expected is refused before anything of it is
used, so a tampered model cannot run and cannot loop (children of a tree node always come after it).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.errors import IntegrityError, ModelGateError
from models.boosting import MonotoneBoosting, Tree
from models.candidates import Candidate, IndexForecast
from models.counting import (
    CountRegressor,
    EmpiricalBayesCounts,
    Footfall,
    NearestByTrain,
    PoissonGlm,
    Population,
    PriorCounts,
)
from models.index import ExpertIndex
from models.training import TrainingReport, to_table

__all__ = ["SCHEMA", "describe_model", "read_model", "to_record", "write_model"]

SCHEMA = "gateline-model/1"
_KINDS: dict[str, type[CountRegressor]] = {
    kind.__name__: kind
    for kind in (
        PriorCounts,
        Population,
        Footfall,
        NearestByTrain,
        EmpiricalBayesCounts,
        PoissonGlm,
        MonotoneBoosting,
        IndexForecast,
    )
}
_FITTED: dict[str, tuple[str, ...]] = {
    "PriorCounts": ("factor_",),
    "Population": ("factor_",),
    "Footfall": ("factor_",),
    "NearestByTrain": ("factor_",),
    "EmpiricalBayesCounts": ("shape_", "rate_", "factor_"),
    "PoissonGlm": ("centre_", "scale_", "coef_", "intercept_"),
    "MonotoneBoosting": ("baseline_",),
    "IndexForecast": ("slope_", "intercept_"),
}
_TREE_FIELDS = ("feature", "threshold", "left", "right", "value")
_TOP_FIELDS = {"schema", "kind", "parameters", "columns", "fitted", "trees", "reference", "cutoff", "judged", "verdict"}
# A model of this project is kilobytes; anything larger is not one.
_LARGEST_BYTES = 20_000_000


def to_record(report: TrainingReport) -> dict[str, Any]:
    """
    Give a trained model as plain values.

    Parameters
    ----------
    report : TrainingReport
        From `models.training.train`.

    Returns
    -------
    dict
        JSON-ready values, without a hash.

    Raises
    ------
    ModelGateError
        If the model was fitted to no event and has no finite coefficients.
    """
    model = report.model
    kind = type(model).__name__
    fitted = {name: np.asarray(getattr(model, name)).tolist() for name in _FITTED[kind]}
    if not all(np.isfinite(np.asarray(value)).all() for value in fitted.values()):
        msg = f"model: {kind} has no finite coefficients, expected a model fitted to events. Add months."
        raise ModelGateError(msg)
    trees = model.trees_ if isinstance(model, MonotoneBoosting) else []
    reference = model.index_.reference_ if isinstance(model, IndexForecast) else np.empty((0, len(report.columns)))
    judged = to_table(report.judgements)
    return {
        "schema": SCHEMA,
        "kind": kind,
        "parameters": {name: _plain(value) for name, value in sorted(model.get_params().items())},
        "columns": list(report.columns),
        "fitted": fitted,
        "trees": [{name: getattr(tree, name).tolist() for name in _TREE_FIELDS} for tree in trees],
        "reference": reference.tolist(),
        "cutoff": str(report.cutoff),
        "judged": {
            str(name): {str(k): _plain(v) for k, v in row.items()} for name, row in judged.to_dict("index").items()
        },
        "verdict": report.verdict,
    }


def write_model(report: TrainingReport, folder: Path) -> Path:
    """
    Write a trained model into a registry folder, named by its hash.

    Parameters
    ----------
    report : TrainingReport
        From `models.training.train`.
    folder : pathlib.Path
        The registry; made if absent.

    Returns
    -------
    pathlib.Path
        The file; the same model always has the same name and bytes.
    """
    record = to_record(report)
    digest = _digest(record)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"model-{digest[:16]}.json"
    draft = path.with_suffix(".tmp")
    draft.write_text(_dump(record | {"sha256": digest}) + "\n", encoding="utf-8")
    draft.replace(path)
    return path


def read_model(path: Path, *, panel_columns: tuple[str, ...]) -> Candidate:
    """
    Read a model back, refusing anything that is not exactly one.

    Parameters
    ----------
    path : pathlib.Path
        A file of `write_model`.
    panel_columns : tuple of str
        Columns of the panel that it is to forecast from.

    Returns
    -------
    Candidate
        The fitted model; its `columns` are the positions of its features in the panel, found by name.

    Raises
    ------
    IntegrityError
        If the file is not JSON, its hash is wrong, a field is missing, unknown or out of range, or the panel lacks a
        feature of the model.
    """
    record = _read_record(path)
    try:
        model = _build(record)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path.name}: {error}, expected a model of schema {SCHEMA}. Register the model again."
        raise IntegrityError(msg) from error
    missing = [name for name in record["columns"] if name not in panel_columns]
    if missing:
        msg = f"{path.name}: feature {missing[0]!r} is not in the panel, expected all of the model's. Train it again."
        raise IntegrityError(msg)
    columns = tuple(panel_columns.index(name) for name in record["columns"])
    return Candidate(record["kind"], model, columns, is_baseline=False)


def describe_model(path: Path) -> str:
    """
    Say in a few words what a registered model is.

    Parameters
    ----------
    path : pathlib.Path
        A file of `write_model`.

    Returns
    -------
    str
        Its kind, its verdict and the last month that it was fitted to.

    Raises
    ------
    IntegrityError
        If the file is not exactly a model.
    """
    record = _read_record(path)
    return f"{record['kind']}, {record['verdict']}, last month {record['cutoff']}"


def _read_record(path: Path) -> dict[str, Any]:
    """The record of a file whose hash and fields are right."""
    fault = ""
    record: Any = None
    if path.stat().st_size > _LARGEST_BYTES:
        fault = f"it is larger than {_LARGEST_BYTES:,} bytes"
    else:
        try:
            record = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
        except ValueError:
            fault = "it is not JSON with finite numbers"
    if not fault and not isinstance(record, dict):
        fault = "it is no JSON object"
    if not fault and record.pop("sha256", None) != _digest(record):
        fault = "its hash does not match its content"
    if not fault and (set(record) != _TOP_FIELDS or record["schema"] != SCHEMA):
        fault = f"its fields or schema are not those of {SCHEMA}"
    if fault:
        msg = f"{path.name}: {fault}, expected a model of schema {SCHEMA}. Register the model again."
        raise IntegrityError(msg)
    return dict(record)


def _build(record: Mapping[str, Any]) -> CountRegressor:
    """A fitted model from a record; any odd part raises KeyError, TypeError or ValueError."""
    kind = record["kind"]
    parameters = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record["parameters"].items()
    }
    model = _KINDS[kind](**parameters)
    n_features = len(record["columns"])
    if set(record["fitted"]) != set(_FITTED[kind]):
        fault = f"fitted values {sorted(record['fitted'])} are not those of {kind}"
        raise ValueError(fault)
    for name in _FITTED[kind]:
        value = np.asarray(record["fitted"][name], dtype=float)
        if value.ndim and value.shape != (n_features,):
            fault = f"{name} has shape {value.shape}"
            raise ValueError(fault)
        setattr(model, name, value if value.ndim else float(value))
    if isinstance(model, MonotoneBoosting):
        model.trees_ = [_build_tree(tree, n_features) for tree in record["trees"]]
    if isinstance(model, IndexForecast):
        reference = np.asarray(record["reference"], dtype=float)
        index = ExpertIndex(model.weights, model.directions, model.normalisation)
        model.index_ = index.fit(reference * _signs(model.directions, n_features))
    model.n_features_in_ = n_features
    return model


def _signs(directions: tuple[int, ...] | None, n_features: int) -> NDArray[np.float64]:
    """The signs by which a stored reference was multiplied."""
    return np.ones(n_features) if directions is None else np.sign(np.asarray(directions, dtype=float))


def _build_tree(record: Mapping[str, Any], n_features: int) -> Tree:
    """A tree whose every path ends."""
    arrays = {name: np.asarray(record[name]) for name in _TREE_FIELDS}
    n = len(arrays["feature"])
    whole = {name: arrays[name].astype(np.int64) for name in ("feature", "left", "right")}
    node = np.arange(n)
    is_inner = whole["feature"] >= 0
    children_follow = all(
        ((whole[side][is_inner] > node[is_inner]) & (whole[side][is_inner] < n)).all() for side in ("left", "right")
    )
    if n < 1 or {a.shape for a in arrays.values()} != {(n,)} or not children_follow:
        fault = "a tree has a child that does not follow its parent"
        raise ValueError(fault)
    if (whole["feature"] >= n_features).any():
        fault = "a tree splits on a feature that is not there"
        raise ValueError(fault)
    return Tree(**whole, threshold=arrays["threshold"].astype(float), value=arrays["value"].astype(float))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any value that JSON can hold
    """The value as JSON holds it; a number that is not finite as null."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _dump(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True, allow_nan=False, separators=(",", ":"), ensure_ascii=True)


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(_dump(record).encode()).hexdigest()


def _refuse_constant(name: str) -> float:
    """Infinity and NaN are no JSON."""
    fault = f"{name} is no finite number"
    raise ValueError(fault)
