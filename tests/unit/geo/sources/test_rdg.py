"""The Rail Delivery Group's zip: stations with and without change times, links by hour, trains entered by hand."""

import zipfile
from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.sources.cif import read_rdg
from geo.sources.rdg_links import choose_links, parse_fixed_links
from geo.sources.rdg_stations import parse_master_stations
from geo.sources.stations import read_stations
from tests.unit.geo.sources.cif_lines import A_TO_C, HEADER, MONDAY, bs, li, lo, lt

# Columns as in the published file: name, status, TIPLOC, minor code, CRS code, position and change time.
STATIONS = (
    "A TOWN,AAATOWN,AAA,14604 64517, 8",
    "B TOWN,BBBTOWN,BBB,14304E64553,10",
    "C TOWN,CCCTOWN,CCC,15038 64881, 5",
)


def msn(row):
    name, tiploc, code, position, change = row.split(",")
    minor = code if len(code) == 3 else code[3:]
    return f"A    {name:<30}0{tiploc:<7}{minor}   {code[:3]}{position}{change}".ljust(82)


def mca(*lines):
    return "\n".join([HEADER, *lines, "ZZ".ljust(80)]) + "\n"


def write(tmp_path, *, stations=STATIONS, **members):
    path = tmp_path / "feed.zip"
    text = {"MSN": "\n".join(map(msn, stations)) + "\n", "MCA": mca(bs(), *A_TO_C), **members}
    with zipfile.ZipFile(path, "w") as feed:
        for suffix, content in text.items():
            if content is not None:
                feed.writestr(f"RJTTF001.{suffix}", content)
    return path


def read(tmp_path, **members):
    reading = read_rdg(write(tmp_path, **members), week_start_on=MONDAY)
    for account in reading.accounts:
        assert account.n_read == account.n_accepted + sum(n for *_, n in account.n_by_reason)
    return reading


def account_of(reading, member):
    return next(a for a in reading.accounts if a.source_file.endswith(f":{member}"))


def times(reading) -> dict[tuple[str, str], float]:
    return reading.fixed_links.set_index(["from_station_id", "to_station_id"])["time_min"].to_dict()


def test_stations_have_names_positions_and_change_times(tmp_path):
    reading = read(tmp_path)
    assert reading.interchange_min.to_dict() == {"AAA": 8.0, "BBB": 10.0, "CCC": 5.0}
    assert reading.stops.loc["AAA"].tolist() == ["A TOWN", 460_400.0, 451_700.0]
    assert reading.stops.loc["BBB", ["easting_m", "northing_m"]].tolist() == [430_400.0, 455_300.0]


@pytest.mark.parametrize("change", ["", "  ", " "])
def test_a_station_without_a_change_time_is_one_with_the_default(tmp_path, change):
    reading = read(tmp_path, stations=(f"A TOWN,AAATOWN,AAA,14604 64517,{change}", *STATIONS[1:]))
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    assert "AAA" not in reading.interchange_min
    assert reading.quarantine.empty


def test_a_change_time_that_is_no_number_is_told_and_the_default_holds(tmp_path):
    reading = read(tmp_path, stations=("A TOWN,AAATOWN,AAA,14604 64517,X8", *STATIONS[1:]))
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    assert "AAA" not in reading.interchange_min
    told = ("1 change times are no numbers, so that the default holds: AAA.",)
    assert account_of(reading, "MSN").warnings == told


def test_a_station_without_a_code_or_a_place_of_its_own_is_at_fault(tmp_path):
    bad = ("D TOWN,DDD,A1A,14604 64517, 8", "E TOWN,,EEE,14604 64517, 8", *STATIONS)
    reading = read(tmp_path, stations=bad)
    assert account_of(reading, "MSN").n_by_reason == (("quarantined", "bad_station_record", 2),)
    assert reading.quarantine["value"].tolist() == ["D TOWN", "E TOWN"]


@pytest.mark.parametrize("position", ["           ", "00000 00000", "1460x 64517", "14604X64517"])
def test_a_station_without_a_position_is_still_one(tmp_path, position):
    reading = read(tmp_path, stations=(f"A TOWN,AAATOWN,AAA,{position}, 8", *STATIONS[1:]))
    assert reading.stops.loc["AAA", ["easting_m", "northing_m"]].isna().all()
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]


def test_a_station_of_two_records_has_the_place_of_the_one_that_has_it(tmp_path):
    rows = ("A TOWN LOW LEVEL,AAALL,AAAAAL,           , 9", *STATIONS)
    reading = read(tmp_path, stations=rows)
    assert reading.stops.loc["AAA", "easting_m"] == 460_400.0
    assert reading.interchange_min["AAA"] == 9.0


BY_HAND = mca(bs("Z00001"), lo("AAA----", "1200"), lt("BBB----", "1230"))


def test_trains_entered_by_hand_are_read_by_code(tmp_path):
    reading = read(tmp_path, ZTR=BY_HAND)
    assert reading.departures["n_departures"].sum() == 14
    assert set(reading.calls.groupby("pattern_id")["station_id"].agg("".join)) == {"AAABBBCCC", "AAABBB"}
    assert account_of(reading, "ZTR").n_accepted == 3


def test_trains_by_hand_may_call_by_a_stations_minor_code_or_one_that_no_record_has(tmp_path):
    hand = mca(bs("Z00001"), lo("AAL----", "1200"), li("QQQ----", "1205", "1206"), lt("BBB----", "1230"))
    rows = ("A TOWN LOW LEVEL,AAALL,AAAAAL,14604 64517, 9", *STATIONS)
    reading = read(tmp_path, stations=rows, ZTR=hand)
    assert "AAAQQQBBB" in set(reading.calls.groupby("pattern_id")["station_id"].agg("".join))


def test_a_train_by_hand_with_the_number_of_another_train_replaces_nothing(tmp_path):
    same = mca(bs("U00001", stp="O"), lo("AAA----", "1200"), lt("BBB----", "1230"), bs("U00001", stp="C"))
    reading = read(tmp_path, ZTR=same)
    assert reading.departures["n_departures"].sum() == 7
    assert set(reading.departures["hour_of_week"] % 24) == {8}


def test_trains_by_hand_that_were_cut_short_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"feed.zip:ZTR: its last record is 'LTBBB.*', expected the trailer 'ZZ'"):
        read(tmp_path, ZTR=BY_HAND.replace("ZZ", "").rstrip() + "\n")
    with pytest.raises(InputError, match=r"feed.zip:MCA: its last record is 'LTCCC.*', expected the trailer 'ZZ'"):
        read(tmp_path, MCA=mca(bs(), *A_TO_C).replace("ZZ", "").rstrip() + "\n")


@pytest.mark.parametrize("member", ["MSN", "FLF"])
def test_a_member_that_starts_and_does_not_end_is_refused(tmp_path, member):
    text = {"MSN": "\n".join(map(msn, STATIONS)), "FLF": "ADDITIONAL LINK: WALK BETWEEN AAA AND BBB IN   5 MINUTES"}[
        member
    ]
    whole = {member: f"/!! Start of file\n{text}\n/!! End of file (3 records)\n"}
    assert len(read(tmp_path, **whole).calls) == 3
    with pytest.raises(InputError, match=rf"feed.zip:{member}: its last line is '.*', expected '/!! End of file'"):
        read(tmp_path, **{member: f"/!! Start of file\n{text}\n"})


def test_members_that_are_not_used_are_counted(tmp_path):
    reading = read(tmp_path, SET="/!! Start\nUCFCATE\n", TSI="AAA,SE,SN,6,\n", REJ="")
    told = {a.source_file: (a.n_read, a.n_by_reason) for a in reading.accounts if "RJTTF" in a.source_file}
    assert told == {
        "feed.zip:RJTTF001.REJ": (0, ()),
        "feed.zip:RJTTF001.SET": (2, (("out_of_scope", "not_used", 2),)),
        "feed.zip:RJTTF001.TSI": (1, (("out_of_scope", "not_used", 1),)),
    }


@pytest.mark.parametrize("member", ["MCA", "MSN"])
def test_a_zip_without_trains_or_stations_is_refused(tmp_path, member):
    with pytest.raises(InputError, match=rf"feed.zip: no member ends in '.{member}', expected one"):
        read(tmp_path, **{member: None})


def test_a_week_starts_on_monday_and_lies_in_the_feed(tmp_path):
    with pytest.raises(UsageError, match="week_start_on: 2026-06-02 is not a Monday"):
        read_rdg(write(tmp_path), week_start_on=date(2026, 6, 2))
    with pytest.raises(
        InputError, match=r"feed.zip: the week of 2020-01-06 is outside the feed, which runs from 2026-06"
    ):
        read_rdg(write(tmp_path), week_start_on=date(2020, 1, 6))


def test_trains_at_a_station_of_the_region_that_no_list_has_are_near(tmp_path):
    far = mca(bs("U00001"), lo("BBBTOWN", "0830"), lt("CCCTOWN", "0855"), bs("U00002"), *A_TO_C)
    path = write(tmp_path, MCA=far)
    alone = read_rdg(path, week_start_on=MONDAY, near={"AAA"})
    assert dict(alone.n_trips_by_fate) == {"elsewhere": 1, "used": 1}
    box = (430_000.0, 455_000.0, 431_000.0, 456_000.0)
    both = read_rdg(path, week_start_on=MONDAY, near={"AAA"}, bounds=box)
    assert dict(both.n_trips_by_fate) == {"used": 2}


WALK = "M=WALK,O=AAA,D=BBB,T=45,S=0001,E=2359,P=4,R=1111111"


@pytest.mark.parametrize(
    ("quicker", "minutes"),
    [
        ("M=TUBE,O=AAA,D=BBB,T=10,S=0001,E=0500,P=4,F=01/01/2010,U=02/01/2010,R=0000001", 45.0),
        ("M=TUBE,O=AAA,D=BBB,T=10,S=0001,E=2359,P=4,F=01/01/2010,U=31/05/2026,R=1111111", 45.0),
        ("M=TUBE,O=AAA,D=BBB,T=10,S=0001,E=2359,P=4,F=08/06/2026,U=31/12/2999,R=1111111", 45.0),
        ("M=TUBE,O=AAA,D=BBB,T=10,S=0001,E=2359,P=4,R=0000011", 45.0),
        ("M=TUBE,O=AAA,D=BBB,T=10,S=2200,E=0500,P=4,R=1111111", 45.0),
        ("M=TUBE,O=AAA,D=BBB,T=10,S=0001,E=2359,P=4,F=01/01/2010,U=31/12/2999,R=1111100", 10.0),
        ("M=TUBE,O=AAA,D=BBB,T=10,S=0600,E=2200,P=4,R=1111111", 10.0),
        ("M=TUBE,O=AAA,D=BBB,T=10,P=4,F=03/06/2026", 10.0),
    ],
    ids=["expired, Sundays", "ended", "not begun", "weekends", "by night", "on weekdays", "by day", "from Wednesday"],
)
def test_a_link_counts_on_the_days_and_hours_on_which_it_holds(tmp_path, quicker, minutes):
    for lines in ((quicker, WALK), (WALK, quicker)):
        assert times(read(tmp_path, ALF="\n".join(lines) + "\n")) == {("AAA", "BBB"): minutes}


def test_a_link_that_holds_by_night_alone_is_none(tmp_path):
    reading = read(tmp_path, ALF="M=BUS,O=AAA,D=BBB,T=10,S=0001,E=0500,P=4,R=1111111\n")
    assert times(reading) == {}
    told = "1 pairs of stations are linked in fewer than half of the hours of the day, and left out."
    assert account_of(reading, "MSN").warnings == (told,)


def test_links_by_day_and_by_weekend_join_into_one_that_always_holds(tmp_path):
    lines = ["M=WALK,O=AAA,D=BBB,T=6,S=0001,E=2359,P=4,R=1111100", "M=WALK,O=AAA,D=BBB,T=9,S=0001,E=2359,P=4,R=0000011"]
    assert times(read(tmp_path, ALF="\n".join(lines) + "\n")) == {("AAA", "BBB"): 6.0}


def test_links_of_flf_hold_both_ways_and_always(tmp_path):
    line = "ADDITIONAL LINK: WALK BETWEEN AAA AND BBB IN   5 MINUTES"
    assert times(read(tmp_path, FLF=f"{line}\nEND\n", ALF=f"{WALK}\n")) == {("AAA", "BBB"): 5.0, ("BBB", "AAA"): 5.0}


@pytest.mark.parametrize(
    "odd",
    ["T=x", "T=", "O=A1A", "D=", "O=BBB", "R=11111", "R=1111112", "S=2500", "E=12:00", "F=2019-01-01", "U=31/02/2026"],
)
def test_a_link_that_cannot_be_read_is_at_fault(tmp_path, odd):
    name = odd[0]
    fields = dict(part.split("=") for part in (*WALK.split(","), "F=01/01/2019", "U=31/12/2999"))
    line = ",".join(odd if key == name else f"{key}={value}" for key, value in fields.items())
    reading = read(tmp_path, ALF=f"{line}\n{WALK}\n")
    assert account_of(reading, "ALF").n_by_reason == (("quarantined", "bad_link", 1),)
    assert reading.quarantine["value"].tolist() == [line]
    assert times(reading) == {("AAA", "BBB"): 45.0}


def test_an_expired_link_is_out_of_scope():
    reading = parse_fixed_links(f"{WALK},F=01/01/2010,U=02/01/2010\n".encode(), "x:ALF", "0", week_start_on=MONDAY)
    assert reading.accounts[0].n_by_reason == (("out_of_scope", "not_in_force_that_week", 1),)
    assert choose_links(reading.table).empty


def test_a_file_of_no_stations_is_refused():
    with pytest.raises(InputError, match=r"x:MSN: it has no station record, expected lines that start with 'A'"):
        parse_master_stations(b"nothing\n", "x:MSN", "0")


@pytest.mark.real
def test_positions_of_the_real_file_are_those_of_the_stations(real_data):
    """Kept to a tenth of a kilometre: half within 75 m of the station list's, 99 of 100 within a kilometre."""
    reading = read_rdg(real_data / "timetable" / "RJTTF293.ZIP", week_start_on=date(2019, 6, 3))
    listed = read_stations(real_data / "rail" / "stations_npm_1.11.1.csv", force_area=None).table
    both = pd.concat([listed[["easting_m", "northing_m"]], reading.stops.add_prefix("feed_")], axis=1, join="inner")
    off_m = np.hypot(both["easting_m"] - both["feed_easting_m"], both["northing_m"] - both["feed_northing_m"])
    assert len(off_m.dropna()) > 2_500
    assert off_m.median() < 75
    assert off_m.quantile(0.99) < 1_000


def test_digits_that_are_no_numbers_are_none(tmp_path):
    """A raised two counts as a digit, and is no number."""
    link = "M=WALK,O=AAA,D=CCC,T=1\u00b2,S=0001,E=2359,P=4,R=1111111\n".encode("latin-1")
    reading = read(tmp_path, ALF=link)
    assert account_of(reading, "ALF").n_by_reason == (("quarantined", "bad_link", 1),)
