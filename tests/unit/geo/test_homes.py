"""One home is one home, however often and however roughly it is recorded."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.disclosure.address_bands import band_addresses, band_outside_addresses
from geo.disclosure.ledger import make_release, require_no_differencing
from geo.disclosure.quadtree import PROFILES, band_cells
from geo.errors import DisclosureError
from geo.homes import HOME_M, label_first, label_homes, label_whole
from geo.sensitive import SensitivePoints
from geo.sources.cuckooing import read_cuckooing
from tests.unit.geo.disclosure.test_ledger import KEY, TOWNS
from tests.unit.geo.disclosure.test_quadtree import SOUTH, WEST, make_areas

AREAS = make_areas()
SPOT = (WEST + 2_013.3, SOUTH + 2_027.8)
# How one position comes back: with centimetres, in whole metres, in tens of metres (rounded or cut off), a step away.
RECORDED = {
    "centimetres": [SPOT, (SPOT[0] + 0.1, SPOT[1]), (SPOT[0], SPOT[1] + 0.1)],
    "metres": [SPOT, (round(SPOT[0]), round(SPOT[1])), (np.floor(SPOT[0]), np.floor(SPOT[1]))],
    "tens of metres": [SPOT, (round(SPOT[0], -1), round(SPOT[1], -1)), (SPOT[0] // 10 * 10, SPOT[1] // 10 * 10)],
    "steps": [SPOT, (SPOT[0] + 6, SPOT[1] - 4), (SPOT[0] - 7, SPOT[1] + 5)],
}
place = st.tuples(st.floats(0, 13_900), st.floats(0, 13_900))
close = st.tuples(st.floats(0, 900), st.floats(0, 900))
spots = st.lists(st.one_of(place, close), min_size=1, max_size=25)
jitters = st.lists(
    st.tuples(st.integers(0, 24), st.floats(-14, 14), st.floats(-14, 14), st.integers(1, 12)), min_size=1, max_size=25
)


def make(at, months=None):
    """Records at these positions, of these months of 2025."""
    at = np.asarray(at, dtype=float).reshape(-1, 2)
    seen = pd.PeriodIndex([f"2025-{m:02d}" for m in months or [1] * len(at)], freq="M")
    index = pd.Index([f"a{i:04d}" for i in range(len(at))], name="address_id", dtype="str")
    columns = {"easting_m": at[:, 0], "northing_m": at[:, 1], "first_seen": seen, "last_seen": seen}
    return SensitivePoints(pd.DataFrame(columns, index=index))


def count_by_hand(at, west, south, east, north):
    """Homes with every record in the square, joined by hand."""
    at = [tuple(p) for p in at]
    n_homes, left = 0, set(range(len(at)))
    while left:
        home, found = set(), {left.pop()}
        while found:
            k = found.pop()
            home.add(k)
            near = {j for j in left if np.hypot(at[k][0] - at[j][0], at[k][1] - at[j][1]) <= HOME_M}
            left -= near
            found |= near
        n_homes += all(west <= at[k][0] < east and south <= at[k][1] < north for k in home)
    return n_homes


@pytest.mark.parametrize("how", RECORDED)
@pytest.mark.parametrize("months", [(1, 1, 1), (1, 6, 12)])
def test_one_home_recorded_three_times_is_shown_nowhere(how, months):
    points = make(RECORDED[how] * 4, list(months) * 4)
    assert band_cells(points, AREAS, profile="tactical").empty
    assert band_addresses(points, TOWNS).loc["ayton", ["n_low", "n_high"]].tolist() == [0, 2]
    assert band_outside_addresses(points, TOWNS.iloc[:0]) == (0, 2)


@pytest.mark.parametrize("how", RECORDED)
def test_the_file_keeps_every_record_and_its_month(tmp_path, how):
    lines = [f"R{k},{e},{n},2025-0{k + 1}" for k, (e, n) in enumerate(RECORDED[how])]
    path = tmp_path / "cuckooing.csv"
    path.write_text("\n".join(["address_id,x,y,first_seen", *lines]) + "\n")
    points = read_cuckooing(path, columns={"address_id": "address_id"}, not_after=pd.Period("2025-12")).table
    assert sorted(points.months_for("area_counts").astype(str)) == ["2025-01", "2025-02", "2025-03"]
    assert band_cells(points, AREAS, profile="tactical").empty


def test_one_id_a_few_metres_apart_is_one_address_and_farther_apart_none(tmp_path):
    path = tmp_path / "cuckooing.csv"
    path.write_text(
        "address_id,x,y,first_seen\nA,459600,451700,2025-01\nA,459610,451690,2025-03\nB,459900,451700,2025-01\n"
        "B,459900,451721,2025-01\n"
    )
    reading = read_cuckooing(path, columns={"address_id": "address_id"}, not_after=pd.Period("2025-12"))
    assert len(reading.table) == 1
    assert reading.accounts[0].n_by_reason == (
        ("duplicate", "same_address_again", 1),
        ("quarantined", "contradictory_position", 2),
    )


@given(spots, jitters, st.sampled_from(["tactical", "partner"]))
def test_repeating_records_adds_no_home_to_any_square_or_town(offsets, repeats, profile):
    at = [(WEST + x, SOUTH + y) for x, y in offsets]
    again = [(at[k % len(at)][0] + dx, at[k % len(at)][1] + dy) for k, dx, dy, _ in repeats]
    once, more = make(at), make(at + again, [1] * len(at) + [month for *_, month in repeats])
    rule = PROFILES[profile]
    for cell in band_cells(more, AREAS, profile=profile).itertuples():
        n_before = count_by_hand(at, *cell.geometry.bounds)
        assert n_before >= rule.min_addresses
        assert rule.band_range(cell.band)[0] <= n_before
    assert (band_addresses(more, TOWNS)["n_low"] <= band_addresses(once, TOWNS)["n_low"]).all()


@given(spots)
def test_shown_squares_hold_the_homes_that_a_hand_count_finds(offsets):
    at = [(WEST + x, SOUTH + y) for x, y in offsets]
    for cell in band_cells(make(at), AREAS, profile="tactical").itertuples():
        low, high = PROFILES["tactical"].band_range(cell.band)
        assert low <= count_by_hand(at, *cell.geometry.bounds) <= high


def test_a_home_across_a_border_counts_on_neither_side():
    homes, inside = np.array([0, 0, 1, 2]), np.array([True, False, True, False])
    assert label_whole(homes, inside).tolist() == [False, False, True, False]


def test_the_record_seen_first_stands_for_its_home():
    homes = np.array([0, 0, 0, 1])
    assert label_first(homes, np.array([2, 1, 1, 5]), np.array([0.0, 9.0, 3.0, 0.0])).tolist() == [
        False,
        False,
        True,
        True,
    ]
    assert label_homes(np.zeros(0), np.zeros(0)).tolist() == []


def release(points, name):
    cells = band_cells(points, AREAS, profile="tactical")
    return make_release(points, cells, release_id=name, profile="tactical", key=KEY, places=TOWNS)


def test_ten_records_of_one_home_that_came_are_one_and_refused():
    known = [(SPOT[0] + 25.0 * k, SPOT[1]) for k in range(5)]
    new = [(SPOT[0] + 200.0 + 0.9 * k, SPOT[1]) for k in range(12)]
    one, two = release(make(known), "one"), release(make(known + new), "two")
    assert one.bands != two.bands
    with pytest.raises(DisclosureError, match="1 addresses that came or went since release 'one'"):
        require_no_differencing(two, [one], AREAS)


def test_homes_recorded_again_later_are_no_homes_that_came():
    known = [(SPOT[0] + 60.0 * k, SPOT[1]) for k in range(12)]
    again = [(e - 3.0, n - 3.0) for e, n in known]
    one, two = release(make(known), "one"), release(make(known + again, [1] * 12 + [2] * 12), "two")
    assert (one.bands, one.digests, one.town_digests) == (two.bands, two.digests, two.town_digests)


def test_a_known_home_that_a_new_record_draws_over_a_border_counts_as_one_that_went():
    edge = WEST - WEST % 1_024 + 2_048.0
    known = [(edge - 5.0, SPOT[1]), *((edge - 100.0 * k, SPOT[1]) for k in range(1, 7))]
    one, two = release(make(known), "one"), release(make([*known, (edge + 5.0, SPOT[1])]), "two")
    told = {digest for inside in one.digests.values() for digest in inside}
    if one.bands != two.bands:
        with pytest.raises(DisclosureError, match="1 addresses that came or went"):
            require_no_differencing(two, [one], AREAS)
    assert len(told) == 7
