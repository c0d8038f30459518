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
from geo.hotspots.surface import Surface, measure_surface
from geo.schema import empty, validate
from geo.tables import HOTSPOTS

__all__ = ["DETECTOR_CELL_M", "DETECTOR_OPTIONS", "find_cells", "measure_offence_surface"]

# As judged by `python -m benchmarks.drug_hotspots` and by `gateline backtest --hotspots`: cells of 200 m hold a snap
# point or two; a kernel of three cells.
DETECTOR_CELL_M = 200.0
DETECTOR_OPTIONS = {"bandwidth_m": 600.0, "half_life_periods": 3.0, "eps_m": 150.0, "min_weight": 10.0}


def measure_offence_surface(inputs: Inputs, settings: Settings) -> Surface | None:
    """
    Measure what the default detector expects of every cell.

    Parameters
    ----------
    inputs : Inputs
        With `context`, from which the detector learns up to the last month of the offences, so that inputs cut short
        for a test say nothing of later months.
    settings : Settings
        Of the workspace.

    Returns
    -------
    Surface or None
        For `find_cells` and `gateline.pipeline.journeys.price_journeys`; None where neither areas nor boundary are
        known or no offence has a place.
    """
    area = _study_area(inputs)
    usable = inputs.offences["easting_m"].notna() & (inputs.offences["provenance"] != "custody_location")
    if area is None or not usable.any():
        return None
    return measure_surface(
        _known_context(inputs),
        build_grid(area, cell_m=DETECTOR_CELL_M),
        targets=_targets(inputs, settings),
        detector=next(d for d in standard_detectors(**DETECTOR_OPTIONS) if d.name == DEFAULT_DETECTOR),
    )


def find_cells(
    inputs: Inputs, settings: Settings, stations: pd.DataFrame, *, surface: Surface | None = None
) -> gpd.GeoDataFrame:
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
    surface : Surface or None, default None
        From `measure_offence_surface`, of the same inputs; None to measure it here.

    Returns
    -------
    geopandas.GeoDataFrame
        Table `HOTSPOTS`, methods ``foreseen`` and ``gi_star``; empty where neither areas nor boundary are known.
    """
    area = _study_area(inputs)
    if area is None:
        return gpd.GeoDataFrame(empty(HOTSPOTS), geometry="geometry", crs=METRIC)
    hot = find_hot_cells(
        inputs.offences,
        build_grid(area, cell_m=settings.hotspots.cell_size_m),
        false_discovery_share=settings.hotspots.false_discovery_rate,
        stations=stations,
    )
    surface = surface or measure_offence_surface(inputs, settings)
    if surface is None:
        return hot
    foreseen = find_foreseen_cells(
        _known_context(inputs),
        surface,
        targets=_targets(inputs, settings),
        area_share=settings.hotspots.foreseen_area_share,
        stations=stations,
    )
    # Ids are given method by method and may agree by chance: a patch carries its method in its name.
    parts = [table.rename(index=lambda i, m=method: f"{m}-{i}") for method, table in (("F", foreseen), ("G", hot))]
    return validate(pd.concat(parts).rename_axis(HOTSPOTS.index), HOTSPOTS)


def _study_area(inputs: Inputs) -> shapely.Geometry | None:
    """The small areas as one shape, or the force where there are none; None without either."""
    shapes = inputs.areas if len(inputs.areas) else inputs.boundaries[inputs.boundaries["kind"] == "force"]
    return shapely.union_all(shapes.geometry.array) if len(shapes) else None


def _targets(inputs: Inputs, settings: Settings) -> tuple[str, ...]:
    return settings.offences.crime_types or tuple(sorted(inputs.offences["crime_type"].unique()))


def _known_context(inputs: Inputs) -> pd.DataFrame:
    """Offences of all types, none later than the last that counts as evidence."""
    known: pd.DataFrame = inputs.context[inputs.context["month"] <= inputs.offences["month"].max()]
    return known
