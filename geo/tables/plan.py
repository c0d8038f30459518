"""The interception plan: which team stands where and when, why, what that should meet, and all its duties."""

from __future__ import annotations

from geo.schema import Column, Contract

PLAN_REASONS = ("model", "random", "must")

ACTIVITIES = ("briefing", "at base", "drive", "walk", "stay", "break", "debriefing")
AGENCIES = ("force", "btp", "joint")

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
        "agency": Column("text", "whose officers", values=AGENCIES, optional=True),
        "stop": Column("count", "order of the stay in the team's shift, from 1", low=1),
        "station_id": Column("text", "CRS code"),
        "name": Column("text", "station name"),
        "tier": Column("text", "tier of the station's score; null where it has none", nullable=True),
        "from_h": Column("number", "start of the stay, hours after midnight of the day of the shift", low=0),
        "to_h": Column("number", "end of the stay, likewise; may pass 24", low=0),
        "present_min": Column("number", "minutes at the station", low=0),
        "reason": Column("text", "why it was chosen", values=PLAN_REASONS),
        "shift_flow_share": Column(
            "number",
            "share of the station's courier trips of a week that is made during the stay: why these hours of this day",
            low=0,
            high=1,
            optional=True,
        ),
        "passengers_per_day": Column(
            "number", "entries and exits of an average day; null where not known", nullable=True, low=0, optional=True
        ),
        "n_trains_in_stay": Column(
            "number", "trains at the station during the stay; null where not known", nullable=True, low=0, optional=True
        ),
        "n_trains_per_day": Column(
            "number", "trains there on an average day; null where not known", nullable=True, low=0, optional=True
        ),
        "has_gates": Column(
            "flag", "whether there are ticket gates; null where not known", nullable=True, optional=True
        ),
        "staffed_share": Column(
            "number",
            "share of the stay in which the station has staff; null where not known",
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
        "propensity": Column(
            "number", "chance with which the draw put a team there in that shift of that day", low=0, high=1
        ),
        "expected_met_trips": Column("number", "courier trips met by this stay, if couriers stay as they are"),
        "expected_met_trips_low": Column("number", "5 % end of the same", nullable=True, optional=True),
        "expected_met_trips_high": Column("number", "95 % end of the same", nullable=True, optional=True),
        "expected_met_trips_evading": Column("number", "the same once couriers have gone elsewhere"),
    },
    total="One row a stay of a team at a station.",
)

DUTIES = Contract(
    "duties",
    "duty_id",
    {
        "day": Column("count", "day of the plan, from 1", low=1),
        "worked_on": Column("text", "ISO date, or the number of the day where no first day is given"),
        "shift": Column("text", "shift of the day"),
        "team": Column("text", "team on the shift"),
        "agency": Column("text", "whose officers", values=AGENCIES),
        "n_officers": Column("count", "officers of the team", low=2),
        "order": Column("count", "order in the shift, from 1", low=1),
        "activity": Column("text", "what is done", values=ACTIVITIES),
        "station_id": Column("text", "CRS code, of a drive where it leads; null for the base", nullable=True),
        "place": Column("text", "name of the station or base"),
        "from_h": Column("number", "start, hours after midnight of the day of the shift", low=0),
        "to_h": Column("number", "end, likewise; may pass 24", low=0),
        "drive_min": Column("number", "minutes driven; null for what is no drive", nullable=True, low=0),
    },
    total="One row for each thing that a team does in a shift, from its start to its end without a gap.",
)
