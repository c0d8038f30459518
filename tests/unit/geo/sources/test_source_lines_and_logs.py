"""Deal lines, deployments, exporters and harm weights."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, UsageError
from geo.sources.deal_lines import read_deal_lines
from geo.sources.deployments import read_deployments
from geo.sources.exporters import read_exporters
from geo.sources.harm import default_harm_weights, measure_harm, read_harm_weights

EXPORTERS = pd.DataFrame({"name": ["West Yorkshire", "Merseyside"]}, index=pd.Index(["wy", "ms"], name="exporter_id"))
PLACES = pd.DataFrame(
    {
        "name": ["Harrogate", "St. Helens", "Newport", "Newport", "Ashford", "Ashford"],
        "is_in_force": [True, True, True, False, True, True],
    },
    index=pd.Index(["p1", "p2", "p3", "p4", "p5", "p6"], name="place_id"),
)


def write(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_text(text)
    return path


def read_lines(tmp_path, text, **options):
    return read_deal_lines(
        write(tmp_path, text), exporters=EXPORTERS, places=PLACES, not_after=pd.Period("2025-12"), **options
    )


def test_lines_are_named_by_our_ids(tmp_path):
    text = (
        "origin,destination,first_seen,last_seen,n_lines\n"
        "west yorkshire,HARROGATE,2025-01,2025-03,2\nms,Saint Helens,,,\nHarrogate,newport,2025-02,,1\n"
    )
    table = read_lines(tmp_path, text, provenance="partner_referral").table
    ends = table[["origin_id", "destination_id", "n_lines"]].sort_values("origin_id").to_numpy().tolist()
    assert ends == [["ms", "p2", 1.0], ["p1", "p3", 1.0], ["wy", "p1", 2.0]]
    assert set(table["provenance"]) == {"partner_referral"}


def test_lines_that_lead_nowhere_are_rejected(tmp_path):
    text = (
        "origin,destination,first_seen,last_seen,n_lines,provenance\n"
        "Atlantis,Harrogate,,,,\nms,Atlantis,,,,\nms,Ashford,,,,\nHarrogate,p1,,,,\n"
        "ms,Harrogate,2025-03,2025-01,,\nms,Harrogate,,,-1,\nms,Harrogate,,,,hearsay\nms,Harrogate,2027-01,,,\n"
    )
    reading = read_lines(tmp_path, text)
    assert reading.quarantine["reason"].tolist() == [
        "unknown_origin",
        "unknown_destination",
        "ambiguous_destination",
        "origin_is_destination",
        "end_before_start",
        "no_count",
        "unknown_provenance",
        "future_date",
    ]
    assert len(reading.table) == 0
    with pytest.raises(UsageError, match="provenance: it is 'rumour', expected one of public_report"):
        read_lines(tmp_path, text, provenance="rumour")


def test_a_line_id_is_used_once(tmp_path):
    columns = {"line_id": "ref"}
    text = "ref,origin,destination\na,ms,p1\nb,ms,p1\nb,wy,p1\n"
    reading = read_lines(tmp_path, text, columns=columns)
    assert reading.table.index.tolist() == ["a"]
    assert reading.quarantine["reason"].tolist() == ["repeated_id"] * 2


def test_deployments_keep_day_hours_and_reason(tmp_path):
    text = (
        "station,worked_on,n_hours,reason,n_stops,n_finds\n"
        "yrk,2025-07-01,6.5,Intel,3,1\nYRK,2025-07-01,6.5,Intel,3,1\nHGT,2025-07,4,hunch,0,0\n"
        "ZZZ,2025-07-01,1,Intel,0,0\nHGT,2025-07-01,-1,Intel,0,0\nHGT,2025-07-01,1,Intel,1.5,0\n"
        "HGT,2025-07-01,3,Intel,,\nHGT,2025-07-01,1,Intel,2,none\n"
    )
    reading = read_deployments(
        write(tmp_path, text),
        station_ids=["YRK", "HGT"],
        reason_by_value={"intel": "intelligence"},
        not_after=pd.Period("2025-12"),
    )
    table = reading.table.sort_values(["station_id", "n_hours"])
    assert table["station_id"].tolist() == ["HGT", "HGT", "YRK", "YRK"]
    assert table["worked_on"].fillna("").tolist() == ["2025-07-01", "", "2025-07-01", "2025-07-01"]
    assert table["reason"].tolist() == ["intelligence", "unknown", "intelligence", "intelligence"]
    # What was not written down is not none, and its hours are worked hours all the same.
    assert table["n_finds"].isna().tolist() == [True, False, False, False]
    assert table["n_stops"].fillna(-1).tolist() == [-1, 0, 3, 3]
    assert reading.quarantine["reason"].tolist() == ["unknown_station", "no_hours", "no_count", "no_count"]
    assert "1 deployments have no known reason" in reading.accounts[0].warnings[0]


def test_a_plan_sent_back_with_its_results_is_a_log(tmp_path):
    text = (
        "station,worked_on,n_hours,reason,propensity,n_stops,n_finds,n_children,n_referrals\n"
        "YRK,2025-07-01,1.5,model,0.25,3,1,1,2\nHGT,2025-07-01,2,must,1,,,,\n"
        "YRK,2025-07-02,,model,0.25,,,,\nstop-9,2025-07-02,,model,0.25,,,,\n"
        "YRK,2025-07-03,,model,0.25,,1,,\nYRK,2025-07-04,1,model,2,,0,,\nYRK,2025-07-05,1,model,often,,0,,\n"
        "YRK,2025-07-06,1,intelligence,,,0,,\nYRK,2025-07-07,1,model,0.5,,0,-1,\n"
    )
    reading = read_deployments(write(tmp_path, text), station_ids=["YRK", "HGT"], not_after=pd.Period("2025-12"))
    table = reading.table.sort_values("worked_on", kind="stable").sort_values("n_hours", kind="stable")
    assert table["reason"].tolist() == ["intelligence", "model", "must"]
    assert table["propensity"].fillna(-1).tolist() == [-1, 0.25, 1.0]
    assert table["n_children"].fillna(-1).tolist() == [-1, 1, -1]
    assert table["n_referrals"].fillna(-1).tolist() == [-1, 2, -1]
    told = reading.quarantine[["status", "reason"]].apply(tuple, axis=1).tolist()
    assert told == [
        ("out_of_scope", "not_worked"),
        ("out_of_scope", "not_worked"),
        ("quarantined", "no_hours"),
        ("quarantined", "no_propensity"),
        ("quarantined", "no_propensity"),
        ("quarantined", "no_count"),
    ]
    account = reading.accounts[0]
    assert account.n_read == account.n_accepted + sum(n for *_, n in account.n_by_reason) == 9


def test_exporters_need_a_known_hub(tmp_path):
    text = (
        "name,x,y,population,hub_station,n_lines,prior_lines\n"
        "West Yorkshire,-1.548,53.796,2350000,lds,6,\nAtlantis,-1.5,53.7,1,QQQ,,\n"
        "Merseyside,-2.977,53.408,1430000,,2,91\n"
        "Nowhere,,,1,,,\nMany,-1.5,53.7,x,,,\nOdd,-1.5,53.7,1,,-2,\n"
    )
    reading = read_exporters(write(tmp_path, text), station_ids=["LDS"])
    assert reading.table.index.tolist() == ["merseyside", "west-yorkshire"]
    assert reading.table["hub_station_id"].fillna("").tolist() == ["", "LDS"]
    np.testing.assert_array_equal(reading.table["prior_lines"], [91, np.nan])
    assert reading.quarantine["reason"].tolist() == ["unknown_station", "no_position", "no_population", "no_count"]


def test_codes_outweigh_categories_and_nothing_is_invented(tmp_path):
    path = write(tmp_path, "code,days\n92D,236.2\n")
    codes = read_harm_weights(path, key_column="code", weight_column="days").table
    days, basis = measure_harm(
        pd.Series(["Drugs", "Drugs", "Jaywalking"]),
        pd.Series(["92D", "", None], dtype="str"),
        pd.concat([default_harm_weights(), codes]),
    )
    np.testing.assert_array_equal(days, [236.2, 3.0, np.nan])
    assert basis.tolist() == ["code", "category", "none"]
    assert measure_harm(pd.Series(["Drugs"]), pd.Series([""]), None)[1].tolist() == ["none"]


def test_contradictory_weights_are_rejected(tmp_path):
    path = write(tmp_path, "code,days\na,1\na,1\nb,1\nb,2\nc,-1\nd,x\n,5\n")
    reading = read_harm_weights(path, key_column="code", weight_column="days")
    assert reading.table["key"].tolist() == ["a"]
    assert reading.quarantine["reason"].tolist() == [
        "same_weight_again",
        "contradictory_weight",
        "contradictory_weight",
        "negative_weight",
        "not_a_number",
        "blank_key",
    ]
    with pytest.raises(InputError, match="harm basis: it is 'colour', expected 'code' or 'category'"):
        read_harm_weights(path, key_column="code", weight_column="days", basis="colour")
