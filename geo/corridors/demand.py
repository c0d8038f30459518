"""
How much demand draws lines to each town: its people, moved by what the public and partners report.

Enforcement finds what it looks for, so offences that police found by going out, or that carry the address of a custody
suite, never count as demand, and a town without a single report keeps the weight of its population.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geo.errors import UsageError
from geo.schema import validate
from geo.tables import OFFENCES, PLACES

__all__ = ["DEMAND_PROVENANCE", "DEMAND_REACH_M", "PRIOR_STRENGTH_OFFENCES", "weigh_demand"]

DEMAND_PROVENANCE = ("public_report", "partner_referral")
# ASSUMPTION. An offence further than this from every town's centre is in none of them.
DEMAND_REACH_M = 4000.0
# ASSUMPTION. A town's rate moves half of the way to its own figure once this many offences are expected there.
PRIOR_STRENGTH_OFFENCES = 20.0
_NEVER_DEMAND = {"police_proactive", "custody_location"}


def weigh_demand(
    places: pd.DataFrame,
    offences: pd.DataFrame,
    *,
    provenance: tuple[str, ...] = DEMAND_PROVENANCE,
    reach_m: float = DEMAND_REACH_M,
    prior_strength_offences: float = PRIOR_STRENGTH_OFFENCES,
) -> pd.Series:
    r"""
    Weigh each town by population and demand-led evidence.

    :math:`w_j = n_j (k + y_j) / (k + e_j)` with `n` people, `y` demand-led offences in reach and `e` those expected at
    the common rate a head: the gamma-Poisson relative rate. A town of average reporting weighs its population.

    Parameters
    ----------
    places : pandas.DataFrame
        Contract `PLACES`.
    offences : pandas.DataFrame
        Contract `OFFENCES`, already cut to the crime types that speak of demand; may be empty.
    provenance : tuple of str
        Which provenances count as demand. `unknown` may be added knowingly; enforcement may not.
    reach_m : float
        An offence belongs to the nearest town's centre within this many metres.
    prior_strength_offences : float
        How many expected offences weigh as much as the common rate, `k`; positive.

    Returns
    -------
    pandas.Series
        Named `demand_weight`, in persons, by `place_id` in the order of `places`.

    Raises
    ------
    UsageError
        If enforcement is asked to count as demand, or the strength or reach is not positive.
    """
    enforced = sorted(_NEVER_DEMAND & set(provenance))
    if enforced:
        msg = (
            f"provenance: {enforced} is enforcement, expected public reports, partner referrals or unknown. "
            "Leave it out: stations would be ranked by where police already look."
        )
        raise UsageError(msg)
    for name, value in (("reach_m", reach_m), ("prior_strength_offences", prior_strength_offences)):
        if not value > 0:
            msg = f"{name}: it is {value!r}, expected more than 0. Mend the setting."
            raise UsageError(msg)
    validate(places, PLACES), validate(offences, OFFENCES)
    population = places["population"].to_numpy(dtype=float)
    led = offences.loc[offences["provenance"].isin(provenance) & offences["easting_m"].notna()]
    seen = np.zeros(len(places), dtype=np.float64)
    if len(led) and len(places):
        tree = cKDTree(places[["easting_m", "northing_m"]].to_numpy(dtype=float))
        distance_m, nearest = map(np.asarray, tree.query(led[["easting_m", "northing_m"]].to_numpy(dtype=float)))
        seen = np.bincount(nearest[distance_m <= reach_m], minlength=len(places)).astype(np.float64)
    expected = population * (seen.sum() / max(population.sum(), 1.0))
    rate = (prior_strength_offences + seen) / (prior_strength_offences + expected)
    return pd.Series(population * rate, index=places.index, name="demand_weight")
