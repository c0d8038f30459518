"""A run is there whole or not at all, one process writes at a time, and no path leads out of the workspace."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from gateline.workspace import current_run, lock_workspace, open_run, resolve_inside
from geo.errors import LockedError, ResourceError, UsageError


def test_a_run_appears_only_when_its_block_ends_well(tmp_path):
    with open_run(tmp_path, "one") as folder:
        (folder / "a.csv").write_text("x")
        assert not (tmp_path / "runs" / "one").exists()
    assert (current_run(tmp_path) / "a.csv").read_text() == "x"


def test_a_failed_run_leaves_the_one_before(tmp_path):
    with open_run(tmp_path, "one") as folder:
        (folder / "a.csv").write_text("old")
    with pytest.raises(ZeroDivisionError), open_run(tmp_path, "two") as folder:
        (folder / "a.csv").write_text(str(1 / 0))
    assert current_run(tmp_path).name == "one"
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["current", "one"]


def test_the_same_run_again_replaces_itself(tmp_path):
    for text in ("old", "new"):
        with open_run(tmp_path, "one") as folder:
            (folder / "a.csv").write_text(text)
    assert (current_run(tmp_path) / "a.csv").read_text() == "new"
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["current", "one"]


def test_a_swap_cut_short_is_undone_by_the_next_run(tmp_path):
    with open_run(tmp_path, "one") as folder:
        (folder / "a.csv").write_text("old")
    (tmp_path / "runs" / "one").rename(tmp_path / "runs" / ".tmp-old-one")
    with open_run(tmp_path, "two"):
        pass
    assert (tmp_path / "runs" / "one" / "a.csv").read_text() == "old"


def test_a_full_disk_is_told_and_publishes_nothing(tmp_path):
    with pytest.raises(ResourceError, match=r"the disk is full while writing run 'one'"), open_run(tmp_path, "one"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not (tmp_path / "runs" / "one").exists()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a POSIX signal")
def test_a_killed_run_is_never_half_published(tmp_path):
    script = (
        "import sys, pathlib; from gateline.workspace import open_run\n"
        "while True:\n"
        "    with open_run(pathlib.Path(sys.argv[1]), 'one') as f:\n"
        "        [(f / f'{i}.csv').write_text('x' * 200_000) for i in range(5)]\n"
    )
    for wait_s in (0.25, 0.4, 0.55):
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        final = tmp_path / "runs" / "one"
        if final.exists():
            assert sorted(p.stat().st_size for p in final.iterdir()) == [200_000] * 5
    with open_run(tmp_path, "two") as folder:
        (folder / "a.csv").write_text("x")
    assert not list((tmp_path / "runs").glob(".tmp-*"))


def test_a_second_writer_is_refused(tmp_path):
    with (
        lock_workspace(tmp_path),
        pytest.raises(LockedError, match=r"another process holds .gateline-lock, expected none"),
        lock_workspace(tmp_path),
    ):
        pass
    with lock_workspace(tmp_path):
        pass


def test_the_lock_of_a_dead_process_is_taken_over_only_on_this_machine(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    lock = tmp_path / ".gateline-lock"
    lock.write_text(json.dumps({"pid": process.pid, "host": socket.gethostname()}))
    with lock_workspace(tmp_path):
        pass
    lock.write_text(json.dumps({"pid": process.pid, "host": "elsewhere"}))
    with pytest.raises(LockedError, match="another process holds"), lock_workspace(tmp_path):
        pass


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("/vsicurl/x", "is a remote or virtual file"),
        ("https://example.org/x.csv", "is a remote or virtual file"),
        ("../outside.csv", "leaves the workspace"),
        ("absent.csv", "does not exist"),
    ],
)
def test_a_path_that_leads_out_is_refused(tmp_path, text, says):
    workspace = tmp_path / "w"
    workspace.mkdir()
    (tmp_path / "outside.csv").write_text("x")
    with pytest.raises(UsageError, match=f"inputs: path '{text}' {says}"):
        resolve_inside(workspace, text)


def test_a_symlink_that_leads_out_is_refused(tmp_path):
    workspace = tmp_path / "w"
    workspace.mkdir()
    (tmp_path / "outside.csv").write_text("x")
    (workspace / "in.csv").symlink_to(tmp_path / "outside.csv")
    with pytest.raises(UsageError, match="leaves the workspace"):
        resolve_inside(workspace, "in.csv")
