"""Laws of downloads: however often and in whatever form a month is published, an offence counts once."""

import random
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.sources.police_uk import read_police_uk

COLUMNS = [
    "Crime ID",
    "Month",
    "Reported by",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "Crime type",
    "Last outcome category",
]
LIMIT = pd.Period("2025-12")


def month_of(rng, *, month="2025-01", n_ids=20, n_anonymous=8):
    """One month of a force: records, some of several offences, and rows without an id, some of them equal."""
    ids = [f"{month}-{k}" for k in range(n_ids) for _ in range(rng.choice([1, 1, 1, 2]))]
    rows = [[each, month, "Force", *place(rng), f"E{rng.randrange(5)}", "Drugs", "Open"] for each in ids]
    quiet = [["", month, "Force", *place(rng), f"E{rng.randrange(5)}", "Burglary", ""] for _ in range(n_anonymous)]
    return rows + quiet


def place(rng):
    k = rng.randrange(4)
    return f"{-1.1 + k / 100:.4f}", f"{53.9 + k / 100:.4f}", f"On or near Street {k}"


def recode(rng, rows, changes):
    """Another download of the same rows."""
    new = [list(row) for row in rows]
    for row in new:
        if "area" in changes and rng.random() < 0.5:
            row[6] = f"E9{row[6]}"
        if "snap" in changes and rng.random() < 0.5:
            row[3], row[5] = f"{float(row[3]) + 0.002:.4f}", "On or near Another Street"
        if "force" in changes:
            row[2] = "New Force"
        if "category" in changes and row[0] and rng.random() < 0.5:
            row[7] = "Other crime"
        if "outcome" in changes:
            row[8] = "Closed"
    if "order" in changes:
        rng.shuffle(new)
    return new


def write(folder, where, rows):
    path = Path(folder) / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([",".join(COLUMNS), *map(",".join, rows)]) + "\n")
    return path


@settings(max_examples=14)
@given(
    st.integers(0, 10**6),
    st.sets(st.sampled_from(["area", "snap", "force", "category", "outcome", "order"])),
    st.sampled_from(
        [
            ("2025-06/2025-01-x-street.csv", "2025-01/2025-01-x-street.csv"),
            ("2024-12/2025-01-x-street.csv", "2025-06/2025-01-x-street.csv"),
            ("a/2025-01-x-street.csv", "b/2025-01-x-street.csv"),
            ("2025-01-x-street.csv", "2025-01-x-street (1).csv"),
            ("2025-01-x-street.csv", "2025-01-new-name-street.csv"),
            ("2025-01-x-street.csv", "2025-01-street.csv"),
            ("2025-06/2025-03/2025-01-x-street.csv", "2025-09/2025-03/2025-01-x-street.csv"),
        ]
    ),
)
def test_a_month_downloaded_twice_counts_once(seed, changes, names):
    rng = random.Random(seed)  # noqa: S311 - no secret
    rows = month_of(rng)
    newer = recode(rng, rows, changes)
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(folder, name, each) for name, each in zip(names, (rows, newer), strict=True)]
        alone = [read_police_uk([path], not_after=LIMIT).table for path in paths]
        both = read_police_uk(paths, not_after=LIMIT)
        turned = read_police_uk(paths[::-1], not_after=LIMIT)
        folder_read = read_police_uk([Path(folder)], not_after=LIMIT)
    assert len(both.table) == len(rows)
    pd.testing.assert_frame_equal(both.table, turned.table)
    pd.testing.assert_frame_equal(both.table, folder_read.table)
    # One download is taken whole, so the ids are those that it has by itself.
    assert any(both.table.index.equals(table.index) for table in alone)
    assert sum(account.n_read for account in both.accounts) in {len(rows), 2 * len(rows)}


@settings(max_examples=8)
@given(st.integers(0, 10**6), st.integers(1, 19), st.integers(0, 8))
def test_a_month_cut_in_two_counts_whole(seed, n_ids, n_anonymous):
    rng = random.Random(seed)  # noqa: S311 - no secret
    rows = month_of(rng)
    ids, anonymous = [row for row in rows if row[0]], [row for row in rows if not row[0]]
    mine = [row for row in ids if int(row[0].rpartition("-")[2]) < n_ids]
    parts = (
        mine + anonymous[:n_anonymous],
        [row for row in ids if row not in mine] + anonymous[n_anonymous:],
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(folder, f"{k}/2025-01-x-street.csv", part) for k, part in enumerate(parts)]
        whole = read_police_uk([write(folder, "all.csv", rows)], not_after=LIMIT).table
        both = [read_police_uk(order, not_after=LIMIT).table for order in (paths, paths[::-1])]
    assert both[0].index.equals(whole.index)
    pd.testing.assert_frame_equal(both[0], both[1])


@pytest.mark.parametrize("changes", [(), ("area", "snap", "force", "order")])
def test_an_excerpt_beside_the_whole_adds_nothing(tmp_path, changes):
    rng = random.Random(7)  # noqa: S311 - no secret
    rows = month_of(rng)
    drugs = recode(rng, [row for row in rows if row[0]][:6], changes)
    for excerpt in ("2025-09/2025-01-x-street.csv", "2025-01-street.csv"):
        paths = [write(tmp_path, "2025-06/2025-01-x-street.csv", rows), write(tmp_path, excerpt, drugs)]
        reading = read_police_uk(paths, not_after=LIMIT)
        assert len(reading.table) == len(rows)
        assert set(reading.quarantine["reason"]) == {"same_record_in_other_file"}


def test_three_downloads_of_one_month_count_the_newest(tmp_path):
    rng = random.Random(8)  # noqa: S311 - no secret
    rows = month_of(rng)
    every = {"area", "snap", "force", "category", "outcome", "order"}
    paths = [
        write(tmp_path, f"{month}/2025-01-x-street.csv", recode(rng, rows, every)) for month in ("2025-02", "2025-03")
    ]
    paths.append(write(tmp_path, "2025-07/2025-01-x-street.csv", recode(rng, rows, every)))
    newest = read_police_uk(paths[2:], not_after=LIMIT).table
    reading = read_police_uk(paths, not_after=LIMIT)
    assert reading.table.index.equals(newest.index)
    assert "as it is of the newer download (2025-07)." in reading.accounts[0].warnings[0]


def test_two_forces_with_rows_alike_both_count(tmp_path):
    rows = [["", "2025-01", force, *place(random.Random(1)), "E1", "Drugs", ""] for force in ("A", "B")]  # noqa: S311
    paths = [write(tmp_path, f"2025-01-{row[2]}-street.csv", [row]) for row in rows]
    assert len(read_police_uk(paths, not_after=LIMIT).table) == 2


def test_a_record_that_is_only_in_the_older_download_is_kept(tmp_path):
    rng = random.Random(9)  # noqa: S311 - no secret
    rows = month_of(rng)
    newer = [row for row in rows if row[0] != "2025-01-3"]
    paths = [write(tmp_path, "2025-01/2025-01-x-street.csv", rows)]
    paths.append(write(tmp_path, "2025-02/2025-01-x-street.csv", recode(rng, newer, {"area", "snap"})))
    assert len(read_police_uk(paths, not_after=LIMIT).table) == len(rows)
