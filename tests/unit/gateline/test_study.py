"""A study is the run itself, marked; nothing of the workspace is touched."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

import gateline.study
from gateline.commands.demo import demo_settings
from gateline.settings import write_settings_template
from gateline.study import Study, open_demo, open_workspace
from geo.errors import UsageError

NOTE = "FICTIONAL - made-up offences and addresses, not for operational use"


@pytest.fixture
def real_looking():
    """The settings of a region that is not fictional, without a run behind them."""
    settings = demo_settings()
    region = settings.region.model_copy(update={"is_fictional": False, "marking": "OFFICIAL <test>"})
    return Study(None, None, settings.model_copy(update={"region": region}))


@pytest.fixture(scope="module")
def demo(demo_run):
    """The study of the embedded region, whose stages give what they gave in the run that the tests share."""
    open_demo.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gateline.study, "run_stages", lambda *_: demo_run.results)
        opened = open_demo()
    yield opened
    open_demo.cache_clear()


def test_a_fictional_region_says_so_under_every_heading(demo):
    assert demo.title("Ranks") == f"Ranks\n{NOTE}"
    page = demo.show(pd.DataFrame({"a": [1.0]}), "Ranks").to_html()
    assert f"<caption>Ranks<br>{NOTE}</caption>" in page


def test_another_region_gives_its_own_marking_and_never_says_fictional(real_looking):
    page = real_looking.show(pd.DataFrame({"a": [1.0]}), "Ranks").to_html()
    assert "<caption>Ranks<br>OFFICIAL &lt;test&gt;</caption>" in page
    assert "FICTIONAL" not in page


def test_what_a_file_holds_cannot_become_markup(real_looking):
    bad = "<script>alert(1)</script>"
    table = pd.DataFrame({bad: [bad]}, index=pd.Index([bad], name="name"))
    page = real_looking.show(table, bad).to_html()
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 4


def test_numbers_have_two_decimals_and_a_missing_one_is_a_dash(real_looking):
    page = real_looking.show(pd.DataFrame({"a": [1234.5678, np.nan]}), "x").to_html()
    assert ">1,234.57<" in page
    assert ">-<" in page


def test_a_table_is_shown_with_labels_that_repeat_and_is_not_changed(real_looking):
    table = pd.DataFrame({"a": [1.0, 2.0]}, index=["x", "x"])
    before = table.copy()
    assert real_looking.show(table, "heading").to_html().count(">x</th>") == 2
    pd.testing.assert_frame_equal(table, before)


def test_the_demo_is_run_once_and_gives_scored_stations_and_towns(demo):
    assert open_demo() is demo
    assert sum(account.n_read for account in demo.inputs.accounts) > len(demo.inputs.offences) > 0
    ids = [*demo.results.station_scores.table.index, *demo.results.place_scores.table.index]
    assert set(ids) <= set(demo.names)
    assert demo.names["YRK"] == "York"
    assert demo.names["west-yorkshire"] == "West Yorkshire"


def test_a_workspace_gives_the_same_as_its_run_and_is_not_written_to(small_run, tmp_path):
    root = small_run.copy(tmp_path / "w")
    path = root / "region.toml"
    path.write_text(re.sub("n_teams = \\d+", "n_teams = 9", path.read_text(encoding="utf-8")), encoding="utf-8")
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    study = open_workspace(root)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert study.settings.plan.n_teams == 9
    pd.testing.assert_frame_equal(study.results.courier_flows, small_run.results.courier_flows)
    pd.testing.assert_series_equal(
        study.results.station_scores.table["score"], small_run.results.station_scores.table["score"]
    )


def test_a_workspace_with_too_many_bad_rows_is_refused_as_in_a_run(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(gateline.study, "read_inputs", lambda root, _: root)
    monkeypatch.setattr(gateline.study, "require_little_quarantine", lambda inputs, _: asked.append(inputs))
    monkeypatch.setattr(gateline.study, "run_stages", lambda *_: None)
    (tmp_path / "region.toml").write_text(write_settings_template(demo_settings()))
    open_workspace(tmp_path)
    assert asked == [tmp_path]


def test_a_folder_without_settings_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"region\.toml: no such file in .*, expected a workspace\. Make one"):
        open_workspace(tmp_path)


def test_an_installation_without_the_embedded_data_says_where_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(gateline.study, "_DATA", tmp_path)
    with pytest.raises(UsageError, match=r"data/demo is not beside the package, expected a checkout\. Open it from"):
        open_demo.__wrapped__()


def test_a_study_cannot_be_changed(real_looking):
    with pytest.raises(dataclasses.FrozenInstanceError):
        real_looking.results = None
