"""Trips by way of travel as they are printed: the parts sum to the whole, and what is assumed says so."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateline.products.travel import COACH_ASSUMED, COACH_TIMED, map_travel, tell_travel
from geo.corridors.mode_split import MODES

SHARES = [f"{mode}_share" for mode in MODES]
UNSEEN = [f"unseen_by_{mode}_share" for mode in MODES]


def exposure_of(seen, rail, car, coach, hire):
    """One town: trips by rail seen and unseen, and by road."""
    row = [rail, car, coach, hire]
    total = seen + sum(row)
    shares = dict(zip(SHARES, [seen + rail, car, coach, hire], strict=True))
    table = pd.DataFrame([{**shares, **dict(zip(UNSEEN, row, strict=True))}]) / total
    return table.assign(unseen_share=sum(row) / total, rail_share_low=0.1, rail_share_high=0.9)


@given(*[st.floats(0.0, 50.0)] * 4, st.floats(0.1, 50.0))
def test_what_is_printed_sums_to_the_whole(seen, rail, car, coach, hire):
    told = {
        name: column.iloc[0]
        for name, column in tell_travel(exposure_of(seen, rail, car, coach, hire), has_coaches=True).items()
    }
    assert sum(told[name] for name in SHARES) == pytest.approx(1, abs=1e-12)
    assert sum(told[name] for name in UNSEEN) == pytest.approx(told["unseen_share"], abs=1e-12)
    assert all(told[name] == round(told[name], 2) >= 0 for name in SHARES + UNSEEN)


def test_the_words_name_the_largest_first_and_say_what_is_assumed():
    table = exposure_of(22, 2, 62, 14, 0)
    assumed = tell_travel(table, has_coaches=False)
    assert assumed["unseen_by"].tolist() == ["62 % by car, 14 % by coach (assumed), 2 % by rail past no station here"]
    assert assumed["coach_basis"].tolist() == [COACH_ASSUMED]
    timed = tell_travel(table, has_coaches=True)
    assert timed["unseen_by"].tolist() == ["62 % by car, 14 % by coach, 2 % by rail past no station here"]
    assert timed["coach_basis"].tolist() == [COACH_TIMED]
    assert timed["rail_share"].tolist() == [0.24]


def test_a_town_without_trips_says_nothing_and_a_run_that_does_not_divide_says_what_it_did():
    table = exposure_of(1, 1, 1, 1, 1)
    table.loc[0] = np.nan
    told = tell_travel(table, has_coaches=False)
    assert told["unseen_by"].isna().all()
    assert told["car_share"].isna().all()
    bare = tell_travel(pd.DataFrame({"unseen_share": [0.333]}), has_coaches=False)
    assert {name: column.tolist() for name, column in bare.items()} == {"unseen_share": [0.33]}
    assert map_travel(pd.DataFrame(bare)) == {}


def test_the_map_holds_what_the_list_tells():
    table = pd.DataFrame(tell_travel(exposure_of(22, 2, 62, 14, 0), has_coaches=False))
    told = map_travel(table)
    assert told["rail_share"] == [0.24]
    assert told["rail_share_high"] == [0.9]
    assert told["unseen_by"] == ["62 % by car, 14 % by coach (assumed), 2 % by rail past no station here"]
