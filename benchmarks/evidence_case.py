"""The real North Yorkshire workspace as the posterior meets it: pairs, stations, priors and evidence, read once."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.main_job import make_workspace
from gateline.pipeline.cells import measure_offence_surface
from gateline.pipeline.journeys import Region, price_journeys
from gateline.pipeline.posterior import fit_posterior, gather_evidence, read_priors
from gateline.pipeline.railway import build_railway
from gateline.pipeline.read import Inputs, read_inputs
from gateline.settings import Settings, read_settings
from geo.network.usage import measure_station_usage
from models.posterior.estimate import Estimate, estimate_trips
from models.posterior.evidence import Evidence, build_sources
from models.posterior.posterior import Stations
from models.posterior.priors import Priors
from models.posterior.reasons import Reasons
from models.posterior.sources import Source
from models.posterior.ways import Ways


@dataclass(frozen=True)
class Case:
    """What a run fits, and `reasons` and `estimate` of the run itself."""

    region: Region
    settings: Settings
    ways: Ways
    stations: Stations
    priors: Priors
    evidence: Evidence
    station_ids: tuple[str, ...]
    station_names: pd.Series
    estimate: Estimate
    reasons: Reasons

    @property
    def towns(self) -> pd.Series:
        """Name by town in the order of the posterior."""
        return self.region.towns["name"].reindex(list(self.ways.town_ids))

    @property
    def exporters(self) -> pd.DataFrame:
        return self.region.exporters

    def town_at(self, name: str) -> int:
        return int(np.flatnonzero(self.towns.to_numpy() == name)[0])

    def town_id(self, name: str) -> str:
        return self.ways.town_ids[self.town_at(name)]

    def station_at(self, crs: str) -> int:
        return self.stations.station_ids.index(crs)

    def sources(self, evidence: Evidence) -> tuple[Source, ...]:
        return build_sources(
            evidence,
            self.ways,
            self.priors,
            stations=self.stations,
            trips_per_line_per_month=self.settings.corridors.trips_per_line_per_month,
        )

    def fit(self, evidence: Evidence, *, n_draws: int = 1000) -> Estimate:
        """As a run fits it."""
        return estimate_trips(
            self.ways,
            self.priors,
            self.sources(evidence),
            self.stations,
            n_draws=n_draws,
            random_state=self.settings.scores.random_state,
            trips_per_line_per_month=self.settings.corridors.trips_per_line_per_month,
        )


def read_case(data: Path) -> Case:
    """Read, price and fit North Yorkshire, January to September 2025, as `gateline run` does."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "north-yorkshire"
        make_workspace(root, data)
        return read_workspace(root)[0]


def read_workspace(root: Path) -> tuple[Case, Inputs]:
    """Read, price and fit a workspace as `gateline run` does, and what was read."""
    settings = read_settings(root / "region.toml")
    inputs = read_inputs(root, settings)
    railway = build_railway(inputs, settings)
    region = price_journeys(inputs, railway, settings, surface=measure_offence_surface(inputs, settings))
    stations = railway.network.stations[railway.network.stations["is_in_force"]].sort_index()
    usage = measure_station_usage(inputs.passenger_flows, usage_basis="ORR origin-destination matrix")
    evidence = gather_evidence(inputs, region, stations, usage, settings)
    ids = tuple(stations.index)
    fitted, _ = fit_posterior(evidence, region, ids, settings)
    posterior = fitted.estimate.posterior
    if posterior.stations is None:
        msg = "stations: the run has none, expected those of the force. Mend the workspace."
        raise ValueError(msg)
    case = Case(
        region=region,
        settings=settings,
        ways=posterior.ways,
        stations=posterior.stations,
        priors=read_priors(settings),
        evidence=evidence,
        station_ids=ids,
        station_names=stations["name"],
        estimate=fitted.estimate,
        reasons=fitted.reasons,
    )
    return case, inputs


def lines_of(*rows: tuple[str | None, str | None, float]) -> pd.DataFrame:
    """Known lines: origin, town, number; None is unknown."""
    return pd.DataFrame(
        {
            "origin_id": pd.Series([row[0] for row in rows], dtype="str"),
            "destination_id": pd.Series([row[1] for row in rows], dtype="str"),
            "n_lines": [float(row[2]) for row in rows],
        }
    )


def keep_rows(source: Source, wanted: np.ndarray) -> Source:
    """The source with those of its rows that are among `wanted`: the others are not known, rather than none."""
    kept = np.isin(source.rows, wanted)
    return replace(source, rows=source.rows[kept], low=source.low[kept], high=source.high[kept])
