"""The picture of what the priors imply before any evidence, beside what evidence made of it: four panels, as SVG."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from gateline.products.inert import cell_text
from gateline.products.inputs import Marks
from models.prior_predictive import DURATION_EDGES_MIN, PriorPredictive

__all__ = ["draw_prior_figure"]

_BEFORE, _AFTER, _INK = "#b9b3c6", "#b63679", "#5a506e"
_N_BINS = 20
_PERCENT_EDGES = tuple(np.linspace(0.0, 100.0, _N_BINS + 1).tolist())
_LABELS = ("before any evidence", "with the evidence (line: mean)")


def draw_prior_figure(path: Path, prediction: PriorPredictive, marks: Marks) -> None:
    """
    Draw what the priors imply.

    Parameters
    ----------
    path : pathlib.Path
        SVG to write; the same bytes for the same figures.
    prediction : PriorPredictive
        Figures before any evidence and with it.
    marks : Marks
        Of the run.
    """
    with mpl.rc_context(
        # Names are text, never formulas in Matplotlib's own markup.
        {"svg.hashsalt": "gateline", "font.family": "DejaVu Sans", "font.size": 8, "text.parse_math": False}
    ):
        figure = Figure(figsize=(7.2, 4.8))
        figure.subplots_adjust(left=0.08, right=0.97, top=0.92, bottom=0.17, wspace=0.22, hspace=0.38)
        first, half, duration, rail = figure.subplots(2, 2).ravel()
        _spread(first, 100 * prediction.first_town_share, 100 * prediction.first_town_share_after)
        first.set(xlabel="% of trips that go to the first town", xlim=(0, 100))
        _spread(half, prediction.towns_of_half, prediction.towns_of_half_after, edges=_whole_edges(prediction))
        half.set(xlabel="towns that get half of all trips")
        _durations(duration, prediction)
        _spread(rail, 100 * prediction.rail_share, np.array([100 * prediction.rail_share_after]))
        rail.set(xlabel="% of trips that go by rail", xlim=(0, 100))
        for axes in (first, half, rail):
            axes.set(ylabel="% of draws")
        for axes in (first, half, duration, rail):
            axes.spines[["top", "right"]].set_visible(False)
        figure.legend([Patch(color=_BEFORE), Patch(color=_AFTER)], _LABELS, loc="lower center", ncols=2, frameon=False)
        marking = " \u00b7 ".join((marks.marking, marks.title, f"run {marks.run_id}", f"expires {marks.expires_on}"))
        figure.suptitle(cell_text(marking, is_formula_safe=True, most_characters=140), fontsize=7.5)
        if marks.is_fictional:
            figure.text(
                0.5, 0.5, "FICTIONAL", fontsize=60, rotation=22, ha="center", va="center", color=_INK, alpha=0.12
            )
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None, "Title": "What the priors imply"})


def _whole_edges(prediction: PriorPredictive) -> list[float]:
    """Edges of bins of whole numbers of towns, of one town each where they are few."""
    most = max(prediction.towns_of_half.max(), prediction.towns_of_half_after.max())
    step = int(np.ceil(most / _N_BINS))
    return [float(edge) for edge in np.arange(0.5, most + step + 0.5, step)]


def _spread(
    axes: Axes, before: NDArray[np.float64], after: NDArray[np.float64], *, edges: Sequence[float] = _PERCENT_EDGES
) -> None:
    """Draws before, and with the evidence draws and their mean, or the mean alone."""
    axes.hist(before, bins=edges, weights=np.full(len(before), 100 / len(before)), color=_BEFORE)
    if len(after) > 1:
        weights = np.full(len(after), 100 / len(after))
        axes.hist(after, bins=edges, weights=weights, histtype="step", color=_AFTER, linewidth=1.4)
    axes.axvline(after.mean(), color=_AFTER, linewidth=1.4)


def _durations(axes: Axes, prediction: PriorPredictive) -> None:
    """Trips by minutes from door to door: means and 90 % ranges before, means with the evidence."""
    share = 100 * prediction.duration_share
    at = np.arange(share.shape[1])
    low, high = np.quantile(share, (0.05, 0.95), axis=0)
    mean = share.mean(axis=0)
    spread = np.clip([mean - low, high - mean], 0.0, None)
    axes.bar(at, mean, color=_BEFORE, yerr=spread, ecolor=_INK, capsize=2)
    axes.plot(at, 100 * prediction.duration_share_after, "o", color=_AFTER, markersize=4)
    edges = [f"{edge:.0f}" for edge in DURATION_EDGES_MIN[:-1]]
    axes.set_xticks(at, [*(f"{a}-{b}" for a, b in itertools.pairwise(edges)), f"{edges[-1]}+"])
    axes.set(xlabel="minutes from door to door", ylabel="% of trips")
