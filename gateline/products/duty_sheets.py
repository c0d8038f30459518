"""
The roster as sheets: by day, by team and by station, and the log of results, which is read back as it is filled in.

In come `geo.tables.PLAN` and `geo.tables.DUTIES`; the same rows stand on each sheet in another order.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gateline.products.csv_lists import write_csv
from gateline.products.duty_times import clock, long_day, span
from gateline.products.inputs import ProductInputs
from gateline.products.interception import round_met
from gateline.products.plan_notes import beside_stops
from gateline.products.stop_tasks import list_origins, prompts_of, tasks_of

__all__ = [
    "RESULT_COLUMNS",
    "duty_list",
    "result_log",
    "roster_by_station",
    "roster_list",
    "write_duties_csv",
    "write_results_csv",
]

_REASONS = {"model": "drawn by what it meets", "random": "drawn at random, to learn from", "must": "asked for"}
_SHARE_DECIMALS = 3
# What officers fill in; `geo.sources.deployments` reads them under these names.
RESULT_COLUMNS = ("n_hours", "n_stops", "n_finds", "n_children", "n_referrals")
_WORDS = {
    "briefing": "Briefing",
    "at base": "At base: enquiries, and what the week has shown",
    "drive": "Drive to {place}",
    "walk": "On foot to {place}",
    "stay": "Work {place}",
    "break": "Refreshment break",
    "debriefing": "Debriefing: fill in the results",
}


def roster_list(inputs: ProductInputs) -> pd.DataFrame:
    """
    List the stays by day, as a sergeant reads them.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        One row a stay, by day, start, team and stop: ``worked_on, shift, team, from_to, stop, station_id, name, tier,
        tasks, plan_reason``, what is known of the stay, ``propensity`` and ``expected_met_trips``. No rows
        where there is no plan.
    """
    if inputs.plan is None:
        return pd.DataFrame()
    plan = round_met(inputs.plan.sort_values(["day", "start_h", "team", "stop", "station_id"], kind="stable"))
    origins = list_origins(inputs)
    rows = plan.to_dict("records")
    table = plan[["shift", "team", "stop", "station_id", "name", "tier"]].copy()
    table.insert(0, "worked_on", [long_day(day) for day in plan["worked_on"]])
    table.insert(3, "from_to", [span(a, b) for a, b in zip(plan["from_h"], plan["to_h"], strict=True)])
    if "kind" in plan.columns:
        table["kind"] = plan["kind"]
    table["tasks"] = [" ".join([*tasks_of(row, origins), *prompts_of(row)]) for row in rows]
    table["plan_reason"] = plan["reason"].map(_REASONS)
    if "shift_flow_share" in plan.columns:
        table["shift_flow_share"] = plan["shift_flow_share"].round(_SHARE_DECIMALS)
    table = table.join(beside_stops(plan))
    return table.assign(propensity=plan["propensity"], expected_met_trips=plan["expected_met_trips"])


def roster_by_station(inputs: ProductInputs) -> pd.DataFrame:
    """
    List the stays by station, as its staff and British Transport Police ask for them.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        ``station_id, name, worked_on, from_to, shift, team``, by name and day: no score and no figure of the plan.
    """
    if inputs.plan is None:
        return pd.DataFrame()
    plan = inputs.plan.sort_values(["name", "station_id", "day", "from_h", "team"], kind="stable")
    return plan[["station_id", "name"]].assign(
        worked_on=[long_day(day) for day in plan["worked_on"]],
        from_to=[span(a, b) for a, b in zip(plan["from_h"], plan["to_h"], strict=True)],
        shift=plan["shift"],
        team=plan["team"],
    )


def duty_list(inputs: ProductInputs) -> pd.DataFrame:
    """
    List all that each team does, from the start of each shift to its end.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        ``team, worked_on, shift, from_to, duty, place, minutes, drive_min, n_officers, agency``, by team and time; no
        rows where there is no roster.
    """
    if inputs.plan_duties is None:
        return pd.DataFrame()
    duties = inputs.plan_duties.sort_values(["team", "day", "from_h", "order"], kind="stable")
    told = [
        _WORDS[activity].format(place=place)
        for activity, place in zip(duties["activity"], duties["place"], strict=True)
    ]
    return duties[["team"]].assign(
        worked_on=[long_day(day) for day in duties["worked_on"]],
        shift=duties["shift"],
        from_to=[span(a, b) for a, b in zip(duties["from_h"], duties["to_h"], strict=True)],
        duty=told,
        place=duties["place"],
        minutes=((duties["to_h"] - duties["from_h"]) * 60.0).round(),
        drive_min=duties["drive_min"].round(),
        n_officers=duties["n_officers"],
        agency=duties["agency"],
    )


def result_log(inputs: ProductInputs) -> pd.DataFrame:
    """
    Make the log that is filled in after each stay and read back as `inputs.deployments`.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        One row a stay: ``station, station_name, worked_on, shift, team, from_time, to_time, reason, propensity``, then
        the blank columns `RESULT_COLUMNS`. No rows where there is no plan.
    """
    if inputs.plan is None:
        return pd.DataFrame()
    plan = inputs.plan.sort_values(["day", "start_h", "team", "stop"], kind="stable")
    log = pd.DataFrame(
        {
            "station": plan["station_id"],
            "station_name": plan["name"],
            "worked_on": plan["worked_on"],
            "shift": plan["shift"],
            "team": plan["team"],
            "from_time": [clock(hours) for hours in plan["from_h"]],
            "to_time": [clock(hours) for hours in plan["to_h"]],
            "planned_hours": (plan["to_h"] - plan["from_h"]).round(2),
            "reason": plan["reason"],
            "propensity": plan["propensity"].round(6),
        }
    ).reset_index(drop=True)
    return log.assign(**dict.fromkeys(RESULT_COLUMNS, pd.Series(None, index=log.index, dtype="str")))


def write_duties_csv(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``duties.csv``, every column of `geo.tables.DUTIES`; no file without a roster.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    if inputs.plan_duties is not None:
        order = ["team", "day", "from_h", "order"]
        duties = inputs.plan_duties.sort_values(order, kind="stable")
        write_csv(path, duties.assign(drive_min=duties["drive_min"].round(1)), inputs.marks)


def write_results_csv(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``results.csv``, the blank log; no file without a plan.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    if inputs.plan is not None:
        write_csv(path, result_log(inputs), inputs.marks)
