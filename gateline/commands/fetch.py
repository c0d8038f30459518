"""Fetch open data into a workspace: the only command that uses the network."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import typer

from gateline.pipeline.fetching import FetchedFile, fetch_inputs

__all__ = ["fetch_workspace"]


def fetch_workspace(workspace: Path, *, quiet: bool, as_json: bool) -> None:
    """
    Fetch what ``[fetch]`` asks for, and tell how `region.toml` names it.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``.
    quiet : bool
        Print nothing but errors.
    as_json : bool
        Print one JSON document.
    """
    today = datetime.now(UTC).date()
    files, notes = fetch_inputs(workspace, today=today, on_progress=None if quiet or as_json else _show)
    if as_json:
        typer.echo(json.dumps({"files": [asdict(file) for file in files], "notes": notes}, indent=1))
    elif not quiet:
        typer.echo(_tell(files, notes))


def _show(what: str, n_done: int, n_all: int) -> None:
    """One line that counts up, on standard error."""
    sys.stderr.write(f"\r{what}: {n_done} of {n_all}" + ("\n" if n_done == n_all else ""))
    sys.stderr.flush()


def _tell(files: list[FetchedFile], notes: list[str]) -> str:
    """What is there now, and the lines for ``[inputs]``."""
    lines = [f"{file.path}  {file.sha256[:16]}  {file.source}" for file in files]
    lines += [f"note: {note}" for note in notes]
    lines += ["", "Name them in region.toml:", "[inputs]"]
    named = {file.role: file.path for file in files if file.role != "offences"}
    if any(file.role == "offences" for file in files):
        lines.append('offences = ["inputs/offences"]')
    lines += [f'{role} = "{path}"' for role, path in named.items()]
    return "\n".join(lines)
