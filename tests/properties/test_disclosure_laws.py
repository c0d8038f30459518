"""Laws of what leaves: one victim more never shows, order never shows, a shape that was made coarse stays as it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.disclosure.generalisation import generalise_hotspots
from geo.disclosure.ledger import make_release, require_no_differencing
from geo.disclosure.quadtree import PROFILES, band_cells
from geo.errors import DisclosureError
from geo.homes import label_homes
from tests.unit.geo.disclosure.test_generalisation import hulls, make_hotspots
from tests.unit.geo.disclosure.test_generalisation import make_areas as make_columns
from tests.unit.geo.disclosure.test_quadtree import SOUTH, WEST, make_areas, make_points

AREAS = make_areas()
KEY = bytes(range(32))

# Homes on a board of whole metres, many of them close together, so that squares split.
homes = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 13_999), st.integers(0, 13_999)), st.tuples(st.integers(0, 900), st.integers(0, 900))
    ),
    min_size=2,
    max_size=90,
    unique=True,
)


def release_of(spots, profile, name="one"):
    spots = np.asarray(spots, dtype=float).reshape(-1, 2)
    points = make_points(WEST + spots[:, 0], SOUTH + spots[:, 1])
    cells = band_cells(points, AREAS, profile=profile)
    return make_release(points, cells, release_id=name, profile=profile, key=KEY)


@given(homes, st.sampled_from(["tactical", "partner"]))
def test_one_victim_more_or_fewer_either_does_not_show_or_does_not_leave(spots, profile):
    fewer, more = release_of(spots[:-1], profile), release_of(spots, profile, "two")
    for new, old in ((more, fewer), (fewer, more)):
        if new.bands == old.bands:
            require_no_differencing(new, [old], AREAS)
        else:
            with pytest.raises(DisclosureError, match="release: "):
                require_no_differencing(new, [old], AREAS)


@given(homes, st.randoms(use_true_random=False))
def test_many_releases_of_the_same_homes_are_one_release(spots, random):
    shuffled = spots[:]
    random.shuffle(shuffled)
    one, other = release_of(spots, "tactical"), release_of(shuffled, "tactical")
    assert one.to_line() == other.to_line()


@given(homes)
def test_partner_squares_hold_at_least_what_tactical_ones_must(spots):
    for profile, floor in (("tactical", 3), ("partner", 10)):
        release = release_of(spots, profile)
        assert all(len(release.digests[cell]) >= floor for cell in release.bands)
        assert set(release.bands.values()) <= set(range(1, len(PROFILES[profile].band_floors) + 1))
        # Each home is in one square at most, or in none; on both sides of a border it is not told.
        n_homes = label_homes(*np.array(spots, dtype=float).T).max() + 1
        n_told = sum(len(inside) for inside in release.digests.values())
        assert n_told <= n_homes
        assert n_told == n_homes or release.bands


@given(hulls, st.sampled_from([3.0, 100.0, 2_000.0]))
def test_what_is_coarse_stays_as_it_is(hull, density_per_km2):
    areas = make_columns([density_per_km2, density_per_km2])
    once = generalise_hotspots(make_hotspots([hull.buffer(35.0)]), profile="tactical", areas=areas)
    again = generalise_hotspots(once, profile="tactical", areas=areas)
    assert again.geometry.iloc[0].equals(once.geometry.iloc[0])
    assert again.drop(columns="geometry").equals(once.drop(columns="geometry"))


def test_a_notebook_shows_victims_as_withheld():
    formatters = pytest.importorskip(
        "IPython.core.formatters", reason="notebooks are not installed: pip install ipykernel"
    )
    points = make_points([412345.0, 454321.0, 454322.0], [467890.0, 409876.0, 409877.0])
    for value in (points, [points], {"a": points}):
        shown, _ = formatters.DisplayFormatter().format(value)
        assert "withheld" in str(shown)
        assert not any(digit in str(shown) for digit in ("412345", "454321", "467890"))
