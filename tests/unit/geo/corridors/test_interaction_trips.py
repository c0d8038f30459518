"""Trips from origins to towns: nothing is lost in silence, evidence outweighs assumption, faults are named."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.gravity import Gravity
from geo.corridors.origins import estimate_origins, observed_lines
from geo.corridors.priors import COURIER_GRAVITY, CoefficientPrior
from geo.corridors.trips import account_for_trips, estimate_od_trips
from geo.errors import IntegrityError, TableError, UsageError
from geo.schema import empty
from geo.tables import DEAL_LINES

COSTS = [
    ("mersey", "ayton", 90.0),
    ("mersey", "beckby", 120.0),
    ("west", "ayton", 30.0),
    ("west", "beckby", 40.0),
    ("west", "caxton", 60.0),
    ("ayton", "beckby", 20.0),
    ("ayton", "caxton", 30.0),
    ("beckby", "ayton", 20.0),
    ("caxton", "ayton", 30.0),
]


@pytest.fixture
def costs():
    return pd.DataFrame(COSTS, columns=["origin_id", "destination_id", "cost_min"])


@pytest.fixture
def places():
    """Three towns of 80,000, 40,000 and 10,000 people, and one of another force."""
    return pd.DataFrame(
        {
            "name": ["Ayton", "Beckby", "Caxton", "Elsewhere"],
            "easting_m": [440_000.0, 450_000.0, 460_000.0, 470_000.0],
            "northing_m": 450_000.0,
            "population": [80_000, 40_000, 10_000, 500_000],
            "population_basis": "made up",
            "is_in_force": [True, True, True, False],
        },
        index=pd.Index(["ayton", "beckby", "caxton", "elsewhere"], name="place_id"),
    )


@pytest.fixture
def exporters():
    return pd.DataFrame(
        {
            "name": ["West", "Mersey"],
            "easting_m": [430_000.0, 335_000.0],
            "northing_m": [433_000.0, 390_000.0],
            "population": [2_000_000, 1_000_000],
            "hub_station_id": ["LDS", "LIV"],
            "n_lines": [np.nan, np.nan],
            "prior_lines": [np.nan, np.nan],
        },
        index=pd.Index(["west", "mersey"], name="exporter_id"),
    )


def deal_lines(*rows):
    table = pd.DataFrame(rows, columns=["origin_id", "destination_id", "n_lines"])
    return table.assign(
        provenance="partner_referral",
        first_seen=pd.PeriodIndex(["2019-09"] * len(rows), freq="M"),
        last_seen=pd.PeriodIndex(["2019-09"] * len(rows), freq="M"),
        n_lines=table["n_lines"].astype(float),
    ).rename_axis("line_id")


NONE = empty(DEAL_LINES)


def pull_of(exporters):
    return pd.Series(1.0, index=exporters.index)


def test_without_lines_every_flow_rests_on_the_prior_and_adds_up_to_one_line(exporters, places, costs):
    od = estimate_od_trips(exporters, places, NONE, costs, trips_per_line_per_month=3.0)
    assert set(od["basis"]) == {"prior"}
    assert od["trips_per_month"].sum() == pytest.approx(3.0, abs=1e-9)
    assert od.loc[od["is_internal"], "trips_per_month"].sum() == pytest.approx(0.14 * 3.0, abs=1e-9)


def test_flow_out_is_flow_in_plus_stated_losses(exporters, places, costs):
    lonely = costs.loc[costs["origin_id"] != "caxton"]
    lines = deal_lines(("west", "beckby", 5), ("ayton", "caxton", 2))
    od = estimate_od_trips(exporters, places, lines, lonely, exporter_pull=pull_of(exporters))
    origins = estimate_origins(exporters, places, lines, exporter_pull=pull_of(exporters))
    account = account_for_trips(origins, od)
    assert account.loc["caxton", "lost_trips_per_month"] > 0
    assert account["sent_trips_per_month"].sum() == pytest.approx(
        od["trips_per_month"].sum() + account["lost_trips_per_month"].sum(), abs=1e-9
    )
    assert account["sent_trips_per_month"].sum() == pytest.approx(7 * 8.0, abs=1e-9)


def test_flows_that_do_not_add_up_are_refused(exporters, places, costs):
    od = estimate_od_trips(exporters, places, NONE, costs, exporter_pull=pull_of(exporters))
    origins = estimate_origins(exporters, places, NONE, exporter_pull=pull_of(exporters))
    od["trips_per_month"] *= 1.001
    with pytest.raises(IntegrityError, match=r"od_trips: flow of \['ayton', 'beckby', 'caxton'\] does not add up"):
        account_for_trips(origins, od)


def test_an_unreachable_town_gets_nothing_unless_a_line_was_seen_there(exporters, places, costs):
    od = estimate_od_trips(exporters, places, NONE, costs)
    assert "mersey>caxton" not in od.index
    od = estimate_od_trips(exporters, places, deal_lines(("mersey", "caxton", 1)), costs)
    assert od.loc["mersey>caxton", "trips_per_month"] > 0
    assert od.loc["mersey>caxton", "basis"] == "observed"


@pytest.mark.parametrize("n_lines", [1, 10, 1000])
def test_evidence_outweighs_the_prior_as_it_grows(exporters, places, costs, n_lines):
    lines = deal_lines(("west", "caxton", n_lines))
    od = estimate_od_trips(exporters, places, lines, costs, prior_strength_lines=10.0)
    west = od.loc[od["origin_id"] == "west"].set_index("destination_id")["trips_per_month"]
    assert west["caxton"] / west.sum() >= n_lines / (n_lines + 10.0)
    assert set(od.loc[od["origin_id"] == "mersey", "basis"]) == {"prior"}


def test_observed_lines_of_an_exporter_set_its_weight(exporters, places):
    counted = exporters.assign(n_lines=[600.0, 300.0])
    origins = estimate_origins(counted, places, NONE, exporter_pull=pull_of(exporters), internal_share=0.0)
    assert origins.loc["west", "expected_lines"] == pytest.approx(600, abs=5)
    assert origins["expected_lines"].sum() == pytest.approx(900)
    assert origins.loc["west", "basis"] == "updated_prior"


def test_counts_by_exporter_leave_internal_lines_to_the_prior(exporters, places):
    counted = exporters.assign(n_lines=[6.0, 3.0])
    origins = estimate_origins(counted, places, NONE, exporter_pull=pull_of(exporters), internal_share=0.25)
    assert origins.loc[origins["is_internal"], "expected_lines"].sum() == pytest.approx(3.0)


def test_seen_internal_lines_raise_the_internal_share(exporters, places):
    lines = deal_lines(("west", "ayton", 10), ("ayton", "beckby", 30))
    origins = estimate_origins(exporters, places, lines, exporter_pull=pull_of(exporters), internal_share=0.25)
    internal = origins.loc[origins["is_internal"], "expected_lines"].sum()
    assert internal == pytest.approx(40 * (10 * 0.25 + 30) / 50)
    assert origins["expected_lines"].sum() == pytest.approx(40)


def test_an_area_without_a_national_figure_gets_the_lowest_known_rate(exporters, places):
    known = exporters.assign(prior_lines=[np.nan, 90.0])
    origins = estimate_origins(known, places, NONE, exporter_pull=pull_of(exporters), internal_share=0.0)
    assert origins.loc["west", "prior_share"] == pytest.approx(2 / 3)
    assert origins.loc["mersey", "prior_share"] == pytest.approx(1 / 3)


def test_row_order_changes_nothing(exporters, places, costs):
    lines = deal_lines(("west", "beckby", 5), ("ayton", "caxton", 2))
    once = estimate_od_trips(exporters, places, lines, costs)
    again = estimate_od_trips(exporters[::-1], places[::-1], lines[::-1], costs[::-1])
    pd.testing.assert_frame_equal(once, again, check_exact=True)


def test_inputs_are_left_alone(exporters, places, costs):
    before = exporters.copy(), places.copy(), costs.copy()
    estimate_od_trips(exporters, places, deal_lines(("west", "beckby", 5)), costs)
    for table, copy in zip((exporters, places, costs), before, strict=True):
        pd.testing.assert_frame_equal(table, copy)


def test_coefficients_of_the_prior_are_used_until_lines_are_seen(exporters, places, costs):
    od = estimate_od_trips(exporters, places, NONE, costs).set_index(["origin_id", "destination_id"])
    flow = od.loc["west", "trips_per_month"]
    assert flow["ayton"] / flow["caxton"] == pytest.approx(8**0.6 * 60 / 30)


def test_demand_weights_move_the_flow(exporters, places, costs):
    weights = pd.Series({"ayton": 1.0, "beckby": 0.0, "caxton": 1.0})
    od = estimate_od_trips(exporters, places, NONE, costs, weights=weights)
    assert "beckby" not in set(od["destination_id"])
    flow = od.set_index(["origin_id", "destination_id"]).loc["west", "trips_per_month"]
    assert flow["ayton"] / flow["caxton"] == pytest.approx(2.0)


def test_lines_seen_elsewhere_do_not_count(exporters, places):
    towns = places.loc[places["is_in_force"]]
    seen = observed_lines(exporters, towns, deal_lines(("west", "elsewhere", 9), ("west", "ayton", 2)))
    assert seen.to_dict() == {"west": 2.0}


def test_faults_are_named(exporters, places, costs):
    with pytest.raises(UsageError, match="trips_per_line_per_month: it is 0, expected more than 0"):
        estimate_od_trips(exporters, places, NONE, costs, trips_per_line_per_month=0)
    with pytest.raises(UsageError, match="cost_floor_min: it is -1, expected more than 0"):
        estimate_od_trips(exporters, places, NONE, costs, cost_floor_min=-1)
    with pytest.raises(UsageError, match="places: none is in the force"):
        estimate_od_trips(exporters, places.assign(is_in_force=False), NONE, costs)
    with pytest.raises(TableError, match=r"costs: columns \['cost_min'\] are missing"):
        estimate_od_trips(exporters, places, NONE, costs.drop(columns="cost_min"))
    with pytest.raises(TableError, match=r"weights: \['beckby', 'caxton'\] have none"):
        estimate_od_trips(exporters, places, NONE, costs, weights=pd.Series({"ayton": 1.0}))
    with pytest.raises(UsageError, match=r"internal_share: it is 1\.5"):
        estimate_od_trips(exporters, places, NONE, costs, internal_share=1.5)
    with pytest.raises(TableError, match=r"deal_lines: origins \['mars'\] are neither exporters nor towns"):
        estimate_od_trips(exporters, places, deal_lines(("mars", "ayton", 1)), costs)
    with pytest.raises(UsageError, match=r"origins: 0\.86 external lines have no origin"):
        estimate_od_trips(exporters, places, NONE, costs, exporter_pull=pull_of(exporters) * 0)


def test_the_prior_of_gravity_says_that_it_is_one():
    pairs = pd.DataFrame(
        {"origin_id": "a", "destination_id": ["x", "y"], "destination_mass": [1.0, 2.0], "cost_min": 9}
    )
    model = Gravity(prior=COURIER_GRAVITY).fit(pairs, [0, 0])
    assert model.basis_ == "prior"
    assert dict(zip(model.coefficient_names_, model.coef_, strict=True)) == pytest.approx(dict(COURIER_GRAVITY.mean))


def test_costs_below_the_floor_count_as_the_floor(exporters, places, costs):
    close = costs.assign(cost_min=costs["cost_min"].where(costs["destination_id"] != "ayton", 1.0))
    od = estimate_od_trips(exporters, places, NONE, close, cost_floor_min=20.0).loc[["west>ayton", "west>caxton"]]
    assert od["trips_per_month"].iloc[0] / od["trips_per_month"].iloc[1] == pytest.approx(8**0.6 * 60 / 20)


def test_the_lowest_known_rate_is_the_one_that_is_lent(exporters, places):
    third = exporters.iloc[[0]].set_axis(pd.Index(["north"], name="exporter_id"))
    three = pd.concat([exporters, third]).assign(prior_lines=[8.0, 90.0, np.nan])
    origins = estimate_origins(three, places, NONE, exporter_pull=pull_of(three), internal_share=0.0)
    assert origins.loc["north", "prior_share"] == pytest.approx(origins.loc["west", "prior_share"])


def test_counts_stated_by_exporter_stand_above_listed_lines(exporters, places):
    towns = places.loc[places["is_in_force"]]
    seen = observed_lines(exporters.assign(n_lines=[7.0, np.nan]), towns, deal_lines(("west", "ayton", 2)))
    assert seen.to_dict() == {"west": 7.0}


def test_costs_of_other_places_are_left_out(exporters, places, costs):
    more = pd.concat(
        [
            costs,
            pd.DataFrame(
                [("west", "elsewhere", 5.0), ("moon", "ayton", 5.0), ("elsewhere", "ayton", 5.0)], columns=costs.columns
            ),
        ]
    )
    pd.testing.assert_frame_equal(
        estimate_od_trips(exporters, places, NONE, more), estimate_od_trips(exporters, places, NONE, costs)
    )


def test_splitting_a_town_changes_others_by_its_share_alone(exporters, places, costs):
    """Exact with mass exponent 1; with the prior's 0.6 two halves draw 2^0.4 of the whole, and no more."""
    half = places.loc[["caxton"]].assign(population=5_000.0)
    split = pd.concat([places.drop(index="caxton"), half, half.set_axis(pd.Index(["caxton2"], name="place_id"))])
    again = pd.concat([costs, costs.loc[costs["destination_id"] == "caxton"].assign(destination_id="caxton2")])
    linear = CoefficientPrior({"mass_exponent": 1.0, "cost_exponent": 1.0}, COURIER_GRAVITY.sd, "linear")
    for prior, tolerance in ((linear, 1e-9), (COURIER_GRAVITY, (2**0.4 - 1) * 0.15)):
        whole, parts = (
            estimate_od_trips(exporters, p, NONE, c, prior=prior, internal_share=0.0, exporter_pull=pull_of(exporters))
            for p, c in ((places, costs), (split, again))
        )
        for pair in ("west>ayton", "west>beckby"):
            before, after = whole.loc[pair, "trips_per_month"], parts.loc[pair, "trips_per_month"]
            assert after == pytest.approx(before, rel=tolerance)


def test_more_lines_than_one_a_pair_are_added_up(exporters, places, costs):
    once = estimate_od_trips(exporters, places, deal_lines(("west", "ayton", 4)), costs)
    twice = estimate_od_trips(exporters, places, deal_lines(("west", "ayton", 1), ("west", "ayton", 3)), costs)
    pd.testing.assert_frame_equal(once, twice)


def test_a_line_of_unknown_town_counts_for_its_origin_alone(exporters, places, costs):
    lines = deal_lines(("mersey", None, 90), ("west", None, 10))
    with_pull = {"exporter_pull": pull_of(exporters), "prior_strength_lines": 10.0}
    origins = estimate_origins(exporters, places, lines, **with_pull)
    assert origins["observed_lines"].to_dict()["mersey"] == 90.0
    assert origins.loc["mersey", "expected_lines"] > 3 * origins.loc["west", "expected_lines"]
    od = estimate_od_trips(exporters, places, lines, costs, **with_pull)
    prior = estimate_od_trips(exporters, places, NONE, costs, **with_pull)
    for table in (od, prior):
        table["share"] = table["trips_per_month"] / table.groupby("origin_id")["trips_per_month"].transform("sum")
    pd.testing.assert_series_equal(od["share"], prior["share"])


def test_a_line_of_unknown_origin_counts_for_its_town_alone(exporters, places, costs):
    lines = deal_lines((None, "caxton", 40))
    od = estimate_od_trips(exporters, places, lines, costs)
    prior = estimate_od_trips(exporters, places, NONE, costs)
    assert od["trips_per_month"].sum() == pytest.approx(prior["trips_per_month"].sum(), abs=1e-9)
    into = [table.groupby("destination_id")["trips_per_month"].sum()["caxton"] for table in (prior, od)]
    assert into[1] > 2 * into[0]
    assert od.loc["west>caxton", "basis"] == "updated_prior"
    assert od.loc["mersey>ayton", "basis"] == "prior"
    sums = [table.groupby("origin_id")["trips_per_month"].sum() for table in (prior, od)]
    pd.testing.assert_series_equal(sums[0], sums[1])


def test_allotted_lines_follow_the_flow(exporters, places, costs):
    """All 40 lines are allotted: with a prior worth little, Caxton's flow is what its origins can give."""
    od = estimate_od_trips(exporters, places, deal_lines((None, "caxton", 40)), costs, prior_strength_lines=1e-6)
    assert od.loc["west>caxton", "trips_per_month"] == pytest.approx(
        od.loc[od["origin_id"] == "west", "trips_per_month"].sum(), rel=1e-6
    )
