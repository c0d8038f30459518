"""The expert index on its own: scikit-learn's checks, exact reasons, agreement with the drawn score."""

import numpy as np
import pytest

from geo.errors import UsageError
from models.composition import measure_features, measure_reasons
from models.draws import IndexSettings, base_realisation, scored_features
from models.index import ExpertIndex, cap_weights
from models.normalisation import NORMALISATIONS, normalise
from tests.unit.models.estimator_checks import assert_passes_every_check
from tests.unit.models.worlds import feature_set, sparse_counts


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_scikit_learn_checks(method):
    assert_passes_every_check(ExpertIndex(normalisation=method))


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_the_index_is_the_score_with_nothing_varied(method):
    rng = np.random.default_rng(8)
    _, counts = sparse_counts(rng, n=30, mean=6)
    world = feature_set(counts, flow=rng.gamma(1, 5, 30), hotspot_harm=rng.gamma(0.3, 9, 30))
    settings = IndexSettings(normalisation=method)
    base = base_realisation(world, settings)
    used = scored_features(world, settings)
    X = np.column_stack([measure_features(world, base)[feature.name][0] for feature in used])
    index = ExpertIndex(weights=tuple(base.weights[0]), normalisation=method).fit(X)
    np.testing.assert_allclose(index.transform(X), measure_reasons(world, base, settings)[0], atol=1e-9)


@pytest.mark.parametrize("method", NORMALISATIONS)
def test_normalised_values_keep_order_range_and_constants(method):
    values = np.array([[0.0, 0.0, 1.0, 4.0, 100.0], [2.0, 2.0, 2.0, 2.0, 2.0]])
    scaled = normalise(values, method)
    assert (np.diff(scaled[0]) >= 0).all()
    assert scaled[0, 0] == 0
    assert scaled[0, 4] == 1
    assert (scaled[1] == 0).all()


def test_normalised_unknowns_are_neither_raised_nor_lowered():
    assert normalise(np.array([[1.0, 2.0, 3.0, np.nan]]), "percentile")[0, 3] == 0.5
    assert (normalise(np.full((2, 3), np.nan), "percentile") == 0).all()


def test_less_can_mean_more():
    X = np.array([[1.0], [2.0], [3.0]])
    np.testing.assert_allclose(ExpertIndex(directions=(-1,)).fit(X).predict(X), [100.0, 50.0, 0.0])


def test_new_rows_are_cut_at_the_ends_of_the_reference():
    index = ExpertIndex(normalisation="robust").fit(np.array([[0.0], [10.0]]))
    np.testing.assert_allclose(index.predict(np.array([[-5.0], [50.0]])), [0.0, 100.0])


def test_the_cap_moves_weight_to_the_rest():
    led = np.array([False, False, True])
    np.testing.assert_allclose(cap_weights(np.array([[3.0, 1.0, 4.0]]), led), [[0.6, 0.2, 0.2]])
    np.testing.assert_allclose(cap_weights(np.array([[3.0, 6.0, 1.0]]), led), [[0.3, 0.6, 0.1]])
    np.testing.assert_allclose(cap_weights(np.array([[5.0]]), np.array([True])), [[1.0]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": (1.0,)}, r"weights: they are \[1.0\], expected 2 non-negative"),
        ({"weights": (1.0, -1.0)}, "expected 2 non-negative"),
        ({"weights": (0.0, 0.0)}, "not all zero"),
        ({"normalisation": "zscore"}, "normalisation: it is 'zscore'"),
    ],
)
def test_unusable_options_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        ExpertIndex(**options).fit(np.ones((3, 2)))
