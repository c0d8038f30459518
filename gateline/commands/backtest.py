"""Judge hotspot detectors on months that came after those they learnt from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import shapely
import typer

from gateline.pipeline.cells import DETECTOR_CELL_M, DETECTOR_OPTIONS
from gateline.pipeline.read import read_inputs
from gateline.products.hit_curves import draw_hit_curves
from gateline.settings import read_settings
from geo.errors import InputError
from geo.hotspots.comparison import Split, compare_detectors, estimate_gain
from geo.hotspots.detectors import DEFAULT_DETECTOR, standard_detectors
from geo.hotspots.events import build_events
from geo.hotspots.grid import build_grid
from geo.sources.coverage import describe_coverage

__all__ = ["backtest_hotspots"]

COVERAGE_SHARE = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05)
# The last third of the months is foreseen from those before.
TEST_SHARE = 1 / 3
N_RESAMPLES = 1000


def backtest_hotspots(workspace: Path) -> None:
    """
    Print and plot the hit rate of every detector beside counting, kernel density and chance.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``; the plot goes to ``backtest_hotspots.png`` in it.

    Raises
    ------
    InputError
        If there is no small area or boundary to lay cells over.
    """
    settings = read_settings(workspace / "region.toml")
    inputs = read_inputs(workspace, settings)
    shapes = inputs.areas if len(inputs.areas) else inputs.boundaries[inputs.boundaries["kind"] == "force"]
    if len(shapes) == 0:
        msg = "areas: none is named, expected areas or a boundary to lay cells over. Name one under [inputs]."
        raise InputError(msg)
    events = build_events(inputs.context, targets=settings.offences.crime_types)
    grid = build_grid(shapely.union_all(shapes.geometry.array), cell_m=DETECTOR_CELL_M)
    first, last = int(events.period.min()), int(events.period.max())
    n_test = max(round((last - first + 1) * TEST_SHARE), 1)
    split = Split(first, last - n_test, last - n_test + 1, last)
    costs = {"area": np.ones(len(grid))}
    detectors = standard_detectors(**DETECTOR_OPTIONS)
    table = compare_detectors(
        events, grid, split=split, detectors=detectors, costs=costs, coverage_share=COVERAGE_SHARE
    )
    wide = table.pivot_table(index="detector", columns="coverage_share", values="hit_rate", sort=False)
    months = [pd.Period(ordinal=k, freq="M") for k in (first, last - n_test, last - n_test + 1, last)]
    typer.echo(f"learnt {months[0]} to {months[1]}, foreseen {months[2]} to {months[3]}; share of offences found in")
    for gap in describe_coverage(inputs.coverage):
        typer.echo(f"in these months {gap}")
    typer.echo(wide.rename(columns=lambda share: f"{share:.2%} of area").to_string(float_format="{:.3f}".format))
    named = {detector.name: detector for detector in detectors}
    gain, interval = estimate_gain(
        events,
        grid,
        split=split,
        one=named[DEFAULT_DETECTOR],
        other=named["prior counts"],
        costs=costs,
        coverage_share=COVERAGE_SHARE,
        n_resamples=N_RESAMPLES,
        random_state=settings.scores.random_state,
    )
    verdict = "better than counting" if interval[0] > 0 else "no better than counting"
    typer.echo(f"{DEFAULT_DETECTOR}: {gain:+.3f} ({interval[0]:+.3f} to {interval[1]:+.3f}), {verdict}")
    path = workspace / "backtest_hotspots.png"
    draw_hit_curves(path, table, title=f"{settings.region.name}: {months[2]} to {months[3]} foreseen from {months[0]}")
    typer.echo(f"plot: {path}")
