"""
What every product is made from: tables by contract, and the marks that each page, sheet and layer must carry.

Products are pure writers, ``(path, inputs) -> None``. They draw what they are given: whatever must stay hidden is
withheld before, by `geo.disclosure`, and a cuckooing address has no place in `ProductInputs` at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from gateline.products.coach_tables import CoachTables, join_stops
from geo.corridors.upstream import UPSTREAM_STATIONS
from geo.crs import require_metric
from geo.errors import TableError
from geo.schema import Column, Contract, validate
from geo.tables import (
    AREAS,
    BOUNDARIES,
    DUTIES,
    EXPORTERS,
    HOTSPOTS,
    PLACE_EXPOSURE,
    PLACE_SCORES,
    PLACES,
    PLAN,
    RAIL_LINKS,
    SEGMENT_FLOWS,
    STATION_EXPOSURE,
    STATION_FLOWS,
    STATION_HOURS,
    STATION_SCORES,
    STATION_TRAINS,
    STATION_USAGE,
    STATIONS,
    TRAINS_HOME,
)
from models.planning.evaluation import LeftOut

__all__ = [
    "BANDS",
    "FICTIONAL_NOTE",
    "HOTSPOT_MONTHS",
    "NOT_USED",
    "PLAN_RESIDUAL",
    "Marks",
    "ProductInputs",
]

FICTIONAL_NOTE = "FICTIONAL - made-up offences and addresses, not for operational use"

BANDS = Contract(
    "cuckooing_bands",
    "area_id",
    {
        "band": Column("count", "1 lowest to 4 highest, of areas large enough to be shown", low=1, high=4),
        "geometry": Column("geometry", "disclosed area", shapes=("Polygon", "MultiPolygon")),
    },
    total="One row an area that the disclosure gate lets through; no counts and no distances.",
)
HOTSPOT_MONTHS = Contract(
    "hotspot_months",
    "hotspot_month_id",
    {
        "hotspot_id": Column("text", "hotspot"),
        "month": Column("month", "month"),
        "n_offences": Column("number", "offences in the month; null where withheld", nullable=True, low=0),
    },
    total="One row a hotspot and a month in which something was recorded there.",
)
NOT_USED = Contract(
    "not_used",
    "not_used_id",
    {
        "kind": Column(
            "text",
            "month: a force has no data for it; file: none of it was read; rows, trips: some of a file; station",
            values=("month", "file", "rows", "trips", "station"),
        ),
        "name": Column("text", "force, file or station"),
        "status": Column("text", "in kind", values=("missing", "not read", "faulty", "duplicate", "out of scope")),
        "n": Column("number", "months, rows or trips; null for a station", nullable=True, low=0),
        "reason": Column("text", "why, in words"),
    },
    total="One row a force with months missing, a file, a reason of a file, or a station.",
)
PLAN_RESIDUAL = Contract(
    "plan_residual",
    "station_id",
    {
        "residual_trips_per_month": Column("number", "flow past the station that is never met, after the response"),
        "moved_trips_per_month": Column("number", "flow that came (positive) or left in response to the plan"),
    },
    total="One row a station that couriers pass, worked or not.",
)
_SUMMARY_KEYS = (
    "n_days",
    "n_slots",
    "rail_trips_per_month",
    "unlisted_share",
    "met_share",
    "met_share_evading",
    "to_road_share",
    "unmet_rail_share",
    "best_share",
    "bound_share",
    "gap_share",
    "guess_share",
    "team_hours",
)


@dataclass(frozen=True)
class Marks:
    """
    What identifies a release and limits its use; it is put on every product.

    Attributes
    ----------
    title : str
        What the products are about, such as the name of the force area.
    run_id : str
        Run that made them.
    period : str
        Months of data behind them, in words.
    profile : str
        Release profile.
    marking : str
        Classification marking, with handling instruction if there is one.
    operator : str
        Who made the release.
    expires_on : str
        ISO date after which it must not be used.
    is_fictional : bool
        Whether any offence or address in it is made up.
    credits : tuple of str
        Attribution and licence of each data source.
    limits : tuple of str
        Limits of the data and method of this run, one sentence each.
    railway : str
        Where the trains come from, one sentence; it stands wherever scores of stations do.
    railway_notes : tuple of str
        What else the run assumed about the railway and the ways to it, one sentence each.
    gaps : str
        Months of the period that a force lacks; empty where none does.
    """

    title: str
    run_id: str
    period: str
    profile: str
    marking: str
    operator: str
    expires_on: str
    is_fictional: bool
    credits: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    railway: str = ""
    railway_notes: tuple[str, ...] = ()
    gaps: str = ""

    @property
    def railway_basis(self) -> str:
        """All that the run assumed about the railway, for files that have no page to say it on."""
        return " ".join(text for text in (self.railway, *self.railway_notes) if text)

    @property
    def covers(self) -> str:
        """The period, and what it lacks."""
        return "; ".join(text for text in (self.period, self.gaps) if text)

    def lines(self) -> tuple[tuple[str, str], ...]:
        """
        Give the marks as labelled lines, in the order that every product shows them.

        Returns
        -------
        tuple of (str, str)
            Label and text.
        """
        return (
            ("Marking", self.marking),
            ("Run", self.run_id),
            ("Data period", self.covers),
            ("Profile", self.profile),
            ("Operator", self.operator),
            ("Expires", self.expires_on),
        )

    def sentence(self) -> str:
        """
        Give the marks as one line of text.

        Returns
        -------
        str
            Marks separated by middle dots, with the FICTIONAL note first where it applies.
        """
        parts = [FICTIONAL_NOTE] if self.is_fictional else []
        return " \u00b7 ".join([*parts, self.marking, *(f"{label} {text}" for label, text in self.lines()[1:])])


@dataclass(frozen=True)
class ProductInputs:
    """
    The tables of one run that products are drawn from, each in the order of its ids.

    Attributes
    ----------
    marks : Marks
        What identifies the release.
    stations, station_scores, station_exposure, station_flows : pandas.DataFrame
        Tables `STATIONS`, `STATION_SCORES` (with ``reason_*`` columns), `STATION_EXPOSURE` and `STATION_FLOWS`.
    rail_links : geopandas.GeoDataFrame
        Table `RAIL_LINKS`.
    segment_flows : pandas.DataFrame
        Table `SEGMENT_FLOWS`.
    places, place_scores, place_exposure, exporters : pandas.DataFrame
        Tables `PLACES`, `PLACE_SCORES`, `PLACE_EXPOSURE` and `EXPORTERS`.
    hotspots : geopandas.GeoDataFrame
        Table `HOTSPOTS`, of one or more methods.
    boundaries : geopandas.GeoDataFrame
        Table `BOUNDARIES`, drawn as the land.
    areas : geopandas.GeoDataFrame or None
        Table `AREAS`, drawn as outlines.
    hotspot_months : pandas.DataFrame or None
        Table `HOTSPOT_MONTHS`.
    cuckooing_bands : geopandas.GeoDataFrame or None
        Table `BANDS`, from the disclosure gate.
    station_usage : pandas.DataFrame or None
        Table `STATION_USAGE`, for footfall.
    coast, roads : geopandas.GeoDataFrame or None
        Lines in EPSG:27700 for the basemap.
    hotspot_harm : pandas.Series or None
        Hotspot weight within 15 minutes' walk of each station, by station_id.
    upstream : pandas.DataFrame or None
        Table `UPSTREAM_STATIONS`; where absent, upstream stations are those where couriers board or change.
    plan : pandas.DataFrame or None
        Table `PLAN`.
    plan_duties : pandas.DataFrame or None
        Table `DUTIES`.
    plan_summary : mapping or None
        The plan in numbers, ``dataclasses.asdict`` of `models.planning.roster.DutySummary`.
    plan_residual : pandas.DataFrame or None
        Table `PLAN_RESIDUAL`, as `models.planning.roster.DutyPlan.residual` is.
    plan_yields, plan_what_ifs : pandas.DataFrame or None
        Plans by name, as `models.planning.roster.DutyPlan` has them.
    plan_agreement : pandas.DataFrame or None
        By ``station_id``, where roster and list differ, as `models.planning.roster.DutyPlan.agreement`.
    plan_left_out : LeftOut or None
        Stations left out of the plan for few passengers, and what that costs.
    plan_notes : tuple of str
        What is assumed of teams and drives.
    station_hours : pandas.DataFrame or None
        Table `STATION_HOURS`, of every scored station.
    station_trains, trains_home : pandas.DataFrame or None
        Tables `STATION_TRAINS` and `TRAINS_HOME`, of every scored station; None where it is not known where trains
        call.
    replacements : pandas.Series or None
        Departures of rail replacement buses in the week by ``station_id``.
    trains_basis : str
        What the times of trains rest on, or why there are none; nothing is said of trains where it is empty.
    station_beside, place_beside : pandas.DataFrame or None
        What stands beside the scores and is no part of them: ``harm_near`` by ``station_id``; ``harm_in_town`` and,
        where a layer is supplied, ``child_score, child_score_low, child_score_high`` by ``place_id``.
    child_layer : str or None
        Layer of partner counts behind the children's list.
    index_lists : frozenset of str
        Which of ``stations`` and ``towns`` are a weighted index, with other words for score and tier.
    trips_level : tuple of float or None
        Trips a month into or within the force: mean, and the ends of the 90 % interval.
    coaches : CoachTables or None
        Coach stops, where there is a feed of coaches.
    not_used : pandas.DataFrame or None
        Table `NOT_USED`.
    forces_missing : mapping of pandas.Period to tuple of str
        Forces without a row in a month, by month.
    """

    marks: Marks
    stations: pd.DataFrame
    station_scores: pd.DataFrame
    station_exposure: pd.DataFrame
    station_flows: pd.DataFrame
    rail_links: gpd.GeoDataFrame
    segment_flows: pd.DataFrame
    places: pd.DataFrame
    place_scores: pd.DataFrame
    place_exposure: pd.DataFrame
    exporters: pd.DataFrame
    hotspots: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame | None = None
    hotspot_months: pd.DataFrame | None = None
    cuckooing_bands: gpd.GeoDataFrame | None = None
    station_usage: pd.DataFrame | None = None
    coast: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    hotspot_harm: pd.Series | None = None
    upstream: pd.DataFrame | None = None
    plan: pd.DataFrame | None = None
    plan_summary: Mapping[str, Any] | None = None
    plan_residual: pd.DataFrame | None = None
    plan_duties: pd.DataFrame | None = None
    plan_yields: pd.DataFrame | None = None
    plan_what_ifs: pd.DataFrame | None = None
    plan_agreement: pd.DataFrame | None = None
    plan_notes: tuple[str, ...] = ()
    plan_left_out: LeftOut | None = None
    station_hours: pd.DataFrame | None = None
    station_trains: pd.DataFrame | None = None
    trains_home: pd.DataFrame | None = None
    replacements: pd.Series | None = None
    trains_basis: str = ""
    station_beside: pd.DataFrame | None = None
    place_beside: pd.DataFrame | None = None
    child_layer: str | None = None
    index_lists: frozenset[str] = frozenset()
    trips_level: tuple[float, float, float] | None = None
    coaches: CoachTables | None = None
    not_used: pd.DataFrame | None = None
    forces_missing: Mapping[pd.Period, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, contract in _CONTRACTS.items():
            table = getattr(self, name)
            if table is not None:
                validate(table, contract)
                # One row order for all products: sums of floats, and so the bytes, depend on it.
                object.__setattr__(self, name, table.sort_index())
        for name in ("coast", "roads"):
            if getattr(self, name) is not None:
                require_metric(getattr(self, name), name)
        _require_known(self.station_scores.index, self.stations.index, "station_scores", "stations")
        _require_known(self.place_scores.index, self.places.index, "place_scores", "places")
        if self.station_hours is not None:
            _require_known(
                self.station_scores.index, pd.Index(self.station_hours["station_id"]), "station_scores", "station_hours"
            )
        if self.upstream is not None:
            _require_known(pd.Index(self.upstream["station_id"]), self.stations.index, "upstream", "stations")
        if self.plan is not None:
            places = join_stops(self.stations, self.coaches).index
            _require_known(pd.Index(self.plan["station_id"]), places, "plan", "stations")
        _require_summary(self.plan_summary)


_CONTRACTS: dict[str, Contract] = {
    "stations": STATIONS,
    "station_scores": STATION_SCORES,
    "not_used": NOT_USED,
    "station_exposure": STATION_EXPOSURE,
    "station_flows": STATION_FLOWS,
    "rail_links": RAIL_LINKS,
    "segment_flows": SEGMENT_FLOWS,
    "places": PLACES,
    "place_scores": PLACE_SCORES,
    "place_exposure": PLACE_EXPOSURE,
    "exporters": EXPORTERS,
    "hotspots": HOTSPOTS,
    "boundaries": BOUNDARIES,
    "areas": AREAS,
    "hotspot_months": HOTSPOT_MONTHS,
    "cuckooing_bands": BANDS,
    "station_usage": STATION_USAGE,
    "station_hours": STATION_HOURS,
    "station_trains": STATION_TRAINS,
    "trains_home": TRAINS_HOME,
    "upstream": UPSTREAM_STATIONS,
    "plan": PLAN,
    "plan_duties": DUTIES,
    "plan_residual": PLAN_RESIDUAL,
}


def _require_known(ids: pd.Index, known: pd.Index, name: str, other: str) -> None:
    """Every id is in the other table."""
    missing = sorted(ids.unique().difference(known).astype(str))
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        named = ", ".join(repr(i) for i in missing[:3])
        msg = f"{name}: {named}{more} are not in {other}, expected every one there. Pass both tables of the same run."
        raise TableError(msg)


def _require_summary(summary: Mapping[str, Any] | None) -> None:
    """The summary has every number that a product states."""
    missing = [key for key in _SUMMARY_KEYS if summary is not None and key not in summary]
    if missing:
        msg = (
            f"plan_summary: {', '.join(map(repr, missing[:3]))} missing, expected all of {', '.join(_SUMMARY_KEYS)}. "
            "Pass dataclasses.asdict of the plan's summary."
        )
        raise TableError(msg)
