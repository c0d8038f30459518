"""Coach stops on the map: a layer of their own, in the page of a run that has a feed of coaches and in no other."""

import dataclasses

import pandas as pd
import pytest

from gateline.products.coach_tables import CoachTables
from gateline.products.map_page import write_map
from geo.corridors.mode_split import MODES
from tests.browser.fictional_run import build_run, plan_of

pytestmark = pytest.mark.browser

N_STOPS = 12
HOSTILE = "<img src=x onerror=alert(1)>'\""


def with_coaches(run):
    """The run's first stations as coach stops, the first with a name that is none."""
    ids = pd.Index([f"coach-{k}" for k in range(N_STOPS)], name="station_id", dtype="str")
    stops = run.stations.iloc[:N_STOPS].set_axis(ids)
    stops = stops.assign(name=[HOSTILE, *stops["name"][1:]])
    exposure = run.station_exposure.loc[run.stations.index[:N_STOPS]].set_axis(ids)
    shares = dict(zip([f"{mode}_share" for mode in MODES], (0.7, 0.15, 0.1, 0.05), strict=True))
    shares |= dict(zip([f"unseen_by_{mode}_share" for mode in MODES], (0.0, 0.15, 0.1, 0.05), strict=True))
    places = run.place_exposure.assign(**shares, unseen_share=0.3)
    coaches = CoachTables(stops, stops, exposure, None, pd.Series(70.0, index=ids))
    return dataclasses.replace(run, coaches=coaches, place_exposure=places, **plan_of(run))


@pytest.fixture(scope="module")
def map_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    write_map(path, with_coaches(build_run()))
    return path


def test_coach_stops_are_drawn_and_can_be_switched_off(visit, map_file):
    found = visit(map_file)
    assert (found.faults, found.requests) == ([], [map_file.as_uri()])
    page = found.page
    assert page.evaluate("gl.groups.coaches.getLayers().length") == N_STOPS
    assert "Coach stops" in page.inner_text("#gl-side")
    assert page.evaluate("gl.map.hasLayer(gl.groups.coaches)")
    page.click("#gl-layer-coaches")
    assert not page.evaluate("gl.map.hasLayer(gl.groups.coaches)")
    lines = page.evaluate("gl.coachLines(1)")
    assert lines[0].endswith("alight")
    assert "70 coaches and buses a week" in lines
    tip = page.evaluate("gl.tip(gl.data.coach_stops.name[0] + ' (coach stop)', gl.coachLines(0)).outerHTML")
    assert "<img" not in tip
    assert found.faults == []


def test_the_card_of_a_town_tells_by_which_way_it_goes_unseen(visit, map_file):
    found = visit(map_file)
    found.page.evaluate("gl.select('towns', 0, {})")
    text = found.page.inner_text("#gl-detail")
    assert "15\u00a0% by car, 10\u00a0% by coach, 5\u00a0% by private hire" in text
    assert "70\u00a0%" in text
    assert found.faults == []


def test_the_plan_is_told_of_both_ways(visit, map_file):
    page = visit(map_file).page
    assert page.evaluate("gl.planViews.met.unit") == " of the flow by rail and coach"
    assert "rail flow" not in " ".join(page.evaluate("gl.data.plan.name.map((name, k) => gl.planLines(k)).flat()"))


def test_the_page_of_a_run_without_a_feed_has_nothing_of_it(tmp_path):
    write_map(tmp_path / "map.html", build_run())
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "coach_stops" not in page
    assert "gl.coachLines" not in page
