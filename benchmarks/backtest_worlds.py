"""Worlds with a known truth, for `benchmarks.backtest`: a planted order, no difference at all, no signal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.dictionary import STATION_FEATURES
from models.evidence import MonthlyEvidence
from models.features import FeatureSet
from models.panel import Panel, build_panel
from models.validation import label_blocks

LAST = pd.Period("2025-09", "M")


def planted_world(seed: int, mean: float, *, n: int = 60, months: int = 9) -> tuple[np.ndarray, FeatureSet]:
    """Stations whose true rates are exponential, and a year's worth of offences drawn from them."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(1.0, mean, n)
    return rates, features_of(rng.poisson(rates[:, None] / months, (n, months)))


def flat_world(seed: int, *, n: int = 60, months: int = 9) -> FeatureSet:
    return features_of(np.random.default_rng(seed).poisson(10.0 / months, (n, months)))


def features_of(demand: np.ndarray) -> FeatureSet:
    """A feature set in which demand-led counts alone differ."""
    n, months = demand.shape
    ids = [f"S{i:03d}" for i in range(n)]
    counts = np.zeros((n, months, 3))
    counts[..., 0] = demand
    names = pd.Series(ids, index=pd.Index(ids, name="station_id"), name="name")
    return FeatureSet(
        dictionary=STATION_FEATURES,
        unit_name="station_id",
        names=names,
        cutoff=LAST,
        fixed=pd.DataFrame({"courier_flow": 0.0, "courier_rate": np.nan}, index=names.index),
        hotspot_harm=np.zeros(n),
        evidence=MonthlyEvidence(tuple(ids), pd.period_range(end=LAST, periods=months, freq="M"), counts),
        propensity=None,
        flow_parts=None,
        flow_scenarios=np.ones((1, n)),
        unknown_as_demand_share=0.5,
    )


def null_panel(seed: int, *, n: int = 156, months: int = 9) -> Panel:
    """Every station alike and every feature noise: nothing can be better than counting."""
    rng = np.random.default_rng(10_000 + seed)
    ids = pd.Index([f"S{i:03d}" for i in range(n)], name="station_id")
    counts = pd.DataFrame(
        rng.poisson(4.0 / months, (n, months)), index=ids, columns=pd.period_range(end=LAST, periods=months, freq="M")
    )
    fixed = pd.DataFrame(
        rng.gamma(1.0, 1.0, (n, 4)), index=ids, columns=["population", "footfall", "train_min", "courier_flow"]
    )
    blocks = label_blocks(rng.uniform(4e5, 5e5, n), rng.uniform(4e5, 5e5, n))
    return build_panel(counts, fixed, blocks=blocks, towns=np.arange(n) // 4)
