"""Models as files and their cards: same bytes, same forecasts, and nothing tampered gets in."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from geo.errors import IntegrityError, ModelGateError
from models.artifacts import _digest, read_model, to_record, write_model
from models.boosting import MonotoneBoosting
from models.candidates import list_candidates
from models.dictionary import STATION_FEATURES
from models.model_card import build_atrs, draw_model_card, escape_markdown
from models.panel import PAST_COLUMNS
from models.training import train
from tests.unit.models.test_training import world


@pytest.fixture(scope="module")
def trained():
    panel, _, _ = world(6)
    return panel, train(panel, random_state=1, n_draws=50, schemes=("temporal",))


def with_model(trained, candidate):
    panel, report = trained
    model = clone(candidate.model).fit(
        panel.features[..., list(candidate.columns)].reshape(-1, len(candidate.columns)), panel.outcomes.ravel()
    )
    return replace(report, model=model, columns=tuple(panel.columns[c] for c in candidate.columns))


COLUMNS = (*PAST_COLUMNS, "courier_flow", "population")
CANDIDATES = list_candidates(COLUMNS, n_events=500)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda c: c.name)
def test_a_model_read_back_forecasts_the_same(trained, candidate, tmp_path):
    report = with_model(trained, candidate)
    path = write_model(report, tmp_path)
    rows = trained[0].features[-1][:, list(candidate.columns)]
    # Columns are found by name, wherever the panel of the day has them.
    turned = trained[0].columns[::-1]
    read = read_model(path, panel_columns=turned)
    assert [turned[c] for c in read.columns] == list(report.columns)
    np.testing.assert_array_equal(read.model.predict(rows), report.model.predict(rows))
    assert write_model(report, tmp_path / "again").read_bytes() == path.read_bytes()


def tamper(path, change):
    """Change a record and give it a right hash, so that only its content is at fault."""
    record = json.loads(path.read_text())
    record.pop("sha256")
    change(record)
    path.write_text(json.dumps(record | {"sha256": _digest(record)}))


@pytest.fixture
def tree_file(trained, tmp_path):
    return write_model(with_model(trained, CANDIDATES[-1]), tmp_path)


def test_a_changed_byte_is_refused(tree_file):
    text = tree_file.read_text()
    tree_file.write_text(text.replace('"verdict":"', '"verdict":"x', 1))
    with pytest.raises(IntegrityError, match="its hash does not match its content"):
        read_model(tree_file, panel_columns=COLUMNS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r["trees"][0]["left"].__setitem__(0, 0), "a child that does not follow its parent"),
        (lambda r: r["trees"][0]["left"].__setitem__(0, 10_000), "a child that does not follow its parent"),
        (lambda r: r["trees"][0]["feature"].__setitem__(0, 77), "splits on a feature that is not there"),
        (lambda r: r.__setitem__("kind", "os.system"), "os.system"),
        (lambda r: r["parameters"].__setitem__("command", "x"), "command"),
        (lambda r: r["fitted"].__setitem__("extra_", 1), "are not those of MonotoneBoosting"),
        (lambda r: r.__setitem__("more", 1), "its fields or schema are not those"),
        (lambda r: r.__setitem__("schema", "gateline-model/9"), "its fields or schema are not those"),
    ],
)
def test_a_record_with_an_odd_part_is_refused(tree_file, change, message):
    tamper(tree_file, change)
    with pytest.raises(IntegrityError, match=message):
        read_model(tree_file, panel_columns=COLUMNS)


def test_coefficients_of_another_length_are_refused(trained, tmp_path):
    path = write_model(with_model(trained, next(c for c in CANDIDATES if c.name == "poisson_glm")), tmp_path)
    tamper(path, lambda r: r["fitted"]["coef_"].append(1.0))
    with pytest.raises(IntegrityError, match="coef_ has shape"):
        read_model(path, panel_columns=COLUMNS)


@pytest.mark.parametrize(
    ("text", "message"),
    [("\x80\x04K\x01.", "not JSON with finite numbers"), ('{"a": NaN}', "not JSON with"), ("[1]", "no JSON object")],
)
def test_what_is_no_model_is_refused(tmp_path, text, message):
    path = tmp_path / "model.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(IntegrityError, match=message):
        read_model(path, panel_columns=COLUMNS)


def test_a_file_too_large_is_refused(tmp_path):
    path = tmp_path / "model.json"
    with path.open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(IntegrityError, match="larger than 20,000,000 bytes"):
        read_model(path, panel_columns=COLUMNS)


def test_a_model_without_events_is_not_written(trained):
    report = replace(trained[1], model=MonotoneBoosting().fit(np.ones((30, 1)), np.zeros(30)), columns=("a",))
    with pytest.raises(ModelGateError, match="MonotoneBoosting has no finite coefficients"):
        to_record(report)


HOSTILE = "x | y\n# <script>alert(1)</script> {{7*7}} ${7*7} `a` [l](http://h) \u202e"


def test_the_card_is_inert_and_says_the_verdict(trained):
    card = draw_model_card(trained[1], STATION_FEATURES, region=HOSTILE, data_note=HOSTILE)
    for bad in ("<script", "{{", "${", "\u202e", "[l](", "\n# <"):
        assert bad not in card
    assert escape_markdown(trained[1].verdict) in card
    assert card.count("\n| `") == len(trained[1].judgements)
    assert "hotspot\\_harm\\_within\\_15\\_min\\_walk" in card


def test_the_transparency_record_names_what_is_left_to_say(trained):
    record = build_atrs(trained[1], region="R", owner="O", data_note="d")
    json.dumps(record, allow_nan=False)
    for path in record["to_complete"]:
        value = record
        for key in path.split("."):
            value = value[key]
        assert value is None
    assert record["tier_2"]["tool_specification"]["verdict"] == trained[1].verdict


def test_a_model_whose_feature_the_panel_lacks_is_refused(tree_file):
    with pytest.raises(IntegrityError, match=r"feature '\w+' is not in the panel, expected all of the model's"):
        read_model(tree_file, panel_columns=("other",))
