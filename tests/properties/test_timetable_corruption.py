"""
One field of a timetable spoilt: it is refused, or an account says so, or nothing changes; no time changes unseen.

A legal value in the place of another legal value cannot be told from the truth; all junk here is legal nowhere.
"""

import zipfile
from dataclasses import replace

import pytest

from geo.errors import GatelineError
from geo.sources.cif import read_cif
from geo.sources.gtfs import read_gtfs
from tests.unit.geo.sources.cif_lines import MONDAY, TIPLOCS, bs, li, lo, lt, ti, write

FEED = {
    "agency.txt": "agency_id,agency_name\nN,North\n",
    "routes.txt": "route_id,route_type\nR,2\nB,3\n",
    "trips.txt": "route_id,service_id,trip_id\nR,weekday,T1\nR,daily,T2\nB,weekday,T3\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "weekday,1,1,1,1,1,0,0,20260101,20261231\ndaily,1,1,1,1,1,1,1,20260101,20261231\n",
    "calendar_dates.txt": "service_id,date,exception_type\nweekday,20260601,2\ndaily,20260602,2\nweekday,20260606,1\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs\nT2,06:00:00,08:00:00,1800\n",
    "stops.txt": "stop_id,stop_code,stop_lat,stop_lon,parent_station\n"
    "A,AAA,53.9,-1.1,\nB,BBB,54.0,-1.2,\nC,CCC,54.1,-1.3,\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
    "T1,08:00:00,08:00:00,A,1,0,0\nT1,08:20:00,08:22:00,B,2,0,0\nT1,08:50:00,08:50:00,C,3,0,0\n"
    "T2,06:00:00,06:00:00,C,1,0,0\nT2,06:30:00,06:31:00,B,2,0,0\nT2,07:00:00,07:00:00,A,3,0,0\n"
    "T3,08:00:00,08:00:00,A,1,0,0\nT3,09:20:00,09:20:00,B,2,0,0\n",
}
MOST_CASES = 12
JUNK = ["", "x", "-1", "25:61:00", "99999999", "1e3", "NULL", "\x07", "a,b", '"', "0x1", "  ?", "\xa3"]


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as feed:
        for name, text in members.items():
            feed.writestr(name, text)
    return path


def seen(reading):
    """What a reader sees of a feed: its trains; and what the accounts say, hashes apart."""
    trains = reading.calls.to_csv(), reading.departures.to_csv()
    return trains, ([replace(account, sha256="") for account in reading.accounts], reading.caveats)


def spoil_cell(text, row, column, junk):
    """A table with one cell put in the place of another; row 0 is the header."""
    lines = [line.split(",") for line in text.strip().split("\n")]
    lines[row][column] = junk
    return "\n".join(map(",".join, lines)) + "\n"


def gtfs(path):
    return seen(read_gtfs(path, week_start_on=MONDAY, route_types=frozenset({2})))


@pytest.mark.parametrize("member", sorted(set(FEED) - {"agency.txt"}))
def test_no_field_of_a_feed_is_spoilt_unseen(tmp_path, member):
    whole = gtfs(zipped(tmp_path / "feed.zip", FEED))
    header, *rows = FEED[member].strip().split("\n")
    cells = [(k, column) for k in range(len(rows)) for column in range(header.count(",") + 1)]
    # Some cells, each with another kind of junk; `benchmarks.fuzz` takes them all.
    for number, (k, column) in enumerate(cells[:: 1 + len(cells) // MOST_CASES]):
        junk = JUNK[number % len(JUNK)]
        spoilt = spoil_cell(FEED[member], k + 1, column, junk)
        try:
            found = gtfs(zipped(tmp_path / "feed.zip", {**FEED, member: spoilt}))
        except GatelineError:
            continue
        assert found[0] == whole[0] or found[1] != whole[1], (member, rows[k], column, junk)


TRAINS = [
    *(ti(tiploc, code) for tiploc, code in TIPLOCS.items()),
    bs(),
    lo("AAATOWN", "0830"),
    li("BBBTOWN", "0840H", "0842"),
    lt("CCCTOWN", "0855"),
    bs("U00002", days="1111100", kind="XX"),
    lo("CCCTOWN", "2330")[:29] + "TB".ljust(51),
    li("BBBTOWN", "2355", "2357")[:42] + "T ".ljust(38),
    lt("AAATOWN", "0007")[:25] + "TF".ljust(55),
    bs("U00002", days="0001000", stp="O"),
    lo("CCCTOWN", "2340"),
    lt("AAATOWN", "0017"),
    bs("U00001", first="260603", last="260603", stp="C"),
]
# What a planner does not see is free to be anything: names, platforms, lines, paths, allowances, the train's number.
UNSEEN = {"BS": [*range(32, 79)], "TI": [*range(9, 53), *range(56, 80)], "LO": [*range(19, 29), *range(31, 80)]}
UNSEEN |= {"LI": [*range(33, 42), *range(44, 80)], "LT": [*range(19, 25), *range(27, 80)]}


@pytest.mark.parametrize("kind", ["BS", "TI", "LO", "LI", "LT"])
def test_no_letter_of_a_train_is_spoilt_unseen(tmp_path, kind):
    """No digit for a digit: that is another time, which none but the railway knows to be wrong."""
    whole = seen(read_cif([write(tmp_path, *TRAINS)], week_start_on=MONDAY))
    lines = [(k, line) for k, line in enumerate(TRAINS) if line[:2] == kind]
    letters = [(k, line, at) for k, line in lines for at in range(2, 80) if at not in UNSEEN[kind]]
    for number, (k, line, at) in enumerate(letters[:: 1 + len(letters) // MOST_CASES]):
        junk = next(c for c in ("?x-\x00"[number % 4 :] + "?x") if c != line[at])
        spoilt = [*TRAINS[:k], line[:at] + junk + line[at + 1 :], *TRAINS[k + 1 :]]
        try:
            found = seen(read_cif([write(tmp_path, *spoilt)], week_start_on=MONDAY))
        except GatelineError:
            continue
        assert found[0] == whole[0] or found[1] != whole[1], (line, at, junk)
