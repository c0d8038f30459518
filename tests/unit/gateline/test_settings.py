"""Settings read back as written, and every wrong one is named."""

import pytest

from gateline.settings import Settings, read_settings, write_settings_template
from geo.errors import UsageError


def write(tmp_path, text):
    path = tmp_path / "region.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_template_reads_back_to_the_defaults(tmp_path):
    assert read_settings(write(tmp_path, write_settings_template(Settings()))) == Settings()


def test_values_survive_the_template(tmp_path):
    settings = Settings.model_validate(
        {
            "region": {"name": 'Quote " and \\ back', "is_fictional": True},
            "inputs": {"offences": ["a.csv", "b"], "offences_columns": {"offence_id": "Ref No"}, "deal_lines": "x.csv"},
            "scores": {"station_weights": {"a": 0.25, "b": 0.75}},
        }
    )
    assert read_settings(write(tmp_path, write_settings_template(settings))) == settings


def test_an_unknown_setting_is_refused_with_the_nearest_name(tmp_path):
    path = write(tmp_path, "[hotspots]\ncell_size = 500\n")
    with pytest.raises(
        UsageError, match=r"region.toml: unknown setting 'hotspots.cell_size' \(did you mean 'cell_size_m'"
    ):
        read_settings(path)


def test_every_fault_is_named_at_once(tmp_path):
    path = write(tmp_path, "[rail]\ndwell_min = -1\n[region]\nnam = 'x'\n")
    with pytest.raises(UsageError) as caught:
        read_settings(path)
    assert "'region.nam'" in str(caught.value)
    assert "rail.dwell_min is -1" in str(caught.value)


def test_weights_must_sum_to_one(tmp_path):
    path = write(tmp_path, "[scores]\nstation_weights = { a = 0.5, b = 0.4 }\n")
    with pytest.raises(UsageError, match=r"station_weights sums to 0.9, expected non-negative weights that sum to 1"):
        read_settings(path)


def test_a_file_that_is_not_toml_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"region.toml: not valid TOML .* expected UTF-8 TOML"):
        read_settings(write(tmp_path, "<!doctype html>"))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"region.toml: no such file in .* expected a workspace"):
        read_settings(tmp_path / "region.toml")
