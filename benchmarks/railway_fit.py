"""
The constants of run times where no timetable says, fitted again: `python -m benchmarks.railway_fit`.

Fitted to what is not used to judge them: legs of the feed around Glasgow (week of 14 November 2022) and of a working
timetable of northern England (29 January 2019), from a departure to the next. A public timetable hides a short stand
in the leg before it; a working one tells it apart, a minute in the median. The loss is the mean of absolute log errors.
The feed around Newport and seven times of public timetables, which judge, are not looked at.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.evidence import Evidence, parser
from benchmarks.railway import GLASGOW, Country, read_country, read_feed
from geo.network.default_demand import RailDemand, follow, measure_rail_demand
from geo.network.default_times import FITTED, LEAST_FLOW, TrainConstants, measure_leg_min, measure_stand_min

FloatArray = NDArray[np.float64]
# The median stand of 7,606 calls in a Network Rail update file of the same day.
_WORKING_STAND_MIN = 1.0
# Not fitted: stands of the feed around Glasgow are 0.3 minutes in the mean up to 3,000 users a day, and grow to 2.5.
_N_FITTED = 6
_ROUNDS = 5


@dataclass(frozen=True)
class Legs:
    """Legs of real trains: what their minutes are estimated from, and the minutes from a departure to the next."""

    km: FloatArray
    flow: FloatArray
    curve_min: FloatArray
    n_passed: FloatArray
    users: FloatArray
    minutes: FloatArray

    def estimate(self, constants: TrainConstants) -> FloatArray:
        legs = measure_leg_min(self.km, self.flow, self.curve_min, self.n_passed, constants=constants)
        return legs + measure_stand_min(self.users, constants=constants)


def lay_legs(demand: RailDemand, table: pd.DataFrame) -> Legs:
    """Rows `a, b, minutes` on the track."""
    at = {code: k for k, code in enumerate(demand.station_ids)}
    rows = []
    for a, b, minutes in table[["a", "b", "minutes"]].itertuples(index=False):
        if a not in at or b not in at or not np.isfinite(demand.fast_min[at[a], at[b]]):
            continue
        way = follow(demand.before[at[a]], at[a], at[b])
        links = demand.link_of[way[:-1], way[1:]]
        km = demand.link_km[links]
        flow = np.exp(np.average(np.log(np.maximum(demand.link_flow[links], LEAST_FLOW)), weights=km))
        curve_min = demand.link_curve_min[links].sum()
        rows.append((km.sum(), flow, curve_min, len(way) - 2, demand.users_per_day[at[b]], minutes))
    return Legs(*np.array(rows, dtype=float).T)


def read_glasgow(data: Path) -> pd.DataFrame:
    """Minutes from a departure to the next, mean over the trains that go on."""
    calls, departures = read_feed(data / "timetable" / GLASGOW[1], GLASGOW[2])
    rows = calls.sort_values(["pattern_id", "call_no"], kind="stable")
    after = rows.groupby("pattern_id", sort=False)[["station_id", "departure_min"]].shift(-1)
    n = rows["pattern_id"].map(departures.groupby("pattern_id")["n_departures"].sum())
    table = pd.DataFrame(
        {"a": rows["station_id"], "b": after["station_id"], "m": after["departure_min"] - rows["departure_min"], "n": n}
    ).dropna()
    table = table[(table["m"] > 0) & (table["n"] > 0)]
    sums = table.assign(m=table["m"] * table["n"]).groupby(["a", "b"])[["m", "n"]].sum().reset_index()
    return sums.assign(minutes=sums["m"] / sums["n"])


def read_north(data: Path) -> pd.DataFrame:
    """Median minutes from a stop to the next, and a stand."""
    rows = pd.read_csv(data / "timetable" / "north_runtimes_nrod_2019-01-29.csv")
    return rows.rename(columns={"from_crs": "a", "to_crs": "b", "median_minutes": "minutes"}).assign(
        minutes=rows["median_minutes"] + _WORKING_STAND_MIN
    )


def fit(sets: list[Legs], start: TrainConstants) -> tuple[TrainConstants, float]:
    """The constants of the least loss, each set of legs counting alike."""

    def constants_of(values: FloatArray) -> TrainConstants:
        return TrainConstants(*values.tolist(), *astuple(start)[_N_FITTED:])

    def loss(values: FloatArray) -> float:
        found = constants_of(values)
        if found.start_stop_min < 0:
            return float("inf")
        return sum(float(np.abs(np.log(legs.estimate(found) / legs.minutes)).mean()) for legs in sets)

    values = np.array(astuple(start)[:_N_FITTED])
    for _ in range(_ROUNDS):
        values = minimize(loss, values, method="Nelder-Mead", options={"maxiter": 5_000, "xatol": 1e-4}).x
    return constants_of(values), loss(values)


def report(evidence: Evidence, country: Country, data: Path) -> None:
    demand = measure_rail_demand(country.network.links, country.flows)
    sets = {
        "around Glasgow": lay_legs(demand, read_glasgow(data)),
        "northern England, working timetable": lay_legs(demand, read_north(data)),
    }
    found, loss = fit(list(sets.values()), FITTED)
    for name, value in vars(found).items():
        evidence.add(f"fitted: {name}", round(value, 3), "", baseline={"name": "used", "figure": getattr(FITTED, name)})
    evidence.add("loss: mean absolute log errors of both sets", loss, "")
    plain = {
        "the speed of curves": [replace(legs, curve_min=0.3 * legs.km) for legs in sets.values()],
        "stations passed": [replace(legs, n_passed=np.zeros_like(legs.km)) for legs in sets.values()],
    }
    for what, legs in plain.items():
        baseline = {"name": "with all", "figure": round(loss, 4)}
        evidence.add(f"loss without {what}", fit(legs, FITTED)[1], "", baseline=baseline)
    for name, own in sets.items():
        off = np.abs(own.estimate(found) - own.minutes)
        evidence.add(
            f"{name}: minutes off, median",
            float(np.median(off)),
            "min",
            n=len(off),
            note=f"nine in ten within {np.quantile(off, 0.9):.1f}",
        )


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("railway_fit")
    if (options.data / "timetable").is_dir():
        report(evidence, read_country(options.data, evidence), options.data)
    else:
        evidence.skip("railway_fit", f"no folder 'timetable' in {options.data.name!r}")
    evidence.write(options.json)


if __name__ == "__main__":
    main()
