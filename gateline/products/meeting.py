"""
What a meeting on a platform needs, as every product tells it: gates, staff, first and last trains, the last train home.

In come what the stations file says, `geo.tables.STATION_TRAINS` and `geo.tables.TRAINS_HOME`; nothing is estimated
here. What is not known is blank, never no.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from geo.network.staffed_hours import NEVER
from geo.tables import DAY_KINDS

__all__ = ["MEETING_COLUMNS", "meeting_lines", "name_gates", "tell_meeting", "tell_time"]

_MIN_PER_HOUR, _MIN_PER_DAY = 60, 1440
_COUNT_DECIMALS = 1
_DIVIDE = "; "
# A kind of day on which hardly a train runs anywhere is one that the timetable leaves out: a Sunday has more.
_FEW_TRAINS = 0.1
_ABSENT = "; it has hardly a train on "
# More main stations than this are told by the list alone.
_MOST_HOMES = 8
MEETING_COLUMNS = (
    "has_gates",
    "staffed_hours",
    "trains_per_weekday",
    *(f"{end}_train_{kind}_hhmm" for kind in DAY_KINDS for end in ("first", "last")),
    *(f"last_train_home_{kind}_hhmm" for kind in DAY_KINDS),
    "rail_replacement_departures_per_week",
    "trains_basis",
)


def tell_meeting(
    stations: pd.DataFrame,
    index: pd.Index,
    *,
    basis: str,
    trains: pd.DataFrame | None = None,
    home: pd.DataFrame | None = None,
    replacements: pd.Series | None = None,
) -> dict[str, pd.Series]:
    """
    Give the columns of what a meeting at a station needs.

    Parameters
    ----------
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`, main stations of exporting areas among them.
    index : pandas.Index
        Stations, in the order of the list.
    basis : str
        What the times of trains rest on, or why there are none.
    trains, home : pandas.DataFrame, optional
        Tables `geo.tables.STATION_TRAINS` and `geo.tables.TRAINS_HOME`.
    replacements : pandas.Series, optional
        Departures of rail replacement buses in the week by ``station_id``.

    Returns
    -------
    dict of str to pandas.Series
        `MEETING_COLUMNS`: gates as yes or no, hours with staff, trains a weekday, the clock time of the first and the
        last train by kind of day, and of the last by which one comes to each exporting area's main station; departures
        of rail replacement buses; and the basis. Empty where no basis is given.
    """
    if not basis:
        return {}
    nothing = pd.Series(None, index=index, dtype="str")
    columns: dict[str, pd.Series] = dict.fromkeys(MEETING_COLUMNS, nothing)
    columns["trains_per_weekday"] = columns["rail_replacement_departures_per_week"] = nothing.astype(float)
    columns["has_gates"] = name_gates(stations).reindex(index)
    if "staffed_hours" in stations.columns:
        columns["staffed_hours"] = stations["staffed_hours"].reindex(index).astype("str")
    absent = () if trains is None else _absent_days(trains)
    for kind, of_kind in () if trains is None else trains.groupby("day_kind"):
        if kind in absent:
            continue
        rows = of_kind.set_index("station_id").reindex(index)
        for end in ("first", "last"):
            columns[f"{end}_train_{kind}_hhmm"] = _times(rows[f"{end}_departure_min"], rows["step_min"])
        if kind == "weekday":
            columns["trains_per_weekday"] = rows["n_departures"].round(_COUNT_DECIMALS)
        if home is not None:
            columns[f"last_train_home_{kind}_hhmm"] = _homes(home[home["day_kind"] == kind], stations["name"], index)
    if replacements is not None:
        columns["rail_replacement_departures_per_week"] = replacements.reindex(index)
    told = f"{basis}{_ABSENT}{' and '.join(kind.capitalize() for kind in absent)}" if absent else basis
    columns["trains_basis"] = pd.Series(told, index=index, dtype="str")
    return columns


def meeting_lines(columns: dict[str, pd.Series], station: str) -> list[tuple[str, str]]:
    """
    Say what a meeting at one station needs.

    Parameters
    ----------
    columns : dict of str to pandas.Series
        From `tell_meeting`; not empty.
    station : str
        CRS code.

    Returns
    -------
    list of (str, str)
        Label and text, those that nothing is known of among them.
    """
    told = {name: values[station] for name, values in columns.items()}
    staffed = "not known" if pd.isna(told["staffed_hours"]) else str(told["staffed_hours"])
    lines = [
        ("Ticket gates", "not known" if pd.isna(told["has_gates"]) else str(told["has_gates"])),
        ("Staffed", "never" if staffed == NEVER else staffed),
    ]
    if columns["first_train_weekday_hhmm"].isna().all() and columns["last_train_weekday_hhmm"].isna().all():
        return [*lines, ("First and last train", str(told["trains_basis"]))]
    absent = str(told["trains_basis"]).partition(_ABSENT)[2]
    for kind in DAY_KINDS:
        first, last, home = (told[f"{name}_{kind}_hhmm"] for name in ("first_train", "last_train", "last_train_home"))
        day = "weekday" if kind == "weekday" else kind.capitalize()
        nothing = "not known" if kind.capitalize() in absent else "none"
        lines.append((f"First, last train, {day}", nothing if pd.isna(first) else f"{first}, {last}"))
        if not pd.isna(home):
            n_homes = str(home).count(_DIVIDE) + 1
            text = str(home) if n_homes <= _MOST_HOMES else f"to {n_homes} main stations: see stations.csv"
            lines.append((f"Last train home, {day}", text))
    lines.append(("Trains a weekday", f"{told['trains_per_weekday']:,.10g}"))
    buses = told["rail_replacement_departures_per_week"]
    if buses > 0:
        lines.append(("Rail replacement buses that week", f"{buses:,.10g} departures: not a usual week"))
    return [*lines, ("Times rest on", str(told["trains_basis"]))]


def name_gates(stations: pd.DataFrame) -> pd.Series:
    """
    Say yes or no to gates.

    Parameters
    ----------
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`.

    Returns
    -------
    pandas.Series
        Text by ``station_id``; null where nothing is known.
    """
    if "has_gates" not in stations.columns:
        return pd.Series(None, index=stations.index, dtype="str")
    words = [None if pd.isna(flag) else "yes" if flag else "no" for flag in stations["has_gates"]]
    return pd.Series(words, index=stations.index, dtype="str")


def tell_time(at_min: float, step_min: float) -> str:
    """
    Tell a time of day as finely as it is known.

    Parameters
    ----------
    at_min : float
        Minutes after midnight; past 24 h it is of the next day.
    step_min : float
        How finely it is known.

    Returns
    -------
    str
        A clock time, or an hour from and to.

    Examples
    --------
    >>> tell_time(342, 1), tell_time(1445, 1), tell_time(1380, 60)
    ('05:42', '00:05 next day', '23:00-24:00')
    """
    of_day = int(at_min) % _MIN_PER_DAY
    until = of_day + int(step_min)
    end = "" if step_min < _MIN_PER_HOUR else f"-{until // _MIN_PER_HOUR:02d}:{until % _MIN_PER_HOUR:02d}"
    next_day = " next day" if at_min >= _MIN_PER_DAY else ""
    return f"{of_day // _MIN_PER_HOUR:02d}:{of_day % _MIN_PER_HOUR:02d}{end}{next_day}"


def _absent_days(trains: pd.DataFrame) -> tuple[str, ...]:
    """Kinds of day that a timetable leaves out."""
    n = trains.groupby("day_kind")["n_departures"].sum()
    return tuple(kind for kind in DAY_KINDS if n.get(kind, 0.0) < _FEW_TRAINS * n.max())


def _times(at_min: pd.Series, step_min: pd.Series) -> pd.Series:
    pairs = zip(at_min, step_min, strict=True)
    return pd.Series([None if np.isnan(a) else tell_time(a, s) for a, s in pairs], index=at_min.index, dtype="str")


def _homes(home: pd.DataFrame, names: pd.Series, index: pd.Index) -> pd.Series:
    """Each main station with the time of the last train home to it, or none, by name."""
    rows = home[home["station_id"].isin(index)]
    hubs = names.reindex(rows["hub_station_id"]).fillna("").tolist()
    parts: dict[str, list[str]] = {}
    times = rows[["station_id", "last_departure_min", "step_min"]].itertuples(index=False, name=None)
    for name, (station, at_min, step_min) in sorted(zip(hubs, times, strict=True), key=lambda pair: pair[0]):
        text = f"{name} none" if np.isnan(at_min) else f"{name} {tell_time(at_min, step_min)}"
        parts.setdefault(station, []).append(text)
    return pd.Series([_DIVIDE.join(parts[i]) if i in parts else None for i in index], index=index, dtype="str")
