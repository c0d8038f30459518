"""
The briefing's map: corridors by flow and numbered stations, as SVG that is the same bytes each time.

Text is drawn as outlines of a font that Matplotlib brings along, so that no machine's fonts change it. The figure is
made without pyplot, which keeps state between calls.
"""

from __future__ import annotations

from io import BytesIO

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from gateline.products.inert import cell_text
from gateline.products.inputs import FICTIONAL_NOTE, ProductInputs
from gateline.products.lists import station_list

__all__ = ["draw_station_map"]

_N_NUMBERED = 10
_DPI = 100.0
_LINE_TOLERANCE_M = 100.0
# Mean advance of the label font at its size, measured on English place names.
_POINTS_PER_LETTER = 4.4
_TIER_SIZE = {"A": 190.0, "B": 150.0, "C": 34.0, "insufficient data": 14.0}


def draw_station_map(inputs: ProductInputs, *, width_in: float = 7.2, height_in: float = 3.75) -> bytes:
    """
    Draw corridors and stations of a run.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    width_in, height_in : float
        Size of the figure in inches.

    Returns
    -------
    bytes
        SVG text.
    """
    with mpl.rc_context(
        {
            "svg.hashsalt": "gateline",
            "svg.fonttype": "path",
            "font.family": "DejaVu Sans",
            "path.simplify": False,
            # Names are text, never formulas in Matplotlib's own markup.
            "text.parse_math": False,
        }
    ):
        figure = Figure(figsize=(width_in, height_in), dpi=_DPI)
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        _frame(axes, inputs, ratio=height_in / width_in)
        _draw_lines(axes, inputs.boundaries.boundary.to_frame("geometry"), "#8d8798", 0.9)
        _draw_lines(axes, inputs.coast, "#7d8fa0", 0.9)
        _draw_lines(axes, inputs.rail_links, "#c2bdca", 0.7)
        _draw_flows(axes, inputs)
        _draw_stations(axes, inputs)
        if inputs.marks.is_fictional:
            axes.text(0.5, 0.5, "FICTIONAL", transform=axes.transAxes, fontsize=64, rotation=22, ha="center")
            axes.texts[-1].set(va="center", color="#5a506e", alpha=0.16, fontweight="bold", zorder=20)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Title": _title(inputs)})
    return buffer.getvalue()


def _title(inputs: ProductInputs) -> str:
    note = f" - {FICTIONAL_NOTE}" if inputs.marks.is_fictional else ""
    return cell_text(f"Stations of {inputs.marks.title}{note}", is_formula_safe=True)


def _draw_lines(axes: Axes, layer: gpd.GeoDataFrame | None, colour: str, width: float) -> None:
    """The layer's lines are drawn thin, simplified, in order of their ids."""
    if layer is None or layer.empty:
        return
    parts = shapely.get_parts(shapely.simplify(layer.sort_index().geometry.to_numpy(), _LINE_TOLERANCE_M))
    # An area is drawn ring by ring: all its coordinates in one line would join its islands.
    is_area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    parts = np.concatenate([parts[~is_area], shapely.get_rings(parts[is_area])])
    lines = [shapely.get_coordinates(part) for part in parts if not part.is_empty]
    axes.add_collection(LineCollection(lines, colors=colour, linewidths=width, zorder=1))


def _draw_flows(axes: Axes, inputs: ProductInputs) -> None:
    """Links with flow are wider and darker the more they carry, on a square-root scale."""
    flow = inputs.segment_flows.groupby("link_id", sort=True)["trips_per_month"].sum()
    flow = flow[flow > 0]
    links = inputs.rail_links.loc[inputs.rail_links.index.intersection(flow.index).sort_values()]
    if links.empty:
        return
    strength = np.sqrt(flow.loc[links.index].to_numpy() / float(flow.max()))
    colours = mpl.colormaps["cividis_r"](0.15 + 0.8 * strength)
    shapes = shapely.simplify(links.geometry.to_numpy(), _LINE_TOLERANCE_M)
    for shape, colour, share in sorted(zip(shapes, colours, strength, strict=True), key=lambda row: row[2]):
        lines = [shapely.get_coordinates(part) for part in shapely.get_parts(shape)]
        axes.add_collection(LineCollection(lines, colors=[colour], linewidths=0.8 + 4.2 * share, zorder=2))


def _draw_stations(axes: Axes, inputs: ProductInputs) -> None:
    """Circles are larger by tier and darker by score; the first ten carry their rank and name."""
    table = station_list(inputs).iloc[::-1]
    if table.empty:
        return
    where = inputs.stations.loc[table.index]
    easting_m, northing_m = where["easting_m"].to_numpy(), where["northing_m"].to_numpy()
    known = (table["tier"] != "insufficient data").to_numpy()
    numbered = (table["is_rank_issued"] & (table["rank"] <= _N_NUMBERED)).to_numpy()
    size = np.where(numbered, 150.0, table["tier"].map(_TIER_SIZE).to_numpy())
    shade = table["score"].to_numpy() / max(float(table["score"].max()), 1.0)
    fill = np.where(known[:, None], mpl.colormaps["magma_r"](0.1 + 0.8 * shade), 1.0)
    axes.scatter(easting_m, northing_m, s=size, c=fill, edgecolors="#1d1b26", linewidths=0.6, zorder=4)
    for k in np.flatnonzero(numbered):
        ink = "white" if shade[k] > 0.5 else "black"
        at = (easting_m[k], northing_m[k])
        number = axes.annotate(str(int(table["rank"].iloc[k])), at, ha="center", va="center", fontsize=7.5, zorder=6)
        number.set(color=ink, fontweight="bold")
    _draw_names(axes, table.iloc[::-1].loc[numbered[::-1]], where)


def _draw_names(axes: Axes, table: pd.DataFrame, where: pd.DataFrame) -> None:
    """Each of the first ten has its name right, left, below or above it, clear of those drawn before."""
    spots = where.loc[table.index, ["easting_m", "northing_m"]].to_numpy()
    points = axes.transData.transform(spots) * 72 / _DPI
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    for name, (easting_m, northing_m), (x, y) in zip(table["name"], spots, points, strict=True):
        text = cell_text(name, is_formula_safe=True, most_characters=28)
        width = _POINTS_PER_LETTER * len(text)
        places = ((8, -3), (-8 - width, -3), (-width / 2, -15), (-width / 2, 9))
        boxes = [(x + dx, y + dy, x + dx + width, y + dy + 8) for dx, dy in places]
        free = [k for k, box in enumerate(boxes) if not any(_overlap(box, other) for other in taken)]
        if not free:
            continue
        taken.append(boxes[free[0]])
        at = (float(easting_m), float(northing_m))
        label = axes.annotate(text, at, xytext=places[free[0]], textcoords="offset points", fontsize=7.5, zorder=7)
        label.set_path_effects([withStroke(linewidth=2.2, foreground="white")])


def _overlap(box: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return box[0] < other[2] and box[2] > other[0] and box[1] < other[3] and box[3] > other[1]


def _frame(axes: Axes, inputs: ProductInputs, *, ratio: float) -> None:
    """The view holds the force area's stations; a scale bar and north stand in the corner."""
    table = inputs.stations.loc[inputs.station_scores.index]
    table = inputs.stations if table.empty else table
    home = table[table["is_in_force"]] if table["is_in_force"].any() else table
    west, east = home["easting_m"].min(), home["easting_m"].max()
    south, north = home["northing_m"].min(), home["northing_m"].max()
    margin_m = 0.07 * max(east - west, north - south, 1_000.0)
    width_m = max(east - west + 2 * margin_m, (north - south + 2 * margin_m) / ratio)
    left, bottom = (west + east - width_m) / 2, (south + north - width_m * ratio) / 2
    right, top = left + width_m, bottom + width_m * ratio
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_autoscale_on(False)
    length_m = float(10 ** np.floor(np.log10((right - left) / 4)))
    length_m *= 5 if length_m * 5 < (right - left) / 4 else 2 if length_m * 2 < (right - left) / 4 else 1
    x, y = left + 0.03 * (right - left), bottom + 0.03 * (top - bottom)
    axes.plot([x, x + length_m], [y, y], color="#1d1b26", linewidth=2, zorder=9)
    axes.annotate(f"{length_m / 1_000:g} km", (x, y), xytext=(0, 4), textcoords="offset points", fontsize=8, zorder=9)
    axes.annotate("N \u2191", (0.97, 0.95), xycoords="axes fraction", fontsize=10, ha="right", fontweight="bold")
