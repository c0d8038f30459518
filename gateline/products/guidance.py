"""
The words that stand on more than one product.

How to read it, what it must not be used for, and the safeguarding prompts.
"""

from __future__ import annotations

from collections.abc import Collection

from models.telling import round_figures

__all__ = [
    "BAND_MEANING",
    "COLUMN_LABELS",
    "HOTSPOT_METHODS",
    "HOW_TO_READ",
    "LEVEL_NOTE",
    "LIMITS",
    "PURPOSE",
    "RAILWAY_MEANING",
    "SAFEGUARDING",
    "SCORE_MEANING",
    "TIER_MEANING",
    "describe_level",
    "how_to_read",
    "score_label",
    "score_meaning",
    "tier_meaning",
]

PURPOSE = (
    "Ranks railway stations and towns by their exposure to county lines, so that interception and safeguarding can "
    "be planned where they do most good. It scores places, never people."
)

HOW_TO_READ = (
    (
        "Use the tier first. Neighbouring ranks inside one tier are seldom different: the rank interval says how far"
        " the evidence lets a place move."
    ),
    (
        "Rank interval: the place's rank lies in this range with 90 % chance, given the data and the model's "
        "assumptions."
    ),
    (
        "The reasons of a score sum to it: what the network says before any evidence, and what each source added or "
        "took."
    ),
    "Courier flow: expected courier trips a month; at a station, those that board, change or alight there.",
    (
        "Enforcement-led: the place is in the first ten only because of what police found there. Check for past "
        "operations before you add more."
    ),
    (
        "Busiest hours: the fewest hours, the same on days that follow each other, that hold half of a station's"
        " courier trips. What they rest on stands beside them: trains, records that know their day or hour, or an"
        " assumption, which is no evidence."
    ),
    "A dash in place of a rank: its interval is too wide for a number to mean anything. Read the tier and the range.",
    "Insufficient data is not low priority. It means that nothing can be said yet.",
)

SCORE_MEANING = {
    "stations": (
        "Score of a station: of 100 courier trips into or within the force, how many set foot on its platforms. "
        "Stations do not add up to 100: trips go by road too, and one by rail may use several stations."
    ),
    "towns": (
        "Score of a town: of 100 courier trips into or within the force, how many go there. All towns add up to 100."
    ),
}
_INDEX_MEANING = (
    "Score of {what}: 0 to 100 points of a weighted index, by the weights that the force stated. It is no share of "
    "trips, and its reasons are the points of each feature."
)
_ONE = {"stations": "a station", "towns": "a town"}

# What hangs on the level, which no data here tell, and what does not.
LEVEL_NOTE = (
    "Trips a month, trips a head or a passenger, and the trips that a plan meets all hang on two assumptions: how many "
    "lines are unrecorded and how often one is restocked. Scores, order, tiers, chances, reasons and the share of flow "
    "that a plan meets do not."
)

TIER_MEANING = {
    "A": "at least 80 % likely to belong to the core, the fewest that together hold half of the whole",
    "B": "40 to 80 % likely to belong to the core",
    "C": "less likely to belong to the core",
    "insufficient data": "too little evidence to place",
}

_INDEX_TIERS = {
    "A": "at least 80 % likely to be among the first ten",
    "B": "40 to 80 % likely to be among the first ten",
    "C": "less likely to be among the first ten",
    "insufficient data": "too little evidence to place",
}

# In the order in which they are offered: the first that a run has is shown.
HOTSPOT_METHODS = {
    "foreseen": "Next offences expected",
    "dbscan": "Offence clusters (DBSCAN)",
    "hdbscan": "Offence clusters (HDBSCAN)",
    "gi_star": "Hot squares (Gi*)",
}

BAND_MEANING = (
    "A square is drawn where there are at least {min_addresses} recorded addresses among at least {min_dwellings} "
    "dwellings. It may reach past the boundary, and is not itself the area of an address."
)

SAFEGUARDING = (
    (
        "Children found carrying or travelling alone out of their home area may be exploited. Treat them as children"
        " at risk first, and tell children's services of the home area and of this one."
    ),
    (
        "Consider the National Referral Mechanism for anyone, child or adult, who may be a victim of modern slavery."
        " Police and local authorities are first responder organisations and can refer."
    ),
    "An adult whose home has been taken over (cuckooing) is a victim. Areas, never addresses, are shown here.",
)

LIMITS = (
    (
        "Recorded offences show where police and public reported, not all that happened. Supply offences in "
        "particular follow police activity."
    ),
    "Courier flows are modelled. Nobody counted couriers on these trains.",
    "The list gives no ground to stop or search any person. The law's test of reasonable suspicion is unchanged.",
)

RAILWAY_MEANING = {
    "timetable": "Trains are those of the timetable.",
    "estimated": "Trains are estimated from how many people travel between stations, not read from a timetable.",
    "none": "There is no timetable: every train is taken to call everywhere.",
}

COLUMN_LABELS = {
    "n": "How many",
    "status": "In kind",
    "station_id": "Station code",
    "place_id": "Place code",
    "name": "Name",
    "tier": "Tier",
    "score": "Score (of 100 trips)",
    "score_low": "Score interval, from",
    "score_high": "Score interval, to",
    "trips_low": "Trips a month, from",
    "trips_high": "Trips a month, to",
    "p_core": "Chance of the core",
    "rank": "Rank",
    "rank_low": "Rank interval, from",
    "rank_high": "Rank interval, to",
    "p_top_10": "Chance of first ten",
    "courier_flow": "Courier flow (trips a month)",
    "busy_hours": "Busiest hours (half of its trips)",
    "busy_hours_share": "Share of its trips in them",
    "hours_basis": "The hours rest on",
    "courier_flow_per_100k_passengers": "Courier flow per 100,000 passengers",
    "boarding_trips_per_month": "Boarding (trips a month)",
    "interchange_trips_per_month": "Changing (trips a month)",
    "alighting_trips_per_month": "Alighting (trips a month)",
    "top_origin": "Largest origin",
    "top_destination": "Largest destination",
    "entries_exits_per_year": "Entries and exits a year",
    "hotspot_harm_within_15_min_walk": "Hotspot harm within 15 min walk",
    "enforcement_led": "Enforcement-led",
    "in_force_area": "In force area",
    "population": "Population",
    "rail_trips_per_month": "Of which by rail (trips a month)",
    "unseen_share": "Share no station can see",
    "observed_lines": "Deal lines recorded",
    "latent_exposure": "Exposure without a recorded line (0-100)",
    "main_station": "Main station",
    "rail_share": "Share by rail",
    "rail_share_low": "Share by rail, from",
    "rail_share_high": "Share by rail, to",
    "car_share": "Share by car",
    "coach_share": "Share by coach",
    "hire_share": "Share by private hire",
    "coach_basis": "The share by coach rests on",
    "unseen_by": "Unseen, of all trips",
    "unseen_by_rail_share": "Unseen by rail (past no station here)",
    "unseen_by_car_share": "Unseen by car",
    "unseen_by_coach_share": "Unseen by coach",
    "unseen_by_hire_share": "Unseen by private hire",
    "coach_stop_id": "Coach stop code",
    "kind": "Kind",
    "coaches_per_week": "Coaches and buses a week",
    "has_gates": "Ticket gates",
    "staffed_hours": "Staffed",
    "trains_per_weekday": "Trains a weekday",
    "first_train_weekday_hhmm": "First train, weekday",
    "last_train_weekday_hhmm": "Last train, weekday",
    "first_train_saturday_hhmm": "First train, Saturday",
    "last_train_saturday_hhmm": "Last train, Saturday",
    "first_train_sunday_hhmm": "First train, Sunday",
    "last_train_sunday_hhmm": "Last train, Sunday",
    "last_train_home_weekday_hhmm": "Last train home, weekday",
    "last_train_home_saturday_hhmm": "Last train home, Saturday",
    "last_train_home_sunday_hhmm": "Last train home, Sunday",
    "rail_replacement_departures_per_week": "Rail replacement buses a week (departures)",
    "trains_basis": "Times of trains rest on",
    "trips_per_10k_residents": "Trips a month per 10,000 residents",
    "trips_per_10k_low": "per 10,000 residents, from",
    "trips_per_10k_high": "per 10,000 residents, to",
    "rank_per_head": "Rank by head",
    "rank_per_passenger": "Rank by passenger",
    "harm_near": "Harm near (offences of mean harm)",
    "harm_in_town": "Harm in town (offences of mean harm)",
    "rank_harm": "Rank by harm",
    "child_score": "Of 100 trips weighted by children",
    "child_score_low": "weighted by children, from",
    "child_score_high": "weighted by children, to",
    "rank_child": "Rank by children",
    "list_rank": "Rank in this list",
    "main_rank": "Rank in the main list",
    "exporting_area": "Exporting area",
    "station": "Station",
    "share_of_area": "Share of the area's rail flow",
    "minutes_from_area": "Minutes from the area",
    "met_trips_per_month": "Met there (trips a month)",
    "met_share": "Share of its rail flow met there",
    "pick_order": "Order in the set",
    "cover_share": "Share met by the set",
    "worked_on": "Day",
    "shift": "Shift",
    "hours": "Hours",
    "team": "Team",
    "stop": "Stop",
    "present_min": "Minutes there",
    "from_to": "From and to",
    "tasks": "Tasks and prompts",
    "duty": "What",
    "place": "Where",
    "minutes": "Minutes",
    "drive_min": "Minutes by road",
    "n_officers": "Officers",
    "agency": "Agency",
    "plan": "Plan",
    "team_hours_per_week": "Team-hours a week",
    **{
        f"{what}{way}{end}": f"{words}{responded}{told}"
        for what, words in (("met_per_week", "Trips met a week"), ("hours_per_meeting", "Team-hours for one"))
        for way, responded in (("", ""), ("_evading", ", once couriers respond"))
        for end, told in (("", ""), ("_low", ", from"), ("_high", ", to"))
    },
    "is_worked": "Worked this week",
    "trips_per_week": "Courier trips past it a week",
    "met_elsewhere_share": "Of these met elsewhere",
    "best_gain_trips": "Longest stay at its best time would add",
    "base_drive_min": "Minutes by road from the nearest base",
    "worked_chance": "Share of such weeks it is worked",
    "reason": "Why",
    "station_name": "Name",
    "from_time": "From",
    "to_time": "To",
    "planned_hours": "Hours planned",
    "n_hours": "Hours worked",
    "n_stops": "People stopped",
    "n_finds": "Finds",
    "n_children": "Children safeguarded",
    "n_referrals": "Referrals",
    "plan_reason": "Why",
    "propensity": "Chance drawn",
    "expected_met_trips": "Trips met by this stop",
    "met_share_here": "Share of all rail flow",
    "passengers_per_day": "Passengers a day",
    "n_trains_in_stay": "Trains in the time",
    "n_trains_per_day": "Trains a day",
    "staffed_share": "Share of the time with staff",
    "change_share": "Of couriers going on, share changing there",
    "shift_flow_share": "Share of the station's week made in this time",
}


def score_meaning(what: str, *, is_index: bool, railway: str = "") -> str:
    """
    Say what a score is.

    Parameters
    ----------
    what : str
        ``stations`` or ``towns``.
    is_index : bool
        Whether the list is a weighted index rather than the posterior.
    railway : str
        Where the trains come from (`RAILWAY_MEANING`), which scores of stations hang on.

    Returns
    -------
    str
        A few sentences.
    """
    meaning = _INDEX_MEANING.format(what=_ONE[what]) if is_index else SCORE_MEANING[what]
    return f"{meaning} {railway}".rstrip() if what == "stations" else meaning


def score_label(*, is_index: bool) -> str:
    """
    Give the heading of a column of scores.

    Parameters
    ----------
    is_index : bool
        Whether the list is a weighted index rather than the posterior.

    Returns
    -------
    str
        With its unit.
    """
    return "Score (0-100 index)" if is_index else COLUMN_LABELS["score"]


def tier_meaning(*, is_index: bool) -> dict[str, str]:
    """
    Say what each tier of a list means.

    Parameters
    ----------
    is_index : bool
        Whether the list is a weighted index rather than the posterior.

    Returns
    -------
    dict of str to str
        Words by tier.
    """
    return _INDEX_TIERS if is_index else TIER_MEANING


def how_to_read(index_lists: Collection[str] = (), level: tuple[float, float, float] | None = None) -> list[str]:
    """
    Say how to read the lists of a run.

    Parameters
    ----------
    index_lists : collection of str
        Which of ``stations`` and ``towns`` are a weighted index.
    level : tuple of float or None
        Trips a month into or within the force: mean, and the ends of the 90 % interval.

    Returns
    -------
    list of str
        Sentences, what a score is first.
    """
    meanings = [score_meaning(what, is_index=what in index_lists) for what in SCORE_MEANING]
    levels = [] if level is None else [describe_level(level)]
    return [*meanings, *HOW_TO_READ, *levels, LEVEL_NOTE]


def describe_level(level: tuple[float, float, float]) -> str:
    """
    Say how many trips there are in all.

    Parameters
    ----------
    level : tuple of float
        Trips a month: mean, and the ends of the 90 % interval.

    Returns
    -------
    str
        One sentence.
    """
    mean, low, high = (f"{value:,.10g}" for value in round_figures(level))
    return f"In all, about {mean} courier trips a month into or within the force (90 % range {low} to {high})."
