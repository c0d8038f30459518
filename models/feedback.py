"""
Does the list chase its own tail? Two areas, patrolled where the score says, scored through the code that scores lists.

After Lum and Isaac 2016 and Ensign et al. 2018, "Runaway Feedback Loops in Predictive Policing" (FAT* 2018, 160-171):
each day one team goes to one of two areas, by chance in proportion to their scores, and finds an offence there with the
area's true rate. Raw counts make the luckier area look worse without end; rates by logged hours, which
`models.features` uses, do not, as long as some of the effort is random.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.composition import measure_features
from models.dictionary import STATION_FEATURES
from models.draws import IndexSettings, base_realisation
from models.evidence import MonthlyEvidence, measure_propensity
from models.features import FeatureSet

__all__ = ["simulate_two_areas"]

FloatArray = NDArray[np.float64]
_IDS = ("A", "B")
_DAYS_PER_MONTH = 30
# Officer-hours of a visit; only their ratio between the areas matters.
_HOURS = 8.0


def simulate_two_areas(
    true_rates: tuple[float, float],
    *,
    n_days: int,
    random_state: int,
    has_log: bool = True,
    random_share: float = 0.10,
    start: tuple[int, int] = (10, 5),
) -> float:
    """
    Simulate two areas until the score settles.

    Parameters
    ----------
    true_rates : tuple of float
        Chance that a team finds an offence in a day, by area.
    n_days : int
        Days; the team is sent again each day by the scores of the month before.
    random_state : int
        Seed.
    has_log : bool
        Whether hours are logged, so that finds become rates; without, raw counts steer.
    random_share : float
        Share of the days on which the area is chosen by a fair coin.
    start : tuple of int
        Finds before the first day, equal hours on each area.

    Returns
    -------
    float
        Share of the score that the first area ends with. The truth is its share of the true rates.
    """
    rng = np.random.default_rng(random_state)
    months = -(-n_days // _DAYS_PER_MONTH) + 1
    finds, hours = np.zeros((2, months)), np.zeros((2, months))
    # The urn of the sources: what was found before, as if each area had been worked as many days as found most.
    finds[:, 0] = start
    hours[:, 0] = _HOURS * max(start) / max(true_rates)
    share = _score_share(finds[:, :1], hours[:, :1], has_log=has_log)
    for month in range(1, months):
        n = min(_DAYS_PER_MONTH, n_days - (month - 1) * _DAYS_PER_MONTH)
        is_random = rng.random(n) < random_share
        goes_first = np.where(is_random, rng.random(n) < 0.5, rng.random(n) < share)
        found = rng.random(n) < np.where(goes_first, *true_rates)
        for area, here in enumerate((goes_first, ~goes_first)):
            finds[area, month] = (found & here).sum()
            hours[area, month] = _HOURS * here.sum()
        share = _score_share(finds[:, : month + 1], hours[:, : month + 1], has_log=has_log)
    return share


def _score_share(finds: FloatArray, hours: FloatArray, *, has_log: bool) -> float:
    """The first area's share of the enforcement feature, from the code that scores lists."""
    months = pd.period_range("2000-01", periods=finds.shape[1], freq="M")
    counts = np.zeros((2, finds.shape[1], 3))
    counts[..., 1] = finds
    propensity = measure_propensity(_log(hours, months), _IDS, cutoff=months[-1]) if has_log else np.ones(2)
    names = pd.Series(_IDS, index=pd.Index(_IDS, name="station_id"), name="name")
    features = FeatureSet(
        dictionary=STATION_FEATURES,
        unit_name="station_id",
        names=names,
        cutoff=months[-1],
        fixed=pd.DataFrame({"courier_flow": 0.0, "courier_rate": np.nan}, index=names.index),
        hotspot_harm=np.zeros(2),
        evidence=MonthlyEvidence(_IDS, months, counts),
        propensity=propensity,
        flow_parts=None,
        flow_scenarios=np.ones((1, 2)),
        unknown_as_demand_share=0.0,
    )
    rates = measure_features(features, base_realisation(features, IndexSettings()))["enforcement_rate"][0]
    return float(rates[0] / rates.sum())


def _log(hours: FloatArray, months: pd.PeriodIndex) -> pd.DataFrame:
    """A deployment log, table `geo.tables.DEPLOYMENTS`, one row an area and month."""
    n = len(months)
    return pd.DataFrame(
        {
            "station_id": np.repeat(_IDS, n),
            "month": months.append(months),
            "worked_on": pd.Series([None] * (2 * n), dtype="str"),
            "n_hours": hours.ravel(),
            "reason": "model",
        },
        index=pd.Index([f"d{i}" for i in range(2 * n)], name="deployment_id"),
    )
