"""Times of all pairs of stations of Great Britain in the morning, on the estimated service with its drawn minutes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.evidence import Evidence, peak_mib, stopwatch
from geo.network.timed_journeys import measure_timed_journeys

# Tuesday, seven to ten.
MORNING = tuple(range(24 + 7, 24 + 10))
LIMIT_S = 60.0


def report_morning(evidence: Evidence, calls: pd.DataFrame, departures: pd.DataFrame) -> None:
    """Add the seconds for all pairs in each hour of a morning."""
    stations = sorted(set(calls["station_id"]))
    measure_timed_journeys(calls, departures, stations[:1], periods=[MORNING[:1]])
    with stopwatch() as seconds:
        found = measure_timed_journeys(calls, departures, stations, periods=[(hour,) for hour in MORNING])
    evidence.add(
        "Great Britain: times of all pairs of stations in three hours of a morning",
        seconds[0],
        "s",
        baseline={"name": "asked", "figure": LIMIT_S},
        n=int(np.isfinite(found.least_min).sum()),
        seconds=seconds[0],
        peak_mib=peak_mib(),
        note=f"{len(stations):,} stations, estimated trains at drawn minutes",
    )
