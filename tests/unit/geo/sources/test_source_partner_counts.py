"""Counts of partners, each at a town of ours; small counts never in the quarantine."""

import pandas as pd
import pytest

from gateline.settings import Settings
from geo.errors import DisclosureError, InputError, UsageError
from geo.schema import empty, validate
from geo.sources.partner_counts import read_partner_counts
from geo.tables import PARTNER_COUNTS

PLACES = pd.DataFrame(
    {
        "name": ["Harrogate", "St. Helens", "Newport", "Newport", "Ashford", "Ashford"],
        "is_in_force": [True, True, True, False, True, True],
    },
    index=pd.Index(["p1", "p2", "p3", "p4", "p5", "p6"], name="place_id"),
)


def read(tmp_path, text, **options):
    path = tmp_path / "partners.csv"
    path.write_text(text)
    return read_partner_counts(path, places=PLACES, **options)


def test_counts_are_named_by_our_ids_and_layers_alike(tmp_path):
    text = (
        "layer,place,n\nMissing returns,HARROGATE,12\nmissing_returns,Saint Helens,0\n"
        "Treatment,newport,3.5\ndeaths,p4,2\n"
    )
    reading = read(tmp_path, text)
    table = reading.table
    assert table.index.tolist() == ["deaths:p4", "missing_returns:p1", "missing_returns:p2", "treatment:p3"]
    assert table[["layer", "place_id", "n"]].to_numpy().tolist() == [
        ["deaths", "p4", 2.0],
        ["missing_returns", "p1", 12.0],
        ["missing_returns", "p2", 0.0],
        ["treatment", "p3", 3.5],
    ]
    assert reading.accounts[0].n_read == reading.accounts[0].n_accepted == 4


def test_layers_that_differ_in_brackets_are_two(tmp_path):
    text = "layer,place,n\nTreatment (opiates),p1,40\nTreatment (alcohol),p1,60\n"
    assert read(tmp_path, text).table.index.tolist() == ["treatment_alcohol:p1", "treatment_opiates:p1"]


def test_the_order_of_rows_does_not_matter(tmp_path):
    lines = ["deaths,p1,4", "deaths,p2,9", "treatment,p1,30"]
    one, other = (read(tmp_path, "\n".join(["layer,place,n", *each]) + "\n").table for each in (lines, lines[::-1]))
    pd.testing.assert_frame_equal(one, other)


def test_columns_may_have_other_names(tmp_path):
    columns = {"layer": "service", "place": "town", "n": "clients"}
    table = read(tmp_path, "service,town,clients\ntreatment,Harrogate,40\n", columns=columns).table
    assert table.loc["treatment:p1", "n"] == 40
    with pytest.raises(
        UsageError, match="partner counts: column mapping names 'town', expected one of layer, place, n"
    ):
        read(tmp_path, "layer,place,n\n", columns={"town": "x"})


def test_rows_that_cannot_be_used_are_set_aside_with_a_reason(tmp_path):
    text = (
        "layer,place,n\n,Harrogate,9\ndeaths,Atlantis,9\ndeaths,,9\ndeaths,Ashford,9\ndeaths,Harrogate,-1\n"
        "deaths,p2,some clinics\ndeaths,p3,\ntreatment,p1,9\nTreatment,Harrogate,11\ntreatment,p2,9\n"
    )
    reading = read(tmp_path, text)
    assert reading.quarantine["reason"].tolist() == [
        "no_layer",
        "unknown_place",
        "unknown_place",
        "ambiguous_place",
        "no_count",
        "no_count",
        "no_count",
        "repeated_place",
        "repeated_place",
    ]
    assert set(reading.quarantine["status"]) == {"quarantined"}
    assert reading.table.index.tolist() == ["treatment:p2"]


def test_a_suppressed_count_is_neither_zero_nor_a_fault(tmp_path):
    marks = ["<5", "< 5", "*", "c", "[c]", "Suppressed"]
    places = ["p1", "p2", "p3", "p4", "p5", "p6"]
    rows = [f"deaths,{place},{mark}" for place, mark in zip(places, marks, strict=True)]
    reading = read(tmp_path, "\n".join(["layer,place,n", *rows, "treatment,p1,50"]) + "\n")
    assert reading.table.index.tolist() == ["treatment:p1"]
    assert reading.accounts[0].n_by_reason == (("out_of_scope", "suppressed_count", 6),)


def test_the_quarantine_copies_no_count(tmp_path):
    text = "layer,place,n\ndeaths,Atlantis,4\ndeaths,p1,-987\ndeaths,p2,<3\n" + "".join(
        f"treatment,p{k},60\n" for k in range(1, 7)
    )
    quarantine = read(tmp_path, text).quarantine
    assert quarantine.loc[quarantine["field"] == "n", "value"].isna().all()
    assert not quarantine["value"].fillna("").str.contains(r"987|<3").any()
    assert "Atlantis" in quarantine["value"].tolist()


def test_a_column_about_persons_stops_the_reading(tmp_path):
    with pytest.raises(DisclosureError, match="seems to describe a person"):
        read(tmp_path, "layer,place,n,victim\ndeaths,p1,9,x\n")


def test_a_file_without_its_columns_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"partners\.csv"):
        read(tmp_path, "layer,place\ndeaths,p1\n")


def test_no_file_is_an_empty_table_and_no_setting():
    assert len(validate(empty(PARTNER_COUNTS), PARTNER_COUNTS)) == 0
    assert Settings().inputs.partner_counts is None
    assert Settings().inputs.partner_counts_columns == {}
