"""
What is believed before any evidence: the priors of the posterior over lines, each with its source.

A prior is a sourced figure or a labelled assumption, and its spread is wide enough to hold the other published answer.
`Priors` is what `gateline train` fits and registers, and what a run states in its record.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from geo.errors import UsageError

__all__ = ["COEFFICIENTS", "Normal", "Priors"]

COEFFICIENTS = ("mass_exponent", "cost_exponent", "cost_decay_per_min", "rivalry_exponent")


@dataclass(frozen=True)
class Normal:
    """
    A normal prior.

    Attributes
    ----------
    mean, sd : float
        In the unit of the parameter; `sd` is positive.
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.mean) and np.isfinite(self.sd) and self.sd > 0):
            msg = (
                f"prior: mean is {self.mean!r} and sd {self.sd!r}, expected finite numbers and a positive sd. Mend it."
            )
            raise UsageError(msg)


@dataclass(frozen=True)
class Priors:
    """
    Every prior of the model.

    Attributes
    ----------
    mass_exponent : Normal
        Exponent of a town's residents. 65,307 drug offences in 1,609 towns give 1.01 (90 % 0.98 to 1.04); 0.6 holds
        for whole force areas only.
    cost_exponent, cost_decay_per_min : Normal
        Deterrence ``c^-g exp(-h c)`` of door-to-door minutes. Plain gravity has ``g = 1, h = 0`` (Castro-Gonzalez et
        al. 2023); on persons linked to London lines, at a minute a kilometre, ``g = 1.9, h = 0`` and ``g = 0.3, h =
        0.015`` fit alike where exporters compete (`benchmarks.london_lines`). The prior stands between and its spread
        holds all three. ASSUMPTION.
    rivalry_exponent : Normal
        What limits a town's market (`models.posterior.ways`): 0 the exporters within reach, as in plain gravity, 1 its
        own demand. London's 37 forces give 1.7 to 2, North Yorkshire's five towns lean to 0 and cannot tell: between,
        with both within two and a half spreads. ASSUMPTION.
    town_sd : float
        Spread of the logarithm of a town's exposure about what population and network say. ASSUMPTION: the four
        figures by town that North Yorkshire published scatter by 0.7 about population.
    neighbour_share : float
        Part of that variance that near towns share. ASSUMPTION.
    neighbour_km : float
        Distance over which it is shared, e-folding. ASSUMPTION.
    pair_shape : float
        Gamma shape of the effect of one pair of origin and town; smaller is more uneven. ASSUMPTION.
    origin_sd : float
        Spread of the logarithm of an origin's lines about its prior strength. ASSUMPTION: a factor of two.
    lines_per_million : float
        External lines per million residents where no count is known: 14 groups among 828,672 people, North Yorkshire,
        autumn 2019. A level that these data cannot identify: no share or order hangs on it.
    level_sd : float
        Spread of the logarithm of that level. ASSUMPTION: a factor of two.
    recording_share : Normal
        Logarithm of the share of lines that the force has recorded. ASSUMPTION: half, within a factor of 1.6.
    trips_per_line_sd : float
        Spread of the logarithm of trips a line. ASSUMPTION.
    rail_shift : Normal
        Generalised minutes by which rail is cheaper than priced, in steps of 30. The mean is 0 without a timetable too:
        times then are too long and waits too short, and the share by rail is 19 % in Gwent, where it is 18 % with the
        trains of a real feed and 33 % with one step (`benchmarks.rail_share`).
    address_exponent : float
        Cuckooed addresses go as this power of lines. ASSUMPTION: in proportion.
    offence_exponent : float
        Demand-led drug offences go as this power of lines a head. ASSUMPTION: weak evidence by design.
    unattributed_exponent : float
        The same for offences of unknown provenance, half of which may be enforcement. ASSUMPTION.
    partner_exponent : float
        The same for counts of partners. ASSUMPTION.
    recorder_sd : float
        Spread of the logarithm of the offences that forces record in towns of like size: 0.45 over 38 forces, drugs,
        January to September 2025 (`benchmarks.named_stations`). It is police work first; lines have the rest.
    exponent_factors : tuple of (float, float)
        Factors on the last three exponents and their prior weights: how far counts speak of lines is integrated over
        them, weighed by the evidence of each. ASSUMPTION.
    log_size : Normal
        Logarithm of the negative-binomial size of counts. ASSUMPTION: size 4, half to double.
    station_offence_share : Normal
        Logarithm of the share of offences at stations that couriers account for. ASSUMPTION: a tenth.
    detection : Normal
        Logarithm of the chance that an officer-hour on the platform finds a courier who passes in it. ASSUMPTION.
    """

    mass_exponent: Normal = Normal(1.0, 0.1)
    cost_exponent: Normal = Normal(0.6, 0.6)
    cost_decay_per_min: Normal = Normal(0.01, 0.005)
    rivalry_exponent: Normal = Normal(0.75, 0.5)
    town_sd: float = 0.7
    neighbour_share: float = 0.3
    neighbour_km: float = 15.0
    pair_shape: float = 2.0
    origin_sd: float = 0.7
    lines_per_million: float = 17.0
    level_sd: float = 0.7
    recording_share: Normal = Normal(float(np.log(0.5)), 0.5)
    trips_per_line_sd: float = 0.5
    rail_shift: Normal = Normal(0.0, 1.0)
    address_exponent: float = 1.0
    offence_exponent: float = 0.3
    unattributed_exponent: float = 0.15
    partner_exponent: float = 0.3
    recorder_sd: float = 0.45
    exponent_factors: tuple[tuple[float, float], ...] = ((0.5, 0.25), (1.0, 0.5), (2.0, 0.25))
    log_size: Normal = Normal(float(np.log(4.0)), 0.5)
    station_offence_share: Normal = Normal(float(np.log(0.1)), 0.7)
    detection: Normal = Normal(float(np.log(0.2)), 0.7)

    @property
    def coefficients(self) -> tuple[Normal, ...]:
        """The four priors of the corridor model, in the order of `COEFFICIENTS`."""
        return (self.mass_exponent, self.cost_exponent, self.cost_decay_per_min, self.rivalry_exponent)

    def to_record(self) -> dict[str, Any]:
        """
        Give the priors as plain values.

        Returns
        -------
        dict
            JSON-ready; `from_record` reads it back.
        """
        return asdict(self)

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Priors:
        """
        Read priors back.

        Parameters
        ----------
        record : dict
            From `to_record`.

        Returns
        -------
        Priors
            The same priors.

        Raises
        ------
        UsageError
            If a name is unknown.
        """
        known = {field.name for field in fields(cls)}
        odd = sorted(set(record) - known)
        if odd:
            msg = (
                f"priors: {odd[0]!r} is not a prior of this version, expected {', '.join(sorted(known))}. Train again."
            )
            raise UsageError(msg)
        values: dict[str, Any] = {
            name: Normal(**value) if isinstance(value, dict) else value for name, value in record.items()
        }
        if "exponent_factors" in values:
            values["exponent_factors"] = tuple(map(tuple, values["exponent_factors"]))
        return replace(cls(), **values)
