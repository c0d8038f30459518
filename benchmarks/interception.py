"""
The interception plan: `python -m benchmarks.interception`.

The proven list of a generated network of 69 stations and 6 lines, the game against maximum flow, list and duty roster
of a week in North Yorkshire on the real files, and 50 of all stations of Great Britain against 100,000 pairs.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from itertools import product
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from benchmarks.duty_weeks import report_week
from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from benchmarks.main_job import make_workspace
from benchmarks.railway_hours import gwent_settings
from gateline.pipeline.journeys import price_journeys
from gateline.pipeline.planning import RunPlan, plan_run
from gateline.pipeline.posterior import fit_posterior
from gateline.pipeline.railway import build_railway
from gateline.pipeline.read import Inputs, read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import Results, run_stages
from gateline.settings import Settings, read_settings
from geo.corridors.best_routes import StopRole
from geo.corridors.routes import RouteSets, list_route_sets
from geo.network.rail import build_rail_network
from geo.sources.passenger_flows import read_passenger_flows
from geo.sources.stations import read_stations
from geo.sources.track import read_track
from models.planning import (
    InterceptionPlan,
    Pair,
    PlanRules,
    choose_sites,
    find_minimum_teams,
    plan_interception,
    solve_interdiction,
)
from models.planning.solver.greedy import choose_greedily
from models.planning.solver.solving import solve_programme

N_LINES, N_STATIONS = 6, 69
N_PAIRS, N_SITES = 100_000, 50
DETECTION_SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
PROOF_LIMIT_S, PROOF_GAP = 10.0, 1e-6
SEED = 20260101
_LOW, _HIGH = "met_share{}_low", "met_share{}_high"


def main() -> int:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("interception")
    measure_network(evidence)
    measure_games(evidence)
    if (options.data / "rail" / "rail_heavy.geojson").is_file():
        measure_region(evidence, options.data)
        measure_gwent(evidence, options.data)
        measure_country(evidence, options.data)
    else:
        evidence.skip("North Yorkshire and Great Britain", f"no railway in {options.data.name!r}")
    evidence.write(options.json)
    return 0


def make_network(seed: int) -> tuple[RouteSets, pd.DataFrame]:
    """Six lines through a hub, each with a stopper and a fast train that skips, and trips by a random gravity."""
    rng = np.random.default_rng(seed)
    sizes = [11, 11, 11, 11, 12, 12]
    lines, first = [], 1
    for size in sizes:
        own = list(range(first, first + size))
        lines.append([*own[: size // 2], 0, *own[size // 2 :]])
        first += size
    fast = [{line[0], line[-1], 0, *line[1::3]} for line in lines]
    mass = rng.lognormal(0.0, 1.0, N_STATIONS)
    ids = tuple(f"S{k:02d}" for k in range(N_STATIONS))
    pairs, routes = [], []
    for a, b in product(range(N_STATIONS), range(N_STATIONS)):
        if a != b:
            pairs.append((f"{ids[a]}>{ids[b]}", float(mass[a] * mass[b] / 50.0)))
            routes.append(_ways(a, b, lines, fast, rng))
    stations = pd.DataFrame(
        {"name": ids, "easting_m": 4e5, "northing_m": 4e5, "is_in_force": True},
        index=pd.Index(ids, name="station_id", dtype="str"),
    )
    return _route_sets(pairs, routes, ids), stations


def _ways(a: int, b: int, lines: list, fast: list, rng: np.random.Generator) -> list:
    """Cost, share and stops (station, role) of each way from a to b; the road last, without stops."""
    legs = None
    for number, line in enumerate(lines):
        if a in line and b in line:
            legs = [(number, a, b)]
            break
    if legs is None:
        of_a, of_b = (next(k for k, line in enumerate(lines) if x in line) for x in (a, b))
        legs = [(of_a, a, 0), (of_b, 0, b)]
    ways = []
    for trains in product((False, True), repeat=len(legs)):
        stops, minutes = [], 0.0
        for (number, start, end), is_fast in zip(legs, trains, strict=True):
            line = lines[number]
            i, j = line.index(start), line.index(end)
            between = line[i : j + 1] if i < j else line[j : i + 1][::-1]
            if is_fast and not {start, end} <= fast[number]:
                break
            calls = [s for s in between if not is_fast or s in fast[number]]
            minutes += 4.0 * (len(between) - 1) + 1.5 * len(calls) + 10.0
            ends = {start: StopRole.CHANGE if stops else StopRole.BOARD, end: StopRole.ALIGHT}
            stops = stops[:-1] + [(s, ends.get(s, StopRole.CALL)) for s in calls]
        else:
            ways.append([minutes, 0.0, stops])
    weight = np.exp(-0.1 * (np.array([way[0] for way in ways]) - min(way[0] for way in ways)))
    road = float(rng.uniform(0.2, 0.5))
    for way, share in zip(ways, weight / weight.sum(), strict=True):
        way[1] = float((1 - road) * share)
    return [*sorted(ways, key=lambda way: way[0]), [ways[0][0] + 20.0, road, []]]


def _route_sets(pairs: list, routes: list, ids: tuple[str, ...]) -> RouteSets:
    flat = [way for ways in routes for way in ways]
    stops = [stop for *_, called in flat for stop in called]
    role = np.array([int(r) for _, r in stops], dtype=np.int8)
    return RouteSets(
        flow_ids=tuple(pair for pair, _ in pairs),
        station_ids=ids,
        trips_per_month=np.array([trips for _, trips in pairs]),
        route_indptr=np.concatenate([[0], np.cumsum([len(ways) for ways in routes])]).astype(np.int64),
        cost_min=np.array([way[0] for way in flat]),
        probability=np.array([way[1] for way in flat]),
        is_road=np.array([not way[2] for way in flat]),
        station_indptr=np.concatenate([[0], np.cumsum([len(way[2]) for way in flat])]).astype(np.int64),
        station_indices=np.array([s for s, _ in stops], dtype=np.int32),
        role=role,
        platform_share=(role != StopRole.CALL).astype(float),
        listed_share=np.ones(len(pairs)),
        spread_per_min=0.1,
    )


def measure_network(evidence: Evidence) -> None:
    routes, stations = make_network(SEED)
    rules = PlanRules(n_teams=6)
    with stopwatch() as took:
        plan = plan_interception(routes, stations, rules, random_state=SEED)
    summary = plan.summary
    note = (
        f"{N_LINES} lines, {len(plan.setting.encounters.station_ids)} stations, {len(routes.flow_ids):,} pairs, "
        f"{plan.setting.encounters.hazard.shape[0]:,} patterns; 6 teams, 2 shifts, 7 days; detection share 0.2"
    )
    evidence.add(
        "generated network: optimum proven",
        summary.seconds,
        "s",
        baseline={"name": "limit", "figure": PROOF_LIMIT_S},
        seconds=summary.seconds,
        peak_mib=peak_mib(),
        note=note,
    )
    evidence.add("generated network: gap", summary.gap_share, "share of the bound", note=f"proven: {summary.is_proven}")
    evidence.add(
        "generated network: greedy against the optimum",
        summary.greedy_share / summary.best_share,
        "share",
        baseline={"name": "guarantee", "figure": 0.632},
    )
    evidence.add("generated network: whole plan", took[0], "s", seconds=took[0])
    measure_proofs(evidence, routes, stations)
    report_standings(evidence, "generated network", plan)
    measure_teams(evidence, plan)


def measure_proofs(evidence: Evidence, routes: RouteSets, stations: pd.DataFrame) -> None:
    """One day at each detection share: the time to the proof, against a limit."""
    slowest, widest = 0.0, 0.0
    for detection in DETECTION_SHARES:
        rules = PlanRules(n_teams=6, detection_share=detection, n_days=1, is_evasive=False)
        answer = plan_interception(routes, stations, rules, random_state=SEED).summary
        slowest, widest = max(slowest, answer.seconds), max(widest, answer.gap_share)
        evidence.add(
            f"generated network: optimum proven, detection share {detection}",
            answer.seconds,
            "s",
            baseline={"name": "limit", "figure": PROOF_LIMIT_S},
            note=f"proven: {answer.is_proven}, gap {answer.gap_share:.2g}, "
            f"greedy {answer.greedy_share / answer.best_share:.4f} of the optimum",
        )
    evidence.add(
        "generated network: slowest proof over all detection shares",
        slowest,
        "s",
        baseline={"name": "limit", "figure": PROOF_LIMIT_S},
        n=len(DETECTION_SHARES),
        note=f"target met: {slowest < PROOF_LIMIT_S and widest <= PROOF_GAP}; largest gap {widest:.2g}, "
        f"aim {PROOF_GAP:g}",
    )


def measure_teams(evidence: Evidence, plan: InterceptionPlan) -> None:
    setting = plan.setting
    values, worst = [], 1.0
    for n_teams in range(1, 9):
        group = replace(setting.groups[0], n_teams=n_teams)
        programme = replace(setting.programme, slots=setting.shift_slots[:1], groups=(group,))
        best = solve_programme(programme)
        worst = min(worst, choose_greedily(programme).value / best.value)
        values.append(best.value)
    evidence.add("generated network: least gain of one more team", float(np.diff(values).min()), "trips a shift", n=8)
    evidence.add("generated network: greedy at worst over 1 to 8 teams", worst, "share of the optimum", n=8)
    with stopwatch() as took:
        needed = find_minimum_teams(plan, target_share=0.12)
    evidence.add(
        "generated network: fewest teams for 12 % of rail trips",
        needed.n_teams,
        "teams",
        seconds=took[0],
        note=f"they meet {needed.met_share:.4f}, one fewer at most {needed.share_with_one_fewer:.4f}",
    )


def report_standings(evidence: Evidence, where: str, plan: InterceptionPlan) -> None:
    standings = plan.comparison
    for suffix, what in (("", "couriers stay as they are"), ("_evading", "couriers respond")):
        for name, row in standings.iterrows():
            more = {}
            if name != "mix":
                more["baseline"] = {
                    "name": "mix",
                    "figure": round(float(standings.loc["mix", f"met_share{suffix}"]), 4),
                }
                more["note"] = (
                    f"mix less this: [{row[f'gain{suffix}_low']:.4f}, {row[f'gain{suffix}_high']:.4f}] over draws"
                )
            evidence.add(
                f"{where}: share of rail trips met, {what}: {name}",
                float(row[f"met_share{suffix}"]),
                "share",
                interval=(float(row[_LOW.format(suffix)]), float(row[_HIGH.format(suffix)])),
                **more,
            )


def measure_games(evidence: Evidence) -> None:
    worst, n_games = 0.0, 100
    rng = np.random.default_rng(SEED)
    with stopwatch() as took:
        for seed in range(n_games):
            n = int(rng.integers(4, 60))
            graph = nx.compose(nx.gnp_random_graph(n, 0.15, seed=seed), nx.path_graph(n))
            edges = np.array(graph.edges)
            tail, head = np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]])
            chance = rng.uniform(0.05, 1.0, n)
            network = nx.DiGraph()
            for k in range(n):
                network.add_edge(("in", k), ("out", k), capacity=1.0 / chance[k])
            network.add_edges_from((("out", a), ("in", b)) for a, b in zip(tail.tolist(), head.tolist(), strict=True))
            flow = nx.maximum_flow_value(network, ("in", 0), ("out", n - 1))
            game = solve_interdiction(tail, head, chance, [Pair(0, n - 1)])
            worst = max(worst, abs(game.value - 1.0 / flow), abs(game.bound - 1.0 / flow))
    evidence.add(
        "game value less one over the maximum flow, at worst",
        worst,
        "chance of being met",
        baseline={"name": "limit", "figure": 1e-9},
        n=n_games,
        seconds=took[0],
    )


def measure_region(evidence: Evidence, data: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "north-yorkshire"
        make_workspace(root, data)
        settings = read_settings(root / "region.toml")
        inputs = read_inputs(root, settings)
    results = run_stages(inputs, settings, Recorder(lambda _: None))
    region = price_journeys(inputs, build_railway(inputs, settings), settings)
    with stopwatch() as took:
        routes = list_route_sets(results.courier_flows, region.supply, most_routes=4, change_share=region.change_share)
    evidence.add("North Yorkshire: routes listed", took[0], "s", n=len(routes.flow_ids), seconds=took[0])
    ours = tuple(results.station_scores.table.index.sort_values())
    flows = {
        name: fit_posterior(results.fitted.evidence, region, ours, other)[1] for name, other in _alternatives(settings)
    }
    scenarios = pd.DataFrame({name: flow.od_trips["trips_per_month"] for name, flow in flows.items()})
    with stopwatch() as took:
        plan = plan_interception(
            routes,
            results.network.stations,
            PlanRules(),
            random_state=SEED,
            station_scores=results.station_scores.table,
            usage=results.usage,
            trip_scenarios=scenarios,
            trips_per_line_per_month=settings.corridors.trips_per_line_per_month,
        )
    summary = plan.summary
    evidence.add(
        "North Yorkshire: a week planned",
        took[0],
        "s",
        seconds=took[0],
        peak_mib=peak_mib(),
        note=f"3 teams, 2 shifts, 7 days; {plan.setting.encounters.hazard.shape[0]:,} patterns, "
        f"{len(plan.setting.encounters.station_ids)} stations; proven {summary.is_proven} in {summary.seconds:.2f} s",
    )
    evidence.add(
        "North Yorkshire: best fixed list",
        summary.best_share,
        "share of rail trips met",
        baseline={"name": "bound", "figure": round(summary.bound_share, 6)},
        note=", ".join(plan.best_list["station_ids"].iloc[: summary.n_teams]) + f"; gap {summary.gap_share:.2g}",
    )
    report_standings(evidence, "North Yorkshire", plan)
    worked = plan.residual["coverage"].sort_values(ascending=False, kind="stable")
    worked = worked[worked > 0]
    evidence.add(
        "North Yorkshire: stations of the mix",
        len(worked),
        "stations",
        note="chance on a shift: " + ", ".join(f"{k} {chance:.2f}" for k, chance in worked.head(12).items()),
    )
    evidence.add(
        "North Yorkshire: where the rest goes once couriers respond: the road",
        summary.to_road_share,
        "share of rail trips",
        note=f"by rail unmet {summary.unmet_rail_share:.4f}; routes listed stand for "
        f"{summary.unlisted_share:.3f} of trips on other ways",
    )
    measure_duty_week(evidence, "North Yorkshire", (results, settings, inputs))
    for cost_min in (30.0, 60.0, 240.0):
        other = plan_interception(
            routes,
            results.network.stations,
            PlanRules(met_cost_min=cost_min),
            random_state=SEED,
            station_scores=results.station_scores.table,
            usage=results.usage,
        ).comparison["met_share_evading"]
        evidence.add(
            f"North Yorkshire: share met, being met feared as {cost_min:g} minutes",
            float(other["mix"]),
            "share",
            note="; ".join(f"{name} {share:.4f}" for name, share in other.items()),
        )


def measure_gwent(evidence: Evidence, data: Path) -> None:
    """The duty roster of Gwent, with its trains and roads."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        settings = gwent_settings(root, data)
        inputs = read_inputs(root, settings)
        results = run_stages(inputs, settings, Recorder(lambda _: None))
        measure_duty_week(evidence, "Gwent", (results, settings, inputs))


def measure_duty_week(evidence: Evidence, where: str, run: tuple[Results, Settings, Inputs]) -> None:
    """Plan a region's week and report it."""
    results, settings, _ = run
    with stopwatch() as took:
        plan = plan_run(*run)
    if plan is None:
        evidence.skip(where, "no plan")
        return
    if where == "North Yorkshire":
        report_duty_roster(evidence, plan)
    report_week(evidence, where, plan, results.hours, took[0], settings.plan.detection_share)


def report_duty_roster(evidence: Evidence, plan: RunPlan | None) -> None:
    """The run's own roster beside its bound, and what it loses by leaving out stations that few passengers use."""
    if plan is None:
        return
    summary = plan.duty.summary
    evidence.add(
        "North Yorkshire: best fixed duty roster",
        summary.best_share,
        "share of rail trips met",
        baseline={"name": "bound", "figure": round(summary.bound_share, 6)},
        n=summary.n_duties,
        note=f"gap {summary.gap_share:.3f}; {summary.team_hours:g} team-hours",
    )
    evidence.add(
        "North Yorkshire: how often the likeliest station of a shift is worked",
        summary.guess_share,
        "share of shifts",
        baseline={"name": "a fixed list", "figure": 1},
        n=summary.n_slots,
    )
    out = plan.left_out
    if out is None:
        return
    named = ", ".join(f"{station} {n:.0f}" for station, n in out.passengers_per_day.head(5).items())
    for claim, without, with_them in (
        ("couriers as they are", out.met_share_without, out.met_share_with),
        ("couriers responding", out.met_share_evading_without, out.met_share_evading_with),
    ):
        evidence.add(
            f"North Yorkshire: met without stations of fewer than {out.least_passengers_per_day:g} passengers a day, "
            f"{claim}",
            without,
            "share of rail trips met",
            baseline={"name": "with them", "figure": round(with_them, 6)},
            n=len(out.passengers_per_day),
            note=f"of {out.trips_of_plan:.3g} rail trips; the first left out: {named}",
        )


def _alternatives(settings: Settings) -> list[tuple[str, Settings]]:
    """The flow model with the exponent of residents and the spread of towns at half and one and a half times."""
    made = []
    for name in ("population_exponent", "town_spread"):
        for factor in (0.5, 1.5):
            value = getattr(settings.corridors, name) * factor
            corridors = settings.corridors.model_copy(update={name: value})
            made.append((f"{name} x {factor}", settings.model_copy(update={"corridors": corridors})))
    return made


def measure_country(evidence: Evidence, data: Path) -> None:
    """The real railway; the most travelled pairs of passengers stand for couriers, each by its quickest way."""
    stations = read_stations(data / "rail" / "stations_npm_1.11.1.csv", force_area=None).table
    links = build_rail_network(read_track(data / "rail" / "rail_heavy.geojson").table, stations).links
    flows = read_passenger_flows(data / "rail" / "odm_gb_2024_25.csv.gz").table
    for what, shortest_min in (("most travelled pairs", 0.0), ("pairs an hour or more apart", 60.0)):
        calls, worth = list_calls(links, flows, shortest_min)
        for detection in (1.0, 0.2):
            hazard = calls.copy()
            hazard.data = np.full(calls.nnz, -np.log1p(-min(detection, 1 - 1e-12)))
            found = choose_sites(hazard, worth, n_sites=N_SITES, time_limit_s=55.0)
            evidence.add(
                f"Great Britain, {what}, detection share {detection}: gap",
                found.gap,
                "share of the bound",
                baseline={"name": "aim", "figure": 0.01},
                n=calls.shape[0],
                seconds=found.seconds,
                peak_mib=peak_mib(),
                note=f"{N_SITES} of {calls.shape[1]:,} stations meet {found.value / worth.sum():.4f} of journeys, "
                f"bound {found.bound / worth.sum():.4f}, greedy {found.greedy / worth.sum():.4f}",
            )


def list_calls(links: pd.DataFrame, flows: pd.DataFrame, shortest_min: float) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Pair by station: whether the quickest way comes by; every train is taken to call everywhere."""
    ids = sorted({*links["from_station_id"], *links["to_station_id"]})
    row = pd.Series(range(len(ids)), index=ids)
    ends = row[links["from_station_id"]].to_numpy(), row[links["to_station_id"]].to_numpy()
    graph = sparse.csr_matrix((links["time_min"].to_numpy() + 1.0, ends), shape=(len(ids),) * 2)
    known = flows["origin_station_id"].isin(row.index) & flows["destination_station_id"].isin(row.index)
    once = flows[known & (flows["origin_station_id"] < flows["destination_station_id"])]
    origin = row[once["origin_station_id"]].to_numpy()
    destination = row[once["destination_station_id"]].to_numpy()
    minutes, before = dijkstra(graph, directed=False, return_predecessors=True)
    apart = minutes[origin, destination]
    journeys = np.where(np.isfinite(apart) & (apart >= shortest_min), once["n_journeys_per_year"].to_numpy(float), 0.0)
    chosen = np.argsort(-journeys, kind="stable")[:N_PAIRS]
    rows, columns = [], []
    for number, (start, at) in enumerate(zip(origin[chosen].tolist(), destination[chosen].tolist(), strict=True)):
        while at >= 0:
            rows.append(number)
            columns.append(at)
            at = int(before[start, at])  # noqa: PLW2901 - walks back along the way
    cells = np.ones(len(rows)), (np.array(rows), np.array(columns))
    return sparse.csr_matrix(cells, shape=(len(chosen), len(ids))), journeys[chosen]


if __name__ == "__main__":
    sys.exit(main())
