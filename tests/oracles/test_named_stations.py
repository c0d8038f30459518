"""The list of stations that public reports name: real codes, allowed words, no row twice."""

import csv
from collections import Counter
from urllib.parse import urlsplit

import pandas as pd
import pytest

from benchmarks.named_stations import NAMED, read_named

COLUMNS = ["crs", "station", "role", "kind", "year", "source_title", "source_url"]
ROLES = {"arrest", "operation", "seizure", "safeguarding", "on_train_to"}
KINDS = {"operation", "case"}


@pytest.fixture(scope="module")
def rows():
    with NAMED.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        found = list(reader)
    assert reader.fieldnames == COLUMNS
    assert found
    return found


@pytest.fixture(scope="module")
def names(real_data):
    """Name of each station by its code."""
    listed = pd.read_csv(real_data / "rail" / "stations_npm_1.11.1.csv", encoding="utf-8-sig", keep_default_na=False)
    return dict(zip(listed["crsCode"], listed["stationName"], strict=True))


def test_every_code_is_a_station_and_has_its_name(rows, names):
    assert {(row["crs"], row["station"]) for row in rows} <= set(names.items())


def test_roles_kinds_and_years_are_of_the_allowed_ones(rows):
    assert {row["role"] for row in rows} <= ROLES
    assert {row["kind"] for row in rows} <= KINDS
    assert all(row["year"] == "" or 2008 <= int(row["year"]) <= 2026 for row in rows)


def test_a_station_has_one_row_for_each_source(rows):
    times = Counter((row["crs"], row["source_url"]) for row in rows)
    assert [pair for pair, n in times.items() if n > 1] == []


def test_every_source_has_a_title_and_a_web_address(rows):
    for row in rows:
        address = urlsplit(row["source_url"])
        assert address.scheme in {"http", "https"}, row
        assert "." in address.netloc, row
        assert row["source_title"].strip(), row
    titles = {(row["source_url"], row["source_title"], row["year"]) for row in rows}
    assert len(titles) == len({row["source_url"] for row in rows})


def test_a_train_on_its_way_names_no_station(rows, names):
    named = set(read_named(NAMED, pd.Index(sorted(names))))
    there = {row["crs"] for row in rows if row["role"] != "on_train_to"}
    assert named == there


def test_an_unknown_code_is_refused(rows, names):
    first = next(row["crs"] for row in rows if row["role"] != "on_train_to")
    with pytest.raises(ValueError, match=first):
        read_named(NAMED, pd.Index(sorted(names)).drop(first))
