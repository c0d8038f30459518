"""Deletion of what has expired, from the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import typer

from gateline.release.retention import purge
from geo.errors import UsageError

__all__ = ["purge_workspace"]


def purge_workspace(workspace: Path, *, today: str | None, is_dry_run: bool) -> None:
    """
    Delete what has expired and list it.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``.
    today : str or None
        The day to judge by, YYYY-MM-DD; None for today.
    is_dry_run : bool
        List only.

    Raises
    ------
    UsageError
        If the day is no date.
    """
    try:
        day = datetime.now(UTC).date() if today is None else date.fromisoformat(today)
    except ValueError as error:
        msg = f"--today: it is {today!r}, expected a date as YYYY-MM-DD. Mend it."
        raise UsageError(msg) from error
    expired = purge(workspace, today=day, is_dry_run=is_dry_run)
    for thing in expired:
        verb = "would delete" if is_dry_run else "deleted"
        typer.echo(f"{verb} {thing.kind} {thing.path.name}, expired on {thing.expired_on}")
    if not expired:
        typer.echo("nothing has expired")
