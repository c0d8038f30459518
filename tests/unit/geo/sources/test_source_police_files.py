"""Which files of a folder are read, and what the account says of the others; which months a force lacks."""

import gzip
import io
import zipfile

import pandas as pd
import pytest

from geo.errors import InputError, ResourceError
from geo.sources.coverage import describe_coverage, measure_coverage, measure_published
from geo.sources.police_files import account_unread_files, find_street_files
from geo.sources.police_uk import read_police_uk

HEADER = "Crime ID,Month,Reported by,Longitude,Latitude,Location,LSOA code,Crime type"


def content(month="2025-01", force="Alpha Police", ids=("a",), kind="Drugs"):
    rows = [f"{force}-{month}-{each},{month},{force},-1.0931,53.9583,On or near A Street,E01,{kind}" for each in ids]
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.mark.parametrize(
    "name",
    [
        "2025-02-North-Yorkshire-Street.CSV",
        "2025-02-x-street (1).csv",
        "2025-02-x-street - Copy.csv",
        "2025-02-x-street - Copy (2).csv",
        "Copy of 2025-02-x-street.csv",
        "2025-02-x-street_1.csv",
        "2025-02-x-street.csv.GZ",
        "2025-02-x-street.Csv",
    ],
)
def test_names_that_systems_and_people_make_of_a_street_file_are_taken(tmp_path, name):
    data = content("2025-02").encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.lower().endswith("gz") else data)
    (tmp_path / "2025-01-x-street.csv").write_text(content())
    reading = read_police_uk([tmp_path])
    assert sorted(reading.table["month"].astype(str)) == ["2025-01", "2025-02"]
    assert account_unread_files([tmp_path]) == ()


def test_files_that_are_not_read_are_counted_and_named(tmp_path):
    (tmp_path / "2025-01-x-street.csv").write_text(content())
    for name in (
        *("2025-01-x-outcomes.csv", "2025-02-x-outcomes.csv", "2025-01-x-stop-and-search.csv"),
        *("._2025-01-x-street.csv", "~$2025-01-x-street.csv", ".DS_Store", "2025-03-x-street.xlsx", "broken.zip"),
        *(f"notes{n:02d}.txt" for n in range(8)),
    ):
        (tmp_path / name).write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "2025-02-x-street.csv").write_text("x")
    assert [path.name for path in find_street_files([tmp_path])] == ["2025-01-x-street.csv"]
    (account,) = account_unread_files([tmp_path])
    assert (account.source_file, account.n_read) == (f"{tmp_path.name}/", 0)
    (sentence,) = account.warnings
    assert sentence == (
        f"17 files of folder {tmp_path.name!r} were not read: 2 of outcomes, 1 of stops and searches, .DS_Store, "
        "._2025-01-x-street.csv, 2025-02-x-street.csv, 2025-03-x-street.xlsx, broken.zip, notes00.txt, notes01.txt, "
        "notes02.txt, notes03.txt, notes04.txt, 4 more."
    )
    assert read_police_uk([tmp_path]).accounts[-1] == account


def archive(path, members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in members.items():
            opened.writestr(name, text)
    path.write_bytes(buffer.getvalue())
    return path


def test_the_archive_as_it_is_downloaded_is_read_by_its_street_members(tmp_path):
    members = {
        "2025-01/": "",
        "2025-01/2025-01-x-street.csv": content(),
        "2025-01/2025-01-x-outcomes.csv": "x",
        "2025-02/2025-02-x-street.csv": content("2025-02", ids="ab"),
        "__MACOSX/2025-01/._2025-01-x-street.csv": "x",
    } | {f"2025-03/2025-03-f{n}-outcomes.csv": "x" for n in range(60)}
    path = archive(tmp_path / "2025-06.zip", members)
    assert find_street_files([tmp_path]) == [path]
    reading = read_police_uk([tmp_path])
    assert len(reading.table) == 3
    assert reading.accounts[0].source_file == "2025-06.zip:2025-01-x-street.csv"
    # The same file outside the archive is known by its bytes, and an older download of a month gives way.
    (tmp_path / "2025-01-x-street.csv").write_text(content())
    (tmp_path / "2025-02").mkdir()
    (tmp_path / "2025-02" / "2025-02-x-street.csv").write_text(content("2025-02", ids="abc").replace("E01", "E02"))
    both = read_police_uk([tmp_path])
    assert len(both.table) == 4
    assert set(both.table.loc[both.table["month"] == pd.Period("2025-02"), "lsoa_code"]) == {"E01", "E02"}
    told = {account.source_file: account.warnings for account in both.accounts}
    assert (
        "its bytes are those of 2025-01-x-street.csv; it was not read again." in told[reading.accounts[0].source_file]
    )
    assert (
        "2 of its rows stand in 2025-06.zip:2025-02-x-street.csv too and count there, as it is of the newer download "
        "(2025-06)." in told["2025-02-x-street.csv"]
    )


def test_archives_of_other_things_are_passed_over_in_a_folder_and_refused_where_named(tmp_path):
    (tmp_path / "2025-01-x-street.csv").write_text(content())
    other = archive(tmp_path / "other.zip", {"2025-01/2025-01-x-outcomes.csv": "x"})
    assert len(read_police_uk([tmp_path]).table) == 1
    assert "other.zip" in account_unread_files([tmp_path])[0].warnings[0]
    with pytest.raises(InputError, match=r"other\.zip: it holds no street file, expected one such as"):
        read_police_uk([other])
    away = archive(tmp_path / "away.zip", {"../2025-01-x-street.csv": content()})
    with pytest.raises(InputError, match="leads out of the archive, expected plain distinct files"):
        read_police_uk([away])
    bomb = archive(tmp_path / "bomb.zip", {"2025-01/2025-01-x-street.csv": "x" * 2**22})
    with pytest.raises(ResourceError, match="expands over 200 times"):
        read_police_uk([bomb])


def test_months_that_one_force_lacks_while_another_has_them_are_told(tmp_path):
    for month in ("2025-01", "2025-02", "2025-03", "2025-05"):
        (tmp_path / f"{month}-alpha-street.csv").write_text(content(month))
    for month in ("2025-01", "2025-04"):
        (tmp_path / f"{month}-beta-street.csv").write_text(content(month, "Beta Police", kind="Robbery"))
    reading = read_police_uk([tmp_path], crime_types={"Drugs"})
    coverage = measure_coverage(reading.published)
    assert coverage["n_months"].tolist() == [4, 2]
    assert coverage["first_month"].astype(str).tolist() == ["2025-01", "2025-01"]
    assert coverage["last_month"].astype(str).tolist() == ["2025-05", "2025-04"]
    assert describe_coverage(coverage) == [
        "Alpha Police has no rows for 2025-04 (1 month)",
        "Beta Police has no rows for 2025-02 to 2025-03, 2025-05 (3 months)",
    ]
    # Judged by the table of one crime type a quiet month would be a missing one.
    assert describe_coverage(measure_coverage(reading.table)) == ["Alpha Police has no rows for 2025-04 (1 month)"]


def test_rows_that_cannot_be_used_cover_nothing_and_forces_elsewhere_are_not_told(tmp_path):
    text = content("2025-01") + "".join(content("2025-03").splitlines()[1]).replace("Drugs", "Jaywalking") + "\n"
    (tmp_path / "2025-01-alpha-street.csv").write_text(text)
    assert read_police_uk([tmp_path]).published["month"].astype(str).tolist() == ["2025-01"]
    far = pd.DataFrame({"force": ["Far", "Near", "Near"], "month": "2025-01", "is_near": [False, False, True]})
    assert measure_published([far])[["force", "n_rows"]].to_numpy().tolist() == [["Near", 2]]
    assert describe_coverage(measure_coverage(measure_published([]))) == []


@pytest.mark.real
def test_british_transport_police_stops_while_gwent_goes_on(real_data):
    reading = read_police_uk([real_data / "crime" / "btp", real_data / "crime" / "gwent"])
    asked = {"first_month": pd.Period("2020-01", "M"), "last_month": pd.Period("2025-09", "M")}
    told = describe_coverage(measure_coverage(reading.published, **asked))
    assert told[0] == "British Transport Police has no rows for 2020-02 to 2025-09 (68 months)"
    assert told[1].startswith("Gwent Police has no rows for 2020-01 to 2024-12")
