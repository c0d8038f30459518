"""The main job from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from gateline.pipeline.run import Finished, run_pipeline

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
    """The first stations and towns, and where to look."""
    lines = []
    for what, scores in (("Stations", finished.results.station_scores), ("Towns", finished.results.place_scores)):
        lines.append(f"\n{what:<28} tier  of 100 trips  rank (90 %)")
        for row in scores.table.head(_SHOWN).to_dict("records"):
            rank = f"{row['rank']} ({row['rank_low']:.0f}-{row['rank_high']:.0f})"
            rank = rank if row["is_rank_issued"] else "interval too wide"
            lines.append(f"{row['name'][:28]:<28} {row['tier']:<4} {row['score']:8.1f}      {rank}")
    lines.append(f"\nOpen {finished.folder / 'map.html'}")
    return "\n".join(lines)
