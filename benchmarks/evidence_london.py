"""
The product's corridor model on persons: London's persons by force of destination in 2019 and 2020, 37 forces.

The counts are of persons linked to London lines, not of lines. The posterior is the product's own: one origin, forces
as towns, a minute a kilometre, London and its six rivals the supply within reach. The outflow is given, shares are
predicted. A force's own effect `u` is the model's persistence: what the training year said of the force beyond the
network. The default priors were set with London's own lines of both years in view, so they have seen the target; the
wide ones stand at plain gravity and have seen nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.evidence import Evidence, stopwatch
from benchmarks.evidence_case import keep_rows
from benchmarks.force_areas import LONDON, METROPOLITAN, ForceAreas, distance_km
from benchmarks.london_lines import RIVAL_FLOOR_KM, build_pairs, draw_scores, interval_over_forces, predict_fold
from geo.corridors.baselines import Uniform
from geo.corridors.competition import CompetingExporters, Persistent
from geo.corridors.fit_scores import sorensen
from models.posterior.estimate import share_draws
from models.posterior.posterior import Posterior
from models.posterior.priors import Normal, Priors
from models.posterior.sampler import draw_posterior
from models.posterior.sources import Lines
from models.posterior.ways import Ways, add_elsewhere

FloatArray = NDArray[np.float64]
N_DRAWS, SEED = 1000, 2023
FROZEN = {"2019 to 2020": 0.837, "2020 to 2019": 0.815, "left out, 2019": 0.755, "left out, 2020": 0.793}
# Plain gravity, with room for any published answer: a hump, no distance at all, no rivals or strong ones.
WIDE = Priors(
    mass_exponent=Normal(1.0, 0.5),
    cost_exponent=Normal(1.0, 2.0),
    cost_decay_per_min=Normal(0.0, 0.015),
    rivalry_exponent=Normal(0.0, 2.0),
)
PRIORS = {"default priors": Priors(), "wide priors": WIDE}
GRAINS = {"pair": "counts by pair, a pair's own effect of shape 2", "town": "counts by town, Poisson"}


@dataclass(frozen=True)
class Shares:
    """Predicted shares of the forces: by the network alone, with the forces' effects, with those of pairs too."""

    network: FloatArray
    towns: FloatArray
    pairs: FloatArray


def build_london_ways(pairs: pd.DataFrame, areas: ForceAreas, priors: Priors) -> Ways:
    """London and 37 forces as the posterior takes them, in the order of `pairs`."""
    n = len(pairs)
    km = np.maximum(pairs["distance_km"].to_numpy(float), RIVAL_FLOOR_KM)
    mass = np.log(pairs["destination_mass"].to_numpy(float))
    forces = tuple(pairs["destination_id"])
    hubs = list(METROPOLITAN)
    apart_km = np.maximum(distance_km(areas.centres_km(hubs), areas.centres_km(list(forces))), RIVAL_FLOOR_KM)
    strength = np.concatenate([pairs["origin_mass"].to_numpy(float)[:1], areas.population_of(hubs, 2018)])
    away_km = np.vstack([km, apart_km])
    decay = priors.cost_exponent.mean, priors.cost_decay_per_min.mean
    supply = add_elsewhere(strength @ (away_km ** -decay[0] * np.exp(-decay[1] * away_km)))
    return Ways(
        origin_ids=(LONDON,),
        town_ids=forces,
        n_external=1,
        origin=np.zeros(n, dtype=np.int64),
        town=np.arange(n, dtype=np.int64),
        features=np.column_stack([mass - mass.mean(), -np.log(km), -km, -(supply - supply.mean())]),
        starts=np.zeros(1, dtype=np.int64),
        residents=pairs["destination_mass"].to_numpy(float),
        log_strength=np.zeros(1),
        internal_log_odds=-np.inf,
        positions_m=areas.centres_km(list(forces)) * 1000.0,
    )


def predict_shares(ways: Ways, priors: Priors, y: FloatArray, *, grain: str, known: NDArray[np.int64]) -> Shares:
    """Mean shares given the counts of the forces in `known`."""
    source = Lines(
        name="persons",
        group="lines",
        grain=grain,
        rows=np.arange(len(y)),
        low=y,
        high=y,
        own=(Normal(0.0, 0.1),),
        has_size=False,
        fixed_log_size=float(np.log(priors.pair_shape)) if grain == "pair" else np.inf,
    )
    level = Normal(float(np.log(y[known].mean() * len(y))), 1.0)
    posterior = Posterior(ways, priors, (keep_rows(source, known),), log_level=level)
    theta = draw_posterior(posterior, n_draws=N_DRAWS, random_state=SEED).theta
    bare = theta.copy()
    bare[:, posterior.blocks["towns"]] = 0.0
    return Shares(
        network=_mean(np.exp(posterior.log_lines(bare))),
        towns=_mean(np.exp(posterior.log_lines(theta))),
        pairs=np.concatenate([s.town for s in share_draws(posterior, theta, None)]).mean(axis=0),
    )


def _mean(lines: FloatArray) -> FloatArray:
    return np.asarray((lines / lines.sum(axis=1, keepdims=True)).mean(axis=0))


def _predict_left_out(ways: Ways, priors: Priors, y: FloatArray, grain: str) -> Shares:
    """Flow of each force from the 36 others, as `benchmarks.london_lines.flows_left_out`, scaled to the total."""
    flows: dict[str, FloatArray] = {name: np.empty(len(y)) for name in ("network", "towns", "pairs")}
    for held in range(len(y)):
        rest = np.delete(np.arange(len(y)), held)
        found = predict_shares(ways, priors, y, grain=grain, known=rest)
        for name, flow in flows.items():
            share = getattr(found, name)[held]
            flow[held] = y[rest].sum() * share / (1.0 - share)
    return Shares(**{name: flow / flow.sum() for name, flow in flows.items()})


def compare_on_london(evidence: Evidence, data: Path) -> None:
    """Every claim of this module."""
    pairs, areas, y2019, y2020 = build_pairs(data)
    folds = {"2019 to 2020": (y2019, y2020), "2020 to 2019": (y2020, y2019)}
    everyone = np.arange(len(y2019))
    for label, priors in PRIORS.items():
        ways = build_london_ways(pairs, areas, priors)
        for grain, words in GRAINS.items():
            for fold, (train, test) in folds.items():
                with stopwatch() as took:
                    found = predict_shares(ways, priors, train, grain=grain, known=everyone)
                _add(evidence, fold, f"{label}, {words}", found, test, took[0], persistence=train)
        for year, y in ((2019, y2019), (2020, y2020)):
            with stopwatch() as took:
                found = _predict_left_out(ways, priors, y, "town")
            _add(evidence, f"left out, {year}", f"{label}, {GRAINS['town']}", found, y, took[0])
    _spread_wider(evidence, build_london_ways(pairs, areas, WIDE), folds, everyone)
    _compare_persistence(evidence, pairs, folds)


def _add(
    evidence: Evidence,
    fold: str,
    words: str,
    found: Shares,
    y: FloatArray,
    seconds: float,
    *,
    persistence: FloatArray | None = None,
) -> None:
    parts: list[tuple[str, FloatArray]] = [("network alone", found.network), ("with the forces' effects", found.towns)]
    if "by pair" in words and persistence is not None:
        parts.append(("with effects of forces and pairs, as a run shows it", found.pairs))
    notes = ["" if persistence is None else f"persistence {_persist(persistence, y):.3f}"]
    if words.startswith("default"):
        notes.append("the default priors have seen both years in part")
    for what, share in parts:
        flow = share * y.sum()
        evidence.add(
            f"London's persons, {fold}: {what}: {words}",
            sorensen(y, flow),
            "Sorensen",
            baseline={"name": "competing exporters, frozen", "figure": FROZEN[fold]},
            interval=interval_over_forces(y, flow),
            n=len(y),
            seconds=seconds,
            note="; ".join(filter(None, notes)),
        )
    if persistence is not None:
        _gain(evidence, fold, words, found.towns * y.sum(), persistence, y)


def _gain(evidence: Evidence, fold: str, words: str, flow: FloatArray, persistence: FloatArray, y: FloatArray) -> None:
    """The forces' effects against plain persistence, paired over forces."""
    plain = persistence / persistence.sum() * y.sum()
    low, high = np.quantile(draw_scores(y, flow) - draw_scores(y, plain), [0.05, 0.95])
    evidence.add(
        f"London's persons, {fold}: forces' effects less plain persistence: {words}",
        sorensen(y, flow) - sorensen(y, plain),
        "Sorensen",
        baseline={"name": "plain persistence", "figure": round(sorensen(y, plain), 3)},
        interval=(float(low), float(high)),
        n=len(y),
        note="not shown to be better" if low <= 0 else "better in this fold",
    )


def _persist(train: FloatArray, test: FloatArray) -> float:
    return sorensen(test, train / train.sum() * test.sum())


def _spread_wider(
    evidence: Evidence, ways: Ways, folds: dict[str, tuple[FloatArray, FloatArray]], everyone: NDArray[np.int64]
) -> None:
    """How much of the model's persistence hangs on the spread that a force's effect is allowed."""
    for spread in (0.35, 1.4):
        scores = [
            sorensen(
                test,
                test.sum()
                * predict_shares(ways, replace(WIDE, town_sd=spread), train, grain="town", known=everyone).towns,
            )
            for train, test in folds.values()
        ]
        evidence.add(
            f"London's persons, both folds: tried: town_sd {spread}, wide priors, {GRAINS['town']}",
            float(np.mean(scores)),
            "mean Sorensen",
            n=len(everyone),
            note=", ".join(f"{fold} {score:.3f}" for fold, score in zip(folds, scores, strict=True)),
        )


def _compare_persistence(
    evidence: Evidence, pairs: pd.DataFrame, folds: dict[str, tuple[FloatArray, FloatArray]]
) -> None:
    """Half persistence against plain persistence, paired over forces."""
    half: Any = Persistent(CompetingExporters(cost="distance_km"))
    plain: Any = Persistent(Uniform(), persistence=1.0)
    for fold, (train, test) in folds.items():
        flows = [predict_fold(model, pairs, train, test) for model in (half, plain)]
        draws = [draw_scores(test, flow) for flow in flows]
        low, high = np.quantile(draws[0] - draws[1], [0.05, 0.95])
        scores = [sorensen(test, flow) for flow in flows]
        verdict = "not shown to be better" if low <= 0 else "better in this fold"
        evidence.add(
            f"London's persons, {fold}: half persistence less plain persistence",
            scores[0] - scores[1],
            "Sorensen",
            baseline={"name": "plain persistence", "figure": round(scores[1], 3)},
            interval=(float(low), float(high)),
            n=len(test),
            note=f"{verdict}; half persistence {scores[0]:.3f}",
        )
