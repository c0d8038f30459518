"""The plot of a hotspot backtest: share of later offences found, by share of the area entered."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

__all__ = ["draw_hit_curves"]


def draw_hit_curves(path: Path, table: pd.DataFrame, *, title: str) -> None:
    """
    Draw a hit-rate curve for each detector, with the interval of the best and the ceiling.

    Parameters
    ----------
    path : pathlib.Path
        PNG to write.
    table : pandas.DataFrame
        As `geo.hotspots.comparison.compare_detectors` gives it, of one unit.
    title : str
        What was foreseen from what.
    """
    with mpl.rc_context({"font.size": 9}):
        figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
        axes = figure.subplots()
        order = table.groupby("detector")["hit_rate"].mean().sort_values(ascending=False).index
        colours = mpl.colormaps["cividis"]
        for position, name in enumerate(order):
            rows = table[table["detector"] == name].sort_values("coverage_share")
            x = 100 * rows["coverage_share"]
            colour = colours(position / max(len(order), 1))
            axes.plot(x, rows["hit_rate"], marker="o", markersize=3, color=colour, label=name)
            if position == 0:
                axes.fill_between(x, rows["hit_rate_low"], rows["hit_rate_high"], color=colour, alpha=0.15, linewidth=0)
        ceiling = table.groupby("coverage_share")["hit_rate_ceiling"].max()
        axes.plot(100 * ceiling.index, ceiling, color="black", linestyle=":", label="best possible")
        axes.set(xlabel="share of the area entered, %", ylabel="share of offences found", title=title, ylim=(0, None))
        axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.savefig(path, metadata={"Software": None})
