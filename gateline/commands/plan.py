"""Plan interception with other numbers than the settings', without publishing a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from gateline.pipeline.planning import plan_run
from gateline.pipeline.read import read_inputs, require_little_quarantine
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from gateline.settings import read_settings

__all__ = ["plan_workspace"]

_SHARES = {
    "met_share": "met by the roster, couriers as they are",
    "met_share_evading": "met once couriers have responded",
    "best_share": "met by the best fixed list",
    "bound_share": "no list can meet more than",
    "greedy_share": "met by the greedy list",
}


def plan_workspace(workspace: Path, *, changes: dict[str, object]) -> None:
    """
    Print a plan: stations by shift, what it meets, and the rules of thumb beside it.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``.
    changes : dict
        Values that replace those of the ``[plan]`` block: a what-if.
    """
    settings = read_settings(workspace / "region.toml")
    settings = settings.model_copy(update={"plan": type(settings.plan)(**settings.plan.model_dump() | changes)})
    inputs = read_inputs(workspace, settings)
    require_little_quarantine(inputs, settings.offences)
    results = run_stages(inputs, settings, Recorder(lambda _: None))
    plan = plan_run(results, settings)
    if plan is None:
        typer.echo("no plan: no flow by rail passes a station of the force, or the pairs are too many to list")
        return
    summary = asdict(plan.summary)
    ways = "rail and coach" if results.others else "rail"
    typer.echo(f"{summary['n_teams']} teams, {summary['n_slots']} shifts; shares of the courier trips by {ways}:")
    for key, text in _SHARES.items():
        typer.echo(f"  {summary[key]:6.1%}  {text}")
    proof = "proven best" if summary["is_proven"] else f"within {summary['gap_share']:.2%} of the bound"
    typer.echo(f"  fixed list: {proof}; roster drawn with seed {summary['random_state']}\n")
    shown = ["met_share", "met_share_low", "met_share_high", "met_share_evading"]
    typer.echo(plan.comparison[shown].to_string(float_format="{:.3f}".format))
    if plan.left_out is not None:
        out = plan.left_out
        typer.echo(
            f"\n{len(out.passengers_per_day)} stations with fewer than {out.least_passengers_per_day:g} passengers "
            f"a day left out; the mix meets {out.met_share_with:.1%} with them, {out.met_share_without:.1%} without, "
            f"{out.met_share_evading_with:.1%} and {out.met_share_evading_without:.1%} once couriers respond"
        )
    columns = ["worked_on", "shift", "team", "station_id", "name", "reason", "propensity"]
    columns += [name for name in ("kind",) if name in plan.table.columns]
    columns += ["passengers_per_day", "n_trains_in_shift", "has_gates", "staffed_share"]
    typer.echo("\n" + plan.table[columns].to_string(index=False, float_format="{:.2f}".format))
