"""Settings read back as written, and every wrong one is named."""

import os

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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[plan]\nrandom_share = " + "9" * 5000, "not valid TOML"),
        ("[plan]\nn_days = 0x" + "f" * 5000, "plan.n_days is a number of very many digits"),
        ("[inputs]\noffences = " + "[" * 5000, "not valid TOML (nested too deep)"),
        ("[region]\nname = 2024-02-30", "not valid TOML"),
        ("[region]\nname = 1979-05-27T07:32:00-08:00", "region.name is datetime.datetime("),
        ("[region]\nname = {}".format("{ a = 1 }"), "region.name is a table of 1"),
        ("[inputs]\n" + "x" * 5000 + " = 1", "unknown setting 'inputs.xxxx"),
        ('[inputs]\n"a\\nb" = 1', "unknown setting 'inputs.a"),
        ('[[plan.teams]]\nname = "A"\nbase = "YRK"\nagencie = "btp"', "(did you mean 'agency'?)"),
        ("[inputs]\nboundary_properties = { label = 'x' }", "inputs.boundary_properties.label"),
        ("[inputs]\ncuckooing_date_format = '%d/%m'", "a date format without year or month"),
        ("[inputs]\ncuckooing_date_format = '%d/%d/%Y'", "no date format; such as %d/%m/%Y"),
        ("[inputs]\noffences_timezone = 'Europe'", "no such zone; such as Europe/London"),
        ("[inputs]\nboundary_crs = 'EPSG:99999'", "no reference system; such as EPSG:27700"),
        ("inputs = 1", "inputs is 1"),
    ],
)
def test_odd_settings_are_one_short_sentence(tmp_path, text, says):
    with pytest.raises(UsageError) as caught:
        read_settings(write(tmp_path, text))
    told = str(caught.value)
    assert says in told
    assert told.isprintable()
    assert len(told) < 500


def test_many_faults_are_counted(tmp_path):
    text = "[inputs]\n" + "\n".join(f"odd_{k} = 1" for k in range(30))
    with pytest.raises(UsageError, match=r"unknown setting 'inputs\.odd_19'; and 10 more, expected the settings"):
        read_settings(write(tmp_path, text))


def test_what_is_no_file_is_no_settings(tmp_path):
    path = tmp_path / "region.toml"
    os.mkfifo(path)
    with pytest.raises(UsageError, match=r"region\.toml: it is no file of at most \d+ bytes, expected settings"):
        read_settings(path)
    path.unlink()
    path.symlink_to(path.name)
    with pytest.raises(UsageError, match=r"region\.toml: it cannot be read \(.*\), expected settings"):
        read_settings(path)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "region.toml"
    path.write_bytes(b"\xef\xbb\xbf[region]\nname = 'X'\n")
    assert read_settings(path).region.name == "X"
