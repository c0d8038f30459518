"""The scores of stations and towns, with their reasons and their uncertainty."""

from __future__ import annotations

from geo.schema import Column, Contract

TIERS = ("A", "B", "C", "insufficient data")

_SCORE = {
    "name": Column("text", "as the place or station is called"),
    "tier": Column("text", "A: chance of the top ten at least 0.8; B: 0.4 to 0.8; C: the rest", values=TIERS),
    "score": Column("number", "0-100; the reason columns sum to it", low=0, high=100),
    "rank": Column("count", "1 is most exposed; ties share the lowest rank", low=1),
    "rank_low": Column("count", "5 % point of the rank", low=1),
    "rank_high": Column("count", "95 % point of the rank", low=1),
    "p_top_10": Column("number", "chance of being among the first ten", low=0, high=1),
    "enforcement_led": Column("flag", "in the top ten of all evidence but outside the top twenty of demand alone"),
}

STATION_SCORES = Contract(
    "station_scores", "station_id", _SCORE, total="One row a station, with one reason_* column a component."
)
PLACE_SCORES = Contract(
    "place_scores", "place_id", _SCORE, total="One row a town, with one reason_* column a component."
)
