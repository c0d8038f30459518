"""More policing of a town makes more offences there, and none of them moves a list; offences that people report do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages

N_TIMES = 3


def with_more(run, provenance):
    """The lists where Harrogate's offences are told three times more, as brought to light by somebody."""
    offences, town = run.inputs.offences, run.inputs.places.set_index("name").loc["Harrogate"]
    gap_m = np.hypot(offences["easting_m"] - town["easting_m"], offences["northing_m"] - town["northing_m"])
    more = offences[gap_m < 3_000.0].assign(provenance=provenance).astype(offences.dtypes.to_dict())
    table = pd.concat([offences] + [more] * N_TIMES)
    table.index = pd.Index([f"o{k}" for k in range(len(table))], name=offences.index.name)
    settings = run.settings.model_copy(update={"plan": run.settings.plan.model_copy(update={"is_planned": False})})
    results = run_stages(replace(run.inputs, offences=table), settings, Recorder(lambda _: None))
    return results.place_scores.table["score"], results.station_scores.table["score"]


@pytest.mark.parametrize(("provenance", "moves"), [("police_proactive", False), ("public_report", True)])
def test_offences_that_police_made_move_nothing_and_reported_ones_do(small_run, provenance, moves):
    towns, stations = with_more(small_run, provenance)
    assert towns.equals(small_run.results.place_scores.table["score"]) is not moves
    assert stations.equals(small_run.results.station_scores.table["score"]) is not moves
