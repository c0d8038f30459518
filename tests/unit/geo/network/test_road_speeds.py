"""Speed limits in every form seen on the map."""

import numpy as np
import pytest

from geo.errors import UsageError
from geo.network.speeds import (
    DEFAULT_SPEED_MPH,
    LOCAL_SPEED_SHARE,
    ROAD_CLASSES,
    STRATEGIC_SPEED_SHARE,
    drive_speed_km_h,
    parse_maxspeed_km_h,
)

MPH = 1.609344


@pytest.mark.parametrize(
    ("text", "km_h"),
    [
        ("30 mph", 30 * MPH),
        ("30mph", 30 * MPH),
        (" 30 MPH ", 30 * MPH),
        ("50", 50),
        ("50 km/h", 50),
        ("50 kph", 50),
        ("12.5 mph", 12.5 * MPH),
        ("10 knots", 18.52),
        ("national", 60 * MPH),
        ("GB:nsl_single", 60 * MPH),
        ("GB:nsl_dual", 70 * MPH),
        ("gb:motorway", 70 * MPH),
        ("GB:nsl_restricted", 30 * MPH),
        ("GB:zone20", 20 * MPH),
        ("GB:zone:30", 30 * MPH),
        ("20 mph;30 mph", 20 * MPH),
        ("60 mph|40 mph|50 mph", 40 * MPH),
        ("30 mph, 20 mph", 20 * MPH),
        ("signals;40 mph", 40 * MPH),
        ("20 mph @ (Mo-Fr 08:00-09:00)", 20 * MPH),
        ("none", None),
        ("signals", None),
        ("variable", None),
        ("walk", None),
        ("fast", None),
        ("", None),
        (None, None),
        ("0", None),
        ("0 mph", None),
        ("-30 mph", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("999", None),
        ("GB:unknown", None),
        ("FR:urban", None),
        ("3" * 5000, None),
        ("30 mph;" * 100, None),
    ],
)
def test_limits_are_read_or_null(text, km_h):
    assert parse_maxspeed_km_h(text) == (None if km_h is None else pytest.approx(km_h))


def test_a_default_is_taken_only_where_there_is_no_limit():
    limit = np.array([np.nan, 30.0])
    road_class = np.array([ROAD_CLASSES.index("motorway")] * 2, dtype=np.int8)
    speed = drive_speed_km_h(limit, road_class)
    np.testing.assert_allclose(speed, [70 * MPH * STRATEGIC_SPEED_SHARE, 30 * STRATEGIC_SPEED_SHARE])


def test_cars_do_less_of_the_limit_on_local_roads():
    local = np.array([ROAD_CLASSES.index("residential")], dtype=np.int8)
    np.testing.assert_allclose(drive_speed_km_h(np.array([50.0]), local), [50 * LOCAL_SPEED_SHARE])


def test_the_shares_follow_from_the_published_speeds_and_delays():
    local_s, delay_s = 3600 / 25.3, 43.1
    assert round((local_s - delay_s) / local_s, 2) == LOCAL_SPEED_SHARE
    strategic_s, delay_s = 3600 / 59.0, 9.4
    assert round((strategic_s - delay_s) / strategic_s, 2) == STRATEGIC_SPEED_SHARE


def test_shares_and_defaults_out_of_range_are_refused():
    nothing = np.array([]), np.array([], dtype=np.int8)
    with pytest.raises(UsageError, match=r"local_share: 1\.2 is no share of the limit, expected above 0"):
        drive_speed_km_h(*nothing, local_share=1.2)
    with pytest.raises(UsageError, match=r"default_mph: \['trunk'\] have no speed above 0, expected one for each"):
        drive_speed_km_h(*nothing, default_mph={**DEFAULT_SPEED_MPH, "trunk": 0})
