"""What the stages find: hotspots, courier flows, and the exposure of stations, segments and places."""

from __future__ import annotations

from geo.schema import Column, Contract
from geo.tables.evidence import EASTING, NORTHING

_TRIPS = Column("number", "courier trips a month; relative where no line counts are given", low=0)

HOTSPOTS = Contract(
    "hotspots",
    "hotspot_id",
    {
        "method": Column("text", "detector that found it"),
        "easting_m": EASTING,
        "northing_m": NORTHING,
        "n_offences": Column("count", "offences inside", low=1),
        "weight": Column("number", "sum of the weights used (harm and age decay)", low=0),
        "area_km2": Column("number", "hull area, square kilometres", low=0),
        "first_month": Column("month", "first month of an offence inside"),
        "last_month": Column("month", "last month of an offence inside"),
        "z_score": Column("number", "strength of evidence where the method has one", nullable=True),
        "q_value": Column(
            "number", "false-discovery-rate adjusted p-value where there is one", nullable=True, low=0, high=1
        ),
        "nearest_station_id": Column("text", "CRS code of the nearest station on foot", nullable=True),
        "walk_min": Column("number", "walk to it, minutes; null where none is in reach", nullable=True, low=0),
        "walk_basis": Column("text", "how the walk was measured", values=("road_graph", "straight_line_detour")),
        "geometry": Column("geometry", "hull", shapes=("Polygon", "MultiPolygon")),
    },
    total="One row a hotspot; the index stays the same from run to run while it moves a little.",
)

OD_TRIPS = Contract(
    "od_trips",
    "flow_id",
    {
        "origin_id": Column("text", "exporter_id, or place_id of an internal origin"),
        "destination_id": Column("text", "place_id"),
        "is_internal": Column("flag", "whether the origin is a town of the same force"),
        "trips_per_month": _TRIPS,
        "basis": Column("text", "what the figure rests on", values=("observed", "updated_prior", "prior")),
    },
    total="One row an origin and a destination, all modes.",
)

COURIER_FLOWS = Contract(
    "courier_flows",
    "flow_id",
    {
        "origin_id": Column("text", "exporter_id, or place_id of an internal origin"),
        "destination_id": Column("text", "place_id"),
        "is_internal": Column("flag", "whether the origin is a town of the same force"),
        "trips_per_month": _TRIPS,
        "rail_share": Column("number", "share that goes by rail", low=0, high=1),
        "rail_time_min": Column("number", "door to door by rail; null where there is no path", nullable=True, low=0),
        "road_time_min": Column("number", "door to door by road; null where not known", nullable=True, low=0),
        "access_station_id": Column("text", "boarding station of the best rail path", nullable=True),
        "egress_station_id": Column("text", "alighting station of the best rail path", nullable=True),
    },
    total="One row an origin and a destination.",
)

STATION_FLOWS = Contract(
    "station_flows",
    "station_flow_id",
    {
        "station_id": Column("text", "CRS code"),
        "origin_id": Column("text", "exporter_id or place_id"),
        "destination_id": Column("text", "place_id"),
        "boarding_trips_per_month": _TRIPS,
        "interchange_trips_per_month": _TRIPS,
        "calling_trips_per_month": _TRIPS,
        "alighting_trips_per_month": _TRIPS,
    },
    total="One row a station, an origin and a destination with flow through it: its exposure, decomposed.",
)

SEGMENT_FLOWS = Contract(
    "segment_flows",
    "segment_flow_id",
    {
        "link_id": Column("text", "rail link"),
        "origin_id": Column("text", "exporter_id or place_id"),
        "trips_per_month": _TRIPS,
    },
    total="One row a rail link and an origin with flow on it.",
)

STATION_EXPOSURE = Contract(
    "station_exposure",
    "station_id",
    {
        "boarding_trips_per_month": _TRIPS,
        "interchange_trips_per_month": _TRIPS,
        "calling_trips_per_month": _TRIPS,
        "alighting_trips_per_month": _TRIPS,
        "courier_trips_per_month": Column("number", "boarding + interchange + alighting, met on the platform", low=0),
        "courier_trips_per_100k_passengers": Column(
            "number", "the same for each 100,000 passengers", nullable=True, low=0
        ),
        "top_origin_id": Column("text", "origin of the largest flow", nullable=True),
        "top_destination_id": Column("text", "destination of the largest flow", nullable=True),
    },
    total="One row a station.",
)

PLACE_EXPOSURE = Contract(
    "place_exposure",
    "place_id",
    {
        "courier_trips_per_month": _TRIPS,
        "rail_trips_per_month": _TRIPS,
        "unseen_share": Column("number", "share of the flow that no station can see", nullable=True, low=0, high=1),
        "observed_lines": Column(
            "number", "deal lines recorded into the town; null where not known", nullable=True, low=0
        ),
        "latent_exposure": Column(
            "number", "0-100 exposure of a town with no recorded line; null for others", nullable=True, low=0, high=100
        ),
        "top_origin_id": Column("text", "origin of the largest flow", nullable=True),
        "main_station_id": Column("text", "station through which most of its rail flow alights", nullable=True),
    },
    total="One row a town.",
)

HOURS_BASES = ("assumption", "records", "trains", "trains and records")

STATION_HOURS = Contract(
    "station_hours",
    "station_hour_id",
    {
        "station_id": Column("text", "CRS code"),
        "hour_of_week": Column("count", "0 is Monday 00:00-00:59", low=0, high=167),
        "n_trains": Column(
            "number", "trains at the platforms in that hour of a week; null where not known", nullable=True, low=0
        ),
        "n_records": Column("number", "timed records near, those near by counting more", low=0),
        "week_share": Column("number", "share of the station's trips made in the hour", low=0, high=1),
        "trips_per_month": _TRIPS,
        "hours_basis": Column("text", "what the hours rest on", values=HOURS_BASES),
    },
    total="168 rows a station; its shares sum to 1 and its trips to those of the station.",
)
