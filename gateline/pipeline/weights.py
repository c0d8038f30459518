"""A weight is given to something: a feature for which the run has no data is refused before anything is computed."""

from __future__ import annotations

import pandas as pd

from gateline.pipeline.read import Inputs
from gateline.settings import Settings
from geo.errors import UsageError
from models.dictionary import PLACE_FEATURES, STATION_FEATURES, FeatureDictionary
from models.features import FeatureSet

__all__ = ["require_features", "require_weighable"]


def require_weighable(inputs: Inputs, settings: Settings) -> None:
    """
    Pass if every weighed feature has an input that could tell of it, raise otherwise.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    settings : Settings
        Of the workspace.

    Raises
    ------
    UsageError
        If a weight names no feature, or one for which the run has no data.
    """
    no_usage = not len(inputs.passenger_flows) and not len(inputs.station_usage)
    stations = {
        "courier_rate": (no_usage, "no passengers of any station", "inputs.passenger_flows or inputs.station_usage"),
        "enforcement_rate": (not len(inputs.deployments), "no log of visits to stations", "inputs.deployments"),
    }
    no_lines = not inputs.deal_lines["destination_id"].notna().any()
    towns = {
        "observed_lines": (no_lines, "no line with a known destination", "inputs.deal_lines"),
        "cuckooed_addresses": (inputs.cuckooing is None, "no list of addresses", "inputs.cuckooing"),
        # The log of visits tells of stations: no hours are known by town.
        "enforcement_rate": (True, "no hours of policing by town", ""),
    }
    for name, weights, dictionary, needs in (
        ("station_weights", settings.scores.station_weights, STATION_FEATURES, stations),
        ("place_weights", settings.scores.place_weights, PLACE_FEATURES, towns),
    ):
        _require_known(name, weights, dictionary)
        for feature, (is_absent, what, where) in needs.items():
            if is_absent and weights.get(feature, 0.0) > 0:
                mend = f"Name a file under {where}, or weigh something else." if where else "Weigh something else."
                msg = (
                    f"scores.{name}: {feature!r} weighs {weights[feature]:g} but this run has {what}, "
                    f"expected data for every feature that is weighed. {mend}"
                )
                raise UsageError(msg)


def require_features(name: str, weights: dict[str, float], features: FeatureSet) -> None:
    """
    Pass if every weighed feature says something of some unit, raise otherwise.

    Parameters
    ----------
    name : str
        Of the setting, ``station_weights`` or ``place_weights``.
    weights : dict of str to float
        Weights as stated.
    features : FeatureSet
        What is known.

    Raises
    ------
    UsageError
        If a weighed feature is unknown, or nothing, for every unit: an empty component would weigh nothing.
    """
    for feature, weight in weights.items():
        if weight > 0 and feature in features.fixed and _is_empty(features.fixed[feature]):
            msg = (
                f"scores.{name}: {feature!r} weighs {weight:g} but tells nothing of {features.n_units:,} places, "
                "expected some that have any. Weigh something else."
            )
            raise UsageError(msg)


def _is_empty(values: pd.Series) -> bool:
    return not (values.fillna(0.0) != 0.0).any()


def _require_known(name: str, weights: dict[str, float], dictionary: FeatureDictionary) -> None:
    known = [feature.name for feature in dictionary.scored]
    odd = sorted(set(weights) - set(known))
    if odd:
        msg = f"scores.{name}: {odd[0]!r} is not a scored feature, expected some of {', '.join(known)}. Mend the name."
        raise UsageError(msg)
