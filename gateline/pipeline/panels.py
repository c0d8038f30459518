"""
Past and future of every station or town, laid out so that a model is judged only on months it could not know.

The courier flow that a model may see is estimated from the first months alone, older than every month it is judged on.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from gateline.pipeline.read import Inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import Results, run_stages
from gateline.settings import Settings
from geo.errors import ModelGateError
from geo.network.passenger import build_passenger_graph
from geo.network.station_times import measure_station_times
from models.evidence import count_place_evidence, count_station_evidence
from models.panel import Panel, build_panel
from models.validation import label_blocks

__all__ = ["UNITS", "build_region_panel", "run_early"]

UNITS = ("stations", "towns")
# Months that only ever serve as history: what a model's first forecast rests on.
HISTORY_MONTHS = 2
# ASSUMPTION: passengers of a station more than 5 km from a town's centre are not the town's.
STATION_REACH_M = 5_000.0
# ASSUMPTION: the way from a town to its nearest station is driven at 40 km an hour, in minutes a metre.
MINUTES_PER_M = 60.0 / 40_000.0


def run_early(inputs: Inputs, settings: Settings) -> Results:
    """
    Run the stages on the first months alone.

    Parameters
    ----------
    inputs : Inputs
        All inputs.
    settings : Settings
        Of the workspace.

    Returns
    -------
    Results
        With nothing in it that a judged month could have told.

    Raises
    ------
    ModelGateError
        If there are no more months than the history needs.
    """
    months = pd.PeriodIndex(sorted(inputs.offences["month"].unique()))
    if len(months) <= HISTORY_MONTHS:
        msg = f"offences: {len(months)} months, expected more than {HISTORY_MONTHS} to judge a forecast by. Add months."
        raise ModelGateError(msg)
    known = inputs.offences["month"] <= months[HISTORY_MONTHS - 1]
    # The lists are not asked for: weights may name what the first months had nothing of.
    few = {"n_draws": 100, "station_weights": {}, "place_weights": {}}
    quick = settings.model_copy(update={"scores": settings.scores.model_copy(update=few)})
    return run_stages(replace(inputs, offences=inputs.offences[known]), quick, Recorder(lambda _: None))


def build_region_panel(inputs: Inputs, early: Results, settings: Settings, *, unit: str) -> Panel:
    """
    Lay out counts, population, passengers, minutes by train and courier flow of every unit and month.

    Parameters
    ----------
    inputs : Inputs
        All inputs.
    early : Results
        From `run_early`.
    settings : Settings
        Of the workspace.
    unit : str
        ``stations`` or ``towns``.

    Returns
    -------
    Panel
        For `models.training.train`.
    """
    towns = inputs.places[inputs.places["is_in_force"]].sort_index()
    stations = early.network.stations[early.network.stations["is_in_force"]].sort_index()
    train_min = _minutes_by_train(inputs, early).reindex(stations.index).to_numpy()
    passengers = early.usage["n_entries_exits_per_year"].reindex(stations.index).fillna(0.0).to_numpy()
    positions = ["easting_m", "northing_m"]
    last = inputs.offences["month"].max()
    if unit == "stations":
        town = KDTree(towns[positions]).query(stations[positions])[1]
        counted = count_station_evidence(
            inputs.offences, stations, cutoff=last, walk_min=settings.access.catchment_walk_min
        )
        units, group = stations, np.asarray(town, dtype=np.int64)
        flow = early.station_exposure["courier_trips_per_month"]
        known = {"population": towns["population"].to_numpy()[town], "footfall": passengers, "train_min": train_min}
    else:
        distance_m, nearest = KDTree(stations[positions]).query(towns[positions])
        counted = count_place_evidence(inputs.offences, towns, cutoff=last)
        units, group = towns, np.arange(len(towns))
        flow = early.place_exposure["courier_trips_per_month"]
        known = {
            "population": towns["population"].to_numpy(),
            "footfall": np.where(distance_m < STATION_REACH_M, passengers[nearest], 0.0),
            "train_min": train_min[nearest] + distance_m * MINUTES_PER_M,
        }
    fixed = pd.DataFrame(known, index=units.index).astype(float)
    fixed["courier_flow"] = flow.reindex(units.index).fillna(0.0)
    # A place that no train reaches is as far as the farthest that one does.
    fixed["train_min"] = fixed["train_min"].fillna(fixed["train_min"].max()).fillna(0.0)
    counts = pd.DataFrame(counted.counts.sum(axis=2), index=units.index, columns=counted.months)
    every_month = pd.period_range(counted.months.min(), counted.months.max(), freq="M")
    blocks = label_blocks(units["easting_m"].to_numpy(float), units["northing_m"].to_numpy(float))
    return build_panel(counts.reindex(columns=every_month, fill_value=0.0), fixed, blocks=blocks, towns=group)


def _minutes_by_train(inputs: Inputs, early: Results) -> pd.Series:
    """Minutes from the nearest exporting area's main station to each station."""
    hubs = sorted(set(inputs.exporters["hub_station_id"].dropna()) & set(early.network.stations.index))
    times = measure_station_times(build_passenger_graph(early.network.links), origins=hubs)
    return pd.Series(np.nanmin(times.time_min, axis=0), index=times.station_ids)
