"""
What a plan meets, before and after couriers respond, against the rules of thumb, with intervals; and where flow goes.

The interval is over which towns the lines really go to: the number of lines of each pair is drawn again (Poisson, with
the trips of a line as the settings have them), under one of the flow model's alternatives where these are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.planning.problem import Choice, Encounters, FlowShare, Setting, Slot, duties_of
from models.planning.response import mean_hazard, respond, share_met

__all__ = ["Judgement", "compare_plans", "judge_all", "judge_duties", "judge_hazards", "measure_residual"]

FloatArray = NDArray[np.float64]

TRIPS_PER_LINE_PER_MONTH = 8.0  # ASSUMPTION: the default of the corridor settings, two a week
N_DRAWS = 500
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True)
class Judgement:
    """
    What a plan meets.

    Attributes
    ----------
    met_by_pattern : numpy.ndarray of shape (n_patterns,)
        Chance that a trip of the plan's days is met.
    probability : numpy.ndarray of shape (n_routes,)
        Shares of the routes once couriers have responded.
    met_share, met_share_evading : float
        Share of all rail worth met, before and after; the whole is what goes by rail before.
    to_road_share : float
        Share of that whole that has left the railway.
    unmet_rail_share : float
        Share of that whole that goes by rail, unmet, after the response. The three after the response sum to 1.
    """

    met_by_pattern: FloatArray
    probability: FloatArray
    met_share: float
    met_share_evading: float
    to_road_share: float
    unmet_rail_share: float


class _DrawnShares(NamedTuple):
    """Share met in each draw, before and after couriers respond."""

    before: FloatArray
    after: FloatArray


def judge_hazards(
    encounters: Encounters,
    slots: Sequence[Slot],
    hazards: Sequence[FloatArray],
    *,
    flow_shares: Sequence[FlowShare],
    met_cost_min: float,
    mode_scale_per_min: float,
) -> Judgement:
    """
    Judge what teams on the slots of a plan meet.

    Parameters
    ----------
    encounters : Encounters
        Routes and patterns.
    slots : sequence of Slot
        Slots.
    hazards : sequence of numpy.ndarray of shape (n_patterns,)
        Hazard of each pattern on each slot.
    flow_shares : sequence of FlowShare
        Share of all trips of the plan's days made on each slot; what is left travels while nobody works.
    met_cost_min, mode_scale_per_min : float
        As for `models.planning.response.evasion.respond`.

    Returns
    -------
    Judgement
        Shares of all rail worth of the plan's days.
    """
    met = share_met(slots, hazards, flow_shares)
    probability = respond(encounters, met, met_cost_min=met_cost_min, mode_scale_per_min=mode_scale_per_min)
    whole = encounters.rail_worth() or 1.0
    after = encounters.worth_of_routes(probability)
    on_rail = float(after[~encounters.routes.is_road].sum()) / whole
    met_after = float(encounters.worth_of_patterns(after) @ met) / whole
    met_before = float(encounters.worth_of_patterns(encounters.worth_of_routes()) @ met) / whole
    return Judgement(met, probability, met_before, met_after, 1.0 - on_rail, on_rail - met_after)


def compare_plans(
    encounters: Encounters,
    plans: Mapping[str, Judgement],
    *,
    random_state: int,
    trip_scenarios: pd.DataFrame | None = None,
    trips_per_line_per_month: float = TRIPS_PER_LINE_PER_MONTH,
    n_draws: int = N_DRAWS,
) -> pd.DataFrame:
    """
    Compare plans over the same draws of where the lines go.

    Parameters
    ----------
    encounters : Encounters
        Routes and patterns.
    plans : mapping of str to Judgement
        Plans by name; the first is the one that the others are compared with.
    random_state : int
        Seed of the draws.
    trip_scenarios : pandas.DataFrame, optional
        By ``flow_id``, trips a month under other assumptions, one column each; pairs that are missing have none.
    trips_per_line_per_month : float
        Trips of one line: pairs with few lines are the less certain.
    n_draws : int
        Draws.

    Returns
    -------
    pandas.DataFrame
        By ``plan``: ``met_share`` and ``met_share_evading``, each with ``_low`` and ``_high`` (5 and 95 %), and
        ``gain_low, gain_high``, ``gain_evading_low, gain_evading_high``: the first plan's share less this one's.
    """
    pairs = len(encounters.routes.flow_ids)
    rng = np.random.default_rng(random_state)
    trips = [encounters.routes.trips_per_month]
    if trip_scenarios is not None:
        others = trip_scenarios.reindex(list(encounters.routes.flow_ids)).fillna(0.0)
        trips += [others[name].to_numpy(dtype=float) for name in sorted(others.columns)]
    lines = np.stack(trips) / trips_per_line_per_month
    drawn = rng.poisson(lines[rng.integers(len(trips), size=n_draws)]).astype(float)
    on_rail = _by_pair(encounters, encounters.routes.probability * ~encounters.routes.is_road, pairs)
    whole = drawn @ on_rail
    # A draw in which nobody goes by rail says nothing about shares.
    drawn, whole = drawn[whole > 0], whole[whole > 0]
    shares: dict[str, _DrawnShares] = {}
    for name, plan in plans.items():
        seen = encounters.pattern_of_route
        met = np.where(seen >= 0, plan.met_by_pattern[np.maximum(seen, 0)], 0.0)
        before = drawn @ _by_pair(encounters, encounters.routes.probability * met, pairs) / whole
        after = drawn @ _by_pair(encounters, plan.probability * met, pairs) / whole
        shares[name] = _DrawnShares(before, after)
    first = shares[next(iter(shares))]
    rows = {name: _row(plans[name], draws, first) for name, draws in shares.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("plan")


def measure_residual(encounters: Encounters, judgement: Judgement) -> pd.DataFrame:
    """
    Measure the flow past each station before the plan and after couriers respond.

    Parameters
    ----------
    encounters : Encounters
        Routes and patterns.
    judgement : Judgement
        What a plan meets.

    Returns
    -------
    pandas.DataFrame
        By ``station_id``, worked or not: ``passing_trips_per_month``, ``covered_trips_per_month`` (of those, met
        anywhere on their way), ``passing_trips_per_month_evading``, ``residual_trips_per_month`` (of those, never
        met), and ``moved_trips_per_month``, what came (positive) or left.
    """
    routes = encounters.routes
    route = np.repeat(np.arange(routes.cost_min.size), np.diff(routes.station_indptr))
    # A route that comes by a station twice is one trip there.
    cells = np.unique(route * len(routes.station_ids) + routes.station_indices)
    route, station = np.divmod(cells, len(routes.station_ids))
    seen = encounters.pattern_of_route[route]
    met = np.where(seen >= 0, judgement.met_by_pattern[np.maximum(seen, 0)], 0.0)
    before = encounters.worth_of_routes()[route]
    after = encounters.worth_of_routes(judgement.probability)[route]
    n = len(routes.station_ids)
    columns = {
        "passing_trips_per_month": np.bincount(station, weights=before, minlength=n),
        "covered_trips_per_month": np.bincount(station, weights=before * met, minlength=n),
        "passing_trips_per_month_evading": np.bincount(station, weights=after, minlength=n),
        "residual_trips_per_month": np.bincount(station, weights=after * (1.0 - met), minlength=n),
    }
    table = pd.DataFrame(columns, index=pd.Index(routes.station_ids, name="station_id", dtype="str"))
    table["moved_trips_per_month"] = table["passing_trips_per_month_evading"] - table["passing_trips_per_month"]
    return table.sort_index()


def judge_all(
    setting: Setting,
    by_slot: Choice,
    shares: Sequence[FloatArray],
    scores: pd.DataFrame | None,
    usage: pd.DataFrame | None,
) -> dict[str, Judgement]:
    """
    Judge the mix, the best list and the rules of thumb.

    Parameters
    ----------
    setting : Setting
        The plan's setting.
    by_slot : Choice
        Work of each team on every slot of every day: the best fixed list.
    shares : sequence of numpy.ndarray of shape (n_groups, n_duties)
        From `models.planning.response.share_duties`: the mix.
    scores, usage : pandas.DataFrame or None
        Tables `geo.tables.STATION_SCORES` and `geo.tables.STATION_USAGE`; without one its rule is left out.

    Returns
    -------
    dict of str to Judgement
        The mix first.
    """
    hazards = [mean_hazard(slot, share) for slot, share in zip(setting.slots, shares, strict=True)]
    judged = {"mix": _judge(setting, hazards)}
    judged["best fixed list"] = judge_duties(setting, [duties_of(teams) for teams in by_slot])
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


def _by_pair(encounters: Encounters, on_routes: FloatArray, n_pairs: int) -> FloatArray:
    """Worth by pair, for one trip of each pair."""
    by_pair = np.bincount(encounters.pair_of_route, weights=on_routes, minlength=n_pairs)
    return by_pair * encounters.worth


def _row(plan: Judgement, draws: _DrawnShares, first: _DrawnShares) -> dict[str, float]:
    """Shares met and what the first plan meets more, with their intervals."""
    row: dict[str, float] = {}
    for suffix, share, drawn, best in (
        ("", plan.met_share, draws.before, first.before),
        ("_evading", plan.met_share_evading, draws.after, first.after),
    ):
        low, high = np.quantile(drawn, [_LOW, _HIGH]) if drawn.size else (np.nan, np.nan)
        gain_low, gain_high = np.quantile(best - drawn, [_LOW, _HIGH]) if drawn.size else (np.nan, np.nan)
        row |= {
            f"met_share{suffix}": share,
            f"met_share{suffix}_low": float(low),
            f"met_share{suffix}_high": float(high),
        }
        row |= {f"gain{suffix}_low": float(gain_low), f"gain{suffix}_high": float(gain_high)}
    return row


def _judge(setting: Setting, hazards: list[FloatArray]) -> Judgement:
    return judge_hazards(
        setting.encounters,
        setting.slots,
        hazards,
        flow_shares=setting.flow_shares,
        met_cost_min=setting.rules.met_cost_min,
        mode_scale_per_min=setting.rules.mode_scale_per_min,
    )


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
