"""The picture of what the priors imply is the same each time, marked, and holds up where figures are extreme."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from gateline.products.prior_figure import _whole_edges, draw_prior_figure
from models.prior_predictive import PriorPredictive
from tests.browser.fictional_run import marks


def predicted(n_towns=5, rail=0.4):
    rng = np.random.default_rng(1)
    return PriorPredictive(
        first_town_share=rng.uniform(0.1, 1.0, 60),
        towns_of_half=rng.integers(1, n_towns + 1, 60).astype(float),
        rail_share=np.full(60, rail),
        duration_share=rng.dirichlet(np.ones(6), 60),
        first_town_share_after=rng.uniform(0.1, 1.0, 40),
        towns_of_half_after=np.ones(40),
        rail_share_after=rail,
        duration_share_after=np.array([1.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    )


@pytest.mark.parametrize(("n_towns", "rail"), [(1, 0.0), (5, 1.0), (400, 0.4)])
def test_it_is_drawn_whatever_the_figures_and_the_same_each_time(tmp_path, n_towns, rail):
    for name in ("a.svg", "b.svg"):
        draw_prior_figure(tmp_path / name, predicted(n_towns, rail), marks(title="R$x^2$<b>"))
    data = (tmp_path / "a.svg").read_bytes()
    assert data == (tmp_path / "b.svg").read_bytes()
    assert ET.fromstring(data).tag.endswith("svg")  # noqa: S314 - written two lines above
    assert b"<dc:date>" not in data


@pytest.mark.parametrize("n_towns", [1, 5, 21, 400])
def test_every_number_of_towns_is_in_a_bin(n_towns):
    prediction = predicted(n_towns)
    counts, _ = np.histogram(prediction.towns_of_half, bins=_whole_edges(prediction))
    assert counts.sum() == len(prediction.towns_of_half)
    assert len(counts) <= 21


def test_a_fictional_run_is_marked_across(tmp_path):
    sizes = []
    for name, is_fictional in (("a.svg", True), ("b.svg", False)):
        draw_prior_figure(tmp_path / name, predicted(), marks(is_fictional=is_fictional))
        sizes.append((tmp_path / name).read_text().count("opacity: 0.12"))
    assert sizes[0] > sizes[1] == 0
