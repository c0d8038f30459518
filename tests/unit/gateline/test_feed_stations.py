"""Stations that the station list lacks: added where the feed says where they are, counted and named where not."""

import numpy as np
import pandas as pd
import pytest
import shapely

from gateline.pipeline.feed_stations import add_feed_stations
from geo.schema import empty
from geo.sources.accounting import RowAccount
from geo.sources.feed_stops import build_feed_stops, extend_near, no_feed_stops
from geo.sources.patterns import TimetableReading
from geo.tables import QUARANTINE, SERVICE_CALLS, SERVICE_DEPARTURES, STATIONS

BOUNDS = (400_000.0, 400_000.0, 500_000.0, 500_000.0)
FORCE = shapely.box(440_000, 440_000, 460_000, 460_000)
LISTED = pd.DataFrame(
    {
        "name": ["York", "Selby"],
        "easting_m": [450_000.0, 455_000.0],
        "northing_m": [450_000.0, 441_000.0],
        "is_in_force": [True, True],
        "has_gates": pd.array([True, None], dtype="boolean"),
        "staffed_hours": pd.Series(["none", None], dtype="str"),
    },
    index=pd.Index(["YRK", "SBY"], name="station_id", dtype="str"),
).sort_index()


def reading(stops, called):
    """A timetable whose trains call at some stations."""
    calls = pd.DataFrame(
        {
            "pattern_id": "P",
            "call_no": range(len(called)),
            "station_id": called,
            "arrival_min": np.arange(len(called), dtype=float),
            "departure_min": np.arange(len(called), dtype=float),
        },
        index=pd.Index([f"P:{k}" for k in range(len(called))], name=SERVICE_CALLS.index),
    )
    return TimetableReading(
        calls=calls,
        departures=empty(SERVICE_DEPARTURES),
        interchange_min=pd.Series(dtype=float),
        fixed_links=pd.DataFrame(),
        quarantine=empty(QUARANTINE),
        accounts=(RowAccount("feed.zip:trips.txt", "0", 0, 0),),
        n_trips_by_fate=(),
        stops=stops,
    )


def stops(**places):
    """Name and position by code."""
    names = [name for name, _, _ in places.values()]
    at = np.array([[x, y] for _, x, y in places.values()], dtype=float)
    return build_feed_stops(list(places), names, at[:, 0], at[:, 1])


HERE = stops(
    NEW=("New Park", 451_000, 451_000),
    OUT=("Out Town", 410_000, 410_000),
    FAR=("Far Away", 300_000, 300_000),
    NIL=("Nowhere", np.nan, np.nan),
    SBY=("Selby as the feed has it", 460_000, 460_000),
    IDL=("Idle", 452_000, 452_000),
)


def add(called=("YRK", "SBY", "NEW", "OUT", "FAR", "NIL", "QQQ"), table=HERE, **options):
    return add_feed_stations(LISTED, reading(table, list(called)), **{"bounds": BOUNDS, "force_area": FORCE, **options})


def test_stations_in_the_region_are_added_and_others_counted_and_named():
    found = add()
    table = found.reading.table
    assert found.added == ("NEW", "OUT")
    assert table.index.tolist() == ["NEW", "OUT", "SBY", "YRK"]
    assert table.loc[["NEW", "OUT"], "is_in_force"].tolist() == [True, False]
    assert table.loc["NEW", ["name", "easting_m", "northing_m"]].tolist() == ["New Park", 451_000.0, 451_000.0]
    (account,) = found.reading.accounts
    assert account.source_file == "feed.zip:stations not listed"
    assert (account.n_read, account.n_accepted) == (5, 2)
    assert account.n_by_reason == (("out_of_scope", "beyond_the_region", 1), ("out_of_scope", "no_position", 2))
    added, lost = found.notes
    assert added == (
        "2 stations come from the timetable, as the station list lacks them, with its position and no known "
        "passengers: New Park (NEW), Out Town (OUT)"
    )
    assert lost == (
        "trains call at 2 stations that the station list lacks and whose position the timetable does not say; these "
        "calls are left out: NIL, QQQ"
    )
    assert account.warnings == tuple(f"{note}." for note in found.notes)


def test_what_is_not_known_of_an_added_station_is_blank_and_listed_ones_stay_as_they_are():
    table = add().reading.table
    assert table.loc[["NEW", "OUT"], ["has_gates", "staffed_hours"]].isna().all().all()
    pd.testing.assert_frame_equal(table.loc[LISTED.index], LISTED)


def test_a_list_without_optional_facts_takes_stations_as_well():
    few = LISTED[["name", "easting_m", "northing_m", "is_in_force"]]
    table = add_feed_stations(few, reading(HERE, ["NEW"]), bounds=BOUNDS, force_area=FORCE).reading.table
    assert table.index.tolist() == ["NEW", "SBY", "YRK"]
    assert table["is_in_force"].dtype == bool


def test_an_empty_list_takes_stations():
    table = add_feed_stations(empty(STATIONS), reading(HERE, ["NEW"]), bounds=BOUNDS, force_area=None).reading.table
    assert table.index.tolist() == ["NEW"]


@pytest.mark.parametrize("called", [(), ("YRK", "SBY")])
def test_where_the_list_lacks_none_nothing_is_said(called):
    found = add(called)
    assert (found.added, found.notes, found.reading.accounts) == ((), (), ())
    pd.testing.assert_frame_equal(found.reading.table, LISTED)


def test_without_a_timetable_or_a_region_nothing_is_added():
    none = add_feed_stations(LISTED, None, bounds=BOUNDS, force_area=FORCE)
    assert none.reading.table is LISTED
    assert add(bounds=None).reading.table.index.tolist() == ["SBY", "YRK"]
    assert add(bounds=None).reading.accounts[0].n_by_reason[0] == ("out_of_scope", "beyond_the_region", 3)


@pytest.mark.parametrize("at", [(399_999, 450_000), (500_001, 450_000), (450_000, 399_999), (450_000, 500_001)])
def test_a_station_beyond_a_side_of_the_region_is_not_added(at):
    found = add(("NEW",), stops(NEW=("New Park", *at)))
    assert found.added == ()
    assert found.reading.accounts[0].n_by_reason == (("out_of_scope", "beyond_the_region", 1),)


def test_a_station_without_a_name_is_called_by_its_code():
    found = add(("NEW",), stops(NEW=("", 451_000, 451_000)))
    assert found.reading.table.loc["NEW", "name"] == "NEW"


def test_many_stations_are_named_in_part():
    many = stops(**{f"A{a}{b}": ("x", np.nan, np.nan) for a in "ABC" for b in "ABCDE"})
    assert add(tuple(many.index), many).notes[0].endswith("AAA, AAB, AAC, AAD, AAE, ABA, ABB, ABC, ABD, ABE and 5 more")


def test_a_station_of_several_stops_lies_where_the_first_that_says_so_lies():
    table = build_feed_stops(
        ["A", "A", "A"], ["one", "two", "three"], np.array([np.nan, 5e5, 6e5]), np.array([1.0, 2.0, 3.0])
    )
    assert table.loc["A"].tolist() == ["two", 5e5, 2.0]
    off = build_feed_stops(["A", "B"], ["", " b "], np.array([0.0, -1.0]), np.array([0.0, 5.0]))
    assert off[["easting_m", "northing_m"]].isna().all().all()
    assert off["name"].isna().tolist() == [True, False]


def test_stations_of_the_feed_in_the_region_are_near():
    assert extend_near({"YRK"}, HERE, BOUNDS) == {"YRK", "NEW", "OUT", "SBY", "IDL"}
    assert extend_near(None, HERE, BOUNDS) is None
    assert extend_near({"YRK"}, HERE, None) == {"YRK"}
    assert extend_near({"YRK"}, no_feed_stops(), BOUNDS) == {"YRK"}
