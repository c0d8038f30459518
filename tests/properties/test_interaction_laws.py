"""Laws of spatial interaction that hold whatever the numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.corridors.baselines import Nearest, PopulationShare, Uniform
from geo.corridors.fit_scores import sorensen
from geo.corridors.gravity import Gravity
from geo.corridors.priors import COURIER_GRAVITY, CoefficientPrior
from geo.corridors.radiation import Radiation, measure_intervening_mass

# The laws below run every model on every draw.
FEWER = settings(max_examples=20)
MASS = st.floats(1.0, 1e6)
COST = st.floats(1.0, 1e3)


@st.composite
def tables(draw, min_size=2):
    """Two origins and a few destinations, every number drawn."""
    n = draw(st.integers(min_size, 6))
    table = pd.DataFrame(
        {
            "origin_id": ["a"] * n + ["b"] * n,
            "destination_id": list(range(n)) * 2,
            "origin_mass": [draw(MASS)] * n + [draw(MASS)] * n,
            "destination_mass": draw(st.lists(MASS, min_size=n, max_size=n)) * 2,
            "cost_min": draw(st.lists(COST, min_size=2 * n, max_size=2 * n)),
            "outflow": [draw(MASS)] * n + [draw(MASS)] * n,
        }
    )
    return table.assign(intervening_mass=measure_intervening_mass(table))


def models():
    return [
        Uniform(),
        PopulationShare(),
        Nearest(),
        Gravity(prior=COURIER_GRAVITY),
        Radiation(form="extended", alpha=1.3, kappa=1.0),
    ]


@FEWER
@given(tables())
def test_what_leaves_an_origin_arrives(table):
    for model in models():
        flow = pd.Series(model.fit(table, np.zeros(len(table))).predict(table))
        sums = flow.groupby(table["origin_id"]).sum()
        outflow = table.groupby("origin_id")["outflow"].first()
        assert sums.to_numpy() == pytest.approx(outflow.to_numpy(), rel=1e-9)
        assert (flow >= 0).all()


@FEWER
@given(tables(), st.floats(0.01, 100.0))
def test_scaling_the_outflow_scales_the_flows(table, factor):
    for model in models():
        model.fit(table, np.zeros(len(table)))
        scaled = model.predict(table.assign(outflow=factor * table["outflow"]))
        assert scaled == pytest.approx(factor * model.predict(table), rel=1e-9)


@given(tables(), st.floats(1.01, 10.0))
def test_more_mass_never_draws_less_and_more_cost_never_draws_more(table, factor):
    model = Gravity(prior=COURIER_GRAVITY).fit(table, np.zeros(len(table)))
    before = model.predict_share(table)[0]
    heavier, further = table.copy(), table.copy()
    heavier.loc[0, "destination_mass"] *= factor
    further.loc[0, "cost_min"] *= factor
    assert model.predict_share(heavier)[0] >= before * (1 - 1e-12)
    assert model.predict_share(further)[0] <= before * (1 + 1e-12)


@FEWER
@given(tables(), st.randoms(use_true_random=False))
def test_row_order_changes_no_flow(table, random):
    order = list(range(len(table)))
    random.shuffle(order)
    shuffled = table.iloc[order].reset_index(drop=True)
    for model in models():
        model.fit(table, np.zeros(len(table)))
        assert model.predict(shuffled) == pytest.approx(model.predict(table)[order], rel=1e-12)
    assert measure_intervening_mass(shuffled) == pytest.approx(measure_intervening_mass(table)[order], rel=1e-9)


@FEWER
@given(tables(), st.floats(0.1, 0.9))
def test_splitting_a_town_leaves_others_alone(table, part):
    """Exact in gravity with mass exponent 1 and in finite radiation."""
    linear = CoefficientPrior(
        {"mass_exponent": 1.0, "cost_exponent": 1.3}, {"mass_exponent": 1e-9, "cost_exponent": 1e-9}, "held"
    )
    is_split = table["destination_id"] == 0
    first = table.loc[is_split].assign(destination_mass=lambda t: part * t["destination_mass"])
    second = table.loc[is_split].assign(
        destination_mass=lambda t: (1 - part) * t["destination_mass"], destination_id=99
    )
    halves = pd.concat([table.loc[~is_split], first, second], ignore_index=True)
    halves["intervening_mass"] = measure_intervening_mass(halves)
    for model in (Gravity(prior=linear), Radiation(form="finite")):
        model.fit(table, np.zeros(len(table)))
        before = model.predict_share(table)[~is_split.to_numpy()]
        after = model.predict_share(halves)[: (~is_split).sum()]
        assert after == pytest.approx(before, rel=1e-6)


@given(st.lists(st.floats(0.0, 1e4), min_size=2, max_size=10), st.data())
def test_sorensen_is_symmetric_bounded_and_1_only_when_equal(y, data):
    flow = data.draw(st.lists(st.floats(0.0, 1e4), min_size=len(y), max_size=len(y)))
    if sum(y) + sum(flow) == 0:
        return
    score = sorensen(y, flow)
    assert 0.0 <= score <= 1.0 + 1e-12
    assert score == pytest.approx(sorensen(flow, y))
    if sum(y) > 0:
        assert sorensen(y, y) == pytest.approx(1.0)
