"""Read all inputs and tell what became of every row."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from gateline.pipeline.read import Inputs, read_inputs, require_little_quarantine
from gateline.pipeline.weights import require_weighable
from gateline.settings import read_settings
from geo.sources.coverage import describe_coverage

__all__ = ["check_workspace"]


def check_workspace(workspace: Path, *, as_json: bool) -> None:
    """
    Print the account of every input file, and gaps in the months of offences.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``.
    as_json : bool
        Print one JSON document.

    Raises
    ------
    QuarantineError
        After printing, if a file lost more rows than the settings allow.
    UsageError
        After printing, if a weight names something for which there are no data.
    """
    settings = read_settings(workspace / "region.toml")
    inputs = read_inputs(workspace, settings)
    if as_json:
        missing = {
            force: [str(month) for month in months]
            for force, months in zip(inputs.coverage["force"], inputs.coverage["missing_months"], strict=True)
        }
        document = {"files": [account.to_record() for account in inputs.accounts], "missing_months": missing}
        typer.echo(json.dumps(document, indent=1))
    else:
        typer.echo(_tell(inputs))
    require_little_quarantine(inputs, settings.offences)
    require_weighable(inputs, settings)


def _tell(inputs: Inputs) -> str:
    """The account as text."""
    lines = [f"{'file':<48} {'read':>9} {'accepted':>9}"]
    for account in inputs.accounts:
        lines.append(f"{account.source_file:<48} {account.n_read:>9,} {account.n_accepted:>9,}")
        lines += [f"    {status}: {reason:<36} {n:>9,}" for status, reason, n in account.n_by_reason]
        lines += [f"    note: {warning}" for warning in account.warnings]
    months = inputs.offences["month"]
    lines.append(f"offences: {months.min()} to {months.max()}, {len(months):,} rows in scope")
    lines += [f"missing months: {text}" for text in describe_coverage(inputs.coverage)]
    lines += [f"note: {text}" for text in inputs.feed_notes]
    return "\n".join(lines)
