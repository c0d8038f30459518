"""The main job from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from gateline.pipeline.run import Finished, run_pipeline
from gateline.pipeline.write import level_of
from gateline.products.guidance import LEVEL_NOTE, RAILWAY_MEANING, describe_level, score_meaning
from gateline.products.lists import is_issued
from models.telling import count_decimals, tell_scores

__all__ = ["run_workspace"]

_SHOWN = 10


def run_workspace(workspace: Path, *, quiet: bool, as_json: bool) -> None:
    """
    Run a workspace and tell where the products are.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``.
    quiet : bool
        Print nothing but errors.
    as_json : bool
        Print one JSON document.
    """
    # Progress goes to standard error, so that standard output is the result alone.
    finished = run_pipeline(workspace, tell=(lambda _: None) if quiet or as_json else _tell)
    if as_json:
        typer.echo(json.dumps({"run_id": finished.run_id, "folder": str(finished.folder)}))
    elif not quiet:
        typer.echo(_summary(finished))


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _summary(finished: Finished) -> str:
    """The first stations and towns, what their scores mean, and where to look."""
    results = finished.results
    lines = [describe_level(level_of(results)), LEVEL_NOTE]
    for what, scores in (("stations", results.station_scores), ("towns", results.place_scores)):
        table = tell_scores(scores.table)
        table["is_rank_issued"] = is_issued(scores.table)
        is_index, decimals = bool(scores.weights), count_decimals(table["score"])
        lines += ["", score_meaning(what, is_index=is_index, railway=RAILWAY_MEANING[results.railway_basis])]
        trips = "" if is_index else "  trips a month (90 %)"
        lines.append(f"{what.capitalize():<28} tier  score  {'rank (90 %)':<18}{trips}")
        for row, n_decimals in zip(table.head(_SHOWN).to_dict("records"), decimals[:_SHOWN].tolist(), strict=True):
            span = f"{row['rank_low']:.0f}-{row['rank_high']:.0f}"
            rank = f"{row['rank']} ({span})" if row["is_rank_issued"] else f"too wide ({span})"
            score = f"{row['score']:5.{n_decimals}f}"
            flow = "" if is_index else f"  {row['trips_per_month']:g} ({row['trips_low']:g}-{row['trips_high']:g})"
            tier = "?" if row["tier"] == "insufficient data" else row["tier"]
            lines.append(f"{row['name'][:28]:<28} {tier:<4}  {score}  {rank:<18}{flow}")
    lines.append(f"\nOpen {finished.folder / 'map.html'}")
    return "\n".join(lines)
