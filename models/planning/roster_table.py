"""The roster as the table `geo.tables.PLAN`: one row a stop, with what is lost without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.schema import empty, validate
from geo.tables import PLAN
from models.planning.choice import measure_marginals
from models.planning.encounters import Encounters
from models.planning.programme import Group, Slot
from models.planning.schedule import Assignment
from models.planning.shifts import HOURS_PER_DAY, Dosage

__all__ = ["tabulate_roster"]


def tabulate_roster(
    roster: Sequence[Assignment],
    slots: Sequence[Slot],
    groups: Sequence[Group],
    encounters: Encounters,
    *,
    names: pd.Series,
    tiers: pd.Series,
    shift_names: Sequence[str],
    days: Sequence[str],
    dosage: Dosage | None,
    probability: NDArray[np.float64],
    shares: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """
    Write the roster as a table.

    Parameters
    ----------
    roster : sequence of Assignment
        Teams on slots.
    slots : sequence of Slot
        Every shift of every day.
    groups : sequence of Group
        Teams.
    encounters : Encounters
        Stations and patterns.
    names, tiers : pandas.Series
        By ``station_id``.
    shift_names, days : sequence of str
        Names of the shifts of a day and of the days.
    dosage : Dosage or None
        For the number of visits.
    probability : numpy.ndarray of shape (n_routes,)
        Shares of routes after couriers respond.
    shares : numpy.ndarray of shape (n_slots, n_stations), optional
        Share of a station's trips of a week that is made in each slot.

    Returns
    -------
    pandas.DataFrame
        Table `geo.tables.PLAN`, by day, shift and team. What a tour meets is divided among its stops by their stay.
    """
    if not roster:
        return empty(PLAN)
    now = encounters.worth_of_patterns(encounters.worth_of_routes())
    later = encounters.worth_of_patterns(encounters.worth_of_routes(probability))
    # A station's worth by pattern may be 0 now; the change is therefore carried by a factor only where it is not.
    factor = later / np.where(now > 0, now, 1.0)
    rows: list[dict[str, object]] = []
    for s, slot in enumerate(slots):
        teams = sorted((a for a in roster if a.slot == s), key=lambda a: (a.group, slot.duties.stops[a.duty]))
        duties = [a.duty for a in teams]
        if not duties:
            continue
        met = measure_marginals(slot, duties)
        met_later = measure_marginals(replace(slot, worth=slot.worth * factor), duties)
        number = dict.fromkeys(range(len(groups)), 0)
        for k, team in enumerate(teams):
            number[team.group] += 1
            label = f"{groups[team.group].name} {number[team.group]}"
            stops = _stops(team, slot, label, float(met[k]), float(met_later[k]), dosage, s % len(shift_names))
            if shares is not None:
                share = [float(shares[s, station]) for station in slot.duties.stops[team.duty]]
                stops = [{**row, "shift_flow_share": part} for row, part in zip(stops, share, strict=True)]
            rows += stops
    table = pd.DataFrame(rows)
    table["worked_on"] = [days[day] for day in table["day"] - 1]
    table["shift"] = [shift_names[k] for k in table["shift"]]
    ids = pd.Series([encounters.station_ids[k] for k in table["station_id"]], index=table.index)
    table["station_id"] = ids
    table["name"] = names.reindex(ids).fillna("").to_numpy()
    table["tier"] = pd.array(tiers.reindex(ids).to_numpy(), dtype="str")
    keys = zip(table["day"], table["shift"], table["team"], table["stop"], strict=True)
    table.index = pd.Index([f"{d:02d}:{s}:{t}:{n}" for d, s, t, n in keys], name=PLAN.index, dtype="str")
    text = ["worked_on", "shift", "team", "station_id", "name", "reason"]
    return validate(
        table[[name for name in PLAN.columns if name in table.columns]].astype(dict.fromkeys(text, "str")), PLAN
    )


def _stops(
    team: Assignment, slot: Slot, label: str, met: float, met_later: float, dosage: Dosage | None, shift: int
) -> list[dict[str, object]]:
    """One row a stop."""
    stops = slot.duties.stops[team.duty]
    presence = slot.duties.presence[:, [team.duty]].toarray().ravel()
    total = sum(presence[k] for k in stops)
    shift_min = (slot.end_h - slot.start_h) * 60.0
    rows: list[dict[str, object]] = []
    for order, station in enumerate(stops, start=1):
        present_min = float(presence[station] * shift_min)
        rows.append(
            {
                "day": slot.day + 1,
                "shift": shift,
                "start_h": slot.start_h - HOURS_PER_DAY * slot.day,
                "end_h": slot.end_h - HOURS_PER_DAY * slot.day,
                "team": label,
                "stop": order,
                "station_id": station,
                "present_min": present_min,
                "n_visits": 1 if dosage is None else round(present_min / dosage.visit_min),
                "reason": team.reason,
                "propensity": min(team.propensity, 1.0),
                "expected_met_trips": met * float(presence[station]) / total,
                "expected_met_trips_evading": met_later * float(presence[station]) / total,
            }
        )
    return rows
