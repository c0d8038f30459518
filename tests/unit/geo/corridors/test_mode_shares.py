"""How a town's trips divide by way of travel, and by which way they go unseen."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes
from geo.corridors.mode_shares import MODE_SHARES, UNSEEN_SHARES, measure_mode_shares
from tests.unit.geo.corridors.small_rail import road_table, trips_table
from tests.unit.geo.corridors.test_coach_mode import ROADS, TRIPS, coach, rail


def shares(station_ids, grain="pair"):
    flows = choose_modes(trips_table(TRIPS, internal="m"), rail(), road_table(ROADS), others=[coach()])
    station_flows = assign_flows(flows, rail(), grain=grain).station_flows
    towns = pd.Index(["isle", "m", "t", "empty"], name="place_id")
    return flows, measure_mode_shares(flows, station_flows, towns, station_ids)


def test_where_the_force_has_every_station_only_road_and_coach_are_unseen():
    flows, found = shares(["H", "M", "T"])
    to_t = flows[flows["destination_id"] == "t"]
    by_rail = np.average(to_t["rail_share"], weights=to_t["trips_per_month"])
    assert found.loc["t", "rail_share"] == pytest.approx(by_rail)
    assert found.loc["t", "unseen_by_train_share"] == pytest.approx(0, abs=1e-12)
    assert found.loc["t", "unseen_share"] == pytest.approx(1 - by_rail)
    assert found.loc["t", "unseen_by_coach_share"] == found.loc["t", "coach_share"] > 0


def test_who_leaves_the_train_beyond_the_force_is_unseen_by_train():
    flows, found = shares(["M"])
    to_t = flows[flows["destination_id"] == "t"].set_index("origin_id")
    # Whoever comes from M boards there; who comes from H may change there.
    by_rail = to_t["trips_per_month"] * to_t["rail_share"]
    assert found.loc["t", "unseen_by_train_share"] * 12 <= by_rail["x"] + 1e-12
    assert found.loc["t", "unseen_by_train_share"] > 0.1
    assert found.loc["m", "unseen_by_train_share"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("station_ids", [["H", "M", "T"], ["M"], []])
def test_unseen_shares_by_way_add_up_to_the_unseen_share(station_ids):
    _, found = shares(station_ids)
    some = found.loc[["isle", "m", "t"]]
    assert some[list(UNSEEN_SHARES)].sum(axis=1).tolist() == pytest.approx(some["unseen_share"].tolist())
    assert some[list(MODE_SHARES)].sum(axis=1).tolist() == pytest.approx([1.0, 1.0, 1.0])
    assert found.loc["empty"].isna().all()
    # No way leads to the isle: what is lost is seen by nobody.
    assert found.loc["isle", ["rail_share", "unseen_share"]].tolist() == [0.0, 1.0]


def test_flow_by_origin_alone_counts_all_who_go_by_rail_as_seen():
    _, found = shares([], grain="origin")
    assert (found["unseen_by_train_share"].dropna() == 0).all()
