"""What the log of results says of the plan that was worked, beside the fixed roster and what was expected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import typer

from gateline.pipeline.plan_file import PLAN_FILE, SavedPlan, read_plan_file
from gateline.pipeline.setting_names import name_settings
from gateline.products.inputs import FICTIONAL_NOTE
from gateline.settings_inputs import require_date_format
from geo.errors import InputError, UsageError
from geo.sources.deployments import read_deployments
from models.evaluation import Comparison, PlanYield, estimate_plans, find_detectable_reduction

__all__ = ["tell_results"]

_COUNTS = {
    "n_stops": "people stopped",
    "n_finds": "finds",
    "n_children": "children safeguarded",
    "n_referrals": "referrals",
}
_TOLERANCE = 1e-5


def tell_results(workspace: Path, log: Path, *, date_format: str | None = None) -> None:
    """
    Print what a log of results says.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with the runs whose plans were worked.
    log : pathlib.Path
        ``results.csv`` of one or more runs, filled in.
    date_format : str or None
        Of its days, as a spreadsheet may have written them; ISO where absent.

    Raises
    ------
    InputError
        If no visit of the log is of a plan of the workspace.
    UsageError
        If the format is none.
    """
    plans = _read_plans(workspace)
    stations = {station for saved in plans for station in saved.problem.station_ids}
    if date_format is not None:
        _require_format(date_format)
    with name_settings("the log", options={"date_format": "--date-format"}):
        reading = read_deployments(log, station_ids=stations, date_format=date_format)
    visits = reading.table
    (account,) = reading.accounts
    typer.echo("\n".join(_headings(plans)))
    told = ", ".join(f"{n} {reason} ({status})" for status, reason, n in account.n_by_reason)
    typer.echo(f"{log.name}: {account.n_read} rows, {account.n_accepted} visits{f'; {told}' if told else ''}")
    if visits.empty:
        msg = f"{log.name}: no row is filled in, expected n_hours and counts of the stays worked. Fill it in first."
        raise InputError(msg)
    for line in _tell_counts(visits):
        typer.echo(line)
    missing = sorted({"n_finds", "propensity"} - set(visits.columns))
    if missing:
        msg = f"{log.name}: column {missing[0]!r} is missing, expected the columns of results.csv. Fill in that file."
        raise InputError(msg)
    cells, of_plan = _match(plans, visits[visits["n_hours"] > 0])
    typer.echo(f"{len(of_plan)} of {len(visits)} visits have hours and finds written down and are stays of a plan here")
    typer.echo("\n".join(_tell_plans(estimate_plans(cells, of_plan), of_plan)))


def _require_format(text: str) -> None:
    try:
        require_date_format(text)
    except ValueError as error:
        msg = f"--date-format: it is {text!r}, expected year and month as strftime writes them. Give one as %d/%m/%Y."
        raise UsageError(msg) from error


def _read_plans(workspace: Path) -> list[SavedPlan]:
    """Plans of all runs; one of another version is left out with a line, and stops none of the others."""
    plans = []
    for path in sorted((workspace / "runs").glob(f"[!.]*/{PLAN_FILE}")):
        try:
            plans.append(read_plan_file(path))
        except InputError as error:
            typer.echo(f"run {path.parent.name} is left out: {error}")
    return plans


def _headings(plans: list[SavedPlan]) -> list[str]:
    if not plans:
        msg = f"runs: no run of the workspace has {PLAN_FILE}, expected the run whose plan was worked. Keep it."
        raise InputError(msg)
    lines = list(dict.fromkeys(str(saved.about["marking"]) for saved in plans))
    return [*lines, *([FICTIONAL_NOTE] if any(saved.about["is_fictional"] for saved in plans) else [])]


def _tell_counts(visits: pd.DataFrame) -> list[str]:
    hours = float(visits["n_hours"].sum())
    lines = [f"{len(visits)} visits, {hours:g} team-hours at stations"]
    for column, words in _COUNTS.items():
        if column in visits.columns and visits[column].notna().any():
            written = visits[visits[column].notna()]
            n, of_hours = int(written[column].sum()), float(written["n_hours"].sum())
            rate = f", {100 * n / of_hours:,.1f} in 100 hours" if of_hours > 0 else ""
            lines.append(f"  {n} {words} in {len(written)} visits that say{rate}")
    return lines


def _match(plans: list[SavedPlan], visits: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cells of every plan that has a visit, and the visits in them; a later run's plan of the same day is not taken."""
    parts, cells = [], []
    for week, saved in enumerate(sorted(plans, key=lambda saved: (saved.about["first_on"], saved.about["run_id"]))):
        own = _visits_of(saved, visits, week)
        if len(own):
            parts.append(own)
            cells.append(saved.cells.assign(week=week).set_index(_cell_ids(saved.cells, week)))
    if not parts:
        msg = (
            "log: none of its visits is a stay of a plan in this workspace, by station, day and chance, expected "
            "results.csv of one of its runs, filled in. Keep the run that was worked."
        )
        raise InputError(msg)
    found = pd.concat(parts)
    return pd.concat(cells), found[~found.index.duplicated()]


def _visits_of(saved: SavedPlan, visits: pd.DataFrame, week: int) -> pd.DataFrame:
    """Visits whose day, station and chance are those of a cell."""
    first = pd.Timestamp(saved.about["first_on"])
    day = (pd.to_datetime(visits["worked_on"]) - first).dt.days + 1
    wanted = visits.assign(day=day, deployment_id=visits.index)
    if "run_id" in visits.columns:
        wanted = wanted[wanted["run_id"] == saved.about["run_id"]]
    cells = saved.cells.assign(cell_id=_cell_ids(saved.cells, week))
    keys = ["day", "station_id", *(["shift"] if "shift" in visits.columns else [])]
    both = wanted.merge(cells, on=keys, how="inner")
    is_same = (both["propensity"] - both["chance"]).abs() < _TOLERANCE
    both = both[is_same & both["n_finds"].notna()]
    both = both.drop_duplicates("deployment_id").set_index("deployment_id")
    return both[["cell_id", "n_hours", "n_finds"]].astype({"n_finds": float})


def _cell_ids(cells: pd.DataFrame, week: int) -> pd.Index:
    ids = f"{week}:" + cells["day"].astype("str") + ":" + cells["shift"] + ":" + cells["station_id"]
    return pd.Index(ids, name="cell_id", dtype="str")


def _tell_plans(found: Comparison, visits: pd.DataFrame) -> list[str]:
    weeks = "week" if found.n_weeks == 1 else "weeks"
    lines = [
        f"\n{found.n_visits} visits of {found.n_weeks} planned {weeks}; finds a week",
        "with 90 % ranges, visits weighed by the chances they were drawn with (doubly robust):",
        f"  {_told(found.drawn)}  the plan as drawn",
        f"  {_told(found.target)}  the best fixed roster, worked every week",
        f"  {_told(found.gain)}  the first less the second",
    ]
    if found.gain.low > 0 or found.gain.high < 0:
        lines.append(f"  The {'plan as drawn' if found.gain.low > 0 else 'fixed roster'} finds more.")
    else:
        lines.append("  The range of the difference holds 0: the log does not tell one from the other.")
    lines.append(
        f"  Of the fixed roster's hours {found.covered_share:.0%} lie where the draw could go; what is said of it "
        f"rests on as much as {found.n_effective:.1f} visits"
    )
    n = float(visits["n_finds"].sum())
    least = find_detectable_reduction({"treated": n, "control": n}) if n > 0 else None
    lines.append(
        "  Finds are too few for a fall from one such period to the next to be noticed four times in five"
        if least is None
        else f"  A fall by {least:.0%} from one such period to the next would be noticed four times in five"
    )
    return lines


def _told(plan: PlanYield) -> str:
    if np.isnan(plan.finds_per_week):
        return "      not covered"
    return f"{plan.finds_per_week:6.2f} ({plan.low:.2f} to {plan.high:.2f})"
