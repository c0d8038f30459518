"""
North Yorkshire 2019, towns left out one at a time: what the posterior says of a town from the lines of the others.

Five towns are named with 14 lines, Scarborough and Whitby with 2 together, which are split evenly here. That is five
counts: nothing here can be more certain than the exact permutation test says. Unnamed towns are not known to be none,
though the 14 named lines are as many as the groups counted that month: both readings are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from benchmarks.evidence import Evidence, stopwatch
from benchmarks.evidence_case import Case, keep_rows, lines_of
from benchmarks.main_job import PUBLISHED
from models.posterior.evidence import Evidence as Known
from models.posterior.fit import Mode, find_mode
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal, Priors
from models.posterior.sampler import draw_posterior
from models.posterior.sources import Source

FloatArray = NDArray[np.float64]
TOWNS = tuple(PUBLISHED)
COUNTS = tuple(PUBLISHED.values())
TOTAL = sum(COUNTS)
# Ranks of the named towns among 110 in the weighted index that the posterior replaced (commit 4986a66).
LAST_ORDER = {"York": 1, "Scarborough": 2, "Harrogate": 3, "Skipton": 6, "Whitby": 11}
N_DRAWS, N_NORMALS, SEED = 500, 512, 2019
_LINES = "lines_by_town"


@dataclass(frozen=True)
class Reading:
    """One way to read the evidence."""

    name: str
    unnamed_are_none: bool = False
    has_origins: bool = True
    has_lines: bool = True
    has_offences: bool = False
    by_population: bool = False


OTHERS = Reading("the other towns' lines and the origins, unnamed towns unknown")
READINGS = (
    OTHERS,
    Reading("the other towns' lines and the origins, unnamed towns none", unnamed_are_none=True),
    Reading("the same with offences of 2025, unnamed towns unknown", has_offences=True),
    Reading("the network alone (gravity), no line known", has_lines=False, has_origins=False),
    Reading("the network with the origins, no line by town known", has_lines=False),
    Reading("population with the model's own spread and the other towns' lines", by_population=True),
)


def score_towns(evidence: Evidence, case: Case) -> None:
    """Every claim of this module."""
    with stopwatch() as took:
        scores = {reading.name: _left_out(case, reading) for reading in READINGS}
    people = case.ways.residents / case.ways.residents.sum()
    at = [case.town_at(name) for name in TOWNS]
    n = np.array(COUNTS, dtype=float)
    scores["population alone, total of 14"] = _poisson(n, TOTAL * people[at])
    gravity = _prior_shares(case)
    scores["the network's mean shares, total of 14"] = _poisson(n, TOTAL * gravity[at])
    base = scores["population alone, total of 14"]
    for name, each in scores.items():
        evidence.add(
            f"towns left out: log score of five towns: {name}",
            float(each.sum()),
            "nats",
            baseline={"name": "population alone", "figure": round(float(base.sum()), 2)},
            n=len(TOWNS),
            note=", ".join(f"{town} {k}: {s:.2f}" for town, k, s in zip(TOWNS, COUNTS, each, strict=True)),
        )
    evidence.add("towns left out: fits of the readings", took[0], "s", n=len(READINGS) * len(TOWNS), seconds=took[0])
    _permute(evidence, case, {"population": people[at], "the network": gravity[at]})
    _score_lines(evidence, case, people, gravity)


def _sources(case: Case, reading: Reading, counts: dict[str, float]) -> tuple[Source, ...]:
    """Sources of a reading, with every named town in; the margins' shares are those of the published totals."""
    known = case.evidence
    rows = [(None, case.town_id(name), n) for name, n in counts.items()]
    made = case.sources(
        Known(
            lines=lines_of(*rows),
            exporter_lines=known.exporter_lines,
            reported_offences=known.reported_offences if reading.has_offences else None,
            unattributed_offences=known.unattributed_offences if reading.has_offences else None,
        )
    )
    return tuple(s for s in made if reading.has_origins or s.grain != "origin")


def _without(case: Case, reading: Reading, sources: tuple[Source, ...], held: str | None) -> tuple[Source, ...]:
    """The sources with the lines of one town unknown, and of unnamed towns where they are."""
    named = [name for name in TOWNS if name != held]
    wanted = np.array([case.town_at(name) for name in named])
    if reading.unnamed_are_none:
        skipped = -1 if held is None else case.town_at(held)
        wanted = np.setdiff1d(np.arange(len(case.ways.town_ids)), skipped)
    if not reading.has_lines:
        wanted = np.zeros(0, dtype=int)
    return tuple(keep_rows(s, wanted) if s.name == _LINES else s for s in sources)


def _priors(case: Case, reading: Reading) -> Priors:
    if not reading.by_population:
        return case.priors
    # The three coefficients of the network held at nothing.
    held = {name: Normal(0.0, 1e-4) for name in ("cost_exponent", "cost_decay_per_min", "rivalry_exponent")}
    return replace(case.priors, **held)


def _posterior(case: Case, reading: Reading, held: str | None, counts: dict[str, float]) -> Posterior:
    sources = _without(case, reading, _sources(case, reading, counts), held)
    return Posterior(case.ways, _priors(case, reading), sources, stations=case.stations)


def _left_out(case: Case, reading: Reading) -> FloatArray:
    """Log predictive probability of each named town's lines."""
    scores = []
    for name, n in PUBLISHED.items():
        posterior = _posterior(case, reading, name, dict(PUBLISHED))
        theta = draw_posterior(posterior, n_draws=N_DRAWS, random_state=SEED).theta
        scores.append(_predictive(case, posterior, theta, name, float(n)))
    return np.array(scores)


def _predictive(case: Case, posterior: Posterior, theta: FloatArray, town: str, n: float) -> float:
    """Log of the mean over draws of the chance of `n` recorded lines, Poisson about share times lines."""
    into = case.ways.town == case.town_at(town)
    lines = np.exp(posterior.log_lines(theta)[:, into]).sum(axis=1)
    mean = lines * np.exp(theta[:, posterior.blocks[_LINES].start])
    each = _poisson(np.full(len(mean), n), mean)
    return float(np.logaddexp.reduce(each) - np.log(len(each)))


def _poisson(n: FloatArray, mean: FloatArray) -> FloatArray:
    return np.asarray(n * np.log(mean) - mean - gammaln(n + 1))


def _laplace(posterior: Posterior, start: FloatArray | None) -> tuple[Mode, FloatArray]:
    """Mode, and draws of Laplace's approximation from the same normals every time."""
    mode = find_mode(posterior, start=start, is_exact=False)
    half = np.random.default_rng(SEED).standard_normal((N_NORMALS // 2, posterior.n_params))
    return mode, mode.around(np.concatenate([half, -half]))


def _permute(evidence: Evidence, case: Case, shares: dict[str, FloatArray]) -> None:
    """The exact test: how many assignments of the counts to the towns score as high as the real one."""
    assignments = sorted(set(permutations(COUNTS)))
    real = assignments.index(COUNTS)
    totals: dict[str, FloatArray] = {}
    note = (
        f"smallest value possible {1 / len(assignments):.3f}; {len(assignments)} distinct assignments of 7, 4, 1, 1, 1"
    )
    with stopwatch() as took:
        found = []
        start = None
        for counts in assignments:
            total = 0.0
            for name, n in zip(TOWNS, counts, strict=True):
                posterior = _posterior(case, OTHERS, name, dict(zip(TOWNS, map(float, counts), strict=True)))
                mode, theta = _laplace(posterior, start)
                start = mode.theta
                total += _predictive(case, posterior, theta, name, float(n))
            found.append(total)
        totals["the other towns' lines, fitted anew to each assignment"] = np.array(found)
    n_of = np.array(assignments, dtype=float)
    for name, share in shares.items():
        totals[name] = _poisson(n_of, TOTAL * share[None, :]).sum(axis=1)
    ranks = np.array([LAST_ORDER[name] for name in TOWNS], dtype=float)
    totals["order of the last list (mean rank of a line)"] = -(n_of * ranks).sum(axis=1)
    for name, total in totals.items():
        evidence.add(
            f"towns left out: exact permutation p: {name}",
            float((total >= total[real] - 1e-9).mean()),
            "share of assignments scored as high",
            n=len(assignments),
            seconds=took[0] if name.startswith("the other") else None,
            note=note,
        )


def _prior_shares(case: Case) -> FloatArray:
    """Mean share of every town before any evidence."""
    return np.asarray(case.fit(Known()).town_share.mean(axis=0))


def _mean_shares(posterior: Posterior) -> FloatArray:
    theta = draw_posterior(posterior, n_draws=N_DRAWS, random_state=SEED).theta
    lines = np.exp(posterior.log_lines(theta))
    into = np.asarray(lines @ posterior.town_sums.T)
    return np.asarray((into / into.sum(axis=1, keepdims=True)).mean(axis=0))


def _score_lines(evidence: Evidence, case: Case, people: FloatArray, gravity: FloatArray) -> None:
    """Log-likelihood a line of the 14 lines under shares of all towns."""
    at = [case.town_at(name) for name in TOWNS]
    n = np.array(COUNTS, dtype=float)
    for reading in READINGS[:2]:
        line_out, town_out = [], []
        for name in TOWNS:
            fewer = {town: float(k) - (town == name) for town, k in PUBLISHED.items()}
            # A town whose only line is left out is not known to be named.
            held = name if fewer[name] == 0 and not reading.unnamed_are_none else None
            line_out.append(_mean_shares(_posterior(case, reading, held, fewer))[case.town_at(name)])
            town_out.append(_mean_shares(_posterior(case, reading, name, dict(PUBLISHED)))[case.town_at(name)])
        words = "unnamed towns none" if reading.unnamed_are_none else "unnamed towns unknown"
        _add_a_line(evidence, f"posterior, each line left out, {words}", n, np.array(line_out), people[at])
        _add_a_line(evidence, f"posterior, each town left out, {words}", n, np.array(town_out), people[at])
    _add_a_line(evidence, "the network alone", n, gravity[at], people[at])
    _add_a_line(evidence, "population", n, people[at], people[at])
    spread = (n + people[at]) / (TOTAL + 1)
    flatters = "flatters: it has seen the lines that it is scored on, and was made of nothing else"
    _add_a_line(evidence, "last year's lines and one spread by population, same lines", n, spread, people[at], flatters)
    honest = (n - 1 + people[at]) / TOTAL
    _add_a_line(evidence, "the same, each line left out", n, honest, people[at], "what is left of it")


def _add_a_line(
    evidence: Evidence, name: str, n: FloatArray, share: FloatArray, people: FloatArray, note: str = ""
) -> None:
    parts = ", ".join(f"{town} {s:.3f}" for town, s in zip(TOWNS, share, strict=True))
    evidence.add(
        f"shares of all towns: log-likelihood a line: {name}",
        float(n @ np.log(share) / n.sum()),
        "nats a line",
        baseline={"name": "population", "figure": round(float(n @ np.log(people) / n.sum()), 3)},
        n=int(n.sum()),
        note="; ".join(filter(None, [note, parts])),
    )
