"""The interception plan: which team stands where on which shift, why, and what that is expected to meet."""

from __future__ import annotations

from geo.schema import Column, Contract

PLAN_REASONS = ("model", "random", "must")

PLAN = Contract(
    "plan",
    "plan_id",
    {
        "day": Column("count", "day of the plan, from 1", low=1),
        "worked_on": Column("text", "ISO date, or the number of the day where no first day is given"),
        "shift": Column("text", "shift of the day"),
        "start_h": Column("number", "start of the shift, hours after midnight", low=0),
        "end_h": Column("number", "end of the shift, hours after midnight of its day; may pass 24", low=0),
        "team": Column("text", "team on the shift"),
        "stop": Column("count", "order of the station in the team's shift, from 1", low=1),
        "station_id": Column("text", "CRS code"),
        "name": Column("text", "station name"),
        "tier": Column("text", "tier of the station's score; null where it has none", nullable=True),
        "present_min": Column("number", "minutes at the station in the shift, all visits together", low=0),
        "n_visits": Column("count", "visits in the shift; 1 where the team stays", low=1),
        "reason": Column("text", "why it was chosen", values=PLAN_REASONS),
        "shift_flow_share": Column(
            "number",
            "share of the station's courier trips of a week that is made in the shift: why these hours of this day",
            low=0,
            high=1,
            optional=True,
        ),
        "passengers_per_day": Column(
            "number", "entries and exits of an average day; null where not known", nullable=True, low=0, optional=True
        ),
        "n_trains_in_shift": Column(
            "number", "trains at the station in the shift; null where not known", nullable=True, low=0, optional=True
        ),
        "n_trains_per_day": Column(
            "number", "trains there on an average day; null where not known", nullable=True, low=0, optional=True
        ),
        "has_gates": Column(
            "flag", "whether there are ticket gates; null where not known", nullable=True, optional=True
        ),
        "staffed_share": Column(
            "number",
            "share of the shift in which the station has staff; null where not known",
            nullable=True,
            low=0,
            high=1,
            optional=True,
        ),
        "change_share": Column(
            "number",
            "share of the couriers going on beyond the station who change trains there; null where none goes on",
            nullable=True,
            low=0,
            high=1,
            optional=True,
        ),
        "propensity": Column("number", "chance with which the draw put a team there on that slot", low=0, high=1),
        "expected_met_trips": Column("number", "courier trips met because of this row, if couriers stay as they are"),
        "expected_met_trips_evading": Column("number", "the same once couriers have gone elsewhere"),
    },
    total="One row a stop of a team in a shift of a day.",
)
