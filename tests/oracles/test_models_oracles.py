"""Against slow plain versions, against planted truths, and across threads."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau
from threadpoolctl import threadpool_limits

from models.boosting import MonotoneBoosting
from models.counting import PoissonGlm
from models.draws import IndexSettings, base_realisation, scored_features
from models.evidence import count_place_evidence, count_station_evidence
from models.features import build_station_features
from models.metrics import bootstrap_difference, hit_rate
from models.scoring import rank_units, score_units
from tests.unit.models import worlds
from tests.unit.models.worlds import CUTOFF, feature_set, sparse_counts

DEMAND_ALONE = IndexSettings(weights={"demand_offences": 1.0}, vary=("months",))


def test_a_planted_order_is_recovered_at_ten_events_a_station():
    taus = []
    for seed in range(6):
        rates, counts = sparse_counts(np.random.default_rng(seed), n=60, mean=10.0)
        table = score_units(feature_set(counts), random_state=seed, n_draws=2).table.sort_index()
        taus.append(kendalltau(table["score"], rates).statistic)
    assert min(taus) >= 0.6


@pytest.mark.parametrize("mean", [2.0, 10.0])
def test_rank_intervals_cover_the_truth(mean):
    covered = []
    for seed in range(12):
        rates, counts = sparse_counts(np.random.default_rng(100 + seed), n=60, mean=mean)
        table = score_units(
            feature_set(counts), random_state=seed, settings=DEMAND_ALONE, n_draws=400
        ).table.sort_index()
        truth = rank_units(rates)
        covered.append(((table["rank_low"] <= truth) & (truth <= table["rank_high"])).mean())
    assert 0.85 <= np.mean(covered) <= 0.955


def test_planted_offences_pass_through_counting_features_and_score():
    """Stations 5 km apart with offences planted 0 to 900 m away: their order comes out at the end of the real path."""
    rng = np.random.default_rng(5)
    n = 40
    ids = [f"S{i:02d}" for i in range(n)]
    stations = pd.DataFrame(
        {"name": ids, "easting_m": 400_000.0 + 5_000 * np.arange(n), "northing_m": 450_000.0, "is_in_force": True},
        index=pd.Index(ids, name="station_id"),
    )
    rates = rng.gamma(1.0, 10.0, n)
    rows = []
    for k in range(n):
        for _ in range(rng.poisson(rates[k])):
            angle, distance_m = rng.uniform(0, 2 * np.pi), rng.uniform(0, 900)
            east, north = stations.iloc[k, 1] + distance_m * np.cos(angle), 450_000 + distance_m * np.sin(angle)
            rows.append((f"2025-0{rng.integers(1, 7)}", east, north, "public_report"))
    evidence = count_station_evidence(worlds.offences(rows), stations, cutoff=CUTOFF)
    features = build_station_features(
        worlds.station_exposure(dict.fromkeys(ids, 1.0)), stations, worlds.hotspots([]), evidence, cutoff=CUTOFF
    )
    table = score_units(features, random_state=1, n_draws=50).table.sort_index()
    assert kendalltau(table["score"], rates).statistic >= 0.6


def test_counts_near_stations_and_towns_are_those_of_two_loops():
    rng = np.random.default_rng(9)
    rows = [
        (f"2025-0{rng.integers(1, 8)}", 450_000 + rng.uniform(-2000, 22_000), 450_000 + rng.uniform(-2000, 2000), kind)
        for kind in rng.choice(["public_report", "police_proactive", "unknown", "custody_location"], 400)
    ]
    offences = worlds.offences(rows)
    stations, places = worlds.stations(), worlds.places().sort_index()
    near = count_station_evidence(offences, stations, cutoff=CUTOFF)
    town = count_place_evidence(offences, places, cutoff=CUTOFF)
    kinds = ["public_report", "police_proactive", "unknown"]
    by_station, by_town = np.zeros(near.counts.shape), np.zeros(town.counts.shape)
    for month, east, north, kind in rows:
        if kind not in kinds or month > "2025-06":
            continue
        t, m = list(near.months.astype(str)).index(month), kinds.index(kind)
        distances_m = [np.hypot(e - east, n - north) for e, n in worlds.STATION_ROWS.values()]
        for k, distance_m in enumerate(distances_m):
            by_station[k, t, m] += distance_m <= 15 * 80 / 1.3
        # Density of residents as the town's own curve has it, against the land between towns.
        scale_m = [np.sqrt(n / (2 * np.pi * 8200)) * 1000 for n in places["population"]]
        centres = zip(places["easting_m"], places["northing_m"], scale_m, strict=True)
        per_km2 = [8200 * np.exp(-np.hypot(e - east, n - north) / s) for e, n, s in centres]
        if max(per_km2) >= 22:
            by_town[int(np.argmax(per_km2)), t, m] += 1
    np.testing.assert_array_equal(near.counts, by_station)
    np.testing.assert_array_equal(town.counts, by_town)


def test_the_score_is_that_of_a_spreadsheet():
    """Percentile points by hand: 100 times the weight times the share of other stations strictly below."""
    rng = np.random.default_rng(2)
    _, counts = sparse_counts(rng, n=15, mean=5.0)
    flow, harm = rng.integers(0, 6, 15).astype(float), rng.integers(0, 4, 15).astype(float)
    world = feature_set(counts, flow=flow, hotspot_harm=harm)
    table = score_units(world, random_state=1, n_draws=2).table.sort_index()
    settings = IndexSettings()
    weights = dict(
        zip(
            [f.name for f in scored_features(world, settings)],
            base_realisation(world, settings).weights[0],
            strict=True,
        )
    )
    assert set(weights) == {"courier_flow", "hotspot_demand_harm", "demand_offences"}
    columns = {"courier_flow": flow, "hotspot_demand_harm": harm, "demand_offences": counts.sum(axis=(1, 2))}
    # With no offence at all near it, a station's hotspot counts by the open share of one half.
    columns["hotspot_demand_harm"] = np.where(columns["demand_offences"] > 0, harm, 0.5 * harm)
    total = np.zeros(15)
    for name, values in columns.items():
        points = np.array([sum(other < value for other in values) / 14 for value in values])
        np.testing.assert_allclose(table[f"reason_{name}"], 100 * weights[name] * points, atol=1e-9)
        total += 100 * weights[name] * points
    np.testing.assert_allclose(table["score"], total, atol=1e-9)


def test_the_paired_interval_is_that_of_a_plain_loop():
    rng = np.random.default_rng(3)
    outcomes = rng.poisson(1.0, (3, 12)).astype(float)
    a, b = rng.uniform(size=(3, 12)), rng.uniform(size=(3, 12))
    blocks = np.arange(12) // 3
    fast = bootstrap_difference(a, b, outcomes, blocks, random_state=5, n_top=4, n_draws=4000)
    draws = []
    loop = np.random.default_rng(77)
    top = [np.argsort(-f, axis=1)[:, :4] for f in (a, b)]
    for _ in range(4000):
        periods, picked = loop.integers(0, 3, 3), loop.integers(0, 4, 4)
        times = np.array([np.sum(picked == blocks[k]) for k in range(12)])
        hits = [sum((outcomes[p, f[p]] * times[f[p]]).sum() for p in periods) for f in top]
        whole = sum((outcomes[p] * times).sum() for p in periods)
        draws.append((hits[0] - hits[1]) / whole if whole else 0.0)
    assert fast[0] == pytest.approx(hit_rate(a, outcomes, n_top=4) - hit_rate(b, outcomes, n_top=4))
    np.testing.assert_allclose(fast[1:], np.quantile(draws, (0.025, 0.975)), atol=0.02)


def test_one_thread_and_two_give_the_same_bytes():
    rng = np.random.default_rng(1)
    _, counts = sparse_counts(rng, n=60, mean=10.0)
    X = rng.gamma(1.0, 3.0, (3000, 4))
    y = rng.poisson(X[:, 0])
    world = feature_set(counts, flow=X[:60, 0])
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            table = score_units(world, random_state=1, n_draws=300).table
            forecasts = [model.fit(X, y).predict(X).tobytes() for model in (PoissonGlm(), MonotoneBoosting())]
        results.append((table.to_csv(float_format="%.17g"), *forecasts))
    assert results[0] == results[1]
