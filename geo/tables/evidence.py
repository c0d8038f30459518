"""What was seen: offences, cuckooing addresses, deal lines, deployments, and the rows that could not be used."""

from __future__ import annotations

from geo.crs import GB_EASTING_M, GB_NORTHING_M
from geo.schema import Column, Contract

PROVENANCE = ("public_report", "partner_referral", "police_proactive", "custody_location", "unknown")
LOCATION_PRECISION = ("exact", "snapped", "centroid", "none")
TIME_PRECISION = ("minute", "day", "month")

EASTING = Column("number", "EPSG:27700 easting, metres", low=GB_EASTING_M[0], high=GB_EASTING_M[1])
NORTHING = Column("number", "EPSG:27700 northing, metres", low=GB_NORTHING_M[0], high=GB_NORTHING_M[1])
_EASTING_OR_NULL = Column("number", EASTING.means, nullable=True, low=EASTING.low, high=EASTING.high)
_NORTHING_OR_NULL = Column("number", NORTHING.means, nullable=True, low=NORTHING.low, high=NORTHING.high)

OFFENCES = Contract(
    "offences",
    "offence_id",
    {
        "month": Column("month", "month of the offence; a period, never its first day"),
        "occurred_from_at": Column("instant", "earliest instant, UTC; null at month precision", nullable=True),
        "occurred_to_at": Column("instant", "latest instant, UTC; null at month precision", nullable=True),
        "time_precision": Column("text", "grain of the time", values=TIME_PRECISION),
        "crime_type": Column("text", "police.uk category, or the force's own"),
        "offence_code": Column("text", "Home Office offence code, where the source has one", nullable=True),
        "force": Column("text", "recording force"),
        "location": Column("text", "location text as published", nullable=True),
        "location_precision": Column("text", "grain of the position", values=LOCATION_PRECISION),
        "provenance": Column("text", "who brought the offence to light", values=PROVENANCE),
        "lsoa_code": Column("text", "LSOA code as published", nullable=True),
        "easting_m": _EASTING_OR_NULL,
        "northing_m": _NORTHING_OR_NULL,
        "harm_weight_days": Column(
            "number", "crime harm in sentence days; null where no table gives it", nullable=True, low=0
        ),
        "harm_basis": Column("text", "what the harm weight rests on", values=("code", "category", "none")),
        "source_file": Column("text", "file name the row came from"),
        "source_row": Column("count", "line number in that file, header is 1", low=1),
    },
    total="One row an offence record; duplicates at one point are normal.",
)

# Only `geo.sensitive.SensitivePoints` may hold this table.
CUCKOOING = Contract(
    "cuckooing",
    "address_id",
    {
        "easting_m": EASTING,
        "northing_m": NORTHING,
        "first_seen": Column("month", "month the address was first recorded"),
        "last_seen": Column("month", "month it was last recorded", nullable=True),
    },
    total="One row an address; a victim's home.",
)

DEAL_LINES = Contract(
    "deal_lines",
    "line_id",
    {
        "origin_id": Column("text", "exporter_id, or place_id for an internal line; null where unknown", nullable=True),
        "destination_id": Column("text", "place_id of the town supplied; null where unknown", nullable=True),
        "first_seen": Column("month", "month first seen", nullable=True),
        "last_seen": Column("month", "month last seen", nullable=True),
        "n_lines": Column("number", "deal numbers the row stands for; shares where a figure covers two towns", low=0),
        "provenance": Column("text", "who brought it to light", values=PROVENANCE),
    },
    total="One row an origin, a destination and a period.",
)

DEPLOYMENTS = Contract(
    "deployments",
    "deployment_id",
    {
        "station_id": Column("text", "CRS code of the station worked"),
        "month": Column("month", "month worked"),
        "worked_on": Column("text", "ISO date worked, where known", nullable=True),
        "n_hours": Column("number", "hours that a team was at the station, however many its officers", low=0),
        "reason": Column("text", "why it was chosen", values=("model", "must", "intelligence", "random", "unknown")),
        "propensity": Column(
            "number",
            "chance with which the draw of the plan put a team there; null where it was not drawn, or not written down",
            nullable=True,
            low=0,
            high=1,
            optional=True,
        ),
        "run_id": Column("text", "run whose plan was worked; blank where it was none", optional=True),
        "shift": Column("text", "shift of the plan; blank where it was none", optional=True),
        "n_stops": Column("count", "people stopped; null where not written down", nullable=True, low=0, optional=True),
        "n_finds": Column(
            "count",
            "stops that found supply or a child at risk; null where not written down, which is not none",
            nullable=True,
            low=0,
            optional=True,
        ),
        "n_children": Column(
            "count", "children among those found; null where not written down", nullable=True, low=0, optional=True
        ),
        "n_referrals": Column(
            "count", "referrals made to safeguarding; null where not written down", nullable=True, low=0, optional=True
        ),
    },
    total="One row a visit by a team to a station.",
)

# Small counts of people: inside only, and in bands where they leave.
PARTNER_COUNTS = Contract(
    "partner_counts",
    "partner_count_id",
    {
        "layer": Column("text", "what is counted, such as treatment, deaths or missing_returns"),
        "place_id": Column("text", "place_id of the town"),
        "n": Column("number", "people or events counted", low=0),
    },
    total="One row a layer and a town, for all months that the partner counted.",
)

QUARANTINE = Contract(
    "quarantine",
    "quarantine_id",
    {
        "source_file": Column("text", "file name"),
        "source_row": Column("count", "line number, header is 1", low=0),
        "status": Column("text", "why the row is not used", values=("quarantined", "out_of_scope", "duplicate")),
        "reason": Column("text", "reason code, snake case"),
        "field": Column("text", "the field at fault", nullable=True),
        "value": Column("text", "its value, null where it may identify a person", nullable=True),
    },
    total="One row a rejected input row.",
)
