"""
The command line. Each command does its imports inside, so that ``gateline --help`` answers at once.

Exit codes: 0 done, 1 a defect, 2 usage, 3 input rejected, 4 too much quarantined, 5 integrity, 6 locked, 7 disclosure
or retention refused, 8 resource limit, 9 model gate, 130 interrupted.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from geo.errors import GatelineError, ResourceError, UsageError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    name="gateline",
    help="Rank railway stations and towns by their exposure to county lines. It scores places, never people.",
    no_args_is_help=True,
    # A traceback with local variables could print a victim's data.
    pretty_exceptions_enable=False,
    add_completion=False,
)
audit_app = typer.Typer(help="The audit log.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")

Workspace = Annotated[Path, typer.Argument(help="Workspace folder, with region.toml", show_default=False)]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder to make the workspace in")] = Path("demo"), *, quiet: Quiet = False
) -> None:
    """Run the whole job on the embedded region, offline. Its offences and addresses are FICTIONAL."""
    from gateline.commands.demo import run_demo

    run_demo(out, quiet=quiet)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="New folder", show_default=False)],
    name: Annotated[str, typer.Option("--region", help="Region as it appears on every product")] = "North Yorkshire",
) -> None:
    """Make a workspace: region.toml with every setting explained, and a folder for inputs."""
    from gateline.commands.init import init_workspace

    init_workspace(folder, name=name)
    typer.echo(
        f"{folder}: made. Put files in {folder / 'inputs'}, name them in region.toml, then 'gateline check {folder}'."
    )


@app.command()
def fetch(workspace: Workspace, *, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Download open data into inputs, as [fetch] asks. The only command that uses the network."""
    from gateline.commands.fetch import fetch_workspace

    fetch_workspace(workspace, quiet=quiet, as_json=as_json)


@app.command()
def check(workspace: Workspace, *, as_json: AsJson = False) -> None:
    """Read all inputs and print what was accepted, quarantined and missing. Writes nothing."""
    from gateline.commands.check import check_workspace

    check_workspace(workspace, as_json=as_json)


@app.command()
def run(workspace: Workspace, *, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Do the main job: one run folder with map, lists, layers and model card."""
    from gateline.commands.run import run_workspace

    run_workspace(workspace, quiet=quiet, as_json=as_json)


@app.command()
def train(workspace: Workspace) -> None:
    """Fit and judge every model against counting, register what is used, write its card."""
    from gateline.commands.train import train_workspace

    train_workspace(workspace)


@app.command()
def backtest(
    workspace: Workspace,
    *,
    hotspots: Annotated[bool, typer.Option("--hotspots", help="Judge hotspot detectors instead of scores")] = False,
) -> None:
    """Judge every model and baseline on months that came after those it learnt from."""
    if hotspots:
        from gateline.commands.backtest import backtest_hotspots

        backtest_hotspots(workspace)
    else:
        from gateline.commands.train import backtest_workspace

        backtest_workspace(workspace)


@app.command()
def compare(
    workspace: Workspace,
    before: Annotated[str, typer.Argument(help="Earlier run: id or folder", show_default=False)],
    after: Annotated[str | None, typer.Argument(help="Later run; the current one where not given")] = None,
    out: Annotated[Path | None, typer.Option(help="Page to write")] = None,
) -> None:
    """Say which stations moved between two runs, and why."""
    from gateline.commands.compare import compare_runs

    compare_runs(workspace, before, after, out=out)


@app.command()
def explain(
    workspace: Workspace,
    unit: Annotated[str, typer.Argument(help="Station code, place id, or name", show_default=False)],
) -> None:
    """Say why a station or town stands where it does, and what would move it. Writes nothing."""
    from gateline.commands.explain import explain_unit

    explain_unit(workspace, unit)


@app.command()
def issue(
    workspace: Workspace,
    signed_off_by: Annotated[str | None, typer.Option(help="Who accepts a top ten that changed a lot")] = None,
) -> None:
    """Freeze the current run's lists in the ledger, to be scored when outcomes arrive."""
    from gateline.commands.issue import issue_current

    issue_current(workspace, signed_off_by=signed_off_by)


@app.command()
def monitor(workspace: Workspace) -> None:
    """Score the lists issued before against the offences that came after them."""
    from gateline.commands.issue import monitor_workspace

    monitor_workspace(workspace)


@app.command()
def export(
    workspace: Workspace,
    *,
    profile: Annotated[str, typer.Option(help="tactical, partner or public")] = "",
    reason: Annotated[str, typer.Option(help="Why it is released; goes to the audit log")] = "",
    recipient: Annotated[str, typer.Option(help="Who receives it; printed on every product")] = "",
    product: Annotated[list[str] | None, typer.Option(help="Only this product; may be repeated")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to put the release in; exports/ if absent")] = None,
    quiet: Quiet = False,
) -> None:
    """Release the current run to someone, through the disclosure gate and the audit log."""
    from gateline.commands.export import export_workspace
    from gateline.release.export import ReleaseRequest

    request = ReleaseRequest(profile, reason, recipient, tuple(product or ()))
    export_workspace(workspace, request, out=out, quiet=quiet)


@app.command()
def purge(
    workspace: Workspace,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be deleted")] = False,
    today: Annotated[str | None, typer.Option(help="Day to judge by, YYYY-MM-DD; today if absent")] = None,
) -> None:
    """Delete runs, exports and victims' addresses that have expired, and log it."""
    from gateline.commands.purge import purge_workspace

    purge_workspace(workspace, today=today, is_dry_run=dry_run)


@app.command()
def plan(
    workspace: Workspace,
    teams: Annotated[int | None, typer.Option(help="Teams, at the bases of the run's teams in turn")] = None,
    days: Annotated[int | None, typer.Option(help="Days planned")] = None,
    shift: Annotated[list[str] | None, typer.Option(help="Shift of a day; repeatable")] = None,
    must: Annotated[list[str] | None, typer.Option(help="CRS code that must be worked; repeatable")] = None,
    must_not: Annotated[list[str] | None, typer.Option(help="CRS code that must not be worked; repeatable")] = None,
    keep_to: Annotated[list[str] | None, typer.Option(help="Tier whose stations alone are worked; repeatable")] = None,
    detection: Annotated[float | None, typer.Option(help="Chance that a team meets a courier who passes")] = None,
    name: Annotated[str | None, typer.Option(help="Save it as plans/NAME, to stand beside others")] = None,
) -> None:
    """What other teams, hours, stations or chances would make of the current run's plan, in a second."""
    from gateline.commands.plan import Changes, plan_workspace

    lists = {"shifts": shift, "must": must, "must_not": must_not, "keep_to": keep_to}
    changes = Changes(teams=teams, days=days, detection=detection, **{key: tuple(v or ()) for key, v in lists.items()})
    plan_workspace(workspace, changes, name=name)


@app.command()
def results(
    workspace: Workspace,
    log: Annotated[Path, typer.Argument(help="results.csv of its runs, filled in", show_default=False)],
    date_format: Annotated[str | None, typer.Option(help="Format of its days, as %d/%m/%Y; ISO where absent")] = None,
) -> None:
    """What a filled log of results says of the plan that was worked, by the chances it was drawn with."""
    from gateline.commands.results import tell_results

    tell_results(workspace, log, date_format=date_format)


@audit_app.command("verify")
def audit_verify(workspace: Workspace) -> None:
    """Recompute the chain of the audit log."""
    from gateline.audit import head_hash, verify_log

    log = workspace / "audit.jsonl"
    n_events = verify_log(log)
    typer.echo(f"{log.name}: {n_events} events, unbroken, head {head_hash(log)[:16]}")


def main() -> None:
    """
    Run the command line; an expected fault is one sentence and its exit code.

    Raises
    ------
    SystemExit
        Always, with the exit code.
    """
    os.umask(0o077)  # what is written is the user's alone
    # Where there is no home to keep its cache in it says so at length, and draws all the same.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        app()
    except GatelineError as error:
        sys.stderr.write(f"gateline: {error}\n")
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        told, exit_code = _tell_fault_of_system(error)
        sys.stderr.write(f"gateline: {told}\n")
        raise SystemExit(exit_code) from None
    except MemoryError:
        sys.stderr.write("gateline: memory is used up, expected room. Use fewer inputs or a larger machine.\n")
        raise SystemExit(ResourceError.exit_code) from None
    except SystemExit as end:
        if end.code == INTERRUPTED:  # Typer turns Ctrl-C into this, without a word
            sys.stderr.write("gateline: interrupted, nothing was published\n")
        raise


def _tell_fault_of_system(error: OSError) -> tuple[str, int]:
    """A fault of disk or permission in one sentence, with its exit code."""
    what = Path(os.fsdecode(error.filename)).name if isinstance(error.filename, str | bytes) else "workspace"
    reason = error.strerror or type(error).__name__
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        told = f"{what}: the disk is full ({reason}), expected room. Free some and run again; nothing was published."
        return told, ResourceError.exit_code
    told = f"{what}: it cannot be used ({reason}), expected a path that may be read and written. Mend it and run again."
    return told, UsageError.exit_code


if __name__ == "__main__":
    main()
