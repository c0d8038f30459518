"""Changes estimated from what is counted at stations."""

import pandas as pd
import pytest

from geo.corridors.interchange import estimate_change_share, measure_through_journeys
from geo.corridors.rides import build_rides
from tests.unit.geo.corridors.small_rail import link_graph

# A cross: everybody from A, B or C to another of them passes M.
CROSS = build_rides(link_graph("ABCM", [("A", "M", 5.0), ("B", "M", 5.0), ("C", "M", 5.0)]))


def journeys(rows):
    return pd.DataFrame(
        {
            "origin_station_id": [r[0] for r in rows],
            "destination_station_id": [r[1] for r in rows],
            "n_journeys_per_year": [float(r[2]) for r in rows],
        },
        index=pd.Index([f"{r[0]}{r[1]}" for r in rows], name="flow_id", dtype="str"),
    )


def usage(**changes):
    return pd.DataFrame(
        {"n_entries_exits_per_year": 1.0, "n_interchanges_per_year": list(changes.values()), "usage_basis": "made up"},
        index=pd.Index(list(changes), name="station_id", dtype="str"),
    )


def test_journeys_go_on_only_where_they_pass():
    table = journeys([("A", "B", 100), ("C", "A", 50), ("A", "M", 30), ("A", "Z", 7), ("B", "B", 9)])
    through = measure_through_journeys(CROSS, table)
    assert through.to_dict() == pytest.approx({"A": 0.0, "B": 0.0, "C": 0.0, "M": 150.0})
    assert through.equals(measure_through_journeys(CROSS, table.iloc[::-1]))


def test_the_share_is_changes_over_journeys_going_on_and_never_above_one():
    through = measure_through_journeys(CROSS, journeys([("A", "B", 100)]))
    assert estimate_change_share(through, usage(M=25.0, A=5.0)).to_dict() == {"A": 0.0, "B": 0.0, "C": 0.0, "M": 0.25}
    assert estimate_change_share(through, usage(M=250.0))["M"] == 1
