"""
The dictionary of features: what each number means, where it comes from, and who brought it to light.

A feature is structural (network, flow, passengers), demand-led (the public or a partner reported it) or
enforcement-led (it was found because police were there). The three are kept apart so that a score can be read without
last year's rota in it (Lum and Isaac 2016, "To predict and serve?", Significance 13(5), 14-19).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from geo.errors import InputError

__all__ = ["LED", "PLACE_FEATURES", "STATION_FEATURES", "Feature", "FeatureDictionary"]

LED = ("structural", "demand", "enforcement")
# Fields that are only known after the event; none may become a feature.
_OUTCOME_WORDS = ("outcome", "charged", "convicted", "conviction", "disposal", "detected", "future")


@dataclass(frozen=True)
class Feature:
    """
    One feature of a station or a town.

    Attributes
    ----------
    name : str
        Column of the feature table.
    means : str
        What it holds.
    unit : str
        Its unit.
    source : str
        Table and column it comes from.
    period : str
        Which months it covers.
    led : str
        ``structural``, ``demand`` or ``enforcement``.
    weight : float
        Default weight in the expert index; 0 for context that is shown and not scored. ASSUMPTION: the weights are this
        project's judgement, varied in every rank interval.
    direction : int
        1 if more of it means more exposure, -1 if less.
    """

    name: str
    means: str
    unit: str
    source: str
    period: str
    led: str
    weight: float = 0.0
    direction: int = 1

    def __post_init__(self) -> None:
        if self.led not in LED:
            msg = f"feature {self.name!r}: led is {self.led!r}, expected one of {', '.join(LED)}. Correct the entry."
            raise InputError(msg)
        words = [word for word in _OUTCOME_WORDS if word in self.name.lower() or word in self.source.lower()]
        if words:
            msg = (
                f"feature {self.name!r}: it holds {words[0]!r}, expected no outcome field. "
                "Use what was known at the cut-off."
            )
            raise InputError(msg)


@dataclass(frozen=True)
class FeatureDictionary:
    """
    An ordered set of features with unique names.

    Attributes
    ----------
    features : tuple of Feature
        In column order.
    """

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        names = [feature.name for feature in self.features]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            msg = f"feature dictionary: {repeated[0]!r} is repeated, expected unique names. Rename one of them."
            raise InputError(msg)

    @property
    def names(self) -> tuple[str, ...]:
        """Every feature's name, in order."""
        return tuple(feature.name for feature in self.features)

    @property
    def scored(self) -> tuple[Feature, ...]:
        """The features that the expert index weighs, in order."""
        return tuple(feature for feature in self.features if feature.weight > 0)

    def to_frame(self) -> pd.DataFrame:
        """
        Give the dictionary as a table for a report.

        Returns
        -------
        pandas.DataFrame
            One row a feature, indexed by ``feature_id``.
        """
        return pd.DataFrame([asdict(feature) for feature in self.features]).set_index("name").rename_axis("feature_id")


_MONTHS = "all whole months up to the cut-off"
_FLOW_MEANS = "modelled courier trips a month met there"

STATION_FEATURES = FeatureDictionary(
    (
        Feature(
            "courier_flow",
            f"{_FLOW_MEANS}: boarding, interchange and alighting",
            "trips a month, relative where no line counts are given",
            "station_exposure.courier_trips_per_month",
            _MONTHS,
            "structural",
            0.40,
        ),
        Feature(
            "courier_rate",
            "courier trips for each 100,000 passengers: how far a stop there finds a courier rather than a traveller",
            "trips per 100,000 passengers",
            "station_exposure.courier_trips_per_100k_passengers",
            _MONTHS,
            "structural",
            0.10,
        ),
        Feature(
            "hotspot_demand_harm",
            "harm of hotspots within reach on foot, times the demand-led share of the offences there",
            "weight",
            "hotspots.weight and offences.provenance",
            _MONTHS,
            "demand",
            0.25,
        ),
        Feature(
            "demand_offences",
            "demand-led offences within reach on foot, shrunk towards the mean of all stations",
            "offences a month",
            "offences",
            _MONTHS,
            "demand",
            0.15,
        ),
        Feature(
            "enforcement_rate",
            "enforcement-led offences within reach on foot, divided by logged hours; left out where there is no log",
            "offences a month at the hours of the most-worked station",
            "offences and deployments",
            _MONTHS,
            "enforcement",
            0.10,
        ),
        Feature(
            "hotspot_harm_within_15_min_walk",
            "harm of hotspots within reach on foot, whoever brought it to light; shown, not scored",
            "weight",
            "hotspots.weight",
            _MONTHS,
            "demand",
        ),
    )
)

PLACE_FEATURES = FeatureDictionary(
    (
        Feature(
            "courier_flow",
            "modelled courier trips a month into the town, all modes",
            "trips a month, relative where no line counts are given",
            "place_exposure.courier_trips_per_month",
            _MONTHS,
            "structural",
            0.40,
        ),
        Feature(
            "observed_lines",
            "deal lines recorded into the town",
            "lines",
            "place_exposure.observed_lines",
            _MONTHS,
            "demand",
            0.10,
        ),
        Feature(
            "hotspot_demand_harm",
            "harm of the town's hotspots, times the demand-led share of the offences there",
            "weight",
            "hotspots.weight and offences.provenance",
            _MONTHS,
            "demand",
            0.20,
        ),
        Feature(
            "demand_offences",
            "demand-led offences in the town, shrunk towards the mean of all towns",
            "offences a month",
            "offences",
            _MONTHS,
            "demand",
            0.15,
        ),
        Feature(
            "cuckooed_addresses",
            "cuckooed addresses in the town: the fewest of its band, never a count",
            "addresses",
            "cuckooing, through geo.sensitive",
            _MONTHS,
            "demand",
            0.10,
        ),
        Feature(
            "enforcement_rate",
            "enforcement-led offences in the town, divided by logged hours; left out where there is no log",
            "offences a month at the hours of the most-worked town",
            "offences and deployments",
            _MONTHS,
            "enforcement",
            0.05,
        ),
        Feature(
            "hotspot_harm_in_town",
            "harm of the town's hotspots, whoever brought it to light; shown, not scored",
            "weight",
            "hotspots.weight",
            _MONTHS,
            "demand",
        ),
    )
)
