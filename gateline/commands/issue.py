"""Issue a list into the frozen ledger, and score the lists issued before once their outcomes are known."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import typer

from gateline.audit import append_event
from gateline.pipeline.panels import UNITS
from gateline.pipeline.published import read_list, read_record
from gateline.pipeline.read import read_inputs
from gateline.settings import read_settings
from gateline.workspace import current_run, lock_workspace
from models.evidence import count_place_evidence, count_station_evidence
from models.monitoring import issue_list, read_ledger, require_stable_top, score_ledger

__all__ = ["issue_current", "monitor_workspace"]

_INDEX = {"stations": "station_id", "towns": "place_id"}


def issue_current(workspace: Path, *, signed_off_by: str | None) -> None:
    """
    Freeze the current run's lists in the ledger.

    Parameters
    ----------
    workspace : pathlib.Path
        The workspace.
    signed_off_by : str or None
        Who accepts a top ten that changed by more than the gate allows.
    """
    ledger = workspace / "issued.jsonl"
    with lock_workspace(workspace):
        run = current_run(workspace)
        cutoff = pd.Period(read_record(run)["cutoff"], freq="M")
        tables = {unit: read_list(run, unit).dropna(subset=["score", "rank"]) for unit in UNITS}
        for unit, table in tables.items():
            before = [line for line in read_ledger(ledger) if line["unit"] == _INDEX[unit]]
            if before:
                scores = pd.Series(before[-1]["scores"], dtype=float)
                last = pd.DataFrame({"score": scores, "rank": scores.rank(ascending=False, method="min")})
                require_stable_top(last, table, signed_off_by=signed_off_by)
        for table in tables.values():
            head = issue_list(ledger, table, cutoff=cutoff, run_id=run.name)
        append_event(
            workspace / "audit.jsonl", "disclose", run_id=run.name, reason="issued", signed_off_by=signed_off_by
        )
    typer.echo(f"run {run.name} issued; ledger head {head[:16]}")


def monitor_workspace(workspace: Path) -> None:
    """
    Print how each issued list did against the offences that came after it.

    Parameters
    ----------
    workspace : pathlib.Path
        The workspace, with newer months among its inputs.
    """
    settings = read_settings(workspace / "region.toml")
    inputs = read_inputs(workspace, settings)
    last = inputs.offences["month"].max()
    counted = {
        "stations": count_station_evidence(
            inputs.offences, inputs.stations[inputs.stations["is_in_force"]], cutoff=last
        ),
        "towns": count_place_evidence(inputs.offences, inputs.places[inputs.places["is_in_force"]], cutoff=last),
    }
    for unit, evidence in counted.items():
        outcomes = pd.DataFrame(evidence.counts.sum(axis=2), index=evidence.unit_ids, columns=evidence.months)
        scored = score_ledger(workspace / "issued.jsonl", outcomes, unit=_INDEX[unit])
        typer.echo(f"\n{unit}: {len(scored)} issued lists have outcomes")
        if len(scored):
            typer.echo(scored.to_string(float_format="{:.3f}".format))
