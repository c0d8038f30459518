"""
The map's data as plain values: columns instead of rows, ids as positions, coordinates as whole steps of a degree.

Everything here is drawn by the page's own script as text, never as markup. Coordinates are rounded to the published
precision before they leave: five decimals of a degree for stations and towns (about a metre), four for lines and areas.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib import colormaps
from matplotlib.colors import to_hex

from gateline.products.coach_stops import map_coach_stops
from gateline.products.coach_tables import join_stops
from gateline.products.guidance import (
    BAND_MEANING,
    HOTSPOT_METHODS,
    LIMITS,
    SAFEGUARDING,
    how_to_read,
    score_label,
    score_meaning,
    tier_meaning,
)
from gateline.products.hours import tell_week
from gateline.products.inputs import FICTIONAL_NOTE, ProductInputs
from gateline.products.interception import describe_plan, worked_stations
from gateline.products.lists import name_lookup, names_of, station_list, top_parts, town_list, upstream_list
from gateline.products.map_values import as_told, long_text, numbers, plain, text_of, texts
from gateline.products.meeting import MEETING_COLUMNS, meeting_lines
from gateline.products.plan_notes import stop_facts
from gateline.products.reasons import reason_columns, reason_label
from gateline.products.travel import map_travel
from geo.crs import to_wgs84_arrays
from geo.disclosure.quadtree import PROFILES
from models.telling import count_decimals, round_figures

__all__ = ["map_payload"]

_LINE_STEPS_PER_DEG = 10_000
_POINT_DECIMALS = 5
_LEAST_SQUARE_M = 50
_N_UPSTREAM = 6
# Sampled away from the ends, where neighbours are hard to tell apart on white or on black.
_PALETTE_AT = np.linspace(0.12, 0.88, 5)


def map_payload(
    inputs: ProductInputs, *, line_tolerance_m: float = 60.0, land_tolerance_m: float = 150.0
) -> dict[str, Any]:
    """
    Turn the tables of a run into the values that the map's script draws.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    line_tolerance_m, land_tolerance_m : float
        Greatest shift, in metres, when lines and outlines are simplified for display.

    Returns
    -------
    dict
        JSON-ready; the same inputs in any row order give the same values.
    """
    return {
        "marks": _marks(inputs),
        "palettes": {name: [to_hex(colormaps[name](at)) for at in _PALETTE_AT] for name in ("magma", "cividis")},
        "stations": _stations(inputs),
        "others": _other_stations(inputs),
        "towns": _towns(inputs),
        "links": _links(inputs, line_tolerance_m),
        "hotspots": _hotspots(inputs),
        "bands": {**_bands(inputs.cuckooing_bands, land_tolerance_m), "note": _band_note(inputs.marks.profile)},
        "upstream": _upstream(inputs),
        "plan": _plan(inputs),
        **map_coach_stops(inputs),
        "base": {
            "land": _paths(_land(inputs), land_tolerance_m),
            "far": _paths(_shapes(inputs.coast, is_area=True), land_tolerance_m),
            "areas": _paths(inputs.areas, land_tolerance_m),
            "coast": _paths(_shapes(inputs.coast, is_area=False), land_tolerance_m),
            "roads": _paths(inputs.roads, line_tolerance_m),
        },
    }


def _marks(inputs: ProductInputs) -> dict[str, Any]:
    marks = inputs.marks
    missing = [("Missing", marks.gaps)] if marks.gaps else []
    return {
        "title": text_of(marks.title),
        "marking": text_of(marks.marking),
        "fictional": FICTIONAL_NOTE if marks.is_fictional else "",
        # Last, so that a narrow page cuts this off before what it must show.
        "lines": [[label, long_text(text)] for label, text in (*replace(marks, gaps="").lines(), *missing)],
        "credits": [long_text(text) for text in marks.credits],
        "limits": [long_text(text) for text in (*LIMITS, *marks.limits)],
        "reading": how_to_read(inputs.index_lists, inputs.trips_level),
        "safeguarding": list(SAFEGUARDING),
    }


def _stations(inputs: ProductInputs) -> dict[str, Any]:
    table = station_list(inputs)
    where = inputs.stations.loc[table.index]
    names = name_lookup(inputs)
    parts = {}
    for key, part in (("origins", "origin_id"), ("destinations", "destination_id")):
        top = top_parts(inputs, part)
        parts[key] = [[[text_of(names.get(i, i)), plain(v)] for i, v in top.get(str(s), [])] for s in table.index]
    return {
        **_points(where),
        **_scores(table, "station_id"),
        **_words("stations", inputs),
        **parts,
        "in_force": table["in_force_area"].tolist(),
        "flow": as_told(table["courier_flow"]),
        "boarding": as_told(table["boarding_trips_per_month"]),
        "changing": as_told(table["interchange_trips_per_month"]),
        "alighting": as_told(table["alighting_trips_per_month"]),
        "per_100k": as_told(table["courier_flow_per_100k_passengers"]),
        "footfall": as_told(table["entries_exits_per_year"]),
        "harm": as_told(table["hotspot_harm_within_15_min_walk"]),
        **_beside(table, ("rank_per_passenger", "harm_near", "rank_harm")),
        **tell_week(inputs.station_hours, table.index),
        **_meetings(table),
    }


def _meetings(table: pd.DataFrame) -> dict[str, Any]:
    """Gates, staff and trains in words: the distinct lists, and that of each station."""
    columns = {name: table[name] for name in MEETING_COLUMNS if name in table.columns}
    if not columns:
        return {}
    told = [tuple((label, long_text(text)) for label, text in meeting_lines(columns, str(i))) for i in table.index]
    distinct = sorted(set(told))
    at = {lines: k for k, lines in enumerate(distinct)}
    return {
        "meetings": [[list(line) for line in lines] for lines in distinct],
        "meeting": [at[lines] for lines in told],
    }


def _other_stations(inputs: ProductInputs) -> dict[str, Any]:
    """Stations on the drawn links that have no score of their own: where the railway goes next."""
    ends = pd.concat([inputs.rail_links["from_station_id"], inputs.rail_links["to_station_id"]]).unique()
    others = inputs.stations.index.intersection(ends).difference(inputs.station_scores.index).sort_values()
    where = inputs.stations.loc[others]
    return {**_points(where), "id": others.astype(str).tolist(), "name": texts(where["name"])}


def _towns(inputs: ProductInputs) -> dict[str, Any]:
    table = town_list(inputs)
    return {
        **_points(inputs.places.loc[table.index]),
        **_scores(table, "place_id"),
        **_words("towns", inputs),
        "population": as_told(table["population"]),
        "observed": as_told(table["observed_lines"]),
        "latent": as_told(table["latent_exposure"]),
        "flow": as_told(table["courier_flow"]),
        "unseen": as_told(table["unseen_share"]),
        **map_travel(table),
        "per_head": as_told(table["trips_per_10k_residents"]),
        **_beside(table, ("rank_per_head", "harm_in_town", "rank_harm", "child_score", "rank_child")),
        "origin": texts(table["top_origin"]),
        "station": texts(table["main_station"]),
    }


def _words(what: str, inputs: ProductInputs) -> dict[str, Any]:
    """What the score and the tiers of a list mean, to stand where they stand."""
    is_index = what in inputs.index_lists
    return {
        "is_index": is_index,
        "meaning": score_meaning(what, is_index=is_index, railway=inputs.marks.railway),
        "label": score_label(is_index=is_index),
        "tiers": tier_meaning(is_index=is_index),
    }


def _beside(table: pd.DataFrame, names: tuple[str, ...]) -> dict[str, list[float | None]]:
    """What stands beside the score, where the run has it."""
    return {name: as_told(table[name]) for name in names if name in table.columns}


def _scores(table: pd.DataFrame, id_name: str) -> dict[str, Any]:
    columns = reason_columns(table)
    further = [name for name in ("score_low", "score_high", "trips_low", "trips_high") if name in table.columns]
    return {
        **{name: as_told(table[name]) for name in further},
        "id": [text_of(i) for i in table.index],
        "id_name": id_name,
        "name": texts(table["name"]),
        "tier": table["tier"].tolist(),
        "score": table["score"].tolist(),
        "decimals": count_decimals(table["score"]).tolist(),
        "rank": table["rank"].tolist(),
        "issued": table["is_rank_issued"].tolist(),
        "low": table["rank_low"].round(0).astype(int).tolist(),
        "high": table["rank_high"].round(0).astype(int).tolist(),
        "p10": table["p_top_10"].tolist(),
        "enforcement_led": table["enforcement_led"].tolist(),
        "reason_names": [text_of(reason_label(column)) for column in columns],
        "reasons": table[columns].to_numpy().tolist(),
    }


def _links(inputs: ProductInputs, tolerance_m: float) -> dict[str, Any]:
    """Links with flow by origin; a link without flow is drawn as plain track."""
    links = inputs.rail_links.sort_index()
    position = {link: k for k, link in enumerate(links.index)}
    flows = inputs.segment_flows
    total = flows.groupby("link_id", sort=True)["trips_per_month"].sum().reindex(links.index).fillna(0.0)
    sums = flows.groupby(["link_id", "origin_id"], sort=True)["trips_per_month"].sum()
    sums = sums[sums > 0]
    names = name_lookup(inputs)
    by_origin = sums.groupby(level="origin_id").sum().round(6)
    order = sorted(by_origin.index, key=lambda i: (-by_origin[i], str(i)))
    at = {origin: k for k, origin in enumerate(order)}
    flow: list[list[list[float]]] = [[] for _ in position]
    for link, origin, trips in sums.reset_index().itertuples(index=False):
        if link in position:
            flow[position[link]].append([at[origin], plain(float(round_figures(trips)))])
    stations = names_of(inputs.stations)
    return {
        "path": _paths(links, tolerance_m, keep_empty=True),
        "from": [text_of(stations.get(i, i)) for i in links["from_station_id"]],
        "to": [text_of(stations.get(i, i)) for i in links["to_station_id"]],
        "km": (links["length_m"] / 1_000).round(1).tolist(),
        "minutes": links["time_min"].round(0).astype(int).tolist(),
        "flow": flow,
        # What a link carries in all, rounded once: rounded parts would sum to another figure.
        "total": [plain(value) for value in round_figures(total)],
        "origins": [text_of(names.get(i, i)) for i in order],
    }


def _hotspots(inputs: ProductInputs) -> dict[str, Any]:
    spots = inputs.hotspots.sort_index()
    methods = _methods(spots)
    monthly = inputs.hotspot_months
    months = sorted({*spots["first_month"].unique(), *spots["last_month"].unique()})
    months = list(pd.period_range(months[0], months[-1], freq="M")) if months else []
    at = {month: k for k, month in enumerate(months)}
    counts: list[list[list[int | None]]] = [[] for _ in range(len(spots))]
    if monthly is not None:
        position = {spot: k for k, spot in enumerate(spots.index)}
        rows = monthly.sort_values(["hotspot_id", "month"])[["hotspot_id", "month", "n_offences"]]
        for spot, month, n in rows.itertuples(index=False):
            if spot in position and month in at:
                counts[position[spot]].append([at[month], None if pd.isna(n) else int(n)])
    stations = names_of(inputs.stations)
    return {
        "path": _paths(spots, 10.0, keep_empty=True),
        "methods": [text_of(HOTSPOT_METHODS.get(method, method)) for method in methods],
        "square_m": [_square_side_m(spots[spots["method"] == method]) for method in methods],
        "method": [methods.index(method) for method in spots["method"]],
        "n": spots["n_offences"].astype(int).tolist(),
        "area_km2": numbers(spots["area_km2"]),
        "z": numbers(spots["z_score"]),
        "q": numbers(spots["q_value"]),
        "station": [None if pd.isna(i) else text_of(stations.get(i, i)) for i in spots["nearest_station_id"]],
        "walk": numbers(spots["walk_min"]),
        "first": [at[month] for month in spots["first_month"]],
        "last": [at[month] for month in spots["last_month"]],
        "months": [month.strftime("%B %Y") for month in months],
        "lacking": [_text_of_forces(inputs.forces_missing.get(month, ())) for month in months],
        "counts": counts,
        "has_counts": monthly is not None,
    }


def _text_of_forces(forces: tuple[str, ...]) -> str:
    return long_text(f"no rows of {', '.join(forces)}") if forces else ""


def _methods(spots: gpd.GeoDataFrame) -> list[str]:
    """Methods in the order in which they are offered; those without a place in it last."""
    order = {method: k for k, method in enumerate(HOTSPOT_METHODS)}
    return sorted(spots["method"].unique(), key=lambda method: (order.get(method, len(order)), method))


def _square_side_m(spots: gpd.GeoDataFrame) -> int | None:
    """Metres of the grid that every corner lies on; null where the shapes are on none that a reader could see."""
    corners = shapely.get_coordinates(spots.geometry.to_numpy())
    if len(corners) == 0 or (corners % 1.0).any():
        return None
    side_m = int(np.gcd.reduce((corners - corners[0]).astype(np.int64).ravel()))
    return side_m if side_m >= _LEAST_SQUARE_M else None


def _upstream(inputs: ProductInputs) -> dict[str, Any]:
    """Stations where each exporting area's flow can be met first; empty where they were not sought."""
    if inputs.upstream is None:
        return {"lon": [], "lat": [], "name": [], "area": [], "minutes": [], "met": [], "pick": [], "cover": []}
    table = upstream_list(inputs, n_each=_N_UPSTREAM)
    return {
        **_points(inputs.stations.loc[table["station_id"]]),
        "name": texts(table["station"]),
        "area": texts(table["exporting_area"]),
        "minutes": as_told(table["minutes_from_area"]),
        "met": as_told(table["met_share"]),
        "pick": as_told(table["pick_order"]),
        "cover": as_told(table["cover_share"]),
    }


def _plan(inputs: ProductInputs) -> dict[str, Any] | None:
    """Stations by how often the plan works them, and by flow unmet and moved; null where there is no plan."""
    if inputs.plan is None:
        return None
    table = worked_stations(inputs)
    nothing = pd.Series(np.nan, index=table.index)
    return {
        **_points(join_stops(inputs.stations, inputs.coaches).loc[table.index]),
        "name": texts(table["name"]),
        "shifts": table["n_shifts"].astype(int).tolist(),
        "worked": numbers(table["worked_share"]),
        "hours": numbers(table["hours"]),
        "met": numbers(table["met_share_here"], figures=2),
        "unmet": numbers(table.get("residual_trips_per_month", nothing), figures=2),
        "moved": numbers(table.get("moved_trips_per_month", nothing), figures=2),
        "beside": [[text_of(text) for text in stop_facts(row)] for row in table.to_dict("records")],
        "lines": [long_text(line) for line in describe_plan(inputs)],
    }


def _band_note(profile: str) -> str:
    """What a square says, with the floors of the profile."""
    rule = PROFILES.get(profile)
    if rule is None:
        return ""
    return BAND_MEANING.format(min_addresses=rule.min_addresses, min_dwellings=rule.min_dwellings)


def _land(inputs: ProductInputs) -> gpd.GeoDataFrame | None:
    """The boundaries; without any, all the small areas as one."""
    if inputs.areas is None or len(inputs.boundaries):
        return inputs.boundaries
    whole = shapely.union_all(inputs.areas.geometry.to_numpy())
    return gpd.GeoDataFrame(geometry=[whole], crs=inputs.areas.crs)


def _shapes(layer: gpd.GeoDataFrame | None, *, is_area: bool) -> gpd.GeoDataFrame | None:
    """The areas of a layer, or the rest of it."""
    return None if layer is None else layer[layer.geom_type.str.endswith("Polygon") == is_area]


def _bands(bands: gpd.GeoDataFrame | None, tolerance_m: float) -> dict[str, Any]:
    if bands is None:
        return {"path": [], "band": []}
    # Neighbouring areas of one band are one area: nothing inside a band needs to be told apart.
    merged = bands[["band", "geometry"]].dissolve("band", sort=True)
    return {"path": _paths(merged, tolerance_m, keep_empty=True), "band": [int(band) for band in merged.index]}


def _points(where: pd.DataFrame) -> dict[str, list[float]]:
    lon_deg, lat_deg = to_wgs84_arrays(where["easting_m"].to_numpy(), where["northing_m"].to_numpy())
    return {"lon": lon_deg.round(_POINT_DECIMALS).tolist(), "lat": lat_deg.round(_POINT_DECIMALS).tolist()}


def _paths(layer: gpd.GeoDataFrame | None, tolerance_m: float, *, keep_empty: bool = False) -> list[list[list[int]]]:
    """Each feature as rings or lines, each a flat list of steps: the first absolute, the rest from the one before."""
    if layer is None or layer.empty:
        return []
    shapes = shapely.simplify(layer.sort_index().geometry.to_numpy(), tolerance_m)
    features = [_rings(shape) for shape in shapes]
    return features if keep_empty else [feature for feature in features if feature]


def _rings(shape: Any) -> list[list[int]]:  # noqa: ANN401 - any geometry
    parts = shapely.get_parts(shape)
    if shapely.get_type_id(parts[0]) == 3 if len(parts) else False:
        parts = shapely.get_rings(parts)
    rings = []
    for part in parts:
        easting_m, northing_m = shapely.get_coordinates(part).T
        lon_deg, lat_deg = to_wgs84_arrays(easting_m, northing_m)
        steps = np.round(np.column_stack([lon_deg, lat_deg]) * _LINE_STEPS_PER_DEG).astype(int)
        moved = np.vstack([steps[:1], np.diff(steps, axis=0)])
        moved = moved[np.r_[True, np.any(moved[1:] != 0, axis=1)]]
        rings.append(moved.ravel().tolist())
    return rings
