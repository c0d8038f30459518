"""Fit, judge and register the model of the scores."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from gateline.audit import append_event
from gateline.pipeline.panels import UNITS, build_region_panel, run_early
from gateline.pipeline.read import read_inputs, require_little_quarantine
from gateline.pipeline.registered import UNUSED
from gateline.settings import read_settings
from gateline.workspace import lock_workspace
from models.artifacts import read_model, write_model
from models.dictionary import PLACE_FEATURES, STATION_FEATURES
from models.model_card import build_atrs, draw_model_card
from models.training import TrainingReport, to_table, train

__all__ = ["backtest_workspace", "train_workspace"]

_DICTIONARY = {"stations": STATION_FEATURES, "towns": PLACE_FEATURES}


def train_workspace(workspace: Path) -> None:
    """
    Train both models, write their cards and register them.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``; ``models/`` in it is the registry.
    """
    registry = workspace / "models"
    with lock_workspace(workspace):
        settings = read_settings(workspace / "region.toml")
        for unit, report in _judge(workspace, registry).items():
            folder = registry / unit
            path = write_model(report, folder)
            note = f"{report.n_outcomes:,.0f} offences of {settings.region.name}, last month {report.cutoff}"
            region, owner = settings.region.name, settings.region.operator
            card = draw_model_card(report, _DICTIONARY[unit], region=region, data_note=note)
            (folder / "model_card.md").write_text(card, encoding="utf-8")
            atrs = build_atrs(report, region=region, owner=owner, data_note=note)
            (folder / "atrs.json").write_text(json.dumps(atrs, indent=1, sort_keys=True) + "\n", encoding="utf-8")
            pointer = folder / "current.tmp"
            pointer.write_text(path.name + "\n", encoding="utf-8")
            pointer.replace(folder / "current")
            append_event(workspace / "audit.jsonl", "alter", model=path.name, unit=unit, verdict=report.verdict)
            typer.echo(f"{unit}: {report.chosen} ({report.verdict}); card in {folder / 'model_card.md'}")
            typer.echo(f"    no run takes its scores from it: {UNUSED}")


def backtest_workspace(workspace: Path) -> None:
    """
    Print how every model and baseline did, in time and in space.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``.
    """
    for unit, report in _judge(workspace, workspace / "models").items():
        typer.echo(f"\n{unit}: {report.verdict}")
        typer.echo(to_table(report.judgements).to_string(float_format="{:.3f}".format))


def _judge(workspace: Path, registry: Path) -> dict[str, TrainingReport]:
    """A report for stations and one for towns."""
    settings = read_settings(workspace / "region.toml")
    inputs = read_inputs(workspace, settings)
    require_little_quarantine(inputs, settings.offences)
    early = run_early(inputs, settings)
    reports = {}
    for unit in UNITS:
        panel = build_region_panel(inputs, early, settings, unit=unit)
        pointer = registry / unit / "current"
        registered = (
            read_model(registry / unit / pointer.read_text().strip(), panel_columns=panel.columns)
            if pointer.exists()
            else None
        )
        reports[unit] = train(
            panel,
            random_state=settings.scores.random_state,
            registered=registered,
            n_draws=settings.scores.n_draws,
        )
    return reports
