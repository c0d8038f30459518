"""No earlier release can be subtracted from a new one to single out few victims, and the ledger holds no place."""

import hashlib
import json
import re
import stat

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.disclosure.keyed import digest_addresses, key_id, read_or_make_key
from geo.disclosure.ledger import Release, append_release, make_release, read_ledger, require_no_differencing
from geo.disclosure.quadtree import band_cells
from geo.disclosure.tombstones import append_tombstones, label_erased, read_tombstones
from geo.errors import DisclosureError, IntegrityError
from geo.schema import empty
from geo.tables import BANDED_CELLS
from tests.unit.geo.disclosure.test_quadtree import SOUTH, WEST, make_areas, make_points

KEY = bytes(range(32))
AREAS = make_areas()


def release_of(offsets, *, profile="tactical", name="one", key=KEY):
    offsets = np.asarray(offsets, dtype=float).reshape(-1, 2)
    points = make_points(WEST + offsets[:, 0], SOUTH + offsets[:, 1])
    cells = band_cells(points, AREAS, profile=profile)
    return make_release(points, cells, release_id=name, profile=profile, key=key)


def cluster(n, at=(2_000.0, 2_000.0)):
    return [(at[0] + 23.0 * k, at[1] + 11.0 * k) for k in range(n)]


def test_the_first_release_and_the_same_again_pass():
    one = release_of(cluster(7))
    assert one.bands
    require_no_differencing(one, [], AREAS)
    require_no_differencing(one, [one], AREAS)


def test_one_more_victim_that_shows_is_refused():
    one, two = release_of(cluster(5)), release_of(cluster(6), name="two")
    assert one.bands != two.bands
    with pytest.raises(
        DisclosureError,
        match=re.escape(
            "release: 1 addresses that came or went since release 'one' show in 1 squares, expected none or at least "
            "10 in each. Give that release out again, or wait until more have changed."
        ),
    ):
        require_no_differencing(two, [one], AREAS)


def test_one_victim_fewer_that_shows_is_refused():
    with pytest.raises(DisclosureError, match="1 addresses that came or went since release 'two'"):
        require_no_differencing(release_of(cluster(5)), [release_of(cluster(6), name="two")], AREAS)


def test_the_last_victims_of_a_square_that_is_gone_are_refused():
    far = cluster(20, (9_000.0, 9_000.0))
    with pytest.raises(DisclosureError, match="3 addresses that came or went"):
        require_no_differencing(release_of(far), [release_of(far + cluster(3), name="two")], AREAS)


def test_a_victim_who_does_not_show_and_ten_who_do_pass():
    one = release_of(cluster(3))
    require_no_differencing(release_of(cluster(4), name="two"), [one], AREAS)
    require_no_differencing(release_of(cluster(13), name="two"), [one], AREAS)
    with pytest.raises(DisclosureError, match="9 addresses"):
        require_no_differencing(release_of(cluster(12), name="two"), [one], AREAS)


def test_every_earlier_release_is_compared_with_not_only_the_last():
    earlier = [release_of(cluster(5), name="first"), release_of(cluster(30), name="last")]
    with pytest.raises(DisclosureError, match="'first'"):
        require_no_differencing(release_of(cluster(6), name="new"), earlier, AREAS)


spread = st.lists(
    st.tuples(st.floats(0, 14_000, exclude_max=True), st.floats(0, 14_000, exclude_max=True)),
    min_size=0,
    max_size=150,
    unique=True,
)


@given(spread)
def test_two_profiles_of_the_same_addresses_never_isolate_anyone(offsets):
    tactical, partner = release_of(offsets), release_of(offsets, profile="partner", name="two")
    require_no_differencing(partner, [tactical], AREAS)
    require_no_differencing(tactical, [partner], AREAS)


@given(spread, spread)
def test_what_passes_differs_by_nobody_or_by_many_in_every_square(before, after):
    old, new = release_of(before), release_of(after, name="new")
    try:
        require_no_differencing(new, [old], AREAS)
    except DisclosureError:
        return
    # By brute force over addresses: where the two differ, outside any larger difference, nobody or ten came or went.
    changed = {cell for cell, _ in set(old.bands.items()) ^ set(new.bands.items())}
    boxes = {cell: as_box(cell) for cell in changed}
    was, now = ({(WEST + e, SOUTH + n) for e, n in offsets} for offsets in (before, after))
    for cell, box in boxes.items():
        if any(boxes[other].contains(box) for other in changed - {cell}):
            continue
        west, south, east, north = box.bounds
        moved = [(e, n) for e, n in was ^ now if west <= e < east and south <= n < north]
        # Addresses in squares that one of the two does not show are in no difference.
        if cell in old.bands and cell in new.bands:
            assert len(moved) == 0 or len(moved) >= 10


def as_box(cell):
    side, west, south = cell.split("-")
    side_m = float(side.removesuffix("m"))
    return shapely.box(float(west), float(south), float(west) + side_m, float(south) + side_m)


def hand_made(name, bands, digests, profile="tactical"):
    return Release(name, profile, key_id(KEY), bands, digests)


WHOLE = "8192m-393216-0393216"
QUARTERS = ("4096m-393216-0393216", "4096m-397312-0393216", "4096m-393216-0397312")


def test_what_bands_tell_is_left_of_a_square_beside_its_quarters_is_refused():
    names = [f"{k:02d}" for k in range(12)]
    new = hand_made("new", {WHOLE: 3}, {WHOLE: tuple(names)})
    shown = {QUARTERS[0]: tuple(names[:5]), QUARTERS[1]: tuple(names[5:9]), "": tuple(names[9:])}
    old = hand_made("old", dict.fromkeys(QUARTERS[:2], 1), shown)
    for one, other in ((new, old), (old, new)):
        # Eleven at least in the whole, ten at most in the parts: somebody is in the rest.
        with pytest.raises(
            DisclosureError, match=r"leaves 3 addresses among \d+ dwellings, expected at least 10 among 50"
        ):
            require_no_differencing(one, [other], AREAS)
    # With a third quarter shown the bands no longer tell.
    shown = {QUARTERS[0]: tuple(names[:3]), QUARTERS[1]: tuple(names[3:6]), QUARTERS[2]: tuple(names[6:9])}
    vague = hand_made("old", dict.fromkeys(QUARTERS, 1), {**shown, "": tuple(names[9:])})
    require_no_differencing(new, [vague], AREAS)


def test_many_left_among_too_few_dwellings_are_refused_and_among_enough_pass():
    names = [f"{k:02d}" for k in range(30)]
    old = hand_made("old", dict.fromkeys(QUARTERS, 1), {q: names[3 * k : 3 * k + 3] for k, q in enumerate(QUARTERS)})
    old = hand_made("old", old.bands, {**old.digests, "": tuple(names[9:])})
    new = hand_made("new", {WHOLE: 4}, {WHOLE: tuple(names)})
    with pytest.raises(DisclosureError, match="leaves 21 addresses among 0 dwellings"):
        require_no_differencing(new, [old], AREAS.assign(n_dwellings=np.nan))
    # The fourth quarter holds small areas wholly.
    require_no_differencing(new, [old], AREAS)


def test_the_ledger_comes_back_as_it_was_and_is_private(tmp_path):
    path = tmp_path / "ledger.jsonl"
    releases = (release_of(cluster(5)), release_of(cluster(40), name="two", profile="partner"))
    hashes = [append_release(path, release) for release in releases]
    back = read_ledger(path, expected_sha256=hashes)
    assert [release.to_line() for release in back] == [release.to_line() for release in releases]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_ledger_holds_no_coordinate(tmp_path):
    path = tmp_path / "ledger.jsonl"
    append_release(path, release_of(cluster(5)))
    body = json.loads(path.read_text())
    body.pop("bands")
    body["digests"] = list(body["digests"].values())
    for east, north in cluster(5):
        assert f"{WEST + east:.0f}" not in json.dumps(body)
        assert f"{SOUTH + north:.0f}" not in json.dumps(body)


def test_an_altered_or_missing_line_is_found(tmp_path):
    path = tmp_path / "ledger.jsonl"
    assert read_ledger(path) == ()
    sha256 = append_release(path, release_of(cluster(5)))
    text = path.read_text()
    path.write_text(text.replace('"one"', '"two"'))
    with pytest.raises(IntegrityError, match=r"ledger.jsonl: line 1 is altered, expected the hash it was written with"):
        read_ledger(path)
    path.write_text("not json\n")
    with pytest.raises(IntegrityError, match="line 1 is altered"):
        read_ledger(path)
    path.unlink()
    with pytest.raises(IntegrityError, match=r"ledger.jsonl: 1 releases that the audit log names are altered or gone"):
        read_ledger(path, expected_sha256=[sha256])


def test_another_key_compares_nothing_and_is_refused():
    one = release_of(cluster(5))
    with pytest.raises(IntegrityError, match=r"ledger: release 'one' was made with key [0-9a-f]{16}, expected"):
        require_no_differencing(release_of(cluster(6), key=bytes(32)), [one], AREAS)


def test_the_key_is_made_once_and_is_the_owners_alone(tmp_path):
    path = tmp_path / "key"
    key = read_or_make_key(path)
    assert len(key) == 32
    assert read_or_make_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.hex() not in key_id(key)
    path.write_bytes(b"short")
    with pytest.raises(IntegrityError, match="key: 5 bytes, expected a key of 32"):
        read_or_make_key(path)


def test_digests_differ_by_key_and_purpose_and_not_by_row():
    points = make_points([WEST, WEST + 1.0], [SOUTH, SOUTH])
    ledger = digest_addresses(points, KEY, purpose="ledger_digest")
    assert len({*ledger}) == 2
    assert not {*ledger} & {*digest_addresses(points, KEY, purpose="tombstone")}
    assert not {*ledger} & {*digest_addresses(points, bytes(32), purpose="ledger_digest")}
    again = digest_addresses(make_points([WEST], [SOUTH]), KEY, purpose="ledger_digest")
    assert again[0] == ledger[0]
    with pytest.raises(DisclosureError, match="cuckooing: purpose is 'map', expected one of"):
        digest_addresses(points, KEY, purpose="map")


def test_an_erased_address_is_known_again_whatever_its_id(tmp_path):
    path = tmp_path / "tombstones"
    assert read_tombstones(path) == frozenset()
    gone = make_points([WEST], [SOUTH])
    digests = digest_addresses(gone, KEY, purpose="tombstone")
    assert append_tombstones(path, digests) == 1
    assert append_tombstones(path, digests) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = make_points([WEST + 500.0, WEST], [SOUTH, SOUTH])
    assert label_erased(again, KEY, read_tombstones(path)).tolist() == [False, True]
    assert not label_erased(again, bytes(32), read_tombstones(path)).any()
    assert isinstance(pd.Series(digests).iloc[0], str)


TOWNS = pd.DataFrame(
    {
        "name": ["Ayton", "Beckby"],
        "easting_m": [WEST + 2_000.0, WEST + 9_000.0],
        "northing_m": [SOUTH + 2_000.0, SOUTH + 9_000.0],
        "population": [9_000, 9_000],
        "population_basis": "made up",
        "is_in_force": True,
    },
    index=pd.Index(["ayton", "beckby"], name="place_id"),
)


def scores_of(offsets, *, name="one", towns=TOWNS):
    """A release of scores alone: no square leaves."""
    offsets = np.asarray(offsets, dtype=float).reshape(-1, 2)
    points = make_points(WEST + offsets[:, 0], SOUTH + offsets[:, 1])
    return make_release(points, empty(BANDED_CELLS), release_id=name, profile="tactical", key=KEY, places=towns)


@pytest.mark.parametrize(("before", "after", "told"), [(2, 3, 1), (7, 8, 1), (0, 9, 9), (3, 2, 1)])
def test_a_towns_band_that_few_addresses_moved_is_refused(before, after, told):
    one, two = scores_of(cluster(before)), scores_of(cluster(after), name="two")
    with pytest.raises(
        DisclosureError,
        match=f"{told} addresses that came or went since release 'one' show in 1 bands of towns, expected none or",
    ):
        require_no_differencing(two, [one], AREAS)


@pytest.mark.parametrize(("before", "after"), [(0, 2), (3, 7), (2, 12), (8, 19)])
def test_a_towns_band_that_did_not_move_or_that_ten_moved_passes(before, after):
    require_no_differencing(scores_of(cluster(after), name="two"), [scores_of(cluster(before))], AREAS)


def test_addresses_that_were_exchanged_within_a_band_pass_and_show_nothing():
    homes = cluster(14)
    one, two = scores_of(homes[:7]), scores_of(homes[7:], name="two")
    assert one.town_bands == two.town_bands == {"ayton": 3}
    require_no_differencing(two, [one], AREAS)


def test_a_town_drawn_anew_to_push_one_address_over_an_edge_is_refused():
    homes = [*cluster(12), (5_000.0, 2_000.0)]
    shifted = TOWNS.assign(population=[18_000, 9_000])
    one, two = scores_of(homes), scores_of(homes, name="two", towns=shifted)
    assert (one.town_bands, two.town_bands) == ({"ayton": 8}, {"ayton": 13})
    with pytest.raises(DisclosureError, match="1 addresses that came or went"):
        require_no_differencing(two, [one], AREAS)
    # Nor does another name for the town help.
    renamed = scores_of(homes, name="three", towns=shifted.rename(index={"ayton": "zeton"}))
    with pytest.raises(DisclosureError, match="1 addresses that came or went"):
        require_no_differencing(renamed, [one], AREAS)


def test_two_towns_that_share_no_address_are_not_compared():
    here, there = cluster(5), cluster(3, (9_000.0, 9_000.0))
    require_no_differencing(scores_of(here + there, name="two"), [scores_of(here + there)], AREAS)


def test_releases_with_and_without_scores_are_compared_by_squares_alone():
    squares = release_of(cluster(7))
    assert squares.town_bands is None
    require_no_differencing(scores_of([]), [release_of([])], AREAS)
    require_no_differencing(release_of([], name="two"), [scores_of(cluster(7))], AREAS)


def test_the_towns_of_a_release_come_back_and_lines_of_before_still_do(tmp_path):
    ledger, one = tmp_path / "ledger.jsonl", scores_of(cluster(5))
    append_release(ledger, one)
    assert read_ledger(ledger) == (one,)
    assert set(one.town_digests) == {"ayton"}
    body = json.loads(release_of(cluster(5)).to_line())
    for name in ("town_bands", "town_digests", "sha256"):
        del body[name]
    body["sha256"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    ledger.write_text(json.dumps(body, sort_keys=True) + "\n")
    (old,) = read_ledger(ledger)
    assert (old.town_bands, old.town_digests) == (None, {})
