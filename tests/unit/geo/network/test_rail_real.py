"""The links built from the real track and station files, against distances known from outside."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from geo.crs import to_metric_arrays
from geo.network.passenger import build_passenger_graph
from geo.network.rail import RailNetwork, build_rail_network
from geo.network.run_times import DEFAULT_SPEED_KM_PER_H, DEFAULT_START_STOP_MIN, measure_run_min
from geo.network.station_times import measure_station_times

pytestmark = pytest.mark.real

# Kilometres along track as published with the input files.
KNOWN_KM = {
    ("LDS", "HGT"): 29.3,
    ("LDS", "YRK"): 41.2,
    ("YRK", "SCA"): 67.5,
    ("MBR", "WTB"): 55.6,
    ("LDS", "SKI"): 42.1,
}


@pytest.fixture(scope="module")
def network(real_data) -> RailNetwork:
    """All stations and all heavy-rail track of Great Britain."""
    track = gpd.read_file(real_data / "rail" / "rail_heavy.geojson")[["geometry"]].to_crs("EPSG:27700")
    track.index.name = "track_id"
    raw = pd.read_csv(real_data / "rail" / "stations_npm_1.11.1.csv")
    easting_m, northing_m = to_metric_arrays(raw["long"].to_numpy(), raw["lat"].to_numpy())
    stations = pd.DataFrame(
        {"name": raw["stationName"], "easting_m": easting_m, "northing_m": northing_m, "is_in_force": False}
    ).set_index(pd.Index(raw["crsCode"], name="station_id"))
    return build_rail_network(track, stations)


@pytest.fixture(scope="module")
def distance_km(network) -> pd.DataFrame:
    """Shortest kilometres along links between all stations."""
    ids = network.stations.index
    ends = [ids.get_indexer(network.links[name]) for name in ("from_station_id", "to_station_id")]
    adjacency = csr_array((network.links["length_m"] / 1_000, tuple(ends)), shape=(len(ids),) * 2)
    return pd.DataFrame(dijkstra(adjacency, directed=False), index=ids, columns=ids)


def test_known_distances_are_within_two_percent(distance_km):
    for (start, end), km in KNOWN_KM.items():
        assert distance_km.loc[start, end] == pytest.approx(km, rel=0.02)


def test_liverpool_lime_street_reaches_edge_hill_in_about_two_kilometres(network, distance_km):
    assert distance_km.loc["LIV", "EDG"] == pytest.approx(2.1, abs=0.2)
    assert "LIV" in set(network.repairs["nearest_station_id"])


def test_every_station_near_track_is_reachable_from_leeds_but_for_the_isle_of_wight(network, distance_km):
    cut_off = distance_km.index[~np.isfinite(distance_km.loc["LDS"])]
    assert sorted(cut_off) == ["BDN", "LKE", "RYD", "RYP", "RYR", "SAB", "SAN", "SHN"]
    assert (network.unsnapped["offset_m"] > 500).all()
    assert len(network.stations) + len(network.unsnapped) == 2_608


def test_corridor_links_agree_but_for_three_named(distance_km, real_data):
    known = pd.read_csv(real_data / "rail" / "derived_corridor_links.csv")
    ours_km = np.array([distance_km.loc[a, b] for a, b in zip(known["from_crs"], known["to_crs"], strict=True)])
    is_far = np.abs(ours_km / known["rail_km"] - 1) > 0.02
    named = set(zip(known["from_crs"][is_far], known["to_crs"][is_far], strict=True))
    # Lime Street is the break that is mended here; at Shipley the platforms of the triangle count as one place;
    # Micklefield to Church Fenton has a direct curve of 8.2 km against 7.8 km in a straight line.
    assert named == {("LIV", "EDG"), ("KLF", "SHY"), ("MIK", "CHF")}


def test_trains_on_the_east_coast_do_not_pass_york_by(network):
    at_thirsk = network.links[(network.links[["from_station_id", "to_station_id"]] == "THI").any(axis=1)]
    assert sorted(at_thirsk.index) == ["NTR-THI", "THI-YRK"]


def test_the_default_speed_is_the_fit_to_real_run_times(network, real_data):
    """Least sum of absolute log ratios over the 207 timetabled links; the constants are that fit, rounded."""
    known = pd.read_csv(real_data / "timetable" / "north_runtimes_nrod_2019-01-29.csv")
    ends = np.sort(known[["from_crs", "to_crs"]].to_numpy(dtype=str), axis=1)
    length_m = network.links["length_m"].reindex([f"{a}-{b}" for a, b in ends]).to_numpy()
    is_link = np.isfinite(length_m)
    real_min, km = known["median_minutes"].to_numpy()[is_link], length_m[is_link] / 1_000
    assert is_link.sum() == 207

    def loss(fit):
        return float(np.abs(np.log(np.maximum(fit[0] + fit[1] * km, 0.01) / real_min)).sum())

    fit = minimize(loss, [1.5, 0.6], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8}).x
    assert round(fit[0], 1) == DEFAULT_START_STOP_MIN
    assert round(60 / fit[1]) == DEFAULT_SPEED_KM_PER_H
    ours_min = measure_run_min(km * 1_000, speed_km_per_h=DEFAULT_SPEED_KM_PER_H, start_stop_min=DEFAULT_START_STOP_MIN)
    assert np.median(np.abs(ours_min / real_min - 1)) < 0.13
    assert np.abs(ours_min - real_min).mean() == pytest.approx(1.3, abs=0.05)


def test_times_of_real_stations_are_symmetric_and_end_at_the_sea(network):
    """Every eighth station, and Ryde on the Isle of Wight."""
    origins = sorted({*network.stations.index[::8], "RYD"})
    times = measure_station_times(build_passenger_graph(network.links), origins=origins)
    columns = [times.station_ids.index(code) for code in origins]
    among = times.time_min[:, columns]
    np.testing.assert_allclose(among, among.T)
    assert np.isfinite(times.time_min).sum(axis=1).tolist() == [
        8 if network.stations.loc[code, "component"] else 2_592 for code in origins
    ]
