"""Stations, passengers and towns."""

import pandas as pd
import pytest
from shapely.geometry import box

from geo.errors import InputError, UsageError
from geo.sources.passenger_flows import read_passenger_flows, read_station_usage
from geo.sources.places import name_key, read_places, read_towns, tell_apart
from geo.sources.stations import read_stations

AROUND_YORK = box(440_000, 440_000, 480_000, 480_000)
STATIONS = (
    "stationName,lat,long,crsCode\n"
    "York,53.958,-1.093,YRK\nLeeds,53.795,-1.548,lds\nBad code,53.9,-1.5,Y1K\nNowhere,,,NWH\n,53.9,-1.5,ABC\n"
    "Twice,53.9,-1.5,TWO\nTwice,53.8,-1.5,TWO\nAt sea,53.9,1.5,SEA\n"
)


def write(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text)
    return path


def test_stations_have_one_code_one_place_and_a_side(tmp_path):
    reading = read_stations(write(tmp_path, STATIONS), force_area=AROUND_YORK)
    assert reading.table.index.tolist() == ["LDS", "YRK"]
    assert reading.table["is_in_force"].tolist() == [False, True]
    assert reading.quarantine["reason"].tolist() == [
        "no_crs_code",
        "no_position",
        "no_name",
        "repeated_crs_code",
        "repeated_crs_code",
        "offshore_east",
    ]
    everywhere = read_stations(write(tmp_path, STATIONS), force_area=None)
    assert everywhere.table["is_in_force"].all()


def test_pairs_are_ordered_and_checked(tmp_path):
    text = (
        "origin_crs,dest_crs,journeys\n"
        "YRK,LDS,10\nLDS,YRK,10\nYRK,ZZZ,3\nYRK,y,1\nHGT,YRK,many\nHGT,LDS,-1\nSCA,YRK,5\nSCA,YRK,6\n"
    )
    reading = read_passenger_flows(write(tmp_path, text), station_ids=["YRK", "LDS", "HGT", "SCA"])
    assert reading.table.index.tolist() == ["LDS-YRK", "YRK-LDS"]
    assert reading.table["n_journeys_per_year"].tolist() == [10, 10]
    assert reading.accounts[0].n_by_reason == (
        ("out_of_scope", "unknown_station", 1),
        ("quarantined", "negative_count", 1),
        ("quarantined", "no_crs_code", 1),
        ("quarantined", "not_a_number", 1),
        ("quarantined", "repeated_pair", 2),
    )
    assert len(read_passenger_flows(write(tmp_path, text)).table) == 3


def test_usage_is_of_one_year(tmp_path):
    text = (
        "TLC,year,Total,Changes\nYRK,2020,5,1\nYRK,2021,9,2\nLDS,2021,8,\nHGT,2021,x,1\nQQQ,2021,1,1\nSKI,20x1,1,1\n"
        "SCA,2021,1,1\nSCA,2021,2,1\n"
    )
    known = ["YRK", "LDS", "HGT", "SKI", "SCA"]
    reading = read_station_usage(write(tmp_path, text), station_ids=known)
    assert reading.table["n_entries_exits_per_year"].to_dict() == {"LDS": 8, "YRK": 9}
    assert reading.table["n_interchanges_per_year"].isna().to_dict() == {"LDS": True, "YRK": False}
    assert {reason: n for _, reason, n in reading.accounts[0].n_by_reason} == {
        "other_year": 1,
        "unknown_station": 1,
        "not_a_number": 1,
        "unreadable_year": 1,
        "repeated_crs_code": 2,
    }
    earlier = read_station_usage(write(tmp_path, text), year=2020)
    assert earlier.table["n_entries_exits_per_year"].tolist() == [5]
    assert "2020" in earlier.table["usage_basis"].iloc[0]
    with pytest.raises(InputError, match="no row is of year 1999, expected at least one"):
        read_station_usage(write(tmp_path, text), year=1999)


def test_a_users_towns_take_degrees_or_metres(tmp_path):
    degrees = "name,lon,lat,population\nYork,-1.083,53.958,141685\nLeeds,-1.549,53.8,536280\n"
    metres = "town,e,n,people\nYork,460300,451700,141685\n"
    first = read_places(write(tmp_path, degrees), force_area=AROUND_YORK).table
    second = read_places(
        write(tmp_path, metres),
        force_area=AROUND_YORK,
        name_column="town",
        x_column="e",
        y_column="n",
        population_column="people",
        crs="EPSG:27700",
    ).table
    assert first["is_in_force"].to_dict() == {"leeds": False, "york": True}
    assert first.loc["york", "easting_m"] == pytest.approx(second.loc["york", "easting_m"], abs=200)


def test_towns_of_one_name_need_ids(tmp_path):
    text = (
        "name,lon,lat,population,id\nNewport,-1.7,53.76,1,a\nnewport,-1.8,53.7,2,b\nYork,-1.083,53.958,,c\n,-1,53,1,d\n"
    )
    by_name = read_places(write(tmp_path, text), force_area=None)
    assert len(by_name.table) == 0
    assert by_name.quarantine["reason"].tolist() == ["repeated_id", "repeated_id", "no_population", "no_name"]
    by_id = read_places(write(tmp_path, text), force_area=None, id_column="id")
    assert by_id.table.index.tolist() == ["a", "b"]


def test_towns_of_one_name_are_told_apart(tmp_path):
    text = (
        "id,name,lon,lat,population\na,Norton,-0.79,54.13,7000\nb,Norton,-1.16,53.63,5000\nc,Malton,-0.80,54.14,5000\n"
        "d,Doncaster,-1.13,53.52,90000\n"
    )
    places = read_places(write(tmp_path, text), force_area=None, id_column="id").table
    told = tell_apart(places)
    assert told["name"].tolist() == ["Norton (near Malton)", "Norton (near Doncaster)", "Malton", "Doncaster"]
    assert places["name"].tolist()[:2] == ["Norton", "Norton"]
    # A namesake in another force is no matter.
    assert tell_apart(places.assign(is_in_force=places.index != "b"))["name"].tolist()[:2] == ["Norton", "Norton"]
    # Where no other town tells them apart, the id does.
    alone = tell_apart(places.loc[["a", "b"]].assign(population=5000))
    assert alone["name"].tolist() == ["Norton (a)", "Norton (b)"]


def test_only_census_populations_of_the_derived_list_count(tmp_path):
    text = (
        "geonameid,name,latitude,longitude,geonames_pop,bua_pop_2021\n"
        "1,York,53.958,-1.083,150000,141685.0\n2,Ingleby Greenhow,54.45,-1.1,14608,\nx,Odd,54.45,-1.1,1,5\n"
    )
    reading = read_towns(write(tmp_path, text), force_area=None)
    assert reading.table["population"].to_dict() == {"GN1": 141_685}
    assert reading.accounts[0].n_by_reason == (
        ("out_of_scope", "no_census_population", 1),
        ("quarantined", "no_id", 1),
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Stockton-on-Tees", "stockton on tees"),
        ("Saint Ives", "St. Ives (Cornwall)"),
        ("King's Lynn", "KINGS LYNN"),
        ("Brighton & Hove", "Brighton and Hove"),
        ("Y Bermo / Barmouth", "Y Bermo-Barmouth"),
    ],
)
def test_spellings_of_one_name_share_a_key(one, other):
    assert name_key(one) == name_key(other)


def test_different_names_keep_different_keys():
    assert len({name_key(name) for name in ("York", "New York", "Acomb (York)", "Yorkley")}) == 4


FACTS = (
    "Halte,CRS,Laenge,Breite,Tore,Personal\n"
    "York,YRK,-1.093,53.958,Yes,MON-SAT 5:00-23:59\nLeeds,LDS,-1.548,53.795,,\nHalt,HLT,-1.5,53.9,no,none\n"
    "Odd,ODD,-1.5,53.9,maybe,\nLate,LTE,-1.5,53.9,no,all day\n"
)
NAMED = {
    "code": "CRS",
    "name": "Halte",
    "x": "Laenge",
    "y": "Breite",
    "has_gates": "Tore",
    "staffed_hours": "Personal",
}


def test_what_a_station_list_does_not_say_is_not_known(tmp_path):
    table = read_stations(write(tmp_path, FACTS), force_area=None, columns=NAMED).table
    assert table["has_gates"].dropna().to_dict() == {"HLT": False, "YRK": True}
    assert table["staffed_hours"].dropna().to_dict() == {"HLT": "none", "YRK": "mon-sat 05:00-23:59"}
    assert "LDS" in table.index
    without = read_stations(write(tmp_path, STATIONS), force_area=None).table
    assert without[["has_gates", "staffed_hours"]].isna().all(axis=None)


def test_a_fact_that_cannot_be_read_is_set_aside_with_its_row_and_field(tmp_path):
    reading = read_stations(write(tmp_path, FACTS), force_area=None, columns=NAMED)
    columns = ["source_row", "reason", "field", "value"]
    assert reading.quarantine[columns].to_numpy().tolist() == [
        [5, "bad_has_gates", "has_gates", "maybe"],
        [6, "bad_staffed_hours", "staffed_hours", "all day"],
    ]


def test_a_mapping_of_an_unknown_field_of_a_station_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"stations: column mapping names 'gates', expected one of .*has_gates"):
        read_stations(write(tmp_path, STATIONS), force_area=None, columns={"gates": "Tore"})


def test_a_station_listed_twice_is_one_and_a_code_at_two_places_is_named(tmp_path):
    rows = [
        *("York,53.958,-1.093,YRK", "York,53.958,-1.093,YRK", "York Station,53.9583,-1.0932,yrk", "York,53.96,-1.0,"),
        *("Leeds,53.795,-1.548,LDS", "Hull,53.744,-0.345,HUL", "Hull,53.80,-0.345,HUL"),
    ]
    found = []
    for ordered in (rows, rows[::-1]):
        reading = read_stations(write(tmp_path, "\n".join(["stationName,lat,long,crsCode", *ordered])), force_area=None)
        found.append(reading.table)
        assert reading.accounts[0].n_by_reason == (
            ("duplicate", "same_station_again", 2),
            ("quarantined", "no_crs_code", 1),
            ("quarantined", "repeated_crs_code", 2),
        )
        names, apart = reading.accounts[0].warnings
        assert names == "code YRK is listed under 2 names at one place; 'York' is used."
        assert apart.startswith("code HUL stands at places over 100 m apart")
    pd.testing.assert_frame_equal(*found)
    assert found[0]["name"].to_dict() == {"LDS": "Leeds", "YRK": "York"}


@pytest.mark.parametrize(
    ("text", "is_year"),
    [
        *((text, True) for text in ("2021", "2021-22", "2021/22", "2021-2022", "2021/2022", "2021 to 2022", "2021.0")),
        *((text, True) for text in ("Apr 2021 to Mar 2022", "April 2021 - March 2022", "APR 2021 TO MAR 2022")),
        *((text, False) for text in ("2021-23", "21-22", "2021-22-23", "20210401", "Jan 2021", "")),
    ],
)
def test_a_financial_year_is_that_of_its_first_calendar_year(tmp_path, text, is_year):
    path = write(tmp_path, f"TLC,year,Total,Changes\nYRK,{text},100,5\n")
    if is_year:
        reading = read_station_usage(path)
        assert reading.table.loc["YRK", "usage_basis"] == "ORR station usage, year from April 2021"
        assert len(read_station_usage(path, year=2021).table) == 1
    else:
        with pytest.raises(InputError, match=r"are 'unreadable_year', .* no years such as 2021, 2021-22") as caught:
            read_station_usage(path)
        assert f"where 'year' is {text!r}." in str(caught.value)


def test_counts_given_twice_are_one_and_of_several_years_none(tmp_path):
    flows = "origin_crs,dest_crs,journeys\nYRK,LDS,10\nYRK,LDS,10\nLDS,YRK,9\n"
    reading = read_passenger_flows(write(tmp_path, flows))
    assert reading.table["n_journeys_per_year"].to_dict() == {"LDS-YRK": 9, "YRK-LDS": 10}
    assert reading.accounts[0].n_by_reason == (("duplicate", "same_row_again", 1),)
    with pytest.raises(InputError, match=r"'repeated_pair', .* several counts of a pair, as of several years"):
        read_passenger_flows(write(tmp_path, "origin_crs,dest_crs,journeys\nYRK,LDS,10\nYRK,LDS,11\n"))
    usage = read_station_usage(write(tmp_path, "TLC,year,Total,Changes\nYRK,2021,9,\nYRK,2021,9,\n"))
    assert usage.table["n_entries_exits_per_year"].to_dict() == {"YRK": 9}


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (read_stations, "stationName,lat,long,crsCode\nYork,53.958,-1.093,7001\n", "Map code to the column that holds"),
        (read_stations, "stationName,lat,long,crsCode\nYork,,,YRK\n", "columns of the position are blank. Map x and y"),
        (read_places, "name,lon,lat,population\nYork,-1.083,53.958,many\n", "'no_population', .* no plain numbers"),
        (read_towns, "geonameid,name,latitude,longitude,bua_pop_2021\nx,York,53.9,-1.1,5\n", "no GeoNames numbers"),
    ],
)
def test_a_list_of_which_most_rows_share_a_fault_is_refused_with_the_cause(tmp_path, read, text, words):
    with pytest.raises(InputError, match=words):
        read(write(tmp_path, text), force_area=None)


def test_a_station_that_is_lost_with_its_row_is_named(tmp_path):
    """Swapped coordinates of one row in a long list: without its name nobody would miss the station."""
    path = tmp_path / "stations.csv"
    rows = [f"S{k},AA{chr(65 + k)},{53.9 + k / 100},-1.1" for k in range(20)]
    path.write_text("\n".join(["stationName,crsCode,lat,long", *rows, "Lost,HGT,-1.5377,53.9932"]) + "\n")
    (account,) = read_stations(path, force_area=None).accounts
    assert "1 stations are lost with their rows: HGT." in account.warnings
