"""The fit of shares against slow plain references: direct likelihoods, numerical Hessians, planted truths."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from benchmarks.london_lines import build_pairs, flows_left_out, predict_fold, predict_left_out
from geo.corridors.competition import CompetingExporters, Persistent
from geo.corridors.fit_scores import sorensen
from geo.corridors.gravity import Gravity, Retail
from geo.corridors.priors import COURIER_GRAVITY


def build_table(seed, n_origins=4, n_destinations=25):
    rng = np.random.default_rng(seed)
    n = n_origins * n_destinations
    return pd.DataFrame(
        {
            "origin_id": np.repeat([f"o{k}" for k in range(n_origins)], n_destinations),
            "destination_id": np.tile(np.arange(n_destinations), n_origins),
            "destination_mass": np.tile(rng.uniform(1e3, 1e5, n_destinations), n_origins),
            "cost_min": rng.uniform(10, 200, n),
            "outflow": np.repeat(rng.uniform(50, 500, n_origins), n_destinations),
        }
    )


def poisson_loss(parameters, table, y, origin):
    """Minus the Poisson log likelihood with one free effect an origin, without ln y!."""
    beta, gamma = parameters[:2]
    log_flow = (
        parameters[2:][origin] + beta * np.log(table["destination_mass"]) - gamma * np.log(table["cost_min"])
    ).to_numpy()
    return float((np.exp(log_flow) - y * log_flow).sum())


def test_gravity_is_the_poisson_regression_with_origin_effects():
    table = build_table(1)
    origin = pd.factorize(table["origin_id"])[0]
    y = np.random.default_rng(2).poisson(5, len(table)).astype(float)
    model = Gravity().fit(table, y)
    start = np.r_[0.0, 0.0, np.log(y.mean()) * np.ones(4)]
    slow = minimize(poisson_loss, start, args=(table, y, origin), method="BFGS", options={"gtol": 1e-7})
    assert model.coef_ == pytest.approx(slow.x[:2], abs=1e-4)
    flow = model.predict(table.assign(outflow=pd.Series(y).groupby(table["origin_id"]).transform("sum")))
    assert -model.log_likelihood_ == pytest.approx(
        poisson_loss(slow.x, table, y, origin) + sum(np.log(np.arange(1, k + 1)).sum() for k in y.astype(int)), rel=1e-6
    )
    assert flow.sum() == pytest.approx(y.sum(), rel=1e-12)


def test_standard_errors_are_those_of_the_numerical_hessian():
    table = build_table(3)
    origin = pd.factorize(table["origin_id"])[0]
    y = np.random.default_rng(4).poisson(20, len(table)).astype(float)
    model = Gravity().fit(table, y)
    slow = minimize(poisson_loss, np.r_[model.coef_, np.zeros(4)], args=(table, y, origin), method="BFGS")
    # The origin effects at the optimum, exactly, then a central second difference.
    log_rest = model.coef_[0] * np.log(table["destination_mass"]) - model.coef_[1] * np.log(table["cost_min"])
    total = np.bincount(origin, weights=np.exp(log_rest))
    at = np.r_[model.coef_, np.log(np.bincount(origin, weights=y) / total)]
    assert slow.fun >= poisson_loss(at, table, y, origin) - 1e-6
    step, size = 1e-4, len(at)
    hessian = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            e_i, e_j = step * np.eye(size)[i], step * np.eye(size)[j]
            hessian[i, j] = (
                poisson_loss(at + e_i + e_j, table, y, origin)
                - poisson_loss(at + e_i - e_j, table, y, origin)
                - poisson_loss(at - e_i + e_j, table, y, origin)
                + poisson_loss(at - e_i - e_j, table, y, origin)
            ) / (4 * step**2)
    slow_error = np.sqrt(np.diag(np.linalg.inv(hessian)))[:2]
    assert model.standard_error_ == pytest.approx(slow_error, rel=1e-3)


def test_the_maximum_a_posteriori_is_that_of_the_penalised_likelihood():
    table = build_table(5, n_origins=2, n_destinations=6)
    origin = pd.factorize(table["origin_id"])[0]
    y = np.random.default_rng(6).poisson(2, len(table)).astype(float)
    mean, sd = COURIER_GRAVITY.arrays(("mass_exponent", "cost_exponent"))

    def loss(parameters):
        return poisson_loss(parameters, table, y, origin) + 0.5 * (((parameters[:2] - mean) / sd) ** 2).sum()

    slow = minimize(
        loss, np.r_[mean, 0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20_000}
    )
    assert Gravity(prior=COURIER_GRAVITY).fit(table, y).coef_ == pytest.approx(slow.x[:2], abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_truth_is_recovered_within_its_standard_errors(seed):
    table = build_table(10 + seed).assign(outflow=4000.0, rival_pull=lambda t: np.exp(t["destination_id"] % 5))
    log_pull = (
        0.8 * np.log(table["destination_mass"]) - 1.5 * np.log(table["cost_min"]) - 0.5 * np.log(table["rival_pull"])
    )
    pull = np.exp(log_pull - 0.01 * table["cost_min"])
    y = np.random.default_rng(20 + seed).poisson(4000 * pull / pull.groupby(table["origin_id"]).transform("sum"))
    model = CompetingExporters().fit(table, y)
    assert (np.abs(model.coef_ - [0.8, 1.5, 0.01, 0.5]) < 4 * model.standard_error_).all()
    assert 0.6 < model.dispersion_ < 1.5


def test_retail_coefficients_are_recovered_from_data_without_noise():
    table = build_table(30).assign(knife=lambda t: 20.0 + t["destination_id"] ** 1.5)
    pull = table["knife"] ** 0.7 * np.exp(-0.02 * table["cost_min"])
    y = 100 * pull / pull.groupby(table["origin_id"]).transform("sum")
    assert Retail(covariates=("knife",)).fit(table, y).coef_ == pytest.approx([0.7, 0.02], rel=1e-6)


@pytest.fixture(scope="module")
def london(real_data):
    pairs, _, y2019, y2020 = build_pairs(real_data)
    return pairs, y2019, y2020


@pytest.mark.real
def test_londons_lines_are_predicted_better_than_the_published_models_and_the_floor(london):
    pairs, y2019, y2020 = london
    gravity = sorensen(y2020, predict_fold(Gravity(cost="distance_km"), pairs, y2019, y2020))
    assert gravity == pytest.approx(0.62, abs=0.01)
    competing = CompetingExporters(cost="distance_km")
    assert sorensen(y2020, predict_fold(Persistent(competing), pairs, y2019, y2020)) >= 0.82
    assert sorensen(y2019, predict_fold(Persistent(competing), pairs, y2020, y2019)) >= 0.82
    assert sorensen(y2019, predict_left_out(competing, pairs, y2019)) >= 0.75
    assert sorensen(y2020, predict_left_out(competing, pairs, y2020)) >= 0.75


@pytest.mark.real
def test_a_left_out_force_never_sees_its_own_count(london):
    pairs, y2019, _ = london
    pairs, y = pairs.iloc[:12].reset_index(drop=True), y2019[:12]
    changed = y.copy()
    changed[3] += 500
    before, after = (flows_left_out(Gravity(cost="distance_km"), pairs, counts) for counts in (y, changed))
    assert after[3] == pytest.approx(before[3], rel=1e-12)
    assert after[2] != pytest.approx(before[2], rel=1e-3)
