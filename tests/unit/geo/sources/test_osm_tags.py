"""What tags mean: access, direction, speed, railway."""

import pytest

from geo.network.speeds import ROAD_CLASSES
from geo.sources.osm_tags import parse_rail, parse_road, parse_station


def use(highway="residential", **tags):
    return parse_road({"highway": highway, **{key.replace("__", ":"): value for key, value in tags.items()}})


def directions(**tags):
    road = use(**tags)
    return road.drive_forward, road.drive_backward


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, (True, True)),
        ({"oneway": "no"}, (True, True)),
        ({"oneway": "yes"}, (True, False)),
        ({"oneway": "1"}, (True, False)),
        ({"oneway": "-1"}, (False, True)),
        ({"oneway": "reverse"}, (False, True)),
        ({"oneway": "reversible"}, (True, True)),
        ({"junction": "roundabout"}, (True, False)),
        ({"junction": "circular"}, (True, False)),
        ({"junction": "roundabout", "oneway": "no"}, (True, True)),
        ({"junction": "roundabout", "oneway": "-1"}, (False, True)),
        ({"highway": "motorway"}, (True, False)),
        ({"highway": "motorway", "oneway": "no"}, (True, True)),
        ({"highway": "motorway_link"}, (True, True)),
    ],
)
def test_one_way_rules(tags, expected):
    assert directions(**tags) == expected


@pytest.mark.parametrize(
    ("tags", "can_drive", "can_walk"),
    [
        ({}, True, True),
        ({"highway": "motorway"}, True, False),
        ({"highway": "footway"}, False, True),
        ({"highway": "steps"}, False, True),
        ({"highway": "cycleway"}, False, True),
        ({"highway": "cycleway", "foot": "no"}, False, False),
        ({"highway": "service", "service": "driveway"}, True, True),
        ({"highway": "service", "service": "emergency_access"}, False, True),
        ({"highway": "busway"}, False, False),
        ({"highway": "proposed"}, False, False),
        ({"access": "private"}, False, False),
        ({"access": "no"}, False, False),
        ({"access": "no", "foot": "yes"}, False, True),
        ({"access": "private", "motor_vehicle": "yes"}, True, False),
        ({"motor_vehicle": "no"}, False, True),
        ({"vehicle": "no", "motorcar": "yes"}, True, True),
        ({"foot": "no"}, True, False),
        ({"area": "yes"}, False, False),
        ({"sidewalk": "separate"}, True, True),
        ({"access": "military"}, False, False),
        ({"access": "agricultural", "foot": "designated"}, False, True),
        ({"motor_vehicle": "forestry"}, False, True),
        ({"motor_vehicle": "agricultural;forestry"}, False, True),
        ({"motor_vehicle": "Agricultural ; no"}, False, True),
        ({"vehicle": "permit"}, False, True),
        ({"motorcar": "residents"}, False, True),
        ({"motor_vehicle": "agricultural;destination"}, True, True),
        ({"access": "destination"}, True, True),
        ({"access": "customers"}, True, True),
        ({"motor_vehicle": "delivery"}, True, True),
        ({"access": "permissive"}, True, True),
        ({"motorcar": "", "access": "no"}, False, False),
    ],
)
def test_access_rules(tags, can_drive, can_walk):
    road = use(**tags)
    assert (road.drive_forward, road.walk) == (can_drive, can_walk)
    assert (road.reason is None) == (can_drive or can_walk)


def test_the_limit_is_read_or_counted_as_bad():
    assert use(maxspeed="30 mph").limit_km_h == pytest.approx(48.28032)
    assert use(maxspeed__type="GB:nsl_single").limit_km_h == pytest.approx(96.56064)
    assert (use().limit_km_h, use().has_bad_limit) == (None, False)
    assert (use(maxspeed="signals").limit_km_h, use(maxspeed="signals").has_bad_limit) == (None, True)


@pytest.mark.parametrize(
    ("tags", "mph"),
    [
        ({"highway": "trunk"}, 60),
        ({"highway": "trunk", "oneway": "yes"}, 70),
        ({"highway": "unclassified", "oneway": "yes"}, 60),
        ({"highway": "unclassified", "oneway": "yes", "dual_carriageway": "yes"}, 70),
        ({"highway": "motorway"}, 70),
    ],
)
def test_national_means_seventy_on_dual_carriageways(tags, mph):
    assert use(maxspeed="national", **tags).limit_km_h == pytest.approx(mph * 1.609344)


def test_the_class_is_kept():
    assert ROAD_CLASSES[use("primary_link").road_class] == "primary_link"
    assert ROAD_CLASSES[use("footway").road_class] == "other"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"railway": "rail"}, None),
        ({"railway": "rail", "tunnel": "yes"}, None),
        ({"railway": "rail", "usage": "freight"}, None),
        ({"railway": "rail", "service": "crossover"}, None),
        ({"railway": "rail", "service": "yard"}, "yard_or_siding"),
        ({"railway": "rail", "usage": "tourism"}, "heritage_or_industrial_line"),
        ({"railway": "rail", "usage": "industrial"}, "heritage_or_industrial_line"),
        ({"railway": "rail", "usage": "tourism;industrial"}, "heritage_or_industrial_line"),
        ({"railway": "rail", "usage": "main;freight"}, None),
        ({"railway": "rail", "railway:preserved": "yes"}, "heritage_or_industrial_line"),
        ({"railway": "rail", "disused": "yes"}, "not_heavy_rail_in_use"),
        ({"railway": "rail", "construction": "yes"}, "not_heavy_rail_in_use"),
        ({"railway": "rail", "razed": "true"}, "not_heavy_rail_in_use"),
        ({"railway": "construction", "construction": "rail"}, "not_heavy_rail_in_use"),
        ({"disused:railway": "rail"}, "not_heavy_rail_in_use"),
        ({"railway": "narrow_gauge"}, "not_heavy_rail_in_use"),
        ({"railway": "disused"}, "not_heavy_rail_in_use"),
        ({"railway": "razed"}, "not_heavy_rail_in_use"),
        ({"railway": "tram"}, "not_heavy_rail_in_use"),
        ({"railway": "preserved"}, "not_heavy_rail_in_use"),
        ({"route": "ferry"}, "not_heavy_rail_in_use"),
    ],
)
def test_only_heavy_rail_in_use_is_track(tags, reason):
    assert parse_rail(tags) == reason


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"railway": "station", "ref:crs": "YRK"}, None),
        ({"railway": "halt", "ref:crs": "BSH"}, None),
        ({"railway": "station"}, "no_crs_code"),
        ({"railway": "station", "ref:crs": "yrk"}, "no_crs_code"),
        ({"railway": "station", "ref:crs": "YORK"}, "no_crs_code"),
        ({"railway": "station", "station": "subway", "ref:crs": "AAA"}, "not_heavy_rail"),
        ({"railway": "station", "usage": "tourism", "ref:crs": "AAA"}, "heritage_or_disused"),
        ({"railway": "platform"}, "not_a_station"),
        ({"amenity": "bus_station"}, "not_a_station"),
    ],
)
def test_only_stations_with_a_code_are_stations(tags, reason):
    assert parse_station(tags) == reason
