import gzip

import pandas as pd
import pytest
import shapely

from geo.errors import InputError
from geo.sources.harm import default_harm_weights
from geo.sources.police_uk import read_police_uk

HEADER = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,"
    "Last outcome category,Context"
)
FORCE = "North Yorkshire Police"


def row(
    crime_id="",
    month="2025-01",
    lon="-1.093100",
    lat="53.958300",
    location="On or near A Street",
    kind="Drugs",
    outcome="",
):
    return f"{crime_id},{month},{FORCE},{FORCE},{lon},{lat},{location},E01013335,York 012A,{kind},{outcome},"


def write(folder, rows, name="2025-01-x-street.csv"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([HEADER, *rows]) + "\n")
    return folder / name


def test_the_traps_of_the_format_are_kept_and_counted(tmp_path):
    path = write(
        tmp_path,
        [
            row(kind="Anti-social behaviour"),
            row(kind="Anti-social behaviour"),
            row("a1", outcome="Under investigation"),
            row("a1", outcome="Unable to prosecute suspect"),
            row("a2", location="On or near Police Station"),
            row("a3", lon="", lat="", location="No Location"),
        ],
    )
    reading = read_police_uk([path], harm=default_harm_weights())
    table = reading.table
    assert len(table) == 6
    assert table.index.is_unique
    assert table["month"].eq(pd.Period("2025-01")).all()
    assert table["occurred_from_at"].isna().all()
    assert (table["time_precision"] == "month").all()
    assert table["provenance"].value_counts().to_dict() == {"unknown": 5, "custody_location": 1}
    nowhere = table[table["location_precision"] == "none"]
    assert nowhere["easting_m"].isna().all()
    assert nowhere["location"].tolist() == ["No Location"]
    by_type = table.groupby("crime_type")[["harm_weight_days", "harm_basis"]].first()
    assert by_type.loc["Drugs"].tolist() == [3.0, "category"]
    assert by_type.loc["Anti-social behaviour", "harm_basis"] == "none"
    assert pd.isna(by_type.loc["Anti-social behaviour", "harm_weight_days"])
    (account,) = reading.accounts
    assert [sentence.split()[0] for sentence in account.warnings] == ["1", "1", "1"]
    assert "repeat a crime id" in account.warnings[2]


def test_bad_rows_go_to_quarantine_with_their_line_and_value(tmp_path):
    path = write(
        tmp_path,
        [
            row(),
            row(lon="53.9583", lat="-1.0931"),
            row(kind="Jaywalking"),
            row(month="2031-01"),
            row(month="Jan 2025"),
            row(lon="0", lat="0"),
            *[row(f"b{n}") for n in range(3)],
        ],
    )
    reading = read_police_uk([path], not_after=pd.Period("2025-12"))
    faults = reading.quarantine[["source_row", "reason", "field", "value"]].to_numpy().tolist()
    assert faults == [
        [3, "swapped_coordinates", "Longitude", "53.9583"],
        [4, "unknown_crime_type", "Crime type", "Jaywalking"],
        [5, "future_date", "Month", "2031-01"],
        [6, "unreadable_date", "Month", "Jan 2025"],
        [7, "null_island", "Longitude", "0"],
    ]
    assert len(reading.table) == 4


def test_other_crime_types_are_out_of_scope_not_lost(tmp_path):
    path = write(tmp_path, [row(), row(kind="Burglary"), row(kind="Robbery")])
    reading = read_police_uk([path], crime_types={"Drugs", "Robbery"})
    assert sorted(reading.table["crime_type"]) == ["Drugs", "Robbery"]
    assert reading.accounts[0].n_by_reason == (("out_of_scope", "crime_type_not_asked_for", 1),)


def test_folders_of_months_are_searched_and_gzip_is_read(tmp_path):
    write(tmp_path / "2025-01", [row()], "2025-01-x-street.csv")
    write(tmp_path / "2025-01", [row()], "2025-01-x-outcomes.csv")
    (tmp_path / "2025-02").mkdir()
    (tmp_path / "2025-02" / "2025-02-x-street.csv.gz").write_bytes(
        gzip.compress(f"{HEADER}\n{row(month='2025-02')}\n".encode())
    )
    reading = read_police_uk([tmp_path, tmp_path / "2025-01" / "2025-01-x-street.csv"])
    *read, unread = reading.accounts
    assert [account.source_file for account in read] == ["2025-01-x-street.csv", "2025-02-x-street.csv.gz"]
    assert unread.n_read == 0
    assert unread.warnings == (f"1 file of folder {tmp_path.name!r} was not read: 1 of outcomes.",)
    assert sorted(reading.table["month"].astype(str)) == ["2025-01", "2025-02"]


def test_the_same_bytes_twice_are_read_once(tmp_path):
    first = write(tmp_path / "a", [row()])
    again = write(tmp_path / "b", [row()])
    reading = read_police_uk([first, again])
    assert len(reading.table) == 1
    assert [account.n_read for account in reading.accounts] == [1, 0]
    assert "its bytes are those of 2025-01-x-street.csv; it was not read again." in reading.accounts[1].warnings


def test_overlapping_files_count_a_record_once_and_ties_within_a_file_twice(tmp_path):
    first = write(tmp_path / "a", [row(), row(), row("a1")])
    second = write(tmp_path / "b", [row(), row(), row(), row("a1", outcome="Charged"), row("a2")])
    reading = read_police_uk([first, second])
    swapped = read_police_uk([second, first])
    assert len(reading.table) == 5
    assert set(reading.quarantine["reason"]) == {"same_record_in_other_file"}
    assert len(reading.quarantine) == 3
    pd.testing.assert_frame_equal(reading.table, swapped.table)


def test_two_files_of_one_name_keep_their_rows_apart(tmp_path):
    bad = row(kind="Jaywalking")
    reading = read_police_uk([write(tmp_path / "a", [row(), bad]), write(tmp_path / "b", [row("a2"), bad])])
    assert reading.quarantine.index.is_unique
    assert len(reading.quarantine) == 2
    assert len({account.source_file for account in reading.accounts}) == 2


def test_provenance_by_crime_type_is_a_choice_and_custody_comes_first(tmp_path):
    path = write(tmp_path, [row(), row(kind="Burglary"), row("a", location="On or near Prison")])
    table = read_police_uk([path], provenance_by_crime_type={"Drugs": "police_proactive"}).table
    assert sorted(table["provenance"]) == ["custody_location", "police_proactive", "unknown"]


def test_wrong_files_are_refused_in_one_sentence(tmp_path):
    page = tmp_path / "2025-01-x-street.csv"
    page.write_text("<html><body>Not found</body></html>")
    with pytest.raises(InputError, match=r"2025-01-x-street\.csv: it is a web page"):
        read_police_uk([page])
    with pytest.raises(InputError, match="police_uk: 'nowhere' does not exist"):
        read_police_uk([tmp_path / "nowhere"])
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="police_uk: no street file in 'none'"):
        read_police_uk([tmp_path / "none"])
    page.write_text(HEADER.replace("Crime type", "Crime kind") + "\n" + row() + "\n")
    with pytest.raises(InputError, match=r"column 'Crime type' is missing.*Near: .*'Crime kind'"):
        read_police_uk([page])
    write(tmp_path, [row(lon="459600", lat="451700")])
    with pytest.raises(InputError, match=r"1 of 1 rows are 'grid_metres_in_degrees'.*Declare the crs as EPSG:27700"):
        read_police_uk([page])


def test_no_row_in_scope_gives_an_empty_table(tmp_path):
    reading = read_police_uk([write(tmp_path, [row()])], crime_types={"Robbery"})
    assert len(reading.table) == 0
    assert len(reading.quarantine) == 1


@pytest.mark.parametrize(
    "change", [{"kind": "Robbery"}, {"lon": "-1.2"}, {"location": "On or near B Street"}, {"crime_id": "z"}]
)
def test_records_that_differ_in_any_field_are_two_records(tmp_path, change):
    reading = read_police_uk([write(tmp_path / "a", [row()]), write(tmp_path / "b", [row(**change)])])
    assert len(reading.table) == 2


def test_the_file_of_the_railway_police_is_of_the_whole_country_and_most_of_it_out_of_scope(tmp_path):
    """One file a month for all stations: what lies elsewhere is no fault, and neither is it evidence."""
    rows = [row("b1"), row("b2", lon="-0.1238", lat="51.5308"), row("b3", lon="-4.2583", lat="55.8597")]
    rows = [line.replace(FORCE, "British Transport Police") for line in [*rows, row("b4", lon="", lat="")]]
    path = write(tmp_path, rows, name="2025-01-btp-street.csv")
    reading = read_police_uk([path], force_area=shapely.box(440_000, 440_000, 480_000, 470_000))
    (account,) = reading.accounts
    assert account.n_by_reason == (("out_of_scope", "beyond_the_force", 2), ("out_of_scope", "no_position", 1))
    assert len(reading.table) == 1
    assert reading.published["n_rows"].tolist() == [4]
    everywhere = read_police_uk([path])
    assert len(everywhere.table) == 4


IDS = {
    "capitals": str.upper,
    "an apostrophe": lambda text: f"'{text}",
    "none": lambda _: "",
}


@pytest.mark.parametrize("write_id", IDS.values(), ids=IDS)
def test_a_month_whose_ids_another_download_writes_otherwise_counts_once(tmp_path, write_id):
    codes = [f"abc{k}" for k in range(6)]
    first = [row(code, location=f"On or near {k} Street") for k, code in enumerate(codes)]
    again = [row(write_id(code), location=f"On or near {k} Street") for k, code in enumerate(codes)]
    name = "2025-01-north-yorkshire-street.csv"
    write(tmp_path / "2025-02", first, name)
    write(tmp_path / "2025-06", again, name)
    assert len(read_police_uk([tmp_path]).table) == 6


def test_columns_are_known_whatever_their_capitals_and_blanks(tmp_path):
    path = write(tmp_path, [row("a1"), row("a2")])
    whole = read_police_uk([path]).table
    header = (
        HEADER.replace("Crime ID", "crime_id").replace("Reported by", "Reported By").replace("Crime type", "CRIME TYPE")
    )
    path.write_text("\n".join([header, row("a1"), row("a2")]) + "\n")
    reading = read_police_uk([path])
    pd.testing.assert_frame_equal(reading.table, whole)
    assert "column 'crime_id' is read as 'Crime ID'." in reading.accounts[0].warnings


def test_a_row_of_a_territorial_force_far_from_it_is_at_fault(tmp_path):
    path = write(tmp_path, [row("a1"), row("a2"), row("a3"), row("a4", lon="-0.1238", lat="51.5308")])
    reading = read_police_uk([path], force_area=shapely.box(440_000, 440_000, 480_000, 470_000))
    assert reading.accounts[0].n_by_reason == (("quarantined", "out_of_area", 1),)
