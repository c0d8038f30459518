r"""
Did it work: before and after with displacement, and the power to tell.

The weighted displacement difference (Wheeler and Ratcliffe [1]_) sets the change at treated stations against that at
comparable ones, with the change in the surroundings of both, so that crime that only moved next door is not counted as
prevented:

.. math:: WDD = \Delta T - \Delta C + \Delta T_d - \Delta C_d, \qquad
   \mathrm{Var} = \sum \text{of all eight counts},

the counts being Poisson. With harm weights h each offence counts h, and the variance is the sum of :math:`h^2`: a
compound Poisson sum, which is ours.

References
----------
.. [1] Wheeler, A. P. and Ratcliffe, J. H. (2018). "A simple weighted displacement difference test to evaluate place
   based crime interventions." Crime Science 7, 11. doi:10.1186/s40163-018-0085-5
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from geo.errors import TableError, UsageError

__all__ = ["AREAS", "Difference", "find_detectable_reduction", "measure_displacement_difference", "measure_power"]

# The sign with which the change in each area counts.
AREAS = {"treated": 1.0, "control": -1.0, "treated_surroundings": 1.0, "control_surroundings": -1.0}
PERIODS = ("before", "after")
_HIGH = 0.95


@dataclass(frozen=True)
class Difference:
    """
    A weighted displacement difference.

    Attributes
    ----------
    difference : float
        Offences, or harm; negative is a reduction.
    standard_error : float
        Its standard error.
    z : float
        Their ratio; 0 where nothing happened anywhere.
    p_value : float
        Chance of a reduction as large without any effect, one-sided.
    low, high : float
        90 % interval.
    """

    difference: float
    standard_error: float
    z: float
    p_value: float
    low: float
    high: float


def measure_displacement_difference(
    events: pd.DataFrame, *, before_weight: float = 1.0, weight_column: str | None = None
) -> Difference:
    """
    Measure the change at treated stations, net of controls and of displacement.

    Parameters
    ----------
    events : pandas.DataFrame
        One row an offence: ``area``, one of ``treated, control, treated_surroundings, control_surroundings``, and
        ``period``, ``before`` or ``after``.
    before_weight : float
        Length of the period after over that before, where they differ.
    weight_column : str, optional
        Column with the harm of each offence; each counts 1 where absent.

    Returns
    -------
    Difference
        In offences, or in the unit of the weights.

    Raises
    ------
    TableError
        If a column is missing, a value is none of those named, or a harm is null or negative.
    UsageError
        If the weight is not positive.

    Examples
    --------
    >>> areas = ["treated"] * 30 + ["control"] * 20
    >>> periods = ["before"] * 20 + ["after"] * 10 + ["before"] * 10 + ["after"] * 10
    >>> found = measure_displacement_difference(pd.DataFrame({"area": areas, "period": periods}))
    >>> found.difference, round(found.z, 2)
    (-10.0, -1.41)
    """
    needed = ["area", "period", *([weight_column] if weight_column else [])]
    missing = [name for name in needed if name not in events.columns]
    odd = missing or sorted({*events["area"].astype(str)} - {*AREAS} | {*events["period"].astype(str)} - {*PERIODS})
    if odd:
        msg = (
            f"events: {'columns missing' if missing else 'unknown values'} {odd[:3]!r}, expected area "
            f"({', '.join(AREAS)}) and period ({', '.join(PERIODS)}). Mend them."
        )
        raise TableError(msg)
    if not before_weight > 0:
        msg = f"before_weight: is {before_weight!r}, expected more than 0. Give after's length over before's."
        raise UsageError(msg)
    harm = events[weight_column].to_numpy(dtype=float) if weight_column else np.ones(len(events))
    if not (harm >= 0).all():
        msg = (
            f"events: column {weight_column!r} is null or negative, expected the harm of every offence. Weigh them all."
        )
        raise TableError(msg)
    is_after = (events["period"] == "after").to_numpy()
    sign = events["area"].astype(str).map(AREAS).to_numpy(dtype=float) * np.where(is_after, 1.0, -before_weight)
    return _difference(float(sign @ harm), float((sign * harm) @ (sign * harm)))


def measure_power(
    expected_before: dict[str, float], *, reduction_share: float, displaced_share: float = 0.0, alpha: float = 0.05
) -> float:
    """
    Measure the chance that the test would notice a reduction.

    Parameters
    ----------
    expected_before : dict of str to float
        Offences expected in a period in each of `AREAS`; areas left out have none.
    reduction_share : float
        Share of the treated offences that is prevented or moved, in [0, 1].
    displaced_share : float
        Share of those that turn up in the surroundings, in [0, 1].
    alpha : float
        One-sided chance of a false alarm.

    Returns
    -------
    float
        Power, in [0, 1].

    Raises
    ------
    UsageError
        If an area is unknown, a count negative, or a share out of range.

    Examples
    --------
    >>> round(measure_power({"treated": 100.0, "control": 100.0}, reduction_share=0.3), 2)
    0.47
    """
    shares = (reduction_share, displaced_share)
    if (
        set(expected_before) - set(AREAS)
        or min(expected_before.values(), default=0.0) < 0
        or not all(0 <= share <= 1 for share in shares)
        or not 0 < alpha < 1
    ):
        msg = (
            f"power: areas are {sorted(expected_before)!r}, reduction_share {reduction_share!r}, displaced_share "
            f"{displaced_share!r} and alpha {alpha!r}, expected areas among {', '.join(AREAS)} with counts of 0 or "
            "more, and shares in [0, 1]. Mend them."
        )
        raise UsageError(msg)
    moved = reduction_share * expected_before.get("treated", 0.0)
    net = moved * (1.0 - displaced_share)
    # Before and after of every area, less what is gone.
    variance = 2.0 * sum(expected_before.values()) - net
    if variance <= 0:
        return alpha
    return float(norm.cdf(net / np.sqrt(variance) - norm.ppf(1.0 - alpha)))


def find_detectable_reduction(
    expected_before: dict[str, float], *, power: float = 0.8, displaced_share: float = 0.0, alpha: float = 0.05
) -> float | None:
    """
    Find the smallest reduction that the test would mostly notice.

    Parameters
    ----------
    expected_before : dict of str to float
        As for `measure_power`.
    power : float
        Chance wanted, in (alpha, 1).
    displaced_share, alpha : float
        As for `measure_power`.

    Returns
    -------
    float or None
        Share of the treated offences; None where even their end would go unnoticed too often.
    """

    def short_of(share: float) -> float:
        got = measure_power(expected_before, reduction_share=share, displaced_share=displaced_share, alpha=alpha)
        return got - power

    if short_of(1.0) < 0:
        return None
    return float(brentq(short_of, 0.0, 1.0)) if short_of(0.0) < 0 else 0.0


def _difference(difference: float, variance: float) -> Difference:
    error = float(np.sqrt(variance))
    z = difference / error if error > 0 else 0.0
    reach = float(norm.ppf(_HIGH)) * error
    return Difference(difference, error, z, float(norm.cdf(z)), difference - reach, difference + reach)
