"""Evidence tables that can be checked by hand: aged lines, towns, stations, finds."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError, TableError, UsageError
from geo.schema import empty
from geo.tables import DEAL_LINES, DEPLOYMENTS, OFFENCES
from models.posterior.observations import count_finds, count_station_offences, count_town_offences, weigh_lines
from tests.unit.models.worlds import CUTOFF, offences, places, stations

AT_A, AT_B = (450_000.0, 450_000.0), (460_000.0, 450_000.0)
MONTHS = [str(month) for month in pd.period_range("2024-07", CUTOFF, freq="M")]


def lines(*rows):
    """Rows of first month, last month and number."""
    return pd.DataFrame(
        {
            "origin_id": "west",
            "destination_id": "ayton",
            "first_seen": pd.PeriodIndex([row[0] for row in rows], freq="M"),
            "last_seen": pd.PeriodIndex([row[1] for row in rows], freq="M"),
            "n_lines": [float(row[2]) for row in rows],
            "provenance": "unknown",
        },
        index=pd.Index([f"l{k}" for k in range(len(rows))], name="line_id"),
    )


def weights(*rows, **options):
    return weigh_lines(lines(*rows), cutoff=CUTOFF, **options).tolist()


def drawn(counts, provenance="unknown", at=AT_A):
    """So many offences in each month at a town."""
    return [(m, *at, provenance) for m, n in zip(MONTHS, counts, strict=True) for _ in range(n)]


def located(rows):
    """Offences as rows of month, metres east of station AAA, force and location."""
    table = offences([(month, AT_A[0] + east, AT_A[1], "unknown") for month, east, _, _ in rows])
    return table.assign(force=[row[2] for row in rows], location=[row[3] for row in rows])


def whole(values):
    """As the reader has them: whole numbers and nulls, or what is no count."""
    numbers = pd.Series(values, dtype="float64")
    return (numbers.astype("Int64") if (numbers.dropna() % 1 == 0).all() else numbers).array


def visits(*rows):
    """Rows of station, month, hours and finds."""
    return pd.DataFrame(
        {
            "station_id": [row[0] for row in rows],
            "month": pd.PeriodIndex([row[1] for row in rows], freq="M"),
            "worked_on": pd.Series([None] * len(rows), dtype="str"),
            "n_hours": [float(row[2]) for row in rows],
            "reason": "unknown",
            "n_finds": whole([row[3] for row in rows]),
        },
        index=pd.Index([f"d{k}" for k in range(len(rows))], name="deployment_id"),
    )


def test_a_line_counts_half_for_every_half_life_since_it_was_seen():
    rows = [("2020-01", "2025-06", 4), ("2020-01", "2024-06", 4), ("2020-01", "2023-06", 4)]
    assert weights(*rows) == [4.0, 2.0, 1.0]
    assert weights(*rows, half_life_months=24.0) == pytest.approx([4.0, 4 / np.sqrt(2), 2.0])
    assert weights(*rows, half_life_months=np.inf) == [4.0, 4.0, 4.0]


def test_a_line_of_which_no_end_is_told_counts_in_full():
    assert weights(("2015-01", None, 3), (None, None, 2)) == [3.0, 2.0]


def test_nothing_after_the_cut_off_leaks():
    later = [("2025-07", "2025-08", 5), ("2025-07", None, 5), (None, "2025-07", 5)]
    assert weights(*later) == [0.0, 0.0, 0.0]
    assert weights(("2025-01", "2026-01", 5), ("2025-01", "2025-06", 5)) == [5.0, 5.0]


def test_weights_keep_the_index_and_the_table():
    table = lines(("2020-01", "2024-06", 4))
    before = table.copy()
    weighed = weigh_lines(table, cutoff=CUTOFF)
    assert weighed.name == "n_lines"
    assert weighed.index.equals(table.index)
    pd.testing.assert_frame_equal(table, before)
    assert len(weigh_lines(empty(DEAL_LINES), cutoff=CUTOFF)) == 0


@pytest.mark.parametrize("half_life_months", [0.0, -1.0, float("nan")])
def test_a_half_life_is_positive(half_life_months):
    with pytest.raises(UsageError, match=r"half_life_months: it is .*, expected more than 0. Give months"):
        weights(("2025-01", None, 1), half_life_months=half_life_months)


@given(st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80), st.floats(0, 50)), min_size=1, max_size=8))
def test_a_weight_is_within_the_number_and_later_sightings_change_nothing(rows):
    base = pd.Period("2020-01", "M")
    table = lines(*[(str(base + first), str(base + first + more), n) for first, more, n in rows])
    weighed = weigh_lines(table, cutoff=CUTOFF)
    assert ((weighed >= 0) & (weighed <= table["n_lines"])).all()
    seen_again = table.assign(last_seen=table["last_seen"].where(table["last_seen"] <= CUTOFF, CUTOFF + 99))
    np.testing.assert_array_equal(weigh_lines(seen_again, cutoff=CUTOFF), weighed)


def test_town_offences_are_told_apart_by_who_brought_them_to_light():
    kinds = ["public_report", "partner_referral", "partner_referral", "unknown", "police_proactive", "custody_location"]
    rows = [("2025-06", *AT_B, kind) for kind in kinds] + [
        ("2025-07", *AT_B, "unknown"),
        ("2025-06", 9e4, 9e4, "unknown"),
    ]
    table = count_town_offences(offences(rows), places().iloc[::-1], cutoff=CUTOFF)
    assert table.index.tolist() == ["a", "b", "c"]
    assert table.index.name == "place_id"
    plain = ["demand_led", "unattributed", "enforcement_led"]
    assert table[plain].to_numpy().tolist() == [[0, 0, 0], [3, 1, 1], [0, 0, 0]]
    assert sorted(table.columns) == sorted([*plain, *[f"{name}_typical" for name in plain]])
    assert (table.dtypes == "int64").all()


def test_a_month_of_operations_is_capped_and_ordinary_months_are_not():
    """Ten or so a month; one month is tripled. median 10, MAD 1: ceiling 10 + 3 sqrt(10) = 19.5, that is 19 of 30."""
    ordinary = [9, 10, 11, 10, 12, 9, 10, 10, 11, 8, 10, 12]
    operation = [*ordinary[:5], 30, *ordinary[6:]]
    quiet = count_town_offences(offences(drawn(ordinary)), places(), cutoff=CUTOFF).loc["a"]
    worked = count_town_offences(offences(drawn(operation)), places(), cutoff=CUTOFF).loc["a"]
    assert quiet["unattributed"] == quiet["unattributed_typical"] == sum(ordinary)
    assert worked["unattributed"] == sum(operation)
    assert worked["unattributed_typical"] == sum(operation) - 30 + 19


def test_an_operation_tells_of_its_own_kind_and_town_only():
    rows = drawn([10] * 11 + [90], "police_proactive") + drawn([10] * 12, "public_report") + drawn([5] * 12, at=AT_B)
    table = count_town_offences(offences(rows), places(), cutoff=CUTOFF)
    assert table.loc["a", ["enforcement_led", "enforcement_led_typical"]].tolist() == [200, 110 + 19]
    assert table.loc["a", ["demand_led", "demand_led_typical"]].tolist() == [120, 120]
    assert table.loc["b", ["unattributed", "unattributed_typical"]].tolist() == [60, 60]


def test_a_town_with_hardly_any_is_capped_at_three_a_month():
    rows = drawn([0] * 11 + [9]) + drawn([0] * 6 + [3] + [0] * 5, at=AT_B) + drawn([1] * 12, at=(470_000.0, 450_000.0))
    table = count_town_offences(offences(rows), places(), cutoff=CUTOFF)
    assert table["unattributed_typical"].tolist() == [3, 3, 12]


@given(st.lists(st.integers(0, 60), min_size=12, max_size=12).filter(any), st.integers(0, 11), st.integers(1, 200))
def test_a_month_adds_all_it_has_to_the_plain_count_and_at_most_that_to_the_typical_one(counts, month, more):
    # Every month has a row, so that both tables have the same months.
    rows = drawn([1] * 12, "public_report", at=AT_B)
    raised = [n + more * (k == month) for k, n in enumerate(counts)]
    one, other = (
        count_town_offences(offences(rows + drawn(each)), places(), cutoff=CUTOFF).loc["a"] for each in (counts, raised)
    )
    assert one["unattributed_typical"] <= one["unattributed"] == sum(counts)
    assert other["unattributed"] == one["unattributed"] + more
    assert other["unattributed_typical"] <= other["unattributed"]


def test_towns_without_any_month_of_offences_are_refused():
    with pytest.raises(InputError, match="offences: no month up to the cut-off 2025-06 has a row"):
        count_town_offences(empty(OFFENCES), places(), cutoff=CUTOFF)


BTP, OURS = "British Transport Police", "North Yorkshire Police"


@pytest.mark.parametrize(
    ("force", "location", "n"),
    [
        (BTP, "On or near York (Station)", 1),
        (BTP, "On or near Euston (Lu Station)", 1),
        (OURS, "On or near York (Station) ", 1),
        (OURS, "On or near Railway Station", 1),
        (OURS, "On or near railway station", 1),
        (OURS, "On or near Monument (Metro Station)", 0),
        (OURS, "On or near Petrol Station", 0),
        (OURS, "On or near Bus/Coach Station", 0),
        (OURS, "On or near Whitby Bus Station", 0),
        (OURS, "On or near Station Road", 0),
        (OURS, None, 0),
        (BTP, None, 1),
    ],
)
def test_an_offence_is_at_a_station_by_who_recorded_it_or_what_its_place_is_called(force, location, n):
    table = count_station_offences(located([("2025-06", 30, force, location)]), stations(), cutoff=CUTOFF)
    assert table["n_offences"].tolist() == [n, 0, 0]
    assert table["months"].tolist() == [n] * 3


def test_station_offences_belong_to_the_nearest_station_in_reach():
    rows = [("2025-06", east, BTP, "On or near X (Station)") for east in (0, 400, 401, 9_700)]
    table = count_station_offences(located(rows), stations().iloc[::-1], cutoff=CUTOFF)
    assert table.index.tolist() == ["AAA", "BBB", "CCC"]
    assert table["n_offences"].tolist() == [2, 1, 0]
    near = count_station_offences(located(rows), stations(), cutoff=CUTOFF, reach_m=150.0)
    assert near["n_offences"].tolist() == [1, 0, 0]


def test_months_at_stations_count_nil_months_between_and_none_after_the_cut_off():
    rows = [
        ("2025-01", 0, OURS, "On or near Station Road"),
        ("2025-02", 0, BTP, "On or near X (Station)"),
        ("2025-03", 0, OURS, "On or near Station Road"),
        ("2025-05", 0, BTP, "On or near X (Station)"),
        ("2025-07", 0, BTP, "On or near X (Station)"),
    ]
    table = count_station_offences(located(rows), stations(), cutoff=CUTOFF)
    assert table.loc["AAA"].tolist() == [2, 3]
    assert count_station_offences(empty(OFFENCES), stations(), cutoff=CUTOFF).sum().tolist() == [0, 0]


def test_offences_without_a_position_or_in_custody_are_at_no_station():
    table = located([("2025-06", 0, BTP, "On or near X (Station)")] * 2)
    table["provenance"] = ["custody_location", "unknown"]
    table["easting_m"] = [AT_A[0], np.nan]
    assert count_station_offences(table, stations(), cutoff=CUTOFF)["n_offences"].sum() == 0
    with pytest.raises(TableError, match="stations: index is named 'id', expected 'station_id'"):
        count_station_offences(table, stations().rename_axis("id"), cutoff=CUTOFF)


def test_finds_keep_nil_returns_and_set_silent_hours_apart():
    log = visits(
        ("BBB", "2025-06", 4, 0), ("BBB", "2025-06", 2, 3), ("AAA", "2025-05", 6, None), ("BBB", "2025-07", 9, 9)
    )
    table = count_finds(log, ["CCC", "BBB", "AAA", "AAA"], cutoff=CUTOFF)
    assert table.index.tolist() == ["AAA", "BBB", "CCC"]
    assert table.index.name == "station_id"
    assert table[["n_hours", "n_finds", "n_hours_unreported"]].to_numpy().tolist() == [[0, 0, 6], [6, 3, 0], [0, 0, 0]]
    assert table["n_finds"].dtype == "int64"


def test_a_log_without_finds_is_hours_only():
    log = visits(("AAA", "2025-06", 4, 0)).drop(columns="n_finds")
    assert count_finds(log, ["AAA"], cutoff=CUTOFF).loc["AAA"].tolist() == [0, 0, 4]
    assert count_finds(empty(DEPLOYMENTS), ["AAA"], cutoff=CUTOFF).loc["AAA"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("finds", "fault"), [(-1, "is below 0"), (0.5, "is float64, expected count")])
def test_finds_that_are_no_count_are_refused(finds, fault):
    with pytest.raises(TableError, match=f"deployments: column 'n_finds' {fault}"):
        count_finds(visits(("AAA", "2025-06", 4, finds), ("AAA", "2025-06", 4, None)), ["AAA"], cutoff=CUTOFF)


@pytest.mark.real
def test_the_transport_polices_offences_find_their_stations(real_data):
    """York's offences are put 258 m from its point in the station list, and Leeds' 358 m."""
    from geo.sources.police_uk import read_police_uk
    from geo.sources.stations import read_stations

    known = read_police_uk([real_data / "crime/btp/2020-01-btp-street.csv"], not_after=pd.Period("2020-01", "M")).table
    every = read_stations(real_data / "rail/stations_npm_1.11.1.csv", force_area=None).table
    table = count_station_offences(known, every, cutoff=pd.Period("2020-01", "M"))
    assert table.loc[["YRK", "LDS", "VIC"], "n_offences"].tolist() == [
        int(known["location"].eq(f"On or near {name} (Station)").sum()) for name in ("York", "Leeds", "London Victoria")
    ]
    assert (table["months"] == 1).all()
