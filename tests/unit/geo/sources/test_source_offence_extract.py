import pandas as pd
import pytest

from geo.crs import METRIC
from geo.errors import CrsError, DisclosureError, InputError, UsageError
from geo.sources.extract_records import merge_extracts
from geo.sources.harm import read_harm_weights
from geo.sources.offence_extract import read_offence_extract

COLUMNS = {
    "offence_id": "Ref",
    "crime_type": "Offence",
    "occurred_from": "From",
    "occurred_to": "To",
    "recorded_on": "Recorded",
    "x": "Easting",
    "y": "Northing",
    "location": "Where",
    "provenance": "How",
    "offence_code": "Code",
}
HEADER = "Ref,Offence,From,To,Recorded,Easting,Northing,Where,How,Code"
GOOD = "r{n},Drugs,2025-03-01,2025-03-02,2025-03-05,459600,451700,1 Acacia Avenue,999 call,92D"


def read(tmp_path, lines, header=HEADER, **options):
    path = tmp_path / "extract.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    settings = {"columns": COLUMNS, "force": "Test Police", "crs": METRIC, "not_after": pd.Period("2025-12")} | options
    return read_offence_extract(path, **settings)


def test_a_good_row_comes_out_whole(tmp_path):
    (tmp_path / "harm.csv").write_text("code,days\n92D,236.2\n")
    harm = read_harm_weights(tmp_path / "harm.csv", key_column="code", weight_column="days").table
    reading = read(tmp_path, [GOOD.format(n=1)], provenance_by_value={"999 call": "public_report"}, harm=harm)
    (record,) = reading.table.to_dict("records")
    assert record["month"] == pd.Period("2025-03")
    assert record["occurred_from_at"] == pd.Timestamp("2025-03-01", tz="UTC")
    assert record["occurred_to_at"] == pd.Timestamp("2025-03-03", tz="UTC")
    assert (record["time_precision"], record["location_precision"]) == ("day", "exact")
    assert (record["provenance"], record["force"]) == ("public_report", "Test Police")
    assert (record["harm_weight_days"], record["harm_basis"]) == (236.2, "code")
    assert (record["easting_m"], record["northing_m"]) == (459_600, 451_700)
    assert "r1" not in str(reading.table.index[0])


def test_amended_and_copied_records_count_once(tmp_path):
    copy, old = GOOD.format(n=1), GOOD.format(n=2)
    new = old.replace("2025-03-05", "2025-03-09").replace("459600", "459601")
    unclear = [GOOD.format(n=3), GOOD.format(n=3).replace("459600", "459602")]
    reading = read(tmp_path, [copy, copy, old, new, *unclear])
    assert len(reading.table) == 3
    assert reading.accounts[0].n_by_reason == (
        ("duplicate", "same_record_again", 1),
        ("quarantined", "contradictory_record", 1),
        ("quarantined", "superseded", 1),
    )
    turned = read(tmp_path, [*unclear[::-1], new, old, copy, copy])
    pd.testing.assert_frame_equal(reading.table.drop(columns="source_row"), turned.table.drop(columns="source_row"))


def test_another_type_or_code_of_one_number_is_another_offence(tmp_path):
    drugs = GOOD.format(n=1)
    lines = [drugs, drugs.replace("Drugs", "Weapons"), drugs.replace("92D", "92A"), GOOD.format(n=2)]
    reading = read(tmp_path, lines)
    assert sorted(reading.table["crime_type"]) == ["Drugs", "Drugs", "Drugs", "Weapons"]
    assert reading.table.index.is_unique
    # The id of an offence does not depend on what else stands under its number.
    assert set(read(tmp_path, lines[:1]).table.index) < set(reading.table.index)


def extracts(tmp_path, *parts, **options):
    found = []
    for k, lines in enumerate(parts):
        (tmp_path / str(k)).mkdir(exist_ok=True)
        found.append(read(tmp_path / str(k), lines, **options))
    return found


def test_extracts_that_overlap_are_put_together_by_the_rules_of_one(tmp_path):
    first = [GOOD.format(n=n) for n in range(6)]
    later = GOOD.format(n=4).replace("2025-03-05", "2025-03-09").replace("459600", "459601")
    odd = GOOD.format(n=5).replace("459600", "459777")
    second = [GOOD.format(n=3), later, odd, GOOD.format(n=3).replace("Drugs", "Weapons"), GOOD.format(n=7)]
    readings = extracts(tmp_path, first, second)
    merged = merge_extracts(readings)
    assert len(merged.table) == 8
    assert merged.table.index.is_unique
    assert merged.quarantine.index.is_unique
    assert sorted(merged.quarantine["reason"]) == ["contradictory_record", "same_record_in_other_file", "superseded"]
    assert [account.n_read for account in merged.accounts] == [6, 5]
    assert sum(account.n_accepted for account in merged.accounts) == 8
    assert 459_601 in set(merged.table["easting_m"])
    turned = merge_extracts(readings[::-1])
    pd.testing.assert_frame_equal(merged.table, turned.table)
    whole = read(tmp_path, [*first, *second])
    assert merged.table.index.equals(whole.table.index)
    assert merged.table["easting_m"].tolist() == whole.table["easting_m"].tolist()


def test_one_extract_twice_and_extracts_without_ids_count_the_most_of_one(tmp_path):
    columns = {key: value for key, value in COLUMNS.items() if key not in {"offence_id", "recorded_on"}}
    equal = GOOD.format(n=1)
    merged = merge_extracts(extracts(tmp_path, [equal, equal], [equal], [equal, GOOD.format(n=2)], columns=columns))
    assert len(merged.table) == 2
    assert len(merge_extracts(extracts(tmp_path, [equal], [equal])).table) == 1
    with pytest.raises(UsageError, match="offences: no extract is given, expected at least one"):
        merge_extracts([])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2025-03-01,2025-03-02", "2025-03-02,2025-03-01", "'end_before_start', .* Swap occurred_from and occurred_to"),
        ("Drugs", "", "'no_crime_type', .* Map crime_type to the column that holds them"),
        ("r1", "", "'no_offence_id', .* Map offence_id to the column"),
        ("2025-03-01", "45717", "Excel's numbers of days .* where 'occurred_from' is '45717'"),
        ("2025-03-05", "soon", "'unreadable_date', .* Check occurred_to and recorded_on"),
    ],
)
def test_a_fault_of_most_rows_names_the_setting_to_mend(tmp_path, old, new, words):
    lines = [GOOD.format(n=1).replace(old, new).replace("459600", str(459_600 + n)) for n in range(4)]
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, lines)
    assert "4596" not in str(caught.value)


def test_ids_that_number_areas_and_not_crimes_are_refused(tmp_path):
    lines = [GOOD.format(n=1).replace("459600", str(459_600 + n)) for n in range(4)]
    with pytest.raises(
        InputError, match=r"3 of 4 rows are 'contradictory_record', .* The ids look like no crime number"
    ):
        read(tmp_path, lines)


def test_a_scope_that_no_row_is_in_is_said_with_the_types_there_are(tmp_path):
    reading = read(tmp_path, [GOOD.format(n=1)], crime_types={"drugs"})
    assert reading.accounts[0].warnings[-1] == "no row has a crime type that is asked for; the file has 'Drugs'."


def test_without_ids_equal_rows_are_separate(tmp_path):
    columns = {key: value for key, value in COLUMNS.items() if key not in {"offence_id", "recorded_on"}}
    reading = read(tmp_path, [GOOD.format(n=1)] * 2, columns=columns)
    assert len(reading.table) == 2


def test_faults_of_time_and_place_are_rejected_without_showing_the_place(tmp_path):
    lines = [
        *[GOOD.format(n=n) for n in range(5)],
        GOOD.format(n=11).replace("2025-03-02", "2025-02-27"),
        GOOD.format(n=12).replace("2025-03-01", "2025-02-30"),
        GOOD.format(n=13).replace("2025-03-01", "2026-03-01"),
        GOOD.format(n=14).replace("459600", "-1.093"),
        GOOD.format(n=15).replace("Drugs", ""),
        GOOD.format(n="").replace("r,", ","),
    ]
    reading = read(tmp_path, lines)
    assert reading.quarantine["reason"].tolist() == [
        "end_before_start",
        "unreadable_date",
        "future_date",
        "outside_grid",
        "no_crime_type",
        "no_offence_id",
    ]
    shown = reading.quarantine.to_csv()
    assert "2025-02-30" in shown
    assert not any(secret in shown for secret in ("-1.093", "459600", "451700", "Acacia", "r14"))


def test_unmapped_provenance_and_custody_are_counted(tmp_path):
    lines = [GOOD.format(n=1), GOOD.format(n=2).replace("1 Acacia Avenue", "York Police Station front desk")]
    reading = read(tmp_path, lines)
    assert sorted(reading.table["provenance"]) == ["custody_location", "unknown"]
    sentences = " ".join(reading.accounts[0].warnings)
    assert "2 rows have a provenance that no setting maps" in sentences
    assert "1 rows are at police stations" in sentences


def test_a_crowded_point_is_pointed_out(tmp_path):
    spread = [GOOD.format(n=n).replace("459600", str(459_700 + 10 * n)) for n in range(40)]
    reading = read(tmp_path, [*spread, *[GOOD.format(n=100 + n) for n in range(25)]])
    assert any("1 points hold over 1 % of the rows each, 25 rows in all" in s for s in reading.accounts[0].warnings)
    few = read(tmp_path, [*spread, *[GOOD.format(n=100 + n) for n in range(15)]])
    assert not any("points hold" in sentence for sentence in few.accounts[0].warnings)


def test_blank_positions_are_kept_for_totals(tmp_path):
    reading = read(tmp_path, [GOOD.format(n=1), GOOD.format(n=2).replace("459600,451700", ",")])
    assert sorted(reading.table["location_precision"]) == ["exact", "none"]


def test_settings_that_cannot_be_meant_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"column mapping names 'occured_from', .* Did you mean 'occurred_from'\?"):
        read(tmp_path, [GOOD.format(n=1)], columns=COLUMNS | {"occured_from": "From"})
    with pytest.raises(UsageError, match="column mapping uses 'Easting' for two fields"):
        read(tmp_path, [GOOD.format(n=1)], columns=COLUMNS | {"y": "Easting"})
    with pytest.raises(UsageError, match="location_precision: it is 'good', expected one of exact, snapped"):
        read(tmp_path, [GOOD.format(n=1)], location_precision="good")
    with pytest.raises(UsageError, match="provenance_by_value: it maps to 'public', expected one of public_report"):
        read(tmp_path, [GOOD.format(n=1)], provenance_by_value={"999 call": "public"})
    with pytest.raises(CrsError, match="crs: it is 'EPSG:2913'"):
        read(tmp_path, [GOOD.format(n=1)], crs="EPSG:2913")
    with pytest.raises(InputError, match="column 'Easting' is missing"):
        read(tmp_path, [GOOD.format(n=1)], header=HEADER.replace("Easting", "X"))
    with pytest.raises(DisclosureError, match="column 'Suspect DOB' seems to describe a person"):
        read(tmp_path, [GOOD.format(n=1) + ",x"], header=HEADER + ",Suspect DOB")


def test_degrees_in_the_metre_columns_are_refused(tmp_path):
    with pytest.raises(InputError, match="Declare the crs as EPSG:4326"):
        read(tmp_path, [GOOD.format(n=1).replace("459600,451700", "-1.0931,53.9583")])
