"""CIF by law: what runs is what a plain loop over days finds, in any pieces; every line is accounted for."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from geo.sources import cif_blocks
from geo.sources.cif_files import read_cif_file
from geo.sources.cif_places import Places
from geo.sources.cif_schedules import Source, settle_cif
from tests.unit.geo.sources.cif_lines import HEADER, MONDAY, TIPLOCS, bs, lo, lt

FIRST = MONDAY - timedelta(days=4)
RECORD = st.tuples(
    st.sampled_from(["U00001", "U00002"]),
    st.sampled_from("NNNRD"),
    st.integers(0, 6),
    st.integers(0, 9),
    st.text("01", min_size=7, max_size=7),
    st.sampled_from("CNOP"),
    st.integers(5, 22),
)


def lines_of(record):
    uid, transaction, begins, n_days, days, stp, hour = record
    first = FIRST + timedelta(days=begins)
    last = first + timedelta(days=n_days)
    head = bs(uid, transaction=transaction, first=f"{first:%y%m%d}", last=f"{last:%y%m%d}", days=days, stp=stp)
    if transaction == "D" or stp == "C":
        return [head]
    return [head, lo("AAATOWN", f"{hour:02d}00"), lt("CCCTOWN", f"{hour:02d}30")]


def plain(records) -> dict[int, int]:
    """Departures by hour of the week: records put in a table in order, then each day of each train looked up."""
    standing = {}
    for uid, transaction, begins, n_days, days, stp, hour in records:
        first = FIRST + timedelta(days=begins)
        if transaction == "D":
            standing.pop((uid, first, stp), None)
        else:
            standing[uid, first, stp] = (first + timedelta(days=n_days), days, hour)
    found: dict[int, int] = {}
    for day in range(7):
        on: date = MONDAY + timedelta(days=day)
        for train in ("U00001", "U00002"):
            valid = [
                (stp, hour)
                for (uid, first, stp), (last, days, hour) in standing.items()
                if uid == train and first <= on <= last and days[day] == "1"
            ]
            # Two schedules of one kind on one day are no timetable: the first one named counts, whichever it is.
            kinds = [stp for stp, _ in valid if stp == min(stp for stp, _ in valid)]
            if len(kinds) > 1:
                return {}
            if valid and min(valid)[0] != "C":
                at = day * 24 + min(valid)[1]
                found[at] = found.get(at, 0) + 1
    return found


def settle(text, n_bytes):
    cif_blocks._PIECE_BYTES, kept = n_bytes, cif_blocks._PIECE_BYTES
    try:
        places = Places({str(k): str(v) for k, v in TIPLOCS.items()}, None)
        pieces = [text[k : k + n_bytes] for k in range(0, len(text), n_bytes)]
        file = read_cif_file(pieces, "x.cif", places=places, week_start_on=MONDAY)
    finally:
        cif_blocks._PIECE_BYTES = kept
    return settle_cif([Source("x.cif", "0", file)], places, week_start_on=MONDAY)


@given(records=st.lists(RECORD, max_size=8), n_bytes=st.integers(90, 700))
def test_what_runs_is_what_a_plain_loop_finds(records, n_bytes):
    lines = [HEADER, *(line for record in records for line in lines_of(record)), "ZZ".ljust(80)]
    text = ("\n".join(lines) + "\n").encode()
    timetable = settle(text, n_bytes)
    (account,) = timetable.accounts
    assert account.n_read == len(lines) == account.n_accepted + sum(n for *_, n in account.n_by_reason)
    whole = settle(text, 10**6)
    assert whole.accounts == timetable.accounts
    expected = plain(records)
    if expected:
        ours = timetable.runs(timetable.stops).groupby("hour_of_week")["n_departures"].sum()
        assert ours.to_dict() == expected
