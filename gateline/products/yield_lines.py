"""
What a plan yields, as every product tells it: couriers met in a week, team-hours for one, and what would change both.

In come tables that `models.planning.roster` made; out come sentences and one list. A yield below one a month is said
before anything else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gateline.products.inputs import ProductInputs
from models.planning.roster import AS_PLANNED, AT_RANDOM, BEST_FIXED, SUCH_WEEKS, THIS_WEEK
from models.telling import round_figures

__all__ = [
    "FIGURES",
    "agreement_list",
    "describe_agreement",
    "describe_what_ifs",
    "describe_yield",
    "rare_note",
    "row_of",
    "tell_range",
    "yield_list",
    "yield_rows",
]

# What a plan yields, each with the ends of its range, before and after couriers respond.
FIGURES = tuple(
    f"{what}{way}{end}"
    for way in ("", "_evading")
    for what in ("met_per_week", "hours_per_meeting")
    for end in ("", "_low", "_high")
)
_WEEKS_PER_MONTH = 365.25 / 12 / 7
# More hours for one meeting are told as over so many.
_MOST_HOURS = 100_000


def describe_yield(inputs: ProductInputs, *, has_table: bool = False) -> list[str]:
    """
    Say what the plan is expected to meet, and at what cost, beside the rules it is compared with.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.
    has_table : bool
        Whether the rules of thumb stand in a table beside.

    Returns
    -------
    list of str
        Sentences; none where there is no plan.
    """
    table = inputs.plan_yields
    if table is None or THIS_WEEK not in table.index:
        return []
    row = row_of(table, THIS_WEEK)
    hours = row["team_hours_per_week"]
    lines = [
        *rare_note(inputs),
        (
            f"Expected this week, in {hours:,.0f} team-hours on duty: {tell_range(row, 'met_per_week')} courier trips "
            f"met if couriers stay as they are, and {tell_range(row, 'met_per_week_evading')} once they respond. That "
            f"is {_hours(row, 'hours_per_meeting')} team-hours for one meeting, or "
            f"{_hours(row, 'hours_per_meeting_evading')}."
        ),
        (
            "Ranges are 90 %: trips, their level, the chance that a team notices a courier and how couriers respond "
            "are drawn together. All rest on the model's assumptions; a log of results narrows them."
        ),
    ]
    return lines + _beside(table, has_table=has_table)


def rare_note(inputs: ProductInputs) -> list[str]:
    """
    Say so where less than one courier a month is expected to be met.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    list of str
        One sentence or none.
    """
    table = inputs.plan_yields
    if table is None or THIS_WEEK not in table.index:
        return []
    a_month = row_of(table, THIS_WEEK)["met_per_week"] * _WEEKS_PER_MONTH
    if a_month >= 1.0:
        return []
    return [
        f"Less than one courier a month is expected to be met: {_told(a_month)} a month, if couriers stay as they are."
    ]


def _beside(table: pd.DataFrame, *, has_table: bool) -> list[str]:
    """The plan beside the rules of thumb, which keep the same duty rules."""
    rules = [name for name in table.index if name not in (THIS_WEEK, SUCH_WEEKS)]
    parts = []
    for name in rules:
        row = row_of(table, str(name))
        parts.append(f"{name} {_told(row['met_per_week'])} ({_told(row['met_per_week_evading'])})")
    if not parts:
        return []
    told = f"For comparison, under the same rules, before (and after) couriers respond: {'; '.join(parts)}."
    lines = [] if has_table else [told]
    if BEST_FIXED in table.index and has_table:
        before, after = (_told(float(table[column][BEST_FIXED])) for column in ("met_per_week", "met_per_week_evading"))
        lines.append(f"The best fixed roster, worked every week, meets {before}, and {after} once couriers respond.")
    thumb = [str(name) for name in rules if name not in (BEST_FIXED, AT_RANDOM)]
    if thumb:
        best = max(thumb, key=lambda name: float(table["met_per_week_evading"][name]))
        low, high = (float(table[f"gain_evading_{end}"][best]) for end in ("low", "high"))
        if not np.isnan(low):
            sure = "" if low > 0 else " The range holds 0: the plan may be no better."
            lines.append(
                f"Beside the best rule of thumb, {best}, the plan meets {_told(low)} to {_told(high)} more a week once "
                f"couriers respond.{sure}"
            )
    return lines


def describe_what_ifs(inputs: ProductInputs) -> list[str]:
    """
    Say what other teams, hours or chances of noticing a courier would change.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    list of str
        One sentence; none where nothing was tried.
    """
    table = inputs.plan_what_ifs
    if table is None or len(table) < 2:
        return []
    parts = []
    for name in table.index:
        row = row_of(table, str(name))
        parts.append(
            f"{name} {_told(row['met_per_week'])} ({_told(row['met_per_week_evading'])}) in "
            f"{row['team_hours_per_week']:,.0f} team-hours"
        )
    return [f"What would change it, courier trips met a week before (and after) the response: {'; '.join(parts)}."]


def describe_agreement(inputs: ProductInputs) -> list[str]:
    """
    Say where roster and list differ, and why.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    list of str
        One sentence a station: of tier A or B and not worked, or of tier C and worked.
    """
    table = inputs.plan_agreement
    return [] if table is None else [str(reason) for reason in table["reason"]]


def yield_rows(inputs: ProductInputs) -> list[list[str]]:
    """
    Write plan, rules and what-ifs as rows of a printed table.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    list of list of str
        Plan, team-hours, trips met and hours for one, before and after the response, with 90 % ranges.
    """
    rows = []
    for table in (inputs.plan_yields, inputs.plan_what_ifs):
        if table is None:
            continue
        for name in table.index.drop([SUCH_WEEKS, AS_PLANNED], errors="ignore"):
            row = row_of(table, str(name))
            rows.append(
                [
                    str(name)[:1].upper() + str(name)[1:],
                    f"{row['team_hours_per_week']:,.0f}",
                    tell_range(row, "met_per_week"),
                    tell_range(row, "met_per_week_evading"),
                    _hours(row, "hours_per_meeting_evading"),
                ]
            )
    return rows


def yield_list(inputs: ProductInputs) -> pd.DataFrame:
    """
    List what the plan, the rules and each what-if yield.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        ``plan, team_hours_per_week, met_per_week, hours_per_meeting``, each but the first two with ``_low`` and
        ``_high``, and the same ``_evading``; no rows where there is no plan.
    """
    parts = []
    for kind, table in (("plan", inputs.plan_yields), ("what if", inputs.plan_what_ifs)):
        if table is not None:
            parts.append(table.reset_index().assign(kind=kind))
    if not parts:
        return pd.DataFrame()
    whole = pd.concat(parts, ignore_index=True)
    told = whole[["kind", "plan", "team_hours_per_week", *FIGURES]].replace(np.inf, np.nan)
    return told.assign(**{name: round_figures(told[name]) for name in FIGURES})


def agreement_list(inputs: ProductInputs) -> pd.DataFrame:
    """
    List where roster and list differ.

    Parameters
    ----------
    inputs : ProductInputs
        The tables of one run.

    Returns
    -------
    pandas.DataFrame
        ``station_id, name, tier, is_worked, trips_per_week, met_elsewhere_share, best_gain_trips, base_drive_min,
        worked_chance, reason``; no rows where there is no plan.
    """
    if inputs.plan_agreement is None:
        return pd.DataFrame()
    table = inputs.plan_agreement.reset_index()
    return table.assign(
        trips_per_week=round_figures(table["trips_per_week"]),
        best_gain_trips=round_figures(table["best_gain_trips"]),
        base_drive_min=table["base_drive_min"].replace(np.inf, np.nan).round(),
    )


def tell_range(row: Mapping[str, float], name: str) -> str:
    """
    Tell a figure with its 90 % range.

    Parameters
    ----------
    row : mapping of str to float
        With `name` and its two ends.
    name : str
        Column.

    Returns
    -------
    str
        Two figures each; no range where none was measured.

    Examples
    --------
    >>> tell_range({"met": 0.7309, "met_low": 0.0647, "met_high": 2.979}, "met")
    '0.73 (0.065 to 3)'
    """
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    return _told(row[name]) if np.isnan(low) else f"{_told(row[name])} ({_told(low)} to {_told(high)})"


def row_of(table: pd.DataFrame, name: str) -> dict[str, float]:
    """
    Give a plan of a table of yields.

    Parameters
    ----------
    table : pandas.DataFrame
        By ``plan``.
    name : str
        Its name.

    Returns
    -------
    dict of str to float
        By column.
    """
    return {str(column): float(table[column][name]) for column in table.columns}


def _hours(row: Mapping[str, float], name: str) -> str:
    """Hours for one meeting, with their range."""
    if not row[name] < _MOST_HOURS:
        return "no number of"
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    far = f"{_told(high)}" if high < _MOST_HOURS else f"over {_MOST_HOURS:,}"
    return _told(row[name]) if np.isnan(low) else f"{_told(row[name])} ({_told(low)} to {far})"


def _told(value: float) -> str:
    """Two figures, whole thousands with a comma."""
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 else f"{rounded:.2g}"
