import numpy as np
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal

from geo.errors import UsageError
from geo.hotspots.clusters import cluster_offences, find_clusters
from tests.unit.geo.hotspots.toy_offences import make_offences

OPTIONS = {"eps_m": 100.0, "min_weight": 5.0}


def two_towns(**more):
    """Eight offences at four points round (1000, 1000), six at three points round (5000, 5000), one alone."""
    east = [980, 1020, 1000, 1000] * 2 + [4980, 5020, 5000] * 2 + [9000]
    north = [1000, 1000, 980, 1020] * 2 + [5000, 5000, 5020] * 2 + [9000]
    return make_offences(east, north, **more)


def stations(**positions):
    table = pd.DataFrame(
        [(name, *xy, True) for name, xy in positions.items()],
        columns=["name", "easting_m", "northing_m", "is_in_force"],
        index=pd.Index(list(positions), name="station_id", dtype="str"),
    )
    return table.astype({"easting_m": float, "northing_m": float, "name": "str"})


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_two_planted_clusters_are_found_and_the_lone_offence_is_not(method):
    rng = np.random.default_rng(1)
    east = np.concatenate([rng.normal(1000, 40, 60), rng.normal(5000, 40, 60), [9000]]).round()
    north = np.concatenate([rng.normal(1000, 40, 60), rng.normal(5000, 40, 60), [9000]]).round()
    found = cluster_offences(make_offences(east, north), method=method, eps_m=100, min_weight=25)
    assert len(found.hotspots) == 2
    assert found.hotspots["northing_m"].round(-3).tolist() == [1000.0, 5000.0]
    assert found.n_by_fate["in_none"] >= 1


def test_a_hotspot_says_how_many_how_harmful_and_when():
    hotspots = find_clusters(two_towns(months=["2025-01"] * 8 + ["2025-02"] * 3 + ["2025-04"] * 4), **OPTIONS)
    town = hotspots.iloc[1]
    assert hotspots["n_offences"].tolist() == [8, 6]
    assert (str(town["first_month"]), str(town["last_month"])) == ("2025-02", "2025-04")
    assert town["offences_per_month"] == 6 / 4  # over all months of the table
    assert town["harm_days"] == 6.0
    assert hotspots.geometry.area.to_numpy() == pytest.approx(hotspots["area_km2"] * 1e6)


def test_every_offence_has_one_fate():
    offences = two_towns(provenance=["custody_location"] + ["unknown"] * 14)
    found = cluster_offences(offences, **OPTIONS)
    assert sum(found.n_by_fate.values()) == len(offences)
    assert {fate: n for fate, n in found.n_by_fate.items() if n} == {
        "in_hotspot": 13,
        "in_none": 1,
        "custody_location": 1,
    }
    assert found.membership.value_counts().to_dict() == found.hotspots["n_offences"].to_dict()


def test_a_police_station_is_no_hotspot():
    offences = make_offences([100, 110] * 10, [100, 110] * 10, provenance="custody_location")
    assert find_clusters(offences, **OPTIONS).empty


def test_a_lone_snap_point_is_no_hotspot_but_an_exact_address_is():
    snapped = make_offences([100.0] * 20, [100.0] * 20)
    exact = make_offences([100.0] * 20, [100.0] * 20, location_precision="exact")
    found = cluster_offences(snapped, **OPTIONS)
    assert found.hotspots.empty
    assert found.n_by_fate["snap_point_only"] == 20
    assert len(find_clusters(exact, **OPTIONS)) == 1


def test_a_hull_is_never_tighter_than_eight_addresses():
    hotspots = find_clusters(make_offences([100, 101] * 10, [100, 100] * 10), **OPTIONS)
    assert hotspots["area_km2"].iloc[0] > 0.0038


def test_row_order_changes_nothing():
    offences = two_towns()
    one, other = (find_clusters(table, **OPTIONS) for table in (offences, offences.iloc[::-1]))
    assert_geodataframe_equal(one, other)


def test_weights_by_harm_can_make_a_hotspot():
    offences = make_offences([100, 120, 5000, 5020] * 2, [100, 100, 5000, 5000] * 2, harm_days=[9, 9, 1, 1] * 2)
    hotspots = find_clusters(offences, eps_m=50, min_weight=6, by_harm=True)
    assert hotspots["n_offences"].tolist() == [4]
    assert hotspots["weight"].iloc[0] == pytest.approx(4 * 9 / 5)


def test_old_offences_fade():
    offences = two_towns(months=["2024-01"] * 8 + ["2025-01"] * 7)
    assert find_clusters(offences, half_life_months=3, **OPTIONS)["n_offences"].tolist() == [6]


def test_a_name_is_the_grid_reference_and_stays_when_the_hotspot_moves_a_little():
    first = find_clusters(two_towns(), **OPTIONS)
    assert first.index.tolist() == ["HS-SV010010", "HS-SV050050"]
    moved = two_towns()
    moved["easting_m"] += 150
    assert find_clusters(moved, previous=first, **OPTIONS).index.tolist() == first.index.tolist()
    assert find_clusters(moved, **OPTIONS).index.tolist() != first.index.tolist()


def test_a_new_hotspot_never_takes_an_old_name():
    first = find_clusters(two_towns(), **OPTIONS)
    gone = first.rename(index={"HS-SV010010": "HS-SV050050-old", "HS-SV050050": "HS-SV010010"})
    again = find_clusters(two_towns(), previous=gone.assign(easting_m=90_000.0), **OPTIONS)
    assert again.index.tolist() == ["HS-SV010010-2", "HS-SV050050"]


def test_the_nearest_station_is_named_with_the_walk_to_it():
    hotspots = find_clusters(two_towns(), stations=stations(AAA=(1000, 1800), BBB=(80_000, 5000)), **OPTIONS)
    assert hotspots["nearest_station_id"].tolist()[0] == "AAA"
    assert hotspots["walk_min"].iloc[0] == pytest.approx(800 * 1.3 / 80)
    assert (hotspots["walk_basis"] == "straight_line_detour").all()


def test_a_station_out_of_reach_is_no_station():
    hotspots = find_clusters(two_towns(), stations=stations(BBB=(80_000, 5000)), **OPTIONS)
    assert hotspots["nearest_station_id"].isna().all()
    assert hotspots["walk_min"].isna().all()


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_offences_give_an_empty_table(method, n):
    assert find_clusters(make_offences([1.0] * n, [1.0] * n), method=method, **OPTIONS).empty


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_identical_and_collinear_points_are_no_fault(method):
    east = np.concatenate([np.full(30, 500.0), np.arange(30) * 10.0])
    assert len(find_clusters(make_offences(east, np.full(60, 100.0)), method=method, **OPTIONS)) <= 2


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"method": "kmeans"}, "method: it is 'kmeans', expected 'dbscan' or 'hdbscan'"),
        ({"eps_m": 0}, "eps_m: it is 0, expected a positive number"),
        ({"min_weight": -1}, "min_weight: it is -1, expected a positive number"),
        ({"method": "hdbscan", "min_weight": 0}, "min_weight: it is 0, expected a positive number"),
        ({"min_points": 0}, "min_points: it is 0, expected at least 1"),
    ],
)
def test_an_option_out_of_range_is_refused(option, text):
    with pytest.raises(UsageError, match=text):
        find_clusters(two_towns(), **option)
