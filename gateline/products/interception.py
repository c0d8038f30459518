"""
The interception plan as every product tells it: the roster, how often each station is worked, and what that meets.

In come `geo.tables.PLAN` and what `models.planning` measured; nothing is planned here. The time of the proof is left
out, so that the same run gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gateline.products.coach_tables import join_stops
from gateline.products.csv_lists import with_railway, write_csv
from gateline.products.inputs import ProductInputs
from gateline.products.plan_notes import beside_stops, left_out_note, name_flow, percent, quiet_note
from models.telling import round_figures

__all__ = ["describe_plan", "roster_list", "worked_stations", "write_plan_csv"]

DAYS_PER_MONTH = 365.25 / 12
_REASONS = {"model": "meets most", "random": "drawn at random, to learn from", "must": "asked for"}
_N_GAINING = 3
_SHARE_DECIMALS = 3
# Flow that moves by less than this many trips a month is not worth a name.
_LEAST_MOVED = 0.01


def roster_list(inputs: ProductInputs) -> pd.DataFrame:
    """
    List the roster as a sergeant reads it.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        One row a stop, by day, start, team and stop: ``worked_on, shift, hours, team, stop, station_id, name, tier,
        present_min, n_visits, plan_reason, propensity, expected_met_trips, met_share_here``, and ``shift_flow_share``
        where the plan knows hours, and what it knows of the station: ``passengers_per_day, n_trains_in_shift,
        n_trains_per_day, has_gates, staffed_share, change_share``. The share met is of the rail trips of the plan's
        days, null where no summary gives these. No rows where there is no plan.
    """
    if inputs.plan is None:
        return pd.DataFrame()
    plan = inputs.plan.sort_values(["day", "start_h", "team", "stop", "station_id"], kind="stable")
    hours = [f"{_clock(a)}-{_clock(b)}" for a, b in zip(plan["start_h"], plan["end_h"], strict=True)]
    columns = ["team", "stop", "station_id", "name", "tier", "present_min", "n_visits"]
    table = plan[["worked_on", "shift"]].assign(hours=hours).join(plan[columns])
    if "kind" in plan.columns:
        table["kind"] = plan["kind"]
    table["plan_reason"] = plan["reason"].map(_REASONS)
    if "shift_flow_share" in plan.columns:
        table["shift_flow_share"] = plan["shift_flow_share"].round(_SHARE_DECIMALS)
    table = table.join(beside_stops(plan))
    return table.assign(
        propensity=plan["propensity"],
        expected_met_trips=round_figures(plan["expected_met_trips"]),
        met_share_here=round_figures(plan["expected_met_trips"] / _trips_of_plan(inputs)),
    )


def worked_stations(inputs: ProductInputs) -> pd.DataFrame:
    """
    Sum the roster by station.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        Index ``station_id``, most worked first: ``name, n_shifts, worked_share`` (of the plan's shifts), ``hours``,
        ``met_share_here`` (of rail trips, what would be lost without the stops there) and, where the plan has them,
        ``residual_trips_per_month`` (unmet after the response) and ``moved_trips_per_month``. Stations that are not
        worked but that flow moves past follow with no shifts. Beside them stands what the plan knows of each station:
        ``passengers_per_day, n_trains_in_shift`` (the mean of its shifts), ``n_trains_per_day, has_gates,
        staffed_share`` (of the time worked) and ``change_share``. No rows where there is no plan.
    """
    if inputs.plan is None:
        return pd.DataFrame()
    plan = inputs.plan.assign(slot=inputs.plan["day"].astype(str) + ":" + inputs.plan["shift"])
    groups = plan.groupby("station_id", sort=True)
    table = pd.DataFrame(
        {
            "n_shifts": groups["slot"].nunique(),
            "hours": groups["present_min"].sum() / 60.0,
            "met_share_here": groups["expected_met_trips"].sum() / _trips_of_plan(inputs),
        }
    )
    residual = inputs.plan_residual
    if residual is not None:
        known = residual.index.intersection(join_stops(inputs.stations, inputs.coaches).index)
        table = table.reindex(table.index.union(known)).fillna({"n_shifts": 0, "hours": 0.0, "met_share_here": 0.0})
        columns = ["residual_trips_per_month", "moved_trips_per_month"]
        table = table.join(residual[columns])
    for name, values in beside_stops(inputs.plan).items():
        by_station = values.groupby(inputs.plan["station_id"])
        table[str(name)] = by_station.first() if values.dtype == "str" else by_station.mean().round(_SHARE_DECIMALS)
    if "kind" in inputs.plan.columns:
        table["kind"] = inputs.plan.groupby("station_id")["kind"].first()
    table["worked_share"] = table["n_shifts"] / _n_slots(inputs)
    table["name"] = join_stops(inputs.stations, inputs.coaches)["name"].reindex(table.index)
    return table.sort_index().sort_values("n_shifts", ascending=False, kind="stable")


def describe_plan(inputs: ProductInputs) -> list[str]:
    """
    Say in sentences what the plan is expected to meet, and where flow goes then.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    list of str
        Sentences; none where there is no plan.
    """
    if inputs.plan is None:
        return []
    lines = [_size_of(inputs, inputs.plan), *_what_it_meets(inputs), *_beside_rules(inputs), *_where_flow_goes(inputs)]
    lines += [note for note in (left_out_note(inputs), quiet_note(worked_stations(inputs))) if note]
    lines.append("Shares are of modelled courier flow by rail, not of observed trips.")
    return [name_flow(line, inputs) for line in lines]


def write_plan_csv(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``plan.csv``, every column of `geo.tables.PLAN` and what leaving stations out costs; no file without a plan.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    if inputs.plan is not None:
        met = [str(name) for name in inputs.plan.columns if str(name).startswith("expected_met_")]
        told = inputs.plan.assign(**{name: round_figures(inputs.plan[name]) for name in met})
        if "shift_flow_share" in told.columns:
            told["shift_flow_share"] = told["shift_flow_share"].round(_SHARE_DECIMALS)
        told = told.assign(**{str(name): values for name, values in beside_stops(told).items()})
        note = left_out_note(inputs)
        told = told.assign(left_out=note) if note else told
        write_csv(path, with_railway(told, inputs.marks), inputs.marks)


def _size_of(inputs: ProductInputs, plan: pd.DataFrame) -> str:
    n_random = int((plan["reason"] == "random").sum())
    return (
        f"{plan['station_id'].nunique()} stations are worked in {_n_slots(inputs):,} shifts over {plan['day'].max()} "
        f"days, {len(plan):,} stops in all, {n_random:,} of them drawn at random, so that results can be judged."
    )


def _what_it_meets(inputs: ProductInputs) -> list[str]:
    summary = inputs.plan_summary
    if summary is None:
        return []
    before = percent(summary["met_share"]) + _interval(inputs, "met_share")
    after = percent(summary["met_share_evading"]) + _interval(inputs, "met_share_evading")
    lines = [
        f"Expected to meet {before} of the rail flow if couriers stay as they are, and {after} once they respond.",
        (
            f"After the response {percent(summary['to_road_share'])} has left the railway for the road and "
            f"{percent(summary['unmet_rail_share'])} goes by rail unmet."
        ),
    ]
    if summary["unlisted_share"] > 0.005:
        share = percent(summary["unlisted_share"])
        lines.append(f"{share} of the flow goes by rarer ways that were not listed; the listed ones stand for them.")
    proof = "proven best" if summary["is_proven"] else f"within {100 * summary['gap_share']:.1f} % of the best possible"
    lines.append(
        f"The best list, worked every day, is {proof} and would meet {percent(summary['best_share'])}; the roster is "
        "drawn instead, so that it cannot be learned."
    )
    return lines


def _beside_rules(inputs: ProductInputs) -> list[str]:
    """The plan after the response, beside the rules of thumb."""
    table = inputs.plan_comparison
    if table is None:
        return []
    rules = [name for name in ("most passengers", "highest score") if name in table.index]
    parts = [f"{percent(float(table['met_share_evading'][name]))} by the rule of {name}" for name in rules]
    return [f"For comparison, after the response: {' and '.join(parts)}."] if parts else []


def _where_flow_goes(inputs: ProductInputs) -> list[str]:
    residual = inputs.plan_residual
    if residual is None:
        return []
    moved = residual["moved_trips_per_month"].sort_index().sort_values(ascending=False, kind="stable")
    gaining = moved[moved >= _LEAST_MOVED].head(_N_GAINING)
    if gaining.empty:
        return ["No station gains flow from the response."]
    names = join_stops(inputs.stations, inputs.coaches)["name"].reindex(gaining.index)
    named = [str(i) if pd.isna(name) else str(name) for i, name in names.items()]
    parts = [f"{name} (+{trips:.2g})" for name, trips in zip(named, gaining, strict=True)]
    return [f"Stations that gain most from the response, in trips a month: {', '.join(parts)}."]


def _interval(inputs: ProductInputs, column: str) -> str:
    """The 90 % interval of the roster, where it was measured."""
    table = inputs.plan_comparison
    if table is None or "roster" not in table.index:
        return ""
    low, high = (float(table[f"{column}_{end}"]["roster"]) for end in ("low", "high"))
    return "" if np.isnan(low) else f" (90 % range {100 * low:.0f} to {100 * high:.0f} %)"


def _n_slots(inputs: ProductInputs) -> int:
    """Shifts of the plan: from the summary, else those on which somebody works."""
    if inputs.plan_summary is not None:
        return int(inputs.plan_summary["n_slots"])
    plan = inputs.plan
    return 0 if plan is None else len(plan[["day", "shift"]].drop_duplicates())


def _trips_of_plan(inputs: ProductInputs) -> float:
    """Rail trips of the plan's days; not a number where they are not known."""
    if inputs.plan_summary is None or inputs.plan is None or inputs.plan.empty:
        return float("nan")
    n_days = int(inputs.plan_summary["n_slots"]) / inputs.plan["shift"].nunique()
    trips = float(inputs.plan_summary["rail_trips_per_month"]) * n_days / DAYS_PER_MONTH
    return trips if trips > 0 else float("nan")


def _clock(hours: float) -> str:
    minutes = round(hours * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
