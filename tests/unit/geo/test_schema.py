"""A broken table is refused with every breach in one sentence."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point

from geo.errors import TableError
from geo.schema import Column, Contract, empty, validate

CONTRACT = Contract(
    "segments",
    "segment_id",
    {
        "length_m": Column("number", "metres", low=0),
        "n_events": Column("count", "events"),
        "kind": Column("text", "class", values=("road", "rail")),
        "month": Column("month", "month", nullable=True),
        "note": Column("text", "any", optional=True),
    },
)
LINES = Contract("lines", "line_id", {"geometry": Column("geometry", "line", shapes=("LineString",))})


def good():
    return pd.DataFrame(
        {
            "length_m": [1.0, 2.0],
            "n_events": [1, 2],
            "kind": ["road", "rail"],
            "month": pd.PeriodIndex(["2025-01", None], freq="M"),
        },
        index=pd.Index(["a", "b"], name="segment_id"),
    )


def test_a_good_table_passes_through_unchanged():
    table = good()
    assert validate(table, CONTRACT) is table
    pd.testing.assert_frame_equal(table, good())


def test_every_breach_is_in_one_error():
    table = good().rename_axis("id").drop(columns="n_events").assign(length_m=[-1.0, np.nan], kind=["sea", "rail"])
    with pytest.raises(TableError) as caught:
        validate(table, CONTRACT)
    assert str(caught.value) == (
        "segments: index is named 'id', expected 'segment_id'; column 'length_m' is null at 'b'; "
        "column 'length_m' is below 0 at 'a'; column 'n_events' is missing; "
        "column 'kind' is none of road, rail at 'a', expected the contract of 'segments'. Mend the rows named."
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"length_m": ["1", "2"]}, "column 'length_m' is str, expected number"),
        ({"length_m": [np.inf, 1.0]}, "column 'length_m' is infinite at 'a'"),
        ({"n_events": [1.0, 2.0]}, "column 'n_events' is float64, expected count"),
        ({"kind": [None, "rail"]}, "column 'kind' is null at 'a'"),
        ({"month": pd.to_datetime(["2025-01-01", "2025-02-01"])}, "column 'month' is datetime64"),
        ({"note": [1, 2]}, "column 'note' is int64, expected text"),
    ],
)
def test_each_kind_of_breach_is_named(change, says):
    with pytest.raises(TableError, match=says):
        validate(good().assign(**change), CONTRACT)


def test_repeated_and_many_ids_are_counted():
    table = pd.concat([good()] * 3)
    with pytest.raises(TableError, match=r"index repeats 'a', 'b', 'a' and 1 more"):
        validate(table, CONTRACT)


def test_geometry_must_be_of_its_shape_and_in_metres():
    index = pd.Index(["x"], name="line_id")
    line = LineString([(0, 0), (1, 1)])
    validate(gpd.GeoDataFrame(geometry=[line], index=index, crs="EPSG:27700"), LINES)
    with pytest.raises(TableError, match=r"CRS is EPSG:4326 \(degree\), expected EPSG:27700"):
        validate(gpd.GeoDataFrame(geometry=[line], index=index, crs="EPSG:4326"), LINES)
    with pytest.raises(TableError, match=r"column 'geometry' is no LineString at 'x'"):
        validate(gpd.GeoDataFrame(geometry=[Point(0, 0)], index=index, crs="EPSG:27700"), LINES)
    with pytest.raises(TableError, match="it is a plain table, expected a GeoDataFrame"):
        validate(pd.DataFrame({"geometry": [line]}, index=index), LINES)


def test_a_flag_that_may_be_null_takes_rows_without_it():
    contract = Contract("stations", "station_id", {"has_gates": Column("flag", "gates", nullable=True)})
    table = empty(contract).reindex(pd.Index(["A"], name="station_id", dtype="str"))
    assert validate(table, contract)["has_gates"].isna().tolist() == [True]
