"""Coaches in the whole job: a third way to travel where a feed is given, and nothing at all where none is."""

import json
import re
import zipfile
from datetime import date

import numpy as np
import pandas as pd
import pyogrio
import pytest
from pypdf import PdfReader

from gateline.pipeline.coaches import find_hub_stops
from gateline.pipeline.planning import plan_run
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder, record_settings
from gateline.pipeline.run import run_pipeline
from gateline.pipeline.stages import run_stages
from gateline.products.plan_notes import stop_facts
from gateline.release.contents import PRODUCTS, require_products
from gateline.settings import write_settings_template
from geo.corridors.mode_split import MODES
from geo.crs import to_wgs84_arrays
from geo.errors import DisclosureError, InputError, UsageError
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
    """A coach from each exporting area's main station to every station of the force, without a call between."""
    stations = small_run.results.network.stations
    ours = sorted(stations.index[stations["is_in_force"]])
    hubs = sorted(small_run.inputs.exporters["hub_station_id"].dropna().unique())
    routes = [[hub, code] for hub in hubs for code in ours]
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


def test_a_town_tells_by_which_way_it_goes_unseen(coached):
    towns = coached.results.place_exposure
    assert towns[[f"{mode}_share" for mode in MODES]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert towns[[f"unseen_by_{mode}_share" for mode in MODES]].sum(axis=1).to_numpy() == pytest.approx(
        towns["unseen_share"].to_numpy()
    )
    assert (towns["unseen_by_coach_share"] == towns["coach_share"]).all()
    by_coach = (towns["coach_share"] * towns["courier_trips_per_month"]).sum()
    assert by_coach == pytest.approx(coached.results.assignment.trips_by_mode["coach"])
    assert towns["coach_share"].max() > 0


def test_an_area_boards_at_every_stop_near_its_main_station(coached):
    inputs, stops = coached.inputs, coached.inputs.coaches.stops
    near = find_hub_stops(inputs.exporters, inputs.stations, stops, reach_km=0.2).set_index("place_id")["station_id"]
    assert near.to_dict() == {i: f"coach-{hub}1" for i, hub in inputs.exporters["hub_station_id"].items()}
    assert len(find_hub_stops(inputs.exporters, inputs.stations, stops, reach_km=1_000.0)) == len(near) * len(stops)


def test_the_notes_say_what_is_assumed_of_coaches(coached):
    notes = next(stage.notes for stage in coached.recorder.stages if stage.name == "network")
    stops, departures = coached.inputs.coaches.stops, coached.inputs.coaches.departures
    read = (
        f"coaches and buses: {len(stops)} stops ({int(stops['is_in_force'].sum())} in the force), "
        f"{departures['n_departures'].sum():,.0f} departures in the week of 2024-06-03"
    )
    assumed = (
        "a coach is priced by its timetable as a train is: a minute aboard weighs 1, and that its ticket is cheaper "
        "counts for 0 minutes: no published figure says more"
    )
    assert [note for note in notes if "coach" in note] == [read, assumed]


def test_a_cheaper_ticket_moves_trips_to_coaches(root, coached):
    cheap = Run(
        root, inputs={"coaches": ["inputs/coach.zip"]}, coaches={"week_start_on": MONDAY, "ticket_advantage_min": 30}
    )
    shares = [
        run.results.assignment.trips_by_mode["coach"] / run.results.assignment.trips_per_month
        for run in (coached, cheap)
    ]
    assert shares[1] > 1.5 * shares[0]


def test_a_feed_whose_coaches_are_elsewhere_leaves_the_coach_that_is_a_slow_car(root, small_run):
    far = small_run.results.network.stations.iloc[:2].assign(northing_m=[900_000.0, 905_000.0])
    write_coaches(root / "inputs" / "far.zip", far, [list(far.index)])
    run = Run(root, inputs={"coaches": ["inputs/far.zip"]}, coaches={"week_start_on": MONDAY})
    assert run.results.coach is None
    notes = next(stage.notes for stage in run.recorder.stages if stage.name == "network")
    assert "no coach joins two stops here: a coach is taken to be a slow car" in notes
    pd.testing.assert_frame_equal(run.results.courier_flows, small_run.results.courier_flows)


def test_without_a_feed_nothing_is_changed_by_how_coaches_are_priced():
    plain, priced = change(), change(coaches={"ticket_advantage_min": 30.0})
    assert record_settings(plain) == record_settings(priced)
    assert not [name for name in record_settings(plain) if "coach" in name]
    fed = [change(inputs={"coaches": ["inputs/coach.zip"]}, coaches={"ticket_advantage_min": m}) for m in (0.0, 30.0)]
    assert record_settings(fed[0]) != record_settings(fed[1])


def test_a_run_without_a_feed_has_no_trace_of_coach_stops(demo_run):
    names = {path.name for path in demo_run.folder.iterdir()}
    assert "coach_stops.csv" not in names
    assert "coach_cost_min" not in demo_run.results.courier_flows.columns
    for name in ("stations.csv", "towns.csv", "plan.csv", "run.json", "map.html", "model_card.md", "atrs.json"):
        assert not re.search(r"coach.stop|gl.coachLines", (demo_run.folder / name).read_text(encoding="utf-8-sig")), (
            name
        )


def test_a_week_must_be_stated(root):
    with pytest.raises(UsageError) as caught:
        read_inputs(root, change(inputs={"coaches": ["inputs/coach.zip"]}))
    assert str(caught.value) == (
        "region.toml: coaches.week_start_on is not set, nor inputs.timetable_week_start_on, expected the Monday of the "
        "week to count. Set it."
    )


def test_a_feed_that_is_no_zip_is_refused(root):
    (root / "inputs" / "odd.zip").write_text("stop_id,stop_name\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"odd.zip: .*, expected "):
        read_inputs(root, change(inputs={"coaches": ["inputs/odd.zip"]}, coaches={"week_start_on": MONDAY}))


@pytest.fixture(scope="module")
def published(root, coached):
    """The same run with its plan and every product."""
    text = write_settings_template(coached.settings)
    (root / "region.toml").write_text(text, encoding="utf-8")
    return run_pipeline(root, tell=lambda _: None)


def test_coach_stops_have_a_table_of_their_own(published, coached):
    table = pd.read_csv(published.folder / "coach_stops.csv", encoding="utf-8-sig").set_index("coach_stop_id")
    assert set(table["kind"]) == {"coach stop"}
    assert table["courier_flow"].is_monotonic_decreasing
    assert table.index.isin(coached.inputs.coaches.stops.index).all()
    assert (table["coaches_per_week"] > 0).all()
    assert table["busy_hours"].notna().all()
    stations = pd.read_csv(published.folder / "stations.csv", encoding="utf-8-sig")
    assert not stations["station_id"].str.startswith("coach").any()
    towns = pd.read_csv(published.folder / "towns.csv", encoding="utf-8-sig")
    assert towns[[f"{mode}_share" for mode in MODES]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert towns[[f"unseen_by_{mode}_share" for mode in MODES]].sum(axis=1).to_numpy() == pytest.approx(
        towns["unseen_share"].to_numpy()
    )


def test_workbook_layers_and_map_show_coach_stops(published):
    with zipfile.ZipFile(published.folder / "priority_stations.xlsx") as book:
        assert 'name="Coach stops"' in book.read("xl/workbook.xml").decode()
    assert "coach_stops" in pyogrio.list_layers(published.folder / "layers.gpkg")[:, 0]
    page = (published.folder / "map.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="gl-data">(.*?)</script>', page, re.DOTALL).group(1))
    assert len(data["coach_stops"]["id"]) == len(data["coach_stops"]["flow"]) > 0
    assert any("by coach" in text and "assumed" not in text for text in data["towns"]["unseen_by"])
    assert "gl.drawCoachStops" in page


def test_the_plan_may_put_a_team_at_a_coach_stop_and_says_so(root, published, coached):
    settings, results, inputs = coached.settings, published.results, published.inputs
    busiest = results.coach.exposure["courier_trips_per_month"].idxmax()
    must = settings.model_copy(update={"plan": settings.plan.model_copy(update={"must_visit": (busiest,)})})
    plan = plan_run(results, must, inputs)
    table = plan.duty.table.set_index("station_id")
    assert table.loc[[busiest], "kind"].unique().tolist() == ["coach stop"]
    assert table.loc[[busiest], "name"].iloc[0] == results.coach.stops.loc[busiest, "name"]
    assert table.loc[[busiest], "n_trains_per_day"].iloc[0] == pytest.approx(results.coach.n_coaches[busiest] / 7)
    others = table[~table.index.str.startswith("coach")]
    assert set(others["kind"]) == {"station"}
    summary = plan.duty.summary
    flows = results.courier_flows
    by_both = (flows["trips_per_month"] * (flows["rail_share"] + flows["coach_share"])).sum()
    assert summary.rail_trips_per_month == pytest.approx(by_both)
    assert summary.met_share_evading + summary.to_road_share + summary.unmet_rail_share == pytest.approx(1)


def test_the_briefing_names_the_coach_stops_that_most_couriers_use(published):
    text = " ".join("".join(page.extract_text() for page in PdfReader(published.folder / "briefing.pdf").pages).split())
    table = pd.read_csv(published.folder / "coach_stops.csv", encoding="utf-8-sig")
    said = f"Couriers by coach use {len(table)} coach stops of the force, most of them, in trips a month, "
    assert said + f"{table['name'][0]} ({table['courier_flow'][0]:.2g})" in text
    assert "of the flow by rail and coach" in text
    assert "of the rail flow" not in text


def test_a_coach_stop_is_told_by_its_coaches():
    row = {"kind": "coach stop", "passengers_per_day": np.nan, "n_trains_in_stay": 16.0, "n_trains_per_day": 30.5}
    assert stop_facts(row) == ["a coach stop: 16.0 coaches in a stay and 30.5 a day"]


def test_no_more_coach_stops_than_stated_are_planned_at(published, coached):
    none = coached.settings.model_copy(
        update={"coaches": coached.settings.coaches.model_copy(update={"most_planned_stops": 0})}
    )
    plan = plan_run(published.results, none, published.inputs)
    assert not plan.duty.table["station_id"].str.startswith("coach").any()
    assert "kind" not in plan.duty.table.columns
    sparse = coached.settings.coaches.model_copy(update={"least_planned_coaches_per_day": 1e6})
    plan = plan_run(published.results, coached.settings.model_copy(update={"coaches": sparse}), published.inputs)
    assert not plan.duty.table["station_id"].str.startswith("coach").any()
    few = coached.settings.model_copy(
        update={"coaches": coached.settings.coaches.model_copy(update={"most_planned_stops": 2})}
    )
    worked = plan_run(published.results, few, published.inputs).duty.problem.station_ids
    assert sum(station.startswith("coach") for station in worked) == 2


def test_the_plan_is_told_of_both_ways(published):
    told = (published.folder / "map.html").read_text(encoding="utf-8")
    assert "of the flow by rail and coach" in told
    assert (
        pd.read_csv(published.folder / "plan.csv", encoding="utf-8-sig")["kind"].isin(["station", "coach stop"]).all()
    )


@pytest.mark.parametrize(("profile", "is_there"), [("tactical", True), ("partner", False)])
def test_coach_stops_leave_only_as_stations_do(root, published, profile, is_there):
    assert ("coach_stops.csv" in PRODUCTS[profile]) == is_there
    if not is_there:
        with pytest.raises(DisclosureError, match=r"does not receive 'coach_stops.csv'"):
            require_products(profile, ["coach_stops.csv"])
