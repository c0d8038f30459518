"""Entries and exits of stations, added up from journeys."""

import pandas as pd
import pytest

from geo.network.usage import measure_station_usage


def test_a_journey_is_an_entry_and_an_exit_and_a_station_may_have_one_kind_alone():
    flows = pd.DataFrame(
        {
            "origin_station_id": ["AAA", "AAA", "BBB"],
            "destination_station_id": ["BBB", "CCC", "BBB"],
            "n_journeys_per_year": [10.0, 4.0, 1.0],
        },
        index=pd.Index(["1", "2", "3"], name="flow_id", dtype="str"),
    )
    usage = measure_station_usage(flows, usage_basis="by hand")
    assert usage["n_entries_exits_per_year"].to_dict() == pytest.approx({"AAA": 14.0, "BBB": 12.0, "CCC": 4.0})
    assert usage["n_interchanges_per_year"].isna().all()
    assert set(usage["usage_basis"]) == {"by hand"}
