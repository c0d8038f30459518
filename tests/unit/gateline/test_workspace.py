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

import gateline.workspace
from gateline.processes import find_process
from gateline.workspace import current_run, lock_workspace, open_run, probe_disk, resolve_inside
from geo.errors import LockedError, ResourceError, UsageError
from tests.unit.geo.test_durable import refuse


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


def hold(root, **record):
    lock = root / ".gateline-lock"
    lock.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), **record}))
    return lock


def test_a_number_given_to_another_process_is_no_holder(tmp_path):
    hold(tmp_path, started="another start of the machine 1")
    with lock_workspace(tmp_path):
        written = json.loads((tmp_path / ".gateline-lock").read_text())
    assert written["started"] == find_process(os.getpid())


@pytest.mark.parametrize("record", [{}, {"started": ""}, {"started": None}, {"pid": 0}, {"pid": -1}])
def test_a_lock_that_does_not_say_when_it_was_taken_is_respected(tmp_path, record):
    lock = hold(tmp_path, **record)
    with pytest.raises(LockedError, match="another process holds"), lock_workspace(tmp_path):
        pass
    assert lock.exists()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_workspace_that_cannot_be_written_to_is_told_before_anything_is_done(tmp_path, monkeypatch, number):
    def answer(*_):
        raise OSError(number, os.strerror(number))

    says = rf"nothing can be written there \({os.strerror(number)}\), expected a workspace on a disk that may be"
    monkeypatch.setattr(gateline.workspace.os, "open", answer)
    with pytest.raises(UsageError, match=says), lock_workspace(tmp_path):
        pass
    monkeypatch.undo()
    monkeypatch.setattr(type(tmp_path), "mkdir", lambda *_, **__: answer())
    with pytest.raises(UsageError, match=says):
        probe_disk(tmp_path)


def test_a_full_disk_is_told_before_anything_is_done(tmp_path, monkeypatch):
    refuse(monkeypatch, errno.ENOSPC)
    with pytest.raises(ResourceError, match=r"the disk is full, expected room\. Free some and run again\."):
        probe_disk(tmp_path)
    assert not list(tmp_path.iterdir())
    monkeypatch.undo()
    refuse(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        probe_disk(tmp_path)


@pytest.mark.parametrize(("of", "what"), [(("folders",), "folders"), (("files", "folders"), "files")])
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EBADF])
def test_a_disk_that_cannot_sync_is_told_and_the_run_is_published(tmp_path, monkeypatch, number, of, what):
    assert probe_disk(tmp_path) == ()
    refuse(monkeypatch, number, of=of)
    (note,) = probe_disk(tmp_path)
    assert note == f"the disk does not sync {what}: the run is published, but not promised to outlive a power cut"
    assert not list(tmp_path.iterdir())
    for text in ("old", "new"):
        with open_run(tmp_path, "one") as folder:
            (folder / "a.csv").write_text(text)
    assert (current_run(tmp_path) / "a.csv").read_text() == "new"


def test_a_folder_that_another_program_holds_for_a_moment_is_waited_for(tmp_path, monkeypatch):
    replace, answers = type(tmp_path).replace, [errno.EACCES, errno.EBUSY]

    def held(path, target):
        if answers:
            raise OSError(answers.pop(), "held")
        return replace(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", held)
    monkeypatch.setattr(gateline.workspace.time, "sleep", lambda _: None)
    with open_run(tmp_path, "one") as folder:
        (folder / "a.csv").write_text("x")
    assert not answers
    assert current_run(tmp_path).name == "one"


def test_where_the_new_copy_cannot_take_its_place_the_old_one_has_it_again(tmp_path, monkeypatch):
    with open_run(tmp_path, "one") as folder:
        (folder / "a.csv").write_text("old")
    replace = type(tmp_path).replace

    def refuse_new(path, target):
        if path.name == ".tmp-one":
            raise OSError(errno.EIO, "Input/output error")
        return replace(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", refuse_new)
    with pytest.raises(OSError, match="Input/output error"), open_run(tmp_path, "one") as folder:
        (folder / "a.csv").write_text("new")
    assert (current_run(tmp_path) / "a.csv").read_text() == "old"


def test_a_long_path_with_spaces_and_accents_is_a_workspace_like_any(tmp_path):
    root = tmp_path / ("Ärger mit Pfaden " * 4) / ("道 " * 30) / ("x" * 120)
    (root / "inputs").mkdir(parents=True)
    (root / "inputs" / "Straße 1.csv").write_text("x")
    assert len(str(root)) > 260
    with lock_workspace(root), open_run(root, "one") as folder:
        (folder / "a.csv").write_text("x")
    assert current_run(root).name == "one"
    assert resolve_inside(root, "inputs/Straße 1.csv").read_text() == "x"
