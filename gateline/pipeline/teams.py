"""Teams, where they start, how far they drive, and the first day they work: from settings to what a plan needs."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from gateline.pipeline.read import Inputs
from gateline.pipeline.stages import Results
from gateline.settings_plan import PlanSettings, weekday_numbers
from geo.errors import UsageError
from geo.network.access import measure_road_times
from models.planning.roster import Team

__all__ = ["find_first_day", "find_teams", "measure_drives", "name_teams"]

# The NATO alphabet, as teams are called over the radio.
_NAMES = ("Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliett", "Kilo", "Lima")
_MONDAY = 0


def find_first_day(settings: PlanSettings, cutoff: pd.Period) -> date:
    """
    Find the first day of the plan.

    Parameters
    ----------
    settings : PlanSettings
        The ``[plan]`` block.
    cutoff : pandas.Period
        Last month read.

    Returns
    -------
    datetime.date
        As stated, else the first Monday after that month: a run says the same whenever it is made.
    """
    if settings.first_on is not None:
        return settings.first_on
    after: date = (cutoff + 1).start_time.date()
    return after + timedelta(days=(_MONDAY - after.weekday()) % 7)


def name_teams(n_teams: int, bases: list[str]) -> tuple[Team, ...]:
    """
    Name teams that the settings only count.

    Parameters
    ----------
    n_teams : int
        Teams.
    bases : list of str
        Where they start, in turn.

    Returns
    -------
    tuple of Team
        Alpha, Bravo and so on.
    """
    rounds = [(_NAMES[k % len(_NAMES)], k // len(_NAMES)) for k in range(n_teams)]
    return tuple(
        Team(name if not again else f"{name} {again + 1}", bases[k % len(bases)])
        for k, (name, again) in enumerate(rounds)
    )


def find_teams(
    settings: PlanSettings, results: Results, inputs: Inputs, station_ids: tuple[str, ...]
) -> tuple[Team, ...]:
    """
    Find the teams of the plan.

    Parameters
    ----------
    settings : PlanSettings
        The ``[plan]`` block.
    results : Results
        For the busiest stations, where no team is named: those of most passengers, else of the highest score.
    inputs : Inputs
        For towns as bases.
    station_ids : tuple of str
        Stations that may be worked.

    Returns
    -------
    tuple of Team
        Their bases are CRS codes or ids of towns.

    Raises
    ------
    UsageError
        If a base is neither.
    """
    if not settings.teams:
        busy = (
            results.usage["n_entries_exits_per_year"] if len(results.usage) else results.station_scores.table["score"]
        )
        known = busy.reindex([i for i in station_ids if i in busy.index]).sort_index()
        order = known.sort_values(ascending=False, kind="stable").index.tolist() or sorted(station_ids)
        return name_teams(settings.n_teams, order[: settings.n_teams])
    return tuple(
        Team(
            name=team.name,
            base=_find_base(team.base, team.name, results.network.stations, inputs.places),
            agency=team.agency,
            n_officers=team.n_officers,
            shifts_per_week=team.shifts_per_week,
            days_off=weekday_numbers(team.days_off),
        )
        for team in settings.teams
    )


def measure_drives(
    stations: pd.DataFrame, inputs: Inputs, station_ids: tuple[str, ...], teams: tuple[Team, ...]
) -> pd.DataFrame:
    """
    Measure the drives between bases and stations.

    Parameters
    ----------
    stations : pandas.DataFrame
        Table `geo.tables.STATIONS`, coach stops among them.
    inputs : Inputs
        For towns and roads.
    station_ids : tuple of str
        Stations that may be worked.
    teams : tuple of Team
        With their bases.

    Returns
    -------
    pandas.DataFrame
        Minutes from bases and stations (rows) to stations (columns); infinite where no road leads.
    """
    columns = ["easting_m", "northing_m"]
    points = pd.concat([stations[columns], inputs.places[columns]])
    bases = sorted({team.base for team in teams} - set(station_ids))
    origins = points.loc[[*station_ids, *bases]]
    times = measure_road_times(
        origins.rename_axis("place_id"), points.loc[list(station_ids)].rename_axis("place_id"), roads=inputs.roads
    )
    table = times.pivot(index="origin_id", columns="destination_id", values="time_min")  # noqa: PD010 - one row a pair
    return table.reindex(index=origins.index, columns=list(station_ids)).fillna(np.inf)


def _find_base(base: str, team: str, stations: pd.DataFrame, places: pd.DataFrame) -> str:
    """The station or town that a base names."""
    if base in stations.index or base in places.index:
        return base
    named = places.index[places["is_in_force"] & (places["name"].str.casefold() == base.casefold())]
    if len(named) == 1:
        return str(named[0])
    what = f"names {len(named)} towns" if len(named) else "is no CRS code of a station and no town of the force"
    msg = (
        f"plan.teams: base {base!r} of team {team!r} {what}, expected a CRS code, or the name or place_id of one town. "
        "Mend it in region.toml."
    )
    raise UsageError(msg)
