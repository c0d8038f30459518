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
    "rail_share": "0%",
    "rail_share_low": "0%",
    "rail_share_high": "0%",
    "car_share": "0%",
    "coach_share": "0%",
    "hire_share": "0%",
    "coaches_per_week": "#,##0",
    "share_of_area": "0%",
    "met_share": "0%",
    "cover_share": "0%",
    "propensity": "0%",
    "met_share_here": "0.0%",
    "minutes_from_area": "0",
    "pick_order": "0",
    "present_min": "0",
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
    "n_trains_in_stay": "0.0",
    "minutes": "0",
    "drive_min": "0",
    "base_drive_min": "0",
    "n_officers": "0",
    "team_hours_per_week": "0",
    "met_elsewhere_share": "0%",
    "worked_chance": "0%",
    "planned_hours": "0.00",
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
            "trips_per_week",
            "best_gain_trips",
            *(
                f"{what}{way}{end}"
                for what in ("met_per_week", "hours_per_meeting")
                for way in ("", "_evading")
                for end in ("", "_low", "_high")
            ),
            "boarding_trips_per_month",
            "interchange_trips_per_month",
        ),
        "General",
    ),
}
