"""Whether the rules of a plan can be kept at all; what cannot be done is said with numbers and the nearest change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geo.errors import UsageError
from models.planning.problem import Programme, Setting
from models.planning.solver.solving import solve_programme

__all__ = ["require_possible"]

_MOST_NAMED = 3


def require_possible(setting: Setting) -> None:
    """
    Raise if the stations that must be visited cannot be, with the nearest change that would allow it.

    Parameters
    ----------
    setting : Setting
        The rules, and the programme that they make.

    Raises
    ------
    UsageError
        If the musts cannot all be worked.
    """
    rules, station_ids, programme = setting.rules, setting.encounters.station_ids, setting.programme
    if not programme.must or _visitable(programme) == len(programme.must):
        return
    most = _visitable(programme)
    names = [repr(station_ids[k]) for k in programme.must]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    n_teams = sum(group.n_teams for group in programme.groups)
    crews = [group.n_crews for group in programme.groups if group.n_crews is not None]
    resting = f", {sum(crews)} crews with {programme.rest_h:g} h of rest," if crews else ""
    msg = (
        f"plan: {n_teams} teams on {len(rules.shifts)} shifts of {rules.n_days} days{resting} can work {most} of the "
        f"{len(names)} stations in must_visit ({', '.join(names[:_MOST_NAMED])}{more}), expected all of them. "
        f"{_nearest_change(setting, most)}"
    )
    raise UsageError(msg)


def _nearest_change(setting: Setting, most: int) -> str:
    """The smallest change that makes it possible, in words."""
    programme, ids = setting.programme, setting.encounters.station_ids
    outside = [ids[k] for k in programme.must if not any(group.may_work[k] for group in programme.groups)]
    drop = f"leave {len(programme.must) - most} of them out of must_visit"
    if outside:
        return f"No team may work {', '.join(map(repr, outside[:_MOST_NAMED]))}: widen a jurisdiction, or {drop}."
    if programme.most_teams is not None and _visitable(replace(programme, most_teams=None)) == len(programme.must):
        return f"Raise n_team_shifts to at least {len(programme.must)}, or {drop}."
    for n_more in range(1, len(programme.must) + 1):
        first, *others = programme.groups
        crews = None if first.n_crews is None else first.n_crews + n_more
        larger = (replace(first, n_teams=first.n_teams + n_more, n_crews=crews), *others)
        if _visitable(replace(programme, groups=larger)) == len(programme.must):
            what = "n_teams" if first.n_crews is None else "n_teams and n_crews"
            return f"Raise {what} by {n_more}, to {larger[0].n_teams} teams, or {drop}."
    n_days = -(-len(programme.must) * setting.rules.n_days // max(most, 1))
    return f"Raise n_days to {n_days}, or {drop}."


def _visitable(programme: Programme) -> int:
    """The most stations of the must list that can be worked."""
    if _is_possible(programme):
        return len(programme.must)
    # Teams at single stations are matched to them, a matroid, so adding one by one ends at the most; with tours it may
    # end below it, and the advice is then on the safe side.
    kept: tuple[int, ...] = ()
    for station in programme.must:
        if _is_possible(replace(programme, must=(*kept, station))):
            kept = (*kept, station)
    return len(kept)


def _is_possible(programme: Programme) -> bool:
    """Whether any choice keeps the rules; what it meets does not matter."""
    nothing = tuple(replace(slot, worth=np.zeros_like(slot.worth)) for slot in programme.slots)
    return solve_programme(replace(programme, slots=nothing), time_limit_s=10.0).is_feasible
