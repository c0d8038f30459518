"""Fetching against an Overpass-like server on this machine that answers from a file, or not at all."""

import json
import threading
import time
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from geo.errors import ResourceError, UsageError
from geo.sources.osm import read_osm
from geo.sources.osm_fetch import FetchPolicy, fetch_osm, plan_tiles
from geo.sources.osm_guard import hash_file

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
BOUNDS = (325_000, 181_000, 338_000, 189_000)
TODAY = date(2026, 3, 1)


def answer(number=1, when="2026-02-20"):
    nodes = [{"type": "node", "id": i, "lon": -3.0 + i / 1000, "lat": 51.59} for i in (1, 2, 3)]
    street = {"type": "way", "id": 10 + number, "nodes": [1, 2, 3], "tags": {"highway": "residential"}}
    return json.dumps({"osm3s": {"timestamp_osm_base": f"{when}T00:00:00Z"}, "elements": [*nodes, street]}).encode()


@contextmanager
def server_of(*answers):
    """A server that gives each of the answers in turn, then the last for ever; and the questions it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, content, headers = answers[min(len(asked), len(answers) - 1)]
            asked.append((parse_qs(body.decode())["data"][0], self.headers["User-Agent"], time.monotonic()))
            if status is None:
                time.sleep(content)
                return
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
        yield f"http://127.0.0.1:{server.server_address[1]}/api/interpreter", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def policy_of(endpoint, **more):
    return FetchPolicy(
        **{
            "endpoint": endpoint,
            "pause_s": 0.0,
            "wait_s": 0.01,
            "timeout_s": 5.0,
            "n_tries": 3,
            "tile_m": 10_000,
            **more,
        }
    )


def ok(content=None, **headers):
    return 200, content or answer(), headers


def test_tiles_lie_on_a_fixed_grid_and_cover_the_region():
    assert plan_tiles(BOUNDS, tile_m=10_000) == [(320_000, 180_000), (330_000, 180_000)]
    assert plan_tiles((10, 10, 20, 20), tile_m=10) == [(10, 10)]


def test_a_region_is_fetched_merged_dated_and_read(tmp_path):
    done = []
    with server_of(ok(answer(1)), ok(answer(2, when="2026-02-01"))) as (endpoint, asked):
        fetched = fetch_osm(
            BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY, on_tile=lambda *n: done.append(n)
        )
    assert (fetched.n_tiles, fetched.n_downloaded, done) == (2, 2, [(1, 2), (2, 2)])
    assert fetched.dated_on == date(2026, 2, 1)
    assert fetched.sha256 == hash_file(fetched.path)
    extract = read_osm(fetched.path).table
    assert list(extract.ways.way_id) == [11, 12]
    assert extract.dated_on == date(2026, 2, 1)
    assert all("gateline" in agent for _, agent, _ in asked)


def test_the_question_covers_the_tile(tmp_path):
    with server_of(ok()) as (endpoint, asked):
        fetch_osm((320_001, 180_001, 320_002, 180_002), tmp_path, policy=policy_of(endpoint), today=TODAY)
    south, west, north, east = (float(v) for v in asked[0][0].split("(")[2].split(")")[0].split(","))
    assert 0.08 < north - south < 0.1
    assert 0.13 < east - west < 0.16
    assert south < 51.52 < north
    assert west < -3.1 < east


def test_what_is_cached_is_not_asked_for_again_and_gives_the_same_bytes(tmp_path):
    with server_of(ok(answer(1)), ok(answer(2))) as (endpoint, asked):
        first = fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
        second = fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    assert len(asked) == 2
    assert second.n_downloaded == 0
    assert first.sha256 == second.sha256


def test_a_fetch_that_broke_off_resumes_where_it_stopped(tmp_path):
    with server_of(ok(answer(1)), (500, b"", {})) as (endpoint, _), pytest.raises(UsageError, match="HTTP 500"):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    with server_of(ok(answer(2))) as (endpoint, asked):
        fetched = fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    assert (len(asked), fetched.n_downloaded) == (1, 1)
    assert list(read_osm(fetched.path).table.ways.way_id) == [11, 12]


@pytest.mark.parametrize("spoil", ["edit", "delete", "manifest"])
def test_a_tile_that_is_not_what_its_hash_says_is_fetched_again(tmp_path, spoil):
    with server_of(ok()) as (endpoint, asked):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
        tile = tmp_path / "osm-320000-180000-10000.json"
        if spoil == "edit":
            tile.write_bytes(tile.read_bytes()[:-5])
        elif spoil == "delete":
            tile.unlink()
        else:
            (tmp_path / "osm-tiles.json").write_text("{")
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    assert len(asked) == (4 if spoil == "manifest" else 3)


def test_an_old_tile_is_fetched_again(tmp_path):
    with server_of(ok(answer(when="2025-01-01")), ok(answer(when="2025-01-01")), ok()) as (endpoint, asked):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=date(2025, 1, 2))
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    assert len(asked) == 4


@pytest.mark.parametrize("busy", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(tmp_path, busy):
    with server_of((busy, b"busy", {}), ok()) as (endpoint, asked):
        fetched = fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    assert (len(asked), fetched.n_downloaded) == (3, 2)


def test_the_wait_that_a_server_asks_for_is_kept(tmp_path):
    with server_of((429, b"", {"Retry-After": "1"}), ok()) as (endpoint, asked):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    assert asked[1][2] - asked[0][2] >= 1.0


def test_questions_are_not_asked_without_a_pause(tmp_path):
    with server_of(ok()) as (endpoint, asked):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint, pause_s=0.2), today=TODAY)
    assert asked[1][2] - asked[0][2] >= 0.2


@pytest.mark.parametrize(
    ("given", "message", "n_asked"),
    [
        ((429, b"", {}), r"could not be fetched \(HTTP 429\) in 3 tries, expected an Overpass answer", 3),
        ((400, b"", {}), r"could not be fetched \(HTTP 400\) in 1 tries", 1),
        ((200, b"<html>busy</html>", {}), r"\(the answer is not JSON\) in 3 tries", 3),
        ((200, b"[]", {}), r"\(the answer has no list of elements\)", 3),
        ((200, b'{"elements": []}', {}), r"\(the answer does not state the date of its data\)", 3),
        (
            (200, b'{"elements": [], "remark": "runtime error: out of memory"}', {}),
            r"\(runtime error: out of memory\)",
            3,
        ),
        ((200, answer()[:40], {"Content-Length": "4000"}), r"could not be fetched \(", 3),
    ],
)
def test_answers_that_cannot_be_used_are_refused_within_the_tries(tmp_path, given, message, n_asked):
    with server_of(given) as (endpoint, asked), pytest.raises(UsageError, match=message):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)
    assert len(asked) == n_asked
    assert not list(tmp_path.glob("osm-3*.json"))


def test_a_server_that_does_not_answer_in_time_is_given_up(tmp_path):
    with server_of((None, 0.4, {})) as (endpoint, _), pytest.raises(UsageError, match=r"timed out|closed connection"):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint, timeout_s=0.1, n_tries=1), today=TODAY)


def test_no_server_at_all_is_said_plainly(tmp_path):
    with server_of(ok()) as (endpoint, _):
        pass
    with pytest.raises(
        UsageError, match=r"could not be fetched .*refused.* in 3 tries.*the tiles that are done are kept"
    ):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)


def test_an_answer_beyond_bounds_is_refused(tmp_path):
    with (
        server_of(ok()) as (endpoint, _),
        pytest.raises(ResourceError, match=r"the answer is larger than 100 bytes, expected less"),
    ):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint, max_bytes=100), today=TODAY)


@pytest.mark.parametrize("endpoint", ["http://example.org/api", "file:///etc/passwd", "ftp://127.0.0.1/"])
def test_an_address_that_is_not_encrypted_is_refused(tmp_path, endpoint):
    with pytest.raises(UsageError, match=r"endpoint: '.*' is not encrypted, expected an https address"):
        fetch_osm(BOUNDS, tmp_path, policy=policy_of(endpoint), today=TODAY)


def test_bounds_that_are_no_region_are_refused(tmp_path):
    with pytest.raises(
        UsageError, match=r"bounds_m: \(5, 0, 4, 1\) with tiles of 10 m is no region, expected west < east"
    ):
        plan_tiles((5, 0, 4, 1), tile_m=10)
