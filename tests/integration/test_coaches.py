"""Coaches in the whole job: a third way to travel where a feed is given, and nothing at all where none is."""

import zipfile
from datetime import date

import numpy as np
import pandas as pd
import pytest

from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder, record_settings
from gateline.pipeline.stages import run_stages
from geo.crs import to_wgs84_arrays
from geo.errors import InputError, UsageError
from tests.integration.test_timetable_and_roads import change
from tests.regions import make_small

MONDAY = date(2024, 6, 3)
DAYS = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"


def write_coaches(path, stations, routes, *, speed_m_per_min=1000.0, route_type=200):
    """Two bays at each station, and a coach each way along each route every half hour on all days."""
    lon, lat = to_wgs84_arrays(stations["easting_m"].to_numpy(), stations["northing_m"].to_numpy())
    stops = ["stop_id,stop_name,stop_lat,stop_lon"]
    for code, name, x, y in zip(stations.index, stations["name"], lon, lat, strict=True):
        stops += [f"{code}1,{name} bay 1,{y:.6f},{x:.6f}", f"{code}2,{name} bay 2,{y + 0.0003:.6f},{x:.6f}"]
    trips, times = ["trip_id,service_id,route_id"], ["trip_id,stop_id,stop_sequence,arrival_time,departure_time"]
    for number, route in enumerate(routes):
        for way, calls in enumerate((route, route[::-1])):
            for start in range(6 * 60, 22 * 60, 30):
                trip, at = f"T{number}-{way}-{start}", float(start)
                trips.append(f"{trip},D,C")
                for place, code in enumerate(calls):
                    if place:
                        step = stations.loc[[calls[place - 1], code], ["easting_m", "northing_m"]].to_numpy()
                        at += max(1.0, np.hypot(*(step[1] - step[0])) / speed_m_per_min)
                    clock = f"{int(at) // 60:02d}:{int(at) % 60:02d}:00"
                    times.append(f"{trip},{code}{1 + way},{place},{clock},{clock}")
    members = {
        "routes.txt": ["route_id,route_type", f"C,{route_type}", "T,2"],
        "calendar.txt": [f"service_id,{DAYS},start_date,end_date", "D,1,1,1,1,1,1,1,20240101,20241231"],
        "trips.txt": trips,
        "stop_times.txt": times,
        "stops.txt": stops,
    }
    with zipfile.ZipFile(path, "w") as feed:
        for name, lines in members.items():
            feed.writestr(name, "\n".join(lines) + "\n")


class Run:
    def __init__(self, root, **changes):
        self.settings = change(**changes)
        self.inputs = read_inputs(root, self.settings)
        self.recorder = Recorder(lambda _: None)
        self.results = run_stages(self.inputs, self.settings, self.recorder)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("region") / "w")


@pytest.fixture(scope="module")
def coached(root, small_run):
    """A coach from each exporting area's main station to every town's station in turn."""
    stations = small_run.results.network.stations
    ours = sorted(stations.index[stations["is_in_force"]])
    hubs = sorted(small_run.inputs.exporters["hub_station_id"].dropna().unique())
    routes = [[hub, *ours[k::3]] for k, hub in enumerate(hubs)]
    write_coaches(root / "inputs" / "coach.zip", stations, routes)
    return Run(root, inputs={"coaches": ["inputs/coach.zip"]}, coaches={"week_start_on": MONDAY})


def test_every_trip_goes_by_one_way(coached):
    flows = coached.results.courier_flows
    assert "coach_cost_min" in flows.columns
    shares = flows[["rail_share", "coach_share", "car_share", "hire_share"]]
    assert (shares >= 0).all(axis=None)
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1.0)
    account = coached.results.assignment
    assert account.trips_by_mode.keys() == {"rail", "coach", "road"}
    assert sum(account.trips_by_mode.values()) + account.lost_trips_per_month == pytest.approx(
        account.trips_per_month, rel=1e-12
    )
    assert account.trips_by_mode["coach"] > 0


def test_who_goes_by_coach_boards_and_alights_once(coached):
    by_coach = coached.results.courier_flows.eval("trips_per_month * coach_share").sum()
    flows = coached.results.coach.station_flows
    assert flows["boarding_trips_per_month"].sum() == pytest.approx(by_coach)
    assert flows["alighting_trips_per_month"].sum() == pytest.approx(by_coach)
    assert flows["station_id"].str.startswith("coach-").all()


def test_two_bays_are_one_coach_stop(coached):
    stops = coached.inputs.coaches.stops
    stations = coached.results.network.stations
    called = stations.index[[f"coach-{code}1" in stops.index for code in stations.index]]
    assert len(stops) <= len(called)
    assert not stops.index.str.endswith("2").any()
