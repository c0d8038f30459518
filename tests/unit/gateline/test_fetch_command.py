"""`gateline fetch` against servers on this machine: what it puts where, what it tells, and what it refuses."""

import hashlib
import io
import json
import re
import threading
import zipfile
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from typer.testing import CliRunner

import gateline.cli
from gateline.audit import verify_log
from gateline.pipeline.fetching import fetch_inputs
from gateline.settings import Settings, write_settings_template
from geo.errors import UsageError
from geo.sources.osm import read_osm
from geo.sources.osm_fetch import FetchPolicy
from geo.sources.police_fetch import ArchivePolicy
from geo.sources.stations import read_stations

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
TODAY = date(2026, 3, 1)
BOUNDS = (325_000.0, 181_000.0, 338_000.0, 189_000.0)


def archive():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as held:
        for month in ("2025-01", "2025-03"):
            held.writestr(f"{month}/{month}-gwent-street.csv", f"Month\n{month}\n")
    return content.getvalue()


def overpass():
    nodes = [{"type": "node", "id": i, "lon": -3.0 + i / 1000, "lat": 51.59} for i in (1, 2, 3)]
    nodes[1]["tags"] = {"railway": "station", "name": "Newport", "ref:crs": "NWP"}
    ways = [
        {"type": "way", "id": 10, "nodes": [1, 2, 3], "tags": {"highway": "residential"}},
        {"type": "way", "id": 11, "nodes": [1, 2, 3], "tags": {"railway": "rail"}},
    ]
    return json.dumps({"osm3s": {"timestamp_osm_base": "2026-02-20T00:00:00Z"}, "elements": [*nodes, *ways]}).encode()


@contextmanager
def servers():
    """One server that answers as both sites do, and what it was asked."""
    asked, zipped = [], archive()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            start, last = (int(v) for v in re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
            part = zipped[start : last + 1]
            self.answer(206, part, {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(zipped)}"})

        def do_POST(self):
            query = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked.append(query["data"][0])
            self.answer(200, overpass(), {})

        def answer(self, status, content, headers):
            self.send_response(status)
            for key, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_workspace(root, url, **changes):
    document = {
        "fetch": {
            "osm": True,
            "osm_endpoint": f"{url}/api/interpreter",
            "bounds_m": BOUNDS,
            "police_force": "gwent",
            "police_endpoint": f"{url}/archive",
        },
        "offences": {"first_month": "2025-01", "last_month": "2025-03"},
    }
    for section, values in changes.items():
        document[section] = document.get(section, {}) | values
    root.mkdir(exist_ok=True)
    settings = Settings.model_validate(document)
    (root / "region.toml").write_text(write_settings_template(settings), encoding="utf-8")
    return root


def fetch(root, url):
    quick = {"pause_s": 0.0, "wait_s": 0.01, "tile_m": 10_000}
    return fetch_inputs(
        root,
        today=TODAY,
        osm_policy=FetchPolicy(endpoint=f"{url}/api/interpreter", **quick),
        police_policy=ArchivePolicy(endpoint=f"{url}/archive", wait_s=0.01),
    )


def test_every_file_is_where_its_setting_can_name_it_with_its_hash(tmp_path):
    with servers() as (url, _):
        files, notes = fetch(make_workspace(tmp_path, url), url)
    assert [(f.role, f.path) for f in files] == [
        ("offences", "inputs/offences/2025-01-gwent-street.csv"),
        ("offences", "inputs/offences/2025-03-gwent-street.csv"),
        ("rail_track", "inputs/osm/osm-merged.json"),
        ("roads", "inputs/osm/osm-merged.json"),
        ("stations", "inputs/osm/stations.csv"),
    ]
    for file in files:
        assert hashlib.sha256((tmp_path / file.path).read_bytes()).hexdigest() == file.sha256
    assert notes == ["offences: gwent has no file for 2025-02 in the archive"]
    assert files[2].source == "OpenStreetMap contributors, ODbL 1.0, data of 2026-02-20"


def test_what_is_fetched_is_what_the_readers_read(tmp_path):
    with servers() as (url, _):
        fetch(make_workspace(tmp_path, url), url)
    extract = read_osm(tmp_path / "inputs" / "osm" / "osm-merged.json").table
    assert (len(extract.ways.way_id), len(extract.rail_track)) == (1, 1)
    stations = read_stations(tmp_path / "inputs" / "osm" / "stations.csv", force_area=None).table
    assert stations["name"].to_dict() == {"NWP": "Newport"}
    assert stations["easting_m"].iloc[0] == pytest.approx(extract.stations["easting_m"].iloc[0], abs=0.2)


def test_a_second_fetch_asks_for_nothing_but_what_was_missing(tmp_path):
    with servers() as (url, asked):
        root = make_workspace(tmp_path, url)
        first, _ = fetch(root, url)
        asked.clear()
        second, _ = fetch(root, url)
    assert first == second
    # 2025-02 is not in the archive: its end is looked at again, and no tile is.
    assert set(asked) == {"/archive/2025-03.zip"}


def test_the_audit_log_tells_what_was_collected(tmp_path):
    with servers() as (url, _):
        files, _ = fetch(make_workspace(tmp_path, url), url)
    assert verify_log(tmp_path / "audit.jsonl") == 1
    event = json.loads((tmp_path / "audit.jsonl").read_text())
    assert event["event"] == "collect"
    assert {entry["sha256"] for entry in event["inputs"]} == {file.sha256 for file in files}


def test_the_area_is_that_of_the_boundary_with_a_margin(tmp_path):
    ring = [[-3.05, 51.55], [-2.95, 51.55], [-2.95, 51.6], [-3.05, 51.6], [-3.05, 51.55]]
    feature = {
        "type": "Feature",
        "properties": {"boundary_code": "W1", "name": "Here"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    with servers() as (url, asked):
        root = make_workspace(
            tmp_path,
            url,
            fetch={"bounds_m": None, "police_force": "", "margin_km": 5.0},
            inputs={"boundary": "inputs/boundary.geojson"},
        )
        (root / "inputs").mkdir()
        collection = {"type": "FeatureCollection", "features": [feature]}
        (root / "inputs" / "boundary.geojson").write_text(json.dumps(collection))
        fetch(root, url)
    boxes = [[float(v) for v in query.split("(")[2].split(")")[0].split(",")] for query in asked]
    south, west = min(b[0] for b in boxes), min(b[1] for b in boxes)
    north, east = max(b[2] for b in boxes), max(b[3] for b in boxes)
    assert south < 51.505
    assert north > 51.645
    assert west < -3.12
    assert east > -2.88


def test_nothing_asked_for_is_refused(tmp_path):
    root = make_workspace(tmp_path, "http://127.0.0.1:9", fetch={"osm": False, "police_force": ""})
    with pytest.raises(UsageError, match=r"\[fetch\] asks for nothing, expected police_force or osm = true"):
        fetch_inputs(root, today=TODAY)


def test_offences_need_their_months(tmp_path):
    root = make_workspace(tmp_path, "http://127.0.0.1:9", offences={"last_month": None})
    with pytest.raises(UsageError, match="offences are asked for from 2025-01 to None, expected a first and a last"):
        fetch_inputs(root, today=TODAY)


def test_an_area_must_be_known(tmp_path):
    root = make_workspace(tmp_path, "http://127.0.0.1:9", fetch={"police_force": "", "bounds_m": None})
    with pytest.raises(UsageError, match=r"no area to fetch is known, expected fetch\.bounds_m or inputs\.boundary"):
        fetch_inputs(root, today=TODAY)


def test_the_command_prints_the_lines_for_the_settings(tmp_path):
    with servers() as (url, _):
        root = make_workspace(tmp_path, url, fetch={"bounds_m": (330_000.0, 181_000.0, 331_000.0, 182_000.0)})
        result = CliRunner().invoke(gateline.cli.app, ["fetch", str(root)])
        document = CliRunner().invoke(gateline.cli.app, ["fetch", str(root), "--json"])
    assert result.exit_code == 0, result.output
    for line in ('offences = ["inputs/offences"]', 'roads = "inputs/osm/osm-merged.json"', "note: offences: gwent has"):
        assert line in result.output
    assert "OpenStreetMap: 1 of 1" in result.output
    assert len(json.loads(document.stdout)["files"]) == 5
