"""Hotspots as patches of squares: hot by Gi*, and where the default detector expects the next offences."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

from gateline.pipeline.read import Inputs
from gateline.settings import Settings
from geo.crs import METRIC
from geo.hotspots.detectors import DEFAULT_DETECTOR, standard_detectors
from geo.hotspots.grid import build_grid
from geo.hotspots.hot_cells import find_foreseen_cells, find_hot_cells
from geo.schema import empty, validate
from geo.tables import HOTSPOTS

__all__ = ["DETECTOR_CELL_M", "DETECTOR_OPTIONS", "find_cells"]

# As judged by `python -m benchmarks.drug_hotspots` and by `gateline backtest --hotspots`: cells of 200 m hold a snap
# point or two; a kernel of three cells.
DETECTOR_CELL_M = 200.0
DETECTOR_OPTIONS = {"bandwidth_m": 600.0, "half_life_periods": 3.0, "eps_m": 150.0, "min_weight": 10.0}


def find_cells(inputs: Inputs, settings: Settings, stations: pd.DataFrame) -> gpd.GeoDataFrame:
    """
    Find patches of squares over the small areas, or over the boundary where there are none.

    Parameters
    ----------
    inputs : Inputs
        With `context`, from which the default detector learns.
    settings : Settings
        Of the workspace.
    stations : pandas.DataFrame
        Table `STATIONS`, for the nearest station.

    Returns
    -------
    geopandas.GeoDataFrame
        Table `HOTSPOTS`, methods ``foreseen`` and ``gi_star``; empty where neither areas nor boundary are known.
    """
    force = inputs.boundaries[inputs.boundaries["kind"] == "force"]
    shapes = inputs.areas if len(inputs.areas) else force
    if len(shapes) == 0:
        return gpd.GeoDataFrame(empty(HOTSPOTS), geometry="geometry", crs=METRIC)
    area = shapely.union_all(shapes.geometry.array)
    hot = find_hot_cells(
        inputs.offences,
        build_grid(area, cell_m=settings.hotspots.cell_size_m),
        false_discovery_share=settings.hotspots.false_discovery_rate,
        stations=stations,
    )
    is_usable = inputs.offences["easting_m"].notna() & (inputs.offences["provenance"] != "custody_location")
    if not is_usable.any():
        return hot
    detector = next(d for d in standard_detectors(**DETECTOR_OPTIONS) if d.name == DEFAULT_DETECTOR)
    foreseen = find_foreseen_cells(
        inputs.context,
        build_grid(area, cell_m=DETECTOR_CELL_M),
        targets=settings.offences.crime_types or tuple(sorted(inputs.offences["crime_type"].unique())),
        detector=detector,
        area_share=settings.hotspots.foreseen_area_share,
        stations=stations,
    )
    # Ids are given method by method and may agree by chance: a patch carries its method in its name.
    parts = [table.rename(index=lambda i, m=method: f"{m}-{i}") for method, table in (("F", foreseen), ("G", hot))]
    return validate(pd.concat(parts).rename_axis(HOTSPOTS.index), HOTSPOTS)
