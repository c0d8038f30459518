"""Count models and their baselines: scikit-learn's checks, known answers, and trees that predict on their own."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from geo.errors import UsageError
from models.boosting import MonotoneBoosting, Tree
from models.counting import EmpiricalBayesCounts, Footfall, NearestByTrain, PoissonGlm, Population, PriorCounts
from models.shrinkage import GammaPrior, fit_gamma_prior
from tests.unit.models.estimator_checks import assert_passes_every_check


@pytest.mark.parametrize(
    "estimator",
    [
        PriorCounts(),
        Population(),
        Footfall(),
        NearestByTrain(),
        EmpiricalBayesCounts(),
        PoissonGlm(),
        MonotoneBoosting(n_trees=5),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_scikit_learn_checks(estimator):
    assert_passes_every_check(estimator)


def panel(seed: int = 1, n: int = 600):
    rng = np.random.default_rng(seed)
    X = rng.gamma(1.0, 3.0, (n, 3))
    return X, rng.poisson(0.5 * X[:, 0] + 0.1), rng


def test_counting_is_proportional():
    X = np.array([[1.0, 9.0], [3.0, 9.0]])
    np.testing.assert_allclose(PriorCounts().fit(X, [2, 6]).predict(X), [2.0, 6.0])
    np.testing.assert_allclose(Population(column=1).fit(X, [2, 6]).predict(X), [4.0, 4.0])


def test_nearer_by_train_is_more():
    X = np.array([[0.0], [1.0], [9.0]])
    forecast = NearestByTrain().fit(X, [4, 2, 2]).predict(X)
    np.testing.assert_allclose(forecast / forecast[0], [1.0, 0.5, 0.1])


def test_the_prior_recovers_a_planted_one():
    rng = np.random.default_rng(2)
    counts = rng.poisson(rng.gamma(2.0, 4.0, 4000)).astype(float)
    prior = fit_gamma_prior(counts, np.ones(4000))
    assert prior.shape == pytest.approx(2.0, rel=0.12)
    assert prior.shape / prior.rate == pytest.approx(counts.mean())


def test_the_prior_maximises_the_likelihood_on_a_grid():
    from scipy.stats import nbinom

    counts = np.array([0.0, 1, 1, 4, 9, 2, 0, 6])
    prior = fit_gamma_prior(counts, np.ones(8))
    grid = np.geomspace(0.05, 50, 4000)
    likelihood = [nbinom.logpmf(counts, a, (a / counts.mean()) / (1 + a / counts.mean())).sum() for a in grid]
    assert prior.shape == pytest.approx(grid[int(np.argmax(likelihood))], rel=0.01)


def test_equal_rates_are_shrunk_to_one_in_nineteen_of_twenty_worlds():
    rng = np.random.default_rng(7)
    shapes = [fit_gamma_prior(rng.poisson(8.0, 60).astype(float), np.ones(60)).shape for _ in range(200)]
    assert sum(shape > 8000 for shape in shapes) >= 184


def test_a_shrunk_rate_is_the_mean_of_the_gamma_posterior():
    prior = GammaPrior(shape=2.0, rate=8.0)
    assert prior.shrink(np.array([0.0, 6.0]), np.array([0.0, 24.0])).tolist() == [0.25, 0.25]
    assert prior.shrink(np.array([10.0]), np.array([4.0])).tolist() == [1.0]


def test_longer_exposure_is_trusted_more():
    X = np.array([[0.0, 1.0], [0.0, 50.0], [5.0, 1.0], [90.0, 50.0], [3.0, 2.0]])
    model = EmpiricalBayesCounts(exposure_column=1).fit(X, [1, 0, 2, 2, 1])
    short, long = model.predict(np.array([[0.0, 1.0], [0.0, 50.0]]))
    assert 0 < long < short


def test_no_event_gives_a_positive_rate_and_never_zero():
    prior = fit_gamma_prior(np.zeros(5), np.ones(5))
    assert (prior.shrink(np.zeros(5), np.ones(5)) > 0).all()


def test_the_regression_recovers_planted_coefficients():
    rng = np.random.default_rng(4)
    X = rng.gamma(1.0, 3.0, (8000, 2))
    y = rng.poisson(np.exp(0.3 + 0.8 * np.log1p(X[:, 0])))
    model = PoissonGlm(alpha=1e-6).fit(X, y)
    np.testing.assert_allclose(model.coef_ / model.scale_, [0.8, 0.0], atol=0.03)


def test_the_taken_trees_predict_what_the_library_does():
    X, y, rng = panel()
    model = MonotoneBoosting(n_trees=20).fit(X, y)
    library = HistGradientBoostingRegressor(
        loss="poisson", monotonic_cst=[1, 1, 1], max_iter=20, learning_rate=0.08, max_leaf_nodes=6,
        min_samples_leaf=20, early_stopping=False, random_state=0,
    ).fit(X, y)  # fmt: skip
    new = rng.gamma(1.0, 4.0, (500, 3))
    np.testing.assert_allclose(model.predict(new), library.predict(new), rtol=1e-12)


def test_a_row_at_the_threshold_goes_left():
    tree = Tree(
        feature=np.array([0, -1, -1]),
        threshold=np.array([2.0, 0.0, 0.0]),
        left=np.array([1, -1, -1]),
        right=np.array([2, -1, -1]),
        value=np.array([0.0, -1.0, 1.0]),
    )
    np.testing.assert_array_equal(tree.predict(np.array([[1.0], [2.0], [2.1]])), [-1.0, -1.0, 1.0])


def test_trees_never_fall_with_a_feature():
    X, y, rng = panel(n=900)
    model = MonotoneBoosting().fit(X, y)
    rows = rng.gamma(1.0, 3.0, (200, 3))
    for feature in range(3):
        raised = rows.copy()
        raised[:, feature] += rng.gamma(1.0, 3.0, 200)
        assert (model.predict(raised) >= model.predict(rows) - 1e-12).all()


@pytest.mark.parametrize("model", [PoissonGlm(), MonotoneBoosting(), PriorCounts(), EmpiricalBayesCounts()])
def test_no_event_at_all_forecasts_none_or_little(model):
    X, _, _ = panel(n=50)
    assert (model.fit(X, np.zeros(50)).predict(X) == 0).all()


def test_negative_outcomes_are_refused():
    with pytest.raises(UsageError, match="y: it holds -1, expected counts of zero or more"):
        PriorCounts().fit(np.ones((2, 1)), [-1, 2])
