import pandas as pd
import pytest

from geo.errors import DisclosureError
from geo.sensitive import SensitivePoints
from geo.sources.cuckooing import _merge_sightings, read_cuckooing

COLUMNS = {"x": "E", "y": "N", "first_seen": "from", "last_seen": "to", "address_id": "uprn"}


def read(tmp_path, lines, header="uprn,E,N,from,to", columns=COLUMNS):
    path = tmp_path / "cuckooing.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return read_cuckooing(path, columns=columns, not_after=pd.Period("2025-12"))


def test_sightings_of_one_address_become_one_and_order_does_not_matter(tmp_path):
    lines = ["1,459600,451700,2025-03,", "1,459600,451700,2025-01,2025-02", "2,459700,451800,2025-05,"]
    reading = read(tmp_path, lines)
    assert isinstance(reading.table, SensitivePoints)
    easting_m, northing_m = reading.table.reveal_for("area_counts")
    assert easting_m.tolist() == [459_600, 459_700]
    assert northing_m.tolist() == [451_700, 451_800]
    assert reading.table.months_for("area_counts").astype(str).tolist() == ["2025-01", "2025-05"]
    assert reading.accounts[0].n_by_reason == (("duplicate", "same_address_again", 1),)
    assert reading.accounts[0].n_accepted == len(reading.table) == 2
    shuffled = read(tmp_path, lines[::-1])
    assert shuffled.table.reveal_for("area_counts")[0].tolist() == easting_m.tolist()


def test_without_ids_the_position_is_the_address(tmp_path):
    columns = {key: value for key, value in COLUMNS.items() if key != "address_id"}
    reading = read(tmp_path, ["1,459600.2,451700,2025-03,", "2,459600.4,451700,2025-01,"], columns=columns)
    assert len(reading.table) == 1


def test_the_quarantine_holds_no_value_at_all(tmp_path):
    lines = [
        "1,459600,451700,2025-03,",
        "2,459601,451701,2025-03,",
        "3,459602,451702,2025-03,",
        "4,459603,451703,2025-03,",
        "5,-1.0931,53.9583,2025-03,",
        "6,,,2025-03,",
        "7,459604,451704,March,",
        "8,459605,451705,2025-03,2025-01",
        "9,459606,451706,2025-03,",
        "9,459999,451706,2025-03,",
    ]
    reading = read(tmp_path, lines)
    assert reading.quarantine["value"].isna().all()
    assert reading.quarantine["reason"].tolist() == [
        "degrees_in_grid_metres",
        "no_position",
        "unreadable_date",
        "end_before_start",
        "contradictory_position",
        "contradictory_position",
    ]
    everything = reading.quarantine.to_csv() + repr(reading.accounts) + repr(reading)
    assert not any(secret in everything for secret in ("4596", "4517", "53.95", "459999", "March"))


@pytest.mark.parametrize("column", ["victim", "Tenant Name", "dob"])
def test_columns_about_persons_stop_the_reading(tmp_path, column):
    with pytest.raises(DisclosureError, match="seems to describe a person"):
        read(tmp_path, ["1,459600,451700,2025-03,,x"], header=f"uprn,E,N,from,to,{column}")


def test_messages_of_a_misread_file_show_no_coordinate(tmp_path):
    with pytest.raises(ValueError, match="degrees_in_grid_metres") as caught:
        read(tmp_path, ["5,-1.0931,53.9583,2025-03,"])
    assert "53.9583" not in str(caught.value)


def test_an_address_is_seen_from_its_first_month_to_its_last():
    seen = pd.DataFrame(
        {
            "easting_m": [1.0, 1.0, 2.0],
            "northing_m": [1.0, 1.0, 1.0],
            "first_seen": pd.PeriodIndex(["2025-01", "2025-06", "2025-02"], freq="M"),
            "last_seen": pd.PeriodIndex(["2025-03", None, None], freq="M"),
            "key": ["a", "a", "b"],
        }
    )
    merged = _merge_sightings(seen)
    assert merged["first_seen"].astype(str).tolist() == ["2025-01", "2025-02"]
    assert merged["last_seen"].iloc[0] == pd.Period("2025-06")
    assert pd.isna(merged["last_seen"].iloc[1])
