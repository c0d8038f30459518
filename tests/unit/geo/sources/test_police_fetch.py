"""Fetching months out of an archive by byte range, from a server on this machine."""

import io
import json
import re
import threading
import zipfile
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from geo.errors import ResourceError, UsageError
from geo.sources.police_fetch import ArchivePolicy, fetch_street_months, require_encrypted

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
MONTHS = ["2025-01", "2025-02"]
# Incompressible filler, so that the archive is larger than what is asked for.
FILLER = b"".join(sha256(str(k).encode()).digest() for k in range(130_000))


def body(month, force="gwent"):
    return f"Crime ID,Month\n{force},{month}\n".encode() * 50


def make_archive(months=MONTHS, force="gwent"):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as held:
        for month in months:
            held.writestr(f"{month}/{month}-{force}-street.csv", body(month, force))
            held.writestr(f"{month}/{month}-{force}-outcomes.csv", "x")
        held.writestr("filler.bin", FILLER)
        held.writestr("2025-02/2025-02-kent-street.csv", body("2025-02", "kent"))
    return archive.getvalue()


@contextmanager
def site(content, *, failures=(), serves_parts=True, redirect_to=None, versions=("v1",)):
    """A site that serves parts of one archive, after the failures; and the ranges it was asked for."""
    asked, left = [], list(failures)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers["Range"]))
            if redirect_to is not None and "moved" not in self.path:
                self.send_response(302)
                self.send_header("Location", redirect_to or f"{self.server.url}/moved.zip")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            failure = left.pop(0) if left else None
            if isinstance(failure, int):
                self.send_response(failure)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            start, last = (int(v) for v in re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
            last = min(last, len(content) - 1)
            part = content[start : last + 1] if serves_parts else content
            self.send_response(206 if serves_parts else 200)
            if serves_parts:
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
            self.send_header("ETag", versions[min(len(asked) - 1, len(versions) - 1)])
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(b"" if failure == "cut" else part)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.url, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def policy(url, **more):
    return ArchivePolicy(**{"endpoint": f"{url}/archive/", "wait_s": 0.01, "timeout_s": 5.0, "n_tries": 3, **more})


def test_months_of_one_force_come_out_of_the_archive_of_the_last(tmp_path):
    done = []
    with site(make_archive()) as (url, asked):
        got = fetch_street_months(
            "gwent", MONTHS[::-1], tmp_path, policy=policy(url), on_month=lambda *n: done.append(n)
        )
    assert [path.name for path in got.paths] == ["2025-01-gwent-street.csv", "2025-02-gwent-street.csv"]
    assert [path.read_bytes() for path in got.paths] == [body(month) for month in MONTHS]
    assert got.sha256 == tuple(sha256(body(month)).hexdigest() for month in MONTHS)
    assert (got.missing, got.n_downloaded, done) == ((), 2, [(1, 2), (2, 2)])
    assert {path for path, _ in asked} == {"/archive/2025-02.zip"}
    assert {path.name for path in tmp_path.iterdir()} == {*(p.name for p in got.paths), "police-months.json"}


def test_the_archive_is_never_fetched_whole(tmp_path):
    archive = make_archive()
    with site(archive) as (url, asked):
        fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
    spans = [tuple(int(v) for v in re.findall(r"\d+", span)) for _, span in asked]
    assert sum(last - first + 1 for first, last in spans) < 0.7 * len(archive)


def test_what_is_cached_is_not_asked_for_again(tmp_path):
    with site(make_archive()) as (url, _):
        first = fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
    with site(make_archive()) as (url, asked):
        again = fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
    assert asked == []
    assert (again.paths, again.sha256, again.n_downloaded) == (first.paths, first.sha256, 0)


def test_a_file_that_is_not_what_its_hash_says_is_fetched_again(tmp_path):
    with site(make_archive()) as (url, _):
        got = fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
        got.paths[0].write_text("altered")
        again = fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
    assert again.n_downloaded == 1
    assert got.paths[0].read_bytes() == body("2025-01")


def test_a_manifest_that_cannot_be_read_is_as_good_as_none(tmp_path):
    (tmp_path / "police-months.json").write_text("[")
    (tmp_path / "2025-01-gwent-street.csv").write_text("of unknown origin")
    with site(make_archive()) as (url, _):
        got = fetch_street_months("gwent", ["2025-01"], tmp_path, policy=policy(url))
    assert got.paths[0].read_bytes() == body("2025-01")
    assert json.loads((tmp_path / "police-months.json").read_text())["2025-01-gwent-street.csv"]["sha256"]


def test_a_month_that_the_archive_lacks_is_told(tmp_path):
    with site(make_archive()) as (url, _):
        got = fetch_street_months("kent", MONTHS, tmp_path, policy=policy(url))
    assert got.missing == ("2025-01",)
    assert [path.name for path in got.paths] == ["2025-02-kent-street.csv"]


def test_a_busy_site_and_a_broken_answer_are_asked_again(tmp_path):
    with site(make_archive(), failures=[503, None, "cut", 429, "cut"]) as (url, _):
        got = fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url, n_tries=4))
    assert got.n_downloaded == 2


def test_a_site_that_stays_busy_is_given_up_and_what_is_done_is_kept(tmp_path):
    with site(make_archive(), failures=[503] * 9) as (url, asked):
        with pytest.raises(UsageError, match=r"2025-02\.zip: cannot be fetched \(HTTP 503\) in 3 tries"):
            fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
        assert len(asked) == 3


def test_a_month_that_is_not_published_yet_is_refused_at_once(tmp_path):
    with site(make_archive(), failures=[404]) as (url, asked):
        with pytest.raises(UsageError, match=r"cannot be fetched \(HTTP 404\) in 1 tries"):
            fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
        assert len(asked) == 1


def test_a_server_without_byte_ranges_is_refused(tmp_path):
    with (
        site(make_archive(), serves_parts=False) as (url, _),
        pytest.raises(UsageError, match="does not serve parts of a file"),
    ):
        fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))


def test_an_archive_that_changes_while_it_is_read_is_refused(tmp_path):
    with (
        site(make_archive(), versions=("v1", "v2")) as (url, _),
        pytest.raises(UsageError, match="the archive changed while it was read"),
    ):
        fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))


def test_a_page_in_place_of_the_archive_is_refused(tmp_path):
    with site(b"<html>" * 100) as (url, _), pytest.raises(UsageError, match="the content is no zip"):
        fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))


def test_a_damaged_member_is_refused_and_not_kept(tmp_path):
    archive = bytearray(make_archive())
    at = archive.index(b"2025-01-gwent-street.csv") + len("2025-01-gwent-street.csv") + 12
    archive[at : at + 8] = b"\xff" * 8
    with site(bytes(archive)) as (url, _), pytest.raises(UsageError, match=r"2025-01-gwent-street\.csv is damaged"):
        fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
    assert list(tmp_path.iterdir()) == []


def test_a_member_larger_than_the_bound_is_refused(tmp_path):
    with (
        site(make_archive()) as (url, _),
        pytest.raises(ResourceError, match=r"unpacked, expected at most 10\. Check it"),
    ):
        fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url, max_bytes=10))


def test_the_site_may_keep_its_files_elsewhere(tmp_path):
    with site(make_archive(), redirect_to="") as (url, asked):
        got = fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))
    assert got.n_downloaded == 2
    assert "/moved.zip" in {path for path, _ in asked}


def test_but_not_at_an_address_that_is_not_encrypted(tmp_path):
    with (
        site(make_archive(), redirect_to="http://example.org/moved.zip") as (url, _),
        pytest.raises(UsageError, match=r"'http://example\.org/moved\.zip' is not encrypted"),
    ):
        fetch_street_months("gwent", MONTHS, tmp_path, policy=policy(url))


@pytest.mark.parametrize("url", ["http://data.police.uk/x", "ftp://127.0.0.1/x", "file:///etc/passwd"])
def test_an_address_must_be_encrypted(url):
    with pytest.raises(UsageError, match="is not encrypted, expected an https address"):
        require_encrypted(url)


@pytest.mark.parametrize("force", ["", "../gwent", "Gwent", "gwent/2"])
def test_a_force_that_is_no_file_name_is_refused(tmp_path, force):
    with pytest.raises(UsageError, match="is no name of the site's files"):
        fetch_street_months(force, MONTHS, tmp_path)


@pytest.mark.parametrize("months", [[], ["2025-13"], ["../2025-01"], ["2025-1"]])
def test_a_month_that_is_none_is_refused(tmp_path, months):
    with pytest.raises(UsageError, match="is no month, expected some as YYYY-MM"):
        fetch_street_months("gwent", months, tmp_path)
