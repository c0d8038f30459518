"""A process is known by its number and by when it started, on this system and on Windows."""

import ctypes
import os
import subprocess
import sys

import pytest

import gateline.processes
from gateline.processes import find_on_windows, find_process

DENIED, NO_SUCH = 5, 87


def test_this_process_is_found_and_one_that_ended_is_not():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert find_process(ended.pid) is None
    assert find_process(os.getpid()) == find_process(os.getpid()) is not None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells when a process started, in /proc")
def test_two_processes_started_at_other_times():
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert find_process(other.pid) not in {"", None, find_process(os.getpid())}
    finally:
        other.communicate(b"\n")


@pytest.mark.parametrize("pid", [0, -1, 2**31, 10**30])
def test_no_process_has_such_a_number(pid):
    assert find_process(pid) is None


def test_a_process_of_another_user_is_alive(monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(gateline.processes.os, "kill", refuse)
    assert find_process(os.getpid()) is not None


def test_a_system_that_does_not_tell_the_start_says_so(monkeypatch):
    def absent(*_, **__):
        raise FileNotFoundError

    monkeypatch.setattr(gateline.processes.Path, "read_text", absent)
    assert find_process(os.getpid()) == ""


class Kernel32:
    """The four calls of the Windows API, of a machine with one process."""

    def __init__(self, *, pid=7, exit_code=259, started=(1, 5), is_told=True):
        self.closed = 0

        def open_process(_access, _inherit, wanted):
            return 42 if wanted == pid else None

        def exit_code_of(_handle, code):
            code._obj.value = exit_code
            return 1

        def times_of(_handle, made, *_others):
            made._obj.dwHighDateTime, made._obj.dwLowDateTime = started
            return int(is_told)

        def close(_handle):
            self.closed += 1

        self.OpenProcess, self.GetExitCodeProcess = open_process, exit_code_of
        self.GetProcessTimes, self.CloseHandle = times_of, close


def test_windows_tells_a_running_process_from_an_ended_one_and_no_handle_stays_open():
    running, ended = Kernel32(), Kernel32(exit_code=0)
    assert find_on_windows(7, running, lambda: 0) == str((1 << 32) + 5)
    assert find_on_windows(7, ended, lambda: 0) is None
    assert (running.closed, ended.closed) == (1, 1)
    assert find_on_windows(7, Kernel32(is_told=False), lambda: 0) == ""


def test_windows_has_no_such_process_or_does_not_let_it_be_seen():
    assert find_on_windows(8, Kernel32(), lambda: NO_SUCH) is None
    assert find_on_windows(8, Kernel32(), lambda: DENIED) == ""


def test_on_windows_the_api_is_asked(monkeypatch):
    monkeypatch.setattr(gateline.processes.os, "name", "nt")
    monkeypatch.setattr(ctypes, "WinDLL", lambda *_, **__: Kernel32(pid=7), raising=False)
    monkeypatch.setattr(ctypes, "get_last_error", lambda: NO_SUCH, raising=False)
    found = find_process(7), find_process(8)
    monkeypatch.undo()
    assert found == (str((1 << 32) + 5), None)
