"""A town that a list of lines leaves out has none, or is unknown: as the force says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models.posterior.evidence import Evidence
from models.posterior.posterior import Posterior
from models.posterior.sampler import draw_posterior
from tests.unit.models.posterior_worlds import build_world

WORLD = build_world()
ORIGIN, (NAMED, *UNNAMED) = WORLD.ways.origin_ids[0], WORLD.ways.town_ids


def lines(origin):
    return pd.DataFrame({"origin_id": pd.Series([origin], dtype="str"), "destination_id": [NAMED], "n_lines": [9.0]})


def share_of_named(evidence):
    posterior = Posterior(WORLD.ways, WORLD.priors, WORLD.sources(evidence))
    drawn = np.exp(posterior.log_lines(draw_posterior(posterior, n_draws=400, random_state=1).theta))
    return float((drawn[:, WORLD.ways.town == 0].sum(axis=1) / drawn.sum(axis=1)).mean())


@pytest.mark.parametrize(("origin", "grain"), [(ORIGIN, "pair"), (None, "town")])
def test_only_named_ones_count_where_the_list_names_some(origin, grain):
    every = Evidence(lines=lines(origin))
    some = replace(every, names_every_town=False)
    (all_rows,), (named,) = WORLD.sources(every), WORLD.sources(some)
    assert all_rows.grain == named.grain == grain
    assert named.low.tolist() == [9.0]
    assert len(all_rows.rows) > 1
    # None elsewhere is news about the others, so that the named one stands out more.
    assert share_of_named(every) > share_of_named(some)


def test_a_list_that_names_every_town_is_read_alike():
    named = pd.DataFrame({"origin_id": pd.Series([None] * 8, dtype="str"), "destination_id": [NAMED, *UNNAMED]})
    every = Evidence(lines=named.assign(n_lines=2.0))
    (one,), (other,) = WORLD.sources(every), WORLD.sources(replace(every, names_every_town=False))
    np.testing.assert_array_equal(one.rows, other.rows)
    np.testing.assert_array_equal(one.low, other.low)
