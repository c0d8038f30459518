"""The interaction models: shares by hand, laws that hold whatever the numbers, faults that are named."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from geo.corridors.baselines import Nearest, PopulationShare, Uniform
from geo.corridors.competition import CompetingExporters, Persistent, measure_rival_pull
from geo.corridors.fit_scores import bic, log_score, recall_at, sorensen
from geo.corridors.gravity import Gravity, Huff, Retail
from geo.corridors.interaction import require_pairs, shares_from_log
from geo.corridors.priors import COURIER_GRAVITY, CoefficientPrior
from geo.corridors.radiation import Radiation, measure_intervening_mass
from geo.errors import ModelGateError, TableError, UsageError


@pytest.fixture
def pairs():
    """Origin `a` of mass 10: `x` (mass 5, 10 min), `y` (20, 20 min), `z` (20, no way); origin `b`: `x`, `y` as near."""
    return pd.DataFrame(
        {
            "origin_id": ["a", "a", "a", "b", "b"],
            "destination_id": ["x", "y", "z", "x", "y"],
            "origin_mass": [10.0, 10.0, 10.0, 40.0, 40.0],
            "destination_mass": [5.0, 20.0, 20.0, 5.0, 20.0],
            "cost_min": [10.0, 20.0, np.inf, 30.0, 30.0],
            "outflow": [8.0, 8.0, 8.0, 3.0, 3.0],
        }
    )


def held(**means):
    return CoefficientPrior(means, dict.fromkeys(means, 1e-9), "held")


def test_gravity_shares_are_those_of_the_formula(pairs):
    model = Gravity(prior=held(mass_exponent=1.0, cost_exponent=2.0)).fit(pairs, np.zeros(5))
    near, far = 5 / 10**2, 20 / 20**2
    assert model.predict_share(pairs) == pytest.approx([near / (near + far), far / (near + far), 0.0, 0.2, 0.8])


def test_exponential_decay_is_that_of_the_formula(pairs):
    model = Gravity(decay="exponential", prior=held(mass_exponent=0.0, cost_decay=0.1)).fit(pairs, np.zeros(5))
    assert model.predict_share(pairs)[1] == pytest.approx(np.exp(-1) / (1 + np.exp(-1)))


def test_retail_shares_are_those_of_the_formula(pairs):
    prior = held(destination_mass=0.5, cost_decay=0.1)
    model = Retail(covariates=("destination_mass",), prior=prior).fit(pairs, np.zeros(5))
    near, far = 5**0.5 * np.exp(-1), 20**0.5 * np.exp(-2)
    assert model.predict_share(pairs)[:3] == pytest.approx([near / (near + far), far / (near + far), 0.0])


def test_gravity_without_decay_is_the_population_share(pairs):
    model = Gravity(prior=held(mass_exponent=1.0, cost_exponent=0.0)).fit(pairs, np.zeros(5))
    open_pairs = pairs.loc[np.isfinite(pairs["cost_min"])]
    assert model.predict_share(open_pairs) == pytest.approx(
        PopulationShare().fit(open_pairs, np.zeros(4)).predict_share(open_pairs)
    )


def test_huff_is_gravity_with_attractiveness_for_mass(pairs):
    y = [4, 3, 0, 1, 2]
    huff = Huff(attractiveness="destination_mass").fit(pairs, y)
    assert huff.coef_ == pytest.approx(Gravity().fit(pairs, y).coef_)


def test_flow_out_is_outflow_for_every_model(pairs):
    models = [
        Uniform(),
        PopulationShare(),
        Nearest(),
        Gravity(prior=COURIER_GRAVITY),
        Huff(attractiveness="destination_mass", prior=held(attractiveness_exponent=1.0, cost_exponent=1.0)),
        Retail(covariates=("destination_mass",), prior=held(destination_mass=1.0, cost_decay=0.1)),
    ]
    for model in models:
        flow = pd.Series(model.fit(pairs, np.zeros(5)).predict(pairs)).groupby(pairs["origin_id"]).sum()
        assert flow.to_numpy() == pytest.approx([8.0, 3.0], abs=1e-12), model


def test_an_origin_that_reaches_nothing_sends_nothing(pairs):
    cut = pairs.assign(cost_min=[10.0, 20.0, np.inf, np.inf, np.inf])
    share = Gravity(prior=COURIER_GRAVITY).fit(cut, np.zeros(5)).predict_share(cut)
    assert share[3:] == pytest.approx([0.0, 0.0], abs=0)
    assert share[:3].sum() == pytest.approx(1.0)


def test_nearest_shares_ties_and_leaves_what_cannot_be_reached(pairs):
    assert Nearest().fit(pairs, np.zeros(5)).predict_share(pairs).tolist() == [1.0, 0.0, 0.0, 0.5, 0.5]


def test_radiation_is_that_of_the_formula(pairs):
    radiation = pairs.assign(intervening_mass=measure_intervening_mass(pairs))
    raw = Radiation(form="original").fit(radiation, np.zeros(5)).predict_share(radiation)
    assert raw[:2] == pytest.approx([10 * 5 / (10 * 15), 10 * 20 / (15 * 35)])
    assert raw[2] == 0.0


def test_finite_size_correction_makes_shares_add_up():
    line = pd.DataFrame(
        {
            "origin_id": "a",
            "destination_id": list("wxyz"),
            "origin_mass": 7.0,
            "destination_mass": [3.0, 1.0, 4.0, 1.0],
            "cost_min": [4.0, 3.0, 2.0, 1.0],
        }
    )
    line["intervening_mass"] = measure_intervening_mass(line)
    assert Radiation(form="finite").fit(line, np.zeros(4)).predict_share(line).sum() == pytest.approx(1.0)
    assert Radiation(form="original").fit(line, np.zeros(4)).predict_share(line).sum() == pytest.approx(1 - 7 / 16)


def test_splitting_a_town_leaves_others_alone_in_radiation_and_gravity():
    whole = pd.DataFrame(
        {
            "origin_id": "a",
            "destination_id": ["near", "split", "far"],
            "origin_mass": 9.0,
            "destination_mass": [4.0, 6.0, 5.0],
            "cost_min": [10.0, 20.0, 30.0],
        }
    )
    half = whole.iloc[[1]].assign(destination_mass=3.0)
    parts = pd.concat([whole.iloc[[0, 2]], half, half.assign(destination_id="split2")], ignore_index=True)
    for model in (
        Radiation(form="finite"),
        Gravity(prior=held(mass_exponent=1.0, cost_exponent=1.7)),
    ):
        shares = []
        for table in (whole, parts):
            full = table.assign(intervening_mass=measure_intervening_mass(table))
            shares.append(
                pd.Series(model.fit(full, np.zeros(len(full))).predict_share(full), index=full["destination_id"])
            )
        assert shares[1][["near", "far"]].to_numpy() == pytest.approx(shares[0][["near", "far"]].to_numpy(), rel=1e-9)


def test_extended_radiation_reduces_to_the_original_at_alpha_1_and_large_kappa(pairs):
    radiation = pairs.assign(intervening_mass=measure_intervening_mass(pairs))
    extended = Radiation(form="extended", alpha=1.0, kappa=1e9).fit(radiation, np.zeros(5)).predict_share(radiation)
    original = Radiation(form="original").fit(radiation, np.zeros(5)).predict_share(radiation)
    totals = pd.Series(original).groupby(radiation["origin_id"]).transform("sum").to_numpy()
    assert extended == pytest.approx(original / totals, rel=1e-6)


def test_extended_radiation_fits_both_parameters_by_likelihood():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"origin_id": np.repeat(list("abcd"), 40), "destination_id": np.tile(np.arange(40), 4)})
    table["origin_mass"] = np.repeat([50.0, 90.0, 10.0, 200.0], 40)
    table["destination_mass"] = np.tile(rng.uniform(5, 50, 40), 4)
    table["cost_min"] = rng.uniform(5, 90, 160)
    table["intervening_mass"] = measure_intervening_mass(table)
    truth = Radiation(form="extended", alpha=2.0, kappa=0.02).fit(table, np.zeros(160))
    y = 1e5 * truth.predict_share(table)
    fitted = Radiation(form="extended", kappa=None).fit(table, y)
    assert fitted.predict_share(table) == pytest.approx(truth.predict_share(table), abs=1e-4)
    assert fitted.alpha_ == pytest.approx(2.0, rel=0.02)
    fixed = Radiation(form="extended", kappa=0.02).fit(table, y)
    assert (fixed.alpha_, fixed.kappa_) == (pytest.approx(2.0, rel=1e-3), 0.02)


def test_rivals_leave_the_own_pull_out_and_keep_the_destination_itself():
    pairs = pd.DataFrame({"origin_id": ["a", "k"], "destination_id": ["x", "x"]})
    rivals = pd.DataFrame(
        {
            "origin_id": ["a", "k", "x"],
            "destination_id": "x",
            "origin_mass": [10.0, 20.0, 6.0],
            "cost_min": [10.0, 5.0, 0.0],
        }
    )
    pull = measure_rival_pull(pairs, rivals, exponent=1.0, cost_floor=2.0)
    assert pull == pytest.approx([20 / 5 + 6 / 2, 10 / 10 + 6 / 2])


def test_a_supplied_market_draws_less(pairs):
    prior = held(mass_exponent=1.0, cost_exponent=1.0, cost_decay=0.0, rivalry_exponent=1.0)
    quiet = pairs.assign(rival_pull=1.0)
    busy = quiet.assign(rival_pull=[4.0, 1.0, 1.0, 4.0, 1.0])
    model = CompetingExporters(prior=prior).fit(quiet, np.zeros(5))
    gravity = Gravity(prior=held(mass_exponent=1.0, cost_exponent=1.0)).fit(pairs, np.zeros(5))
    assert model.predict_share(quiet) == pytest.approx(gravity.predict_share(pairs))
    assert model.predict_share(busy)[0] == pytest.approx((0.5 / 4) / (0.5 / 4 + 1.0))


def test_tanner_deterrence_is_power_times_exponential(pairs):
    prior = held(mass_exponent=0.0, cost_exponent=1.0, cost_decay=0.1, rivalry_exponent=0.0)
    share = (
        CompetingExporters(prior=prior)
        .fit(pairs.assign(rival_pull=1.0), np.zeros(5))
        .predict_share(pairs.assign(rival_pull=1.0))
    )
    near, far = np.exp(-1) / 10, np.exp(-2) / 20
    assert share[0] == pytest.approx(near / (near + far))


@pytest.mark.parametrize(("persistence", "expected"), [(0.0, 0.5), (0.5, 0.65), (1.0, 0.8)])
def test_persistence_shrinks_last_years_shares_towards_the_model(persistence, expected):
    pairs = pd.DataFrame({"origin_id": "a", "destination_id": ["x", "y"]})
    model = Persistent(Uniform(), persistence=persistence).fit(pairs, [8, 2])
    assert model.predict_share(pairs) == pytest.approx([expected, 1 - expected])


def test_a_new_pair_is_left_to_the_model():
    pairs = pd.DataFrame({"origin_id": "a", "destination_id": ["x", "y"]})
    more = pd.DataFrame({"origin_id": "a", "destination_id": ["x", "y", "new"]})
    share = Persistent(Uniform()).fit(pairs, [8, 2]).predict_share(more)
    assert share.sum() == pytest.approx(1.0)
    assert share[2] == pytest.approx(1 / 3)


def test_few_lines_leave_the_prior_and_many_replace_it(pairs):
    table = pairs.assign(cost_min=[10.0, 20.0, 40.0, 30.0, 15.0])
    y = np.array([1.0, 5.0, 6.0, 1.0, 3.0])
    gap = []
    likeliest = Gravity().fit(table, y).coef_
    for times in (0.0, 1.0, 10.0, 1000.0):
        model = Gravity(prior=COURIER_GRAVITY).fit(table, times * y)
        gap.append(np.abs(model.coef_ - likeliest).max())
        assert model.basis_ == {0.0: "prior", 1000.0: "observed"}.get(times, "updated_prior")
    assert gap == sorted(gap, reverse=True)
    assert gap[-1] < 0.05 * gap[0]


def test_models_clone_and_tell_their_parameters():
    model = clone(Gravity(mass="people", decay="exponential"))
    assert model.get_params() == {"mass": "people", "cost": "cost_min", "decay": "exponential", "prior": None}
    assert clone(Persistent(Gravity(cost="km"), persistence=0.2)).get_params()["model__cost"] == "km"


def test_scores_are_those_worked_by_hand():
    assert sorensen([4, 0, 2], [2, 2, 2]) == pytest.approx(2 * 4 / 12)
    assert log_score([2.0], [1.0]) == pytest.approx(-1 - np.log(2))
    assert log_score([1.0], [0.0]) == -np.inf
    assert bic(-10.0, n_parameters=3, n_pairs=8) == pytest.approx(3 * np.log(8) + 20)
    assert recall_at([True, False, True], [1.0, 1.0, 0.5], n_first=1) == 0.0


def test_bic_counts_coefficients_and_origins(pairs):
    model = Gravity().fit(pairs, [4, 3, 0, 1, 2])
    assert model.bic_ == pytest.approx(4 * np.log(5) - 2 * model.log_likelihood_)


def test_score_is_sorensen(pairs):
    model = Uniform().fit(pairs, np.zeros(5))
    assert model.score(pairs, model.predict(pairs)) == pytest.approx(1.0)


def test_faults_of_pairs_are_named(pairs):
    with pytest.raises(TableError, match=r"pairs: columns \['cost_min'\] are missing"):
        Gravity().fit(pairs.drop(columns="cost_min"), np.zeros(5))
    with pytest.raises(
        TableError, match=r"pairs repeat \['a > x'\]; column 'cost_min' is null or minus infinity in 1 rows"
    ):
        Gravity().fit(
            pairs.assign(destination_id=["x", "x", "z", "x", "y"], cost_min=[1, np.nan, 1, 1, 1]), np.zeros(5)
        )
    with pytest.raises(TableError, match="column 'destination_mass' is not positive in 1 rows"):
        Gravity().fit(pairs.assign(destination_mass=[0.0, 1, 1, 1, 1]), np.zeros(5))
    with pytest.raises(TableError, match=r"flows: shape is \(4,\), expected \(5,\)"):
        Gravity().fit(pairs, np.zeros(4))
    with pytest.raises(TableError, match="flows: 1 are negative or not finite"):
        Gravity().fit(pairs, [-1, 0, 0, 0, 0])
    with pytest.raises(TableError, match="is not positive in 1 rows, expected masses"):
        Radiation(intervening="cost_min").fit(pairs.assign(origin_mass=[0.0, 1, 1, 1, 1]), np.zeros(5)).predict_share(
            pairs.assign(origin_mass=[0.0, 1, 1, 1, 1])
        )
    with pytest.raises(UsageError, match="attraction: 3 pairs have none"):
        shares_from_log(np.array([np.nan, np.inf, np.nan, 0.0, 0.0]), require_pairs(pairs, ()))


def test_faults_of_settings_are_named(pairs):
    with pytest.raises(UsageError, match="Gravity: it has no parameters yet"):
        Gravity().predict_share(pairs)
    with pytest.raises(UsageError, match="Persistent: it has no first period yet"):
        Persistent(Uniform()).predict_share(pairs)
    with pytest.raises(UsageError, match="decay: it is 'linear'"):
        Gravity(decay="linear").fit(pairs, np.zeros(5))
    with pytest.raises(UsageError, match="form: it is 'free'"):
        Radiation(form="free", intervening="cost_min").fit(pairs, np.zeros(5))
    with pytest.raises(UsageError, match="alpha: no flow was observed"):
        Radiation(form="extended", intervening="cost_min").fit(pairs, np.zeros(5))
    with pytest.raises(UsageError, match=r"persistence: it is 1\.5"):
        Persistent(Uniform(), persistence=1.5).fit(pairs, np.zeros(5))
    with pytest.raises(UsageError, match=r"prior: it says nothing of \['cost_exponent'\]"):
        Gravity(prior=held(mass_exponent=1.0)).fit(pairs, np.zeros(5))
    bad = CoefficientPrior(COURIER_GRAVITY.mean, {"mass_exponent": 0.0, "cost_exponent": 0.5}, "bad")
    with pytest.raises(UsageError, match=r"prior: standard deviations are \[0\.0, 0\.5\]"):
        Gravity(prior=bad).fit(pairs, np.zeros(5))
    with pytest.raises(UsageError, match="cost_floor: it is 0, expected more than 0"):
        measure_rival_pull(pairs, pairs, cost_floor=0)
    with pytest.raises(ModelGateError, match="coefficients: the observed flows do not determine them"):
        Gravity().fit(pairs, np.zeros(5))
    with pytest.raises(UsageError, match=r"flows: observed and predicted add up to 0\.0"):
        sorensen([0], [0])
    with pytest.raises(UsageError, match="known: no pair is known"):
        recall_at([False], [1.0], n_first=1)
