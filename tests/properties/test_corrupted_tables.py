"""Laws of damage: one cell or one byte at fault costs no other row, and nothing is lost uncounted."""

import random
import string

import pandas as pd
import pytest

from geo.errors import GatelineError
from geo.sources.offence_extract import read_offence_extract
from geo.sources.passenger_flows import read_passenger_flows, read_station_usage
from geo.sources.places import read_places, read_towns
from geo.sources.police_uk import read_police_uk
from geo.sources.stations import read_stations

LIMIT = pd.Period("2026-01")
N_ROWS = 12
CODES = [a + b + "X" for a in "ABCD" for b in "ABC"]


def point(k):
    return f"{-1.1 + k / 100:.4f},{53.9 + k / 100:.4f}"


READERS = {
    "police_uk": (
        "Crime ID,Month,Reported by,Longitude,Latitude,Location,LSOA code,Crime type",
        [f"id{k},2025-01,A Force,{point(k)},On or near St {k},E01,Drugs" for k in range(N_ROWS)],
        lambda path: read_police_uk([path], not_after=LIMIT),
    ),
    "extract": (
        "offence_id,crime_type,occurred_from,x,y,location",
        [f'r{k},Drugs,2025-01-{k + 1:02d} 13:00,4596{k:02d},4517{k:02d},"{k} High St, York"' for k in range(N_ROWS)],
        lambda path: read_offence_extract(path, columns={}, force="A Force", timezone="Europe/London", not_after=LIMIT),
    ),
    "stations": (
        "stationName,long,lat,crsCode",
        [f"Station {k},{point(k)},{CODES[k]}" for k in range(N_ROWS)],
        lambda path: read_stations(path, force_area=None),
    ),
    "places": (
        "name,lon,lat,population",
        [f"Town {CODES[k]},{point(k)},{1000 + k}" for k in range(N_ROWS)],
        lambda path: read_places(path, force_area=None),
    ),
    "towns": (
        "geonameid,name,longitude,latitude,bua_pop_2021",
        [f"{k},Town {k},{point(k)},{1000 + k}" for k in range(N_ROWS)],
        lambda path: read_towns(path, force_area=None),
    ),
    "flows": (
        "origin_crs,dest_crs,journeys",
        [f"{CODES[k]},{CODES[k - 1]},{k}" for k in range(N_ROWS)],
        read_passenger_flows,
    ),
    "usage": (
        "TLC,year,Total,Changes",
        [f"{CODES[k]},2021-22,{k},{k}" for k in range(N_ROWS)],
        read_station_usage,
    ),
}
CELLS = (
    *("", " ", "0", "-1", "x", "NA", "nan", "inf", "1e308", "1,5", "45662", "05/01/2025", "2025-02-30", "1900-01-01"),
    *('"', '""', '"x', 'x"', 'a"b', "'", "Total", "\t", ";", "|", "\x00", "\ufffd", "\u00a0", "\u202e", "9" * 400),
)


def read(path, content, reader):
    """The account, or None where the file is refused in one sentence of ours."""
    path.write_bytes(content)
    try:
        reading = reader(path)
    except GatelineError as error:
        said = str(error)
    else:
        (account,) = [each for each in reading.accounts if each.n_read]
        assert account.n_accepted == len(reading.table)
        assert account.n_read == len(reading.table) + len(reading.quarantine)
        return account
    assert "\n" not in said
    assert "max_quarantine_share" not in said
    return None


@pytest.mark.parametrize("kind", READERS)
def test_one_cell_at_fault_leaves_every_row_counted(tmp_path, kind):
    header, rows, reader = READERS[kind]
    rng = random.Random(kind)  # noqa: S311 - no secret
    intact = read(tmp_path / "x.csv", "\n".join([header, *rows, ""]).encode(), reader)
    assert intact is not None
    assert intact.n_accepted == N_ROWS
    for cell in rng.sample(CELLS, 12):
        at, column = rng.randrange(N_ROWS), rng.randrange(header.count(",") + 1)
        fields = rows[at].split(",", header.count(","))
        fields[column] = cell
        changed = [*rows[:at], ",".join(fields), *rows[at + 1 :]]
        account = read(tmp_path / "x.csv", "\n".join([header, *changed, ""]).encode(), reader)
        if account is not None:
            assert account.n_read == N_ROWS, (at, column, cell)
            assert account.n_accepted >= N_ROWS - 2, (at, column, cell)


@pytest.mark.parametrize("kind", READERS)
def test_one_byte_at_fault_leaves_every_line_counted(tmp_path, kind):
    header, rows, reader = READERS[kind]
    rng = random.Random(kind)  # noqa: S311 - no secret
    whole = "\n".join([header, *rows, ""]).encode()
    odd = [*b'",\n\r;\t\x00\x1a\xff\xc3 ', *string.printable.encode()]
    for _ in range(14):
        at, byte = rng.randrange(len(whole)), bytes([rng.choice(odd[: rng.choice([11, len(odd)])])])
        content = whole[:at] + rng.choice([byte, b"", byte + whole[at : at + 1]]) + whole[at + 1 :]
        account = read(tmp_path / "x.csv", content, reader)
        if account is not None:
            lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            # A line end within quotes is part of a value, and no row is then lost.
            is_whole = account.n_read == account.n_accepted == N_ROWS and kind == "extract"
            assert is_whole or account.n_read == sum(line != b"" for line in lines) - 1, (at, byte)
