"""No ordinary way of looking at, saving or copying victims' points shows one."""

import copy
import json
import pickle

import pandas as pd
import pytest

from geo.errors import DisclosureError
from geo.sensitive import SensitivePoints


@pytest.fixture
def points():
    months = pd.PeriodIndex(["2025-02", "2025-01"], freq="M")
    return SensitivePoints(
        pd.DataFrame(
            {
                "easting_m": [412345.0, 454321.0],
                "northing_m": [467890.0, 409876.0],
                "first_seen": months,
                "last_seen": months,
            },
            index=pd.Index(["b", "a"], name="address_id"),
        )
    )


def test_no_text_of_it_holds_a_digit(points):
    for text in (repr(points), str(points), f"{points}", f"{points!r:>80}", points._repr_html_()):
        assert not any(character.isdigit() for character in text)


@pytest.mark.parametrize(
    "attempt",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        list,
        pd.DataFrame,
        vars,
        lambda p: p[0],
        lambda p: p.to_file("x"),
        lambda p: p.to_json(),
        lambda p: p.explore(),
        lambda p: p.easting_m,
        lambda p: p.__addresses,
        json.dumps,
    ],
)
def test_every_way_out_is_refused(points, attempt):
    with pytest.raises((DisclosureError, TypeError)) as caught:
        attempt(points)
    assert "412345" not in str(caught.value)


def test_a_named_purpose_gets_copies_in_one_order(points):
    easting_m, northing_m = points.reveal_for("area_counts")
    assert easting_m.tolist() == [454321.0, 412345.0]
    easting_m[0] = 0
    assert points.reveal_for("area_counts")[0][0] == 454321.0
    assert northing_m.tolist() == [409876.0, 467890.0]
    assert points.months_for("area_counts").astype(str).tolist() == ["2025-01", "2025-02"]


def test_any_other_purpose_is_refused(points):
    with pytest.raises(DisclosureError, match=r"cuckooing: purpose is 'map', expected one of area_counts"):
        points.reveal_for("map")
    with pytest.raises(DisclosureError, match=r"victims' points cannot be read as 'columns', expected an aggregate"):
        _ = points.columns
