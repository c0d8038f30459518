"""GIS layers read back by GDAL, the GeoJSON, and the comparison of two runs."""

import dataclasses
import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from gateline.products.comparison import compare_stations, write_comparison
from gateline.products.gis import write_hotspots_geojson, write_layers_gpkg
from gateline.products.lists import station_list
from geo.errors import UsageError
from tests.browser.fictional_run import build_run, marks

LAYERS = ["boundaries", "cuckooing_areas", "hotspots", "corridors", "towns", "stations"]


@pytest.fixture(scope="module")
def run():
    return build_run()


@pytest.fixture(scope="module")
def package(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("gis") / "layers.gpkg"
    write_layers_gpkg(path, run)
    return path


def test_each_layer_is_in_metres_and_carries_the_marks(package, run):
    assert pyogrio.list_layers(package)[:, 0].tolist() == [*LAYERS, "marks", "layer_styles"]
    for name in LAYERS:
        layer = pyogrio.read_dataframe(package, layer=name)
        assert layer.crs == "EPSG:27700"
        assert layer["marks"].str.contains(run.marks.run_id, regex=False).all()
        assert layer["marks"].str.contains("FICTIONAL").all()


def test_points_are_where_the_tables_say(package, run):
    stations = pyogrio.read_dataframe(package, layer="stations").set_index("station_id")
    where = run.stations.loc[stations.index]
    assert np.abs(stations.geometry.x - where["easting_m"]).max() <= 0.5
    assert stations["rank"].tolist() == station_list(run)["rank"].tolist()


def test_corridors_carry_the_sum_over_origins(package, run):
    links = pyogrio.read_dataframe(package, layer="corridors").set_index("link_id")
    summed = run.segment_flows.groupby("link_id")["trips_per_month"].sum().reindex(links.index).fillna(0.0)
    # Each link is rounded to two significant figures: within a twentieth, and without a lean over all of them.
    assert links["trips_per_month"].to_numpy() == pytest.approx(summed.to_numpy(), rel=0.05)
    assert links["trips_per_month"].sum() == pytest.approx(summed.sum(), rel=0.005)


def test_every_layer_has_a_default_style_that_names_its_columns(package):
    styles = pyogrio.read_dataframe(package, layer="layer_styles").set_index("f_table_name")
    assert sorted(styles.index) == sorted(LAYERS)
    assert styles["useAsDefault"].all()
    for name, style in styles.iterrows():
        columns = pyogrio.read_info(package, layer=name)["fields"]
        renderer = ET.fromstring(style["styleQML"]).find("renderer-v2")  # noqa: S314 - our own file
        assert renderer.get("attr", "marks") in columns
        assert len(renderer.find("symbols")) >= 1
        ET.fromstring(style["styleSLD"])  # noqa: S314 - our own file
    assert (styles["f_geometry_column"] == "geom").all()


def test_the_same_run_gives_the_same_geopackage(package, run, tmp_path):
    write_layers_gpkg(tmp_path / "again.gpkg", run)
    write_layers_gpkg(tmp_path / "again.gpkg", run)
    assert (tmp_path / "again.gpkg").read_bytes() == package.read_bytes()
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None


def test_geojson_is_in_degrees_rounded_and_wound_as_rfc_7946_asks(run, tmp_path):
    write_hotspots_geojson(tmp_path / "h.geojson", run)
    collection = json.loads((tmp_path / "h.geojson").read_text(encoding="utf-8"))
    assert collection["marks"]["Run"] == run.marks.run_id
    assert [feature["id"] for feature in collection["features"]] == run.hotspots.index.tolist()
    for feature in collection["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert shapely.is_ccw(shape.exterior)
        assert -9 < shape.centroid.x < 3
        assert 49 < shape.centroid.y < 61
        values = np.ravel(shapely.get_coordinates(shape))
        assert np.array_equal(values, values.round(5))
    layer = pyogrio.read_dataframe(tmp_path / "h.geojson")
    back = layer.to_crs("EPSG:27700").geometry.area.to_numpy() / 1e6
    assert back == pytest.approx(run.hotspots["area_km2"].to_numpy(), rel=0.01)


def list_of(ranks, **columns):
    n = len(ranks)
    table = pd.DataFrame(
        {
            "name": [f"S{k}" for k in range(n)],
            "tier": "C",
            "score": 50.0,
            "rank": ranks,
            "rank_low": np.maximum(np.array(ranks) - 1, 1),
            "rank_high": np.array(ranks) + 1,
            "reason_flow": 30.0,
            "reason_harm": 20.0,
        },
        index=pd.Index([f"S{k}" for k in range(n)], name="station_id"),
    )
    return table.assign(**columns)


def test_changes_are_named_as_a_reader_would_name_them():
    before = list_of([11, 9, 3, 12, 20, 5])
    after = list_of([8, 14, 3, 15, 13, 5]).drop(index="S5")
    table = compare_stations(before, after)
    assert table["change"].to_dict() == {
        "S0": "entered the first ten",
        "S1": "left the first ten",
        "S2": "same",
        "S3": "fell",
        "S4": "rose",
        "S5": "gone",
    }
    assert table.loc["S4", "rank_change"] == 7
    assert table["is_clear"].to_dict() == {
        "S0": True,
        "S1": True,
        "S2": False,
        "S3": True,
        "S4": True,
        "S5": False,
    }
    assert table.index[0] == "S0"


@pytest.mark.parametrize(("before", "after", "change"), [(4, 6, "fell"), (6, 4, "rose")])
def test_intervals_that_touch_are_not_a_clear_move(before, after, change):
    table = compare_stations(list_of([before]), list_of([after]))
    assert table["change"].tolist() == [change]
    assert table["is_clear"].tolist() == [False]


def test_why_names_the_reasons_that_moved_most():
    before = list_of([5])
    after = list_of([4], score=57.0, reason_flow=40.5, reason_harm=16.5)
    row = compare_stations(before, after).iloc[0]
    assert row["why"] == "Flow +10.5, Harm -3.5"
    assert row["score_change"] == pytest.approx(row["delta_flow"] + row["delta_harm"])


def test_a_reason_new_in_the_later_run_counts_from_nothing():
    after = list_of([1], reason_plan=2.0, reason_harm=18.0)
    assert compare_stations(list_of([1]), after).loc["S0", "delta_plan"] == 2.0


def test_a_rank_that_was_not_issued_is_compared_by_tier():
    issued = {"is_rank_issued": [False, False, False, True, True]}
    before = list_of([11, 9, 3, 12, 5], tier=["C", "A", "B", "C", "A"], **issued)
    after = list_of([8, 14, 6, 9, 4], tier=["B", "B", "B", "B", "A"], is_rank_issued=[False, True, False, True, True])
    table = compare_stations(before, after)
    assert table["change"].to_dict() == {
        "S0": "rose a tier",
        "S1": "fell a tier",
        "S2": "no rank",
        "S3": "entered the first ten",
        "S4": "rose",
    }
    assert table["tier_move"].to_dict() == {"S0": "C to B", "S1": "A to B", "S2": "", "S3": "C to B", "S4": ""}
    assert table.loc[["S0", "S1", "S2"], "rank_change"].isna().all()
    assert np.isnan(table.loc["S1", "rank_before"])
    assert table.loc["S1", "rank_after"] == 14


def test_data_that_became_too_thin_are_no_fall(run):
    before, after = list_of([5], tier="B"), list_of([5], tier="insufficient data", is_rank_issued=False)
    assert compare_stations(before, after)["change"].tolist() == ["no rank"]
    assert compare_stations(before, after)["tier_move"].tolist() == ["B to insufficient data"]


def test_the_page_says_where_neither_run_has_a_rank(run, tmp_path):
    unissued = list_of([11, 3], is_rank_issued=False)
    table = compare_stations(unissued, unissued.assign(tier=["B", "C"]))
    write_comparison(tmp_path / "c.html", table, run.marks, run.marks)
    page = (tmp_path / "c.html").read_text("utf-8")
    assert "C to B" in page
    assert page.count("no rank in either run") == 2
    assert "<td>11</td>" not in page
    assert "<td>3</td>" not in page


def test_both_runs_stand_on_the_comparison(run, tmp_path):
    later = dataclasses.replace(run, marks=marks(run_id="r-later"))
    table = compare_stations(station_list(run), station_list(later))
    for ending in ("html", "csv"):
        path = tmp_path / f"changes.{ending}"
        write_comparison(path, table, run.marks, later.marks)
        text = path.read_text(encoding="utf-8-sig")
        for mark in ("r-later", run.marks.run_id, run.marks.marking, run.marks.expires_on):
            assert mark in text
    n_ranked = int((station_list(run)["is_rank_issued"]).sum())
    assert f"{n_ranked} stations kept their rank" in (tmp_path / "changes.html").read_text("utf-8")
    with pytest.raises(UsageError, match=r"comparison: the path ends in '.pdf', expected '.html' or '.csv'"):
        write_comparison(tmp_path / "c.pdf", table, run.marks, later.marks)
