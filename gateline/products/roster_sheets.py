"""The sheets of a roster: by day, team and station, its yield, where it departs from the list, and the blank log."""

from __future__ import annotations

import pandas as pd

from gateline.products.duty_sheets import duty_list, result_log, roster_by_station, roster_list
from gateline.products.inert import cell_text
from gateline.products.inputs import ProductInputs
from gateline.products.plan_notes import left_out_note
from gateline.products.yield_lines import agreement_list, yield_list

__all__ = ["roster_sheets"]

_ROSTER_TITLE = "Who stands where and when; the chance drawn is kept for judging results."
_RESULTS_TITLE = (
    "Fill in results.csv, which has these columns: blank is not written down, none is 0. No word of a person"
)
_YIELD_TITLE = "What a week yields: the roster, the rules of thumb under the same duty rules, and what would change it"
# Known of each stay and beside its tasks too much for a printed page.
_IN_PLAN_CSV = (
    "stop",
    "shift_flow_share",
    "passengers_per_day",
    "n_trains_in_stay",
    "n_trains_per_day",
    "has_gates",
    "staffed_share",
    "change_share",
)


def roster_sheets(inputs: ProductInputs) -> list[tuple[str, str, pd.DataFrame]]:
    """
    List the sheets.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run, with a plan.

    Returns
    -------
    list of (str, str, pandas.DataFrame)
        Name, title and rows of each.
    """
    title = cell_text(f"{_roster_title(inputs)} {left_out_note(inputs)}".rstrip(), most_characters=1_000)
    stays = roster_list(inputs).drop(columns=list(_IN_PLAN_CSV), errors="ignore")
    yields, agreement = yield_list(inputs), agreement_list(inputs)
    sheets = [
        ("Roster by day", title, stays),
        ("Roster by team", "All that each team does, from briefing to debriefing", duty_list(inputs)),
        ("Roster by station", "Who comes when, for station staff and partners", roster_by_station(inputs)),
        ("Yield", _YIELD_TITLE, yields),
        ("List and roster", "Tiers A and B not worked, tier C worked, and why", agreement),
        ("Results", _RESULTS_TITLE, result_log(inputs)),
    ]
    return [sheet for sheet in sheets if len(sheet[2])]


def _roster_title(inputs: ProductInputs) -> str:
    """What the roster is; with coaches, that its shares are of both ways and its trains are coaches at a coach stop."""
    more = (
        ""
        if inputs.coaches is None
        else " Shares are of the flow by rail and coach; at a coach stop trains are coaches."
    )
    return f"{_ROSTER_TITLE}{more}"
