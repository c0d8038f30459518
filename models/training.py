"""
Fit every candidate, judge it in time and in space, and say whether anything beats counting.

A model is used only if its hit rate beats the counting score both forward in time and across spatial blocks, with a
paired interval that leaves zero out after allowing for the number of models tried (Bonferroni). Otherwise the answer
is "no better than counting" and the counting score is used. The headline is the worse of time and space.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from geo.errors import ModelGateError
from models.candidates import COUNTING, Candidate, list_candidates
from models.counting import CountRegressor
from models.metrics import bootstrap_difference, measure_ranking
from models.panel import Panel
from models.validation import SCHEMES, forecast_forward, forecast_held_out, label_folds

__all__ = ["NO_BETTER", "Judgement", "TrainingReport", "judge", "to_table", "train"]

FloatArray = NDArray[np.float64]
NO_BETTER = "no better than counting"
# Share of null worlds in which anything at all may claim to beat counting.
_FALSE_CLAIM_SHARE = 0.05
# trust.md D1: a random score this far above the spatial one is a sign of leakage.
_LEAKAGE_GAP = 0.05
# trust.md C2, fault 87: below this nothing is ranked.
FEWEST_OUTCOMES = 20
Interval = tuple[float, float, float]


@dataclass(frozen=True)
class Judgement:
    """
    How one candidate did.

    Attributes
    ----------
    name : str
        The candidate.
    is_baseline : bool
        Whether it is there to be beaten.
    measures : dict of str to dict of str to float
        Measures of `models.metrics.measure_ranking` by scheme of `models.validation.SCHEMES`.
    gain_in_time, gain_in_space : tuple of float
        Hit rate at ten less that of counting, with the ends of its interval.
    headline : float
        The worse of the hit rates at ten in time and across blocks.
    beats_counting : bool
        Whether both intervals leave zero below.
    """

    name: str
    is_baseline: bool
    measures: dict[str, dict[str, float]]
    gain_in_time: Interval
    gain_in_space: Interval
    headline: float
    beats_counting: bool


@dataclass(frozen=True)
class TrainingReport:
    """
    What was fitted, how it did, and what is used.

    Attributes
    ----------
    judgements : tuple of Judgement
        One a candidate, in the order judged.
    chosen : str
        Name of the candidate that is used.
    verdict : str
        One sentence.
    model : CountRegressor
        The chosen candidate fitted to every complete outcome.
    columns : tuple of str
        Features of the chosen model, in order.
    cutoff : pandas.Period
        Last month that any row rests on.
    n_units, n_origins : int
        Size of the panel.
    n_outcomes : float
        Outcomes over all rows.
    leakage_warning : bool
        Whether random folds flatter the chosen model by more than 0.05.
    gain_over_registered : tuple of float or None
        Hit rate at ten less that of the registered model, with its interval; None without one.
    """

    judgements: tuple[Judgement, ...]
    chosen: str
    verdict: str
    model: CountRegressor
    columns: tuple[str, ...]
    cutoff: pd.Period
    n_units: int
    n_origins: int
    n_outcomes: float
    leakage_warning: bool
    gain_over_registered: Interval | None


def train(
    panel: Panel,
    *,
    random_state: int,
    registered: Candidate | None = None,
    n_draws: int = 1000,
    schemes: tuple[str, ...] = SCHEMES,
) -> TrainingReport:
    """
    Fit and judge every candidate and choose one.

    Parameters
    ----------
    panel : Panel
        Features and outcomes.
    random_state : int
        Seed of folds and resamples.
    registered : Candidate or None
        The model in use, fitted; it is not fitted again.
    n_draws : int
        Resamples behind each interval.
    schemes : tuple of str
        Which of `models.validation.SCHEMES` to run; ``temporal`` and ``block`` are always run.

    Returns
    -------
    TrainingReport
        What is used, and why.

    Raises
    ------
    ModelGateError
        If there are too few outcomes to judge by.
    """
    n_outcomes = float(panel.outcomes.sum())
    if n_outcomes < FEWEST_OUTCOMES:
        msg = (
            f"outcomes: {n_outcomes:g} in all, expected at least {FEWEST_OUTCOMES}. "
            "Issue descriptive counts only, or add months."
        )
        raise ModelGateError(msg)
    candidates = list_candidates(panel.columns, n_events=n_outcomes)
    judgements = judge(candidates, panel, random_state=random_state, n_draws=n_draws, schemes=schemes)
    chosen = _choose(judgements)
    candidate = next(c for c in candidates if c.name == chosen.name)
    model = clone(candidate.model).fit(_rows(panel, candidate), panel.outcomes.ravel())
    random_hits = chosen.measures.get("random", chosen.measures["block"])["hit_rate_at_10"]
    return TrainingReport(
        judgements=judgements,
        chosen=chosen.name,
        verdict=_verdict(chosen),
        model=model,
        columns=tuple(panel.columns[c] for c in candidate.columns),
        cutoff=panel.origins[-1] + panel.gap + panel.horizon,
        n_units=len(panel.unit_ids),
        n_origins=len(panel.origins),
        n_outcomes=n_outcomes,
        leakage_warning=random_hits - chosen.measures["block"]["hit_rate_at_10"] > _LEAKAGE_GAP,
        gain_over_registered=None
        if registered is None
        else _compare(candidate, registered, panel, random_state, n_draws),
    )


def judge(
    candidates: tuple[Candidate, ...],
    panel: Panel,
    *,
    random_state: int,
    n_draws: int = 1000,
    schemes: tuple[str, ...] = SCHEMES,
) -> tuple[Judgement, ...]:
    """
    Judge candidates side by side.

    Parameters
    ----------
    candidates : tuple of Candidate
        The first must be counting.
    panel : Panel
        Features and outcomes.
    random_state : int
        Seed of folds and resamples.
    n_draws : int
        Resamples behind each interval.
    schemes : tuple of str
        Which schemes to run; ``temporal`` and ``block`` are always run.

    Returns
    -------
    tuple of Judgement
        In the order of `candidates`.
    """
    folds = {
        scheme: label_folds(panel, scheme, random_state=random_state)
        for scheme in ("random", "block", "town")
        if scheme in schemes or scheme == "block"
    }
    n_tried = max(sum(not candidate.is_baseline for candidate in candidates), 1)
    level = 1.0 - _FALSE_CLAIM_SHARE / n_tried
    judgements: list[Judgement] = []
    counting: dict[str, FloatArray] = {}
    for candidate in candidates:
        forward, came, _ = forecast_forward(candidate, panel)
        forecasts = {"temporal": forward} | {s: forecast_held_out(candidate, panel, f) for s, f in folds.items()}
        counting = counting or forecasts
        gains = {
            scheme: bootstrap_difference(
                forecasts[scheme],
                counting[scheme],
                came if scheme == "temporal" else panel.outcomes,
                panel.blocks,
                random_state=random_state,
                n_draws=n_draws,
                level=level,
            )
            for scheme in ("temporal", "block")
        }
        measures = {
            scheme: measure_ranking(values, came if scheme == "temporal" else panel.outcomes)
            for scheme, values in forecasts.items()
        }
        judgements.append(
            Judgement(
                name=candidate.name,
                is_baseline=candidate.is_baseline,
                measures=measures,
                gain_in_time=gains["temporal"],
                gain_in_space=gains["block"],
                headline=min(measures["temporal"]["hit_rate_at_10"], measures["block"]["hit_rate_at_10"]),
                beats_counting=gains["temporal"][1] > 0 and gains["block"][1] > 0,
            )
        )
    return tuple(judgements)


def to_table(judgements: tuple[Judgement, ...]) -> pd.DataFrame:
    """
    Lay judgements out as a table.

    Parameters
    ----------
    judgements : tuple of Judgement
        From `judge`.

    Returns
    -------
    pandas.DataFrame
        One row a candidate, indexed by ``candidate_id``.
    """
    rows = []
    for one in judgements:
        row: dict[str, object] = {"candidate_id": one.name, "is_baseline": one.is_baseline, "headline": one.headline}
        row |= {f"{scheme}_{name}": value for scheme, m in one.measures.items() for name, value in m.items()}
        for where, gain in (("time", one.gain_in_time), ("space", one.gain_in_space)):
            row |= {f"gain_in_{where}{end}": value for end, value in zip(("", "_low", "_high"), gain, strict=True)}
        rows.append(row | {"beats_counting": one.beats_counting})
    return pd.DataFrame(rows).set_index("candidate_id")


def _choose(judgements: tuple[Judgement, ...]) -> Judgement:
    """The best model that beats counting and no baseline tops, else counting."""
    best_baseline = max(one.headline for one in judgements if one.is_baseline)
    able = [one for one in judgements if not one.is_baseline and one.beats_counting and one.headline >= best_baseline]
    counting = next(one for one in judgements if one.name == COUNTING)
    # The first of equals: simpler models are listed first.
    return max(able, key=lambda one: one.headline) if able else counting


def _verdict(chosen: Judgement) -> str:
    """What is used, in one sentence."""
    if chosen.name == COUNTING:
        return f"{NO_BETTER}: the counting score is used"
    low = min(chosen.gain_in_time[1], chosen.gain_in_space[1])
    return f"{chosen.name} is used: it beats counting in time and in space, by at least {low:.3f} of the outcomes"


def _rows(panel: Panel, candidate: Candidate) -> FloatArray:
    """Every row of the panel, with the candidate's columns."""
    return panel.features[..., list(candidate.columns)].reshape(-1, len(candidate.columns))


def _compare(candidate: Candidate, registered: Candidate, panel: Panel, random_state: int, n_draws: int) -> Interval:
    """The gain over the registered model, forward in time."""
    forward, came, origins = forecast_forward(candidate, panel)
    at = panel.origins.get_indexer(origins)
    held = np.stack([registered.model.predict(panel.features[o][:, list(registered.columns)]) for o in at])
    return bootstrap_difference(forward, held, came, panel.blocks, random_state=random_state, n_draws=n_draws)
