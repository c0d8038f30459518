"""CIF: what runs on which day of the week, what every line of the file was used for, and the real files."""

from datetime import date

import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.network.services import measure_call_run_times
from geo.sources import cif_blocks, files
from geo.sources.cif import read_cif, read_cif_timetable, read_rdg
from geo.sources.patterns import build_patterns
from tests.unit.geo.sources.cif_lines import A_TO_C, MONDAY, TIPLOCS, bs, li, lo, lt, passing, write


def read(tmp_path, *lines):
    return read_cif([write(tmp_path, *lines)], week_start_on=MONDAY, station_of_tiploc=TIPLOCS)


def hours(reading) -> dict[int, float]:
    return reading.departures.groupby("hour_of_week")["n_departures"].sum().to_dict()


def test_a_train_runs_on_its_days_only_and_keeps_its_half_minutes(tmp_path):
    reading = read(tmp_path, bs(days="1000010"), *A_TO_C)
    assert hours(reading) == {8: 1.0, 5 * 24 + 8: 1.0}
    assert set(reading.departures["start_min"]) == {30.0}
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    assert reading.calls["arrival_min"].tolist()[1:] == [10.5, 25.0]
    assert reading.calls["departure_min"].tolist()[:2] == [0.0, 12.0]


def test_a_train_outside_its_dates_does_not_run(tmp_path):
    late = [bs(first="260604", last="260605"), *A_TO_C]
    assert hours(read(tmp_path, *late)) == {3 * 24 + 8: 1.0, 4 * 24 + 8: 1.0}


def test_an_overlay_replaces_the_permanent_train_on_its_days(tmp_path):
    overlay = [
        bs(first="260603", last="260603", stp="O"),
        lo("AAATOWN", "0930"),
        passing("BBBTOWN", "0941"),
        lt("CCCTOWN", "0950"),
    ]
    reading = read(tmp_path, bs(days="1110000"), *A_TO_C, *overlay)
    assert hours(reading) == {8: 1.0, 24 + 8: 1.0, 2 * 24 + 9: 1.0}
    stops = reading.calls.groupby("pattern_id")["station_id"].agg(" ".join)
    assert sorted(stops) == ["AAA BBB CCC", "AAA CCC"]


def test_a_cancellation_takes_the_train_out_on_its_day(tmp_path):
    reading = read(tmp_path, bs(days="1110000"), *A_TO_C, bs(first="260602", last="260602", stp="C"))
    assert hours(reading) == {8: 1.0, 2 * 24 + 8: 1.0}


def test_updates_delete_revise_and_add(tmp_path):
    full = write(tmp_path, bs("U00001"), *A_TO_C, bs("U00002"), *A_TO_C, name="full.cif")
    later = [lo("AAATOWN", "1030"), lt("CCCTOWN", "1100")]
    update = write(
        tmp_path,
        bs("U00001", transaction="D"),
        bs("U00002", transaction="R"),
        *later,
        bs("U00003"),
        *A_TO_C,
        name="up.cif",
    )
    reading = read_cif([full, update], week_start_on=MONDAY, station_of_tiploc=TIPLOCS)
    by_hour = pd.Series(hours(reading)).groupby(lambda hour: hour % 24).sum()
    assert by_hour.to_dict() == {8: 7.0, 10: 7.0}


def test_a_train_over_midnight_keeps_its_run_time_and_the_day_it_starts(tmp_path):
    night = [lo("AAATOWN", "2350"), li("BBBTOWN", "2358", "0002", "0002"), lt("CCCTOWN", "0015")]
    reading = read(tmp_path, bs(days="0000001"), *night)
    assert hours(reading) == {6 * 24 + 23: 1.0}
    assert reading.calls["arrival_min"].tolist()[1:] == [8.0, 25.0]


def test_a_train_first_joined_after_midnight_counts_on_the_next_day(tmp_path):
    night = [lo("AAATOWN", "2350", "0000"), li("BBBTOWN", "0010", "0012"), lt("CCCTOWN", "0030")]
    assert hours(read(tmp_path, bs(days="0000001"), *night)) == {0: 1.0}


def test_two_stops_in_a_row_at_one_station_are_one_call(tmp_path):
    tiplocs = pd.concat([TIPLOCS, pd.Series({"BBBPLAT": "BBB"})])
    train = [lo("AAATOWN", "0830"), li("BBBTOWN", "0840", "0841"), li("BBBPLAT", "0843", "0850"), lt("CCCTOWN", "0900")]
    reading = read_cif([write(tmp_path, bs(), *train)], week_start_on=MONDAY, station_of_tiploc=tiplocs)
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    assert (reading.calls["arrival_min"].iloc[1], reading.calls["departure_min"].iloc[1]) == (10.0, 20.0)


def test_every_line_is_counted_with_its_reason(tmp_path):
    reading = read(
        tmp_path,
        bs("U00001"),
        "BX".ljust(80),
        lo("AAATOWN", "0830"),
        passing("NOWHERE", "0835"),
        li("NOWHERE", "0840", "0841"),
        li("BBBTOWN", "08X0", "0842"),
        lt("CCCTOWN", "0855"),
        bs("U00002", status="F"),
        *A_TO_C,
        bs("U00003", kind="EE"),
        *A_TO_C,
        bs("U00004"),
        lo("AAATOWN", "0830"),
        lt("AAATOWN", "0855"),
        "AAN".ljust(80),
        "QQ".ljust(80),
    )
    (account,) = reading.accounts
    assert {reason: n for _, reason, n in account.n_by_reason} == {
        "association": 1,
        "bad_time": 1,
        "fewer_than_two_stations": 3,
        "header": 1,
        "no_public_call": 1,
        "no_public_train": 4,
        "not_a_passenger_train": 4,
        "schedule_detail": 1,
        "trailer": 1,
        "unknown_record": 1,
        "unknown_tiploc": 1,
    }
    assert (account.n_read, account.n_accepted) == (22, 3)
    assert reading.quarantine["source_row"].tolist() == [6, 7, 21]
    assert reading.quarantine["value"].tolist()[:2] == ["NOWHERE", "BBBTOWN"]


def test_an_update_without_schedules_and_a_stray_call_lose_nothing(tmp_path):
    full = write(tmp_path, bs(), *A_TO_C, name="full.cif")
    reading = read_cif(
        [full, write(tmp_path, *A_TO_C[:1], name="up.cif")], week_start_on=MONDAY, station_of_tiploc=TIPLOCS
    )
    assert sum(hours(reading).values()) == 7
    assert reading.quarantine["reason"].tolist() == ["no_schedule"]


def test_reading_in_blocks_changes_nothing(tmp_path, monkeypatch):
    lines = [line for k in range(9) for line in (bs(f"U0000{k}"), *A_TO_C)]
    whole = read(tmp_path, *lines)
    monkeypatch.setattr(files, "_CHUNK_BYTES", 500)
    monkeypatch.setattr(cif_blocks, "_PIECE_BYTES", 500)
    blocks = read(tmp_path, *lines)
    pd.testing.assert_frame_equal(whole.calls, blocks.calls)
    pd.testing.assert_frame_equal(whole.departures, blocks.departures)
    assert whole.accounts == blocks.accounts


def test_trimmed_lines_and_carriage_returns_read_the_same(tmp_path):
    plain = write(tmp_path, bs(), *A_TO_C)
    trimmed = tmp_path / "trimmed.cif"
    trimmed.write_bytes(b"\r\n".join(line.rstrip() for line in plain.read_bytes().splitlines()) + b"\r\n")
    one, other = (read_cif([p], week_start_on=MONDAY, station_of_tiploc=TIPLOCS) for p in (plain, trimmed))
    pd.testing.assert_frame_equal(one.calls, other.calls)
    pd.testing.assert_frame_equal(one.departures, other.departures)


def test_codes_in_the_file_itself_are_used_where_none_are_given(tmp_path):
    ti = [f"TI{tiploc}".ljust(53) + code.ljust(27) for tiploc, code in TIPLOCS.items()]
    reading = read_cif([write(tmp_path, *ti, bs(), *A_TO_C)], week_start_on=MONDAY)
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]


def test_a_page_saved_as_cif_is_refused(tmp_path):
    page = tmp_path / "page.cif"
    page.write_text("<html>503</html>")
    with pytest.raises(InputError, match=r"page.cif: it starts with b'<html>50', expected a CIF header 'HD'"):
        read_cif([page], week_start_on=MONDAY)


def test_a_week_starts_on_monday(tmp_path):
    with pytest.raises(UsageError, match=r"week_start_on: 2026-06-02 is not a Monday"):
        read_cif([write(tmp_path, bs(), *A_TO_C)], week_start_on=date(2026, 6, 2))


@pytest.fixture(scope="module")
def real_tiplocs(real_data) -> pd.Series:
    """CRS codes by TIPLOC."""
    table = pd.read_csv(real_data / "rail" / "tiplocs.csv", skipinitialspace=True)
    return table.set_index(table["stop_id"].str.strip())["stop_code"].dropna()


@pytest.mark.real
def test_run_times_of_the_real_file_equal_the_published_ones(real_data, real_tiplocs):
    """Each schedule counts once, working times between calls with a public time: all 327 pairs, to the half minute."""
    path = real_data / "timetable" / "toc-update-tue.CIF.gz"
    timetable = read_cif_timetable([path], station_of_tiploc=real_tiplocs)
    once = pd.DataFrame(
        {"trip": timetable.stops["trip"].unique(), "hour_of_week": 0, "start_min": 0.0, "n_departures": 1.0}
    )
    ours = measure_call_run_times(*build_patterns(timetable.stops, once))
    known = pd.read_csv(real_data / "timetable" / "north_runtimes_nrod_2019-01-29.csv")
    both = known.merge(ours, how="left", left_on=["from_crs", "to_crs"], right_on=["from_station_id", "to_station_id"])
    assert len(both) == 327
    for theirs, own in (("n_obs", "n_trains"), ("min_minutes", "least_min"), ("median_minutes", "time_min")):
        assert (both[theirs] == both[own]).all(), theirs


@pytest.mark.real
def test_the_real_file_is_read_whole(real_data, real_tiplocs):
    path = real_data / "timetable" / "toc-update-tue.CIF.gz"
    timetable = read_cif_timetable([path], station_of_tiploc=real_tiplocs)
    (account,) = timetable.accounts
    assert account.n_read == 54_385
    assert {status for status, _, _ in account.n_by_reason} == {"out_of_scope"}
    # 2,187 records with a train and 521 cancellations stand; the 415 deletions leave nothing behind.
    assert len(timetable.schedules) == 2_187 + 521
    assert timetable.schedules["fate"].value_counts()["cancellation"] == 521


@pytest.mark.real
def test_the_real_zip_gives_change_times_and_fixed_links(real_data):
    reading = read_rdg(real_data / "timetable" / "RJTTF293.ZIP", week_start_on=date(2019, 6, 3))
    assert reading.interchange_min[["LDS", "YRK"]].tolist() == [10.0, 8.0]
    links = reading.fixed_links.set_index(["from_station_id", "to_station_id"])["time_min"]
    assert links["ZFD", "ZWY"] == links["ZWY", "ZFD"] == 39.0
    # 172 trains of the schedules, and 345 entered by hand, most of which are buses and ships besides.
    assert dict(reading.n_trips_by_fate)["used"] == 172 + 345
    assert set(reading.quarantine["reason"]) == {"bad_times"}
    read = {account.source_file.split(":")[1]: account.n_read for account in reading.accounts}
    assert read == {
        "MCA": 17_319,
        "ZTR": 19_993,
        "MSN": 3_931,
        "FLF": 1_000,
        "ALF": 3_829,
        "RJTTF293.DAT": 13,
        "RJTTF293.REJ": 33,
        "RJTTF293.SET": 6,
        "RJTTF293.TSI": 41,
    }


@pytest.mark.parametrize(
    "bus", [{"status": "B"}, {"status": "5"}, {"kind": "BR"}], ids=["permanent", "short-term", "category"]
)
def test_buses_for_trains_are_counted_by_station_and_are_no_trains(tmp_path, bus):
    rows = [bs(days="1000000"), *A_TO_C, bs("U00002", days="1000001", **bus), *A_TO_C]
    reading = read(tmp_path, *rows)
    assert hours(reading) == {8: 1.0}
    assert reading.replacements.to_dict() == {"AAA": 2.0, "BBB": 2.0}
    assert dict(reading.n_trips_by_fate)["rail_replacement_bus"] == 1
    assert ("out_of_scope", "rail_replacement_bus", 4) in reading.accounts[0].n_by_reason


def test_a_bus_that_replaces_a_train_for_a_day_takes_its_place(tmp_path):
    rows = [bs(days="1100000"), *A_TO_C, bs(first="260602", last="260602", stp="O", status="5", kind="BR"), *A_TO_C]
    reading = read(tmp_path, *rows)
    assert hours(reading) == {8: 1.0}
    assert reading.replacements.to_dict() == {"AAA": 1.0, "BBB": 1.0}


def test_a_usual_week_has_no_buses_for_trains(tmp_path):
    assert read(tmp_path, bs(), *A_TO_C).replacements.empty
