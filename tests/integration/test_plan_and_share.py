"""The plan of a run and its what-if, the rail share that a user states, and addresses that stay erased."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import gateline.cli
from gateline.commands.demo import demo_settings
from gateline.pipeline.erased import KEY_FILE, TOMBSTONES_FILE
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from geo.disclosure.keyed import digest_addresses, read_or_make_key
from geo.disclosure.tombstones import append_tombstones


def test_a_run_holds_its_plan(demo_run):
    run = demo_run.folder
    with (run / "plan.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    plan = demo_settings().plan
    assert len(rows) == plan.n_teams * plan.n_days * len(plan.shifts)
    assert {row["is_fictional"] for row in rows} == {"true"}
    assert (run / "model_card.md").read_text(encoding="utf-8").count("## What moved the list") == 1


def test_a_what_if_prints_its_plan_and_publishes_nothing(small_run, tmp_path):
    demo = small_run.copy(tmp_path / "w")
    before = sorted(Path(demo / "runs").iterdir())
    result = CliRunner().invoke(gateline.cli.app, ["plan", str(demo), "--teams", "1", "--days", "1", "--must", "WTB"])
    assert result.exit_code == 0, result.output
    assert "1 teams, 2 shifts" in result.output
    assert "Whitby" in result.output
    assert sorted(Path(demo / "runs").iterdir()) == before


def test_a_stated_rail_share_comes_out_within_a_few_percent(small_run):
    settings = small_run.settings
    corridors = settings.corridors.model_copy(update={"rail_share": 0.4})
    settings = settings.model_copy(update={"corridors": corridors})
    flows = run_stages(small_run.inputs, settings, Recorder(lambda _: None)).courier_flows
    both = flows[flows["rail_time_min"].notna() & flows["road_time_min"].notna()]
    by_rail = (both["trips_per_month"] * both["rail_share"]).sum()
    assert by_rail / both["trips_per_month"].sum() == pytest.approx(0.4, abs=0.03)


def test_the_shares_of_the_ways_to_travel_sum_to_one(small_run):
    flows = small_run.results.courier_flows
    shares = flows[[name for name in flows.columns if name.endswith("_share")]]
    assert len(shares.columns) > 1
    moving = flows["trips_per_month"] > 0
    assert moving.any()
    assert shares[moving].sum(axis=1).to_numpy() == pytest.approx(1.0)


def test_flow_is_called_observed_where_a_line_of_the_pair_is_known_and_nowhere_else(small_run):
    assert "observed" not in set(small_run.results.od_trips["basis"]), "of each line one end is known"
    lines = small_run.inputs.deal_lines.copy()
    ends = (small_run.inputs.exporters.index[0], small_run.inputs.places.index[0])
    lines.loc[lines.index[0], ["origin_id", "destination_id"]] = ends
    inputs = replace(small_run.inputs, deal_lines=lines)
    trips = run_stages(inputs, small_run.settings, Recorder(lambda _: None)).od_trips
    assert trips.loc[trips["basis"] == "observed", ["origin_id", "destination_id"]].to_numpy().tolist() == [[*ends]]
    assert set(trips["basis"]) == {"observed", "updated_prior"}


def test_an_erased_address_stays_out_and_is_counted(small_run, tmp_path):
    demo, inputs = small_run.copy(tmp_path / "w"), small_run.inputs
    key = read_or_make_key(demo / KEY_FILE)
    digests = digest_addresses(inputs.cuckooing, key, purpose="tombstone")
    append_tombstones(demo / TOMBSTONES_FILE, [str(digest) for digest in digests[:5]])
    again = read_inputs(demo, small_run.settings)
    assert len(again.cuckooing) == len(inputs.cuckooing) - 5
    account = next(a for a in again.accounts if a.source_file.startswith("cuckooing"))
    assert ("out_of_scope", "erased", 5) in account.n_by_reason
