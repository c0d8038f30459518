"""
The interception plan as every product tells it: how often each station is worked, what that meets, where flow goes.

In come `geo.tables.PLAN` and what `models.planning` measured; nothing is planned here.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gateline.products.coach_tables import join_stops
from gateline.products.csv_lists import with_railway, write_csv
from gateline.products.inputs import ProductInputs
from gateline.products.plan_notes import beside_stops, left_out_note, name_flow, quiet_note
from gateline.products.yield_lines import describe_agreement, describe_what_ifs, describe_yield
from models.telling import percent, round_figures

__all__ = ["describe_plan", "round_met", "worked_stations", "write_plan_csv"]

DAYS_PER_MONTH = 365.25 / 12
_N_GAINING = 3
_SHARE_DECIMALS = 3
# Flow that moves by less than this many trips a month is not worth a name.
_LEAST_MOVED = 0.01
_LONDON = (
    "In London, predictable visits to half of 102 bus stops went with 11 to 25 % more victim-generated crime within "
    "150 m of them (Ariel and Partridge 2017): the roster is drawn anew each week so that it cannot be learned."
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
        ``met_trips`` and ``met_share_here`` (of rail trips, met by the stays there) and, where the plan has them,
        ``residual_trips_per_month`` (unmet after the response) and ``moved_trips_per_month``. Stations that are not
        worked but that flow moves past follow with no shifts. Beside them stands what the plan knows of each station:
        ``passengers_per_day, n_trains_in_stay`` (the mean of its stays), ``n_trains_per_day, has_gates,
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
            "met_trips": groups["expected_met_trips"].sum(),
            "met_share_here": groups["expected_met_trips"].sum() / _trips_of_plan(inputs),
        }
    )
    residual = inputs.plan_residual
    if residual is not None:
        known = residual.index.intersection(join_stops(inputs.stations, inputs.coaches).index)
        nothing = dict.fromkeys(("n_shifts", "hours", "met_trips", "met_share_here"), 0)
        table = table.reindex(table.index.union(known)).fillna(nothing)
        columns = ["residual_trips_per_month", "moved_trips_per_month"]
        table = table.join(residual[columns])
    for name, values in beside_stops(inputs.plan).items():
        by_station = values.groupby(inputs.plan["station_id"])
        table[str(name)] = by_station.first() if values.dtype == "str" else by_station.mean().round(_SHARE_DECIMALS)
    if "kind" in inputs.plan.columns:
        table["kind"] = inputs.plan.groupby("station_id")["kind"].first()
    table["worked_share"] = table["n_shifts"] / _n_slots(inputs)
    table["name"] = join_stops(inputs.stations, inputs.coaches)["name"].reindex(table.index)
    return table.sort_index().sort_values(["n_shifts", "hours"], ascending=False, kind="stable")


def describe_plan(inputs: ProductInputs, *, has_table: bool = False) -> list[str]:
    """
    Say in sentences what the plan is expected to meet, at what cost, and where flow goes then.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    has_table : bool
        Whether rules of thumb and what-ifs stand in a table beside the sentences, which then leave them out.

    Returns
    -------
    list of str
        Sentences, the yield first; none where there is no plan.
    """
    if inputs.plan is None:
        return []
    lines = [*describe_yield(inputs, has_table=has_table), _size_of(inputs, inputs.plan)]
    lines += [*_what_it_meets(inputs), *_where_flow_goes(inputs)]
    lines += [*([] if has_table else describe_what_ifs(inputs)), *describe_agreement(inputs)]
    lines += [note for note in (left_out_note(inputs), quiet_note(worked_stations(inputs))) if note]
    lines += [f"{note[:1].upper()}{note[1:]}." for note in inputs.plan_notes]
    lines.append("Trips are of modelled courier flow by rail, not of observed trips.")
    return [name_flow(line, inputs) for line in lines]


def round_met(table: pd.DataFrame) -> pd.DataFrame:
    """
    Tell the trips met by each stay in two figures.

    Parameters
    ----------
    table : pandas.DataFrame
        Table `geo.tables.PLAN`.

    Returns
    -------
    pandas.DataFrame
        All else as it is.
    """
    met = [str(name) for name in table.columns if str(name).startswith("expected_met_")]
    return table.assign(**{name: round_figures(table[name]) for name in met})


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
        told = round_met(inputs.plan)
        if "shift_flow_share" in told.columns:
            told["shift_flow_share"] = told["shift_flow_share"].round(_SHARE_DECIMALS)
        told = told.assign(**{str(name): values for name, values in beside_stops(told).items()})
        note = left_out_note(inputs)
        told = told.assign(left_out=note) if note else told
        write_csv(path, with_railway(told, inputs.marks), inputs.marks)


def _size_of(inputs: ProductInputs, plan: pd.DataFrame) -> str:
    n_shifts = len(plan[["day", "shift", "team"]].drop_duplicates())
    n_days = plan["day"].nunique()
    summary = inputs.plan_summary
    of_slots = f" of the {_n_slots(inputs):,} shifts of the plan" if summary is not None else ""
    n_worked = len(plan[["day", "shift"]].drop_duplicates())
    return (
        f"{plan['team'].nunique()} teams work {n_shifts:,} team shifts on {n_days} days: {len(plan):,} stays at "
        f"{plan['station_id'].nunique()} stations, in {n_worked:,}{of_slots}."
    )


def _what_it_meets(inputs: ProductInputs) -> list[str]:
    summary = inputs.plan_summary
    if summary is None:
        return []
    lines = [
        (
            f"It meets {percent(summary['met_share'])} of the rail flow if couriers stay as they are, and "
            f"{percent(summary['met_share_evading'])} once they respond: {percent(summary['to_road_share'])} has then "
            f"left the railway for the road and {percent(summary['unmet_rail_share'])} goes by rail unmet."
        ),
    ]
    if summary["unlisted_share"] > 0.005:
        share = percent(summary["unlisted_share"])
        lines.append(f"{share} of the flow goes by rarer ways that were not listed; the listed ones stand for them.")
    lines.append(
        f"The best roster worked every week would meet {percent(summary['best_share'])}, and no roster of these teams "
        f"under these rules more than {percent(summary['bound_share'])}."
    )
    lines.append(
        f"Whoever guesses the likeliest station of each shift is right {percent(summary['guess_share'])} of the time, "
        f"against always with a fixed list. {_LONDON}"
    )
    return lines


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
    trips = float(inputs.plan_summary["rail_trips_per_month"]) * float(inputs.plan_summary["n_days"]) / DAYS_PER_MONTH
    return trips if trips > 0 else float("nan")
