"""A weight for what is absent is an error, at check and at run; one for what is there is a component with values."""

import pytest
from typer.testing import CliRunner

import gateline.cli
from gateline.commands.demo import demo_settings
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from gateline.settings import Settings, write_settings_template
from geo.errors import UsageError
from tests.regions import make_small

ABSENT = {
    "station_weights": {
        "courier_rate": "no passengers of any station",
        "enforcement_rate": "no log of visits to stations",
    },
    "place_weights": {
        "observed_lines": "no line with a known destination",
        "cuckooed_addresses": "no list of addresses",
        "enforcement_rate": "no hours of policing by town",
    },
}
CASES = [(name, feature, what) for name, features in ABSENT.items() for feature, what in features.items()]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The small region, not yet run; each test says which of its inputs it has."""
    return make_small(tmp_path_factory.mktemp("bare") / "w")


def settings_of(scores, **inputs):
    base = demo_settings().model_dump(mode="json")
    base["inputs"] |= inputs
    base["scores"] |= {"n_draws": 100} | scores
    base["plan"]["is_planned"] = False
    return Settings.model_validate(base)


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(("name", "feature", "what"), CASES)
def test_a_weight_for_what_the_run_has_no_data_of_is_refused(workspace, command, name, feature, what):
    settings = settings_of({name: {"courier_flow": 0.5, feature: 0.5}}, deal_lines=None, cuckooing=None)
    (workspace / "region.toml").write_text(write_settings_template(settings), encoding="utf-8")
    result = CliRunner().invoke(gateline.cli.app, [command, str(workspace)])
    assert isinstance(result.exception, UsageError)
    assert f"scores.{name}: '{feature}' weighs 0.5 but this run has {what}, expected data" in str(result.exception)
    assert not (workspace / "runs").exists()


def test_a_weight_of_nothing_asks_for_nothing(workspace):
    settings = settings_of({"place_weights": {"courier_flow": 1.0, "cuckooed_addresses": 0.0}}, cuckooing=None)
    inputs = read_inputs(workspace, settings)
    table = run_stages(inputs, settings, Recorder(lambda _: None)).place_scores.table
    assert [c for c in table if c.startswith("reason_")] == ["reason_courier_flow"]


def test_weighed_addresses_give_points_where_the_band_says_some(workspace):
    settings = settings_of({"place_weights": {"courier_flow": 0.5, "cuckooed_addresses": 0.5}})
    results = run_stages(read_inputs(workspace, settings), settings, Recorder(lambda _: None))
    bands, points = results.fitted.evidence.addresses, results.place_scores.table["reason_cuckooed_addresses"]
    some = bands.index[bands["n_low"] > 0]
    assert len(some) > 3
    assert points.loc[some].min() > points.drop(some).max()
