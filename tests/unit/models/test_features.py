"""Features and evidence: what is counted where, and that nothing after the cut-off leaks in."""

import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError, ModelGateError, TableError
from geo.schema import empty
from geo.tables import COURIER_FLOWS, DEPLOYMENTS, STATION_FLOWS
from models.composition import measure_features
from models.dictionary import PLACE_FEATURES, STATION_FEATURES, Feature, FeatureDictionary
from models.draws import IndexSettings, base_realisation, draw_realisations
from models.evidence import count_place_evidence, count_station_evidence, measure_propensity
from models.features import build_place_features, build_station_features
from models.scoring import score_units
from tests.unit.models import worlds

# 15 minutes at 80 m a minute over a detour of 1.3 is 923 m.
ROWS = [
    ("2025-01", 450_900.0, 450_000.0, "public_report"),
    ("2025-01", 450_900.0, 450_000.0, "public_report"),
    ("2025-02", 450_950.0, 450_000.0, "public_report"),
    ("2025-02", 460_000.0, 450_500.0, "police_proactive"),
    ("2025-06", 460_000.0, 450_500.0, "unknown"),
    ("2025-06", 460_000.0, 450_500.0, "custody_location"),
    ("2025-07", 460_000.0, 450_500.0, "public_report"),
]


def station_features(*, rows=ROWS, **changes):
    offences = worlds.offences(rows)
    evidence = count_station_evidence(offences, worlds.stations(), cutoff=worlds.CUTOFF)
    given = {
        "station_exposure": worlds.station_exposure({"AAA": 4.0, "BBB": 2.0}),
        "stations": worlds.stations(),
        "hotspots": worlds.hotspots([("AAA", 5.0, 30.0), ("AAA", 14.9, 2.0), ("AAA", 15.1, 100.0), ("BBB", 1.0, 7.0)]),
        "evidence": evidence,
    } | changes
    return build_station_features(**given, cutoff=worlds.CUTOFF)


def test_evidence_is_counted_by_station_month_and_kind():
    evidence = count_station_evidence(worlds.offences(ROWS), worlds.stations(), cutoff=worlds.CUTOFF)
    assert evidence.unit_ids == ("AAA", "BBB", "CCC")
    assert list(evidence.months.astype(str)) == ["2025-01", "2025-02", "2025-06"]
    expected = np.zeros((3, 3, 3))
    expected[0, 0, 0] = 2  # two records at one point are two offences; the one at 950 m is out of reach
    expected[1, 1, 1] = 1
    expected[1, 2, 2] = 1  # the custody row and the row of July are not counted
    np.testing.assert_array_equal(evidence.counts, expected)


def test_months_given_as_complete_count_as_zero_where_nothing_happened():
    months = pd.period_range("2025-01", "2025-09", freq="M")
    evidence = count_station_evidence(worlds.offences(ROWS), worlds.stations(), cutoff=worlds.CUTOFF, months=months)
    assert len(evidence.months) == 6


def test_every_offence_counts_at_one_town():
    evidence = count_place_evidence(worlds.offences(ROWS), worlds.places(), cutoff=worlds.CUTOFF)
    np.testing.assert_array_equal(evidence.totals, [3, 2, 0])


def test_no_month_before_the_cutoff_is_refused():
    with pytest.raises(InputError, match="no month up to the cut-off 2024-01 has a row"):
        count_station_evidence(worlds.offences(ROWS), worlds.stations(), cutoff=pd.Period("2024-01", "M"))


def test_hotspot_harm_is_that_within_the_walk():
    features = station_features()
    np.testing.assert_array_equal(features.hotspot_harm, [32.0, 7.0, 0.0])
    table = score_units(features, random_state=1, n_draws=10).table
    assert table.loc["AAA", "hotspot_harm_within_15_min_walk"] == 32.0


def test_hotspot_harm_counts_by_the_demand_led_share():
    features = station_features()
    values = measure_features(features, base_realisation(features, IndexSettings()))["hotspot_demand_harm"][0]
    # AAA is all demand; BBB is one found by police and one unknown, so a quarter is read as demand.
    np.testing.assert_allclose(values, [32.0, 7.0 * 0.25, 0.0])


def test_a_station_without_exposure_has_no_flow_and_an_unknown_rate():
    features = station_features()
    assert features.fixed.loc["CCC", "courier_flow"] == 0
    assert np.isnan(features.fixed.loc["CCC", "courier_rate"])


def test_rows_after_the_cutoff_leave_the_list_byte_identical():
    kept = [row for row in ROWS if row[0] <= "2025-06"]
    later = [*ROWS, ("2025-08", 450_000.0, 450_000.0, "public_report")]
    lists = [score_units(station_features(rows=r), random_state=1, n_draws=100).table.to_csv() for r in (kept, later)]
    assert lists[0] == lists[1]


def test_row_order_leaves_the_list_byte_identical():
    tables = [
        score_units(station_features(rows=r), random_state=1, n_draws=50).table.to_csv() for r in (ROWS, ROWS[::-1])
    ]
    assert tables[0] == tables[1]


def test_a_hotspot_that_reaches_past_the_cutoff_is_a_leak():
    with pytest.raises(
        ModelGateError,
        match=r"hotspots: column 'last_month' is 2025-07 at 'h0', expected nothing after the cut-off 2025-06",
    ):
        station_features(hotspots=worlds.hotspots([("AAA", 5.0, 1.0)], last_month="2025-07"))


def test_evidence_past_the_cutoff_is_a_leak():
    late = count_station_evidence(worlds.offences(ROWS), worlds.stations(), cutoff=pd.Period("2025-07", "M"))
    with pytest.raises(ModelGateError, match="evidence: month 2025-07 is counted, expected nothing after"):
        station_features(evidence=late)


def test_evidence_that_lacks_a_station_is_refused():
    short = count_station_evidence(worlds.offences(ROWS), worlds.stations().drop("BBB"), cutoff=worlds.CUTOFF)
    with pytest.raises(TableError, match="evidence: no count for 'BBB'"):
        station_features(evidence=short)


def test_an_outcome_field_is_no_feature():
    with pytest.raises(InputError, match="it holds 'outcome', expected no outcome field"):
        Feature("last_outcome", "x", "x", "offences", "x", "demand")


def test_an_unknown_kind_of_feature_is_refused():
    with pytest.raises(InputError, match="led is 'guess', expected one of structural, demand, enforcement"):
        Feature("a", "x", "x", "offences", "x", "guess")


def test_a_repeated_feature_is_refused():
    feature = Feature("a", "x", "x", "offences", "x", "demand")
    with pytest.raises(InputError, match="'a' is repeated"):
        FeatureDictionary((feature, feature))


@pytest.mark.parametrize("dictionary", [STATION_FEATURES, PLACE_FEATURES])
def test_default_weights_sum_to_one_and_enforcement_is_under_its_cap(dictionary):
    assert sum(f.weight for f in dictionary.features) == pytest.approx(1.0)
    assert sum(f.weight for f in dictionary.features if f.led == "enforcement") <= 0.2
    assert set(dictionary.to_frame().columns) >= {"means", "unit", "source", "period", "led", "direction"}


def test_the_station_dictionary_holds_the_hotspot_harm_of_the_list():
    assert "hotspot_harm_within_15_min_walk" in STATION_FEATURES.names


def test_towns_are_resampled_through_the_flow_decomposed():
    flows = pd.DataFrame(
        {
            "station_id": ["AAA", "AAA", "BBB"],
            "origin_id": "x",
            "destination_id": ["a", "b", "b"],
            "boarding_trips_per_month": 0.0,
            "interchange_trips_per_month": 0.0,
            "calling_trips_per_month": 50.0,
            "alighting_trips_per_month": [3.0, 1.0, 2.0],
        },
        index=pd.Index(["f1", "f2", "f3"], name="station_flow_id"),
    )
    assert not set(STATION_FLOWS.columns) - set(flows.columns)
    features = station_features(station_flows=flows)
    np.testing.assert_allclose(features.flow_parts.toarray(), [[0.75, 0.25], [0.0, 1.0], [0.0, 0.0]])
    draws = draw_realisations(features, IndexSettings(vary=("towns",)), n_draws=6, random_state=1)
    flow = measure_features(features, draws)["courier_flow"]
    np.testing.assert_allclose(flow[:, 0], 3.0 * draws.part_weights[:, 0] + 1.0 * draws.part_weights[:, 1])
    np.testing.assert_allclose(flow[:, 1], 2.0 * draws.part_weights[:, 1])
    assert (flow[:, 2] == 0).all()


def test_flow_under_other_assumptions_is_drawn():
    other = pd.DataFrame({"steep": {"AAA": 1.0, "BBB": 8.0}}).rename_axis("station_id")
    features = station_features(flow_scenarios=other)
    draws = draw_realisations(features, IndexSettings(vary=("flow_assumptions",)), n_draws=30, random_state=1)
    flow = measure_features(features, draws)["courier_flow"]
    assert {tuple(row[:2]) for row in flow} == {(4.0, 2.0), (1.0, 8.0)}


def log(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "station_id": [row[0] for row in rows],
            "month": pd.PeriodIndex([row[1] for row in rows], freq="M"),
            "worked_on": pd.Series([None] * len(rows), dtype="str"),
            "n_hours": [row[2] for row in rows],
            "reason": "model",
        },
        index=pd.Index([f"d{i}" for i in range(len(rows))], name="deployment_id"),
    )


def test_propensity_is_the_share_of_the_most_worked_with_a_floor():
    rows = [("AAA", "2025-01", 80.0), ("AAA", "2025-02", 20.0), ("BBB", "2025-02", 1.0), ("CCC", "2025-07", 500.0)]
    assert {name for name, column in DEPLOYMENTS.columns.items() if not column.optional} == set(log(rows).columns)
    share = measure_propensity(log(rows), ("AAA", "BBB", "CCC"), cutoff=worlds.CUTOFF)
    np.testing.assert_allclose(share, [1.0, 0.05, 0.0])


def test_an_empty_log_is_refused():
    with pytest.raises(InputError, match="deployments: no hour is logged up to 2025-06"):
        measure_propensity(log([("AAA", "2025-07", 5.0)]), ("AAA",), cutoff=worlds.CUTOFF)


def test_a_log_brings_enforcement_into_the_score():
    features = station_features(deployments=log([("BBB", "2025-02", 10.0)]))
    table = score_units(features, random_state=1, n_draws=10).table
    assert "reason_enforcement_rate" in table


def place_features(**changes):
    evidence = count_place_evidence(worlds.offences(ROWS), worlds.places(), cutoff=worlds.CUTOFF)
    given = {
        "place_exposure": worlds.place_exposure({"a": 4.0, "b": 2.0, "c": 1.0}),
        "places": worlds.places(),
        "hotspots": worlds.hotspots([("AAA", 5.0, 30.0), ("BBB", 1.0, 7.0)]),
        "evidence": evidence,
    } | changes
    return build_place_features(**given, cutoff=worlds.CUTOFF)


def test_places_are_scored_with_lines_hotspots_and_cuckooing():
    features = place_features(cuckooed_addresses=pd.Series({"b": 4}))
    np.testing.assert_array_equal(features.hotspot_harm, [30.0, 7.0, 0.0])
    np.testing.assert_array_equal(features.fixed["cuckooed_addresses"], [0, 4, 0])
    table = score_units(features, random_state=1, n_draws=20).table
    assert table.index.name == "place_id"
    assert table.index[0] == "a"
    assert {"reason_observed_lines", "reason_cuckooed_addresses"} <= set(table)


def test_a_feature_that_no_one_knows_is_left_out_and_the_rest_rescaled():
    scores = score_units(place_features(), random_state=1, n_draws=10)
    assert "reason_cuckooed_addresses" not in scores.table
    assert sum(scores.weights.values()) == pytest.approx(1.0)


def test_origins_are_resampled_for_towns():
    flows = pd.DataFrame(
        {
            "origin_id": ["x", "y"],
            "destination_id": ["a", "a"],
            "is_internal": False,
            "trips_per_month": [1.0, 3.0],
            "rail_share": 1.0,
            "rail_time_min": 10.0,
            "road_time_min": 10.0,
            "access_station_id": "AAA",
            "egress_station_id": "AAA",
        },
        index=pd.Index(["1", "2"], name="flow_id"),
    )
    assert not set(COURIER_FLOWS.columns) - set(flows.columns)
    parts = place_features(courier_flows=flows).flow_parts
    np.testing.assert_allclose(parts.toarray()[0], [0.25, 0.75])


def test_no_hotspot_at_all_is_a_result():
    features = station_features(hotspots=empty(worlds.HOTSPOTS))
    assert (features.hotspot_harm == 0).all()
    score_units(features, random_state=1, n_draws=10)
