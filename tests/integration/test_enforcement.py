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


def test_where_no_file_tells_of_offences_they_are_unknown_rather_than_none(demo_run):
    """Half of the region without a file: its towns say nothing, and the run says so."""
    offences, towns = demo_run.inputs.offences, demo_run.inputs.places
    middle_m = towns.loc[towns["is_in_force"], "easting_m"].median()
    inputs = replace(demo_run.inputs, offences=offences[offences["easting_m"] < middle_m])
    settings = demo_run.settings.model_copy(
        update={"plan": demo_run.settings.plan.model_copy(update={"is_planned": False})}
    )
    fitted = run_stages(inputs, settings, Recorder(lambda _: None)).fitted
    counts = fitted.evidence.reported_offences
    is_far = towns["easting_m"].reindex(counts.index) > middle_m + 25_000.0
    assert is_far.sum() > 5
    assert counts[is_far].isna().all()
    assert counts[~is_far].notna().sum() > 20
    assert any("there they count as unknown" in note for note in fitted.notes)
    assert not any("there they count as unknown" in note for note in demo_run.results.fitted.notes)
