"""
What would move a place: other assumptions, one more line, one find, one shift without a find.

Each is a fit of the mode with one thing changed, valued by the same normals as the fit without it, so that small moves
are seen as they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.posterior.estimate import Estimate
from models.posterior.evidence import HOURS_PER_MONTH
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal, Priors
from models.posterior.reasons import measure_shares
from models.posterior.sources import Finds, Lines, Source

__all__ = ["SHIFT_HOURS", "add_line", "add_shift", "compare_shares", "vary_assumptions"]

FloatArray = NDArray[np.float64]
Shares = tuple[FloatArray, FloatArray]
# Officer-hours of the shift that is supposed: a team of five for eight hours.
SHIFT_HOURS = 40.0


def vary_assumptions(estimate: Estimate) -> dict[str, Shares]:
    """
    Fit under each other assumption, one at a time.

    Parameters
    ----------
    estimate : Estimate
        The posterior as it is.

    Returns
    -------
    dict of str to tuple of numpy.ndarray
        Mean shares of towns and stations by assumption; ``as it is`` first, valued in the same way.

    Raises
    ------
    ModelGateError
        If no mode is found.
    """
    base = estimate.posterior
    priors = base.priors
    held = {
        "size of towns counts for less (exponent 0.8)": _hold(priors, "mass_exponent", 0.8),
        "size of towns counts for more (exponent 1.2)": _hold(priors, "mass_exponent", 1.2),
        "plain gravity, near towns first": _hold(priors, "cost_exponent", 1.0, "cost_decay_per_min", 0.0),
        "far exporters count for little (power 1.9)": _hold(priors, "cost_exponent", 1.9, "cost_decay_per_min", 0.0),
        "exporters within reach make a market": _hold(priors, "rivalry_exponent", 0.0),
        "its own demand makes a market": _hold(priors, "rivalry_exponent", 1.0),
        "rail half an hour dearer": _hold(priors, "rail_shift", priors.rail_shift.mean - 1.0),
        "rail half an hour cheaper": _hold(priors, "rail_shift", priors.rail_shift.mean + 1.0),
        "towns differ less (spread 0.4)": replace(priors, town_sd=0.4),
        "towns differ more (spread 1.0)": replace(priors, town_sd=1.0),
    }
    found = {"as it is": measure_shares(base, base.sources, start=estimate.mode.theta)}
    for name, other in held.items():
        changed = Posterior(base.ways, other, base.sources, stations=base.stations, log_level=base.log_level)
        found[name] = measure_shares(changed, base.sources, start=estimate.mode.theta)
    return found


def add_line(estimate: Estimate, town: int) -> Shares:
    """
    Fit as if one more line into a town were known.

    Parameters
    ----------
    estimate : Estimate
        The posterior as it is.
    town : int
        Position of the town.

    Returns
    -------
    tuple of numpy.ndarray
        Mean shares of towns and stations.

    Raises
    ------
    ModelGateError
        If no mode is found.
    """
    base = estimate.posterior
    sources = list(base.sources)
    at = next((k for k, source in enumerate(sources) if source.name == "lines_by_town"), None)
    if at is None:
        rows = np.flatnonzero(np.bincount(base.ways.town, minlength=len(base.ways.town_ids)))
        n = np.zeros(len(rows))
        sources.append(
            Lines(
                name="lines_by_town",
                group="lines",
                grain="town",
                rows=rows,
                low=n,
                high=n,
                own=(Normal(float(np.log(1.0 / max(float(estimate.lines.mean()), 1.0))), 1.0),),
                has_size=False,
            )
        )
        at = len(sources) - 1
    more = sources[at].low + (sources[at].rows == town)
    sources[at] = replace(sources[at], low=more, high=more)
    return measure_shares(base, tuple(sources), start=estimate.mode.theta)


def add_shift(estimate: Estimate, station: int, *, n_finds: int, n_hours: float = SHIFT_HOURS) -> Shares:
    """
    Fit as if a station had been worked for one shift more.

    Parameters
    ----------
    estimate : Estimate
        The posterior as it is.
    station : int
        Position of the station; couriers pass it.
    n_finds : int
        Finds of the shift; 0 is a nil return.
    n_hours : float
        Officer-hours.

    Returns
    -------
    tuple of numpy.ndarray
        Mean shares of towns and stations.

    Raises
    ------
    ModelGateError
        If no mode is found.
    """
    base = estimate.posterior
    log_hours_share = float(np.log(n_hours / HOURS_PER_MONTH))
    sources: list[Source] = []
    known = next((source for source in base.sources if isinstance(source, Finds)), None)
    rows, n, hours = [station], [float(n_finds)], [log_hours_share]
    own = (Normal(base.priors.detection.mean + float(np.log(estimate.trips_per_line.mean())), 0.9),)
    size = base.priors.log_size.mean
    if known is not None:
        rows, n, hours = [*known.rows, *rows], [*known.low, *n], [*known.log_hours_share, *hours]
        own, size = (known.own[0],), known.fixed_log_size
    counts = np.array(n)
    sources = [source for source in base.sources if source is not known]
    sources.append(
        Finds(
            name="finds",
            group="finds",
            grain="platform",
            rows=np.array(rows, dtype=np.int64),
            low=counts,
            high=counts,
            own=own,
            has_size=False,
            fixed_log_size=size,
            log_hours_share=np.array(hours),
        )
    )
    return measure_shares(base, tuple(sources), start=estimate.mode.theta)


def compare_shares(
    before: Shares, after: dict[str, Shares], unit: int, *, is_station: bool, score: float | None = None
) -> pd.DataFrame:
    """
    Lay the scores of one unit beside each other.

    A what-if is valued by draws around its mode, and the score by the full estimate, so the two differ a little before
    anything is changed. Where the score is given, it moves in the proportion in which the what-if's value does: what a
    reader sees as the score before is the score of every product.

    Parameters
    ----------
    before : tuple of numpy.ndarray
        Shares as they are.
    after : dict of str to tuple of numpy.ndarray
        Shares by what was changed.
    unit : int
        Position of the town or station.
    is_station : bool
        Which of the two it is.
    score : float or None
        The unit's score, of 100 trips; None for the what-if's own value.

    Returns
    -------
    pandas.DataFrame
        Index ``change_id``; ``score_before``, ``score_after``, ``score_change`` of 100 trips, the largest move first.
    """
    side = int(is_station)
    old = 100.0 * float(before[side][unit])
    new = {name: 100.0 * float(shares[side][unit]) for name, shares in after.items()}
    if score is not None and old > 0:
        new = {name: score * value / old for name, value in new.items()}
        old = score
    table = pd.DataFrame({"score_before": old, "score_after": pd.Series(new, dtype=float)})
    table["score_change"] = table["score_after"] - table["score_before"]
    order = table["score_change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].rename_axis("change_id")


def _hold(priors: Priors, *pairs: str | float) -> Priors:
    """The priors with one or two of them held at a value."""
    values = dict(zip(pairs[::2], pairs[1::2], strict=True))
    spread = {name: min(getattr(priors, str(name)).sd * 0.05, 0.05) for name in values}
    changes: dict[str, Any] = {str(name): Normal(float(value), spread[name]) for name, value in values.items()}
    return replace(priors, **changes)
