"""Places: towns, exporting areas, small areas with people in them, boundaries."""

from __future__ import annotations

from geo.schema import Column, Contract
from geo.tables.evidence import EASTING, NORTHING

_POLYGONS = ("Polygon", "MultiPolygon")

PLACES = Contract(
    "places",
    "place_id",
    {
        "name": Column("text", "town name"),
        "easting_m": EASTING,
        "northing_m": NORTHING,
        "population": Column("number", "usual residents of the built-up area", low=0),
        "population_basis": Column("text", "source of the population, for the data page"),
        "is_in_force": Column("flag", "whether the town lies in the force area that is being scored"),
    },
    total="One row a town: a possible destination, and a possible origin of internal lines.",
)

EXPORTERS = Contract(
    "exporters",
    "exporter_id",
    {
        "name": Column("text", "exporting area, such as a police force area"),
        "easting_m": EASTING,
        "northing_m": NORTHING,
        "population": Column("number", "usual residents", low=0),
        "hub_station_id": Column("text", "CRS code of the main station its couriers leave from", nullable=True),
        "n_lines": Column(
            "number", "deal lines it is known to run into the force; null where not known", nullable=True, low=0
        ),
        "prior_lines": Column(
            "number", "national line count or share used as a prior; null where none", nullable=True, low=0
        ),
    },
    total="One row an area outside the force from which lines are run.",
)

AREAS = Contract(
    "areas",
    "area_id",
    {
        "name": Column("text", "area name"),
        "population": Column("number", "usual residents", low=0),
        "n_dwellings": Column("number", "dwellings or households; null where not known", nullable=True, low=0),
        "imd_decile": Column(
            "number", "Index of Multiple Deprivation decile, 1 most deprived", nullable=True, low=1, high=10
        ),
        "geometry": Column("geometry", "polygon", shapes=_POLYGONS),
    },
    total="One row a small area (LSOA).",
)

BOUNDARIES = Contract(
    "boundaries",
    "boundary_id",
    {
        "name": Column("text", "area name"),
        "kind": Column("text", "force, district, region or coast"),
        "geometry": Column("geometry", "polygon", shapes=_POLYGONS),
    },
    total="One row a boundary.",
)

ACCESS_TIMES = Contract(
    "access_times",
    "access_id",
    {
        "place_id": Column("text", "place, exporter, hotspot or other point that is reached"),
        "station_id": Column("text", "CRS code"),
        "time_min": Column("number", "minutes from station to point; null where unreachable", nullable=True, low=0),
        "mode": Column("text", "how it is travelled", values=("walk", "drive")),
        "basis": Column("text", "how it was measured", values=("road_graph", "straight_line_detour")),
        "reason": Column("text", "why the time is null", nullable=True),
    },
    total="One row a point, a station within reach of it, and a mode.",
)

ROAD_TIMES = Contract(
    "road_times",
    "road_time_id",
    {
        "origin_id": Column("text", "exporter_id or place_id"),
        "destination_id": Column("text", "place_id"),
        "time_min": Column("number", "minutes by car; null where unreachable", nullable=True, low=0),
        "length_m": Column("number", "metres by road", nullable=True, low=0),
        "basis": Column("text", "how it was measured", values=("road_graph", "straight_line_detour")),
        "reason": Column("text", "why the time is null", nullable=True),
    },
    total="One row an origin and a destination.",
)
