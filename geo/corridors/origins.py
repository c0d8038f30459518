"""
Who runs lines into the force, and how many: external exporting areas and, beside them, the force's own towns.

Comes in: `EXPORTERS`, `PLACES`, `DEAL_LINES` and the cost of each pair. Goes out: one row an origin with the lines it
is expected to run. With no counts the lines rest on a prior and are relative; each observed line moves them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.corridors.priors import update_shares
from geo.errors import TableError, UsageError
from geo.schema import validate
from geo.tables import DEAL_LINES, EXPORTERS, PLACES

__all__ = [
    "INTERNAL_SHARE",
    "PRIOR_STRENGTH_LINES",
    "PRIOR_TOTAL_LINES",
    "estimate_origins",
    "observed_lines",
]

# ASSUMPTION. North Yorkshire named an origin outside the force for 12 of its 14 groups in autumn 2019, so 2 of 14 is
# the most that were internal there. It has risen since (national changes of 2023/24: internal +232 %, cross-border
# -12 %), so a force should put in its own lines.
INTERNAL_SHARE = 0.14
# ASSUMPTION. Ten observed lines weigh as much as the prior.
PRIOR_STRENGTH_LINES = 10.0
# No force's number: with nothing observed all lines add up to 1, so that flows are relative.
PRIOR_TOTAL_LINES = 1.0


def estimate_origins(
    exporters: pd.DataFrame,
    places: pd.DataFrame,
    deal_lines: pd.DataFrame,
    *,
    exporter_pull: pd.Series,
    internal_share: float = INTERNAL_SHARE,
    prior_strength_lines: float = PRIOR_STRENGTH_LINES,
    prior_total_lines: float = PRIOR_TOTAL_LINES,
) -> pd.DataFrame:
    r"""
    Estimate how many lines each origin runs into the force.

    1. External and internal lines share the total; the assumed internal share `s` is updated by the lines of known
       kind, :math:`(a s + y_{int}) / (a + y)`.
    2. External lines are shared in proportion to exporter strength (`prior_lines`, else population at the lowest known
       rate) times `exporter_pull`, then updated by observed lines.
    3. Internal lines are shared among the force's towns by population, then updated by observed lines.

    Parameters
    ----------
    exporters : pandas.DataFrame
        Contract `EXPORTERS`.
    places : pandas.DataFrame
        Contract `PLACES`.
    deal_lines : pandas.DataFrame
        Contract `DEAL_LINES`. A force that lists lines is taken to list both kinds.
    exporter_pull : pandas.Series
        By `exporter_id`: how strongly the force draws one unit of that exporter's strength; not negative.
    internal_share : float
        Assumed share of lines that start inside the force, 0 to 1.
    prior_strength_lines : float
        How many observed lines weigh as much as a prior.
    prior_total_lines : float
        Lines in total when none is observed; 1 makes all flows relative.

    Returns
    -------
    pandas.DataFrame
        Index `origin_id`, sorted within external then internal; columns `is_internal`, `prior_share` (of its kind),
        `observed_lines`, `expected_lines`, `basis` (``prior`` or ``updated_prior``).

    Raises
    ------
    UsageError
        If `internal_share` is not in [0, 1], or no exporter and no internal origin is left to carry the lines.
    TableError
        If a table breaks its contract, or a line names an unknown origin.
    """
    if not 0 <= internal_share <= 1:
        msg = f"internal_share: it is {internal_share!r}, expected a share from 0 to 1. Mend the setting."
        raise UsageError(msg)
    validate(exporters, EXPORTERS), validate(places, PLACES), validate(deal_lines, DEAL_LINES)
    towns = places.loc[places["is_in_force"]].sort_index()
    outside = exporters.sort_index()
    lines = observed_lines(outside, towns, deal_lines)
    y_out = lines.reindex(outside.index, fill_value=0.0).to_numpy()
    y_in = lines.reindex(towns.index, fill_value=0.0).to_numpy()

    prior_out = _normalise(_strength(outside) * exporter_pull.reindex(outside.index).fillna(0.0).to_numpy(dtype=float))
    prior_in = _normalise(towns["population"].to_numpy(dtype=float))
    total_out, total_in = _split_total(
        y_out,
        y_in,
        is_listed=bool(deal_lines["origin_id"].notna().any()),
        internal_share=internal_share,
        strength=prior_strength_lines,
        prior_total=prior_total_lines,
    )
    parts = []
    for ids, prior, y, total, is_internal in (
        (outside.index, prior_out, y_out, total_out, False),
        (towns.index, prior_in, y_in, total_in, True),
    ):
        share = update_shares(prior, y, group=np.zeros(len(y), np.int64), prior_strength_lines=prior_strength_lines)
        if total > 0 and not share.sum() > 0:
            kind = "internal" if is_internal else "external"
            msg = (
                f"origins: {total:.3g} {kind} lines have no origin, expected at least one with a population or a line "
                "that reaches the force. Add origins, or set internal_share to 0 or 1."
            )
            raise UsageError(msg)
        parts.append(
            pd.DataFrame(
                {
                    "is_internal": is_internal,
                    "prior_share": prior,
                    "observed_lines": y,
                    "expected_lines": total * share,
                    "basis": "updated_prior" if y.sum() > 0 else "prior",
                },
                index=pd.Index(ids.astype(str), name="origin_id"),
            )
        )
    return pd.concat(parts)


def observed_lines(exporters: pd.DataFrame, towns: pd.DataFrame, deal_lines: pd.DataFrame) -> pd.Series:
    """
    Count the lines seen from each origin into the force's towns.

    Parameters
    ----------
    exporters : pandas.DataFrame
        Contract `EXPORTERS`; `n_lines` stands where given, else the rows of `deal_lines` are added up.
    towns : pandas.DataFrame
        The force's own `PLACES`.
    deal_lines : pandas.DataFrame
        Contract `DEAL_LINES`. Lines into places elsewhere, and of unknown origin, are left out; a line of unknown town
        counts.

    Returns
    -------
    pandas.Series
        Named `observed_lines`, by origin id, only those seen.

    Raises
    ------
    TableError
        If a line into the force comes from no known origin.
    """
    is_into = deal_lines["destination_id"].isin(towns.index) | deal_lines["destination_id"].isna()
    into = deal_lines.loc[is_into & deal_lines["origin_id"].notna()]
    unknown = sorted(set(into["origin_id"]) - set(exporters.index) - set(towns.index))
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        msg = (
            f"deal_lines: origins {unknown[:3]}{more} are neither exporters nor towns of the force, expected known "
            "ids. Add the exporters or mend the ids."
        )
        raise TableError(msg)
    counted = into.groupby("origin_id")["n_lines"].sum().astype(float)
    stated = exporters["n_lines"].dropna().astype(float)
    return stated.combine_first(counted).sort_index().rename("observed_lines")


def _strength(exporters: pd.DataFrame) -> NDArray[np.float64]:
    """National lines of each exporter; areas without a figure are given the lowest known rate per head."""
    lines = exporters["prior_lines"].to_numpy(dtype=float, na_value=np.nan)
    population = exporters["population"].to_numpy(dtype=float)
    known = ~np.isnan(lines) & (population > 0)
    # Published lists name the largest exporters, so an area they leave out exports no more a head than the last named.
    rate = float((lines[known] / population[known]).min()) if known.any() else 1.0
    return np.where(np.isnan(lines), population * rate, lines)


def _normalise(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    total = float(weight.sum())
    return weight / total if total > 0 else np.zeros_like(weight)


def _split_total(
    y_out: NDArray[np.float64],
    y_in: NDArray[np.float64],
    *,
    is_listed: bool,
    internal_share: float,
    strength: float,
    prior_total: float,
) -> tuple[float, float]:
    """External and internal lines in total; what is observed is kept, only its split is shrunk."""
    n_out, n_in = float(y_out.sum()), float(y_in.sum())
    if is_listed and n_out + n_in > 0:
        share = (strength * internal_share + n_in) / (strength + n_out + n_in)
        return (1 - share) * (n_out + n_in), share * (n_out + n_in)
    if n_out > 0 and internal_share < 1:
        # Counts by exporter alone say nothing about internal lines: these come on top.
        return n_out, n_out * internal_share / (1 - internal_share)
    return prior_total * (1 - internal_share), prior_total * internal_share
