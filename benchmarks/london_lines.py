"""
Every interaction model and baseline on London's lines in 37 forces, both folds, and leaving one force out.

The outflow is given, the shares are predicted. Predictors of a strict model are dated before both years: population of
mid 2018, distances, boundaries. Models with covariates of 2019 (the published file has no earlier ones) are marked, for
in the fold `2020 to 2019` they describe the target year. Rows that begin with `tried` are the variants of the proposed
model that were looked at; `nested` lets the training year alone choose among them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from shapely.geometry import Point
from sklearn.base import clone

from benchmarks.evidence import Evidence, parser, peak_mib
from benchmarks.force_areas import LONDON, METROPOLITAN, ForceAreas, distance_km, mass_along_line, read_force_areas
from geo.corridors.baselines import PopulationShare, Uniform
from geo.corridors.competition import CompetingExporters, Persistent, measure_rival_pull
from geo.corridors.fit_scores import sorensen
from geo.corridors.gravity import Gravity, Huff, Retail
from geo.corridors.interaction import InteractionModel, log_of
from geo.corridors.priors import CoefficientPrior
from geo.corridors.radiation import Radiation, measure_intervening_mass

COVARIATES = ("knife", "misuse", "workforce")
# ASSUMPTION: no rival is nearer than this to the people it supplies; about the radius of a conurbation.
RIVAL_FLOOR_KM = 15.0
# Charing Cross, where distances to London are measured from.
CHARING_CROSS = Point(530_000, 180_400)
# The Poisson regression of the issue, on the two folds and leaving one force out of 2019 and of 2020.
FLOOR = (0.778, 0.799, 0.727, 0.702)
N_BOOTSTRAP = 2000
SEED = 2023


@dataclass(frozen=True)
class Rivals:
    """Who competes with London, and how fast their pull falls with distance."""

    hubs: tuple[str, ...] = METROPOLITAN
    exponent: float = 1.0
    floor_km: float = RIVAL_FLOOR_KM

    def __str__(self) -> str:
        return f"{len(self.hubs)} rivals, exponent {self.exponent:g}, floor {self.floor_km:g} km"


THREE = ("Greater Manchester", "Merseyside", "West Midlands")
TRIED = (
    Rivals(),
    *(Rivals(exponent=exponent) for exponent in (1.5, 2.0, 3.0)),
    *(Rivals(floor_km=floor) for floor in (5.0, 10.0, 30.0)),
    Rivals(hubs=THREE),
    Rivals(hubs=("West Midlands",)),
)


@dataclass(frozen=True)
class Entry:
    """A model, where its figures were published, and whether it uses covariates of 2019."""

    name: str
    model: InteractionModel
    has_covariates: bool = False
    is_persistent: bool = False
    note: str = ""


class Tanner(Retail):
    """The floor of the issue: log population, log distance, distance and log covariates."""

    def _features(self, pairs: Any) -> Any:
        return np.column_stack([super()._features(pairs), -log_of(pairs.columns[self.cost], self.cost, self)])

    def _names(self) -> tuple[str, ...]:
        return (*super()._names(), "cost_exponent")


def build_pairs(data: Any) -> tuple[pd.DataFrame, ForceAreas, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """One row a force, its predictors, and its counts of 2019 and 2020."""
    lines = pd.read_csv(data / "countylines" / "london_lines_by_force_with_predictors.csv").sort_values("police_force")
    forces = lines["police_force"].tolist()
    areas = read_force_areas(data)
    mass = pd.Series(areas.population_of(forces, 2018), index=forces)
    pairs = pd.DataFrame(
        {
            "origin_id": LONDON,
            "destination_id": forces,
            "origin_mass": float(areas.population.loc[2018, LONDON]),
            "destination_mass": mass.to_numpy(),
            "mass_2019": lines["pop2019"].to_numpy(float),
            "distance_km": lines["dist_km_notebook"].to_numpy(float),
            "knife": lines["knife_100k_2019"].to_numpy(float),
            "misuse": lines["misuse_adm_100k_2019"].to_numpy(float),
            "workforce": lines["workforce_100k_2019"].to_numpy(float),
            "line_mass": mass_along_line(areas, CHARING_CROSS, forces, mass),
        }
    )
    pairs["ordered_mass"] = measure_intervening_mass(pairs, cost="distance_km")
    pairs["rival_pull"] = rival_pull(pairs, areas, Rivals())
    return pairs, areas, lines["london_lines_2019"].to_numpy(float), lines["london_lines_2020"].to_numpy(float)


def rival_pull(pairs: pd.DataFrame, areas: ForceAreas, rivals: Rivals) -> np.ndarray[Any, Any]:
    """Pull of exporters other than London on each force, by straight lines between centres of population."""
    hubs, forces = list(rivals.hubs), pairs["destination_id"].tolist()
    apart = distance_km(areas.centres_km(hubs), areas.centres_km(forces))
    table = pd.DataFrame(
        {
            "origin_id": np.repeat(hubs, len(forces)),
            "destination_id": np.tile(forces, len(hubs)),
            "distance_km": apart.ravel(),
            "origin_mass": np.repeat(areas.population_of(hubs, 2018), len(forces)),
        }
    )
    return measure_rival_pull(pairs, table, cost="distance_km", exponent=rivals.exponent, cost_floor=rivals.floor_km)


def entries() -> list[Entry]:
    """What is compared; the proposed models come last."""
    start = CoefficientPrior(
        {"mass_exponent": 0.6, "cost_exponent": 1.0},
        {"mass_exponent": 1e-6, "cost_exponent": 1e-6},
        "start values of the published repository, held",
    )
    distance = {"cost": "distance_km"}
    competing = CompetingExporters(**distance)
    return [
        Entry("uniform", Uniform()),
        Entry("population share", PopulationShare()),
        Entry("gravity at the published start values", Gravity(**distance, prior=start), note="published about 0.62"),
        Entry("gravity, power decay", Gravity(**distance), note="published about 0.62"),
        Entry("gravity, exponential decay", Gravity(**distance, decay="exponential")),
        Entry("Huff, attractiveness misuse", Huff(attractiveness="misuse", **distance), has_covariates=True),
        Entry(
            "radiation, original, mass along the straight line",
            Radiation(form="extended", alpha=1.0, intervening="line_mass"),
            note="published 0.641/0.635",
        ),
        Entry(
            "radiation, original, mass nearer by distance",
            Radiation(form="extended", alpha=1.0, intervening="ordered_mass"),
        ),
        Entry("radiation, finite-size corrected", Radiation(form="finite", intervening="ordered_mass")),
        Entry("radiation, extended, fitted", Radiation(form="extended", intervening="line_mass", kappa=None)),
        Entry(
            "retail, covariates", Retail(covariates=COVARIATES, **distance), has_covariates=True, note="published 0.631"
        ),
        Entry(
            "Poisson regression, covariates",
            Tanner(covariates=("mass_2019", *COVARIATES), **distance),
            has_covariates=True,
            note="the floor",
        ),
        Entry("Poisson regression, no covariates", Tanner(covariates=("destination_mass",), **distance)),
        Entry("competing exporters", competing),
        Entry(
            "persistence",
            Persistent(Uniform(), persistence=1.0),
            is_persistent=True,
            note="the other year's shares",
        ),
        Entry("competing exporters with half persistence", Persistent(competing), is_persistent=True),
    ]


def predict_fold(model: InteractionModel, pairs: pd.DataFrame, train: Any, test: Any) -> np.ndarray[Any, Any]:
    return clone(model).fit(pairs, train).predict(pairs.assign(outflow=test.sum()))


def predict_left_out(model: InteractionModel, pairs: pd.DataFrame, y: Any) -> np.ndarray[Any, Any]:
    """
    Predict each force from the 36 others of the same year, its own count in no year used.

    The predictions are then scaled to the total, as the other scores are.
    """
    flow = flows_left_out(model, pairs, y)
    return flow * (y.sum() / flow.sum())


def flows_left_out(model: InteractionModel, pairs: pd.DataFrame, y: Any) -> np.ndarray[Any, Any]:
    """
    Predict each force's flow from the others' alone.

    With the share p of a left-out force among all 37 and the outflow Y into the others, its flow is Y p / (1 - p): the
    total of all 37 would give its count away.
    """
    flow = np.empty(len(y))
    for held in range(len(y)):
        rest = np.arange(len(y)) != held
        share = clone(model).fit(pairs.loc[rest], y[rest]).predict_share(pairs)[held]
        flow[held] = y[rest].sum() * share / (1.0 - share)
    return flow


def draw_scores(y: Any, flow: Any) -> np.ndarray[Any, Any]:
    """Sorensen as forces are drawn with replacement, the same draws every time; the fit is held."""
    draw = np.random.default_rng(SEED).integers(0, len(y), size=(N_BOOTSTRAP, len(y)))
    scores = 2 * np.minimum(y, flow)[draw].sum(axis=1) / (y[draw].sum(axis=1) + flow[draw].sum(axis=1))
    return np.asarray(scores, dtype=float)


def interval_over_forces(y: Any, flow: Any) -> tuple[float, float]:
    """90 % interval of Sorensen over forces."""
    low, high = np.quantile(draw_scores(y, flow), [0.05, 0.95])
    return float(low), float(high)


def main(argv: list[str] | None = None) -> Evidence:
    options = parser("London's lines in 37 forces: every interaction model and baseline.").parse_args(argv)
    evidence = Evidence("london_lines")
    if not (options.data / "countylines").is_dir():
        evidence.skip("london_lines", f"no folder 'countylines' in {options.data.name!r}")
        return evidence
    pairs, areas, y2019, y2020 = build_pairs(options.data)
    for entry in entries():
        compare(evidence, entry, pairs, y2019, y2020)
    variants = [pairs.assign(rival_pull=rival_pull(pairs, areas, rivals)) for rivals in TRIED]
    for rivals, variant in zip(TRIED, variants, strict=True):
        compare(evidence, Entry(str(rivals), CompetingExporters(cost="distance_km")), variant, y2019, y2020, "tried: ")
    for persistence in (0.25, 0.75):
        model = Persistent(CompetingExporters(cost="distance_km"), persistence=persistence)
        compare(
            evidence, Entry(f"persistence {persistence}", model, is_persistent=True), pairs, y2019, y2020, "tried: "
        )
    for fold, train, test in (("2019 to 2020", y2019, y2020), ("2020 to 2019", y2020, y2019)):
        likeliest = max(variants, key=lambda v: CompetingExporters(cost="distance_km").fit(v, train).log_likelihood_)
        flow = predict_fold(CompetingExporters(cost="distance_km"), likeliest, train, test)
        note = f"{len(TRIED)} variants, chosen by the training year's likelihood"
        evidence.add(f"nested: {fold}: competing exporters", sorensen(test, flow), "Sorensen", n=len(test), note=note)
        own = sorensen(test, predict_fold(CompetingExporters(cost="distance_km"), pairs, test, test))
        note = "fitted to the year it is tested on: what the form can reach"
        evidence.add(f"ceiling: {fold}: competing exporters", own, "Sorensen", n=len(test), note=note)
    show_gain(evidence, pairs, y2019, y2020)
    show_coefficients(evidence, pairs, {2019: y2019, 2020: y2020})
    evidence.write(options.json)
    return evidence


def show_gain(evidence: Evidence, pairs: pd.DataFrame, y2019: Any, y2020: Any) -> None:
    """How much better than the floor, with an interval of the paired difference over forces."""
    floor = Tanner(covariates=("mass_2019", *COVARIATES), cost="distance_km")
    competing = CompetingExporters(cost="distance_km")
    for fold, model, predict, y in (
        ("2019 to 2020", Persistent(competing), lambda m: predict_fold(m, pairs, y2019, y2020), y2020),
        ("2020 to 2019", Persistent(competing), lambda m: predict_fold(m, pairs, y2020, y2019), y2019),
        ("leave one force out, 2019", competing, lambda m: predict_left_out(m, pairs, y2019), y2019),
        ("leave one force out, 2020", competing, lambda m: predict_left_out(m, pairs, y2020), y2020),
    ):
        draws = [draw_scores(y, predict(each)) for each in (model, floor)]
        low, high = np.quantile(draws[0] - draws[1], [0.05, 0.95])
        gain = sorensen(y, predict(model)) - sorensen(y, predict(floor))
        name = "competing exporters" + (" with half persistence" if isinstance(model, Persistent) else "")
        evidence.add(
            f"gain: {fold}: {name} over the floor", gain, "Sorensen", interval=(float(low), float(high)), n=len(y)
        )


def show_coefficients(evidence: Evidence, pairs: pd.DataFrame, counts: dict[int, Any]) -> None:
    """Coefficients with standard errors widened by the dispersion of the counts, and BIC."""
    for year, y in counts.items():
        for label, model in (
            ("gravity", Gravity(cost="distance_km")),
            ("competing", CompetingExporters(cost="distance_km")),
        ):
            model.fit(pairs, y)
            wide = np.sqrt(max(1.0, model.dispersion_))
            for name, value, error in zip(model.coefficient_names_, model.coef_, model.standard_error_, strict=True):
                reach = 1.645 * error * wide
                evidence.add(
                    f"coefficients {year}: {label}: {name}",
                    float(value),
                    "per ln or per km",
                    interval=(float(value - reach), float(value + reach)),
                    n=len(y),
                    note=f"dispersion {model.dispersion_:.1f}, BIC {model.bic_:.0f}",
                )


def compare(evidence: Evidence, entry: Entry, pairs: pd.DataFrame, y2019: Any, y2020: Any, prefix: str = "") -> None:
    """Add one row a fold for a model."""
    folds: list[tuple[str, Callable[[], Any], Any]] = [
        ("2019 to 2020", lambda: predict_fold(entry.model, pairs, y2019, y2020), y2020),
        ("2020 to 2019", lambda: predict_fold(entry.model, pairs, y2020, y2019), y2019),
        ("leave one force out, 2019", lambda: predict_left_out(entry.model, pairs, y2019), y2019),
        ("leave one force out, 2020", lambda: predict_left_out(entry.model, pairs, y2020), y2020),
    ]
    for (fold, predict, y), floor in zip(folds, FLOOR, strict=True):
        if entry.is_persistent and fold.startswith("leave"):
            continue
        start = time.perf_counter()
        flow = predict()
        notes = [entry.note] if entry.note else []
        if entry.has_covariates and fold != "2019 to 2020":
            notes.append("uses 2019 covariates")
        evidence.add(
            f"{prefix}{fold}: {entry.name}",
            sorensen(y, flow),
            "Sorensen",
            baseline={"name": "floor of the issue", "figure": floor},
            interval=interval_over_forces(y, flow),
            n=len(y),
            seconds=time.perf_counter() - start,
            peak_mib=peak_mib(),
            note="; ".join(notes),
        )


if __name__ == "__main__":
    main()
