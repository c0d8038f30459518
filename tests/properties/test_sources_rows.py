"""Laws of the readers of rows: nothing is lost, and no order matters."""

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.sources.cuckooing import read_cuckooing
from geo.sources.delimited import split_delimited
from geo.sources.police_uk import read_police_uk

COLUMNS = ["Crime ID", "Month", "Reported by", "Longitude", "Latitude", "Location", "LSOA code", "Crime type"]
LIMIT = pd.Period("2025-12")

good_rows = st.tuples(
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["2025-01", "2025-02"]),
    st.just("Force"),
    st.sampled_from(["-1.093100", "-1.5"]),
    st.sampled_from(["53.958300", "54.1"]),
    st.sampled_from(["On or near A Street", "On or near Police Station"]),
    st.just("E01013335"),
    st.sampled_from(["Drugs", "Robbery"]),
)
odd_values = st.sampled_from(["", "x", "0", "53.9", "-1.1", "2031-01", "Drugs", "1.5", "NA"])
any_rows = st.one_of(good_rows, st.tuples(*[odd_values] * len(COLUMNS)))


def write(folder, rows, columns=COLUMNS, name="2025-01-x-street.csv"):
    path = Path(folder) / name
    order = [COLUMNS.index(column) for column in columns]
    lines = [",".join(columns), *(",".join(row[at] for at in order) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@settings(max_examples=15)
@given(st.lists(good_rows, min_size=20, max_size=30), st.lists(any_rows, max_size=9))
def test_every_row_has_one_fate(good, other):
    with tempfile.TemporaryDirectory() as folder:
        reading = read_police_uk([write(folder, good + other)], crime_types={"Drugs"}, not_after=LIMIT)
    (account,) = reading.accounts
    assert account.n_read == len(good) + len(other)
    assert account.n_accepted == len(reading.table)
    fates = [*reading.table["source_row"], *reading.quarantine["source_row"]]
    assert sorted(fates) == list(range(2, account.n_read + 2))


@settings(max_examples=15)
@given(st.data(), st.lists(good_rows, min_size=1, max_size=12))
def test_no_order_of_rows_columns_or_files_changes_the_table(data, rows):
    shuffled = data.draw(st.permutations(rows))
    columns = data.draw(st.permutations(COLUMNS))
    cut = data.draw(st.integers(0, len(rows)))
    with tempfile.TemporaryDirectory() as folder:
        plain = read_police_uk([write(folder, rows)], not_after=LIMIT).table
        mixed = read_police_uk([write(folder, shuffled, columns)], not_after=LIMIT).table
    pd.testing.assert_frame_equal(plain.drop(columns="source_row"), mixed.drop(columns="source_row"))
    with tempfile.TemporaryDirectory() as folder:
        parts = [
            write(folder, part, name=f"2025-0{n}-x-street.csv")
            for n, part in enumerate((rows[:cut], shuffled), start=1)
            if part
        ]
        # Part of the rows is in both files, and each record counts once.
        both = [read_police_uk(order, not_after=LIMIT).table for order in (parts, parts[::-1])]
    pd.testing.assert_frame_equal(both[0], both[1])
    assert both[0].index.equals(plain.index)


@settings(max_examples=15)
@given(st.data())
def test_quoted_and_plain_files_give_the_same_rows(data):
    text = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters='",\x7f'), max_size=8)
    fields = text.map(str.strip).filter(lambda value: not any("\x80" <= letter <= "\x9f" for letter in value))
    widths = st.lists(st.lists(fields, min_size=1, max_size=4), min_size=1, max_size=12)
    rows = data.draw(widths)
    plain, quoted = ("\n".join([header, *map(",".join, rows)]) + "\n" for header in ("a,b,c", '"a",b,c'))
    first, second = (
        split_delimited(text.encode(), name="x.csv", sha256="", required=["a", "b", "c"]) for text in (plain, quoted)
    )
    pd.testing.assert_frame_equal(first.rows, second.rows, check_index_type=False)
    assert first.unreadable["source_row"].tolist() == second.unreadable["source_row"].tolist()
    assert first.unreadable["reason"].tolist() == second.unreadable["reason"].tolist()


@settings(max_examples=15)
@given(
    st.data(),
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["2025-01", "2025-02"]), st.sampled_from(["", "2025-03"])),
        min_size=1,
        max_size=10,
    ),
)
def test_no_order_of_sightings_changes_the_addresses(data, sightings):
    lines = [f"{450_000 + 10 * at},450000,{first},{last}" for at, first, last in sightings]
    seen = []
    for rows in (lines, data.draw(st.permutations(lines))):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "c.csv"
            path.write_text("\n".join(["x,y,first_seen,last_seen", *rows]) + "\n")
            reading = read_cuckooing(path, columns={"last_seen": "last_seen"}, not_after=LIMIT)
        points = reading.table
        seen.append((points.reveal_for("area_counts")[0].tolist(), points.months_for("area_counts").tolist()))
        assert reading.accounts[0].n_accepted == len(points) == len({at for at, _, _ in sightings})
    assert seen[0] == seen[1]
