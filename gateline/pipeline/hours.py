"""The hours of a run: what is stated, the trains of the timetable in use, and the force's own timed records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gateline.pipeline.coaches import Coaches
from gateline.pipeline.railway import Railway
from gateline.pipeline.read import Inputs
from gateline.settings import HourSettings
from geo.corridors.hours import HOURS_PER_DAY, HOURS_PER_WEEK, allot_hours, count_trains, expect_hours, state_pattern
from geo.hotspots.hours_near import count_records_near, select_timed

__all__ = ["describe_hours_basis", "find_hours"]

_DAY_NUMBER = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}

# Of the trains of a usual day; a Sunday has more.
_FEW_TRAINS = 0.1


def find_hours(
    inputs: Inputs, railway: Railway | Coaches, stations: pd.DataFrame, trips: pd.Series, settings: HourSettings
) -> pd.DataFrame:
    """
    Find when the trips of each scored station are made.

    Parameters
    ----------
    inputs : Inputs
        For timed offences.
    railway : Railway or Coaches
        For the trains, where a timetable is in use, or the coaches.
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`.
    trips : pandas.Series
        Courier trips a month by ``station_id``.
    settings : HourSettings
        The ``[hours]`` block.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.STATION_HOURS`, in the order of the ids.
    """
    trips = trips.sort_index()
    pattern, running = state_pattern(
        busy_days=[_DAY_NUMBER[name] for name in settings.busy_days],
        busy_h=(settings.busy_from_h, settings.busy_to_h),
        busy_share=settings.busy_share,
        running_h=(settings.running_from_h, settings.running_to_h),
    )
    trains = None
    if railway.calls is not None and railway.departures is not None:
        trains = count_trains(railway.calls, railway.departures, list(trips.index))
    expected = expect_hours(pattern, running, np.zeros((len(trips), HOURS_PER_WEEK)) if trains is None else trains)
    records = count_records_near(select_timed(inputs.offences), stations.loc[trips.index], expected)
    return allot_hours(trips, expected, trains=trains, records=records, prior_records=settings.prior_records)


def describe_hours_basis(hours: pd.DataFrame) -> str:
    """
    Say what the hours of the stations rest on.

    Parameters
    ----------
    hours : pandas.DataFrame
        Table `geo.tables.STATION_HOURS`.

    Returns
    -------
    str
        One clause, for the notes of the run.
    """
    basis = hours.drop_duplicates("station_id")["hours_basis"]
    n, n_stated = len(basis), int((basis == "assumption").sum())
    n_trains, n_records = (int(basis.str.contains(word).sum()) for word in ("trains", "records"))
    return (
        f"hours of stations rest on trains at {n_trains} of {n}, on records that know their day or hour at "
        f"{n_records}, and on an assumption alone at {n_stated}{_days_without(hours)}"
    )


def _days_without(hours: pd.DataFrame) -> str:
    """The days on which a timetable has hardly a train: it may leave them out, and hardly a trip is put there."""
    trains = hours.dropna(subset=["n_trains"])
    by_day = trains.groupby(trains["hour_of_week"] // HOURS_PER_DAY)["n_trains"].sum()
    few = set(by_day.index[by_day < _FEW_TRAINS * by_day.median()].tolist())
    names = [name.capitalize() for name, day in _DAY_NUMBER.items() if day in few]
    return (
        f"; the timetable has hardly a train on {' and '.join(names)}, so hardly a trip is put there" if names else ""
    )
