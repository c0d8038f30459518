"""A plan beside the others it could have been: the roster, its mix, the best fixed list, and the rules of thumb."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.planning.evasion import Mix, mean_hazard
from models.planning.judging import Judgement, judge_hazards
from models.planning.schedule import Assignment
from models.planning.setting import Setting

__all__ = ["judge_all", "judge_duties"]

FloatArray = NDArray[np.float64]


def judge_all(
    setting: Setting,
    roster: list[Assignment],
    by_slot: tuple[tuple[tuple[int, int], ...], ...],
    mix: Mix,
    scores: pd.DataFrame | None,
    usage: pd.DataFrame | None,
) -> dict[str, Judgement]:
    """
    Judge the roster, the mix, the best list and the rules of thumb.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    roster : list of Assignment
        The roster as drawn.
    by_slot : tuple of tuple of (int, int)
        Group and duty of each team, by slot.
    mix : Mix
        How often each duty is worked, by shift.
    scores, usage : pandas.DataFrame or None
        Tables `geo.tables.STATION_SCORES` and `geo.tables.STATION_USAGE`; without one its rule is left out.

    Returns
    -------
    dict of str to Judgement
        The roster first.
    """
    drawn: list[list[int]] = [[] for _ in setting.slots]
    for team in roster:
        drawn[team.slot].append(team.duty)
    judged = {"roster": judge_duties(setting, drawn)}
    of = setting.shift_slot_of
    hazards = [
        mean_hazard(s, mix.share[of[k]] * share)
        for k, (s, share) in enumerate(zip(setting.slots, _worked(setting, by_slot), strict=True))
    ]
    judged["mix without random share"] = _judge(setting, hazards)
    judged["best fixed list"] = judge_duties(setting, [[d for _, d in teams] for teams in by_slot])
    if usage is not None:
        judged["most passengers"] = judge_duties(setting, _rule(setting, usage["n_entries_exits_per_year"]))
    if scores is not None:
        judged["highest score"] = judge_duties(setting, _rule(setting, scores["score"]))
    return judged


def judge_duties(setting: Setting, duties: list[list[int]]) -> Judgement:
    """
    Judge the duties worked on each slot.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    duties : list of list of int
        Duties by slot.

    Returns
    -------
    Judgement
        What they meet.
    """
    hazards = [
        np.asarray(s.duties.hazard[:, d].sum(axis=1), dtype=float).ravel()
        for s, d in zip(setting.slots, duties, strict=True)
    ]
    return _judge(setting, hazards)


def _judge(setting: Setting, hazards: list[FloatArray]) -> Judgement:
    return judge_hazards(
        setting.encounters,
        setting.slots,
        hazards,
        flow_shares=setting.flow_shares,
        met_cost_min=setting.rules.met_cost_min,
        mode_scale_per_min=setting.rules.mode_scale_per_min,
    )


def _worked(setting: Setting, by_slot: tuple[tuple[tuple[int, int], ...], ...]) -> FloatArray:
    """Share of the teams that work each slot, where their shifts are numbered."""
    if setting.rules.n_team_shifts is None:
        return np.ones(len(by_slot))
    n_teams = sum(group.n_teams for group in setting.groups)
    return np.array([min(1.0, len(teams) / n_teams) for teams in by_slot])


def _rule(setting: Setting, value: pd.Series) -> list[list[int]]:
    """
    Each group at the stations of its area with the highest value that no other group has.

    Where the shifts of teams are numbered they are spread evenly over the slots: the rule knows no hours.
    """
    ids = setting.encounters.station_ids
    worth = value.reindex(list(ids)).fillna(0.0).to_numpy(dtype=float)
    order = np.lexsort((np.array(ids), -worth))
    duties: list[list[int]] = []
    most = setting.rules.n_team_shifts
    n_slots = len(setting.slots)
    for s, slot in enumerate(setting.slots):
        n_here = len(ids) if most is None else most * (s + 1) // n_slots - most * s // n_slots
        alone = {tour[0]: duty for duty, tour in enumerate(slot.duties.stops) if len(tour) == 1}
        taken: set[int] = set()
        for group in setting.groups:
            may_work = slot.may_work(group)
            free = [k for k in order.tolist() if may_work[k] and k not in taken and k in alone]
            taken |= set(free[: min(group.n_teams, n_here - len(taken))])
        duties.append([alone[k] for k in sorted(taken)])
    return duties
