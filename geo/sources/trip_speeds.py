"""
Trips that would be faster than any train is: their times are wrong, and the whole trip is left out.

A time that is wrong by an hour may run in order all the same. Where both stations of a run have a position, the
straight line between them says how fast the train would be at least. Where most runs of a station are too fast, it is
the place that is doubtful and not the times: then the trips stay, and the station is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from geo.naming import name_some
from geo.sources.accounting import RowAccount
from geo.sources.patterns import TimetableReading

__all__ = ["FASTEST_KM_H", "leave_out_too_fast"]

# High Speed 1, the fastest line of Great Britain: 300 km/h (Network Statement of London St Pancras Highspeed).
FASTEST_KM_H = 300.0
# Public times are whole minutes, so that a run may take one more than it says; feeds place stations to some 100 m.
_SLACK_MIN, _SLACK_M = 1.0, 500.0
_M_PER_MIN = FASTEST_KM_H * 1000.0 / 60.0
_MOST_SHOWN = 3


def leave_out_too_fast(timetable: TimetableReading, positions: pd.DataFrame) -> TimetableReading:
    """
    Leave out stopping patterns with a run that no train can do.

    Parameters
    ----------
    timetable : TimetableReading
        Trains of a week. Never modified.
    positions : pandas.DataFrame
        ``easting_m, northing_m`` in EPSG:27700 metres by CRS code, null where not known. Runs from or to a station
        without a position cannot be judged.

    Returns
    -------
    TimetableReading
        Without those patterns. Caveats name the runs and the stations whose place is doubtful; where trips are left
        out, one more account counts those of the week.
    """
    runs = _measure_runs(timetable, positions)
    if not runs["is_too_fast"].any():
        return timetable
    touched = pd.concat([runs.assign(station_id=runs[end]) for end in ("from_station_id", "to_station_id")])
    share = (touched["n"] * touched["is_too_fast"]).groupby(touched["station_id"]).sum()
    doubtful = share.index[share > touched.groupby("station_id")["n"].sum().reindex(share.index) / 2]
    is_doubtful = runs["from_station_id"].isin(doubtful) | runs["to_station_id"].isin(doubtful)
    caveats = []
    if is_doubtful.any():
        caveats.append(
            f"trains would go faster than {FASTEST_KM_H:.0f} km/h at {name_some(sorted(doubtful), _MOST_SHOWN)}, so "
            "that the place of the station or its times are doubtful; they are used as they are"
        )
    odd = runs[runs["is_too_fast"] & ~is_doubtful]
    if odd.empty:
        return _told(timetable, caveats)
    is_odd = timetable.departures["pattern_id"].isin(odd["pattern_id"])
    n_odd = round(timetable.departures["n_departures"][is_odd].sum())
    n_all = round(timetable.departures["n_departures"].sum())
    pairs = sorted(set(odd["from_station_id"] + " to " + odd["to_station_id"]))
    caveats.append(
        f"{n_odd:,} trips of the week would go faster than {FASTEST_KM_H:.0f} km/h, and are left out: "
        f"{name_some(pairs, _MOST_SHOWN)}"
    )
    first = timetable.accounts[0]
    account = RowAccount(
        f"{first.source_file.split(':')[0]}:trips of the week",
        first.sha256,
        n_all,
        n_all - n_odd,
        (("quarantined", "too_fast", n_odd),),
    )
    return replace(
        _told(timetable, caveats),
        calls=timetable.calls[~timetable.calls["pattern_id"].isin(odd["pattern_id"])],
        departures=timetable.departures[~is_odd],
        accounts=(*timetable.accounts, account),
    )


def _measure_runs(timetable: TimetableReading, positions: pd.DataFrame) -> pd.DataFrame:
    """Runs between calls, how often they are done in the week, and whether they are too fast."""
    calls = timetable.calls
    weekly = timetable.departures.groupby("pattern_id")["n_departures"].sum()
    after = calls.groupby("pattern_id", sort=False)[["station_id", "arrival_min"]].shift(-1)
    runs = pd.DataFrame(
        {
            "pattern_id": calls["pattern_id"],
            "from_station_id": calls["station_id"],
            "to_station_id": after["station_id"],
            "run_min": after["arrival_min"] - calls["departure_min"],
            "n": calls["pattern_id"].map(weekly).fillna(0.0),
        }
    ).dropna()
    places = positions.loc[~positions.index.duplicated(), ["easting_m", "northing_m"]].astype("float64")
    ends = [places.reindex(runs[name]).to_numpy() for name in ("from_station_id", "to_station_id")]
    apart_m = np.hypot(*(ends[0] - ends[1]).T)
    return runs.assign(is_too_fast=apart_m > _M_PER_MIN * (runs["run_min"].to_numpy() + _SLACK_MIN) + _SLACK_M)


def _told(timetable: TimetableReading, caveats: Sequence[str]) -> TimetableReading:
    """The same with more caveats."""
    return replace(timetable, caveats=(*timetable.caveats, *caveats))
