"""Trains and roads in the whole job: used where they cover the force, told of where they do not, and never mixed."""

import csv
import re
import zipfile
from dataclasses import replace
from datetime import date

import geopandas as gpd
import pandas as pd
import pytest

from benchmarks.railway_hours import gwent_settings
from gateline.commands.demo import demo_settings
from gateline.pipeline.cells import measure_offence_surface
from gateline.pipeline.journeys import price_journeys
from gateline.pipeline.railway import build_railway, restrict_calls
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from gateline.settings import Settings, read_settings, write_settings_template
from geo.errors import InputError, ResourceError, UsageError
from geo.network.passenger import ArcKind
from tests.regions import make_small

MONDAY = date(2024, 6, 3)
RUN_MIN = 20


def change(**changes):
    """The demo's settings with others of some sections."""
    document = demo_settings().model_dump(exclude_none=True)
    document["scores"]["n_draws"] = 100
    for section, values in changes.items():
        document[section] |= values
    return Settings.model_validate(document)


class Laid:
    """A region read, with its railway built and nothing more."""

    def __init__(self, root, **changes):
        self.settings = change(**changes)
        self.inputs = read_inputs(root, self.settings)
        self.railway = build_railway(self.inputs, self.settings)
        self.notes = self.railway.notes


class Run:
    """A region run in memory."""

    def __init__(self, root, **changes):
        self.settings = change(**changes)
        self.inputs = read_inputs(root, self.settings)
        self.recorder = Recorder(lambda _: None)
        self.results = run_stages(self.inputs, self.settings, self.recorder)

    @property
    def notes(self):
        return next(s.notes for s in self.recorder.stages if s.name == "network")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("region") / "w")


@pytest.fixture
def plain(small_run):
    return small_run


def write_gtfs(path, pairs, route="R"):
    """A shuttle each way between each pair of stations, every 5 minutes on weekdays, `RUN_MIN` minutes long."""
    trips, stops = ["trip_id,service_id,route_id"], ["trip_id,stop_id,stop_sequence,arrival_time,departure_time"]
    runs = ["trip_id,start_time,end_time,headway_secs"]
    for start, end in pairs:
        for a, b in ((start, end), (end, start)):
            trips.append(f"{a}{b},W,{route}")
            stops.append(f"{a}{b},{a},0,07:00:00,07:00:00")
            stops.append(f"{a}{b},{b},1,07:{RUN_MIN:02d}:00,07:{RUN_MIN:02d}:00")
            runs.append(f"{a}{b},00:00:00,24:00:00,300")
    days = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"
    members = {
        "routes.txt": ["route_id,route_type", "R,2", "B,3"],
        "calendar.txt": [f"service_id,{days},start_date,end_date", "W,1,1,1,1,1,0,0,20240101,20241231"],
        "trips.txt": trips,
        "stop_times.txt": stops,
        "frequencies.txt": runs,
    }
    with zipfile.ZipFile(path, "w") as feed:
        for name, lines in members.items():
            feed.writestr(name, "\n".join(lines) + "\n")


def with_timetable(root, name, links):
    write_gtfs(root / "inputs" / name, zip(links["from_station_id"], links["to_station_id"], strict=True))
    return {"timetable": f"inputs/{name}", "timetable_week_start_on": MONDAY}


@pytest.fixture(scope="module")
def timetabled(root, small_run):
    return Run(root, inputs=with_timetable(root, "all.zip", small_run.results.network.links))


def test_a_timetable_of_every_station_gives_run_times_and_changes(plain, timetabled):
    ours = plain.results.network.stations["is_in_force"].sum()
    assert timetabled.notes[0] == (
        f"timetable of the week of 2024-06-03: {ours} of {ours} stations of the force and 4 of 4 main stations have a "
        "train"
    )
    links = timetabled.results.network.links
    assert set(links["time_basis"]) == {"timetable"}
    assert set(links["time_min"]) == {RUN_MIN}
    # Shuttles end at each station: whoever goes on changes, and nobody is on board at a call.
    exposure = timetabled.results.station_exposure
    assert exposure["interchange_trips_per_month"].sum() > 1
    assert exposure["calling_trips_per_month"].sum() == pytest.approx(0)
    assert plain.results.station_exposure["interchange_trips_per_month"].sum() == 0


def test_every_row_of_the_timetable_is_accounted_for(timetabled):
    accounts = {a.source_file: a for a in timetabled.inputs.accounts if a.source_file.startswith("all.zip")}
    members = ("trips", "stop_times", "routes", "calendar", "frequencies")
    assert set(accounts) == {f"all.zip:{member}.txt" for member in members}
    # The feed has a bus route that no trip is of.
    assert accounts.pop("all.zip:routes.txt").n_by_reason == (("out_of_scope", "other_route_type", 1),)
    assert all(a.n_accepted == a.n_read > 0 for a in accounts.values())


def test_a_timetable_of_few_stations_is_not_used_at_all(root, plain):
    links = plain.results.network.links
    hubs = plain.inputs.exporters["hub_station_id"]
    ends = links["from_station_id"].isin(hubs) | links["to_station_id"].isin(hubs)
    few = Laid(root, inputs=with_timetable(root, "few.zip", links[~ends].iloc[:2]))
    assert few.notes[0].startswith("timetable not used: ")
    assert "stations of the force and 0 of 4 main stations have a train, expected 90% and all" in few.notes[0]
    assert few.inputs.timetable is not None
    assert few.railway.basis == "none"
    assert set(few.railway.graph.kind) == {ArcKind.RIDE}
    pd.testing.assert_frame_equal(
        pd.DataFrame(few.railway.network.links.drop(columns="geometry")),
        pd.DataFrame(plain.results.network.links.drop(columns="geometry")),
    )


def test_a_timetable_without_a_main_station_is_not_used(root, plain):
    links = plain.results.network.links
    hub = plain.inputs.exporters["hub_station_id"].iloc[0]
    kept = links[(links["from_station_id"] != hub) & (links["to_station_id"] != hub)]
    write_gtfs(root / "inputs" / "nohub.zip", zip(kept["from_station_id"], kept["to_station_id"], strict=True))
    run = Laid(root, inputs={"timetable": "inputs/nohub.zip", "timetable_week_start_on": MONDAY})
    assert "3 of 4 main stations have a train" in run.notes[0]
    assert f"; none at {hub}" in run.notes[0]
    assert run.notes[0].startswith("timetable not used")


def test_trains_from_beyond_the_network_start_at_their_first_call_in_it(root, plain):
    links = plain.results.network.links
    far = pd.DataFrame({"a": ["ZZZ"], "b": links["from_station_id"].iloc[0]})
    pairs = [*zip(links["from_station_id"], links["to_station_id"], strict=True), *far.itertuples(index=False)]
    write_gtfs(root / "inputs" / "beyond.zip", pairs)
    run = Laid(root, inputs={"timetable": "inputs/beyond.zip", "timetable_week_start_on": MONDAY})
    assert "ZZZ" in set(run.inputs.timetable.calls["station_id"])
    assert "ZZZ" not in run.railway.graph.station_ids
    assert run.notes[0].startswith("timetable of the week of ")
    assert run.notes[1] == (
        "trains call at 1 stations that the station list lacks and whose position the timetable does not say; these "
        "calls are left out: ZZZ"
    )
    (told,) = [a for a in run.inputs.accounts if a.source_file == "beyond.zip:stations not listed"]
    assert (told.n_read, told.n_by_reason) == (1, (("out_of_scope", "no_position", 1),))
    assert told.warnings == (f"{run.notes[1]}.",)


def test_a_train_that_comes_from_beyond_has_no_arrival_at_its_first_call_here(root, timetabled):
    calls = pd.DataFrame(
        {
            "pattern_id": ["P", "P", "P", "P", "Q", "Q"],
            "call_no": [0, 1, 2, 3, 0, 1],
            "station_id": ["ZZZ", "LDS", "YRK", "ZZY", "ZZZ", "LDS"],
            "arrival_min": [float("nan"), 10.0, 35.0, 50.0, float("nan"), 10.0],
            "departure_min": [0.0, 12.0, 36.0, float("nan"), 0.0, float("nan")],
        },
        index=pd.Index(["P:0", "P:1", "P:2", "P:3", "Q:0", "Q:1"], name="call_id"),
    ).astype({"pattern_id": "str", "station_id": "str"})
    departures = pd.DataFrame(
        {"pattern_id": ["P", "Q"], "hour_of_week": [8, 8], "n_departures": [1.0, 1.0]},
        index=pd.Index(["P:8", "Q:8"], name="departure_id"),
    ).astype({"pattern_id": "str"})
    kept, left = restrict_calls(calls, departures, timetabled.results.network.stations.index)
    assert kept.index.tolist() == ["P:1", "P:2"]
    assert kept["call_no"].tolist() == [0, 1]
    assert kept["arrival_min"].isna().tolist() == [True, False]
    assert kept["departure_min"].isna().tolist() == [False, True]
    # What is left keeps its minutes after the train's own start, so its hour is that of the whole train.
    assert (kept["departure_min"].iloc[0], kept["arrival_min"].iloc[1]) == (12.0, 35.0)
    assert left["pattern_id"].tolist() == ["P"]


def test_change_times_and_walks_of_a_timetable_are_used(timetabled):
    reading = replace(
        timetabled.inputs.timetable,
        interchange_min=pd.Series({"LDS": 11.0}),
        fixed_links=pd.DataFrame(
            {"from_station_id": ["LDS"], "to_station_id": ["YRK"], "mode": ["WALK"], "time_min": [13.0]}
        ),
    )
    graph = build_railway(replace(timetabled.inputs, timetable=reading), timetabled.settings).graph
    at = graph.station_ids.index("LDS")
    alights = (graph.kind == ArcKind.ALIGHT) & (graph.head == at)
    others = (graph.kind == ArcKind.ALIGHT) & (graph.head != at)
    assert set(graph.minutes[alights]) == {11.0}
    assert set(graph.minutes[others]) == {timetabled.settings.rail.interchange_min}
    assert graph.minutes[graph.kind == ArcKind.WALK].tolist() == [13.0]


def test_buses_are_no_trains(root, plain):
    links = plain.results.network.links
    write_gtfs(root / "inputs" / "bus.zip", zip(links["from_station_id"], links["to_station_id"], strict=True), "B")
    run = Laid(root, inputs={"timetable": "inputs/bus.zip", "timetable_week_start_on": MONDAY})
    assert run.notes[0].startswith("timetable not used: 0 of")


def test_stops_are_known_by_the_table_of_codes(root, plain):
    links = plain.results.network.links
    pairs = [(f"{a}1", f"{b}1") for a, b in zip(links["from_station_id"], links["to_station_id"], strict=True)]
    write_gtfs(root / "inputs" / "stops.zip", pairs)
    rows = [f"{code}1,{code}" for code in plain.results.network.stations.index]
    (root / "inputs" / "tiplocs.csv").write_text("\n".join(["stop_id,stop_code", *rows, "XYZ1,"]) + "\n")
    named = {"timetable": "inputs/stops.zip", "timetable_week_start_on": MONDAY}
    assert (
        Laid(root, inputs={**named, "tiplocs": "inputs/tiplocs.csv"}).notes[0].startswith("timetable of the week of ")
    )
    assert Laid(root, inputs=named).notes[0].startswith("timetable not used: 0 of")


def test_the_cheaper_rail_is_the_more_trips_stations_see(plain):
    estimate = plain.results.fitted.estimate
    stations = estimate.posterior.stations
    seen = [float((stations.visits @ (estimate.pair_share * stations.rail_share(step))).sum()) for step in (-1, 0, 1)]
    assert seen[0] < 0.9 * seen[1] < 0.9 * 0.9 * seen[2]


def test_a_step_of_the_rail_parameter_is_rail_priced_half_an_hour_cheaper(root, plain):
    run = Laid(root)
    surface = measure_offence_surface(run.inputs, run.settings)
    region = price_journeys(run.inputs, run.railway, run.settings, surface=surface)
    priced = region.with_rail_constant(-30.0).priced
    posterior = plain.results.fitted.estimate.posterior
    expected = priced["rail_share"].reindex(posterior.ways.flow_ids).to_numpy()
    assert posterior.stations.rail_share(1.0) == pytest.approx(expected, abs=1e-9)


def test_a_timetable_needs_its_week(root):
    write_gtfs(root / "inputs" / "one.zip", [("LDS", "HGT")])
    with pytest.raises(UsageError, match="timetable_week_start_on is not set, expected the Monday"):
        Run(root, inputs={"timetable": "inputs/one.zip"})


def test_a_timetable_of_no_known_kind_is_refused(root):
    (root / "inputs" / "trains.csv").write_text("a,b\n")
    with pytest.raises(InputError, match=r"trains\.csv: no known kind of timetable"):
        Run(root, inputs={"timetable": "inputs/trains.csv", "timetable_week_start_on": MONDAY})


def test_a_broken_zip_is_refused(root):
    (root / "inputs" / "broken.zip").write_text("no zip")
    with pytest.raises(InputError, match=r"broken\.zip: it is no zip file"):
        Run(root, inputs={"timetable": "inputs/broken.zip", "timetable_week_start_on": MONDAY})


def test_roads_that_are_no_openstreetmap_file_are_refused(root):
    with pytest.raises(InputError, match=r"stations\.csv: it is no OpenStreetMap file"):
        Run(root, inputs={"roads": "inputs/stations.csv"})


def with_passengers(root, plain, codes=None):
    """100 journeys a year between these stations, or all; at York most change."""
    codes, hub = codes or list(plain.results.network.stations.index), "YRK"
    with (root / "inputs" / "flows.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["origin_crs", "dest_crs", "journeys"])
        writer.writerows([a, b, 100] for a in codes for b in codes if a != b)
    with (root / "inputs" / "usage.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["TLC", "year", "Total", "Changes"])
        writer.writerows([code, 2021, 50_000, 40_000 if code == hub else 0] for code in codes)
    return {"passenger_flows": "inputs/flows.csv", "station_usage": "inputs/usage.csv"}


def test_without_a_timetable_trains_are_estimated_from_how_many_travel(root, plain):
    run = Laid(root, inputs=with_passengers(root, plain))
    assert run.railway.basis == "estimated"
    assert run.notes[-1].startswith("estimated of trains: where they call, how long they take")
    assert ArcKind.BOARD in set(run.railway.graph.kind)
    assert set(run.railway.graph.station_ids) == set(plain.results.network.stations.index)


def test_trains_are_not_estimated_where_that_is_not_wanted_or_too_few_stations_are_known(root, plain):
    unwanted = Laid(root, inputs=with_passengers(root, plain), rail={"estimate_trains": False})
    assert unwanted.railway.basis == "none"
    assert not any("estimated of trains" in note for note in unwanted.notes)
    codes = sorted(plain.results.network.stations.index)
    known = sorted({*codes[: len(codes) // 2], "LDS"})
    few = Laid(root, inputs=with_passengers(root, plain, codes=known))
    assert few.railway.basis == "none"
    told = [note for note in few.notes if note.startswith("trains not estimated from how many travel")]
    assert re.search(r": \d+ of \d+ stations of the force .* have a train, expected 90% and all", told[0])


def test_a_country_is_not_estimated_and_changes_are_those_that_passengers_make(root, plain, monkeypatch):
    monkeypatch.setattr("gateline.pipeline.railway._MOST_ESTIMATED", 10)
    hub = "YRK"
    run = Run(root, inputs=with_passengers(root, plain))
    assert run.results.railway_basis == "none"
    assert "run times come from distance alone, and how often trains run is not known" in run.notes
    assert "changes of train are estimated from those that passengers make, at 1 stations" in run.notes
    changing = run.results.station_exposure["interchange_trips_per_month"]
    assert changing[hub] > 0
    assert changing.drop(hub).sum() == 0
    met, before = run.results.station_exposure.loc[hub], plain.results.station_exposure.loc[hub]
    ways = ["interchange_trips_per_month", "calling_trips_per_month"]
    assert met[ways].sum() == pytest.approx(before[ways].sum())


def test_towns_are_no_origins_where_no_line_is_internal(root):
    run = Run(root, corridors={"internal_share": 0.0})
    assert set(run.results.od_trips["origin_id"]) == set(run.inputs.exporters.index)


def test_too_many_pairs_are_refused(root, monkeypatch):
    monkeypatch.setattr("gateline.pipeline.journeys._MOST_PAIRS", 100)
    with pytest.raises(
        ResourceError, match=r"make more than 100 pairs, expected fewer\. Set corridors\.internal_share"
    ):
        Run(root)


def test_flow_of_very_many_pairs_is_listed_by_origin_and_adds_up_alike(root, plain, monkeypatch):
    monkeypatch.setattr("gateline.pipeline.posterior.MOST_LISTED_PAIRS", 10)
    run = Run(root)
    assert set(run.results.assignment.station_flows["destination_id"]) == {"all"}
    corridors = next(s for s in run.recorder.stages if s.name == "corridors")
    assert corridors.notes[-1] == "too many pairs to list: the flow through stations is known by origin alone"
    pd.testing.assert_series_equal(
        run.results.station_exposure["courier_trips_per_month"],
        plain.results.station_exposure["courier_trips_per_month"],
        rtol=1e-9,
    )


def test_a_last_month_makes_the_run_independent_of_the_clock(root, plain, monkeypatch):
    last = str(plain.inputs.offences["month"].max() - 3)
    settings = change(offences={"last_month": last})
    before = read_inputs(root, settings)
    monkeypatch.setattr("geo.sources.months.this_month", lambda: pd.Period("2020-01", freq="M"))
    after = read_inputs(root, settings)
    pd.testing.assert_frame_equal(before.offences, after.offences)
    assert str(after.offences["month"].max()) == last


@pytest.fixture(scope="module")
def gwent(real_data, tmp_path_factory):
    """Gwent with the roads and the railway of one extract of Newport."""
    folder = tmp_path_factory.mktemp("gwent")
    (folder / "inputs").mkdir()
    areas = gpd.read_file(real_data / "boundaries" / "police_force_areas_2020_EW.geojson")
    areas[areas["pfa20_name"].str.strip() == "Gwent"].to_file(folder / "inputs" / "gwent.geojson", driver="GeoJSON")
    (folder / "inputs" / "exporters.csv").write_text(
        "name,x,y,population,hub_station\nCardiff,-3.1791,51.4816,362300,\nNewport station,-2.9984,51.5889,159600,NWP\n"
    )
    extract = str(real_data / "osm" / "newport-2023-06-13.osm.pbf")
    settings = {
        "region": {"name": "Gwent", "force": "Gwent Police"},
        "inputs": {
            "offences": [str(real_data / "crime" / "gwent")],
            "stations": str(real_data / "rail" / "stations_npm_1.11.1.csv"),
            "places": str(real_data / "boundaries" / "geonames_cities500_GB.csv"),
            "built_up_areas": str(real_data / "boundaries" / "ons_bua2022_population_census2021_GB.csv"),
            "exporters": "inputs/exporters.csv",
            "boundary": "inputs/gwent.geojson",
            "boundary_properties": {"id": "pfa20_code", "name": "pfa20_name"},
            "rail_track": extract,
            "roads": extract,
            "accept_old_osm": True,
        },
        "scores": {"n_draws": 100},
    }
    text = write_settings_template(Settings.model_validate(settings))
    (folder / "region.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.real
def test_roads_and_rail_of_one_extract_make_a_region(gwent):
    settings = read_settings(gwent / "region.toml")
    inputs = read_inputs(gwent, settings)
    recorder = Recorder(lambda _: None)
    results = run_stages(inputs, settings, recorder)
    extract = [a for a in inputs.accounts if a.source_file.startswith("newport")]
    assert len(extract) == 1  # read once for both roles
    assert any("841 days old" in text for text in extract[0].warnings)
    assert {"NWP", "PYE", "ROR"} <= set(results.network.stations.index)
    assert set(results.station_scores.table.index) <= set(results.network.stations.index)
    notes = next(s.notes for s in recorder.stages if s.name == "network")
    straight = [note for note in notes if "straight lines" in note]
    assert straight
    for note in straight:
        n_straight, n_all = re.match(r"(\d+) of (\d+) .*: no road near", note).groups()
        assert int(n_straight) < int(n_all)
    assert results.assignment.rail_trips_per_month > 0
    newport = results.place_scores.table[results.place_scores.table["name"] == "Newport"]
    assert len(newport) == 1


@pytest.mark.real
def test_gwent_with_its_trains_has_hours_of_trains(real_data, tmp_path):
    settings = gwent_settings(tmp_path, real_data)
    recorder = Recorder(lambda _: None)
    results = run_stages(read_inputs(tmp_path, settings), settings, recorder)
    hours = results.hours
    assert set(hours["hours_basis"]) == {"trains"}
    assert hours.loc[hours["n_trains"] == 0, "trips_per_month"].sum() == 0
    sums = hours.groupby("station_id")["trips_per_month"].sum()
    trips = results.station_scores.table["trips_per_month"].reindex(sums.index)
    assert sums.to_numpy() == pytest.approx(trips.to_numpy(), rel=1e-12)
    newport = hours[hours["station_id"] == "NWP"]
    assert newport["n_trains"].sum() == pytest.approx(1391)
    n_stations = len(results.station_scores.table)
    assert next(s.notes for s in recorder.stages if s.name == "scores")[-1] == (
        f"hours of stations rest on trains at {n_stations} of {n_stations}, on records that know their day or hour at "
        "0, and on an assumption alone at 0; the timetable has hardly a train on Sat and Sun, so hardly a trip is put "
        "there"
    )


@pytest.mark.real
def test_an_old_extract_must_be_accepted(gwent):
    settings = read_settings(gwent / "region.toml")
    strict = settings.model_copy(update={"inputs": settings.inputs.model_copy(update={"accept_old_osm": False})})
    with pytest.raises(InputError, match=r"osm: the extract is of 2023-06-12, 841 days old, expected at most 365"):
        read_inputs(gwent, strict)


@pytest.mark.real
def test_a_cif_update_that_covers_little_is_told_of(real_data, root):
    run = Laid(
        root,
        inputs={
            "timetable": str(real_data / "timetable" / "toc-update-tue.CIF.gz"),
            "timetable_week_start_on": date(2019, 1, 28),
            "tiplocs": str(real_data / "rail" / "tiplocs.csv"),
        },
    )
    assert re.match(r"timetable not used: \d+ of \d+ stations of the force and \d of 4 main stations", run.notes[0])
    assert run.inputs.timetable is not None
    assert len(run.inputs.timetable.calls) > 300


@pytest.mark.real
def test_the_zip_of_the_rail_delivery_group_is_told_from_gtfs(real_data, root):
    week = {"timetable_week_start_on": date(2017, 6, 5)}
    run = Laid(root, inputs={"timetable": str(real_data / "timetable" / "RJTTF293.ZIP"), **week})
    assert run.notes[0].startswith("timetable not used: 0 of")
    assert len(run.inputs.timetable.interchange_min) > 2000
    assert len(run.inputs.timetable.fixed_links) > 100


@pytest.mark.parametrize("what", ["first", "last"])
def test_a_timetable_gives_the_first_and_last_trains_to_the_minute(timetabled, what):
    trains = timetabled.results.trains
    assert trains.basis == "timetable"
    table = trains.table
    assert set(table["station_id"]) == set(timetabled.results.station_scores.table.index)
    weekday = table[table["day_kind"] == "weekday"]
    # A shuttle every five minutes on weekdays, day and night; the day of the railway starts at three.
    assert set(weekday[f"{what}_departure_min"]) == {180.0 if what == "first" else 180.0 + 24 * 60 - 5}
    sunday = table[table["day_kind"] == "sunday"]
    # Sunday has what runs on Monday before three; Friday's evening has no such trains.
    n_weekday, n_sunday = (rows["n_departures"].to_numpy() for rows in (weekday, sunday))
    assert n_weekday / n_sunday == pytest.approx((4 * 288 + 252) / 5 / 36)
    assert set(table["step_min"]) == {1.0}


def test_the_last_train_home_leaves_in_time_for_every_change(timetabled):
    home = timetabled.results.trains.home
    links = timetabled.results.network.links
    near = {*links.loc[links["from_station_id"] == "LDS", "to_station_id"]} & set(home["station_id"])
    near |= {*links.loc[links["to_station_id"] == "LDS", "from_station_id"]} & set(home["station_id"])
    own = home[(home["hub_station_id"] == "LDS") & (home["day_kind"] == "weekday")].set_index("station_id")
    last = own["last_departure_min"]
    # The last shuttle that comes in by three.
    assert set(last[sorted(near)]) == {180.0 + 24 * 60 - RUN_MIN}
    assert (last.dropna() <= 180.0 + 24 * 60 - RUN_MIN).all()
    assert last.notna().all()


def test_without_a_timetable_no_train_has_a_time_and_the_run_says_why(plain):
    trains = plain.results.trains
    assert (trains.table, trains.home, trains.replacements) == (None, None, None)
    assert trains.basis == "not known: there is no timetable"


def test_buses_for_trains_are_told_with_the_stations_and_never_counted_as_trains(timetabled):
    buses = pd.Series({"YRK": 30.0, "HGT": 12.0, "ZZZ": 5.0})
    reading = replace(timetabled.inputs.timetable, replacements=buses)
    railway = build_railway(replace(timetabled.inputs, timetable=reading), timetabled.settings)
    assert "42 departures are rail replacement buses in this week, at York, Harrogate: the week is not a usual one" in (
        railway.notes
    )
    pd.testing.assert_frame_equal(railway.departures, build_railway(timetabled.inputs, timetabled.settings).departures)
    assert not any("replacement" in note for note in timetabled.notes)
