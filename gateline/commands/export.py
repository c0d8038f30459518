"""A release from the command line."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import typer

from gateline.release.export import ReleaseRequest, export_release

__all__ = ["export_workspace"]


def export_workspace(workspace: Path, request: ReleaseRequest, *, out: Path | None, quiet: bool) -> None:
    """
    Release the current run and tell where it is.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``.
    request : ReleaseRequest
        What is asked.
    out : pathlib.Path or None
        Folder to put the release's folder in.
    quiet : bool
        Print nothing but errors.
    """
    today = datetime.now(UTC).date()
    folder = export_release(workspace, request, today=today, tell=(lambda _: None) if quiet else _tell, out=out)
    if not quiet:
        typer.echo(f"{folder}: released for {request.recipient}, logged")


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
