"""CIF files with something odd: cut short, deleting what is not there, times that cannot be, places renamed."""

import gzip
from datetime import date

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, ResourceError
from geo.sources import cif_blocks, files
from geo.sources.cif import read_cif
from geo.sources.cif_records import pack, unpack
from tests.unit.geo.sources.cif_lines import A_TO_C, HEADER, MONDAY, TIPLOCS, bs, li, lo, lt, passing, ti, write


def read(tmp_path, *lines, **options):
    options = {"station_of_tiploc": TIPLOCS, **options}
    return read_cif([write(tmp_path, *lines)], week_start_on=MONDAY, **options)


def read_text(tmp_path, text, name="timetable.cif"):
    path = tmp_path / name
    path.write_bytes(text)
    return read_cif([path], week_start_on=MONDAY, station_of_tiploc=TIPLOCS)


def reasons(reading, k=0) -> dict[str, int]:
    account = reading.accounts[k]
    assert account.n_read == account.n_accepted + sum(n for *_, n in account.n_by_reason)
    n_quarantined = sum(n for status, _, n in account.n_by_reason if status == "quarantined")
    ours = reading.quarantine[reading.quarantine["source_file"] == account.source_file]
    assert len(ours) == n_quarantined
    return {reason: n for _, reason, n in account.n_by_reason}


def text_of(*lines, end="\n") -> bytes:
    return (end.join([HEADER, *lines]) + end).encode()


@pytest.mark.parametrize("n_kept", range(1, 5))
def test_a_file_without_its_trailer_is_refused_wherever_it_was_cut(tmp_path, n_kept):
    lines = [bs(), *A_TO_C][:n_kept]
    with pytest.raises(
        InputError, match=r"timetable.cif: its last record is '.*', expected the trailer 'ZZ'. The file is"
    ):
        read_text(tmp_path, text_of(*lines))


def test_a_file_cut_within_a_line_or_within_its_gzip_is_refused(tmp_path):
    whole = text_of(bs(), *A_TO_C, "ZZ".ljust(80))
    with pytest.raises(InputError, match="expected the trailer 'ZZ'"):
        read_text(tmp_path, whole[:-130])
    packed = gzip.compress(whole)
    assert read_text(tmp_path, packed, "whole.cif.gz").calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    with pytest.raises(InputError, match=r"cut.cif.gz: its gzip data stop early, expected a whole file"):
        read_text(tmp_path, packed[:-9], "cut.cif.gz")


def test_comments_and_blank_lines_after_the_trailer_are_no_cut(tmp_path):
    reading = read_text(tmp_path, text_of(bs(), *A_TO_C, "ZZ".ljust(80), "/!! End of file", "", ""))
    assert len(reading.calls) == 3
    assert reasons(reading)["comment"] == 1


def test_a_schedule_without_its_terminus_or_origin_is_set_aside_whole(tmp_path):
    for part in (A_TO_C[:2], A_TO_C[1:], []):
        reading = read(tmp_path, bs("U00001"), *part, bs("U00002"), *A_TO_C)
        assert reasons(reading)["cut_short"] == 1 + len(part)
        assert reading.departures["n_departures"].sum() == 7


def test_lines_without_an_end_are_refused_before_they_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(cif_blocks, "_PIECE_BYTES", 300)
    with pytest.raises(InputError, match=r"timetable.cif: line 1 is longer than 300 bytes, expected 80. Check that"):
        read_text(tmp_path, HEADER.encode() + b"x" * 1000)


def test_locations_without_end_are_no_schedule_and_are_not_held_back(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_CHUNK_BYTES", 500)
    monkeypatch.setattr(cif_blocks, "_PIECE_BYTES", 500)
    monkeypatch.setattr(cif_blocks, "_MOST_HELD", 20)
    long = [lo("AAATOWN", "0830"), *[li("BBBTOWN", "0840", "0842")] * 100, lt("CCCTOWN", "0855")]
    reading = read(tmp_path, bs("U00001"), *long, bs("U00002"), *A_TO_C)
    told = reasons(reading)
    assert told["no_schedule"] > 50
    assert told["cut_short"] == 1 + 102 - told["no_schedule"]
    assert reading.departures["n_departures"].sum() == 7


def test_a_stray_location_after_a_place_or_an_association_belongs_to_no_schedule(tmp_path):
    reading = read(tmp_path, bs(), *A_TO_C, "AAN".ljust(80), lt("CCCTOWN", "0910"))
    assert reasons(reading)["no_schedule"] == 1
    assert len(reading.calls) == 3


OVERLAY = [bs(first="260602", last="260602", stp="O"), lo("AAATOWN", "0930"), lt("CCCTOWN", "0950")]
HOURS_WITH, HOURS_WITHOUT = {8: 6.0, 9: 1.0}, {8: 7.0}


def hours_of_day(reading):
    return reading.departures.groupby(reading.departures["hour_of_week"] % 24)["n_departures"].sum().to_dict()


@pytest.mark.parametrize(
    ("deletion", "hours", "told"),
    [
        (bs(transaction="D", first="260602", stp="O"), HOURS_WITHOUT, None),
        (bs(transaction="D", first="260602", stp=" "), HOURS_WITHOUT, None),
        (bs(transaction="D", first="260602", stp="P"), HOURS_WITH, "deletion_found_nothing"),
        (bs(transaction="D", first="260603", stp="O"), HOURS_WITH, "deletion_found_nothing"),
        (bs(transaction="D", first="260603", stp=" "), HOURS_WITH, "deletion_found_nothing"),
        (bs("U00009", transaction="D", first="260602", stp=" "), HOURS_WITH, "deletion_found_nothing"),
    ],
    ids=["named", "without indicator", "another indicator", "another day", "another day, without", "another train"],
)
def test_a_deletion_removes_its_schedule_or_is_counted_as_one_that_found_nothing(tmp_path, deletion, hours, told):
    reading = read(tmp_path, bs(), *A_TO_C, *OVERLAY, deletion)
    assert hours_of_day(reading) == hours
    assert reasons(reading).get("deletion_found_nothing", 0) == (told is not None)
    warned = [text for text in reading.accounts[0].warnings if "deletions" in text]
    expected = ["1 of 1 deletions found no schedule to delete: read the full file before it."]
    assert warned == (expected if told else [])


def test_a_deletion_of_one_of_several_without_saying_which_is_quarantined(tmp_path):
    both = [bs(first="260602"), *A_TO_C, *OVERLAY]
    reading = read(tmp_path, *both, bs(transaction="D", first="260602", stp=" "))
    assert hours_of_day(reading) == {8: 5.0, 9: 1.0}
    assert reading.quarantine["reason"].tolist() == ["deletion_of_several"]
    assert reading.quarantine["value"].tolist() == ["U00001"]


def test_what_is_deleted_and_sent_again_runs_and_a_second_deletion_finds_nothing(tmp_path):
    again = read(tmp_path, bs(), *A_TO_C, bs(transaction="D"), bs(), *A_TO_C)
    assert hours_of_day(again) == {8: 7.0}
    twice = read(tmp_path, bs(), *A_TO_C, bs("U00002"), *A_TO_C, bs(transaction="D"), bs(transaction="D"))
    assert hours_of_day(twice) == {8: 7.0}
    assert reasons(twice)["deletion_found_nothing"] == 1


def test_a_deleted_cancellation_lets_the_train_run_and_a_revised_overlay_takes_its_place(tmp_path):
    off = bs(first="260602", last="260602", stp="C")
    assert hours_of_day(read(tmp_path, bs(), *A_TO_C, off)) == {8: 6.0}
    on = bs(first="260602", transaction="D", stp="C")
    assert hours_of_day(read(tmp_path, bs(), *A_TO_C, off, on)) == {8: 7.0}
    revised = [
        bs(first="260602", last="260603", stp="O", transaction="R"),
        lo("AAATOWN", "1030"),
        lt("CCCTOWN", "1050"),
    ]
    assert hours_of_day(read(tmp_path, bs(), *A_TO_C, *OVERLAY, *revised)) == {8: 5.0, 10: 2.0}


def test_a_revision_of_nothing_is_told_and_taken_as_new(tmp_path):
    reading = read(tmp_path, bs(transaction="R"), *A_TO_C)
    assert hours_of_day(reading) == {8: 7.0}
    assert reading.accounts[0].warnings == ("1 revisions found no schedule to revise, and were taken as new ones.",)


def test_schedules_without_an_indicator_are_permanent_ones(tmp_path):
    off = bs(first="260602", last="260602", stp="C")
    assert hours_of_day(read(tmp_path, bs(stp=" "), *A_TO_C, off)) == {8: 6.0}


@pytest.mark.parametrize(
    "odd", [li("BBBTOWN", "0842", "0840"), li("BBBTOWN", "0840", "1100"), li("BBBTOWN", "08X0", "0842")]
)
def test_a_call_whose_times_cannot_be_is_set_aside_and_the_train_runs_on(tmp_path, odd):
    reading = read(tmp_path, bs(), A_TO_C[0], odd, A_TO_C[2])
    assert reasons(reading)["bad_time"] == 1
    assert reading.calls["station_id"].tolist() == ["AAA", "CCC"]
    assert reading.calls["arrival_min"].tolist()[1:] == [25.0]


@pytest.mark.parametrize("public", ["08A2", "2561"])
def test_a_public_time_that_is_none_is_a_bad_time(tmp_path, public):
    reading = read(tmp_path, bs(), A_TO_C[0], li("BBBTOWN", "0840", "0842", public), A_TO_C[2])
    assert reasons(reading)["bad_time"] == 1


def test_a_train_whose_times_run_back_between_stations_is_set_aside_whole(tmp_path):
    back = [lo("AAATOWN", "0830"), li("BBBTOWN", "0820", "0822"), lt("CCCTOWN", "0855")]
    reading = read(tmp_path, bs("U00001"), *back, bs("U00002"), *A_TO_C)
    assert reasons(reading)["bad_times"] == 4
    assert len(reading.calls) == 3
    assert reading.calls["arrival_min"].dropna().between(0, 30).all()


def test_a_stop_of_no_time_is_on_the_same_day(tmp_path):
    stop = [lo("AAATOWN", "0830"), li("BBBTOWN", "0840", "0840"), lt("CCCTOWN", "0840")]
    reading = read(tmp_path, bs(), *stop)
    assert reading.calls["arrival_min"].tolist()[1:] == [10.0, 10.0]
    assert reading.calls["departure_min"].tolist()[:2] == [0.0, 10.0]


def test_a_night_train_passes_through_the_small_hours(tmp_path):
    """Seven hours between public calls, with places passed on the way."""
    night = [lo("AAATOWN", "2330"), passing("BBBTOWN", "0200"), passing("BBBTOWN", "0430"), lt("CCCTOWN", "0630")]
    reading = read(tmp_path, bs(), *night)
    assert reading.calls["arrival_min"].tolist()[1:] == [420.0]


def ending(at, public="0000", activity="TF"):
    return lt("CCCTOWN", at, public)[:25] + activity.ljust(55)


LATE = [lo("AAATOWN", "2340"), li("BBBTOWN", "2345", "2346")]


@pytest.mark.parametrize(("at", "arrival"), [("0000", 20.0), ("0000H", 20.5), ("2359H", 19.5), ("2357", 17.0)])
def test_a_public_arrival_at_midnight_is_a_call(tmp_path, at, arrival):
    reading = read(tmp_path, bs(), *LATE, ending(at))
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    assert reading.calls["arrival_min"].iloc[2] == arrival


@pytest.mark.parametrize(
    "last",
    [ending("0000", activity="TFN "), ending("0000", activity=""), ending("0010"), ending("2354")],
    ids=["not advertised", "no activity", "after midnight", "before midnight"],
)
def test_an_end_that_passengers_are_not_told_of_is_none(tmp_path, last):
    reading = read(tmp_path, bs(), *LATE, last)
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB"]
    assert reasons(reading)["no_public_call"] == 1


def test_a_start_and_a_stop_at_midnight_are_calls(tmp_path):
    start = lo("AAATOWN", "0000")[:29].ljust(29) + "TB".ljust(51)
    reading = read(tmp_path, bs(), start, li("BBBTOWN", "0010", "0012"), lt("CCCTOWN", "0030"))
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    stop = li("BBBTOWN", "2359H", "0000", "0000")[:42] + "T ".ljust(38)
    reading = read(tmp_path, bs(), LATE[0], stop, lt("CCCTOWN", "0030"))
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    crew = stop[:42] + "OPA ".ljust(38)
    assert read(tmp_path, bs(), LATE[0], crew, lt("CCCTOWN", "0030")).calls["station_id"].tolist() == ["AAA", "CCC"]


def test_empty_stock_about_midnight_has_no_calls(tmp_path):
    night = [lo("AAATOWN", "2350", "0000"), ending("0000")]
    assert read(tmp_path, bs(), *night).calls.empty


def own(*places, train):
    return (*places, bs(), *train)


def test_a_renamed_place_is_the_same_station_however_it_is_known(tmp_path):
    train = [lo("ANEW", "0830"), *A_TO_C[1:]]
    codes = [ti(tiploc, code) for tiploc, code in TIPLOCS.items()]
    cases = {
        "with its code": (*codes, ti("AAATOWN", "AAA", kind="TA", new="ANEW")),
        "without its code": (*codes, ti("AAATOWN", "", kind="TA", new="ANEW")),
        "twice": (*codes, ti("AAATOWN", "", kind="TA", new="AMID"), ti("AMID", "", kind="TA", new="ANEW")),
        "under another name": (*codes, ti("ANEW", "AAA")),
    }
    for what, places in cases.items():
        reading = read(tmp_path, *own(*places, train=train), station_of_tiploc=None)
        assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"], what
    given = read(tmp_path, *own(ti("AAATOWN", "", kind="TA", new="ANEW"), train=train))
    assert given.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    lost = read(tmp_path, *own(*codes, train=train), station_of_tiploc=None)
    assert reasons(lost)["unknown_tiploc"] == 1


def test_a_place_renamed_in_an_update_keeps_the_trains_of_the_full_file(tmp_path):
    codes = [ti(tiploc, code) for tiploc, code in TIPLOCS.items()]
    full = write(tmp_path, *codes, bs("U00001"), *A_TO_C, name="full.cif")
    changed = [ti("AAATOWN", "AAA", kind="TA", new="ANEW"), bs("U00002"), lo("ANEW", "0930"), *A_TO_C[1:]]
    update = write(tmp_path, *changed, name="update.cif")
    reading = read_cif([full, update], week_start_on=MONDAY)
    assert set(reading.calls.groupby("pattern_id")["station_id"].agg("".join)) == {"AAABBBCCC"}


def test_the_stations_of_a_file_have_names_and_no_position(tmp_path):
    reading = read(tmp_path, ti("AAATOWN", "AAA", "A TOWN"), ti("DDD", "", "SIDING"), bs(), *A_TO_C)
    assert reading.stops["name"].to_dict() == {"AAA": "A TOWN"}
    assert reading.stops["easting_m"].isna().all()


def test_trains_elsewhere_are_out_of_scope_and_so_are_their_unknown_places(tmp_path):
    far = [lo("BBBTOWN", "0830"), li("NOWHERE", "0840", "0842"), lt("CCCTOWN", "0855")]
    lines = [bs("U00001"), *A_TO_C, bs("U00002"), *far]
    reading = read(tmp_path, *lines, near={"AAA"})
    assert reasons(reading)["elsewhere"] == 4
    assert reading.quarantine.empty
    assert len(reading.calls) == 3
    assert reasons(read(tmp_path, *lines))["unknown_tiploc"] == 1


def test_a_train_of_another_week_is_out_of_scope_with_its_calls(tmp_path):
    reading = read(tmp_path, bs("U00001"), *A_TO_C, bs("U00002", first="260608"), *A_TO_C)
    assert reasons(reading)["not_in_force_that_week"] == 4
    assert dict(reading.n_trips_by_fate) == {"not_in_force_that_week": 1, "used": 1}


def test_a_train_cancelled_all_week_is_not_in_force(tmp_path):
    reading = read(tmp_path, bs("U00001"), *A_TO_C, bs("U00001", first="260601", last="260607", stp="C"))
    assert reasons(reading)["not_in_force_that_week"] == 4
    assert reading.calls.empty


@pytest.mark.parametrize("dates", [("260231", "261231"), ("260601", "260531"), ("260601", ""), ("26o601", "261231")])
def test_a_schedule_without_dates_that_can_be_is_at_fault(tmp_path, dates):
    first, last = dates
    reading = read(tmp_path, bs("U00001", first=first, last=last.ljust(6)), *A_TO_C, bs("U00002"), *A_TO_C)
    assert reasons(reading)["bad_date"] == 4
    assert reading.departures["n_departures"].sum() == 7


def test_a_schedule_without_an_end_runs(tmp_path):
    assert hours_of_day(read(tmp_path, bs(last="999999"), *A_TO_C)) == {8: 7.0}


def test_a_bus_line_is_neither_a_train_nor_a_bus_for_one(tmp_path):
    reading = read(tmp_path, bs("U00001"), *A_TO_C, bs("U00002", status="B", kind="BS"), *A_TO_C)
    assert reading.replacements.empty
    assert reasons(reading)["not_a_passenger_train"] == 4


def test_an_update_alone_is_told_of(tmp_path):
    path = tmp_path / "update.cif"
    path.write_bytes(text_of(bs(), *A_TO_C, "ZZ".ljust(80)).replace(b"LFA01", b"LUA01"))
    reading = read_cif([path], week_start_on=MONDAY, station_of_tiploc=TIPLOCS)
    assert reading.caveats == ("the timetable is an update without its full file: it lacks most trains",)
    assert reading.accounts[0].warnings[-1] == f"{reading.caveats[0]}."


def test_a_week_outside_the_file_is_refused_with_the_nearest_it_holds(tmp_path):
    path = write(tmp_path, bs(), *A_TO_C)
    with pytest.raises(
        InputError, match=r"the week of 2027-06-07 is outside the feed, which runs from 2026-06-01 to 202"
    ):
        read_cif([path], week_start_on=date(2027, 6, 7), station_of_tiploc=TIPLOCS)


def test_goods_trains_planned_for_years_hold_no_week(tmp_path):
    path = write(tmp_path, bs("U00001"), *A_TO_C, bs("U00002", last="301231", status="F"), *A_TO_C)
    with pytest.raises(InputError, match=r"is outside the feed, which runs from 2026-06-01 to 2026-12-31"):
        read_cif([path], week_start_on=date(2027, 6, 7), station_of_tiploc=TIPLOCS)


def test_few_trains_beside_the_weeks_around_are_told(tmp_path):
    works = [bs(f"U0000{k}", first="260602", last="260607", stp="C") for k in range(3)]
    lines = [line for k in range(4) for line in (bs(f"U0000{k}"), *A_TO_C)]
    assert read(tmp_path, *lines).caveats == ()
    reading = read(tmp_path, *lines, *works)
    assert "the week of 2026-06-01 has 36% of the trips of the feed's middle week: a holiday or" in reading.caveats[0]
    assert reading.caveats[1].startswith(
        "fewer trips than usual run on Tuesday, Wednesday, Thursday, Friday, Saturday, S"
    )
    assert reading.accounts[0].warnings == tuple(f"{text}." for text in reading.caveats)


def test_works_elsewhere_do_not_make_the_week_odd_here(tmp_path):
    far = [lo("BBBTOWN", "0830"), lt("CCCTOWN", "0855")]
    works = [bs(f"V0000{k}", first="260601", last="260607", stp="C") for k in range(5)]
    lines = [bs(), *A_TO_C, *[line for k in range(5) for line in (bs(f"V0000{k}"), *far)], *works]
    assert read(tmp_path, *lines, near={"AAA"}).caveats == ()
    assert "of the trips of the feed's middle week" in read(tmp_path, *lines).caveats[0]


def test_packed_texts_sort_as_they_are_written():
    words = np.array([b"ZZ     ", b"AAATOWN", b"A1     "])
    assert unpack(np.sort(pack(words))) == ["A1", "AAATOWN", "ZZ"]


def test_a_file_read_in_pieces_is_capped_like_one_read_whole(tmp_path):
    path = tmp_path / "zeros.cif.gz"
    path.write_bytes(gzip.compress(b"HD" + b"\0" * 30_000_000))
    with pytest.raises(ResourceError, match=r"zeros.cif.gz: it expands to more than \d+ bytes, expected at most that"):
        list(files.InputStream(path).pieces())
    path.write_bytes(gzip.compress(b"one ") + gzip.compress(b"two") + b"\0" * 512)
    stream = files.InputStream(path)
    assert b"".join(stream.pieces()) == b"one two" == files.read_input_file(path).data
    assert stream.sha256 == files.read_input_file(path).sha256
    with pytest.raises(ResourceError, match=r"zeros.cif.gz: it has \d+ bytes, expected at most 100. Split the file"):
        list(files.InputStream(path, max_bytes=100).pieces())


def test_a_missing_and_an_empty_file_are_refused_in_pieces_as_well(tmp_path):
    with pytest.raises(InputError, match=r"none.cif: it cannot be read \(No such file or directory\)"):
        list(files.InputStream(tmp_path / "none.cif").pieces())
    (tmp_path / "empty.cif").touch()
    with pytest.raises(InputError, match=r"empty.cif: it is empty \(0 bytes\)"):
        list(files.InputStream(tmp_path / "empty.cif").pieces())


def test_a_schedule_is_never_cut_by_a_piece(tmp_path, monkeypatch):
    lines = [line for k in range(30) for line in (bs(f"U000{k:02d}"), *A_TO_C, "AAN".ljust(80))]
    whole = read(tmp_path, *lines)
    for n_bytes in (81, 200, 999):
        monkeypatch.setattr(files, "_CHUNK_BYTES", n_bytes)
        monkeypatch.setattr(cif_blocks, "_PIECE_BYTES", n_bytes)
        pieces = read(tmp_path, *lines)
        pd.testing.assert_frame_equal(pieces.calls, whole.calls)
        assert pieces.accounts == whole.accounts


def test_a_call_that_is_not_advertised_is_none_whatever_its_times(tmp_path):
    hidden = A_TO_C[1][:42] + "T N ".ljust(38)
    reading = read(tmp_path, bs(), A_TO_C[0], hidden, A_TO_C[2])
    assert reading.calls["station_id"].tolist() == ["AAA", "CCC"]
    assert reasons(reading)["no_public_call"] == 1


@pytest.mark.parametrize(("activity", "is_told"), [("D ", True), ("U ", True), ("T ", False), ("T RM", False)])
def test_calls_in_one_direction_only_are_calls_and_counted(tmp_path, activity, is_told):
    reading = read(tmp_path, bs(), A_TO_C[0], A_TO_C[1][:42] + activity.ljust(38), A_TO_C[2])
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]
    told = [text for text in reading.accounts[0].warnings if "to take up or to set down only" in text]
    assert told == (["1 calls are to take up or to set down only, and count as calls for both."] if is_told else [])


def test_joins_and_splits_are_counted_as_not_followed(tmp_path):
    reading = read(tmp_path, "AANU00001U000022606012612311111111VVSBBBTOWN".ljust(79) + "P", bs(), *A_TO_C)
    assert (
        "1 joins and splits of trains are not followed: who stays on counts as changing."
        in reading.accounts[0].warnings
    )


@pytest.mark.parametrize("stp", ["O", "C"])
def test_a_change_to_a_train_that_is_not_there_is_told(tmp_path, stp):
    changed = [bs("U00009", stp=stp), *(A_TO_C if stp == "O" else ())]
    told = "1 overlays and cancellations are of trains without a permanent schedule."
    assert told in read(tmp_path, bs(), *A_TO_C, *changed).accounts[0].warnings
    assert told not in read(tmp_path, bs("U00009"), *A_TO_C, *changed).accounts[0].warnings


@pytest.mark.parametrize("days", ["1111x00", "       ", "11 1111"])
def test_days_that_are_none_make_a_schedule_faulty(tmp_path, days):
    assert reasons(read(tmp_path, bs("U00002"), *A_TO_C, bs(days=days), *A_TO_C))["bad_date"] == 4


def test_a_code_that_is_no_code_names_no_station(tmp_path):
    codes = [ti(tiploc, code) for tiploc, code in {**TIPLOCS, "BBBTOWN": "?BB"}.items()]
    reading = read(tmp_path, *own(*codes, train=A_TO_C), station_of_tiploc=None)
    assert reading.calls["station_id"].tolist() == ["AAA", "CCC"]
    assert reasons(reading)["unknown_tiploc"] == 1


@pytest.mark.parametrize(("transaction", "stp"), [("N", "c"), ("N", "X"), ("d", "P"), ("X", "P")])
def test_an_indicator_that_is_none_makes_a_schedule_faulty(tmp_path, transaction, stp):
    reading = read(tmp_path, bs("U00002"), *A_TO_C, bs(transaction=transaction, stp=stp), *A_TO_C)
    assert reasons(reading)["unknown_indicator"] == 4
    assert reading.departures["n_departures"].sum() == 7


ENDS = {
    "a second end": [*A_TO_C, lt("BBBTOWN", "0910")],
    "a call after the end": [*A_TO_C, li("BBBTOWN", "0905", "0906")],
    "a second start": [A_TO_C[0], lo("BBBTOWN", "0835"), *A_TO_C[1:]],
    "an end at no time": [*A_TO_C[:2], lt("CCCTOWN", "10", "    ")],
}


@pytest.mark.parametrize("train", ENDS.values(), ids=ENDS)
def test_a_train_that_does_not_start_and_end_once_is_set_aside_and_no_other(tmp_path, train):
    reading = read(tmp_path, bs("U00002"), *A_TO_C, bs(), *train)
    assert reading.departures["n_departures"].sum() == 7
    assert reasons(reading)["cut_short"] >= 3


def test_a_rename_before_its_place_is_a_rename(tmp_path):
    train = [lo("ANEW", "0830"), *A_TO_C[1:]]
    codes = [ti(tiploc, code) for tiploc, code in TIPLOCS.items()]
    reading = read(
        tmp_path, *own(ti("AAATOWN", "", kind="TA", new="ANEW"), *codes, train=train), station_of_tiploc=None
    )
    assert reading.calls["station_id"].tolist() == ["AAA", "BBB", "CCC"]


def test_all_lines_of_a_schedule_with_an_odd_indicator_are_listed(tmp_path):
    """Goods too, of which calls are mostly only counted."""
    reading = read(tmp_path, bs("U00002"), *A_TO_C, bs(stp="x", status="F"), *A_TO_C)
    assert reasons(reading)["unknown_indicator"] == 4
