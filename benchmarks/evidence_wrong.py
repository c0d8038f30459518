"""
Planted worlds in which one source is wrong: a hoax list, and a town whose counts double with no more lines behind them.

As in `benchmarks.evidence_worlds` truth is drawn from the prior and counts from the truth; then one source is spoilt
and the posterior, which does not know it, is set beside the one of right sources and the one without that source. What
is right: the wrong source costs, other sources hold the list nearer to the truth than it alone would, and the reasons
name it. Offences that police made are no source, so that doubling them moves nothing: a test holds that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence import Evidence
from benchmarks.evidence_case import Case
from benchmarks.evidence_worlds import KINDS, LEVEL, N_DRAWS
from models.posterior.estimate import share_draws
from models.posterior.posterior import Posterior
from models.posterior.sampler import draw_posterior
from models.posterior.sources import Source
from tests.unit.models.posterior_worlds import draw_prior, hidden_sources, simulate

FloatArray = NDArray[np.float64]
Spoil = Callable[[Source, np.random.Generator], Source]
SPOILT = ("addresses", "lines_by_town", "reported_offences")
_INTERVAL = (0.05, 0.95)


def spoil_sources(evidence: Evidence, case: Case, n_worlds: int) -> None:
    """
    Spoil one source at a time, and double one town's offences.

    Parameters
    ----------
    evidence : Evidence
        Rows are added here.
    case : Case
        The real pairs and stations.
    n_worlds : int
        How many worlds.
    """
    hidden = Posterior(case.ways, case.priors, hidden_sources(case, KINDS), stations=case.stations, log_level=LEVEL)
    misplaced: dict[str, list[float]] = {}
    held: dict[str, list[float]] = {}
    doubled, others = [], []
    for seed in range(n_worlds):
        rng = np.random.default_rng(seed)
        sources, lines = simulate(hidden, draw_prior(hidden, rng), rng)
        truth = np.bincount(case.ways.town, lines / lines.sum())
        named = {source.name: source for source in sources}
        worlds = {"all sources right": sources}
        for name in SPOILT:
            worlds[f"without {name}"] = tuple(s for s in sources if s.name != name)
            worlds[f"{name} a hoax"] = _with(sources, _shuffled(named[name], rng))
        town, twice = _doubled(named["reported_offences"], rng)
        worlds["offences of one town doubled"] = _with(sources, twice)
        found = {name: _draw(case, each, seed, rng) for name, each in worlds.items()}
        for name, draws in found.items():
            misplaced.setdefault(name, []).append(50 * float(np.abs(draws.mean(axis=0) - truth).sum()))
            low, high = np.quantile(draws, _INTERVAL, axis=0)
            held.setdefault(name, []).append(float(((low <= truth) & (truth <= high)).mean()))
        one, two = (found[name].mean(axis=0) for name in ("all sources right", "offences of one town doubled"))
        doubled.append(two[town] / one[town])
        others.append(float(np.delete(two / one, town).max()))
    _report(evidence, misplaced, held)
    _add(evidence, "offences of one town doubled: its share", doubled, "times what it was")
    noise = f"two sets of {N_DRAWS} draws are compared: their noise is in it"
    _add(evidence, "offences of one town doubled: most that another gains", others, "times what it was", note=noise)


def _with(sources: Sequence[Source], other: Source) -> tuple[Source, ...]:
    return tuple(other if source.name == other.name else source for source in sources)


def _shuffled(source: Source, rng: np.random.Generator) -> Source:
    """The same counts at towns drawn by lot: a list that knows nothing."""
    order = rng.permutation(len(source.rows))
    return replace(source, low=source.low[order], high=source.high[order])


def _doubled(source: Source, rng: np.random.Generator) -> tuple[int, Source]:
    """The source with the counts of one town twice over, a town of at least the middle count."""
    town = int(rng.choice(np.flatnonzero(source.low >= np.median(source.low))))
    times = np.where(np.arange(len(source.rows)) == town, 2.0, 1.0)
    return town, replace(source, low=source.low * times, high=source.high * times)


def _draw(case: Case, sources: tuple[Source, ...], seed: int, rng: np.random.Generator) -> FloatArray:
    posterior = Posterior(case.ways, case.priors, sources, stations=case.stations, log_level=LEVEL)
    theta = draw_posterior(posterior, n_draws=N_DRAWS, random_state=seed).theta
    return np.concatenate([shares.town for shares in share_draws(posterior, theta, rng)])


def _report(evidence: Evidence, misplaced: dict[str, list[float]], held: dict[str, list[float]]) -> None:
    right = {"name": "all sources right", "figure": round(float(np.mean(misplaced["all sources right"])), 1)}
    for name, trips in misplaced.items():
        _add(
            evidence,
            f"{name}: trips placed in a wrong town",
            trips,
            "of 100 trips",
            baseline=None if name == right["name"] else right,
            note=f"90 % intervals hold {np.mean(held[name]):.2f} of towns",
        )


def _add(evidence: Evidence, claim: str, values: list[float], unit: str, **more: object) -> None:
    mean, error = float(np.mean(values)), 1.645 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    evidence.add(f"wrong sources: {claim}", mean, unit, interval=(mean - error, mean + error), n=len(values), **more)
