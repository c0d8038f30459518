"""The ways of a town's trips make up all of them, and what nobody sees is what meets no platform of the force."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes
from geo.corridors.exposure import measure_place_exposure
from geo.corridors.mode_split import MODES, split_modes
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, trips_table
from tests.unit.geo.corridors.test_exposure_sums import places

SHARES = [f"{mode}_share" for mode in MODES]
UNSEEN = [f"unseen_by_{mode}_share" for mode in MODES]


def border():
    """Hub H, stations T in the force and N across the boundary; t is reached from T, u from N, v from neither."""
    graph = link_graph("HNT", [("H", "N", 10.0), ("N", "T", 10.0)])
    supply = supply_of(graph, [("t", "T", 5, "walk"), ("u", "N", 5, "walk")], {"x": "H"})
    trips = [("x", "t", 10.0), ("x", "u", 6.0), ("x", "v", 2.0)]
    flows = choose_modes(trips_table(trips), supply, road_table([(o, d, 60) for o, d, _ in trips]))
    return flows, assign_flows(flows, supply)


def exposure_of(**options):
    flows, assignment = border()
    return flows, measure_place_exposure(flows, assignment.station_flows, places(), **options)


def test_the_ways_make_up_all_trips_and_the_unseen_ones_make_up_what_is_unseen():
    _, exposure = exposure_of(force_station_ids=["T"])
    some = exposure.loc[["t", "u", "v"]]
    assert some[SHARES].sum(axis=1).tolist() == pytest.approx([1.0] * 3)
    assert some[UNSEEN].sum(axis=1).tolist() == pytest.approx(some["unseen_share"].tolist())
    assert some[UNSEEN[1:]].to_numpy() == pytest.approx(some[SHARES[1:]].to_numpy())
    assert exposure.loc["w", SHARES + UNSEEN].isna().all()


def test_a_train_that_ends_across_the_boundary_is_seen_by_no_station_of_the_force():
    flows, exposure = exposure_of(force_station_ids=["T"])
    rail = flows.set_index("destination_id")["rail_share"]
    assert exposure.loc["u", "unseen_by_rail_share"] == pytest.approx(rail["u"])
    assert exposure.loc["u", "unseen_share"] == pytest.approx(1)
    assert exposure.loc["t", "unseen_by_rail_share"] == pytest.approx(0)
    assert exposure.loc["t", "unseen_share"] == pytest.approx(1 - rail["t"])
    _, every = exposure_of()
    assert every["unseen_by_rail_share"].dropna().to_numpy() == pytest.approx(0)


def test_who_boards_and_alights_in_the_force_is_seen_once():
    _, exposure = exposure_of(force_station_ids=["H", "T"])
    assert exposure.loc["t", "unseen_by_rail_share"] == pytest.approx(0)
    assert exposure.loc["u", "unseen_by_rail_share"] == pytest.approx(0)


def test_stations_known_by_origin_alone_see_every_train():
    flows, _ = border()
    graph = link_graph("HNT", [("H", "N", 10.0), ("N", "T", 10.0)])
    supply = supply_of(graph, [("t", "T", 5, "walk"), ("u", "N", 5, "walk")], {"x": "H"})
    by_origin = assign_flows(flows, supply, grain="origin").station_flows
    exposure = measure_place_exposure(flows, by_origin, places(), force_station_ids=["T"])
    assert exposure["unseen_by_rail_share"].dropna().to_numpy() == pytest.approx(0)


def test_a_mode_that_nobody_was_offered_carries_nobody():
    flows, assignment = border()
    exposure = measure_place_exposure(flows.drop(columns="coach_share"), assignment.station_flows, places())
    assert exposure["coach_share"].dropna().tolist() == [0.0] * 3
    assert isinstance(exposure, pd.DataFrame)
    assert np.isfinite(exposure.loc["t", SHARES].astype(float)).all()


def test_trips_without_any_way_are_told_with_the_car_and_seen_by_nobody():
    flows = pd.DataFrame({"destination_id": ["t"], "trips_per_month": [8.0], "rail_share": [0.0], "car_share": [0.0]})
    shares = split_modes(flows, pd.Series(dtype=float), pd.Index(["t"]))
    assert shares.loc["t", ["car_share", "unseen_by_car_share"]].tolist() == [1.0, 1.0]
