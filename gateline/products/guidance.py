"""
The words that stand on more than one product.

How to read it, what it must not be used for, and the safeguarding prompts.
"""

from __future__ import annotations

__all__ = [
    "BAND_MEANING",
    "COLUMN_LABELS",
    "HOTSPOT_METHODS",
    "HOW_TO_READ",
    "LIMITS",
    "PURPOSE",
    "SAFEGUARDING",
    "TIER_MEANING",
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
        "Score of a station: of 100 courier trips into or within the force, how many set foot on its platforms. Of a "
        "town: how many go there. The reasons sum to it: what the network says, and what each source added or took."
    ),
    (
        "Courier flow: expected courier trips a month that board, change or alight. Its level rests on how many lines "
        "are unrecorded and how often one is restocked, which nobody knows: read its interval. No score hangs on it."
    ),
    (
        "Enforcement-led: the place is in the first ten only because of what police found there. Check for past "
        "operations before you add more."
    ),
    "A dash in place of a rank: its interval is too wide for a number to mean anything. Read the tier and the range.",
    "Insufficient data is not low priority. It means that nothing can be said yet.",
)

TIER_MEANING = {
    "A": "at least 80 % likely to belong to the core, the fewest that together hold half of the whole",
    "B": "40 to 80 % likely to belong to the core",
    "C": "less likely to belong to the core",
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

COLUMN_LABELS = {
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
    "n_visits": "Visits",
    "plan_reason": "Why",
    "propensity": "Chance drawn",
    "expected_met_trips": "Trips met by this stop",
    "met_share_here": "Share of all rail flow",
}
