"""The plan of a run and its what-if, the rail share that a user states, and addresses that stay erased."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import gateline.cli
from gateline.commands.demo import demo_settings
from gateline.pipeline.erased import KEY_FILE, TOMBSTONES_FILE
from gateline.pipeline.plan_file import PLAN_FILE, read_plan_file
from gateline.pipeline.planning import plan_run
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import run_stages
from gateline.settings_plan import TeamSettings
from geo.disclosure.keyed import digest_addresses, read_or_make_key
from geo.disclosure.tombstones import append_tombstones
from geo.errors import InputError, UsageError
from models.planning.roster import reply_best
from models.planning.roster.meeting import measure_met
from tests.unit.models.roster_worlds import faults


def test_a_run_holds_its_plan(demo_run):
    run = demo_run.folder
    with (run / "plan.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    plan = demo_settings().plan
    assert len({(row["worked_on"], row["shift"], row["team"]) for row in rows}) == 5 * plan.n_teams
    assert {row["is_fictional"] for row in rows} == {"true"}
    assert (run / "model_card.md").read_text(encoding="utf-8").count("## What moved the list") == 1
    assert len(list(run.glob("team-*.ics"))) == len(list(run.glob("team-*.pdf"))) == plan.n_teams


def test_the_roster_of_the_demo_keeps_every_rule(demo_run):
    saved = read_plan_file(demo_run.folder / PLAN_FILE)
    plan, duties = (
        pd.read_csv(demo_run.folder / f"{name}.csv", encoding="utf-8-sig", dtype={"station_id": "str"})
        for name in ("plan", "duties")
    )
    assert faults(saved.problem, plan, duties) == []


def test_the_saved_plan_is_the_run_s_own(demo_run):
    saved = read_plan_file(demo_run.folder / PLAN_FILE)
    with (demo_run.folder / "plan.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    met = sum(float(row["expected_met_trips"]) for row in rows)
    assert met == pytest.approx(float(saved.yields["met_per_week"]["this week"]), rel=0.05)
    assert saved.about["is_fictional"]
    again = reply_best(saved.problem)
    met, best = saved.problem.weekly @ measure_met(saved.problem, again.shifts), saved.yields["met_per_week"]
    # The run begins from the rules of thumb too, so that it may find a little more.
    assert 0.9 * best["best fixed roster"] <= met <= best["best fixed roster"] * (1 + 1e-9)
    assert best["best fixed roster"] >= best[["highest score", "stations at random"]].max()


@pytest.fixture(scope="module")
def workspace(demo_run, tmp_path_factory):
    root = tmp_path_factory.mktemp("what-if") / "w"
    (root / "runs").mkdir(parents=True)
    shutil.copytree(demo_run.folder, root / "runs" / demo_run.folder.name)
    (root / "runs" / "current").write_text(demo_run.folder.name, encoding="utf-8")
    return root


def ask(root, *options):
    result = CliRunner().invoke(gateline.cli.app, ["plan", str(root), *options], catch_exceptions=False)
    return result.exit_code, result.output


def test_what_ifs_stand_beside_each_other_and_publish_nothing(workspace):
    before = sorted(path.name for path in (workspace / "runs").rglob("*"))
    code, first = ask(workspace, "--teams", "6", "--name", "six")
    assert code == 0
    assert "six: teams 6" in first
    assert "FICTIONAL" in first
    code, second = ask(workspace, "--teams", "1", "--days", "2", "--shift", "late", "--detection", "0.4")
    assert code == 0
    lines = [line.split()[0] for line in second.splitlines() if line.strip()]
    assert {"six", "this"} <= set(lines)
    assert sorted(path.name for path in (workspace / "runs").rglob("*")) == before
    assert sorted(path.name for path in (workspace / "plans").iterdir()) == ["six.csv", "six.json"]
    assert all("FICTIONAL" in path.read_text(encoding="utf-8") for path in (workspace / "plans").iterdir())


def test_more_teams_meet_more_and_see_less_each(workspace):
    rows = {}
    for n in (1, 3, 6):
        ask(workspace, "--teams", str(n), "--name", f"t{n}")
        rows[n] = json.loads((workspace / "plans" / f"t{n}.json").read_text(encoding="utf-8"))["yields"]
    met = [rows[n]["met_per_week"] for n in (1, 3, 6)]
    assert met[0] < met[1] < met[2]
    assert rows[1]["team_hours_per_week"] == 40
    assert rows[6]["hours_per_meeting"] > rows[1]["hours_per_meeting"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", "No Spaces"], r"--name: is 'No Spaces', expected small letters, digits and dashes, 40 at most"),
        (["--teams", "0"], r"--teams: is 0, expected 1 to 40. Give another number."),
        (["--detection", "1.5"], r"--detection: is 1.5, expected a chance above 0 and at most 1"),
        (["--must", "XXX"], r"plan.must_visit: 'XXX' is not a station that teams may work and couriers pass"),
        (["--must-not", "XXX"], r"--must-not: 'XXX' is not a station that the plan may work"),
        (["--must", "YRK", "--must-not", "YRK"], r"plan: 'YRK' must and must not be worked"),
        (["--shift", "dawn"], r"shifts: 'dawn' is not known, expected some of early, day, late, night"),
        (["--days", "29"], r"--days: is 29, expected 28 at most, as plan.n_days. Give fewer."),
        (["--days", "0"], r"plan: 0 days are asked of a plan of 7, expected 1 or more"),
        (["--keep-to", "Z"], r"plan: no station is left, expected stations that may be worked"),
    ],
)
def test_a_what_if_that_cannot_be_is_one_sentence(workspace, options, message):
    with pytest.raises(UsageError, match=message):
        ask(workspace, *options)


def test_a_plan_file_that_does_not_hold_together_is_one_sentence(tmp_path, demo_run):
    with np.load(demo_run.folder / PLAN_FILE) as archive:
        arrays = {name: archive[name] for name in archive.files}

    def read_with(**changes):
        np.savez(tmp_path / PLAN_FILE, **{k: v for k, v in (arrays | changes).items() if v is not None})
        return read_plan_file(tmp_path / PLAN_FILE)

    def text_with(**changes):
        text = json.loads(arrays["text"].tobytes()) | changes
        return np.frombuffer(json.dumps(text).encode(), dtype=np.uint8)

    assert read_with().about["run_id"] == demo_run.folder.name
    for changes in ({"hazard": None}, {"text": text_with(about=1)}, {"text": text_with(teams=[1])}):
        with pytest.raises(InputError, match=r"plan_problem.npz: it does not hold together \(\w+\), expected"):
            read_with(**changes)
    for changes in ({"hazard": arrays["hazard"] * np.nan}, {"text": text_with(about={})}):
        with pytest.raises(InputError, match=r"plan_problem.npz: a mark is missing or a number is not finite"):
            read_with(**changes)
    with pytest.raises(InputError, match=r"plan_problem.npz: its form is 0, expected 1. Run again with this version."):
        read_with(text=text_with(form=0))


def filled(run, workspace, *, n_finds, keep=1.0):
    """The blank log of the run with hours as planned, and so many finds in each stay."""
    rows = list(csv.DictReader(io.StringIO((run / "results.csv").read_text(encoding="utf-8-sig"))))
    kept = rows[: int(len(rows) * keep)]
    for row in kept:
        row |= {"n_hours": row["planned_hours"], "n_stops": "3", "n_finds": str(n_finds), "n_children": "0"}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    path = workspace / f"log{n_finds}.csv"
    path.write_text(buffer.getvalue(), encoding="utf-8")
    return path


def tell(workspace, log):
    result = CliRunner().invoke(gateline.cli.app, ["results", str(workspace), str(log)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_the_log_of_a_run_is_told_beside_the_fixed_roster(demo_run, workspace):
    none = tell(workspace, filled(demo_run.folder, workspace, n_finds=0, keep=0.5))
    assert "FICTIONAL" in none
    assert "not_worked (out_of_scope)" in none
    assert "0 finds in" in none
    assert "The range of the difference holds 0: the log does not tell one from the other." in none
    many = tell(workspace, filled(demo_run.folder, workspace, n_finds=2))
    n = len(pd.read_csv(demo_run.folder / "results.csv", encoding="utf-8-sig"))
    drawn = next(line for line in many.splitlines() if line.endswith("the plan as drawn"))
    low, high = (float(part) for part in re.search(r"\((\S+) to (\S+)\)", drawn).groups())
    assert low < 2 * n < high
    assert f"{n} visits, " in many
    broken = workspace / "runs" / "another" / PLAN_FILE
    broken.parent.mkdir()
    broken.write_bytes(b"PK")
    assert "run another is left out: plan_problem.npz: it is no whole plan file" in tell(
        workspace, filled(demo_run.folder, workspace, n_finds=0)
    )
    shutil.rmtree(broken.parent)
    blank = filled(demo_run.folder, workspace, n_finds=1, keep=0.0)
    with pytest.raises(InputError, match=r"log1.csv: no row is filled in, expected n_hours and counts of the stays"):
        tell(workspace, blank)
    short = workspace / "short.csv"
    short.write_text("station,worked_on,n_hours\nYRK,2025-10-07,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"short.csv: column .n_finds. is missing, expected"):
        tell(workspace, short)
    other = workspace / "other.csv"
    other.write_text("station,worked_on,n_hours,n_finds,propensity\nYRK,2019-01-01,2,0,0.5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"log: none of its visits is a stay of a plan in this workspace"):
        tell(workspace, other)


def test_finds_at_a_station_move_the_next_roster_towards_it(small_run):
    teams = (TeamSettings(name="A", base="SCA"), TeamSettings(name="B", base="YRK"))
    settings = small_run.settings
    settings = settings.model_copy(update={"plan": settings.plan.model_copy(update={"teams": teams, "n_days": 3})})
    rows = pd.DataFrame({"station_id": ["SCA"] * 20, "worked_on": "2025-09-10", "reason": "model"})
    rows = rows.assign(month=pd.Period("2025-09"), n_hours=2.0, n_finds=4).astype({"n_finds": "Int64"})
    rows = rows.astype({"station_id": "str", "worked_on": "str", "reason": "str"})
    log = rows.set_index(pd.Index([f"d{k:02d}" for k in range(20)], name="deployment_id", dtype="str"))
    seen = {}
    for name, inputs in (("before", small_run.inputs), ("after", replace(small_run.inputs, deployments=log))):
        results = run_stages(inputs, settings, Recorder(lambda _: None))
        plan = plan_run(results, settings, inputs).duty
        at = list(plan.problem.station_ids).index("SCA")
        share = plan.problem.weekly @ (plan.problem.hazard[:, at] > 0) / plan.problem.weekly.sum()
        seen[name] = (float(share), float(plan.residual["coverage"]["SCA"]), float(plan.yields["met_per_week"].iloc[0]))
    assert seen["after"][0] > 1.2 * seen["before"][0]
    assert seen["after"][1] >= seen["before"][1]
    assert seen["after"][2] > seen["before"][2]


def test_a_broken_or_missing_plan_file_is_one_sentence(tmp_path, demo_run):
    with pytest.raises(InputError, match=r"plan_problem.npz: the run has none, expected a run with a plan"):
        read_plan_file(tmp_path / PLAN_FILE)
    whole = (demo_run.folder / PLAN_FILE).read_bytes()
    for part in (b"", whole[:100], whole[: len(whole) // 2], b"PK\x03\x04 no"):
        (tmp_path / PLAN_FILE).write_bytes(part)
        with pytest.raises(InputError, match=r"plan_problem.npz: it is no whole plan file"):
            read_plan_file(tmp_path / PLAN_FILE)


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
