"""Whether rank intervals of some months hold the ranks of the others: North Yorkshire, January to September 2025."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd

from benchmarks.evidence import Evidence
from benchmarks.main_job import make_workspace
from gateline.pipeline.read import Inputs, read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from gateline.settings import Settings, read_settings

# Intervals of the old index held the later rank for 70 % of the first ten towns, six months against six.
_FIRST = 10
_BEFORE = {"name": "the index of percentiles, half-years", "figure": 0.70}


def compare_halves(evidence: Evidence, data: Path) -> None:
    """Runs on five months and on four, whole but for the plan, each judged by the ranks of the other."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "north-yorkshire"
        make_workspace(root, data)
        settings = read_settings(root / "region.toml")
        settings = settings.model_copy(update={"plan": settings.plan.model_copy(update={"is_planned": False})})
        inputs = read_inputs(root, settings)
    months = sorted(inputs.offences["month"].unique())
    middle = (len(months) + 1) // 2
    early, late = (_lists(inputs, settings, part) for part in (months[:middle], months[middle:]))
    for what in early:
        held = [_held(early[what], late[what]), _held(late[what], early[what])]
        for who, of in ((f"first {_FIRST}", slice(0, _FIRST)), ("all", slice(None))):
            flags = pd.concat([each.iloc[of] for each in held])
            evidence.add(
                f"rank intervals of some months hold the rank of the others: {who} {what}",
                float(flags.mean()),
                "share",
                baseline=_BEFORE if who != "all" and what == "towns" else None,
                n=len(flags),
                note="90 % intervals; both ways",
            )


def _lists(inputs: Inputs, settings: Settings, months: list[pd.Period]) -> dict[str, pd.DataFrame]:
    offences = inputs.offences[inputs.offences["month"].isin(months)]
    results = run_stages(replace(inputs, offences=offences), settings, Recorder(lambda _: None))
    return {"towns": results.place_scores.table, "stations": results.station_scores.table}


def _held(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """Whether the other list's rank lies in the interval of this one, in the order of this one."""
    rank = other["rank"].reindex(one.index)
    return (rank >= one["rank_low"]) & (rank <= one["rank_high"])
