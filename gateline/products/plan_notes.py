"""
What a plan says beside its roster: what is known of each stop, and which stations it leaves out and why.

In come `geo.tables.PLAN` with what `models.planning.describe_stops` put there, and `models.planning.LeftOut`.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from gateline.products.coach_tables import COACH_STOP
from gateline.products.inputs import ProductInputs
from gateline.products.meeting import name_gates
from models.planning.problem import LEAST_PASSENGERS_PER_DAY
from models.telling import percent

__all__ = ["beside_stops", "left_out_note", "name_flow", "quiet_note", "stop_facts"]

# What is known of a stop beside its worth, and in how many decimals it is told.
_BESIDE = {
    "passengers_per_day": 0,
    "n_trains_in_stay": 1,
    "n_trains_per_day": 1,
    "has_gates": None,
    "staffed_share": 2,
    "change_share": 2,
}
_WITH_COACHES = (
    ("of the rail flow", "of the flow by rail and coach"),
    ("flow by rail,", "flow by rail and coach,"),
    ("goes by rail unmet", "goes by rail or coach unmet"),
    ("has left the railway for the road", "has left trains and coaches for the road"),
    (" stations are worked", " stations and coach stops are worked"),
)
_MOST_NAMED = 5


def beside_stops(plan: pd.DataFrame) -> pd.DataFrame:
    """
    Give what is known of the station of each stop, as it is told.

    Parameters
    ----------
    plan : pandas.DataFrame
        Table `geo.tables.PLAN`.

    Returns
    -------
    pandas.DataFrame
        Index of `plan`: those of ``passengers_per_day, n_trains_in_stay, n_trains_per_day, has_gates`` (yes or no),
        ``staffed_share`` and ``change_share`` that the plan has.
    """
    told = {
        name: name_gates(plan) if decimals is None else plan[name].round(decimals)
        for name, decimals in _BESIDE.items()
        if name in plan.columns
    }
    return pd.DataFrame(told, index=plan.index)


def stop_facts(row: dict[Any, Any]) -> list[str]:
    """
    Say what is known of a worked station.

    Parameters
    ----------
    row : dict
        Of `gateline.products.interception.worked_stations`.

    Returns
    -------
    list of str
        Clauses; what is not known is said to be so, and none where the plan does not say.
    """
    if "passengers_per_day" not in row:
        return []
    if row.get("kind") == COACH_STOP:
        return [
            f"a coach stop: {row['n_trains_in_stay']:,.1f} coaches in a stay and {row['n_trains_per_day']:,.1f} a day"
        ]
    gates = row.get("has_gates")
    staffed, changing = row["staffed_share"], row["change_share"]
    daily, in_shift, in_day = (row[name] for name in ("passengers_per_day", "n_trains_in_stay", "n_trains_per_day"))
    return [
        "passengers not known" if pd.isna(daily) else f"{daily:,.0f} passengers a day",
        "trains not known" if pd.isna(in_day) else f"{in_shift:,.1f} trains in a stay and {in_day:,.1f} a day",
        "gates not known" if pd.isna(gates) else "ticket gates" if gates == "yes" else "no ticket gates",
        "staff not known" if pd.isna(staffed) else f"staffed {percent(staffed)} of the time worked",
        "changes not known" if pd.isna(changing) else f"{percent(changing)} of the couriers going on change there",
    ]


def left_out_note(inputs: ProductInputs) -> str:
    """
    Say which stations the plan leaves out for few passengers, and what that costs.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    str
        One sentence; empty where none is left out.
    """
    out = inputs.plan_left_out
    if inputs.plan is None or out is None:
        return ""
    daily = out.passengers_per_day
    names = inputs.stations["name"].reindex(daily.index).fillna("")
    shown = [f"{name} {n:,.0f}" for name, n in zip(names[:_MOST_NAMED], daily, strict=False)]
    more = f" and {len(daily) - _MOST_NAMED} more" if len(daily) > _MOST_NAMED else ""
    with_them, without = (
        f"{share * out.trips_of_plan:.3g} ({_finely(share)} of the rail flow; {_finely(evading)} once couriers respond)"
        for share, evading in (
            (out.met_share_with, out.met_share_evading_with),
            (out.met_share_without, out.met_share_evading_without),
        )
    )
    told = (
        f"{len(daily)} stations with fewer than {out.least_passengers_per_day:g} passengers a day are left out "
        f"({', '.join(shown)}{more}): the best roster would meet {with_them} with them and "
        f"{without} without."
    )
    return name_flow(told, inputs)


def name_flow(text: str, inputs: ProductInputs) -> str:
    """
    Name the flow that a plan meets: by rail, or by rail and coach.

    Parameters
    ----------
    text : str
        A sentence about the flow by rail.
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    str
        The sentence, as it is where coaches are met too.
    """
    if inputs.coaches is not None:
        for by_rail, by_both in _WITH_COACHES:
            text = text.replace(by_rail, by_both)
    return text


def quiet_note(worked: pd.DataFrame) -> str:
    """
    Give the numbers of each station that is worked though few passengers use it.

    Parameters
    ----------
    worked : pandas.DataFrame
        From `gateline.products.interception.worked_stations`.

    Returns
    -------
    str
        One sentence; empty where there is none.
    """
    if "passengers_per_day" not in worked.columns:
        return ""
    quiet = worked[(worked["n_shifts"] > 0) & (worked["passengers_per_day"] < LEAST_PASSENGERS_PER_DAY)]
    parts = [f"{row['name']} ({', '.join(stop_facts(row))})" for row in quiet.to_dict("records")]
    told = f"Worked though fewer than {LEAST_PASSENGERS_PER_DAY:g} passengers a day use them: {'; '.join(parts)}."
    return told if parts else ""


def _finely(share: float) -> str:
    """Three figures: what a rule costs may be small."""
    return f"{100 * share:.3g} %"
