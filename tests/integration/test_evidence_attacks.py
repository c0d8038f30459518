"""Addresses that are evidence tell bands, and no product tells more; `benchmarks.evidence_attacks` does hundreds."""

import numpy as np
import pytest

from benchmarks.evidence import Evidence
from benchmarks.evidence_attacks import LIST_FILE, Ground, find_homes, guess_often, look_at, wait_at_an_edge, with_rows
from gateline.pipeline.read import read_inputs


class Small:
    """The small region, its list, and what its run shows."""

    def __init__(self, run, folder):
        self.settings, self.folder = run.settings, folder
        self.root = run.copy(folder / "base")
        self.ground = Ground.of(read_inputs(self.root, self.settings))
        self.rows = (self.root / "inputs" / LIST_FILE).read_text(encoding="utf-8").splitlines()
        self.spots = [tuple(map(float, row.split(",")[1:3])) for row in self.rows[1:]]
        self.told = self.ground.tell(self.spots)
        self.seen = look_at(self.root, self.settings)

    def unlike(self, *more, rows=None):
        """What differs where the list has other rows."""
        root = with_rows(self.folder, self.root, self.rows if rows is None else rows, list(more))
        return self.seen.unlike(look_at(root, self.settings))

    def home_at_an_edge(self):
        """One that a band or a square would show."""
        return next(find_homes(self.ground, np.random.default_rng(3), self.spots, self.told, is_same=False))


@pytest.fixture(scope="module")
def small(small_run, tmp_path_factory):
    return Small(small_run, tmp_path_factory.mktemp("attacks"))


def test_addresses_are_evidence_here(small):
    """Else nothing could change, and the tests below could not fail."""
    assert max(small.told[0]) >= 1
    assert small.told[1]
    assert b"reason_addresses" in small.seen.things["towns.csv"]


def test_no_product_changes_with_an_address_inside_its_bands_nor_with_rows_repeated_or_refused(small):
    """
    One address is taken, two come, one is given again and one lies outside; the bands stay, and so does every byte.

    A home given again is set aside as a repeat: told, it would say that the home was on the list.
    """
    counts = small.ground.count(small.spots)
    without = [[spot for j, spot in enumerate(small.spots) if j != k] for k in range(len(small.spots))]
    taken = next(
        k
        for k, rest in enumerate(without)
        if small.ground.tell(rest) == small.told and (counts[small.ground.count(rest) < counts] > 3).any()
    )
    fewer = [row for k, row in enumerate(small.rows) if k != taken + 1]
    homes = find_homes(small.ground, np.random.default_rng(3), without[taken], small.told, is_same=True)
    more = [next(homes)]
    more.append(next(home for home in homes if small.ground.tell([*without[taken], *more, home]) == small.told))
    assert small.unlike(*more, without[taken][0], (100_000.0, 100_000.0), rows=fewer) == set()


def test_the_same_look_sees_an_address_that_crosses_an_edge(small):
    unlike = small.unlike(small.home_at_an_edge())
    assert {"run id", "run.json"} < unlike
    assert unlike & {"map.html", "towns.csv"}


def test_releases_that_differ_at_an_edge_are_held_apart(small):
    evidence = Evidence("test")
    wait_at_an_edge(small.ground, np.random.default_rng(5), 15, evidence)
    found = {row.claim: row for row in evidence.rows}
    edge = found["two releases at an edge, one address more: told apart"]
    assert edge.n > 3
    assert edge.figure == 0
    months = found["two years of months, 1 to 3 new addresses each: towns whose band tells of 1 to 9"]
    assert months.figure == 0
    assert months.baseline["figure"] > 0


def test_who_knows_all_but_one_is_left_with_more_homes_than_a_square_keeps(small):
    evidence = Evidence("test")
    guess_often(small.ground, np.random.default_rng(5), 20, evidence, n_edges=3)
    (left,) = [row for row in evidence.rows if row.unit == "homes"]
    assert left.n == 3
    assert left.figure >= left.baseline["figure"]
