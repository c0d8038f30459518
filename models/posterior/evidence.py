"""
From evidence tables to sources: every record that a force has, each once, with the priors of its own parameters.

A deal line counts at the grain that is known of it: both ends by pair, one end by origin or by town. Counts of lines by
exporter (`EXPORTERS.n_lines`) count only beyond the lines that the list of lines holds from there. Where a published
figure gives the same lines once by origin and once by town, each margin has a recording share of its own, so that
together they say no more about the level than one does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.posterior.posterior import Stations
from models.posterior.priors import Normal, Priors
from models.posterior.sources import Addresses, Finds, Lines, Source, StationOffences, TownCounts
from models.posterior.ways import Ways

__all__ = ["HOURS_PER_MONTH", "Evidence", "build_sources"]

FloatArray = NDArray[np.float64]
# Hours of a month in which trains run. ASSUMPTION: 18 a day.
HOURS_PER_MONTH = 18.0 * 30.4
# A rate is a priori within a factor of e of what the totals say.
_RATE_SD = 1.0
_RESIDENTS_EXPONENT = Normal(1.0, 0.1)
_FOOTFALL_EXPONENT = Normal(1.0, 0.2)


@dataclass(frozen=True)
class Evidence:
    """
    What a force knows, as tables; any may be None or empty.

    Attributes
    ----------
    lines : pandas.DataFrame or None
        ``origin_id, destination_id`` (null where unknown) and ``n_lines``, the effective number of each row.
    names_every_town : bool
        Whether a town without a row in `lines` has no known line. Where false, as in a publication that names a few,
        it is unknown: missing is not zero.
    exporter_lines : pandas.Series or None
        Lines by ``exporter_id``; null where not known.
    addresses : pandas.DataFrame or None
        Index ``place_id``; ``n_low, n_high`` and ``is_counted``: `geo.disclosure.address_bands`.
    reported_offences, unattributed_offences : pandas.Series or None
        Counts by ``place_id``; null where no file tells.
    recorders : pandas.Series or None
        Force that counts the offences of each town, by ``place_id``; one force where None.
    partner_counts : mapping of str to pandas.Series
        Counts by ``place_id``, one series a layer.
    station_offences : pandas.Series or None
        Counts by ``station_id``, in which every station that could have any stands.
    footfall : pandas.Series or None
        Passengers by ``station_id``; offences at stations are used where it is known.
    finds : pandas.DataFrame or None
        Index ``station_id``; ``n_hours`` and ``n_finds``, nil returns among them.
    """

    lines: pd.DataFrame | None = None
    names_every_town: bool = True
    exporter_lines: pd.Series | None = None
    addresses: pd.DataFrame | None = None
    reported_offences: pd.Series | None = None
    unattributed_offences: pd.Series | None = None
    recorders: pd.Series | None = None
    partner_counts: dict[str, pd.Series] = field(default_factory=dict)
    station_offences: pd.Series | None = None
    footfall: pd.Series | None = None
    finds: pd.DataFrame | None = None


def build_sources(
    evidence: Evidence,
    ways: Ways,
    priors: Priors,
    *,
    stations: Stations | None,
    trips_per_line_per_month: float,
) -> tuple[Source, ...]:
    """
    Build every source that has something to say.

    Parameters
    ----------
    evidence : Evidence
        What is known.
    ways : Ways
        Pairs of origin and town; counts of towns and origins that no pair reaches say nothing and are left out.
    priors : Priors
        Exponents, sizes and shares.
    stations : Stations or None
        Needed for offences at stations and for finds.
    trips_per_line_per_month : float
        Turns lines into trips, for finds.

    Returns
    -------
    tuple of Source
        In a fixed order.
    """
    sources = _lines(evidence, ways, priors)
    reached = np.bincount(ways.town, minlength=len(ways.town_ids)) > 0
    expected = priors.lines_per_million * ways.residents.sum() / 1e6
    if evidence.addresses is not None and len(evidence.addresses):
        table = evidence.addresses.reindex(list(ways.town_ids))
        rows = np.flatnonzero(reached & table["is_counted"].fillna(value=False).to_numpy(bool))
        low, high = (table[name].to_numpy(float)[rows] for name in ("n_low", "n_high"))
        # The rate is centred on the middles of the bands, so that it says no more than they do.
        middle = max(float((low + high).sum()) / 2.0, 1.0) / max(len(rows), 1)
        if low.sum() > 0:
            sources.append(
                Addresses(
                    name="addresses",
                    group="addresses",
                    grain="town",
                    rows=rows,
                    low=low,
                    high=high,
                    own=(Normal(float(np.log(middle)), _RATE_SD), priors.log_size),
                    exponent=priors.address_exponent,
                    log_reference=float(np.log(max(expected, 1e-9) / len(rows))),
                )
            )
    counts = [
        ("reported_offences", "reported_offences", evidence.reported_offences, priors.offence_exponent),
        (
            "unattributed_offences",
            "unattributed_offences",
            evidence.unattributed_offences,
            priors.unattributed_exponent,
        ),
        *[
            (f"partners {k}", "partners", v, priors.partner_exponent)
            for k, v in sorted(evidence.partner_counts.items())
        ],
    ]
    for name, group, series, exponent in counts:
        recorders = None if group == "partners" else evidence.recorders
        source = _town_counts(name, group, series, exponent, ways, priors, reached, recorders)
        if source is not None:
            sources.append(source)
    if stations is not None:
        sources += _at_stations(evidence, priors, stations, expected, trips_per_line_per_month)
    return tuple(sources)


def _lines(evidence: Evidence, ways: Ways, priors: Priors) -> list[Source]:
    """Known lines by what is known of them."""
    origins, towns = pd.Index(ways.origin_ids), pd.Index(ways.town_ids)
    by_pair, by_origin, by_town = np.zeros(ways.n_pairs), np.zeros(len(origins)), np.zeros(len(towns))
    is_known = np.zeros(len(origins), dtype=bool)
    lines = evidence.lines
    if lines is not None and len(lines):
        i = origins.get_indexer(pd.Index(lines["origin_id"]))
        j = towns.get_indexer(pd.Index(lines["destination_id"]))
        n = lines["n_lines"].to_numpy(float)
        position = pd.Series(np.arange(ways.n_pairs), index=pd.MultiIndex.from_arrays([ways.origin, ways.town]))
        both = (i >= 0) & (j >= 0)
        at = position.reindex(pd.MultiIndex.from_arrays([i[both], j[both]])).to_numpy(float)
        has_way = np.isfinite(at)
        np.add.at(by_pair, at[has_way].astype(int), n[both][has_way])
        # A line between two ends with no way between them still says that its town is supplied.
        np.add.at(by_town, j[both][~has_way], n[both][~has_way])
        np.add.at(by_origin, i[(i >= 0) & (j < 0)], n[(i >= 0) & (j < 0)])
        np.add.at(by_town, j[(i < 0) & (j >= 0)], n[(i < 0) & (j >= 0)])
        is_known |= by_origin > 0
    listed = by_pair.sum() + by_origin.sum() + by_town.sum()
    total = listed
    if evidence.exporter_lines is not None:
        stated = evidence.exporter_lines.reindex(origins).to_numpy(float)
        from_list = by_origin + np.bincount(ways.origin, by_pair, minlength=len(origins))
        by_origin = np.where(np.isfinite(stated), np.maximum(stated - from_list, 0.0) + by_origin, by_origin)
        is_known |= np.isfinite(stated)
        total = max(listed, float(np.nansum(stated)))
    has_pairs = np.bincount(ways.origin, minlength=len(origins)) > 0
    has_way_in = np.bincount(ways.town, minlength=len(towns)) > 0
    is_named = by_town > 0 if not evidence.names_every_town else has_way_in
    pair_is_named = by_pair > 0 if not evidence.names_every_town else np.ones(ways.n_pairs, dtype=bool)
    found: list[Source] = []
    for grain, n, is_used, log_size in (
        ("pair", by_pair, pair_is_named & (by_pair.sum() > 0), float(np.log(priors.pair_shape))),
        ("origin", by_origin, is_known & has_pairs, np.inf),
        ("town", by_town, has_way_in & is_named & (by_town.sum() > 0), np.inf),
    ):
        rows = np.flatnonzero(is_used)
        if len(rows):
            share = max(float(n.sum()), 0.5) / max(total, 0.5)
            own = Normal(priors.recording_share.mean + float(np.log(min(share, 1.0))), priors.recording_share.sd)
            found.append(
                Lines(
                    name=f"lines_by_{grain}",
                    group="lines",
                    grain=grain,
                    rows=rows,
                    low=n[rows],
                    high=n[rows],
                    own=(own,),
                    has_size=False,
                    fixed_log_size=log_size,
                )
            )
    return found


def _town_counts(
    name: str,
    group: str,
    series: pd.Series | None,
    exponent: float,
    ways: Ways,
    priors: Priors,
    reached: NDArray[np.bool_],
    recorders: pd.Series | None,
) -> Source | None:
    """Counts of towns with residents; None where nothing was counted."""
    if series is None:
        return None
    n = series.reindex(list(ways.town_ids)).to_numpy(float)
    rows = np.flatnonzero(reached & np.isfinite(n) & (ways.residents > 0))
    n, people = n[rows], ways.residents[rows]
    if not len(rows) or n.sum() <= 0:
        return None
    low, high = (n, n) if group != "partners" else _banded(n)
    recorder, apart = _recorder(recorders, [ways.town_ids[j] for j in rows], priors)
    return TownCounts(
        name=name,
        group=group,
        grain="town",
        rows=rows,
        low=low,
        high=high,
        own=(Normal(float(np.log(n.sum() / people.sum())), _RATE_SD), _RESIDENTS_EXPONENT, *apart, priors.log_size),
        exponent=exponent,
        log_residents=np.log(people),
        log_reference=float(np.log(priors.lines_per_million / 1e6)),
        recorder=recorder,
    )


def _recorder(
    recorders: pd.Series | None, town_ids: list[str], priors: Priors
) -> tuple[NDArray[np.int64] | None, list[Normal]]:
    """Which force counted each town, and the priors of how much more or less each force records."""
    if recorders is None:
        return None, []
    codes, forces = pd.factorize(recorders.reindex(town_ids), sort=True, use_na_sentinel=False)
    if len(forces) < 2:
        return None, []
    return np.asarray(codes, dtype=np.int64), [Normal(0.0, priors.recorder_sd)] * len(forces)


def _banded(n: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Partners' counts of people in bands, 0 to 2, 3 to 7 and so on: no product may tell one person from none."""
    low = np.where(n < 3, 0.0, 3.0 + 5.0 * np.floor((n - 3.0) / 5.0))
    return low, np.where(n < 3, 2.0, low + 4.0)


def _at_stations(
    evidence: Evidence, priors: Priors, stations: Stations, expected_lines: float, trips_per_line_per_month: float
) -> list[Source]:
    """Offences at stations and finds of deployments, where trains call."""
    found: list[Source] = []
    ids = list(stations.station_ids)
    is_served = np.asarray(stations.visits.sum(axis=1)).ravel() > 0
    if evidence.station_offences is not None and evidence.footfall is not None:
        n = evidence.station_offences.reindex(ids).to_numpy(float)
        people = evidence.footfall.reindex(ids).to_numpy(float)
        rows = np.flatnonzero(is_served & np.isfinite(n) & (people > 0))
        if len(rows) and n[rows].sum() > 0:
            log_footfall = np.log(people[rows])
            rail = stations.rail_share(priors.rail_shift.mean)
            visits = np.asarray(stations.visits[rows] @ (rail / max(len(rail), 1)))
            found.append(
                StationOffences(
                    name="station_offences",
                    group="station_offences",
                    grain="station",
                    rows=rows,
                    low=n[rows],
                    high=n[rows],
                    own=(
                        Normal(float(np.log(n[rows].mean())), _RATE_SD),
                        _FOOTFALL_EXPONENT,
                        priors.station_offence_share,
                        priors.log_size,
                    ),
                    log_footfall=log_footfall - np.log(people[rows].mean()),
                    log_reference=float(np.log(max(visits.mean() * max(expected_lines, 1e-9), 1e-12))),
                )
            )
    if evidence.finds is not None and len(evidence.finds):
        table = evidence.finds.reindex(ids)
        hours = table["n_hours"].fillna(0.0).to_numpy(float)
        rows = np.flatnonzero(is_served & (hours > 0))
        if len(rows):
            n = table["n_finds"].fillna(0.0).to_numpy(float)[rows]
            spread = float(np.hypot(priors.detection.sd, priors.trips_per_line_sd))
            found.append(
                Finds(
                    name="finds",
                    group="finds",
                    grain="platform",
                    rows=rows,
                    low=n,
                    high=n,
                    own=(Normal(priors.detection.mean + float(np.log(trips_per_line_per_month)), spread),),
                    has_size=False,
                    fixed_log_size=priors.log_size.mean,
                    log_hours_share=np.log(hours[rows] / HOURS_PER_MONTH),
                )
            )
    return found
