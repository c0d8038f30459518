import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from geo.crs import METRIC, WGS84
from geo.errors import CrsError, InputError
from geo.sources.locations import cover, locate, parse_numbers
from geo.sources.sieve import Sieve

YORK = ("-1.0931", "53.9583")
YORK_M = ("459600", "451700")
AROUND_YORK = box(440_000, 440_000, 480_000, 480_000)


def locate_one(pair, good, crs, area=None):
    """The reason for one pair among three good ones, and its metres."""
    rows = pd.DataFrame([pair, good, good, good], columns=["x", "y"], dtype="str")
    rows.index = pd.RangeIndex(2, 6, name="source_row")
    sieve = Sieve(rows, source_file="f.csv", sha256="")
    positions = locate(rows, sieve, x_field="x", y_field="y", crs=crs, force_area=area)
    assert sieve.kept[1:].all()
    quarantine, _ = sieve.close()
    return quarantine["reason"].tolist(), positions


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (("0", "0"), "null_island"),
        (("0.000001", "-0.00"), "null_island"),
        (("53.9583", "-1.0931"), "swapped_coordinates"),
        (("459600", "451700"), "grid_metres_in_degrees"),
        (("1.0931", "53.9583"), "offshore_east"),
        (("1.9", "52.5"), "offshore_east"),
        (("-9.5", "53.9"), "outside_great_britain"),
        (("-1.09", "48.9"), "outside_great_britain"),
        (("-1.09", ""), "half_position"),
        (("", "53.9"), "half_position"),
        (("NaN", "53.9"), "not_a_number"),
        (("-1.09", "inf"), "not_a_number"),
        (("1e308", "53.9"), "outside_great_britain"),
        (("-1,09", "53,9"), "not_a_number"),
        (("\uff11", "53.9"), "not_a_number"),
        (("SE 604 522", "53.9"), "not_a_number"),
        (("-121700", "7160000"), "web_mercator"),
    ],
)
def test_degrees_that_cannot_be_meant_have_a_reason(pair, reason):
    reasons, positions = locate_one(pair, YORK, WGS84)
    assert reasons == [reason]
    assert np.isnan(positions.easting_m[0])


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (("0", "0"), "null_island"),
        (YORK, "degrees_in_grid_metres"),
        (YORK[::-1], "degrees_in_grid_metres"),
        (("459.6", "451.7"), "kilometres"),
        (("1100000", "400000"), "swapped_grid"),
        (("459600", "-1"), "outside_grid"),
        (("800000", "1400000"), "outside_grid"),
        (("459600", "451,700"), "not_a_number"),
        (("-121700", "7160000"), "web_mercator"),
    ],
)
def test_metres_that_cannot_be_meant_have_a_reason(pair, reason):
    reasons, positions = locate_one(pair, YORK_M, METRIC)
    assert reasons == [reason]
    assert np.isnan(positions.easting_m[0])


def test_the_force_area_tells_a_lost_sign_swapped_metres_and_far_rows():
    # 0.30 E at York's latitude is past the coast; Oxford's sign cannot be seen without the area.
    around_oxford = box(440_000, 195_000, 460_000, 215_000)
    assert locate_one(("1.2577", "51.7520"), ("-1.2577", "51.7520"), WGS84, around_oxford)[0] == ["lost_longitude_sign"]
    narrow = box(450_000, 300_000, 470_000, 320_000)
    assert locate_one(("310000", "460000"), ("460000", "310000"), METRIC, narrow)[0] == ["swapped_grid"]
    assert locate_one(("500001", "451700"), YORK_M, METRIC, AROUND_YORK)[0] == ["out_of_area"]
    assert locate_one(("499999", "451700"), YORK_M, METRIC, AROUND_YORK)[0] == []


def test_blank_pairs_are_known_and_not_rejected():
    reasons, positions = locate_one(("", ""), YORK, WGS84)
    assert reasons == []
    assert positions.is_blank.tolist() == [True, False, False, False]
    assert np.isnan(positions.easting_m[0])
    assert abs(positions.easting_m[1] - 459_600) < 100


@pytest.mark.parametrize(
    ("pair", "crs", "words"),
    [
        (("53.9583", "-1.0931"), WGS84, "'swapped_coordinates', expected at most half. The longitude and latitude col"),
        (("459600", "451700"), WGS84, "Declare the crs as EPSG:27700"),
        (("-1.0931", "53.9583"), METRIC, "Declare the crs as EPSG:4326"),
        (("0", "0"), WGS84, "Export them as blanks"),
        (("abc", "53"), WGS84, "Export decimal numbers"),
    ],
)
def test_a_misread_file_is_refused_with_a_guess(pair, crs, words):
    rows = pd.DataFrame([pair, pair, YORK], columns=["x", "y"], dtype="str")
    sieve = Sieve(rows, source_file="f.csv", sha256="")
    with pytest.raises(InputError, match=words):
        locate(rows, sieve, x_field="x", y_field="y", crs=crs)


def test_another_crs_is_refused():
    rows = pd.DataFrame([YORK], columns=["x", "y"], dtype="str")
    sieve = Sieve(rows, source_file="f.csv", sha256="")
    with pytest.raises(CrsError, match="crs: it is 'EPSG:2913', expected 'EPSG:4326' or 'EPSG:27700'"):
        locate(rows, sieve, x_field="x", y_field="y", crs="EPSG:2913")


def test_edges_are_covered_and_unknown_points_are_not():
    easting_m = np.array([440_000.0, 439_999.9, np.nan])
    northing_m = np.array([450_000.0, 450_000.0, 450_000.0])
    assert cover(AROUND_YORK, easting_m, northing_m).tolist() == [True, False, False]
    assert cover(None, easting_m, northing_m).tolist() == [True, True, False]


def test_numbers_are_plain_decimals():
    texts = pd.Series(["1.5", " -2 ", "£5", "1_0", "0x10", "1e999", "TRUE", "#REF!"])
    np.testing.assert_array_equal(parse_numbers(texts), [1.5, -2, *[np.nan] * 6])


def test_an_area_that_lies_both_ways_tells_swapped_columns_by_its_corners():
    # Of a square on the diagonal only the rows near its other two corners tell; here one row in six.
    area = box(420_000, 430_000, 480_000, 490_000)
    points = [(e, n) for e in range(421_000, 480_000, 6_000) for n in range(431_000, 490_000, 6_000)]

    def look(pairs):
        rows = pd.DataFrame([(str(x), str(y)) for x, y in pairs], columns=["x", "y"], dtype="str")
        sieve = Sieve(rows, source_file="f.csv", sha256="", private_fields=frozenset({"x", "y"}))
        locate(rows, sieve, x_field="x", y_field="y", crs=METRIC, force_area=area)
        return int(sieve.kept.sum())

    assert look(points) == len(points)
    with pytest.raises(InputError, match=r"rows are 'swapped_grid', .* Swap them in the column mapping\.") as caught:
        look([(n, e) for e, n in points])
    # A victim's place is never shown.
    assert not any(str(e) in str(caught.value) for e, _ in points)
