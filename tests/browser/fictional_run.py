"""A made-up run of any size, with invented names on an invented coast, for tests of products and the map's budget."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import cKDTree
from shapely import MultiPoint, Point
from shapely.geometry import LineString, Polygon, box

from gateline.products.inputs import Marks, ProductInputs
from geo.corridors.hours import allot_hours

WEST_M, SOUTH_M = 400_000.0, 420_000.0
REASONS = ("courier_flow", "hotspot_harm", "rail_reach", "town_demand", "enforcement_evidence")
_FIRST = [
    "Alder",
    "Birk",
    "Crag",
    "Dene",
    "Elms",
    "Fos",
    "Gar",
    "Hart",
    "Inge",
    "Kel",
    "Lin",
    "Mar",
    "Nor",
    "Os",
    "Pock",
]
_LAST = ["by", "thorpe", "wick", "ford", "ton", "dale", "ham", "ley", "with", "gate", "beck", "moor", "kirk", "stow"]


def marks(**changes: object) -> Marks:
    values = {
        "title": "North Riding",
        "run_id": "r-20250930-0f3a9c",
        "period": "January to September 2025",
        "profile": "tactical",
        "marking": "OFFICIAL-SENSITIVE",
        "operator": "A. Planner",
        "expires_on": "2026-10-31",
        "is_fictional": True,
        "credits": ("Invented stations, towns and track; no real place is shown",),
        "limits": ("Every offence and address is invented.",),
    }
    return Marks(**{**values, **changes})  # type: ignore[arg-type]


def build_run(
    n_stations: int = 60, *, n_hotspots: int = 40, n_offences: int = 2_000, random_state: int = 7
) -> ProductInputs:
    rng = np.random.default_rng(random_state)
    stations = _stations(n_stations, rng)
    links, graph = _links(stations)
    places = _places(stations, rng)
    exporters = _exporters(stations, rng)
    station_flows, segment_flows = _flows(stations, links, graph, places, exporters, rng)
    exposure = _station_exposure(stations, station_flows, rng)
    hotspots, months = _hotspots(stations, n_hotspots, n_offences, rng)
    side_m = 4_000 * np.sqrt(n_stations)
    land = Polygon(
        [
            (WEST_M - 9_000, SOUTH_M - 9_000),
            (WEST_M + side_m, SOUTH_M - 9_000),
            *[(WEST_M + side_m + 9_000 * np.sin(t * 5), SOUTH_M + side_m * t) for t in np.linspace(0.05, 0.95, 40)],
            (WEST_M + side_m, SOUTH_M + side_m),
            (WEST_M - 9_000, SOUTH_M + side_m),
        ]
    )
    boundaries = gpd.GeoDataFrame(
        {"name": ["North Riding"], "kind": ["force"]},
        geometry=[land],
        index=pd.Index(["B1"], name="boundary_id"),
        crs="EPSG:27700",
    )
    coast = gpd.GeoDataFrame(geometry=[LineString(land.exterior.coords[1:-3])], crs="EPSG:27700")
    bands = gpd.GeoDataFrame(
        {"band": [1, 2, 3, 4]},
        geometry=[
            box(*(Point(x, y).buffer(6_000).bounds)) for x, y in stations[["easting_m", "northing_m"]].to_numpy()[:4]
        ],
        index=pd.Index([f"Q{k}" for k in range(4)], name="area_id"),
        crs="EPSG:27700",
    )
    usage = pd.DataFrame(
        {
            "n_entries_exits_per_year": np.round(rng.lognormal(12, 1.2, n_stations)),
            "n_interchanges_per_year": 0.0,
            "usage_basis": "invented",
        },
        index=stations.index,
    )
    return ProductInputs(
        marks=marks(),
        stations=stations,
        station_scores=_scores(stations["name"], exposure["courier_trips_per_month"], rng),
        station_exposure=exposure,
        station_flows=station_flows,
        rail_links=links,
        segment_flows=segment_flows,
        places=places,
        place_scores=_scores(places["name"], places["population"], rng),
        place_exposure=_place_exposure(places, exporters, stations, rng),
        exporters=exporters,
        hotspots=hotspots,
        hotspot_months=months,
        boundaries=boundaries,
        coast=coast,
        cuckooing_bands=bands,
        station_usage=usage,
        hotspot_harm=pd.Series(np.round(rng.gamma(1, 200, n_stations)), index=stations.index),
        station_hours=_hours(exposure["courier_trips_per_month"], rng),
    )


def _hours(trips: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Every station with a week of its own: no trains at night, and any number by day."""
    trains = rng.integers(1, 9, (len(trips), 7, 24)).astype(float)
    trains[:, :, :5] = 0.0
    trains = trains.reshape(len(trips), -1)
    return allot_hours(trips, trains / trains.sum(axis=1, keepdims=True), trains=trains, prior_records=100.0)


def upstream_of(run: ProductInputs) -> pd.DataFrame:
    """For each exporting area, its hub and the next station, the hub picked."""
    rows = []
    for origin, hub in run.exporters["hub_station_id"].items():
        other = next(i for i in run.stations.index if i != hub)
        rows += [(origin, hub, 4.4, 1.0, 1, 1.0), (origin, other, 31.0, 0.456, 0, np.nan)]
    columns = ["origin_id", "station_id", "time_min", "met_share", "pick_order", "cover_share"]
    table = pd.DataFrame(rows, columns=columns).astype({"origin_id": "str", "station_id": "str"})
    table["met_trips_per_month"] = table["met_share"] * 12.0
    table.index = pd.Index(table["origin_id"] + ":" + table["station_id"], name="upstream_id")
    return table


def plan_of(run: ProductInputs) -> dict[str, object]:
    """Two days of two shifts: the first ranked station on all four, the second on one, the third drawn once."""
    first, second, third, fourth = run.station_scores["rank"].sort_values().index[:4]
    stays = [
        (1, "early", 6.0, "Alpha", first, "model", 0.8, 1.5),
        (1, "late", 14.0, "Bravo", first, "model", 0.8, 1.5),
        (2, "early", 6.0, "Bravo", first, "must", 1.0, 1.5),
        (2, "late", 18.0, "Alpha", first, "model", 0.8, 1.5),
        (2, "late", 18.0, "Charlie", second, "model", 0.4, 0.75),
        (2, "late", 18.0, "Charlie", third, "random", 0.1, 0.25),
    ]
    columns = ["day", "shift", "start_h", "team", "station_id", "reason", "propensity", "expected_met_trips"]
    plan = pd.DataFrame(stays, columns=columns)
    plan["worked_on"] = plan["day"].map({1: "2026-01-05", 2: "2026-01-06"})
    plan["end_h"] = plan["start_h"] + 8
    plan["stop"] = [1, 1, 1, 1, 1, 2]
    plan["agency"] = "force"
    plan["name"] = run.stations["name"].reindex(plan["station_id"]).to_numpy()
    plan["tier"] = run.station_scores["tier"].reindex(plan["station_id"]).to_numpy()
    plan["from_h"] = plan["start_h"] + [1.0, 1.0, 1.0, 1.0, 1.0, 6.5]
    plan["to_h"] = plan["from_h"] + 1
    plan["present_min"] = 60.0
    plan["expected_met_trips_low"] = plan["expected_met_trips"] / 10
    plan["expected_met_trips_high"] = plan["expected_met_trips"] * 4
    plan["expected_met_trips_evading"] = plan["expected_met_trips"] / 2
    text = ["shift", "station_id", "reason", "worked_on", "team", "name", "agency"]
    plan = plan.astype(dict.fromkeys(text, "str"))
    plan.index = pd.Index([f"{k:02d}" for k in range(len(plan))], name="plan_id")
    summary = {
        "n_teams": 3,
        "n_days": 2,
        "n_slots": 4,
        "team_hours": 40.0,
        # Two days of this are ten trips.
        "rail_trips_per_month": 5.0 * 365.25 / 12,
        "unlisted_share": 0.02,
        "met_share": 0.62,
        "met_share_evading": 0.41,
        "to_road_share": 0.13,
        "unmet_rail_share": 0.46,
        "best_share": 0.7,
        "bound_share": 0.74,
        "gap_share": 0.05,
        "guess_share": 0.55,
    }
    residual = pd.DataFrame(
        {"residual_trips_per_month": [3.0, 2.0, 4.0], "moved_trips_per_month": [-2.5, 0.0, 1.75]},
        index=pd.Index([first, second, fourth], name="station_id"),
    )
    return {
        "plan": plan,
        "plan_duties": duties_of(plan),
        "plan_summary": summary,
        "plan_residual": residual,
        "plan_yields": yields_of(
            {"this week": 7.0, "weeks like it": 6.5, "best fixed roster": 7.5, "most passengers": 5}
        ),
        "plan_what_ifs": yields_of({"as planned": 6.4, "twice the teams": 9.0}),
        "plan_agreement": agreement_of(run, second, third),
        "plan_notes": ("drives are made up",),
    }


def duties_of(plan: pd.DataFrame) -> pd.DataFrame:
    """Each shift from briefing to debriefing at a base in York, with a break after its first stay."""
    rows = []
    for (day, shift, team), stays in plan.sort_values("from_h").groupby(["day", "shift", "team"]):
        begins, ends = float(stays["start_h"].iloc[0]), float(stays["end_h"].iloc[0])
        at = begins + 0.25
        steps = [("briefing", None, "York", begins, at, np.nan)]
        for k, stay in enumerate(stays.to_dict("records")):
            steps.append(("drive", stay["station_id"], stay["name"], at, stay["from_h"], 21.0))
            steps.append(("stay", stay["station_id"], stay["name"], stay["from_h"], stay["to_h"], np.nan))
            at = stay["to_h"]
            if k == 0:
                steps.append(("break", stay["station_id"], stay["name"], at, at + 0.75, np.nan))
                at += 0.75
        steps.append(("drive", None, "York", at, ends - 0.25, 21.0))
        steps.append(("debriefing", None, "York", ends - 0.25, ends, np.nan))
        about = {"day": day, "worked_on": stays["worked_on"].iloc[0], "shift": shift, "team": team}
        for order, (what, station, place, from_h, to_h, drive_min) in enumerate(steps, start=1):
            told = {"agency": "force", "n_officers": 2, "order": order, "activity": what, "station_id": station}
            rows.append(about | told | {"place": place, "from_h": from_h, "to_h": to_h, "drive_min": drive_min})
    table = pd.DataFrame(rows)
    texts = ("worked_on", "shift", "team", "agency", "activity", "station_id", "place")
    table = table.astype(dict.fromkeys(texts, "str"))
    table.index = pd.Index([f"{k:03d}" for k in range(len(table))], name="duty_id", dtype="str")
    return table


def yields_of(met: dict[str, float]) -> pd.DataFrame:
    """Yields of 40 team-hours, with ranges from a tenth to four times."""
    table = pd.DataFrame({"met_per_week": met}).rename_axis("plan")
    table["team_hours_per_week"] = 40.0
    table["met_per_week_evading"] = table["met_per_week"] / 2
    for name in ("met_per_week", "met_per_week_evading"):
        table[f"{name}_low"], table[f"{name}_high"] = table[name] / 10, table[name] * 4
    for way in ("", "_evading"):
        for end, of in (("", ""), ("_low", "_high"), ("_high", "_low")):
            table[f"hours_per_meeting{way}{end}"] = 40.0 / table[f"met_per_week{way}{of}"]
        table[f"gain{way}_low"], table[f"gain{way}_high"] = -0.1, 1.0
    return table


def agreement_of(run: ProductInputs, worked: str, unworked: str) -> pd.DataFrame:
    """One station of each kind that has to be explained."""
    rows = [
        {"station_id": i, "name": run.stations["name"][i], "tier": tier, "is_worked": tier == "C"}
        | {"trips_per_week": 1.234, "met_elsewhere_share": 0.2, "best_gain_trips": 0.05, "base_drive_min": 33.3}
        | {"worked_chance": 0.25, "reason": f"{run.stations['name'][i]} (tier {tier}) has its reason."}
        for i, tier in ((unworked, "A"), (worked, "C"))
    ]
    return pd.DataFrame(rows).set_index("station_id")


def _names(n: int) -> list[str]:
    base = [a + b for b in _LAST for a in _FIRST]
    return [base[k % len(base)] + ("" if k < len(base) else f" {k // len(base) + 1}") for k in range(n)]


def _stations(n: int, rng: np.random.Generator) -> pd.DataFrame:
    side_m = 4_000 * np.sqrt(n)
    grid = np.ceil(np.sqrt(n))
    cell = np.arange(n)
    easting = WEST_M + (cell % grid + rng.uniform(0.1, 0.9, n)) * side_m / grid
    northing = SOUTH_M + (cell // grid + rng.uniform(0.1, 0.9, n)) * side_m / grid
    codes = ["".join(chr(65 + k // 26**p % 26) for p in (2, 1, 0)) for k in range(n)]
    return pd.DataFrame(
        {
            "name": _names(n),
            "easting_m": easting.round(1),
            "northing_m": northing.round(1),
            "is_in_force": np.arange(n) % 8 > 0,
        },
        index=pd.Index(codes, name="station_id"),
    )


def _links(stations: pd.DataFrame) -> tuple[gpd.GeoDataFrame, coo_matrix]:
    points = stations[["easting_m", "northing_m"]].to_numpy()
    distance, near = cKDTree(points).query(points, k=min(6, len(points)))
    rows = np.repeat(np.arange(len(points)), near.shape[1] - 1)
    full = coo_matrix((distance[:, 1:].ravel(), (rows, near[:, 1:].ravel())), shape=(len(points),) * 2)
    tree = minimum_spanning_tree(full).tocoo()
    shapes = [
        LineString([points[a], (points[a] + points[b]) / 2 + (points[b] - points[a])[::-1] * [0.06, -0.06], points[b]])
        for a, b in zip(tree.row, tree.col, strict=True)
    ]
    length = np.array([shape.length for shape in shapes])
    ids = stations.index.to_numpy()
    links = gpd.GeoDataFrame(
        {
            "from_station_id": ids[tree.row],
            "to_station_id": ids[tree.col],
            "length_m": length,
            "time_min": length / 1_200,
            "time_basis": "assumed_speed",
            "repaired_m": 0.0,
        },
        geometry=shapes,
        index=pd.Index([f"{ids[a]}-{ids[b]}" for a, b in zip(tree.row, tree.col, strict=True)], name="link_id"),
        crs="EPSG:27700",
    )
    return links, tree


def _places(stations: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    towns = stations.iloc[::3]
    return pd.DataFrame(
        {
            "name": towns["name"].to_numpy(),
            "easting_m": towns["easting_m"].to_numpy() + 800,
            "northing_m": towns["northing_m"].to_numpy() - 600,
            "population": np.round(rng.lognormal(9.3, 1.0, len(towns))),
            "population_basis": "invented",
            "is_in_force": True,
        },
        index=pd.Index([f"P{k:04d}" for k in range(len(towns))], name="place_id"),
    )


def _exporters(stations: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    hubs = stations.iloc[:: max(len(stations) // 6, 1)].iloc[:6]
    names = ["Irwell City", "Mersey Dock", "Aire Valley", "Tees Mouth", "Don Side", "Trent Cross"][: len(hubs)]
    return pd.DataFrame(
        {
            "name": names,
            "easting_m": hubs["easting_m"].to_numpy(),
            "northing_m": hubs["northing_m"].to_numpy(),
            "population": 1e6,
            "hub_station_id": hubs.index.to_numpy(),
            "n_lines": np.arange(len(hubs), 0, -1, dtype=float),
            "prior_lines": np.nan,
        },
        index=pd.Index([f"E{k}" for k in range(len(hubs))], name="exporter_id"),
    )


def _flows(
    stations: pd.DataFrame,
    links: gpd.GeoDataFrame,
    graph: coo_matrix,
    places: pd.DataFrame,
    exporters: pd.DataFrame,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    at = {code: k for k, code in enumerate(stations.index)}
    link_of = {frozenset(pair): k for k, pair in enumerate(zip(graph.row, graph.col, strict=True))}
    rows: list[tuple[str, str, str, float, float]] = []
    on_link = np.zeros((len(links), len(exporters)))
    hubs = [at[hub] for hub in exporters["hub_station_id"]]
    _, before = dijkstra(graph, directed=False, indices=hubs, return_predecessors=True)
    codes = stations.index.to_numpy()
    for e, (origin, hub) in enumerate(zip(exporters.index, hubs, strict=True)):
        for k, place in enumerate(places.index):
            trips = round(float(places["population"].iloc[k]) / 20_000 * rng.uniform(0.2, 2), 3)
            end = node = 3 * k
            while node != hub and before[e, node] >= 0:
                on_link[link_of[frozenset((node, before[e, node]))], e] += trips
                node = before[e, node]
            rows.append((codes[hub], origin, place, trips, 0.0))
            rows.append((codes[end], origin, place, 0.0, trips))
    table = pd.DataFrame(
        rows,
        columns=["station_id", "origin_id", "destination_id", "boarding_trips_per_month", "alighting_trips_per_month"],
    )
    table["interchange_trips_per_month"] = 0.0
    table["calling_trips_per_month"] = 0.0
    table.index = pd.Index([f"F{k:06d}" for k in range(len(table))], name="station_flow_id")
    link, origin = np.nonzero(on_link)
    segments = pd.DataFrame(
        {
            "link_id": links.index.to_numpy()[link],
            "origin_id": exporters.index.to_numpy()[origin],
            "trips_per_month": on_link[link, origin],
        },
        index=pd.Index([f"S{k:06d}" for k in range(len(link))], name="segment_flow_id"),
    )
    return table, segments


def _station_exposure(stations: pd.DataFrame, flows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    columns = [
        "boarding_trips_per_month",
        "interchange_trips_per_month",
        "calling_trips_per_month",
        "alighting_trips_per_month",
    ]
    sums = flows.groupby("station_id")[columns].sum().reindex(stations.index).fillna(0.0)
    sums["courier_trips_per_month"] = sums[columns].sum(axis=1)
    sums["courier_trips_per_100k_passengers"] = sums["courier_trips_per_month"] * rng.uniform(0.5, 2, len(sums))
    for part in ("origin", "destination"):
        top = flows.drop_duplicates("station_id").set_index("station_id")[f"{part}_id"]
        sums[f"top_{part}_id"] = top.reindex(stations.index)
    return sums


def _scores(names: pd.Series, size: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    n = len(names)
    base = size.rank(pct=True).to_numpy() ** 2 * 70 + rng.uniform(0, 25, n)
    shares = rng.dirichlet(np.full(len(REASONS), 2.0), n)
    table = pd.DataFrame({"name": names, "score": base}, index=names.index)
    table["rank"] = table["score"].rank(ascending=False, method="min").astype("int64")
    table["rank_low"] = np.maximum(table["rank"] - rng.integers(0, 5, n), 1).astype("int64")
    table["rank_high"] = np.minimum(table["rank"] + rng.integers(0, 8, n), n).astype("int64")
    table["p_top_10"] = np.clip(1.25 - table["rank"] / 12, 0, 1).round(3)
    table["tier"] = np.select([table["p_top_10"] >= 0.8, table["p_top_10"] >= 0.4], ["A", "B"], "C")
    table.loc[table["rank"] > 0.9 * n, "tier"] = "insufficient data"
    table["enforcement_led"] = table["rank"].isin([4, 9])
    for k, reason in enumerate(REASONS):
        table[f"reason_{reason}"] = base * shares[:, k]
    return table


def _place_exposure(
    places: pd.DataFrame, exporters: pd.DataFrame, stations: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(places)
    observed = np.where(np.arange(n) % 4 == 0, rng.integers(1, 8, n).astype(float), np.nan)
    trips = rng.gamma(2, 3, n)
    return pd.DataFrame(
        {
            "courier_trips_per_month": trips,
            "rail_trips_per_month": trips * 0.7,
            "unseen_share": 0.3,
            "observed_lines": observed,
            "latent_exposure": np.where(np.isnan(observed), rng.uniform(0, 80, n), np.nan),
            "top_origin_id": exporters.index.to_numpy()[rng.integers(0, len(exporters), n)],
            "main_station_id": stations.index.to_numpy()[::3],
        },
        index=places.index,
    )


def _hotspots(
    stations: pd.DataFrame, n: int, n_offences: int, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    near = rng.integers(0, len(stations), n)
    centre = stations[["easting_m", "northing_m"]].to_numpy()[near] + rng.normal(0, 900, (n, 2))
    hulls = [MultiPoint(c + rng.normal(0, 350, (12, 2))).convex_hull for c in centre]
    counts = np.maximum(rng.multinomial(n_offences, rng.dirichlet(np.full(n, 0.6))), 1)
    ids = pd.Index([f"H{k:04d}" for k in range(n)], name="hotspot_id")
    months = pd.period_range("2025-01", "2025-09", freq="M")
    hotspots = gpd.GeoDataFrame(
        {
            "method": np.where(np.arange(n) % 2 == 0, "density clusters", "Gi* on a 500 m grid"),
            "easting_m": centre[:, 0],
            "northing_m": centre[:, 1],
            "n_offences": counts,
            "weight": counts * 1.5,
            "area_km2": [hull.area / 1e6 for hull in hulls],
            "first_month": pd.PeriodIndex([months[0]] * n),
            "last_month": pd.PeriodIndex([months[-1]] * n),
            "z_score": rng.uniform(2, 6, n),
            "q_value": rng.uniform(0, 0.05, n),
            "nearest_station_id": stations.index.to_numpy()[near],
            "walk_min": rng.uniform(1, 25, n),
            "walk_basis": "straight_line_detour",
        },
        geometry=hulls,
        index=ids,
        crs="EPSG:27700",
    )
    by_month = np.array([rng.multinomial(count, np.full(9, 1 / 9)) for count in counts])
    k, m = np.nonzero(by_month)
    monthly = pd.DataFrame(
        {"hotspot_id": ids.to_numpy()[k], "month": months[m], "n_offences": by_month[k, m].astype(float)},
        index=pd.Index([f"{ids[a]}:{months[b]}" for a, b in zip(k, m, strict=True)], name="hotspot_month_id"),
    )
    monthly.loc[monthly["n_offences"] < 5, "n_offences"] = np.nan
    return hotspots, monthly
