"""The contracts of every table that crosses a stage. Point tables carry ``easting_m, northing_m`` in EPSG:27700."""

from geo.tables.disclosed import BANDED_CELLS
from geo.tables.evidence import CUCKOOING, DEAL_LINES, DEPLOYMENTS, OFFENCES, PARTNER_COUNTS, PROVENANCE, QUARANTINE
from geo.tables.exposure import (
    COURIER_FLOWS,
    HOTSPOTS,
    OD_TRIPS,
    PLACE_EXPOSURE,
    SEGMENT_FLOWS,
    STATION_EXPOSURE,
    STATION_FLOWS,
    STATION_HOURS,
)
from geo.tables.places import ACCESS_TIMES, AREAS, BOUNDARIES, EXPORTERS, PLACES, ROAD_TIMES
from geo.tables.plan import DUTIES, PLAN, PLAN_REASONS
from geo.tables.rail import (
    DAY_KINDS,
    PASSENGER_FLOWS,
    RAIL_LINKS,
    RAIL_TRACK,
    SERVICE_CALLS,
    SERVICE_DEPARTURES,
    STATION_TRAINS,
    STATION_USAGE,
    STATIONS,
    TRAINS_HOME,
)
from geo.tables.scores import PLACE_SCORES, STATION_SCORES

__all__ = [
    "ACCESS_TIMES",
    "AREAS",
    "BANDED_CELLS",
    "BOUNDARIES",
    "COURIER_FLOWS",
    "CUCKOOING",
    "DAY_KINDS",
    "DEAL_LINES",
    "DEPLOYMENTS",
    "DUTIES",
    "EXPORTERS",
    "HOTSPOTS",
    "OD_TRIPS",
    "OFFENCES",
    "PARTNER_COUNTS",
    "PASSENGER_FLOWS",
    "PLACES",
    "PLACE_EXPOSURE",
    "PLACE_SCORES",
    "PLAN",
    "PLAN_REASONS",
    "PROVENANCE",
    "QUARANTINE",
    "RAIL_LINKS",
    "RAIL_TRACK",
    "ROAD_TIMES",
    "SEGMENT_FLOWS",
    "SERVICE_CALLS",
    "SERVICE_DEPARTURES",
    "STATIONS",
    "STATION_EXPOSURE",
    "STATION_FLOWS",
    "STATION_HOURS",
    "STATION_SCORES",
    "STATION_TRAINS",
    "STATION_USAGE",
    "TRAINS_HOME",
]
