"""Every file of a roster: the plan, all duties, the blank log of results, a calendar and a page a team."""

from __future__ import annotations

from pathlib import Path

from gateline.products.calendars import write_calendars
from gateline.products.duty_sheets import write_duties_csv, write_results_csv
from gateline.products.inputs import ProductInputs
from gateline.products.interception import write_plan_csv
from gateline.products.team_briefing import write_team_briefings

__all__ = ["write_roster"]


def write_roster(folder: Path, inputs: ProductInputs) -> None:
    """
    Write ``plan.csv``, ``duties.csv``, ``results.csv`` and each team's ``.ics`` and ``.pdf``; nothing without a plan.

    Parameters
    ----------
    folder : pathlib.Path
        Of the run.
    inputs : ProductInputs
        The tables of one run.
    """
    write_plan_csv(folder / "plan.csv", inputs)
    write_duties_csv(folder / "duties.csv", inputs)
    write_results_csv(folder / "results.csv", inputs)
    write_calendars(folder, inputs)
    write_team_briefings(folder, inputs)
