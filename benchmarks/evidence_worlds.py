"""
Planted worlds at the size of North Yorkshire: its pairs and stations, truth from the prior, counts from the truth.

Simulation-based calibration (Talts et al. 2018): ranks of the truth among posterior draws are uniform, and intervals of
nine in ten hold it nine times in ten, if densities, slopes and draws are right. The power of counts is held at its
middle but in the last row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.evidence import Evidence, stopwatch
from benchmarks.evidence_case import Case
from geo.errors import ModelGateError
from models.posterior.estimate import estimate_trips, share_draws
from models.posterior.posterior import Posterior
from models.posterior.priors import COEFFICIENTS, Normal
from models.posterior.sampler import HIGHEST_R_HAT, draw_posterior
from models.posterior.sources import Source, TownCounts
from tests.unit.models.posterior_worlds import MEAN_LINES, TRIPS_PER_LINE, draw_prior, hidden_sources, simulate

FloatArray = NDArray[np.float64]
KINDS = (
    "lines_by_pair",
    "lines_by_origin",
    "lines_by_town",
    "addresses",
    "reported_offences",
    "station_offences",
    "finds",
)
LEVEL = Normal(float(np.log(MEAN_LINES)), 0.4)
WATCHED = (*COEFFICIENTS, "level")
N_DRAWS = 300
# Worlds of a source alone for each world of all together.
ALONE_SHARE = 0.3
_INTERVAL = (0.05, 0.95)


@dataclass
class Tally:
    """What the worlds of one kind showed."""

    held_towns: list[FloatArray] = field(default_factory=list)
    held_stations: list[FloatArray] = field(default_factory=list)
    ranks: list[FloatArray] = field(default_factory=list)
    r_hats: list[float] = field(default_factory=list)
    n_effective: list[float] = field(default_factory=list)
    without_mode: list[int] = field(default_factory=list)


def plant_worlds(evidence: Evidence, case: Case, n_worlds: int) -> None:
    """Each source alone, all together, and all together with the power of counts unknown."""
    n_alone = max(int(ALONE_SHARE * n_worlds), 4)
    for kind in KINDS:
        _report(evidence, f"{kind.replace('_', ' ')} alone", *_run(case, (kind,), n_alone))
    _report(evidence, "all sources", *_run(case, KINDS, n_worlds))
    _report(evidence, "all sources, power of counts unknown", *_run(case, KINDS, n_alone, is_mixed=True))


def _run(case: Case, kinds: Sequence[str], n_worlds: int, *, is_mixed: bool = False) -> tuple[Tally, float]:
    hidden = Posterior(case.ways, case.priors, hidden_sources(case, kinds), stations=case.stations, log_level=LEVEL)
    tally = Tally()
    with stopwatch() as took:
        for seed in range(n_worlds):
            try:
                _plant(case, hidden, seed, tally, is_mixed=is_mixed)
            except ModelGateError:
                tally.without_mode.append(seed)
    return tally, took[0]


def _plant(case: Case, hidden: Posterior, seed: int, tally: Tally, *, is_mixed: bool) -> None:
    """One world: truth, counts, fit, and whether the intervals held."""
    rng = np.random.default_rng(seed)
    if is_mixed:
        factors, weights = zip(*case.priors.exponent_factors, strict=True)
        hidden = _powered(hidden, float(rng.choice(factors, p=weights)))
    truth = draw_prior(hidden, rng)
    sources, lines = simulate(hidden, truth, rng)
    share = lines / lines.sum()
    rail = case.stations.rail_share(float(truth[hidden.blocks["rail"]][0]))
    town, station = np.bincount(case.ways.town, share), np.asarray(case.stations.visits @ (share * rail))
    if is_mixed:
        middle = tuple(_at_power(new, old) for new, old in zip(sources, hidden_sources(case, KINDS), strict=True))
        fitted: Any = estimate_trips(
            case.ways,
            case.priors,
            middle,
            case.stations,
            n_draws=N_DRAWS,
            random_state=seed,
            trips_per_line_per_month=TRIPS_PER_LINE,
            log_level=LEVEL,
        )
        towns, stations = fitted.town_share, fitted.station_share
    else:
        posterior = Posterior(case.ways, case.priors, sources, stations=case.stations, log_level=LEVEL)
        fitted = draw_posterior(posterior, n_draws=N_DRAWS, random_state=seed)
        parts = list(share_draws(posterior, fitted.theta, rng))
        towns, stations = (np.concatenate([getattr(p, what) for p in parts]) for what in ("town", "station"))
        names = posterior.names()
        at = [names.index(name) for name in WATCHED]
        tally.ranks.append((fitted.theta[:, at] < truth[at]).mean(axis=0))
    tally.held_towns.append(_is_held(towns, town))
    served = station > 0
    tally.held_stations.append(_is_held(stations[:, served], station[served]))
    tally.r_hats.append(fitted.r_hat)
    tally.n_effective.append(min(fitted.n_effective, N_DRAWS))


def _powered(hidden: Posterior, factor: float) -> Posterior:
    sources = tuple(
        replace(s, exponent=s.exponent * factor) if isinstance(s, TownCounts) else s for s in hidden.sources
    )
    return Posterior(hidden.ways, hidden.priors, sources, stations=hidden.stations, log_level=LEVEL)


def _at_power(source: Source, middle: Source) -> Source:
    """The counts of a source with the middle power, which the fit multiplies by its factors."""
    return replace(middle, low=source.low, high=source.high)


def _is_held(draws: FloatArray, truth: FloatArray) -> FloatArray:
    low, high = np.quantile(draws, _INTERVAL, axis=0)
    return np.asarray((low <= truth) & (truth <= high), dtype=float)


def _report(evidence: Evidence, name: str, tally: Tally, seconds: float) -> None:
    n = len(tally.r_hats)
    if n < 2:
        evidence.skip(f"planted worlds: {name}", "too few have a mode")
        return
    n_settled = sum(r_hat <= HIGHEST_R_HAT for r_hat in tally.r_hats)
    how = f"chains agree in {n_settled} of {n}, median R-hat {np.median(tally.r_hats):.2f}"
    n_all = n + len(tally.without_mode)
    evidence.add(f"planted worlds: {name}: no mode found", len(tally.without_mode), f"of {n_all} worlds", n=n_all)
    for what, held in (("towns", tally.held_towns), ("stations", tally.held_stations)):
        by_world = np.array([each.mean() for each in held])
        error = 1.645 * by_world.std(ddof=1) / np.sqrt(n)
        evidence.add(
            f"planted worlds: {name}: coverage of 90 % intervals of shares of {what}",
            float(by_world.mean()),
            "share held",
            baseline={"name": "stated", "figure": 0.9},
            interval=(float(by_world.mean() - error), float(by_world.mean() + error)),
            n=n,
            seconds=seconds if what == "towns" else None,
            note=how if what == "towns" else "interval is over worlds, whose units are not independent",
        )
    if tally.ranks:
        chance = [float(stats.kstest(column, "uniform").pvalue) for column in np.array(tally.ranks).T]
        evidence.add(
            f"planted worlds: {name}: least chance that ranks are uniform",
            min(chance),
            "Kolmogorov-Smirnov p of 5",
            baseline={"name": "0.05 shared among 5", "figure": 0.01},
            n=n,
            note=", ".join(f"{name} {p:.2f}" for name, p in zip(WATCHED, chance, strict=True)),
        )
