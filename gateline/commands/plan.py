"""What other teams, days, stations or chances would make of a finished run's plan, in a second, without a new run."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer

from gateline.pipeline.plan_file import PLAN_FILE, SavedPlan, read_plan_file
from gateline.products.duty_times import long_day, span
from gateline.products.inert import cell_text
from gateline.products.inputs import FICTIONAL_NOTE
from gateline.products.yield_lines import FIGURES, row_of, tell_range
from gateline.settings_plan import MOST_DAYS, MOST_TEAMS
from gateline.workspace import current_run
from geo.errors import InputError, UsageError
from geo.sources.files import is_reserved
from models.planning.roster import (
    THIS_WEEK,
    DutyProblem,
    FlowDraws,
    Mix,
    Watch,
    measure_duty_hours,
    measure_propensity,
    measure_stay_trips,
    measure_yields,
    mix_rosters,
    name_again,
    tabulate_stays,
    with_detection,
)

__all__ = ["Changes", "plan_workspace"]

_N_ROUNDS = 10
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SHOWN = ("team_hours_per_week", *FIGURES)


@dataclass(frozen=True)
class Changes:
    """
    A what-if.

    Attributes
    ----------
    teams, days : int or None
        Teams, at the bases of the run's in turn, and days.
    shifts : tuple of str
        Names of the shifts of a day; as planned where empty.
    must, must_not, keep_to : tuple of str
        Stations to be worked and never worked, and tiers to keep to.
    detection : float or None
        Chance that a team present meets a courier.
    """

    teams: int | None = None
    days: int | None = None
    shifts: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    must_not: tuple[str, ...] = ()
    keep_to: tuple[str, ...] = ()
    detection: float | None = None

    def tell(self) -> str:
        """
        Say what is changed.

        Returns
        -------
        str
            In the words of the options.
        """
        said = {name: value for name, value in vars(self).items() if value not in (None, ())}
        parts = [f"{name} {' '.join(v) if isinstance(v, tuple) else f'{v:g}'}" for name, v in said.items()]
        return ", ".join(parts) or "nothing changed"


def plan_workspace(workspace: Path, changes: Changes, *, name: str | None) -> None:
    """
    Print a what-if beside the run's plan and the what-ifs saved before.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with a finished run.
    changes : Changes
        What is asked.
    name : str or None
        Saves it under ``plans/NAME.json`` and ``plans/NAME.csv``.

    Raises
    ------
    UsageError
        If the name or a change cannot be.
    """
    if name is not None and (not _NAME.fullmatch(name) or is_reserved(name)):
        msg = (
            f"--name: is {name!r}, expected small letters, digits and dashes, 40 at most, and no device of Windows. "
            "Choose another."
        )
        raise UsageError(msg)
    run = current_run(workspace)
    saved = read_plan_file(run / PLAN_FILE)
    problem = _change(saved, changes)
    draws = saved.draws
    if changes.detection is not None:
        draws = draws.with_detection(changes.detection / draws.assumed_share)
    state = int(saved.about["random_state"])
    mix = mix_rosters(problem, random_state=state, trip_draws=draws.trips, n_rounds=_N_ROUNDS)
    hours = float(np.mean([measure_duty_hours(problem, roster.shifts) for roster in mix.rosters]))
    label = name or "what if"
    found = measure_yields(problem, {label: Watch(mix.watched, mix.watched, hours)}, draws)
    duties = _tell_roster(saved, problem, mix, draws)
    others = _read_others(workspace, saved, without=name)
    mine = row_of(found, label)
    rows = {THIS_WEEK: row_of(saved.yields, THIS_WEEK)} | others | {label: mine}
    for line in _headings(saved, changes, label):
        typer.echo(line)
    typer.echo(_beside(rows) + "\n")
    typer.echo(duties.to_string(index=False))
    if name is not None:
        is_there = (workspace / "plans" / f"{name}.json").exists()
        _save(workspace, name, saved, changes, mine, duties)
        typer.echo(f"\nplans/{name}.json and plans/{name}.csv: {'replaced' if is_there else 'saved'}")


def _change(saved: SavedPlan, changes: Changes) -> DutyProblem:
    problem = saved.problem
    rules = problem.rules
    if changes.shifts:
        rules = replace(rules, shifts=changes.shifts)
    if changes.must:
        rules = replace(rules, must_visit=tuple(dict.fromkeys((*rules.must_visit, *changes.must))))
    teams = problem.teams
    if changes.teams is not None:
        if not 1 <= changes.teams <= MOST_TEAMS:
            msg = f"--teams: is {changes.teams!r}, expected 1 to {MOST_TEAMS}. Give another number."
            raise UsageError(msg)
        wanted = list(teams[: changes.teams])
        while len(wanted) < changes.teams:
            like = teams[len(wanted) % len(teams)]
            wanted.append(replace(like, name=name_again(like.name, {team.name for team in wanted})))
        teams = tuple(wanted)
    problem = problem.with_teams(teams, rules)
    if changes.days is not None:
        if changes.days > MOST_DAYS:
            msg = f"--days: is {changes.days!r}, expected {MOST_DAYS} at most, as plan.n_days. Give fewer."
            raise UsageError(msg)
        problem = problem.with_days(changes.days)
    if changes.detection is not None:
        if not 0 < changes.detection <= 1:
            msg = f"--detection: is {changes.detection!r}, expected a chance above 0 and at most 1. Give another."
            raise UsageError(msg)
        problem = with_detection(problem, changes.detection / saved.draws.assumed_share)
    return _keep_to(saved, problem, changes)


def _keep_to(saved: SavedPlan, problem: DutyProblem, changes: Changes) -> DutyProblem:
    unknown = sorted(set(changes.must_not) - set(problem.station_ids))
    if unknown:
        msg = (
            f"--must-not: {unknown[0]!r} is not a station that the plan may work, expected one of the "
            f"{len(problem.station_ids)} stations of plan_problem.npz. Leave it out."
        )
        raise UsageError(msg)
    kept = [i for i in problem.station_ids if i not in changes.must_not]
    if changes.keep_to:
        kept = [i for i in kept if saved.tiers.get(i) in changes.keep_to or i in problem.rules.must_visit]
    lost = sorted(set(problem.rules.must_visit) - set(kept))
    if lost or not kept:
        what = f"{lost[0]!r} must and must not be worked" if lost else "no station is left"
        msg = f"plan: {what}, expected stations that may be worked. Mend --must, --must-not or --keep-to."
        raise UsageError(msg)
    return problem.keep_to(kept)


def _tell_roster(saved: SavedPlan, problem: DutyProblem, mix: Mix, draws: FlowDraws) -> pd.DataFrame:
    """The stays of the roster drawn, in the words of the workbook."""
    first_on = date.fromisoformat(saved.about["first_on"])
    table = tabulate_stays(
        problem,
        mix.roster,
        measure_stay_trips(problem, mix.roster.shifts, mix.watched, draws),
        measure_propensity(problem, mix),
        names=saved.names,
        tiers=saved.tiers,
        first_on=first_on,
    )
    return pd.DataFrame(
        {
            "day": [long_day(day) for day in table["worked_on"]],
            "shift": table["shift"],
            "team": [cell_text(name) for name in table["team"]],
            "from_to": [span(a, b) for a, b in zip(table["from_h"], table["to_h"], strict=True)],
            "station": table["station_id"],
            "name": [cell_text(name) for name in table["name"]],
            "tier": table["tier"],
            "trips_met": [f"{n:.2g}" for n in table["expected_met_trips"]],
            "chance": [f"{p:.0%}" for p in table["propensity"]],
        }
    )


def _headings(saved: SavedPlan, changes: Changes, label: str) -> list[str]:
    lines = [str(saved.about["marking"])]
    if saved.about["is_fictional"]:
        lines.append(FICTIONAL_NOTE)
    lines.append(f"Run {saved.about['run_id']}; {label}: {changes.tell()}")
    lines.append("Courier trips met a week and team-hours for one meeting, with 90 % ranges\n")
    return lines


def _beside(rows: dict[str, dict[str, float]]) -> str:
    """Plans side by side."""
    table = {}
    for name, values in rows.items():
        table[name] = {
            "team-hours": f"{values['team_hours_per_week']:,.0f}",
            "met a week": tell_range(values, "met_per_week"),
            "once couriers respond": tell_range(values, "met_per_week_evading"),
            "hours for one": tell_range(values, "hours_per_meeting"),
            "hours for one, after": tell_range(values, "hours_per_meeting_evading"),
        }
    return pd.DataFrame.from_dict(table, orient="index").to_string()


def _read_others(workspace: Path, saved: SavedPlan, *, without: str | None) -> dict[str, dict[str, float]]:
    """What was saved under a name on the same run."""
    found = {}
    for path in sorted((workspace / "plans").glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            row = {name: float("nan" if record["yields"][name] is None else record["yields"][name]) for name in _SHOWN}
            run_id = record["run_id"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{path.name}: it is no saved plan, expected one of 'gateline plan --name'. Remove it."
            raise InputError(msg) from error
        if run_id == saved.about["run_id"] and path.stem != without:
            found[path.stem] = row
    return found


def _save(
    workspace: Path, name: str, saved: SavedPlan, changes: Changes, row: dict[str, float], duties: pd.DataFrame
) -> None:
    folder = workspace / "plans"
    folder.mkdir(mode=0o700, exist_ok=True)
    marks = {
        "marking": cell_text(saved.about["marking"]),
        "run_id": saved.about["run_id"],
        "is_fictional": FICTIONAL_NOTE if saved.about["is_fictional"] else "false",
    }
    record: dict[str, Any] = {
        **marks,
        "changes": changes.tell(),
        "yields": {key: value if np.isfinite(value) else None for key, value in row.items()},
    }
    texts = {
        f"{name}.json": json.dumps(record, indent=1, sort_keys=True) + "\n",
        f"{name}.csv": duties.assign(**marks).to_csv(index=False),
    }
    for file, text in texts.items():
        # Old or new, never half.
        scratch = folder / f".{file}.tmp"
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(folder / file)
