"""
The plan of a finished run as a file, from which a what-if is made in a second: no input is read, no stage is run.

It holds flow by pattern and step, routes of couriers, drives, teams, rules and draws of the posterior; arrays alone,
nothing that a reader could be made to run, and nothing about a person.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from gateline.pipeline.planning import RunPlan
from gateline.products.coach_tables import join_stops
from gateline.products.inputs import FICTIONAL_NOTE, ProductInputs
from geo.corridors.routes import RouteSets
from geo.errors import InputError, UsageError
from models.planning import Encounters, Shift
from models.planning.roster import DutyProblem, DutyRules, FlowDraws, Team

__all__ = ["PLAN_FILE", "SavedPlan", "read_plan_file", "write_plan_file"]

PLAN_FILE = "plan_problem.npz"
_FORM = 1
_ROUTES = ("trips_per_month", "route_indptr", "cost_min", "probability", "is_road", "listed_share")
_GRID = ("share", "trains", "is_open", "station_share", "is_rail", "weekly")
_FIXED_TIME = (2000, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class SavedPlan:
    """
    What a what-if starts from.

    Attributes
    ----------
    problem : DutyProblem
        Of the run; its routes have no stations.
    draws : FlowDraws
        Draws of the posterior.
    names, tiers : pandas.Series
        Name and tier by ``station_id``, names of bases among them.
    yields, cells : pandas.DataFrame
        Of the run's plan.
    about : dict
        ``run_id, marking, is_fictional, first_on, random_state``.
    """

    problem: DutyProblem
    draws: FlowDraws
    names: pd.Series
    tiers: pd.Series
    yields: pd.DataFrame
    cells: pd.DataFrame
    about: dict[str, Any]


def write_plan_file(path: Path, plan: RunPlan, *, products: ProductInputs) -> None:
    """
    Write the file; the same plan gives the same bytes.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    plan : RunPlan
        Of the run.
    products : ProductInputs
        For names, tiers and marks.
    """
    names = pd.concat([join_stops(products.stations, products.coaches)["name"], products.places["name"]])
    tiers = products.station_scores["tier"]
    about = {
        "run_id": products.marks.run_id,
        "marking": products.marks.marking,
        "is_fictional": products.marks.is_fictional,
        "first_on": plan.first_on.isoformat(),
        "random_state": plan.duty.summary.random_state,
    }
    problem = plan.duty.problem
    encounters, routes = problem.encounters, problem.encounters.routes
    drives = problem.drives_min
    known = names[names.index.isin([*drives.index, *drives.columns])]
    text = {
        "form": _FORM,
        "about": about,
        "station_ids": list(encounters.station_ids),
        "flow_ids": list(routes.flow_ids),
        "route_station_ids": list(routes.station_ids),
        "origins": [str(name) for name in drives.index],
        "names": {str(key): str(value) for key, value in known.items()},
        "tiers": {str(key): str(value) for key, value in tiers.dropna().items()},
        "teams": [asdict(team) for team in problem.teams],
        "rules": {key: value for key, value in asdict(problem.rules).items() if key != "built"},
        "n_days": problem.n_days,
        "first_weekday": problem.first_weekday,
        "yields": _to_record(plan.duty.yields.reset_index()),
        "cells": _to_record(plan.duty.cells),
        "spread_per_min": routes.spread_per_min,
        "detection_share": plan.draws.assumed_share,
    }
    arrays = {f"routes_{name}": getattr(routes, name) for name in _ROUTES}
    arrays |= {f"grid_{name}": getattr(problem, name) for name in _GRID}
    arrays |= {
        "routes_mode": np.zeros(0, dtype=np.int64) if routes.mode is None else routes.mode,
        "hazard": encounters.hazard.toarray(),
        "pattern_of_route": encounters.pattern_of_route,
        "pair_of_route": encounters.pair_of_route,
        "worth": encounters.worth,
        "drives_min": drives.to_numpy(float),
        # Factors on the mean trips keep three figures in half the bytes.
        "draw_factor": _factors(plan.draws.trips, routes.trips_per_month).astype(np.float16),
        "draw_detection": plan.draws.detection,
        "text": np.frombuffer(json.dumps(text, sort_keys=True).encode(), dtype=np.uint8),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        warned = f"{FICTIONAL_NOTE}. " if products.marks.is_fictional else ""
        archive.comment = f"{warned}{products.marks.sentence()}".encode()[:60_000]
        for name in sorted(arrays):
            buffer = BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            # A fixed time: the file must not depend on when it is made.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _FIXED_TIME), buffer.getvalue(), zipfile.ZIP_DEFLATED)


def read_plan_file(path: Path) -> SavedPlan:
    """
    Read the file.

    Parameters
    ----------
    path : pathlib.Path
        Of a run folder.

    Returns
    -------
    SavedPlan
        As it was written.

    Raises
    ------
    InputError
        If there is none, or it is not whole or of another form.
    """
    try:
        # Opened here, so that it is closed whatever is in it.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        text = json.loads(arrays["text"].tobytes())
    except FileNotFoundError as error:
        msg = f"{path.name}: the run has none, expected a run with a plan. Run again with plan.is_planned = true."
        raise InputError(msg) from error
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        msg = f"{path.name}: it is no whole plan file ({type(error).__name__}), expected that of a run. Run again."
        raise InputError(msg) from error
    form = text.get("form") if isinstance(text, dict) else None
    if form != _FORM:
        msg = f"{path.name}: its form is {form!r}, expected {_FORM}. Run again with this version."
        raise InputError(msg)
    try:
        saved = _build(arrays, text)
        is_whole = {"run_id", "marking", "is_fictional", "first_on", "random_state"} <= set(saved.about)
        is_finite = all(np.isfinite(arrays[name]).all() for name in ("hazard", "grid_share", "grid_weekly"))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ZeroDivisionError, UsageError) as error:
        msg = f"{path.name}: it does not hold together ({type(error).__name__}), expected that of a run. Run again."
        raise InputError(msg) from error
    if not is_whole or not is_finite or not saved.draws.assumed_share > 0:
        msg = f"{path.name}: a mark is missing or a number is not finite, expected that of a run. Run again."
        raise InputError(msg)
    return saved


def _factors(trips: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(trips, mean, out=np.zeros_like(trips), where=mean > 0)


def _to_record(table: pd.DataFrame) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(table.to_json(orient="split", double_precision=15))
    return record


def _build(arrays: dict[str, Any], text: dict[str, Any]) -> SavedPlan:
    n_routes = len(arrays["routes_cost_min"])
    nothing = np.zeros(0, dtype=np.int32)
    routes = RouteSets(
        flow_ids=tuple(text["flow_ids"]),
        station_ids=tuple(text["route_station_ids"]),
        station_indptr=np.zeros(n_routes + 1, dtype=np.int64),
        station_indices=nothing,
        role=nothing.astype(np.int8),
        platform_share=np.zeros(0),
        spread_per_min=text["spread_per_min"],
        mode=arrays["routes_mode"] if len(arrays["routes_mode"]) else None,
        **{name: arrays[f"routes_{name}"] for name in _ROUTES},
    )
    encounters = Encounters(
        station_ids=tuple(text["station_ids"]),
        hazard=sparse.csr_matrix(arrays["hazard"]),
        pattern_of_route=arrays["pattern_of_route"],
        pair_of_route=arrays["pair_of_route"],
        worth=arrays["worth"],
        routes=routes,
    )
    rules = text["rules"]
    shifts = tuple(shift if isinstance(shift, str) else Shift(**shift) for shift in rules.pop("shifts"))
    teams = tuple(Team(**{**team, "days_off": tuple(team["days_off"])}) for team in text["teams"])
    problem = DutyProblem.from_arrays(
        encounters,
        {name: arrays[f"grid_{name}"] for name in _GRID},
        teams,
        DutyRules(shifts=shifts, **{**rules, "must_visit": tuple(rules["must_visit"])}),
        drives_min=pd.DataFrame(arrays["drives_min"], index=text["origins"], columns=text["station_ids"]),
        n_days=text["n_days"],
        first_weekday=text["first_weekday"],
    )
    yields = pd.DataFrame(**text["yields"]).set_index("plan").astype(float)
    draws = FlowDraws(
        arrays["draw_factor"].astype(float) * routes.trips_per_month,
        arrays["draw_detection"],
        float(text["detection_share"]),
    )
    names, tiers = (pd.Series(text[key], dtype="str") for key in ("names", "tiers"))
    return SavedPlan(problem, draws, names, tiers, yields, pd.DataFrame(**text["cells"]), text["about"])
