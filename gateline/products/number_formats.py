"""How the workbook writes the numbers of each column."""

from __future__ import annotations

__all__ = ["NUMBER_FORMATS", "POINTS"]

# A tenth, and as many decimals more as a long list is told in.
POINTS = "0.0#######"
NUMBER_FORMATS = {
    "score": POINTS,
    "score_low": POINTS,
    "score_high": POINTS,
    "child_score": POINTS,
    "child_score_low": POINTS,
    "child_score_high": POINTS,
    "p_core": "0.00",
    "rank": "0",
    "rank_low": "0",
    "rank_high": "0",
    "p_top_10": "0%",
    "unseen_share": "0%",
    "share_of_area": "0%",
    "met_share": "0%",
    "cover_share": "0%",
    "propensity": "0%",
    "met_share_here": "0.0%",
    "minutes_from_area": "0",
    "pick_order": "0",
    "present_min": "0",
    "n_visits": "0",
    "stop": "0",
    "population": "#,##0",
    "entries_exits_per_year": "#,##0",
    "observed_lines": "0",
    "latent_exposure": "0",
    "list_rank": "0",
    "main_rank": "0",
    "busy_hours_share": "0%",
    "shift_flow_share": "0.0%",
    "passengers_per_day": "#,##0",
    "n_trains_in_shift": "0.0",
    "n_trains_per_day": "0.0",
    "staffed_share": "0%",
    "change_share": "0%",
    "rail_replacement_departures_per_week": "#,##0",
    "harm_near": "#,##0",
    "harm_in_town": "#,##0",
    "hotspot_harm_within_15_min_walk": "#,##0",
    # Two significant figures, as the list tells them: a fixed number of decimals would cut some and pad others.
    **dict.fromkeys(
        (
            "courier_flow",
            "rail_trips_per_month",
            "trips_low",
            "trips_high",
            "courier_flow_per_100k_passengers",
            "trips_per_10k_residents",
            "trips_per_10k_low",
            "trips_per_10k_high",
            "met_trips_per_month",
            "expected_met_trips",
            "boarding_trips_per_month",
            "interchange_trips_per_month",
        ),
        "General",
    ),
}
