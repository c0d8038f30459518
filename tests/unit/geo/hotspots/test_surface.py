"""The graded surface, and what is near a station by it."""

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import InputError, UsageError
from geo.hotspots.detectors import Detector, standard_detectors
from geo.hotspots.grid import build_grid
from geo.hotspots.station_harm import measure_station_harm
from geo.hotspots.surface import Surface, measure_surface
from geo.network.straight_line import StraightLine
from tests.unit.geo.hotspots.toy_offences import make_offences

GRID = build_grid(shapely.box(0, 0, 2000, 1000), cell_m=500)
STATIONS = pd.DataFrame(
    {"name": ["B", "A"], "easting_m": [5000.0, 0.0], "northing_m": 0.0, "is_in_force": True},
    index=pd.Index(["BBB", "AAA"], name="station_id"),
)


def test_the_surface_sums_to_the_targets_it_learnt_from_whatever_the_scale_of_the_score():
    offences = make_offences([100, 100, 600, 9000], [100, 100, 100, 100])
    for name in ("related offences", "prior counts", "kernel density", "Gi*"):
        detectors = standard_detectors(bandwidth_m=600, half_life_periods=3, eps_m=150, min_weight=2)
        detector = next(d for d in detectors if d.name == name)
        expected = measure_surface(offences, GRID, targets={"Drugs"}, detector=detector).expected()
        assert expected["weight"].sum() == pytest.approx(3)
        assert (expected["weight"] > 0).all()
        assert expected.loc[expected["weight"].idxmax(), ["easting_m", "northing_m"]].tolist() == [250, 250]


def test_cells_below_nothing_are_left_out():
    score = np.array([2.0, -1.0, 0.0, 1.0, 0, 0, 0, 0])
    assert Surface(GRID, score, 6.0).expected()["weight"].to_dict() == {0: 4.0, 3: 2.0}
    assert Surface(GRID, -np.abs(score), 6.0).expected().empty


def test_row_order_changes_no_surface():
    offences = make_offences(np.arange(40) * 47.0 % 2000, np.arange(40) * 31.0 % 1000)
    detector = Detector("counts", lambda events, grid: events.sum_targets(grid))
    one, other = (measure_surface(o, GRID, targets={"Drugs"}, detector=detector) for o in (offences, offences[::-1]))
    assert one.score.tolist() == other.score.tolist()


def test_a_surface_of_no_target_is_refused():
    detector = Detector("counts", lambda events, grid: events.sum_targets(grid))
    with pytest.raises(InputError, match=r"offences: none usable is of type \['Robbery'\]"):
        measure_surface(make_offences([1], [1]), GRID, targets={"Robbery"}, detector=detector)


def test_harm_falls_with_the_walk():
    harm = measure_station_harm(make_offences([0, 300, 6000], [0, 400, 0]), STATIONS, decay_m=600)
    away = StraightLine().walk_detour * np.array([0, 500])
    assert harm["AAA"] == pytest.approx(np.exp(-away / 600).sum(), abs=2e-5)
    assert harm.index.tolist() == ["AAA", "BBB"]
    assert harm.name == "hotspot_harm_near"


def test_harm_has_no_cliff_and_does_not_depend_on_order():
    at = np.arange(0, 9000, 10.0)
    codes = pd.Index([f"S{e:06.0f}" for e in at], name="station_id")
    row = pd.DataFrame({"name": "S", "easting_m": at, "northing_m": 0.0, "is_in_force": True}, index=codes)
    harm = measure_station_harm(make_offences([0], [0]), row)
    assert harm.index.tolist() == codes.tolist()
    assert np.all(np.diff(harm) <= 0)
    assert np.abs(np.diff(harm)).max() < 0.021
    offences = make_offences(at, at % 700)
    one, other = measure_station_harm(offences, STATIONS), measure_station_harm(offences[::-1], STATIONS[::-1])
    pd.testing.assert_series_equal(one, other, check_exact=True)


def test_harm_weighs_by_sentence_where_asked():
    offences = make_offences([0, 5000], [0, 0], harm_days=[30, 10])
    by_harm = measure_station_harm(offences, STATIONS, by_harm=True)
    assert by_harm.tolist() == pytest.approx([1.5, 0.5], abs=1e-3)
    assert measure_station_harm(offences, STATIONS).tolist() == pytest.approx([1, 1], abs=1e-3)


def test_without_offences_or_stations_there_is_no_harm():
    assert measure_station_harm(make_offences([], []), STATIONS).tolist() == [0, 0]
    assert measure_station_harm(make_offences([0], [0]), STATIONS.iloc[:0]).empty


def test_a_decay_that_is_no_length_is_refused():
    with pytest.raises(UsageError, match=r"decay_m: 0 is no length, expected metres above 0"):
        measure_station_harm(make_offences([0], [0]), STATIONS, decay_m=0)
