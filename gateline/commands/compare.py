"""What moved between two runs, and why."""

from __future__ import annotations

from pathlib import Path

import typer

from gateline.pipeline.published import find_run, read_list, read_marks
from gateline.products.comparison import compare_stations, write_comparison
from gateline.workspace import current_run

__all__ = ["compare_runs"]

_SHOWN = 10


def compare_runs(workspace: Path, before: str, after: str | None, *, out: Path | None) -> None:
    """
    Print the stations that moved, and write the comparison as a page.

    Parameters
    ----------
    workspace : pathlib.Path
        The workspace.
    before, after : str
        Run ids or folders; the current run where the second is not given.
    out : pathlib.Path or None
        Page to write; ``comparison.html`` in the workspace where not given.
    """
    runs = [find_run(workspace, before), current_run(workspace) if after is None else find_run(workspace, after)]
    lists, marks = [read_list(run, "stations") for run in runs], [read_marks(run) for run in runs]
    table = compare_stations(*lists)
    path = out or workspace / "comparison.html"
    write_comparison(path, table, *marks)
    moved = table[table["change"] != "same"]
    typer.echo(f"{runs[0].name} to {runs[1].name}: {len(moved)} of {len(table)} stations moved")
    columns = [c for c in ("name", "change", "rank_before", "rank_after", "rank_change", "why") if c in table.columns]
    if len(moved):
        typer.echo(moved[columns].head(_SHOWN).to_string(index=False))
    typer.echo(f"page: {path}")
