"""Towns that no file of offences covers, and forces that record more or less: neither is evidence of lines."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo.schema import empty
from geo.tables import OFFENCES
from models.posterior.coverage import find_covered, find_recorders
from models.posterior.evidence import Evidence
from models.posterior.reasons import measure_shares
from tests.unit.models.posterior_worlds import build_world, by_town, full_evidence
from tests.unit.models.worlds import CUTOFF, offences

WORLD = build_world()
RATE = 0.002


def towns(n_side=12, residents=4000.0):
    """Towns on a square grid, 5 km apart, numbered from the south-west, column by column."""
    east, north = np.divmod(np.arange(n_side**2), n_side)
    return pd.DataFrame(
        {
            "easting_m": 400_000.0 + 5_000.0 * east,
            "northing_m": 400_000.0 + 5_000.0 * north,
            "population": residents,
        },
        index=[f"t{k:03}" for k in range(n_side**2)],
    )


def counts(table, rng):
    return pd.Series(rng.poisson(RATE * table["population"]), index=table.index)


def test_a_force_without_a_file_is_told_from_towns_without_an_offence():
    table, rng = towns(), np.random.default_rng(5)
    n = counts(table, rng)
    is_west = (table["easting_m"] < 430_000.0).to_numpy()
    n[is_west] = 0
    n.iloc[-30] = 0
    is_covered = find_covered(n, table)
    assert is_covered[~is_west].all()
    # Towns at the border may be read as none: their neighbourhood reaches over it.
    inner = (table["easting_m"] < 420_000.0).to_numpy()
    assert not is_covered[inner].any()


def test_a_large_town_with_next_to_no_offence_is_not_covered_and_a_village_is():
    table = towns()
    table.loc[["t000", "t001"], "population"] = [40_000.0, 300.0]
    n = counts(table, np.random.default_rng(6))
    for few in (0, 1):
        n[["t000", "t001"]] = [few, 0]
        assert not find_covered(n, table)["t000"]
        assert find_covered(n, table).drop("t000").all()


@pytest.mark.parametrize("size", [1.0, np.inf])
def test_chance_alone_leaves_no_town_out(size):
    """Quiet villages, Poisson or as uneven as towns are: of 14,400 none counts as not covered."""
    table = towns(residents=600.0)
    rng = np.random.default_rng(7)
    for _ in range(100):
        uneven = rng.gamma(size, 1 / size, len(table)) if np.isfinite(size) else 1.0
        n = pd.Series(rng.poisson(RATE * table["population"] * uneven), index=table.index)
        assert find_covered(n, table).all()


def test_without_any_offence_no_town_is_covered():
    table = towns(3)
    assert not find_covered(pd.Series(0, index=table.index), table).any()
    few = find_covered(pd.Series([1, *[0] * 8], index=table.index), table)
    assert few.all()


def test_the_recorder_is_the_force_of_most_offences_near_a_town():
    table = towns(4)
    rows = [("2025-05", x, y, "unknown") for x, y in zip(table["easting_m"], table["northing_m"], strict=True)] * 25
    known = offences(rows)
    known["force"] = np.where(known["easting_m"] < 408_000.0, "West Police", "East Police")
    # A few over the border, a transport police and a later month change nothing.
    known.loc[known.index[:5], "force"] = "East Police"
    rail, later = known.assign(force="British Transport Police"), known.assign(force="Third", month=CUTOFF + 1)
    every = pd.concat([known, rail, rail, later])
    every.index = pd.Index([f"o{k}" for k in range(len(every))], name="offence_id")
    found = find_recorders(every, table, cutoff=CUTOFF)
    expected = np.where(table["easting_m"] < 408_000.0, "West Police", "East Police")
    assert found.tolist() == expected.tolist()
    assert found.index.equals(table.index)


def test_one_force_or_none_needs_no_search():
    table = towns(2)
    one = find_recorders(offences([("2025-05", 4e5, 4e5, "unknown")]).assign(force="A"), table, cutoff=CUTOFF)
    assert one.tolist() == ["A"] * 4
    assert find_recorders(empty(OFFENCES), table, cutoff=CUTOFF).empty


def shares(evidence):
    return measure_shares(WORLD.posterior(), WORLD.sources(evidence))[0]


def test_a_force_that_records_twice_as_much_moves_its_towns_less():
    n = by_town(60, 90, 75, 40, 35, 90, 30, 22)
    doubled = n.where(n.index > "t3", 2 * n)
    apart = full_evidence().recorders
    moved = {}
    for how, recorders in (("one", None), ("apart", apart)):
        before, after = (shares(Evidence(unattributed_offences=each, recorders=recorders)) for each in (n, doubled))
        moved[how] = abs(after[:4].sum() - before[:4].sum())
    assert moved["apart"] < 0.7 * moved["one"]


@pytest.mark.parametrize("recorders", [None, full_evidence().recorders.map(lambda _: "one")])
def test_one_recorder_adds_no_parameter(recorders):
    evidence = replace(full_evidence(), recorders=recorders)
    (source,) = WORLD.sources(Evidence(unattributed_offences=evidence.unattributed_offences, recorders=recorders))
    assert source.recorder is None
    assert len(source.own) == 3
