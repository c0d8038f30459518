"""
What a run promises: the same bytes anywhere, whole or not at all, one writer, a log or nothing, and no network.

The numbers are those of the project's list of promises: P-1 the same bytes, P-4 atomic, P-6 one writer, P-9 offline.
"""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gateline.audit
import gateline.cli
import gateline.pipeline.run as main_job
import gateline.pipeline.write as products
from gateline.audit import append_event, verify_log
from gateline.pipeline.planning import plan_run
from gateline.workspace import lock_workspace, open_run, resolve_inside
from geo.errors import IntegrityError, LockedError, ResourceError, UsageError
from tests.regions import make_small
from tests.unit.geo.test_durable import refuse

ROOT = Path(__file__).resolve().parents[2]


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != "timings.json"
    }


def quiet(_):
    pass


@pytest.fixture(scope="module")
def plan(small_run):
    return plan_run(small_run.results, small_run.settings, small_run.inputs)


@pytest.fixture
def quick(small_run, plan, tmp_path, monkeypatch):
    """A workspace whose run takes what another read and found, so that only writing is done."""
    monkeypatch.setattr(main_job, "read_inputs", lambda *_: small_run.inputs)
    monkeypatch.setattr(main_job, "run_stages", lambda *_: small_run.results)
    monkeypatch.setattr(main_job, "plan_run", lambda *_: plan)
    return make_small(tmp_path / "w")


# P-1: the same bytes


IN_ANOTHER_WORLD = """
import importlib, pkgutil, runpy, socket, sys

def refuse(*_, **__):
    raise RuntimeError("a socket")

socket.socket.connect = refuse
socket.getaddrinfo = refuse
import geo, models, gateline
for package in (geo, models, gateline):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
import pyproj.network
assert not pyproj.network.is_network_enabled()
runpy.run_module("gateline", run_name="__main__", alter_sys=True)
"""


@pytest.mark.slow
def test_hash_seed_zone_language_threads_and_folder_change_no_byte_and_nothing_asks_the_network(small_run, tmp_path):
    """P-1 and P-9: a process in another world than this one's, without sockets, makes the run that this one made."""
    world = {"PYTHONHASHSEED": "random", "TZ": "Asia/Tokyo", "LC_ALL": "en_GB.UTF-8", "PROJ_NETWORK": "ON"}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    workspace = make_small(tmp_path / "there \u00e9" / "w")
    command = [sys.executable, "-c", IN_ANOTHER_WORLD, "run", str(workspace), "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **world, **threads}
    done = subprocess.run(command, cwd=workspace.parent, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert digests(workspace / "runs" / small_run.run_id) == digests(small_run.folder)


def test_a_setting_that_changes_results_changes_the_name_of_the_run(small_run, quick):
    path = quick / "region.toml"
    path.write_text(path.read_text().replace("random_state = 20260101", "random_state = 1"))
    assert main_job.run_pipeline(quick, tell=quiet).run_id != small_run.run_id


# P-4: whole or not at all

KILLED_AT = """
import hashlib, json, os, pickle, signal, sys
from pathlib import Path
import gateline.pipeline.run as main_job, gateline.pipeline.write as products, gateline.workspace as workspace

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(module, name, n_calls):
    whole, calls = getattr(module, name), []

    def then_die(*a, **k):
        result = whole(*a, **k)
        calls.append(1)
        return die() if len(calls) == n_calls else result

    setattr(module, name, then_die)

def state(root):
    files = [p for p in root.glob("runs/[!.]*/*") if p.name != "timings.json"]
    whole = {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
    return {"whole": whole, "names": sorted(p.name for p in root.glob("runs/*"))}

PLACES = {
    "stages": lambda: setattr(main_job, "run_stages", die),
    "map": lambda: setattr(products, "write_map", die),
    "sync": lambda: die_after(workspace, "_sync", 1),
    # The first is that of the probe.
    "set aside": lambda: die_after(workspace, "_rename", 2),
    "renamed": lambda: die_after(workspace, "_rename", 3),
    "pointer": lambda: die_after(workspace, "_rename", 4),
    "never": lambda: None,
}
root = Path(sys.argv[1])
settings = main_job.read_settings(root / "region.toml")
main_job.code_version()  # once for all
# Nothing is written before the fork: the threads of a library that writes would not live on in the child.
inputs = main_job.read_inputs(root, settings)
results = pickle.loads(Path(sys.argv[3]).read_bytes())
plan = main_job.plan_run(results, settings, inputs)
main_job.run_stages = lambda *_: results
main_job.read_inputs = lambda *_: inputs
main_job.plan_run = lambda *_: plan
# The slowest products are a mark of their own size: what counts is when they appear.
products.write_briefing_pdf = lambda path, *_, **__: path.write_bytes(b"briefing" * 1000)
products.write_list_xlsx = lambda path, *_, **__: path.write_bytes(b"workbook" * 1000)
products.draw_prior_figure = lambda path, *_, **__: path.write_bytes(b"figure" * 1000)
for place in sys.argv[2].split(","):
    sys.stdout.flush()
    if os.fork() == 0:
        PLACES[place]()
        main_job.run_pipeline(root, tell=lambda _: None)
        os._exit(0)
    os.wait()
    print(json.dumps([place, state(root)]))
"""
KILLS = ["stages", "map", "sync", "never", "set aside", "never", "renamed", "pointer", "never"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 and fork are POSIX")
def test_a_run_killed_at_any_step_leaves_the_old_or_the_new_whole(small_run, tmp_path):
    """The pipeline is killed in its stages, in the first and the last product, and at each step of publishing."""
    workspace = make_small(tmp_path / "w")
    threads = dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    found = small_run.root / "results.pickle"
    command = [sys.executable, "-c", KILLED_AT, str(workspace), ",".join(KILLS), str(found)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **threads}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    states = [json.loads(line) for line in done.stdout.splitlines()]
    assert [place for place, _ in states] == KILLS
    published = states[KILLS.index("never")][1]
    assert len(published["whole"]) > 8
    for k, (place, state) in enumerate(states):
        # Between the two renames a run made again is set aside, for the next run to bring back.
        is_there = k >= KILLS.index("never") and place != "set aside"
        assert state["whole"] == (published["whole"] if is_there else {}), place
        if place == "never":
            assert state["names"] == published["names"], "what the killed runs left is gone"
    assert not [name for name in published["names"] if name.startswith(".")]
    assert not (workspace / ".gateline-lock").exists()
    assert verify_log(workspace / "audit.jsonl") == len(KILLS)


def fail(error):
    def failing(*_, **__):
        raise error

    return failing


@pytest.mark.parametrize("writer", ["write_station_csv", "write_map", "write_layers_gpkg", "write_csv", "_dump"])
def test_a_disk_that_fills_at_any_product_publishes_nothing(quick, monkeypatch, writer):
    monkeypatch.setattr(products, writer, fail(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(ResourceError, match=r"w: the disk is full while writing run '[0-9a-f]{12}', expected room"):
        main_job.run_pipeline(quick, tell=quiet)
    assert not list((quick / "runs").iterdir())


def test_a_full_disk_told_in_words_of_a_library_is_known_by_asking_the_disk(quick, monkeypatch):
    monkeypatch.setattr(products, "write_layers_gpkg", fail(RuntimeError("database or disk is full")))
    with pytest.raises(RuntimeError, match="database or disk is full"):
        main_job.run_pipeline(quick, tell=quiet)
    usage = shutil.disk_usage(quick)._replace(free=0)
    monkeypatch.setattr("gateline.workspace.shutil.disk_usage", lambda _: usage)
    with pytest.raises(ResourceError, match="the disk is full while writing run"):
        main_job.run_pipeline(quick, tell=quiet)
    assert not list((quick / "runs").iterdir())


def answer(monkeypatch, capsys, *arguments):
    """The exit code and what is written to standard error."""
    monkeypatch.setattr("sys.argv", ["gateline", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        gateline.cli.main()
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (
            PermissionError(errno.EACCES, "Permission denied", "/secret/w/runs"),
            2,
            "runs: it cannot be used (Permission",
        ),
        (OSError(errno.EROFS, "Read-only file system", "/w/.gateline-lock"), 2, ".gateline-lock: it cannot be used"),
        (OSError(errno.ENOSPC, "No space left on device"), 8, "workspace: the disk is full (No space"),
        (MemoryError(), 8, "memory is used up, expected room"),
        (KeyboardInterrupt(), 130, "interrupted, nothing was published"),
    ],
    ids=["permission", "read-only", "full", "memory", "ctrl-c"],
)
@pytest.mark.parametrize("at", ["gateline.pipeline.run.append_event", "gateline.pipeline.run.open_run"])
def test_a_fault_of_the_system_is_one_sentence_and_a_code(quick, monkeypatch, capsys, error, code, says, at):
    monkeypatch.setattr(at, fail(error))
    ended, told = answer(monkeypatch, capsys, "run", quick, "--quiet")
    assert ended == code
    assert says in told
    assert "Traceback" not in told
    assert len(told.strip().splitlines()) == 1
    assert not (quick / "runs").exists()
    assert not (quick / ".gateline-lock").exists()


@pytest.mark.parametrize("command", ["run", "check", "train"])
def test_a_file_in_place_of_the_workspace_is_told(tmp_path, monkeypatch, capsys, command):
    (tmp_path / "w").write_text("x")
    assert answer(monkeypatch, capsys, command, tmp_path / "w")[0] == 2
    code, told = answer(monkeypatch, capsys, "init", tmp_path / "w")
    assert code == 2
    assert "gateline: inputs: it cannot be used (Not a directory), expected a path that may be read and written" in told


def test_a_disk_that_cannot_sync_is_told_first_and_in_the_record_and_changes_no_other_byte(quick, monkeypatch):
    before = digests(main_job.run_pipeline(quick, tell=quiet).folder)
    refuse(monkeypatch, errno.EINVAL)
    told = []
    finished = main_job.run_pipeline(quick, tell=told.append)
    assert told[0].startswith("note: the disk does not sync files: the run is published")
    assert json.loads((finished.folder / "timings.json").read_text())[0] == {"machine": told[0].removeprefix("note: ")}
    assert digests(finished.folder) == before
    assert verify_log(quick / "audit.jsonl") == 2


# P-6 and the log: one writer, and no export that is not logged


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"pid": "x", "host": "y"}', '{"pid": null, "host": "here"}'])
def test_a_lock_that_cannot_be_read_is_respected(tmp_path, text):
    (tmp_path / ".gateline-lock").write_text(text)
    with pytest.raises(LockedError, match="another process holds"), lock_workspace(tmp_path):
        pass
    assert (tmp_path / ".gateline-lock").read_text() == text


def test_a_second_run_at_the_same_time_ends_with_6_and_changes_nothing(quick, monkeypatch, capsys):
    with lock_workspace(quick):
        code, told = answer(monkeypatch, capsys, "run", quick)
    assert code == 6
    assert "another process holds .gateline-lock" in told
    assert not (quick / "audit.jsonl").exists()


def test_a_torn_log_stops_the_run_before_anything_is_written(quick):
    (quick / "audit.jsonl").write_text('{"seq": 1')
    with pytest.raises(IntegrityError, match=r"audit\.jsonl: the last line is torn"):
        main_job.run_pipeline(quick, tell=quiet)
    assert not (quick / "runs").exists()


def test_a_disk_that_fills_while_logging_leaves_the_log_whole(tmp_path, monkeypatch):
    log = tmp_path / "audit.jsonl"
    append_event(log, "score", run_id="one")
    before = log.read_bytes()
    write = os.write

    def write_half(descriptor, data):
        if len(data) < 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[: len(data) - 50])

    monkeypatch.setattr(gateline.audit.os, "write", write_half)
    with pytest.raises(OSError, match="No space left"):
        append_event(log, "score", run_id="two")
    monkeypatch.undo()
    assert log.read_bytes() == before
    append_event(log, "score", run_id="two")
    assert verify_log(log) == 2


def test_a_user_without_a_name_can_be_logged(tmp_path, monkeypatch):
    monkeypatch.setattr(gateline.audit.getpass, "getuser", fail(KeyError("uid 4242")))
    append_event(tmp_path / "audit.jsonl", "score")
    assert json.loads((tmp_path / "audit.jsonl").read_text())["os_user"] == "unknown"


def test_an_input_that_changes_while_it_is_read_is_refused(quick, monkeypatch):
    read = main_job.read_inputs

    def read_then_change(root, settings):
        inputs = read(root, settings)
        with (root / "inputs" / "stations.csv").open("a") as stream:
            stream.write("Late,54.0,-1.0,LTE\n")
        return inputs

    monkeypatch.setattr(main_job, "read_inputs", read_then_change)
    with pytest.raises(IntegrityError, match=r"stations\.csv: it changed while it was read, expected a finished file"):
        main_job.run_pipeline(quick, tell=quiet)
    assert not (quick / "audit.jsonl").exists()


# Paths that no system should follow


def test_a_path_that_cannot_be_followed_is_refused(tmp_path):
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    for text in ("a\0b.csv", "loop.csv", "a" * 5000):
        with pytest.raises(UsageError, match=r"inputs: path .* (cannot be followed|does not exist)"):
            resolve_inside(tmp_path, text)


def test_the_names_of_a_run_are_synced_too(tmp_path, monkeypatch):
    """The file of the pointer and the folders that hold the names are asked to the disk, not only the products."""
    synced = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor).st_ino), fsync(descriptor)))
    with open_run(tmp_path, "one") as folder:
        (folder / "a.csv").write_text("x")
    runs = tmp_path / "runs"
    wanted = [runs / "one" / "a.csv", runs / "current"] + ([] if os.name == "nt" else [runs / "one", runs])
    assert {path.stat().st_ino for path in wanted} <= set(synced)


def test_ctrl_c_in_a_stage_publishes_nothing(quick, monkeypatch, capsys):
    # A shell that starts the tests in the background has them ignore the key.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(main_job, "run_stages", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    try:
        code, told = answer(monkeypatch, capsys, "run", quick, "--quiet")
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, told) == (130, "gateline: interrupted, nothing was published\n")
    assert not (quick / "runs").exists()
    assert not (quick / ".gateline-lock").exists()
