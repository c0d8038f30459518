"""Why one station or town stands where it does, and what would move it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import typer

from gateline.products.guidance import RAILWAY_MEANING, score_meaning
from gateline.products.hours import BASIS_WORDS, tell_hours
from gateline.products.lists import is_issued
from gateline.products.meeting import meeting_lines, tell_meeting
from gateline.study import Study, open_demo, open_workspace
from geo.errors import UsageError
from models.posterior.whatif import SHIFT_HOURS, add_line, add_shift, compare_shares, vary_assumptions
from models.telling import count_decimals, tell_scores

__all__ = ["explain_place", "explain_unit"]

_SHOWN = 5


def explain_unit(workspace: Path, unit: str) -> None:
    """
    Print the explanation of a station or a town.

    Parameters
    ----------
    workspace : pathlib.Path
        The workspace; its stages are run in memory and nothing is written.
    unit : str
        Station code, place id, or the name of a town or station.
    """
    study = open_workspace(workspace) if (workspace / "region.toml").is_file() else open_demo()
    typer.echo(explain_place(study, unit))


def explain_place(study: Study, unit: str) -> str:
    """
    Explain a station or a town in words and figures.

    Parameters
    ----------
    study : Study
        A region, read and run.
    unit : str
        Station code, place id, or a name; a town before a station of the same name is asked by its id.

    Returns
    -------
    str
        Lines of text, under the region's marking.

    Raises
    ------
    UsageError
        If no unit is called so, or the lists are a weighted index, which has no sources to explain.
    """
    results = study.results
    is_station, unit_id = _find(study, unit)
    scores = results.station_scores if is_station else results.place_scores
    if scores.weights:
        msg = "explain: the list is a weighted index, expected the posterior. Leave the weights empty in region.toml."
        raise UsageError(msg)
    table = tell_scores(scores.table)
    decimals = int(count_decimals(table["score"])[table.index.get_loc(unit_id)])
    table["is_rank_issued"] = is_issued(scores.table)
    row: dict[str, Any] = {str(k): v for k, v in table.loc[unit_id].items()}
    estimate = results.fitted.estimate
    ids = list(scores.unit_ids)
    lines = [
        study.title(f"{row['name']} ({unit_id})"),
        score_meaning(
            "stations" if is_station else "towns",
            is_index=False,
            railway=RAILWAY_MEANING[results.railway_basis],
        ),
        (
            f"Score {row['score']:.{decimals}f} (90 % {row['score_low']:.{decimals}f} to "
            f"{row['score_high']:.{decimals}f}); {_rank(row, len(ids))}; chance of the first ten "
            f"{100 * row['p_top_10']:.0f} %; tier {row['tier']}."
        ),
        (
            f"Trips a month {row['trips_per_month']:g} (90 % {row['trips_low']:g} to {row['trips_high']:g}): "
            "their level is an assumption, the score is not."
        ),
        "",
        "Why (sums to the score):",
    ]
    reasons = [str(column) for column in table.columns if str(column).startswith("reason_")]
    lines += [f"  {row[name]:+8.{decimals}f}  {name.removeprefix('reason_').replace('_', ' ')}" for name in reasons]
    if is_station:
        lines += ["", *_hours(study, unit_id), "", *_meeting(study, unit_id)]
    lines += ["", "Where from:", *_origins(study, unit_id, is_station=is_station)]
    varied = vary_assumptions(estimate)
    before = varied.pop("as it is")
    at = ids.index(unit_id)
    score = float(scores.table["score"].reindex([unit_id]).to_numpy(float)[0])
    moves = compare_shares(before, varied, at, is_station=is_station, score=score)
    lines += ["", "Assumptions that move it most:", *_moves(moves, decimals)]
    more = {
        f"one more line into {_town_name(study, t)}": add_line(estimate, t) for t in _towns(study, unit_id, is_station)
    }
    station = _station(study, unit_id, is_station)
    if station is not None:
        name = study.names[results.station_scores.unit_ids[station]]
        more[f"a shift of {SHIFT_HOURS:g} hours at {name} without a find"] = add_shift(estimate, station, n_finds=0)
        more[f"a shift of {SHIFT_HOURS:g} hours at {name} with one find"] = add_shift(estimate, station, n_finds=1)
    moves = compare_shares(before, more, at, is_station=is_station, score=score)
    lines += ["", "What would move it:", *_moves(moves, decimals)]
    return "\n".join(lines)


def _find(study: Study, unit: str) -> tuple[bool, str]:
    """Which list it is in, and its id."""
    stations, towns = study.results.station_scores.table, study.results.place_scores.table
    asked = unit.casefold()
    for is_station, table in ((True, stations), (False, towns)):
        coded = table.index[table.index.str.casefold() == asked]
        if len(coded) == 1:
            return is_station, str(coded[0])
    for is_station, table in ((False, towns), (True, stations)):
        named = table.index[table["name"].str.casefold() == asked]
        if len(named) == 1:
            return is_station, str(named[0])
    alike = [name for table in (towns, stations) for name in table["name"] if name.casefold().startswith(f"{asked} (")]
    if alike:
        told = ", ".join(map(repr, alike))
        msg = f"explain: {unit!r} is several towns, expected one of {told}. Name one in full."
        raise UsageError(msg)
    msg = f"explain: {unit!r} is no station or town of the list, expected a code, id or name. See stations.csv."
    raise UsageError(msg)


def _rank(row: dict[str, Any], n: int) -> str:
    span = f"{row['rank_low']:.0f} to {row['rank_high']:.0f} of {n}"
    return f"rank {row['rank']} ({span})" if row["is_rank_issued"] else f"rank interval too wide for a number ({span})"


def _origins(study: Study, unit_id: str, *, is_station: bool) -> list[str]:
    """The largest origins with their share of the unit's trips."""
    results = study.results
    if is_station:
        flows = results.assignment.station_flows
        met = flows[flows["station_id"] == unit_id].filter(regex="^(boarding|interchange|alighting)_").sum(axis=1)
        trips = met.groupby(flows["origin_id"]).sum()
    else:
        flows = results.courier_flows
        trips = flows[flows["destination_id"] == unit_id].groupby("origin_id")["trips_per_month"].sum()
    top = trips.sort_values(ascending=False, kind="stable").head(_SHOWN)
    ids = top.index.astype(str).tolist()
    names, whole = study.names, max(float(trips.sum()), 1e-12)
    return [f"  {100 * value / whole:6.1f} %  {names[i]}" for i, value in zip(ids, top.to_numpy(float), strict=True)]


def _hours(study: Study, unit_id: str) -> list[str]:
    """When half of the station's trips are made, and what that rests on."""
    told = tell_hours(study.results.hours, pd.Index([unit_id]))
    block, share, basis = (told[name].iloc[0] for name in ("busy_hours", "busy_hours_share", "hours_basis"))
    return [
        "When (the fewest hours, the same on days that follow each other, that hold half of its trips):",
        f"  {100 * share:6.0f} %  {block}",
        f"  Rests on {BASIS_WORDS[basis]}.",
    ]


def _meeting(study: Study, unit_id: str) -> list[str]:
    """Gates, staff, and the first and last trains."""
    trains = study.results.trains
    columns = tell_meeting(
        study.results.network.stations,
        pd.Index([unit_id]),
        basis=trains.basis,
        trains=trains.table,
        home=trains.home,
        replacements=trains.replacements,
    )
    told = [f"  {label}: {text}" for label, text in meeting_lines(columns, unit_id)]
    return ["A meeting on the platform:", *told]


def _moves(table: pd.DataFrame, decimals: int) -> list[str]:
    """The largest moves, as finely as a score is told; a smaller one is said to be so."""
    step = 10.0**-decimals
    lines = []
    for name, row in table.head(_SHOWN).iterrows():
        before, after = (round(float(row[f"score_{when}"]), decimals) for when in ("before", "after"))
        if before == after:
            lines.append(f"  {f'< {step:g}':>8}  {name}")
        else:
            lines.append(f"  {after - before:+8.{decimals}f}  {name} ({before:.{decimals}f} to {after:.{decimals}f})")
    return lines


def _towns(study: Study, unit_id: str, is_station: bool) -> list[int]:  # noqa: FBT001 - of this module alone
    """The town itself, or the town that most trips through the station go to."""
    ids = list(study.results.place_scores.unit_ids)
    town = study.results.station_exposure.loc[unit_id, "top_destination_id"] if is_station else unit_id
    return [ids.index(str(town))] if str(town) in ids else []


def _station(study: Study, unit_id: str, is_station: bool) -> int | None:  # noqa: FBT001 - of this module alone
    """The station itself, or the town's main one; None where no courier passes it."""
    scores = study.results.station_scores
    code = unit_id if is_station else study.results.place_exposure.loc[unit_id, "main_station_id"]
    passed = set(scores.table.index[scores.table["score"] > 0])
    return scores.unit_ids.index(str(code)) if str(code) in passed else None


def _town_name(study: Study, town: int) -> str:
    return str(study.results.place_scores.table.loc[study.results.place_scores.unit_ids[town], "name"])
