"""The posterior over lines: exact slopes, honest priors, and evidence that moves what it should and no more."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from models.posterior import estimate as estimating
from models.posterior.derivatives import (
    add_pair_derivatives,
    add_pair_information,
    centre_features,
    differentiate_sums,
)
from models.posterior.evidence import Evidence
from models.posterior.fit import _come_to_rest, find_mode
from models.posterior.information import correct_sizes, measure_information
from models.posterior.intensity import Intensity
from models.posterior.lists import measure_rail_range
from models.posterior.posterior import Posterior
from models.posterior.reasons import explain_sources, measure_shares
from models.posterior.sampler import draw_posterior
from tests.unit.models.posterior_worlds import (
    build_world,
    by_town,
    draw_prior,
    full_evidence,
    known_addresses,
    known_lines,
)

WORLD = build_world()
FULL = WORLD.posterior(WORLD.sources(full_evidence()))
SOME_LINES = (("x0", "t1", 3), ("x1", "t2", 2), (None, "t3", 1), ("x2", "t5", 2))
TOWNS, STATIONS = WORLD.ways.town_ids, WORLD.stations.station_ids
SMALL = TOWNS[int(np.argmin(WORLD.ways.residents))]
STEP = 1e-5


def mean_shares(evidence):
    """Mean shares of towns and stations, by name; the same normals whatever the evidence."""
    town, station = measure_shares(WORLD.posterior(), WORLD.sources(evidence))
    return pd.Series(town, index=TOWNS), pd.Series(station, index=STATIONS)


def differences(value, theta):
    """Slope of `value` by central differences, one row a parameter."""
    steps = STEP * np.eye(len(theta))
    return np.array([(value(theta + step) - value(theta - step)) / (2 * STEP) for step in steps])


def thetas(posterior, n=2):
    rng = np.random.default_rng(5)
    return [posterior.prior_mean, *[draw_prior(posterior, rng) for _ in range(n)]]


@pytest.fixture(scope="module")
def estimate():
    return WORLD.estimate(full_evidence(), n_draws=200)


@pytest.fixture(scope="module")
def mode():
    return find_mode(FULL)


def test_the_world_has_every_source_and_bands_among_them():
    kinds = {(type(source).__name__, source.grain) for source in FULL.sources}
    assert kinds == {
        ("Lines", "pair"),
        ("Lines", "origin"),
        ("Lines", "town"),
        ("Addresses", "town"),
        ("TownCounts", "town"),
        ("StationOffences", "station"),
        ("Finds", "platform"),
    }
    assert any((source.high > source.low).any() for source in FULL.sources)


@pytest.mark.parametrize("which", range(3))
def test_the_slope_is_that_of_the_density_with_all_sources_at_once(which):
    theta = thetas(FULL)[which]
    exact = FULL.slope(theta)
    expected = differences(FULL.log_density, theta)
    for name, block in FULL.blocks.items():
        assert exact[block] == pytest.approx(expected[block], rel=1e-5, abs=1e-4), name


@pytest.mark.parametrize("source", FULL.sources, ids=lambda source: source.name)
def test_the_slope_of_each_source_alone_is_that_of_its_density(source):
    posterior = WORLD.posterior([source])
    theta = thetas(posterior, n=1)[1]
    assert posterior.slope(theta) == pytest.approx(differences(posterior.log_density, theta), rel=1e-5, abs=1e-4)


@pytest.mark.parametrize(
    "source", [source for source in FULL.sources if source.grain != "pair"], ids=lambda source: source.name
)
def test_the_derivatives_of_what_a_source_sums_are_those_of_its_logarithm(source):
    theta = thetas(FULL, n=1)[1]
    intensity = Intensity.of(FULL.layout, theta[None, :])
    found = differentiate_sums(intensity, source.grain, source.rows, centre_features(intensity))
    expected = differences(lambda at: FULL.log_behind(source, at), theta).T
    assert sparse.csr_array(found).toarray() == pytest.approx(expected[:, : FULL.layout.n_base], rel=1e-6, abs=1e-8)


def test_what_pairs_tell_is_the_weighted_sum_of_products_of_their_derivatives():
    theta = thetas(FULL, n=1)[1]
    intensity = Intensity.of(FULL.layout, theta[None, :])
    centred = centre_features(intensity)
    weight = np.random.default_rng(3).uniform(size=WORLD.ways.n_pairs)
    dense = differences(FULL.log_lines, theta).T[:, : FULL.layout.n_base]
    assert add_pair_information(FULL.layout, weight, centred) == pytest.approx(
        dense.T @ (weight[:, None] * dense), rel=1e-6, abs=1e-6
    )
    assert add_pair_derivatives(FULL.layout, weight, centred) == pytest.approx(weight @ dense, abs=1e-6)


def test_many_vectors_at_once_are_each_vector_on_its_own():
    theta = np.array(thetas(FULL, n=4))
    value, slope = FULL.evaluate(theta)
    for at, one, its_slope in zip(theta, value, slope, strict=True):
        assert FULL.log_density(at) == pytest.approx(one, rel=1e-12)
        assert FULL.slope(at) == pytest.approx(its_slope, rel=1e-9, abs=1e-9)


def test_the_expected_information_is_the_variance_of_the_slope():
    """Fisher's identity: slopes are linear in Poisson counts, each of which varies by its mean, on its own."""
    source = WORLD.sources(Evidence(lines=known_lines((None, "t3", 1))))[0]
    posterior = WORLD.posterior([source])
    theta = thetas(posterior)[1]
    mean = np.exp(source.predict(posterior.log_behind(source, theta), theta[posterior.blocks[source.name]]).log_mean)
    one_more = [replace(source, low=source.low + one, high=source.high + one) for one in np.eye(len(mean))]
    moved = np.array([WORLD.posterior([more]).slope(theta) for more in one_more]) - posterior.slope(theta)
    variance = moved.T @ (mean[:, None] * moved)
    assert measure_information(posterior, theta) - posterior.prior_precision == pytest.approx(
        variance, rel=1e-8, abs=1e-8
    )


@pytest.mark.parametrize("posterior", [WORLD.posterior(), FULL], ids=["prior", "full"])
def test_a_density_of_the_prior_alone_is_the_normal_with_its_constants(posterior):
    bare = Posterior(posterior.ways, posterior.priors, stations=posterior.stations)
    theta = thetas(bare)[1]
    normal = stats.multivariate_normal(bare.prior_mean, np.linalg.inv(bare.prior_precision))
    assert bare.log_density(theta) == pytest.approx(normal.logpdf(theta), abs=1e-8)


def test_the_prior_integrates_to_one():
    """With no evidence Laplace's approximation is exact, and the evidence of nothing is 1."""
    assert find_mode(WORLD.posterior()).log_evidence == pytest.approx(0.0, abs=1e-6)


def test_evidence_of_one_count_is_its_chance_under_the_prior():
    """The mean likelihood over prior draws against Laplace's approximation."""
    posterior = WORLD.posterior(WORLD.sources(Evidence(lines=known_lines((None, "t3", 1)))))
    rng = np.random.default_rng(1)
    bare = -0.5 * posterior.n_params * np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(posterior.prior_precision)[1]
    likelihood = []
    for _ in range(2_000):
        theta = draw_prior(posterior, rng)
        about = theta - posterior.prior_mean
        prior = bare - 0.5 * about @ posterior.prior_precision @ about
        likelihood.append(np.exp(posterior.log_density(theta) - prior))
    assert find_mode(posterior).log_evidence == pytest.approx(np.log(np.mean(likelihood)), abs=0.15)


def test_lines_add_up_to_the_level_and_each_origin_to_its_strength():
    """With no town more exposed than another, the towns only divide what the origins send."""
    posterior = WORLD.posterior()
    theta = thetas(posterior)[1]
    theta[posterior.blocks["towns"]] = 0.0
    lines = np.exp(posterior.log_lines(theta))
    ways = WORLD.ways
    external = np.bincount(ways.origin, lines)[: ways.n_external]
    level = np.exp(theta[posterior.blocks["level"]][0])
    assert external == pytest.approx(level * np.exp(theta[posterior.blocks["origins"]][: ways.n_external]))
    internal = lines.sum() - external.sum()
    assert internal == pytest.approx(level * np.exp(theta[posterior.blocks["origins"]][-1]))


def test_at_the_prior_mean_external_lines_are_as_many_as_the_level_says():
    posterior = WORLD.posterior()
    lines = np.exp(posterior.log_lines(posterior.prior_mean))
    is_external = WORLD.ways.origin < WORLD.ways.n_external
    expected = WORLD.priors.lines_per_million * WORLD.ways.residents.sum() / 1e6
    assert lines[is_external].sum() == pytest.approx(expected)
    assert lines[~is_external].sum() == pytest.approx(expected * 0.1 / 0.9)


def test_every_parameter_has_a_name_of_its_own():
    assert len(set(FULL.names())) == FULL.n_params


def test_a_near_town_shares_more_of_its_exposure_than_a_far_one():
    towns = FULL.blocks["towns"]
    covariance = np.linalg.inv(FULL.prior_precision)[towns, towns]
    assert np.diag(covariance) == pytest.approx(np.full(len(TOWNS), WORLD.priors.town_sd**2))
    assert covariance[0, 1] > covariance[0, 4] > 0


@pytest.mark.parametrize("town", TOWNS)
def test_one_more_line_into_a_town_raises_its_share(town):
    before, _ = mean_shares(Evidence(lines=known_lines(*SOME_LINES)))
    after, _ = mean_shares(Evidence(lines=known_lines(*SOME_LINES, ("x1", town, 1))))
    assert after[town] > before[town]


@pytest.mark.parametrize(("town", "station"), [("t3", "s3"), ("t4", "s4")])
@pytest.mark.parametrize("origin", ["x0", "x2", None])
def test_one_more_line_into_a_town_raises_the_station_that_serves_it_alone(town, station, origin):
    _, before = mean_shares(Evidence(lines=known_lines(*SOME_LINES)))
    _, after = mean_shares(Evidence(lines=known_lines(*SOME_LINES, (origin, town, 1))))
    assert after[station] > before[station]


@pytest.mark.parametrize("station", STATIONS[1:])
def test_forty_nil_hours_lower_the_station_and_move_the_others_only_by_what_it_leaves_them(station):
    """Shares add up: what one place loses all others gain alike, and nothing else moves them far."""
    _, before = mean_shares(Evidence())
    _, after = mean_shares(Evidence(finds=pd.DataFrame({"n_hours": [40.0], "n_finds": [0]}, index=[station])))
    moved = (after - before) / before
    others = moved.drop(station)
    assert moved[station] < 0 < others.median()
    assert (others - others.median()).abs().max() < 0.6 * abs(moved[station] - others.median())


def test_finds_say_nothing_of_the_share_that_goes_by_rail():
    """From finds it cannot be told from the chance of a find, and one nil return would move every station."""
    found = pd.DataFrame({"n_hours": [400.0] * 3, "n_finds": [0] * 3}, index=["s1", "s2", "s3"])
    posterior = WORLD.posterior(WORLD.sources(Evidence(finds=found)))
    mode = find_mode(posterior)
    assert mode.theta[posterior.blocks["rail"]] == pytest.approx(posterior.prior_mean[posterior.blocks["rail"]])


def test_a_find_raises_the_station_that_nil_hours_lower():
    found = pd.DataFrame({"n_hours": [40.0], "n_finds": [3]}, index=["s3"])
    nil = found.assign(n_finds=0)
    _, before = mean_shares(Evidence())
    assert mean_shares(Evidence(finds=nil))[1]["s3"] < before["s3"] < mean_shares(Evidence(finds=found))[1]["s3"]


def test_more_nil_hours_lower_a_station_further():
    shares = [
        mean_shares(Evidence(finds=pd.DataFrame({"n_hours": [hours], "n_finds": [0]}, index=["s1"])))[1]["s1"]
        for hours in (1.0, 40.0, 160.0)
    ]
    assert shares == sorted(shares, reverse=True)


def test_seventy_addresses_in_a_town_raise_it_above_its_share_with_few():
    few = dict.fromkeys(("t0", "t3", "t5"), (1, 4))
    before, _ = mean_shares(Evidence(addresses=known_addresses(**few)))
    after, _ = mean_shares(Evidence(addresses=known_addresses(**few | {"t3": (70, 79)})))
    assert after["t3"] > 1.5 * before["t3"]
    assert after["t0"] < before["t0"]


def test_a_town_whose_addresses_were_not_counted_is_not_a_town_of_none():
    known = {"t1": (5, 9), "t2": (5, 9)}
    unknown, _ = mean_shares(Evidence(addresses=known_addresses(**known)))
    none, _ = mean_shares(Evidence(addresses=known_addresses(**known, t4=(0, 0))))
    assert none["t4"] < unknown["t4"]


def test_no_evidence_gives_back_the_prior_exactly():
    empty = Evidence(lines=known_lines(), partner_counts={}, finds=pd.DataFrame({"n_hours": [], "n_finds": []}))
    assert WORLD.sources(empty) == ()
    prior, emptied = WORLD.estimate(()), WORLD.estimate(empty)
    assert prior.town_share.tobytes() == emptied.town_share.tobytes()
    assert prior.station_share.tobytes() == emptied.station_share.tobytes()
    assert prior.is_settled
    assert prior.n_effective == pytest.approx(len(prior.town_share))


def test_thirty_of_thirty_one_lines_put_a_small_town_first_and_lines_say_why():
    evidence = Evidence(
        lines=known_lines(("x0", SMALL, 30), ("x1", "t4", 1)),
        reported_offences=by_town(30, 80, 41, 12, 25, 70, 9, 14),
    )
    prior = WORLD.estimate(())
    estimate = WORLD.estimate(evidence, n_draws=100)
    reasons = explain_sources(estimate)
    mean = pd.Series(estimate.town_share.mean(axis=0), index=TOWNS)
    assert prior.town_share.mean(axis=0).argmin() == TOWNS.index(SMALL)
    assert mean.idxmax() == SMALL
    points = pd.Series(reasons.town[:, TOWNS.index(SMALL)], index=reasons.groups)
    assert points.idxmax() == "lines"


def test_doubling_every_line_moves_no_town_past_another_and_shares_little():
    rows = tuple(("x0", town, n) for town, n in zip(TOWNS, (1, 8, 12, 2, 4, 7, 1, 3), strict=True))
    once, _ = mean_shares(Evidence(lines=known_lines(*rows)))
    twice, _ = mean_shares(Evidence(lines=known_lines(*[(i, j, 2 * n) for i, j, n in rows])))
    assert once.sort_values().index.tolist() == twice.sort_values().index.tolist()
    assert (once - twice).abs().max() < 0.03


def test_two_estimates_of_the_same_evidence_are_the_same_bytes():
    evidence = Evidence(lines=known_lines(*SOME_LINES), unattributed_offences=full_evidence().unattributed_offences)
    one, two = (WORLD.estimate(evidence, n_draws=60) for _ in range(2))
    for name in ("town_share", "station_share", "pair_share", "pair_rail_share", "lines", "trips_per_line"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes(), name
    assert one.factors == two.factors
    assert len(one.factors) == 3


def test_another_seed_gives_other_draws_of_the_same_posterior():
    evidence = Evidence(lines=known_lines(*SOME_LINES))
    one, two = (WORLD.estimate(evidence, n_draws=400, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one.town_share, two.town_share)
    assert one.town_share.mean(axis=0) == pytest.approx(two.town_share.mean(axis=0), abs=0.03)


def test_shares_are_shares(estimate):
    assert estimate.town_share.shape == (200, len(TOWNS))
    assert estimate.town_share.sum(axis=1) == pytest.approx(np.ones(200))
    assert estimate.pair_share.sum() == pytest.approx(1.0)
    assert (estimate.pair_rail_share <= estimate.pair_share).all()
    assert np.asarray(WORLD.stations.visits @ estimate.pair_rail_share) == pytest.approx(
        estimate.station_share.mean(axis=0)
    )
    assert np.bincount(WORLD.ways.town, estimate.pair_share) == pytest.approx(estimate.town_share.mean(axis=0))


def test_one_component_of_little_weight_does_not_spoil_the_verdict_on_the_draws(estimate):
    assert min(n for n in estimate.factors.values() if n > 0.005) * 200 < 13
    assert estimate.is_settled


def test_the_verdict_on_the_draws_is_that_on_the_worst_component(monkeypatch):
    seen = []

    def watched(*args, **options):
        seen.append(draw_posterior(*args, **options))
        return seen[-1]

    monkeypatch.setattr(estimating, "draw_posterior", watched)
    found = WORLD.estimate(Evidence(unattributed_offences=full_evidence().unattributed_offences), n_draws=60)
    assert len({draws.r_hat for draws in seen}) > 1
    assert found.r_hat == max(draws.r_hat for draws in seen)
    assert found.is_settled == all(draws.is_settled for draws in seen)


def test_a_mode_is_where_the_slope_is_nothing_and_the_density_highest_for_its_sizes(mode):
    is_free = ~np.isin(np.arange(FULL.n_params), FULL.sizes)
    spread = np.sqrt(np.diag(np.linalg.inv(mode.factor @ mode.factor.T)))
    assert np.abs(FULL.slope(mode.theta) * spread)[is_free].max() < 0.02
    rng = np.random.default_rng(0)
    near = mode.around(0.5 * rng.standard_normal((30, FULL.n_params)))
    near[:, FULL.sizes] = mode.theta[FULL.sizes]
    assert max(FULL.log_density(theta) for theta in near) < FULL.log_density(mode.theta)


def test_what_is_added_to_the_slope_in_a_size_is_that_of_the_determinant(mode):
    is_other = ~np.isin(np.arange(FULL.n_params), FULL.sizes)

    def half_log_det(theta):
        return -0.5 * np.linalg.slogdet(measure_information(FULL, theta)[np.ix_(is_other, is_other)])[1]

    factor = np.linalg.cholesky(measure_information(FULL, mode.theta)[np.ix_(is_other, is_other)])
    expected = differences(half_log_det, mode.theta)[FULL.sizes]
    assert correct_sizes(FULL, mode.theta, factor) == pytest.approx(expected, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("which", range(len(FULL.sizes)))
def test_a_size_is_where_the_evidence_is_highest(mode, which):
    """All else integrated out, by Laplace's own figure of it with each size held."""

    def log_evidence(move):
        start = mode.theta.copy()
        start[FULL.sizes[which]] += move
        held = _come_to_rest(FULL, start)
        return held.value - np.log(np.diag(held.factor)).sum()

    assert log_evidence(0.0) > max(log_evidence(-0.6), log_evidence(0.6))


def test_one_mode_is_found_from_wherever_the_search_begins(mode):
    other = find_mode(FULL, start=thetas(FULL)[2])
    spread = np.sqrt(np.diag(np.linalg.inv(mode.factor @ mode.factor.T)))
    assert np.abs((other.theta - mode.theta) / spread).max() < 0.05


def test_the_share_by_rail_of_a_town_is_drawn_with_its_trips():
    estimate = WORLD.estimate(())
    ways = estimate.posterior.ways
    assert estimate.town_rail_share.shape == estimate.town_share.shape
    assert (estimate.town_rail_share <= estimate.town_share * (1 + 1e-12)).all()
    by_town = np.bincount(ways.town, weights=estimate.pair_rail_share, minlength=len(ways.town_ids))
    assert estimate.town_rail_share.mean(axis=0) == pytest.approx(by_town)
    ends = measure_rail_range(estimate)
    assert ends.index.tolist() == list(ways.town_ids)
    assert ((ends["rail_share_low"] >= 0) & (ends["rail_share_high"] <= 1)).all()
    mean = by_town / np.bincount(ways.town, weights=estimate.pair_share, minlength=len(ways.town_ids))
    assert ((ends["rail_share_low"] <= mean + 1e-12) & (mean <= ends["rail_share_high"] + 1e-12)).all()
