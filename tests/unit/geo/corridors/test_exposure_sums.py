"""Exposure is the sum of its parts, and a town without a line can be seen to be exposed."""

import numpy as np
import pandas as pd
import pytest

from geo.corridors.assignment import assign_flows
from geo.corridors.choice import choose_modes
from geo.corridors.exposure import measure_place_exposure, measure_station_exposure
from tests.unit.geo.corridors.small_rail import link_graph, road_table, supply_of, trips_table

WAYS = [f"{w}_trips_per_month" for w in ("boarding", "interchange", "calling", "alighting")]
TOWNS = {"t": 10.0, "u": 5.0, "v": 2.0, "w": 0.0}


def chain():
    """Hubs H and K, towns on a line H - U - T and K - U; v has no station, w no trips."""
    graph = link_graph("HKTU", [("H", "U", 10.0), ("K", "U", 10.0), ("U", "T", 10.0)])
    supply = supply_of(graph, [("t", "T", 5, "walk"), ("u", "U", 5, "walk")], {"x": "H", "y": "K"})
    trips = [("x", p, n) for p, n in TOWNS.items()] + [("y", "t", 4.0)]
    flows = choose_modes(trips_table(trips), supply, road_table([(o, d, 60) for o, d, _ in trips]))
    return flows, assign_flows(flows, supply, change_share=pd.Series({"U": 0.5})).station_flows


def points(ids, contract_index, **columns):
    base = {"name": list(ids), "easting_m": 4e5, "northing_m": 4e5, "is_in_force": True}
    return pd.DataFrame({**base, **columns}, index=pd.Index(list(ids), name=contract_index, dtype="str"))


def stations():
    return points("ZUTKH", "station_id")


def places(**columns):
    return points("tuvw", "place_id", population=1000.0, population_basis="made up", **columns)


def usage(**entries):
    return pd.DataFrame(
        {
            "n_entries_exits_per_year": list(entries.values()),
            "n_interchanges_per_year": 1200.0,
            "usage_basis": "made up",
        },
        index=pd.Index(list(entries), name="station_id", dtype="str"),
    )


def lines(**counts):
    months = pd.PeriodIndex(["2025-01"] * len(counts), freq="M")
    return pd.DataFrame(
        {
            "origin_id": "x",
            "destination_id": list(counts),
            "first_seen": months,
            "last_seen": months,
            "n_lines": list(counts.values()),
            "provenance": "public_report",
        },
        index=pd.Index([f"l{k}" for k in range(len(counts))], name="line_id", dtype="str"),
    )


def test_a_station_is_exactly_the_sum_of_its_rows():
    _, by_pair = chain()
    exposure = measure_station_exposure(by_pair, stations())
    assert list(exposure.index) == ["H", "K", "T", "U", "Z"]
    for station in exposure.index:
        rows = by_pair[by_pair["station_id"] == station]
        assert exposure.loc[station, WAYS].tolist() == pytest.approx(rows[WAYS].sum().tolist(), rel=1e-12, abs=0)
    on_platform = exposure[[WAYS[0], WAYS[1], WAYS[3]]].sum(axis=1)
    assert np.allclose(exposure["courier_trips_per_month"], on_platform, rtol=1e-12)
    assert exposure.loc["Z", "courier_trips_per_month"] == 0
    assert exposure.loc["U", WAYS[2]] > 0


def test_the_largest_origin_and_destination_are_named():
    _, by_pair = chain()
    exposure = measure_station_exposure(by_pair, stations())
    assert exposure["top_origin_id"].to_dict() == {
        "H": "x",
        "K": "y",
        "T": "x",
        "U": "x",
        "Z": pytest.approx(np.nan, nan_ok=True),
    }
    assert exposure.loc["H", "top_destination_id"] == "t"


def test_couriers_are_counted_by_passengers_of_the_same_month():
    _, by_pair = chain()
    exposure = measure_station_exposure(by_pair, stations(), usage=usage(U=1_200_000 - 1200, T=0))
    per_100k = exposure["courier_trips_per_100k_passengers"]
    assert per_100k["U"] == pytest.approx(exposure.loc["U", "courier_trips_per_month"])
    assert np.isnan(per_100k["H"])


def test_a_town_sums_its_trips_and_says_what_no_station_sees():
    flows, by_pair = chain()
    exposure = measure_place_exposure(flows, by_pair, places())
    assert exposure["courier_trips_per_month"].to_dict() == {"t": 14.0, "u": 5.0, "v": 2.0, "w": 0.0}
    by_rail = flows[flows["destination_id"] == "t"].eval("trips_per_month * rail_share").sum()
    assert exposure.loc["t", "rail_trips_per_month"] == pytest.approx(by_rail)
    assert exposure.loc["t", "unseen_share"] == pytest.approx(1 - by_rail / 14)
    assert exposure.loc["v", "unseen_share"] == 1
    assert np.isnan(exposure.loc["w", "unseen_share"])
    assert exposure["main_station_id"].dropna().to_dict() == {"t": "T", "u": "U"}
    assert exposure.loc["t", "top_origin_id"] == "x"


def test_latent_exposure_ranks_only_towns_without_a_line():
    flows, by_pair = chain()
    exposure = measure_place_exposure(flows, by_pair, places(), deal_lines=lines(u=2.0))
    assert exposure["observed_lines"].to_dict() == {"t": 0.0, "u": 2.0, "v": 0.0, "w": 0.0}
    assert exposure["latent_exposure"].dropna().to_dict() == {"t": 87.5, "v": 37.5, "w": 12.5}
    # The one supplied town, u, has less flow than t and more than v and w.
    assert exposure["supplied_below_share"].dropna().to_dict() == {"t": 1.0, "v": 0.0, "w": 0.0}


def test_where_no_line_is_known_every_town_is_latent():
    flows, by_pair = chain()
    exposure = measure_place_exposure(flows, by_pair, places())
    assert exposure["observed_lines"].isna().all()
    assert exposure["latent_exposure"].to_dict() == {"t": 87.5, "u": 62.5, "v": 37.5, "w": 12.5}
    assert exposure["supplied_below_share"].isna().all()


def test_towns_of_other_forces_are_not_known_to_have_none():
    flows, by_pair = chain()
    table = places().assign(is_in_force=[True, True, False, False])
    exposure = measure_place_exposure(flows, by_pair, table, deal_lines=lines(u=2.0))
    assert exposure["observed_lines"].isna().to_dict() == {"t": False, "u": False, "v": True, "w": True}


def test_order_of_rows_changes_no_byte():
    flows, by_pair = chain()
    one = measure_place_exposure(flows, by_pair, places(), deal_lines=lines(u=2.0))
    two = measure_place_exposure(flows.iloc[::-1], by_pair.iloc[::-1], places().iloc[::-1], deal_lines=lines(u=2.0))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
    three = measure_station_exposure(by_pair.iloc[::-1], stations().iloc[::-1])
    pd.testing.assert_frame_equal(measure_station_exposure(by_pair, stations()), three, check_exact=True)
