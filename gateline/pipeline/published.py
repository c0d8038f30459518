"""Read a published run back: its lists and its marks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from gateline.products.inputs import Marks
from geo.errors import IntegrityError, UsageError

__all__ = ["find_run", "read_list", "read_marks", "read_record"]

_NUMBERS = ("score", "rank", "rank_low", "rank_high", "p_top_10", "courier_flow", "courier_flow_per_100k_passengers")
_MARKS = ("marking", "run_id", "period", "profile", "operator", "expires_on", "is_fictional")


def find_run(root: Path, name: str) -> Path:
    """
    Find a run by its folder, or by its id or the start of it within a workspace.

    Parameters
    ----------
    root : pathlib.Path
        The workspace.
    name : str
        Path of a run folder, or a run id.

    Returns
    -------
    pathlib.Path
        The run's folder.

    Raises
    ------
    UsageError
        If there is no such run, or more than one.
    """
    if (Path(name) / "run.json").exists():
        return Path(name)
    runs = root / "runs"
    found = sorted(p for p in runs.glob(f"{name}*") if (p / "run.json").exists()) if runs.is_dir() else []
    if len(found) != 1:
        msg = f"run {name!r}: {len(found)} runs match in {root.name!r}, expected one. Give a folder or a longer id."
        raise UsageError(msg)
    return found[0]


def read_record(run: Path) -> dict[str, Any]:
    """
    Read ``run.json``.

    Parameters
    ----------
    run : pathlib.Path
        Folder of a run.

    Returns
    -------
    dict
        The record.

    Raises
    ------
    IntegrityError
        If it is not JSON.
    """
    try:
        return dict(json.loads((run / "run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        msg = f"{run.name}/run.json: it cannot be read, expected the record of a run. Run the workspace again."
        raise IntegrityError(msg) from error


def read_list(run: Path, unit: str) -> pd.DataFrame:
    """
    Read a ranked list as it was published.

    Parameters
    ----------
    run : pathlib.Path
        Folder of a run.
    unit : str
        ``stations`` or ``towns``.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``station_id`` or ``place_id``, without the marks; numbers as numbers.

    Raises
    ------
    IntegrityError
        If the list is absent or lacks its columns.
    """
    path = run / f"{unit}.csv"
    index = "station_id" if unit == "stations" else "place_id"
    try:
        table = pd.read_csv(path, encoding="utf-8-sig", dtype="str", keep_default_na=False, na_values=[""])
        table = table.set_index(index).drop(columns=list(_MARKS))
        reasons = [column for column in table.columns if column.startswith("reason_")]
        numbers = [column for column in (*_NUMBERS, *reasons) if column in table.columns]
        table[numbers] = table[numbers].apply(pd.to_numeric)
    except (OSError, KeyError, ValueError) as error:
        msg = f"{run.name}/{path.name}: it cannot be read as published, expected the list of a run. Run it again."
        raise IntegrityError(msg) from error
    return table


def read_marks(run: Path) -> Marks:
    """
    Read the marks of a run from its list.

    Parameters
    ----------
    run : pathlib.Path
        Folder of a run.

    Returns
    -------
    Marks
        Title from its settings, the rest as printed on the list.

    Raises
    ------
    IntegrityError
        If the list is absent or empty.
    """
    try:
        rows = pd.read_csv(run / "stations.csv", encoding="utf-8-sig", dtype="str", keep_default_na=False)
        first = rows.iloc[0]
        marks = {name: str(first[name]) for name in _MARKS}
    except (OSError, KeyError, ValueError, IndexError) as error:
        msg = f"{run.name}/stations.csv: it holds no marks, expected the list of a run. Run the workspace again."
        raise IntegrityError(msg) from error
    title = str(read_record(run)["settings"]["region"]["name"])
    return Marks(title=title, **(marks | {"is_fictional": marks["is_fictional"] == "true"}))  # type: ignore[arg-type]
