"""A station that the station list lacks comes from the timetable, and stands in lists and on the map like another."""

import csv
import io
import json
import zipfile
from datetime import date

import numpy as np
import pytest
from typer.testing import CliRunner

from gateline.cli import app
from gateline.pipeline.read import read_inputs
from gateline.pipeline.run import run_pipeline
from gateline.settings import read_settings, write_settings_template
from geo.crs import to_metric_arrays
from geo.errors import InputError
from tests.regions import keep_rows, make_small
from tests.unit.geo.sources.cif_lines import bs, lo, lt

HOLIDAY_WEEK = date(2024, 5, 6)
NEW = "KNA"


def read_rows(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def write_feed(path, places, *, with_places):
    """Every other station is a stop of a shuttle with the first main station; the feed knows names and positions."""
    codes = sorted(places)
    trips, times = ["trip_id,service_id,route_id"], ["trip_id,stop_id,stop_sequence,arrival_time,departure_time"]
    for code in codes:
        for a, b in (("LDS", code), (code, "LDS")):
            if a != b:
                trips.append(f"{a}{b},W,R")
                times += [f"{a}{b},{a},0,07:00:00,07:00:00", f"{a}{b},{b},1,07:30:00,07:30:00"]
    stops = ["stop_id,stop_code,stop_name,stop_lat,stop_lon"]
    stops += [
        f"{code},{code},{name},{lat},{lon}" if with_places else f"{code},{code},{name},,"
        for code, (name, lat, lon) in places.items()
    ]
    days = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"
    members = {
        "routes.txt": ["route_id,route_type", "R,2"],
        "calendar.txt": [f"service_id,{days},start_date,end_date", "W,1,1,1,1,1,1,1,20240101,20241231"],
        "trips.txt": trips,
        "stop_times.txt": times,
        "stops.txt": stops,
    }
    with zipfile.ZipFile(path, "w") as feed:
        for name, lines in members.items():
            feed.writestr(name, "\n".join(lines) + "\n")


def lay(root, *, with_places):
    """A region whose list lacks one station, with a timetable that has all, and the passengers of listed ones."""
    make_small(root)
    rows = read_rows(root / "inputs" / "stations.csv")
    places = {row["crsCode"]: (row["stationName"], row["lat"], row["long"]) for row in rows}
    keep_rows(root, "stations.csv", lambda lines: [line for line in lines if not line.endswith(NEW)])
    write_feed(root / "inputs" / "feed.zip", places, with_places=with_places)
    usage = ["TLC,year,Total,Changes", *(f"{code},2021,50000,0" for code in places if code != NEW)]
    (root / "inputs" / "usage.csv").write_text("\n".join(usage) + "\n")
    named = {
        "timetable": "inputs/feed.zip",
        "timetable_week_start_on": HOLIDAY_WEEK,
        "station_usage": "inputs/usage.csv",
    }
    settings = read_settings(root / "region.toml")
    settings = settings.model_copy(update={"inputs": settings.inputs.model_copy(update=named)})
    (root / "region.toml").write_text(write_settings_template(settings), encoding="utf-8")
    return places


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = tmp_path_factory.mktemp("feed") / "w"
    places = lay(root, with_places=True)
    told = []
    run_pipeline(root, tell=told.append)
    folder = root / "runs" / (root / "runs" / "current").read_text().strip()
    return folder, places[NEW][0], told


def test_the_station_stands_in_the_list_with_its_passengers_blank(finished):
    folder, name, _ = finished
    rows = {row["station_id"]: row for row in read_rows(folder / "stations.csv")}
    assert rows[NEW]["name"] == name
    assert float(rows[NEW]["score"]) >= 0
    for column in ("entries_exits_per_year", "courier_flow_per_100k_passengers", "has_gates", "staffed_hours"):
        assert rows[NEW][column] == ""
    assert float(rows["YRK"]["entries_exits_per_year"]) == 50_000
    for row in rows.values():
        assert "1 stations come from the timetable, as the station list lacks them" in row["railway_basis"]
        assert f"{name} ({NEW})" in row["railway_basis"]


def test_the_station_is_on_the_map(finished):
    folder, name, _ = finished
    assert name in (folder / "map.html").read_text(encoding="utf-8")


def test_the_account_counts_and_names_it_and_the_record_keeps_it(finished):
    folder, _, told = finished
    text = "\n".join(map(str, told))
    assert "feed.zip:stations not listed: 1 stations come from the timetable" in text
    accounts = {a["source_file"]: a for a in json.loads((folder / "run.json").read_text())["rows"]}
    assert accounts["feed.zip:stations not listed"]["n_accepted"] == 1


def test_the_bank_holiday_of_the_week_travels_with_the_list(finished):
    folder, _, told = finished
    caveat = "the week of 2024-05-06 holds a bank holiday (2024-05-06 early May)"
    row = read_rows(folder / "stations.csv")[0]
    assert caveat[1:] in row["railway_basis"]
    assert caveat in "\n".join(map(str, told))


def test_without_a_position_it_is_counted_and_named(tmp_path):
    lay(tmp_path / "w", with_places=False)
    shown = CliRunner().invoke(app, ["check", str(tmp_path / "w")]).output
    assert "feed.zip:stations not listed" in shown
    assert "out_of_scope: no_position" in shown
    assert f"whose position the timetable does not say; these calls are left out: {NEW}" in shown


def test_the_zip_of_the_rail_delivery_group_gives_its_position_to_a_tenth_of_a_kilometre(tmp_path):
    root = tmp_path / "w"
    places = lay(root, with_places=True)
    lon, lat = (np.array([float(place[k]) for place in places.values()]) for k in (2, 1))
    easting_m, northing_m = to_metric_arrays(lon, lat)
    tenths = zip(places, np.round(easting_m / 100).astype(int), np.round(northing_m / 100).astype(int), strict=True)
    stations = [
        f"A    {places[code][0][:30]:<30}0{code + 'TOWN':<7}{code}   {code}{10_000 + east} {60_000 + north} 5".ljust(82)
        for code, east, north in tenths
    ]
    header = "HDTPS.UDFROC1.PD2401012401011927DFROC1MDFROC1LFA010124311224".ljust(80)
    trains = [
        line
        for k, code in enumerate(sorted(set(places) - {"LDS"}))
        for line in (bs(f"U{k:05d}", first="240101", last="241231"), lo("LDSTOWN", "0700"), lt(f"{code}TOWN", "0730"))
    ]
    with zipfile.ZipFile(root / "inputs" / "feed.zip", "w") as feed:
        feed.writestr("RJTTF001.MSN", "\n".join(stations) + "\n")
        feed.writestr("RJTTF001.MCA", "\n".join([header, *trains, "ZZ".ljust(80)]) + "\n")
    inputs = read_inputs(root, read_settings(root / "region.toml"))
    added = inputs.stations.loc[NEW]
    at = list(places).index(NEW)
    assert added["name"] == places[NEW][0]
    assert abs(added["easting_m"] - easting_m[at]) <= 50
    assert abs(added["northing_m"] - northing_m[at]) <= 50
    assert inputs.timetable.caveats[0].startswith("the week of 2024-05-06 holds a bank holiday")
    assert f"{places[NEW][0]} ({NEW})" in inputs.feed_notes[0]


def test_a_week_that_the_feed_does_not_hold_ends_the_run_with_the_nearest_it_has(tmp_path):
    root = tmp_path / "w"
    lay(root, with_places=True)
    text = (root / "region.toml").read_text(encoding="utf-8").replace("2024-05-06", "2027-05-03")
    (root / "region.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"Set inputs\.timetable_week_start_on to 2024-12-23, the nearest week it"):
        read_inputs(root, read_settings(root / "region.toml"))
