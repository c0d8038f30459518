"""
Crime harm weights in sentence days: by offence code where a table is given, by police.uk category otherwise.

The default categories are subgroup medians of the Cambridge Crime Harm Index (2026 edition), in days. Nothing is
invented: a category without a figure of its own has no weight.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.schema import Column, Contract, validate
from geo.sources.accounting import Reading
from geo.sources.delimited import read_delimited
from geo.sources.locations import parse_numbers

__all__ = ["HARM_WEIGHTS", "default_harm_weights", "measure_harm", "read_harm_weights"]

HARM_WEIGHTS = Contract(
    "harm_weights",
    "harm_id",
    {
        "basis": Column("text", "what the key is", values=("code", "category")),
        "key": Column("text", "Home Office offence code, or crime category"),
        "harm_weight_days": Column("number", "sentence days", low=0),
    },
    total="One row an offence code or a category.",
)

# Subgroup medians, days. A category that mixes subgroups takes the smallest of them, so its weight is a floor: Drugs
# holds possession (3) and trafficking (5), violence holds violence without injury (10) and far worse. Burglary,
# criminal damage, public order and anti-social behaviour have no figure that fits the whole category.
_MEDIAN_DAYS = {
    "Bicycle theft": 2.0,
    "Drugs": 3.0,
    "Other crime": 10.0,
    "Other theft": 2.0,
    "Possession of weapons": 273.75,
    "Robbery": 365.0,
    "Shoplifting": 1.0,
    "Theft from the person": 2.0,
    "Vehicle crime": 5.0,
    "Violence and sexual offences": 10.0,
}


def default_harm_weights() -> pd.DataFrame:
    """
    Give the category weights that ship with the project.

    Returns
    -------
    pandas.DataFrame
        Table `HARM_WEIGHTS`, by category only.

    Notes
    -----
    Medians of the subgroups of the Cambridge Crime Harm Index: robbery 365, possession of weapons 273.75, vehicle 5,
    theft 2, shoplifting 1, miscellaneous 10, drug possession 3, violence without injury 10 [1]_. They are starting
    points of sentences, so one robbery weighs as much as 122 drug possessions; rank by counts beside harm.

    References
    ----------
    .. [1] Sherman, L., Neyroud, P. W. and Neyroud, E. (2016). "The Cambridge Crime Harm Index." Policing 10(3),
       171-183; spreadsheet of the Cambridge Centre for Evidence-Based Policing.

    Examples
    --------
    >>> default_harm_weights().loc["category:Robbery", "harm_weight_days"]
    np.float64(365.0)
    """
    return _weights_table("category", pd.Series(_MEDIAN_DAYS))


def read_harm_weights(path: Path, *, key_column: str, weight_column: str, basis: str = "code") -> Reading[pd.DataFrame]:
    """
    Read a table of harm weights, such as a spreadsheet of the index saved as CSV.

    Parameters
    ----------
    path : pathlib.Path
        CSV file.
    key_column, weight_column : str
        Columns of the offence code or category, and of the weight in days.
    basis : str
        ``code`` or ``category``.

    Returns
    -------
    Reading of pandas.DataFrame
        Table `HARM_WEIGHTS`.

    Raises
    ------
    InputError
        If the file is no table, or `basis` is neither of the two.
    """
    if basis not in {"code", "category"}:
        msg = f"harm basis: it is {basis!r}, expected 'code' or 'category'. Declare what the key column holds."
        raise InputError(msg)
    read = read_delimited(path, required=[key_column, weight_column])
    sieve = read.sieve()
    days = parse_numbers(read.rows[weight_column])
    keys = read.rows[key_column]
    sieve.reject(keys.eq("").to_numpy(), "blank_key", field=key_column)
    sieve.reject(np.isnan(days), "not_a_number", field=weight_column)
    sieve.reject(days < 0, "negative_weight", field=weight_column)
    pairs = pd.DataFrame({"key": keys, "days": days})
    sieve.reject(pairs.duplicated().to_numpy(), "same_weight_again", field=key_column, status="duplicate")
    # Two weights for one key: neither can be trusted.
    several = pairs[sieve.kept]["key"].duplicated(keep=False)
    sieve.reject(keys.index.isin(several.index[several]), "contradictory_weight", field=key_column)
    kept = sieve.kept
    table = _weights_table(basis, pd.Series(days[kept], index=keys[kept]))
    quarantine, account = sieve.close()
    return Reading(table, quarantine, (account,))


def measure_harm(
    crime_types: pd.Series, offence_codes: pd.Series, weights: pd.DataFrame | None
) -> tuple[NDArray[np.float64], NDArray[np.object_]]:
    """
    Weigh offences by their code, else by their category, else not at all.

    Parameters
    ----------
    crime_types, offence_codes : pandas.Series
        Text; codes may be null.
    weights : pandas.DataFrame or None
        Table `HARM_WEIGHTS`; None weighs nothing.

    Returns
    -------
    tuple of numpy.ndarray
        Days, NaN where no figure exists, and the basis: ``code``, ``category`` or ``none``.
    """
    days = np.full(len(crime_types), np.nan)
    basis = np.full(len(crime_types), "none", dtype=object)
    if weights is None:
        return days, basis
    for kind, keys in (("category", crime_types), ("code", offence_codes)):
        of_kind = weights[weights["basis"] == kind]
        found = keys.map(dict(zip(of_kind["key"], of_kind["harm_weight_days"], strict=True)))
        numbers = pd.to_numeric(found, errors="coerce").to_numpy(dtype=float)
        known = np.isfinite(numbers)
        days[known] = numbers[known]
        basis[known] = kind
    return days, basis


def _weights_table(basis: str, days: pd.Series) -> pd.DataFrame:
    """Rows for one kind of key, ordered by key."""
    days = days.sort_index()
    keys = days.index.astype("str")
    table = pd.DataFrame(
        {
            "basis": pd.Series(basis, index=keys, dtype="str"),
            "key": keys,
            "harm_weight_days": days.to_numpy(dtype=float),
        }
    )
    table.index = pd.Index([f"{basis}:{key}" for key in keys], name=HARM_WEIGHTS.index, dtype="str")
    return validate(table, HARM_WEIGHTS)
