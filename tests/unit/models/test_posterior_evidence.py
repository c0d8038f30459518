"""From tables to ways and sources: every record once, in any order of rows, and refusals that say what to do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from geo.errors import ModelGateError, TableError, UsageError
from models.posterior import fit
from models.posterior import ways as ways_module
from models.posterior.counts import judge_band, judge_negative_binomial, judge_poisson
from models.posterior.evidence import Evidence, build_sources
from models.posterior.fit import find_mode
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal, Priors
from models.posterior.sources import Lines
from models.posterior.ways import COST_FLOOR_MIN, build_ways
from tests.unit.models.posterior_worlds import (
    TRIPS_PER_LINE,
    build_world,
    by_station,
    by_town,
    full_evidence,
    known_addresses,
    known_lines,
)

WORLD = build_world()
WAYS, PRIORS = WORLD.ways, WORLD.priors
log_means = st.floats(-6.0, 6.0)
counts = st.integers(0, 200)


def ways_of(costs=WORLD.costs, towns=WORLD.towns, exporters=WORLD.exporters, internal_share=0.1, **options):
    return build_ways(costs, towns, exporters, PRIORS, internal_share=internal_share, **options)


def same(one, two):
    """Whether two records of arrays are equal to the last bit."""
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in one.__dataclass_fields__)


def shuffled(table):
    return None if table is None else table.sample(frac=1.0, random_state=3)


def lines_of(evidence):
    """Known lines by grain: totals."""
    return {source.grain: float(source.low.sum()) for source in WORLD.sources(evidence)}


def by_name(evidence):
    return {source.name: source for source in WORLD.sources(evidence)}


def test_shuffling_the_rows_of_every_table_changes_no_way():
    turned = ways_of(shuffled(WORLD.costs), shuffled(WORLD.towns), shuffled(WORLD.exporters))
    assert same(turned, WAYS)


def test_shuffling_the_rows_of_every_record_changes_no_source():
    evidence = full_evidence()
    turned = Evidence(
        **{
            name: shuffled(getattr(evidence, name))
            for name in Evidence.__dataclass_fields__
            if name not in {"partner_counts", "names_every_town"}
        },
        partner_counts={name: shuffled(n) for name, n in reversed(evidence.partner_counts.items())},
    )
    one, two = WORLD.sources(evidence), WORLD.sources(turned)
    assert len(one) == len(two)
    assert all(same(a, b) for a, b in zip(one, two, strict=True))


def test_pairs_are_in_order_and_their_shares_sum_to_one_within_an_origin():
    assert WAYS.n_pairs == 3 * 8 + 8 * 7
    assert WAYS.flow_ids == sorted(WAYS.flow_ids, key=lambda f: (f.startswith("t"), f))
    rng = np.random.default_rng(0)
    shares = np.exp(WAYS.log_shares(rng.normal(size=(5, 4))))
    for share in shares:
        assert np.bincount(WAYS.origin, share) == pytest.approx(np.ones(len(WAYS.origin_ids)))


def test_no_town_supplies_itself_and_a_null_or_infinite_cost_is_no_way():
    costs = WORLD.costs.copy()
    costs.loc[costs["destination_id"] == "t3", "cost_min"] = np.nan
    costs.loc[(costs["origin_id"] == "x0") & (costs["destination_id"] == "t1"), "cost_min"] = np.inf
    costs = pd.concat([costs, pd.DataFrame({"origin_id": ["t2"], "destination_id": ["t2"], "cost_min": [0.0]})])
    flows = set(ways_of(costs).flow_ids)
    assert flows == {f for f in WAYS.flow_ids if not f.endswith(">t3")} - {"x0>t1"}


def test_journeys_below_the_floor_count_as_the_floor():
    near, nearer = (WORLD.costs.replace({"cost_min": {19.0: minutes}}) for minutes in (COST_FLOOR_MIN, 1.0))
    assert (nearer["cost_min"] < COST_FLOOR_MIN).any()
    assert same(ways_of(nearer), ways_of(near))
    assert not same(ways_of(nearer, cost_floor_min=0.5), ways_of(near))


def test_a_larger_town_takes_more_of_every_exporter_than_a_smaller_one_as_near():
    costs = WORLD.costs.assign(cost_min=60.0)
    ways = ways_of(costs)
    share = ways.log_shares(np.array([prior.mean for prior in PRIORS.coefficients]))
    from_first = share[ways.origin == 0]
    assert np.array_equal(np.argsort(from_first), np.argsort(ways.residents))


def test_towns_are_no_origins_where_no_line_starts_inside():
    ways = ways_of(internal_share=0.0)
    assert ways.origin_ids == ("x0", "x1", "x2")
    assert ways.internal_log_odds == -np.inf
    posterior = Posterior(ways, PRIORS)
    assert np.isfinite(posterior.log_density(posterior.prior_mean))


def test_towns_alone_can_be_origins():
    ways = ways_of(exporters=WORLD.exporters.iloc[:0])
    assert ways.n_external == 0
    assert find_mode(Posterior(ways, PRIORS)).log_evidence == pytest.approx(0.0, abs=1e-6)


def test_prior_strengths_are_shares_of_external_and_of_internal_lines():
    strength = np.exp(WAYS.log_strength)
    assert strength[: WAYS.n_external].sum() == pytest.approx(1.0)
    assert strength[WAYS.n_external :].sum() == pytest.approx(1.0)


def into_towns(exporters, rivalry):
    """External lines into each town at the prior mean, as shares."""
    priors = replace(PRIORS, rivalry_exponent=Normal(rivalry, 0.1))
    ways = build_ways(WORLD.costs, WORLD.towns, exporters, priors, internal_share=0.1)
    shares = np.exp(ways.log_shares(np.array([p.mean for p in priors.coefficients])))
    lines = np.where(ways.origin < ways.n_external, np.exp(ways.log_strength[ways.origin]) * shares, 0.0)
    return np.bincount(ways.town, lines) / lines.sum()


@pytest.mark.parametrize("n_exporters", [1, 2, 3])
def test_where_demand_limits_a_market_exporters_share_it_and_add_nothing(monkeypatch, n_exporters):
    monkeypatch.setattr(ways_module, "ELSEWHERE_SHARE", 0.0)
    people = WAYS.residents**PRIORS.mass_exponent.mean
    of_size = people / people.sum()
    np.testing.assert_allclose(into_towns(WORLD.exporters.iloc[:n_exporters], 1.0), of_size)
    # Where supply does, the town that more of it reaches gets more than its size.
    gain = into_towns(WORLD.exporters.iloc[:n_exporters], 0.0) / of_size
    reached = WAYS.features[:8, 3]
    assert gain[np.argmin(reached)] > 1 > gain[np.argmax(reached)]


def test_a_town_that_less_of_the_listed_supply_reaches_is_left_more_to_supply_from_elsewhere():
    people = WAYS.residents**PRIORS.mass_exponent.mean
    gain = into_towns(WORLD.exporters, 1.0) / people
    # The feature is minus the logarithm of the supply.
    assert np.argsort(gain).tolist() == np.argsort(-WAYS.features[:8, 3]).tolist()


def test_supply_within_reach_is_the_same_for_every_origin():
    by_town = [set(WAYS.features[WAYS.town == j, 3]) for j in range(8)]
    assert all(len(values) == 1 for values in by_town)
    assert len(set.union(*by_town)) > 1


def test_a_world_without_a_way_is_refused():
    with pytest.raises(TableError, match="costs: no pair of origin and town can be travelled, expected some"):
        ways_of(WORLD.costs.assign(cost_min=np.nan))


def test_a_line_counts_at_the_grain_that_is_known_of_it():
    rows = known_lines(("x0", "t1", 3), ("x1", None, 2), (None, "t2", 1.5), (None, None, 9), ("x9", "nowhere", 4))
    assert lines_of(Evidence(lines=rows)) == {"pair": 3.0, "origin": 2.0, "town": 1.5}


def test_a_line_with_no_way_between_its_ends_still_counts_in_its_town():
    """From t2 to itself there is no pair, but a line into t2 all the same."""
    assert lines_of(Evidence(lines=known_lines(("t2", "t2", 5)))) == {"town": 5.0}


def test_two_rows_of_the_same_pair_are_added():
    rows = known_lines(("x0", "t1", 3), ("x0", "t1", 2))
    assert WORLD.sources(Evidence(lines=rows))[0].low.max() == 5.0


def test_an_exporters_count_counts_only_beyond_the_lines_that_are_listed():
    stated = pd.Series({"x0": 6.0, "x1": 1.0})
    evidence = Evidence(lines=known_lines(("x0", "t1", 4), ("x1", "t2", 3)), exporter_lines=stated)
    source = by_name(evidence)["lines_by_origin"]
    assert dict(zip(source.rows.tolist(), source.low.tolist(), strict=True)) == {0: 2.0, 1: 0.0}


def test_an_exporter_whose_count_is_null_is_not_one_without_lines():
    source = by_name(Evidence(exporter_lines=pd.Series({"x0": 6.0, "x1": np.nan, "x2": 0.0})))["lines_by_origin"]
    assert source.rows.tolist() == [0, 2]


def test_margins_of_the_same_lines_expect_together_what_is_recorded():
    """Prior recording shares of the grains add up to that of all lines."""
    rows = known_lines(("x0", "t1", 3), ("x1", None, 2), (None, "t2", 5))
    shares = [np.exp(source.own[0].mean) for source in WORLD.sources(Evidence(lines=rows))]
    assert sum(shares) == pytest.approx(np.exp(PRIORS.recording_share.mean))


@pytest.mark.parametrize(
    ("n", "band"), [(0, (0, 2)), (2, (0, 2)), (3, (3, 7)), (7, (3, 7)), (8, (8, 12)), (14, (13, 17))]
)
def test_partners_counts_are_read_in_bands_that_hold_them(n, band):
    source = WORLD.sources(Evidence(partner_counts={"any": by_town(n, *[20] * 7)}))[0]
    assert (source.low[0], source.high[0]) == band


def test_a_town_that_nobody_can_reach_or_that_was_not_counted_is_no_row():
    costs = WORLD.costs.copy()
    costs.loc[costs["destination_id"] == "t3", "cost_min"] = np.nan
    series = by_town(*[5] * 8)
    series["t5"] = np.nan
    (source,) = build_sources(
        Evidence(reported_offences=series),
        ways_of(costs),
        PRIORS,
        stations=None,
        trips_per_line_per_month=TRIPS_PER_LINE,
    )
    assert source.rows.tolist() == [0, 1, 2, 4, 6, 7]


@pytest.mark.parametrize(
    "evidence",
    [
        Evidence(),
        Evidence(addresses=known_addresses(t0=(0, 0), t1=(0, 0))),
        Evidence(reported_offences=by_town(*[0] * 8)),
        Evidence(station_offences=by_station(3, 4, 5, 6, 7)),
        Evidence(station_offences=by_station(*[0] * 5), footfall=by_station(*[1e5] * 5)),
        Evidence(finds=pd.DataFrame({"n_hours": [0.0], "n_finds": [0]}, index=["s1"])),
        Evidence(finds=pd.DataFrame({"n_hours": [9.0], "n_finds": [0]}, index=["elsewhere"])),
    ],
    ids=["nothing", "no address", "no offence", "no footfall", "no offence at stations", "no hour", "elsewhere"],
)
def test_what_says_nothing_is_no_source(evidence):
    assert WORLD.sources(evidence) == ()


def test_stations_that_no_trip_meets_have_no_row():
    visits = WORLD.stations.visits.toarray()
    visits[3] = 0.0
    closed = replace(WORLD.stations, visits=sparse.csr_array(visits))
    evidence = Evidence(finds=pd.DataFrame({"n_hours": [9.0, 9.0], "n_finds": [0, 0]}, index=["s1", "s3"]))
    (source,) = build_sources(evidence, WAYS, PRIORS, stations=closed, trips_per_line_per_month=TRIPS_PER_LINE)
    assert source.rows.tolist() == [1]


def test_sources_at_stations_without_stations_are_refused():
    source = by_name(full_evidence())["finds"]
    with pytest.raises(UsageError, match="stations: a source counts there but none are given, expected Stations"):
        Posterior(WAYS, PRIORS, [source])


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 0.0), (0.0, -1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_a_prior_that_is_none_is_refused(mean, sd):
    with pytest.raises(UsageError, match="expected finite numbers and a positive sd"):
        Normal(mean, sd)


def test_priors_come_back_from_their_record():
    priors = replace(Priors(), town_sd=0.9, rail_shift=Normal(1.0, 2.0))
    assert Priors.from_record(priors.to_record()) == priors


def test_priors_of_another_version_are_refused_by_name():
    with pytest.raises(UsageError, match="'shape' is not a prior of this version, expected address_exponent"):
        Priors.from_record({"shape": 1.0})


def test_a_search_that_does_not_come_to_rest_is_refused(monkeypatch):
    monkeypatch.setattr(fit, "_MOST_STEPS", 1)
    with pytest.raises(ModelGateError, match=r"posterior: no rest after 1 steps, slope .*, expected a mode"):
        find_mode(WORLD.posterior(WORLD.sources(full_evidence())))


@given(counts, log_means)
def test_poisson_counts_are_judged_as_scipy_does(n, log_mean):
    found = judge_poisson(np.array([float(n)]), np.array([log_mean])).log_likelihood
    assert found == pytest.approx(stats.poisson.logpmf(n, np.exp(log_mean)), rel=1e-9, abs=1e-9)


@given(counts, log_means, st.floats(-2.0, 4.0))
def test_negative_binomial_counts_are_judged_as_scipy_does(n, log_mean, log_size):
    size, mean = np.exp(log_size), np.exp(log_mean)
    found = judge_negative_binomial(np.array([float(n)]), np.array([log_mean]), log_size).log_likelihood
    assert found == pytest.approx(stats.nbinom.logpmf(n, size, size / (size + mean)), rel=1e-7, abs=1e-7)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=4), st.integers(0, 12), log_means, st.floats(-2.0, 4.0))
def test_a_band_has_the_chance_of_its_counts_together(low, width, log_mean, log_size):
    size, mean = np.exp(log_size), np.exp(log_mean)
    starts = np.array(low)
    high = starts + np.arange(len(starts)) % 2 * width
    found = judge_band(starts, high, np.full(len(starts), log_mean), log_size)
    p = size / (size + mean)
    expected = [
        np.logaddexp.reduce(stats.nbinom.logpmf(np.arange(a, b + 1), size, p))
        for a, b in zip(starts, high, strict=True)
    ]
    assert found.log_likelihood == pytest.approx(np.array(expected), rel=1e-7, abs=1e-7)


@given(counts, log_means, st.floats(-2.0, 4.0))
def test_slopes_of_a_count_are_those_of_its_likelihood(n, log_mean, log_size):
    def value(mean, size):
        return judge_negative_binomial(np.array([float(n)]), np.array([mean]), size).log_likelihood[0]

    found, h = judge_negative_binomial(np.array([float(n)]), np.array([log_mean]), log_size), 1e-5
    by_mean = (value(log_mean + h, log_size) - value(log_mean - h, log_size)) / (2 * h)
    by_size = (value(log_mean, log_size + h) - value(log_mean, log_size - h)) / (2 * h)
    assert found.slope[0] == pytest.approx(by_mean, rel=1e-4, abs=1e-4)
    assert found.size_slope[0] == pytest.approx(by_size, rel=1e-4, abs=1e-4)


def test_a_huge_size_is_poisson():
    n, log_mean = np.arange(10.0), np.linspace(-1, 2, 10)
    poisson, huge = judge_poisson(n, log_mean), judge_negative_binomial(n, log_mean, float(np.log(1e7)))
    assert huge.log_likelihood == pytest.approx(poisson.log_likelihood, abs=1e-4)
    assert huge.information == pytest.approx(poisson.information, rel=1e-4)


def test_a_band_of_everything_says_nothing():
    wide = judge_band(np.array([0]), np.array([5_000]), np.array([1.0]), 1.4)
    assert wide.log_likelihood[0] == pytest.approx(0.0, abs=1e-9)
    assert wide.slope[0] == pytest.approx(0.0, abs=1e-9)


def test_lines_of_a_pair_are_negative_binomial_of_the_shape_of_its_own_effect():
    source = by_name(full_evidence())["lines_by_pair"]
    assert isinstance(source, Lines)
    assert source.fixed_log_size == pytest.approx(np.log(PRIORS.pair_shape))
    assert len(source.rows) == WAYS.n_pairs
