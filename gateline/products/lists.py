"""
The lists behind every product: stations, towns and upstream stations, one row each, ranked, with names for ids.

One place decides what a column holds, so that the map, the spreadsheet, the CSV and the briefing cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gateline.products.beside import stations_beside, towns_beside
from gateline.products.hours import tell_hours
from gateline.products.inputs import ProductInputs
from gateline.products.meeting import tell_meeting
from gateline.products.reasons import reason_columns
from gateline.products.travel import tell_travel
from geo.errors import IntegrityError
from models.telling import round_figures, tell_scores

__all__ = ["is_issued", "name_lookup", "names_of", "station_list", "top_parts", "town_list", "upstream_list"]

# Couriers can be met on the platform where they board, change or alight, not on a train that only calls.
MET_ON_PLATFORM = ("boarding_trips_per_month", "interchange_trips_per_month", "alighting_trips_per_month")
_SHARE_DECIMALS = 2
_SORT_FIGURES = 9
# Sums of floats, a cut of an index at 100 among them.
_MOST_DRIFT = 1e-4


def station_list(inputs: ProductInputs) -> pd.DataFrame:
    """
    Rank the stations with everything the list needs to say about each.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        Index ``station_id``, ordered by rank and id; the columns of ``stations.csv``.

    Raises
    ------
    IntegrityError
        If the reasons of a station do not sum to its score.
    """
    scores = _by_rank(inputs.station_scores)
    exposure = inputs.station_exposure.reindex(scores.index)
    names = name_lookup(inputs)
    usage = inputs.station_usage
    footfall = None if usage is None else usage["n_entries_exits_per_year"].reindex(scores.index)
    harm = None if inputs.hotspot_harm is None else inputs.hotspot_harm.reindex(scores.index)
    table = pd.DataFrame(
        {
            **_score_columns(scores),
            "courier_flow": _trips(_flow(scores, exposure)),
            "courier_flow_per_100k_passengers": _trips(exposure["courier_trips_per_100k_passengers"]),
            **{name: _trips(exposure[name]) for name in MET_ON_PLATFORM},
            "top_origin": _named(exposure["top_origin_id"], names),
            "top_destination": _named(exposure["top_destination_id"], names),
            "entries_exits_per_year": float("nan") if footfall is None else footfall,
            "hotspot_harm_within_15_min_walk": float("nan") if harm is None else harm,
            "enforcement_led": scores["enforcement_led"],
            "in_force_area": inputs.stations["is_in_force"].reindex(scores.index),
            **({} if inputs.station_hours is None else tell_hours(inputs.station_hours, scores.index)),
            **_meeting(inputs, scores.index),
            **stations_beside(inputs, scores.index),
        },
        index=scores.index,
    )
    return _with_reasons(table, scores)


def town_list(inputs: ProductInputs) -> pd.DataFrame:
    """
    Rank the towns with everything the list needs to say about each.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        Index ``place_id``, ordered by rank and id; the columns of ``towns.csv``.

    Raises
    ------
    IntegrityError
        If the reasons of a town do not sum to its score.
    """
    scores = _by_rank(inputs.place_scores)
    exposure = inputs.place_exposure.reindex(scores.index)
    names = name_lookup(inputs)
    table = pd.DataFrame(
        {
            **_score_columns(scores),
            "population": inputs.places["population"].reindex(scores.index),
            "courier_flow": _trips(_flow(scores, exposure)),
            "rail_trips_per_month": _trips(exposure["rail_trips_per_month"]),
            **tell_travel(exposure, has_coaches=inputs.coaches is not None),
            "observed_lines": exposure["observed_lines"],
            "latent_exposure": exposure["latent_exposure"].round(),
            "top_origin": _named(exposure["top_origin_id"], names),
            "main_station": _named(exposure["main_station_id"], names_of(inputs.stations)),
            "enforcement_led": scores["enforcement_led"],
            **towns_beside(inputs, _flow(scores, exposure), scores),
        },
        index=scores.index,
    )
    return _with_reasons(table, scores)


def upstream_list(inputs: ProductInputs, *, n_each: int = 5) -> pd.DataFrame:
    """
    List, for each exporting area, the stations where its couriers to this force can be met first.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    n_each : int
        Most stations shown for an area.

    Returns
    -------
    pandas.DataFrame
        Where `upstream` is given: ``exporting_area, station_id, station, minutes_from_area, met_trips_per_month,
        met_share, pick_order, cover_share``, the stations picked first, then the nearest. Else those where couriers
        board or change: ``exporting_area, station_id, station, in_force_area, boarding_trips_per_month,
        interchange_trips_per_month, share_of_area``, largest flow first within an area. The share is of all the
        trips a month that board anywhere for that area.
    """
    if inputs.upstream is not None:
        return _upstream_picks(inputs, n_each)
    flows = inputs.station_flows[inputs.station_flows["origin_id"].isin(inputs.exporters.index)]
    columns = ["boarding_trips_per_month", "interchange_trips_per_month"]
    parts = flows.groupby(["origin_id", "station_id"], sort=True)[columns].sum().reset_index()
    # Sums are compared as they are told, so that a last bit decides no order.
    parts["met"] = round_figures(parts[columns].sum(axis=1), figures=_SORT_FIGURES)
    boarded = parts.groupby("origin_id")["boarding_trips_per_month"].sum()
    parts["share_of_area"] = (parts["met"] / parts["origin_id"].map(boarded)).round(_SHARE_DECIMALS)
    parts = parts[parts["met"] > 0].sort_values(["origin_id", "met", "station_id"], ascending=[True, False, True])
    parts = parts.groupby("origin_id", sort=True).head(n_each)
    parts["exporting_area"] = _named(parts["origin_id"], names_of(inputs.exporters))
    parts["station"] = _named(parts["station_id"], names_of(inputs.stations))
    known = inputs.stations["is_in_force"].to_dict()
    parts["in_force_area"] = [bool(known.get(station, False)) for station in parts["station_id"]]
    parts = parts.assign(**{name: _trips(parts[name]) for name in columns})
    return parts[["exporting_area", "station_id", "station", "in_force_area", *columns, "share_of_area"]].reset_index(
        drop=True
    )


def _upstream_picks(inputs: ProductInputs, n_each: int) -> pd.DataFrame:
    """Upstream stations, an area's picked set first and in its order, then by minutes."""
    table = inputs.upstream
    if table is None:
        return pd.DataFrame()
    names = name_lookup(inputs)
    place = table["pick_order"].where(table["pick_order"] > 0, np.iinfo(np.int64).max)
    order = table.assign(
        place=place,
        exporting_area=_named(table["origin_id"], names),
        station=_named(table["station_id"], names_of(inputs.stations)),
    ).sort_values(["origin_id", "place", "time_min", "station_id"], kind="stable")
    order = order.groupby("origin_id", sort=False).head(n_each)
    order = order.assign(
        minutes_from_area=order["time_min"].round(),
        pick_order=order["pick_order"].where(order["pick_order"] > 0).astype(float),
        met_trips_per_month=_trips(order["met_trips_per_month"]),
        **{c: order[c].round(_SHARE_DECIMALS) for c in ("met_share", "cover_share")},
    )
    columns = ["exporting_area", "station_id", "station", "minutes_from_area", "met_trips_per_month"]
    return order[[*columns, "met_share", "pick_order", "cover_share"]].reset_index(drop=True)


def top_parts(inputs: ProductInputs, part: str, *, n_each: int = 5) -> dict[str, list[tuple[str, float]]]:
    """
    Find the largest origins or destinations of the flow met at each station.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    part : str
        ``origin_id`` or ``destination_id``.
    n_each : int
        Most parts given for a station.

    Returns
    -------
    dict of str to list of (str, float)
        For each station_id, ids and trips a month that board, change or alight there, largest first.
    """
    flows = inputs.station_flows
    met = flows[list(MET_ON_PLATFORM)].sum(axis=1)
    summed = met.groupby([flows["station_id"], flows[part]], sort=True).sum()
    sums = summed[summed > 0].rename("trips").reset_index()
    sums["trips"] = round_figures(sums["trips"], figures=_SORT_FIGURES)
    sums = sums.sort_values(["station_id", "trips", part], ascending=[True, False, True])
    parts: dict[str, list[tuple[str, float]]] = {}
    heads = sums.groupby("station_id", sort=True).head(n_each)
    for station, other, trips in heads[["station_id", part, "trips"]].itertuples(index=False):
        parts.setdefault(str(station), []).append((str(other), float(round_figures(trips))))
    return parts


def name_lookup(inputs: ProductInputs) -> dict[str, str]:
    """
    Give the name of every origin and destination by its id.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    dict of str to str
        Names of places and exporters.
    """
    return {**names_of(inputs.places), **names_of(inputs.exporters)}


def names_of(table: pd.DataFrame) -> dict[str, str]:
    """
    Give the names of a table by its ids.

    Parameters
    ----------
    table : pandas.DataFrame
        With a column ``name``.

    Returns
    -------
    dict of str to str
        Names by id.
    """
    return {str(i): str(name) for i, name in zip(table.index, table["name"], strict=True)}


def _meeting(inputs: ProductInputs, index: pd.Index) -> dict[str, pd.Series]:
    return tell_meeting(
        inputs.stations,
        index,
        basis=inputs.trains_basis,
        trains=inputs.station_trains,
        home=inputs.trains_home,
        replacements=inputs.replacements,
    )


def _by_rank(scores: pd.DataFrame) -> pd.DataFrame:
    """Rows are by rank and, in a tie, by id: one order whatever the input's."""
    return scores.sort_index().sort_values("rank", kind="stable")


def _score_columns(scores: pd.DataFrame) -> dict[str, pd.Series]:
    told = tell_scores(scores)
    columns = {c: told[c] for c in ("name", "tier", "score", "rank", "rank_low", "rank_high", "p_top_10")}
    # The posterior's own, which a weighted index does not have.
    further = ("score_low", "score_high", "trips_low", "trips_high", "p_core")
    issued = is_issued(scores)
    return {**columns, "is_rank_issued": issued, **{c: told[c] for c in further if c in told.columns}}


def is_issued(scores: pd.DataFrame) -> pd.Series:
    """
    Say which ranks may be shown as a number.

    Parameters
    ----------
    scores : pandas.DataFrame
        A scored list.

    Returns
    -------
    pandas.Series
        False where the rank's interval is too wide, or rests on no evidence.
    """
    issued = scores["tier"] != "insufficient data"
    return issued & scores["is_rank_issued"].astype(bool) if "is_rank_issued" in scores.columns else issued


def _with_reasons(table: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Reasons stand last, and sum to the score as it is printed."""
    columns = reason_columns(scores)
    if not columns:
        return table
    summed = scores[columns].sum(axis=1)
    odd = (summed - scores["score"]).abs() > _MOST_DRIFT
    if odd.any():
        first = scores.index[odd.to_numpy()][0]
        msg = (
            f"scores: reasons of {first!r} sum to {summed[first]:g} but its score is {scores['score'][first]:g}, "
            "expected the same. This is a defect in the scoring; report it."
        )
        raise IntegrityError(msg)
    return pd.concat([table, tell_scores(scores)[columns]], axis=1)


def _flow(scores: pd.DataFrame, exposure: pd.DataFrame) -> pd.Series:
    """Trips a month as the posterior has them; as the flow adds them up where the list is an index."""
    own = "trips_per_month"
    return scores[own] if own in scores.columns else exposure["courier_trips_per_month"]


def _trips(values: pd.Series) -> pd.Series:
    """Trips as every product tells them."""
    return pd.Series(round_figures(values), index=values.index, name=values.name)


def _named(ids: pd.Series, names: Mapping[str, str]) -> pd.Series:
    """Ids are names where one is known, themselves where not, null where null."""
    return pd.Series([None if pd.isna(i) else names.get(i, i) for i in ids], index=ids.index, dtype="str")
