"""
Why a town or a station stands where it does: what each source of evidence added to the network's prior, or took.

The value of a set of sources is the posterior mean share with that set alone; a source's reason is its Shapley value
over all sets (Shapley 1953), so that reasons sum exactly and hang on no order. K groups of sources take 2^K fits of a
warm-started mode, each with the same normals, so that the differences between sets are not noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from models.posterior.estimate import Estimate, share_draws
from models.posterior.fit import find_mode
from models.posterior.posterior import Posterior
from models.posterior.sources import Source
from models.threads import one_thread

__all__ = ["NETWORK", "Reasons", "explain_sources", "measure_shares"]

FloatArray = NDArray[np.float64]
NETWORK = "network"
_N_NORMALS = 64
_MOST_GROUPS = 10


@dataclass(frozen=True)
class Reasons:
    """
    Scores by source.

    Attributes
    ----------
    groups : tuple of str
        ``network`` first, then each group of sources that spoke.
    town : numpy.ndarray of shape (n_groups, n_towns)
        Of 100 trips; columns sum to the towns' scores.
    station : numpy.ndarray of shape (n_groups, n_stations)
        Of 100 trips; columns sum to the stations' scores.
    town_without, station_without : dict of str to numpy.ndarray
        Score of every unit with one group left out.
    """

    groups: tuple[str, ...]
    town: FloatArray
    station: FloatArray
    town_without: dict[str, FloatArray]
    station_without: dict[str, FloatArray]


def explain_sources(estimate: Estimate) -> Reasons:
    """
    Divide every score among the network and the sources.

    Parameters
    ----------
    estimate : Estimate
        From `models.posterior.estimate.estimate_trips`.

    Returns
    -------
    Reasons
        Sums equal 100 times the mean shares of the estimate, to rounding.

    Raises
    ------
    UsageError
        If there are more groups than can be gone through.

    Notes
    -----
    Sets of sources are valued by Laplace draws around their modes, at the likeliest factor on the exponents. What the
    full estimate differs by (curved chains, other factors) is shared among the sources in proportion to what
    each moved, so that the network's part is the prior's own.
    """
    posterior = estimate.posterior
    groups = tuple(dict.fromkeys(source.group for source in posterior.sources))
    if len(groups) > _MOST_GROUPS:
        msg = f"sources: {len(groups)} groups, expected at most {_MOST_GROUPS}. Give partners' layers one group."
        raise UsageError(msg)
    values: dict[frozenset[str], tuple[FloatArray, FloatArray]] = {}
    for size in range(len(groups), -1, -1):
        for chosen in combinations(groups, size):
            sources = tuple(source for source in posterior.sources if source.group in chosen)
            values[frozenset(chosen)] = measure_shares(posterior, sources, start=estimate.mode.theta)
    town, station = (_shapley(groups, {key: value[side] for key, value in values.items()}) for side in (0, 1))
    whole = frozenset(groups)
    rest_town = estimate.town_share.mean(axis=0) - values[whole][0]
    rest_station = estimate.station_share.mean(axis=0) - values[whole][1]
    empty = values[frozenset()]
    return Reasons(
        groups=(NETWORK, *groups),
        town=100.0 * _with_rest(empty[0], town, rest_town),
        station=100.0 * _with_rest(empty[1], station, rest_station),
        town_without={g: 100.0 * values[whole - {g}][0] for g in groups},
        station_without={g: 100.0 * values[whole - {g}][1] for g in groups},
    )


@one_thread()
def measure_shares(
    posterior: Posterior, sources: tuple[Source, ...], *, start: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """
    Measure the mean shares of towns and stations under other evidence.

    Parameters
    ----------
    posterior : Posterior
        Ways, priors and stations are taken from it.
    sources : tuple of Source
        The evidence instead of its own.
    start : numpy.ndarray or None
        Parameters of `posterior` near which the mode will be.

    Returns
    -------
    tuple of numpy.ndarray
        Mean shares of towns, and visits to stations a trip, by Laplace draws from fixed normals.

    Raises
    ------
    ModelGateError
        If no mode is found.
    """
    other = Posterior(
        posterior.ways, posterior.priors, sources, stations=posterior.stations, log_level=posterior.log_level
    )
    begin = other.prior_mean.copy()
    # Parameters that both have get the same normals, whatever stands between them: else sets would differ by noise.
    column = np.arange(posterior.n_params, posterior.n_params + other.n_params)
    for name, block in other.blocks.items():
        if name in posterior.blocks:
            shared = posterior.blocks[name]
            column[block] = np.arange(shared.start, shared.stop)
            if start is not None:
                begin[block] = start[shared]
    mode = find_mode(other, start=begin, is_exact=False)
    half = np.random.default_rng(0).standard_normal((posterior.n_params + other.n_params, _N_NORMALS // 2))[column].T
    drawn = list(share_draws(other, mode.around(np.concatenate([half, -half])), None))
    return (
        np.concatenate([shares.town for shares in drawn]).mean(axis=0),
        np.concatenate([shares.station for shares in drawn]).mean(axis=0),
    )


def _with_rest(network: FloatArray, parts: list[FloatArray], rest: FloatArray) -> FloatArray:
    """One row a group, network first, columns summing to the estimate; the rest goes where evidence moved most."""
    if not parts:
        return (network + rest)[None, :]
    moved = np.abs(parts)
    total = moved.sum(axis=0)
    share = np.divide(moved, total, out=np.full_like(moved, 1.0 / len(parts)), where=total > 0)
    return np.vstack([network, np.asarray(parts) + share * rest])


def _shapley(groups: tuple[str, ...], value: dict[frozenset[str], FloatArray]) -> list[FloatArray]:
    """Mean over all orders of what each group adds when its turn comes."""
    n = len(groups)
    found = []
    for group in groups:
        others = [g for g in groups if g != group]
        total = np.zeros_like(value[frozenset()])
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for chosen in combinations(others, size):
                total += weight * (value[frozenset(chosen) | {group}] - value[frozenset(chosen)])
        found.append(total)
    return found
