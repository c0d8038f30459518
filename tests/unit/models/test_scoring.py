"""The score of a list: sums, ranks, tiers, intervals, and demand kept apart from enforcement."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import ModelGateError, UsageError
from models.composition import measure_features, score_draws
from models.draws import FACTORS, IndexSettings, base_realisation, draw_realisations
from models.scoring import rank_units, require_rankable, score_units
from tests.unit.models.worlds import feature_set, sparse_counts

DEMAND_ALONE = IndexSettings(weights={"demand_offences": 1.0}, vary=("months",))


def reasons(table: pd.DataFrame) -> pd.DataFrame:
    return table.filter(like="reason_")


@pytest.fixture
def world():
    rng = np.random.default_rng(3)
    _, counts = sparse_counts(rng, n=40, mean=8.0)
    counts[..., 2] = rng.poisson(0.3, counts.shape[:2])
    return feature_set(counts, flow=rng.gamma(0.5, 10, 40), hotspot_harm=rng.gamma(0.3, 20, 40))


def test_reasons_sum_to_the_score(world):
    table = score_units(world, random_state=1, n_draws=50).table
    assert np.abs(reasons(table).sum(axis=1) - table["score"]).max() < 1e-9


def test_same_seed_gives_the_same_list_and_another_seed_another_interval(world):
    first = score_units(world, random_state=1, n_draws=80).table
    pd.testing.assert_frame_equal(first, score_units(world, random_state=1, n_draws=80).table)
    other = score_units(world, random_state=2, n_draws=80).table
    assert (first["score"] == other["score"]).all()
    assert not first["p_top_10"].equals(other["p_top_10"])


def test_more_events_never_rank_lower_when_events_alone_count():
    counts = np.zeros((30, 6, 3))
    counts[:, :, 0] = np.arange(30)[:, None]
    table = score_units(feature_set(counts), random_state=1, settings=DEMAND_ALONE, n_draws=50).table
    assert list(table.index) == [f"S{i:03d}" for i in range(29, -1, -1)]
    assert list(table["rank"]) == list(range(1, 31))


def test_ties_share_the_lowest_rank():
    assert list(rank_units(np.array([5.0, 7.0, 5.0, 5.0 + 1e-12, 1.0]))) == [2, 1, 2, 2, 5]


def test_a_station_with_neither_event_nor_flow_is_insufficient_and_not_low(world):
    counts = world.evidence.counts.copy()
    counts[0] = 0
    flow = world.fixed["courier_flow"].to_numpy(copy=True)
    flow[0] = 0
    table = score_units(feature_set(counts, flow=flow), random_state=1, n_draws=50).table
    assert table.loc["S000", "tier"] == "insufficient data"
    assert (table["tier"] == "insufficient data").sum() == 1


def test_a_certain_leader_is_in_tier_a_and_the_last_in_tier_c():
    counts = np.ones((40, 9, 3))
    counts[:5, :, 0] = 200
    table = score_units(feature_set(counts), random_state=1, settings=DEMAND_ALONE, n_draws=200).table
    assert (table.loc[["S000", "S004"], "tier"] == "A").all()
    assert table.loc["S000", "p_top_5"] == 1.0


def test_without_a_log_enforcement_counts_do_not_move_the_score(world):
    more = world.evidence.counts.copy()
    more[3, :, 1] += 500
    base = score_units(world, random_state=1, n_draws=20, settings=IndexSettings(weights={"demand_offences": 1.0}))
    other = feature_set(more, flow=world.fixed["courier_flow"].to_numpy(), hotspot_harm=world.hotspot_harm)
    raised = score_units(other, random_state=1, n_draws=20, settings=IndexSettings(weights={"demand_offences": 1.0}))
    assert (base.table["score"].sort_index() == raised.table["score"].sort_index()).all()


def test_a_station_that_only_policing_raises_is_flagged():
    counts = np.zeros((40, 9, 3))
    counts[:, :, 0] = np.arange(40, 0, -1)[:, None]
    counts[39, :, 1] = 500
    settings = IndexSettings(weights={"demand_offences": 0.4, "enforcement_rate": 0.6}, enforcement_cap=0.6)
    table = score_units(feature_set(counts), random_state=1, n_draws=20, settings=settings).table
    assert table.loc["S039", "enforcement_led"]
    assert table["enforcement_led"].sum() == 1
    assert not [c for c in table if c == "reason_enforcement_rate"]


def test_a_log_turns_finds_into_finds_for_the_hour():
    counts = np.zeros((20, 12, 3))
    counts[0, :, 1], counts[1, :, 1] = 100, 60
    propensity = np.full(20, 0.5)
    propensity[0], propensity[1] = 1.0, 0.5
    world = feature_set(counts, propensity=propensity)
    values = measure_features(world, base_realisation(world, IndexSettings()))["enforcement_rate"][0]
    assert values[1] > values[0]
    assert values[1] / values[0] == pytest.approx(1.2, rel=0.01)


def test_enforcement_never_holds_more_than_its_cap():
    counts = np.ones((20, 4, 3))
    world = feature_set(counts, propensity=np.ones(20))
    settings = IndexSettings(weights={"demand_offences": 0.1, "enforcement_rate": 0.9})
    draws = draw_realisations(world, settings, n_draws=100, random_state=1)
    assert draws.weights[:, 1].max() <= 0.2 + 1e-12
    np.testing.assert_allclose(draws.weights.sum(axis=1), 1.0)


def test_unknown_provenance_is_split_and_never_counted_twice():
    counts = np.zeros((5, 4, 3))
    counts[0, :, 2] = 10
    world = feature_set(counts, propensity=np.ones(5))
    draws = draw_realisations(world, IndexSettings(vary=("unknown_provenance",)), n_draws=20, random_state=1)
    values = measure_features(world, draws)
    total = values["demand_offences"][:, 0] + values["enforcement_rate"][:, 0]
    assert np.ptp(values["demand_offences"][:, 0]) > 1
    # 40 offences in 4 months: about ten a month between the two, whatever the share.
    np.testing.assert_allclose(total, 10.0, rtol=0.05)


@pytest.mark.parametrize("factor", FACTORS)
def test_each_factor_is_varied_alone(factor, world):
    base = base_realisation(world, IndexSettings())
    drawn = draw_realisations(world, IndexSettings(vary=(factor,)), n_draws=8, random_state=5)
    moved = {
        name for name, values in vars(drawn).items() if not np.array_equal(values, np.repeat(getattr(base, name), 8, 0))
    }
    expected = {
        "weights": {"weights"},
        "normalisation": {"normalisation"},
        "unknown_provenance": {"unknown_share"},
        "months": {"month_weights", "prior_events"},
        "towns": set(),
        "flow_assumptions": set(),
    }
    assert moved == expected[factor]


def test_noise_alone_is_not_rankable_and_a_clear_order_is():
    rng = np.random.default_rng(11)
    flat = np.zeros((60, 9, 3))
    flat[..., 0] = rng.poisson(10 / 9, (60, 9))
    settings = DEMAND_ALONE
    none = score_units(feature_set(flat), random_state=1, settings=settings, n_draws=300)
    assert none.rankability < 0.5
    with pytest.raises(ModelGateError, match=r"rankability is 0\.\d\d, expected at least 0\.50"):
        require_rankable(none)
    steep = np.zeros((60, 9, 3))
    steep[..., 0] = rng.poisson(np.geomspace(0.2, 30, 60)[:, None], (60, 9))
    require_rankable(score_units(feature_set(steep), random_state=1, settings=settings, n_draws=300))


def test_wide_intervals_withhold_the_ordinal_number():
    rng = np.random.default_rng(4)
    _, counts = sparse_counts(rng, n=60, mean=2.0)
    table = score_units(feature_set(counts), random_state=1, settings=DEMAND_ALONE, n_draws=200).table
    assert not table["is_rank_issued"].all()
    wide = table["rank_high"] - table["rank_low"] > 15
    assert (wide == ~table["is_rank_issued"]).all()


def test_the_rank_lies_in_its_interval(world):
    table = score_units(world, random_state=1, n_draws=100).table
    assert ((table["rank_low"] <= table["rank"]) & (table["rank"] <= table["rank_high"])).all()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"arrests": 1.0}, "'arrests' is not a scored feature"),
        ({"demand_offences": -0.5}, "'demand_offences' is -0.5, expected non-negative"),
        ({"courier_rate": 1.0}, "no weighed feature is known for any unit"),
    ],
)
def test_unusable_weights_are_refused(world, weights, message):
    with pytest.raises(UsageError, match=message):
        score_units(world, random_state=1, n_draws=10, settings=IndexSettings(weights=weights))


def test_an_unknown_normalisation_is_refused(world):
    with pytest.raises(UsageError, match="normalisation: it is 'zscore', expected one of percentile"):
        score_units(world, random_state=1, n_draws=10, settings=IndexSettings(normalisation="zscore"))


def test_reading_less_of_the_unknown_as_demand_makes_no_station_less_certain():
    rng = np.random.default_rng(5)
    _, counts = sparse_counts(rng, n=30, mean=4.0)
    world = feature_set(counts[..., [1, 2, 0]])  # all of it unknown
    ranks = []
    for vary in (("months",), ("months", "unknown_provenance")):
        settings = IndexSettings(weights={"demand_offences": 1.0}, vary=vary)
        draws = draw_realisations(world, settings, n_draws=40, random_state=3)
        ranks.append(rank_units(score_draws(world, draws, settings)))
    np.testing.assert_array_equal(ranks[0], ranks[1])
