"""
Layers for a GIS: one GeoPackage in EPSG:27700 with its styles inside, and hotspots as GeoJSON in WGS 84.

The styles stand in the table ``layer_styles`` that QGIS reads, as its own QML and as SLD for others. GDAL stamps the
time of writing into a GeoPackage; a fixed stamp gives the same run the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from gateline.products.coach_stops import coach_stop_list
from gateline.products.inert import cell_text
from gateline.products.inputs import ProductInputs
from gateline.products.lists import station_list, town_list
from geo.crs import METRIC, to_wgs84
from models.telling import round_figures

__all__ = ["write_hotspots_geojson", "write_layers_gpkg"]

_STAMP = "2000-01-01T00:00:00.000Z"
_STYLES = Path(__file__).parent / "templates" / "styles"
# About a metre, in degrees and in metres: no finer than the data.
_DECIMALS_DEG = 5
_GRID_M = 1.0


def write_layers_gpkg(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``layers.gpkg``: stations, towns, corridors, hotspots, cuckooing areas, boundaries, marks and styles.

    Parameters
    ----------
    path : pathlib.Path
        File to write; one that exists is replaced.
    inputs : ProductInputs
        The tables of one run.
    """
    path.unlink(missing_ok=True)
    layers = _layers(inputs)
    with _fixed_time():
        for k, (name, layer) in enumerate(layers.items()):
            shape = _one_type(layer)
            options = {"append": k > 0, "geometry_type": shape, "promote_to_multi": shape.startswith("Multi")}
            pyogrio.write_dataframe(layer, path, layer=name, driver="GPKG", **options)
        marks = pd.DataFrame(_marks(inputs), columns=["mark", "value"])
        pyogrio.write_dataframe(marks, path, layer="marks", driver="GPKG", append=True)
        pyogrio.write_dataframe(_style_rows(list(layers)), path, layer="layer_styles", driver="GPKG", append=True)


def write_hotspots_geojson(path: Path, inputs: ProductInputs) -> None:
    """
    Write ``hotspots.geojson`` (RFC 7946: WGS 84, outer rings anticlockwise).

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    """
    spots = to_wgs84(inputs.hotspots, "hotspots")
    shapes = shapely.orient_polygons(spots.geometry.to_numpy(), exterior_cw=False)
    columns = ["method", "n_offences", "weight", "area_km2", "first_month", "last_month", "z_score", "q_value"]
    features = [
        {
            "type": "Feature",
            "id": cell_text(spot, is_formula_safe=True),
            "properties": {column: _value(row[column]) for column in columns},
            "geometry": _rounded(shapely.geometry.mapping(shape)),
        }
        for spot, shape, row in zip(spots.index, shapes, spots[columns].to_dict("records"), strict=True)
    ]
    collection = {"type": "FeatureCollection", "marks": dict(_marks(inputs)), "features": features}
    text = json.dumps(collection, ensure_ascii=False, allow_nan=False, indent=None, separators=(",", ":"))
    path.write_bytes((text + "\n").encode("utf-8"))


def _layers(inputs: ProductInputs) -> dict[str, gpd.GeoDataFrame]:
    """Layers by name, bottom one first, every feature with the run's marks."""
    stations, towns = station_list(inputs), town_list(inputs)
    links = inputs.rail_links.drop(columns=["time_basis"])
    flow = inputs.segment_flows.groupby("link_id", sort=True)["trips_per_month"].sum()
    links = links.assign(trips_per_month=round_figures(flow.reindex(links.index).fillna(0.0)))
    spots = inputs.hotspots.drop(columns=["easting_m", "northing_m"])
    spots = spots.assign(first_month=spots["first_month"].astype(str), last_month=spots["last_month"].astype(str))
    layers = {
        "boundaries": inputs.boundaries,
        "cuckooing_areas": inputs.cuckooing_bands,
        "hotspots": spots,
        "corridors": links,
        "towns": _at_points(towns, inputs.places),
        "stations": _at_points(stations, inputs.stations),
    }
    coaches = coach_stop_list(inputs)
    if inputs.coaches is not None and coaches is not None:
        layers["coach_stops"] = _at_points(coaches.drop(columns=["lon", "lat"]), inputs.coaches.stops)
    marks = cell_text(inputs.marks.sentence(), is_formula_safe=True)
    return {name: _plain(layer, marks) for name, layer in layers.items() if layer is not None}


def _at_points(table: pd.DataFrame, where: pd.DataFrame) -> gpd.GeoDataFrame:
    spots = where.loc[table.index]
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(spots["easting_m"], spots["northing_m"]), crs=METRIC)


def _plain(layer: gpd.GeoDataFrame, marks: str) -> gpd.GeoDataFrame:
    """Text is inert, column names are safe, coordinates are whole metres, and each feature carries the marks."""
    table = layer.reset_index()
    names = [cell_text(column, is_formula_safe=True, most_characters=60) for column in table.columns]
    table.columns = pd.Index(names)
    for column in table.columns.drop("geometry"):
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = [None if pd.isna(v) else cell_text(v, is_formula_safe=True) for v in table[column]]
    shapes = shapely.set_precision(table.geometry.to_numpy(), _GRID_M)
    return table.assign(marks=marks).set_geometry(gpd.GeoSeries(shapes, crs=METRIC))


def _one_type(layer: gpd.GeoDataFrame) -> str:
    """Points stay points; lines and areas are stored as multi-part, since either may have parts."""
    kind = str(layer.geom_type.iloc[0]).removeprefix("Multi") if len(layer) else "Polygon"
    return kind if kind == "Point" else f"Multi{kind}"


def _style_rows(names: list[str]) -> pd.DataFrame:
    """The rows of QGIS's own table of default styles."""
    rows = [
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": name,
            "f_geometry_column": "geom",
            "styleName": f"Gateline {name.replace('_', ' ')}",
            "styleQML": (_STYLES / f"{name}.qml").read_text(encoding="utf-8"),
            "styleSLD": (_STYLES / f"{name}.sld").read_text(encoding="utf-8"),
            "useAsDefault": True,
            "description": "Default style of the run",
            "owner": "gateline",
            "ui": "",
            "update_time": pd.Timestamp(_STAMP),
        }
        for name in names
    ]
    return pd.DataFrame(rows)


def _marks(inputs: ProductInputs) -> list[tuple[str, str]]:
    marks = inputs.marks
    rows = [*marks.lines(), ("Fictional", "yes" if marks.is_fictional else "no")]
    rows += [("Source", line) for line in marks.credits]
    rows += [("Railway", line) for line in (marks.railway, *marks.railway_notes) if line]
    return [(label, cell_text(text, is_formula_safe=True, most_characters=1_000)) for label, text in rows]


@contextmanager
def _fixed_time() -> Iterator[None]:
    """GDAL takes the fixed stamp for the time inside the block."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _STAMP})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _value(value: object) -> object:
    """JSON-ready: null for missing, six decimals for numbers, inert text for the rest."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float):
        return round(value, 6)
    return cell_text(value, is_formula_safe=True)


def _rounded(geometry: dict[str, Any]) -> dict[str, Any]:
    """The same geometry at the published precision."""

    def _round(values: Any) -> Any:  # noqa: ANN401 - nested lists of any depth
        if isinstance(values, float | int):
            return round(float(values), _DECIMALS_DEG)
        return [_round(value) for value in values]

    return {"type": geometry["type"], "coordinates": _round(geometry["coordinates"])}
