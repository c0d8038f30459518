"""North Yorkshire 2019 from real files: origins and towns that the benchmark claims."""

import json

import pytest

from benchmarks import london_lines, north_yorkshire_lines


@pytest.mark.real
def test_all_four_published_origins_and_towns_are_among_the_first_six(real_data, tmp_path, capsys):
    out = tmp_path / "rows.json"
    north_yorkshire_lines.main(["--data", str(real_data), "--json", str(out)])
    rows = {row["claim"]: row for row in json.loads(out.read_text(encoding="utf-8"))}
    origins = rows["origins: deprived people near the main station, gravity by train"]
    assert (origins["figure"], origins["n"]) == (4.0, 38)
    assert int(origins["note"].rsplit(" ", 1)[1]) > 6
    assert rows["origins: baseline, nearest by train"]["figure"] == 3.0
    assert rows["origins: baseline, gravity of population"]["figure"] == 2.0
    assert rows["towns: the corridor model: named towns among the first six"]["figure"] == 4.0
    assert rows["towns: population: named towns among the first six"]["figure"] == 3.0


@pytest.mark.parametrize("benchmark", [london_lines, north_yorkshire_lines])
def test_without_the_files_a_benchmark_says_what_it_skipped(benchmark, tmp_path, capsys):
    evidence = benchmark.main(["--data", str(tmp_path)])
    assert evidence.rows == []
    assert "skipped, no folder 'countylines'" in evidence.skipped[0]
