"""Reasons that sum exactly, hang on no order and say nothing where nothing was known; lists and tiers of any length."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import TableError, UsageError
from geo.schema import validate
from geo.tables import PLACE_SCORES, STATION_SCORES
from models.posterior.estimate import Estimate
from models.posterior.evidence import Evidence
from models.posterior.lists import CORE_SHARE, measure_core, score_places, score_stations
from models.posterior.reasons import NETWORK, Reasons, explain_sources, measure_shares
from models.scoring import TIER_A, TIER_B
from tests.unit.models.posterior_worlds import build_world, by_town, full_evidence, known_addresses, known_lines

WORLD = build_world()
TOWNS, STATIONS = WORLD.ways.town_ids, WORLD.stations.station_ids
LINES = known_lines(("x0", "t1", 3), ("x1", "t2", 2), (None, "t3", 1), ("x2", "t5", 2))
EVIDENCE = Evidence(
    lines=LINES,
    addresses=known_addresses(t0=(0, 0), t1=(5, 9), t2=(0, 4), t5=(1, 4)),
    unattributed_offences=by_town(60, 90, 75, 40, 35, 90, 30, 22),
    finds=pd.DataFrame({"n_hours": [40.0, 8.0], "n_finds": [0, 2]}, index=["s2", "s4"]),
)
NAMES = pd.Series({unit: f"Name of {unit}" for unit in (*TOWNS, *STATIONS)})

draws_of_shares = st.tuples(st.integers(1, 12), st.integers(1, 15)).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 64), min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0]
    ).map(lambda rows: np.array(rows, dtype=float))
)


@pytest.fixture(scope="module")
def estimate():
    return WORLD.estimate(EVIDENCE, n_draws=100)


@pytest.fixture(scope="module")
def reasons(estimate):
    return explain_sources(estimate)


def test_reasons_of_towns_and_stations_sum_to_their_scores_exactly(estimate, reasons):
    assert reasons.groups == (NETWORK, "lines", "addresses", "unattributed_offences", "finds")
    assert reasons.town.sum(axis=0) == pytest.approx(100 * estimate.town_share.mean(axis=0), abs=1e-9)
    assert reasons.station.sum(axis=0) == pytest.approx(100 * estimate.station_share.mean(axis=0), abs=1e-9)


def test_what_every_source_adds_to_all_towns_together_is_nothing(reasons):
    """Shares of a whole: what one town gains the others lose, up to how the last difference is dealt out."""
    sums = reasons.town.sum(axis=1)
    assert sums[0] == pytest.approx(100.0)
    assert np.abs(sums[1:]).max() < 3.0


def test_the_reason_of_the_network_is_the_share_before_any_evidence(estimate, reasons):
    town, station = measure_shares(estimate.posterior, ())
    assert reasons.town[0] == pytest.approx(100 * town)
    assert reasons.station[0] == pytest.approx(100 * station)


def test_without_evidence_the_network_is_the_only_reason():
    estimate = WORLD.estimate(())
    reasons = explain_sources(estimate)
    assert reasons.groups == (NETWORK,)
    assert reasons.town[0] == pytest.approx(100 * estimate.town_share.mean(axis=0), abs=1e-9)
    assert reasons.town_without == {}


@pytest.mark.parametrize("place", ["last", "first"])
def test_a_source_that_knows_next_to_nothing_has_no_part_in_any_score(place):
    """A millionth of an hour on a platform; where its parameters stand among the others must not matter."""
    nothing = pd.DataFrame({"n_hours": [1e-6], "n_finds": [0]}, index=["s2"])
    sources = WORLD.sources(replace(EVIDENCE, unattributed_offences=None, finds=nothing))
    sources = sources if place == "last" else (sources[-1], *sources[:-1])
    reasons = explain_sources(WORLD.estimate(sources, n_draws=50))
    row = reasons.groups.index("finds")
    assert np.abs(reasons.town[row]).max() < 0.01
    assert np.abs(reasons.station[row]).max() < 0.01
    assert np.abs(reasons.town[reasons.groups.index("lines")]).max() > 1.0


def test_the_order_of_the_sources_matters_to_no_reason():
    """Normals are dealt in the order of the sources, so that what is left is Monte Carlo noise."""
    sources = WORLD.sources(replace(EVIDENCE, unattributed_offences=None))
    one, two = (explain_sources(WORLD.estimate(order, n_draws=400)) for order in (sources, sources[::-1]))
    assert set(one.groups) == set(two.groups)
    for row, group in enumerate(one.groups):
        assert two.town[two.groups.index(group)] == pytest.approx(one.town[row], abs=1.5), group


def test_sources_of_one_group_stand_or_fall_together():
    partners = {"exploited": by_town(1, 6, 0, 2, 4, 9, 0, 1), "missing": by_town(4, 12, 8, 0, 1, 14, 2, 0)}
    reasons = explain_sources(WORLD.estimate(Evidence(partner_counts=partners), n_draws=50))
    assert reasons.groups == (NETWORK, "partners")


def test_a_score_without_one_group_is_that_of_the_others_alone(estimate, reasons):
    others = tuple(s for s in estimate.posterior.sources if s.group != "lines")
    alone = measure_shares(estimate.posterior, others, start=estimate.mode.theta)[0]
    assert reasons.town_without["lines"] == pytest.approx(100 * alone)


def test_more_groups_than_can_be_gone_through_are_refused(estimate):
    source = WORLD.sources(Evidence(unattributed_offences=by_town(*[5] * 8)))[0]
    many = tuple(replace(source, name=f"n{k}", group=f"g{k}") for k in range(11))
    crowded = replace(estimate, posterior=WORLD.posterior(many))
    with pytest.raises(UsageError, match=r"11 groups, expected at most 10\. Give partners' layers one group"):
        explain_sources(crowded)


def test_a_hoax_of_twenty_lines_into_one_village_shows_in_its_reason(reasons):
    """The score moves, as it must while the list is believed; whoever reads it sees that lines alone are why."""
    hoax = pd.concat([LINES, known_lines(("x0", "t6", 20))])
    evidence = replace(EVIDENCE, lines=hoax, unattributed_offences=None)
    estimate = WORLD.estimate(evidence, n_draws=50)
    table = score_places(estimate, explain_sources(estimate), NAMES).table
    village = table.loc["t6"]
    assert village["reason_lines"] > 0.8 * village["score"]
    others = [c for c in table.columns if c.startswith("reason_") and c != "reason_lines"]
    assert village[others].max() < 0.2 * village["reason_lines"]


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("town", ["t0", "t1", "t3", "t6"])
def test_one_towns_unattributed_offences_told_several_times_over_move_it_by_less_than_half(factor, town):
    told = EVIDENCE.unattributed_offences.copy()
    told[town] *= factor
    column = TOWNS.index(town)
    one, two = (
        measure_shares(WORLD.posterior(), WORLD.sources(Evidence(unattributed_offences=n)))[0][column]
        for n in (EVIDENCE.unattributed_offences, told)
    )
    assert one < two < 1.5 * one


def test_a_town_told_of_wrongly_moves_less_where_other_evidence_stands():
    wrong = EVIDENCE.unattributed_offences.copy()
    wrong["t3"] *= 3

    def factor(evidence):
        bare, moved = (
            measure_shares(WORLD.posterior(), WORLD.sources(replace(evidence, unattributed_offences=n)))[0][3]
            for n in (EVIDENCE.unattributed_offences, wrong)
        )
        return moved / bare

    assert 1 < factor(replace(EVIDENCE, addresses=known_addresses(**dict.fromkeys(TOWNS, (5, 9))))) < factor(Evidence())


def test_score_tables_keep_their_contracts_and_reasons_sum_to_scores(estimate, reasons):
    for score, contract, units in ((score_places, PLACE_SCORES, TOWNS), (score_stations, STATION_SCORES, STATIONS)):
        scores = score(estimate, reasons, NAMES)
        table = validate(scores.table, contract)
        parts = table[[f"reason_{group}" for group in reasons.groups]]
        assert parts.sum(axis=1).to_numpy() == pytest.approx(table["score"].to_numpy(), abs=1e-9)
        assert set(table.index) == set(units)
        assert table["rank"].is_monotonic_increasing
        assert table["name"].str.startswith("Name of ").all()
        assert (table["score_low"] <= table["score_high"]).all()
        assert table["score_network"].equals(table["reason_network"].rename("score_network"))


def test_trips_of_towns_add_up_to_those_of_the_force(estimate, reasons):
    table = score_places(estimate, reasons, NAMES).table
    assert table["score"].sum() == pytest.approx(100.0)
    assert table["trips_per_month"].sum() == pytest.approx(estimate.trips_per_month.mean())


def test_a_town_without_a_name_is_refused(estimate, reasons):
    with pytest.raises(TableError, match="column 'name' is null at 't3'"):
        score_places(estimate, reasons, NAMES.drop("t3"))


def made_up(estimate, share):
    """An estimate and reasons of so many towns, with the given shares."""
    n = share.shape[1]
    ids = tuple(f"u{j:02d}" for j in range(n))
    posterior = WORLD.posterior()
    posterior.ways = replace(posterior.ways, town_ids=ids)
    score = 100 * share.mean(axis=0)[None, :]
    made = replace(
        estimate,
        posterior=posterior,
        town_share=share,
        lines=np.full(len(share), 40.0),
        trips_per_line=np.ones(len(share)),
    )
    assert isinstance(made, Estimate)
    return made, Reasons((NETWORK,), score, score, {}, {}), pd.Series(list(ids), index=list(ids))


@pytest.mark.parametrize("n_units", [1, 3, 12, 60])
def test_tiers_are_given_whatever_the_length_of_the_list(estimate, n_units):
    """Shares that fall by a fifth from unit to unit, drawn with a spread of a tenth."""
    rng = np.random.default_rng(0)
    raw = 0.8 ** np.arange(n_units) * np.exp(0.1 * rng.standard_normal((200, n_units)))
    made, reasons, names = made_up(estimate, raw / raw.sum(axis=1, keepdims=True))
    table = validate(score_places(made, reasons, names).table, PLACE_SCORES)
    assert table["tier"].iloc[0] == "A"
    assert (table.loc[table["p_core"] >= TIER_A, "tier"] == "A").all()
    assert (table.loc[table["p_core"] < TIER_B, "tier"] == "C").all()
    held = table.loc[table["tier"] == "A", "score"].sum()
    assert held < 100 * CORE_SHARE + table["score"].iloc[0]
    assert (n_units == 1) == (table["tier"] == "A").all()


def test_a_unit_of_nothing_has_no_tier(estimate):
    share = np.tile([0.7, 0.3, 0.0], (10, 1))
    made, reasons, names = made_up(estimate, share)
    table = score_places(made, reasons, names).table
    assert table.loc["u02", "tier"] == "insufficient data"
    assert table.loc["u02", "p_core"] == 0


def test_a_town_that_only_unattributed_offences_lead_is_marked(estimate):
    """Of 30 towns the first would be the last without them."""
    share = np.tile(np.linspace(2, 1, 30), (5, 1))
    made, reasons, names = made_up(estimate, share / share.sum(axis=1, keepdims=True))
    without = np.append(0.0, np.linspace(2, 1, 29))
    marked = replace(reasons, town_without={"unattributed_offences": without})
    table = score_places(made, marked, names).table
    assert table.index[table["enforcement_led"]].tolist() == ["u00"]
    assert not score_places(made, reasons, names).table["enforcement_led"].any()


@given(st.floats(0.001, 1e6), st.integers(1, 5))
def test_a_unit_on_its_own_is_the_core(share, n_draws):
    assert measure_core(np.full((n_draws, 1), share)).tolist() == [1.0]


@given(st.integers(1, 60), st.sampled_from([0.1, 0.3, 1 / 7, 1 / 60, 1.0]))
def test_of_equal_units_half_are_the_core(n_units, share):
    core = measure_core(np.full((1, n_units), share))
    assert core.sum() == np.ceil(n_units / 2)


@given(draws_of_shares)
def test_the_core_is_the_fewest_units_that_hold_half(share):
    for row in share:
        is_core = measure_core(row[None, :]) > 0
        held = row[is_core].sum()
        assert held >= CORE_SHARE * row.sum()
        if is_core.any():
            assert held - row[is_core].min() < CORE_SHARE * row.sum()
            assert row[is_core].min() >= row[~is_core].max(initial=0.0)


@given(draws_of_shares)
def test_the_chance_of_the_core_is_a_share_and_nothing_has_none(share):
    core = measure_core(share)
    assert ((core >= 0) & (core <= 1)).all()
    assert (core[(share == 0).all(axis=0)] == 0).all()


@given(draws_of_shares, st.sampled_from([0.1, 3.0, 100.0]))
def test_the_core_is_the_same_in_any_unit_of_measure(share, factor):
    assert measure_core(share * factor).tolist() == measure_core(share).tolist()


@given(draws_of_shares)
def test_a_larger_part_of_the_whole_takes_no_unit_from_the_core(share):
    assert (measure_core(share, core_share=0.8) >= measure_core(share, core_share=0.5)).all()


@pytest.mark.parametrize("n_units", [3, 12])
def test_the_core_of_twelve_units_follows_them_when_they_are_shuffled(n_units):
    share = np.random.default_rng(0).gamma(1.0, size=(50, n_units))
    order = np.random.default_rng(1).permutation(n_units)
    assert measure_core(share[:, order]).tolist() == measure_core(share)[order].tolist()


def test_full_evidence_reaches_the_list_with_a_reason_for_every_group():
    groups = tuple(dict.fromkeys(source.group for source in WORLD.sources(full_evidence())))
    assert groups == (
        "lines",
        "addresses",
        "reported_offences",
        "unattributed_offences",
        "partners",
        "station_offences",
        "finds",
    )
