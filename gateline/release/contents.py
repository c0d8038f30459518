"""
What each profile may receive, and how each part of a release is made.

tactical: the planner's products, with squares for hotspots and bands for victims. partner: towns, offences by small
area, victims' bands in larger squares; no station and no hotspot. public: method, transparency record, model card and
area totals; a station ranking would tip off, and there is no victim layer at all (trust.md A2).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from gateline.pipeline.read import Inputs
from gateline.pipeline.stages import Results
from gateline.pipeline.write import product_inputs
from gateline.products.briefing import write_briefing_pdf
from gateline.products.coach_stops import write_coach_stop_csv
from gateline.products.csv_lists import write_csv, write_station_csv, write_town_csv
from gateline.products.gis import write_hotspots_geojson, write_layers_gpkg
from gateline.products.inputs import Marks, ProductInputs
from gateline.products.lists import town_list
from gateline.products.map_page import write_map
from gateline.products.spreadsheet import write_list_xlsx
from geo.crs import to_wgs84
from geo.disclosure.area_counts import count_by_area, publish_counts
from geo.disclosure.suppression import round_counts
from geo.errors import DisclosureError
from models.model_card import escape_markdown

__all__ = ["PRODUCTS", "SCORED_PRODUCTS", "VICTIM_PRODUCTS", "Contents", "require_products", "write_contents"]

_TACTICAL: dict[str, Callable[[Path, ProductInputs], None]] = {
    "stations.csv": write_station_csv,
    "towns.csv": write_town_csv,
    "coach_stops.csv": write_coach_stop_csv,
    "priority_stations.xlsx": write_list_xlsx,
    "map.html": write_map,
    "briefing.pdf": write_briefing_pdf,
    "layers.gpkg": write_layers_gpkg,
    "hotspots.geojson": write_hotspots_geojson,
}
PRODUCTS: dict[str, tuple[str, ...]] = {
    "tactical": tuple(_TACTICAL),
    "partner": ("towns.csv", "offences_by_area.csv", "victim_areas.geojson"),
    "public": ("method.md", "offences_by_area.csv", "model_cards"),
}
# Those that show squares of victims' addresses, as bands, and those whose scores tell the bands of towns; only these
# make an entry in the release ledger.
VICTIM_PRODUCTS = frozenset(
    {"map.html", "layers.gpkg", "briefing.pdf", "priority_stations.xlsx", "victim_areas.geojson"}
)
SCORED_PRODUCTS = frozenset(_TACTICAL) - {"hotspots.geojson"}
_WHY_NOT = {
    "public": "a station ranking tips off, and victims have no public layer",
    "partner": "partners get towns and small areas, no stations and no hotspots",
    "tactical": "the planner's products have it already",
}
_PURPOSE = (
    "Gateline ranks railway stations and towns by their exposure to county lines, so that checks can protect the "
    "children and adults who are made to carry drugs. It scores places and never people."
)
_WITHHELD = (
    "The ranking itself is not published: it would tell those who exploit children which stations to avoid. Nothing "
    "about any victim is published. Areas with fewer than ten offences are left out of the counts, and counts are "
    "rounded to ten."
)
_DECIMALS_DEG = 5


@dataclass(frozen=True)
class Contents:
    """
    What a release is made from.

    Attributes
    ----------
    inputs : Inputs
        What was read.
    results : Results
        What the stages found.
    marks : Marks
        Of the release.
    cells : geopandas.GeoDataFrame or None
        Table `geo.tables.BANDED_CELLS` for the profile; None where victims are not shown.
    models : Path
        Folder of model cards and transparency records.
    """

    inputs: Inputs
    results: Results
    marks: Marks
    cells: gpd.GeoDataFrame | None
    models: Path


def require_products(profile: str, asked: Collection[str]) -> tuple[str, ...]:
    """
    Give the products of a release, or refuse those that the profile may not receive.

    Parameters
    ----------
    profile : str
        Release profile.
    asked : collection of str
        Products asked for by name; empty for all that the profile receives.

    Returns
    -------
    tuple of str
        Names, in the order they are made.

    Raises
    ------
    DisclosureError
        If the profile is unknown, or may not receive what was asked.
    """
    if profile not in PRODUCTS:
        msg = f"profile: it is {profile!r}, expected one of {', '.join(PRODUCTS)}. Name one of them."
        raise DisclosureError(msg)
    refused = sorted(set(asked) - set(PRODUCTS[profile]))
    if refused:
        msg = (
            f"profile: {profile!r} does not receive {', '.join(map(repr, refused))} ({_WHY_NOT[profile]}), expected of "
            f"{', '.join(PRODUCTS[profile])}. Leave it out."
        )
        raise DisclosureError(msg)
    return tuple(name for name in PRODUCTS[profile] if not asked or name in asked)


def write_contents(folder: Path, contents: Contents, names: Collection[str]) -> dict[str, int]:
    """
    Write the products of a release.

    Parameters
    ----------
    folder : pathlib.Path
        Empty folder.
    contents : Contents
        What they are made from.
    names : collection of str
        From `require_products`.

    Returns
    -------
    dict of str to int
        Cells suppressed, by product, for the audit log.

    Raises
    ------
    DisclosureError
        If a product cannot be made without showing too much.
    """
    profile = contents.marks.profile
    suppressed: dict[str, int] = {}
    products = None if profile == "public" else product_inputs(contents.inputs, contents.results, contents.marks)
    for name in names:
        path = folder / name
        if name == "offences_by_area.csv":
            suppressed[name] = _write_area_counts(path, contents)
        elif name == "method.md":
            path.write_text(_method(contents.marks), encoding="utf-8")
        elif name == "model_cards":
            _copy_model_cards(folder, contents.models)
        elif name == "victim_areas.geojson":
            _write_cells(path, contents)
        elif products is not None and profile == "partner":
            towns = town_list(products)
            lines = round_counts(towns["observed_lines"].fillna(0.0).round(), profile=profile)
            write_csv(path, towns.assign(observed_lines=lines.where(towns["observed_lines"].notna())), contents.marks)
        elif products is not None:
            _TACTICAL[name](path, products)
    return suppressed


def _write_area_counts(path: Path, contents: Contents) -> int:
    """Counts by small area, suppressed, attacked and rounded; how many are suppressed."""
    areas = contents.inputs.areas
    if not len(areas):
        msg = "areas: no small areas are named, expected some to count by. Name a file under inputs.areas."
        raise DisclosureError(msg)
    counts = count_by_area(contents.inputs.offences, areas)
    published = publish_counts(counts, profile=contents.marks.profile)
    table = published.counts.assign(all_types=published.row_totals)
    if contents.marks.profile == "public":
        table = table[["all_types"]].dropna()
    table.insert(0, "name", areas["name"].reindex(table.index))
    write_csv(path, table, contents.marks)
    return published.n_primary + published.n_secondary


def _write_cells(path: Path, contents: Contents) -> None:
    """Victims' bands as squares in WGS 84, to five decimals, with the marks."""
    features = []
    if contents.cells is not None:
        cells = to_wgs84(contents.cells.sort_index(), "victim_areas")
        shapes = shapely.orient_polygons(cells.geometry.to_numpy(), exterior_cw=False)
        for shape, band in zip(shapes, cells["band"], strict=True):
            ring = np.round(shapely.get_coordinates(shape), _DECIMALS_DEG).tolist()
            geometry = {"type": "Polygon", "coordinates": [ring]}
            features.append({"type": "Feature", "properties": {"band": int(band)}, "geometry": geometry})
    collection = {"type": "FeatureCollection", "marks": dict(contents.marks.lines()), "features": features}
    path.write_text(json.dumps(collection, separators=(",", ":")) + "\n", encoding="utf-8")


def _copy_model_cards(folder: Path, models: Path) -> None:
    """The card and the transparency record of each trained model, where there are any."""
    for card in sorted([*models.glob("*/model_card.md"), *models.glob("*/atrs.json")]):
        shutil.copyfile(card, folder / f"{card.parent.name}_{card.name}")


def _method(marks: Marks) -> str:
    """What the public may know: how it works, on what, and within which limits; no place is named but the region."""
    lines = [
        f"# {escape_markdown(marks.title)}: how stations and towns are ranked",
        "",
        _PURPOSE,
        "",
        "1. Offences are read, and each row is accepted or set aside with a reason.",
        "2. Hotspots are found where offences lie closer together than elsewhere.",
        "3. Journeys from large cities are estimated by a gravity model and shared between rail and road.",
        "4. Courier flow, hotspots nearby and offences add up to a score, with a range for its uncertainty.",
        "",
        _WITHHELD,
        "",
        "## Limits",
        "",
        *(f"- {escape_markdown(text)}" for text in marks.limits),
        "",
        "## Sources",
        "",
        *(f"- {escape_markdown(text)}" for text in marks.credits),
        "",
        "## Marks",
        "",
        *(f"- {label}: {escape_markdown(text)}" for label, text in marks.lines()),
        "",
    ]
    return "\n".join(lines)
