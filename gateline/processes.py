"""Whether a process still runs, and is the one that was meant: a number alone is given again to another."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from ctypes import wintypes
from pathlib import Path
from typing import Any

__all__ = ["find_on_windows", "find_process"]

_MOST = 2**31
# Of the Windows API.
_QUERY_LIMITED_INFORMATION = 0x1000
_STILL_ACTIVE = 259
_ACCESS_DENIED = 5
_START_FIELD = 19  # of /proc/<pid>/stat, after the name in brackets: clock ticks since the machine started


def find_process(pid: int) -> str | None:
    """
    Find a process of this machine.

    Parameters
    ----------
    pid : int
        Its number.

    Returns
    -------
    str or None
        When it started, in words that another process of the same number does not have; blank where the system does
        not tell. None where there is no such process.
    """
    if not 0 < pid < _MOST:
        return None
    if os.name == "nt":
        kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
        return find_on_windows(pid, kernel32, ctypes.get_last_error)  # type: ignore[attr-defined]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:  # it runs, as another user
        pass
    return _start_on_linux(pid)


def _start_on_linux(pid: int) -> str:
    """Which start of the machine, and how long after it; blank on other systems."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return f"{boot} {stat.rpartition(')')[2].split()[_START_FIELD]}"
    except (OSError, IndexError):
        return ""


def find_on_windows(pid: int, kernel32: Any, last_error: Callable[[], int]) -> str | None:  # noqa: ANN401 - of ctypes
    """
    Find a process by the Windows API; `os.kill` would end it there.

    Parameters
    ----------
    pid : int
        Its number.
    kernel32 : ctypes.WinDLL
        The library.
    last_error : callable
        Gives the error of its last call.

    Returns
    -------
    str or None
        As for `find_process`.
    """
    kernel32.OpenProcess.restype = ctypes.c_void_p
    kernel32.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    handle = kernel32.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
    if not handle:
        return "" if last_error() == _ACCESS_DENIED else None
    opened = ctypes.c_void_p(handle)
    try:
        code = wintypes.DWORD()
        if kernel32.GetExitCodeProcess(opened, ctypes.byref(code)) and code.value != _STILL_ACTIVE:
            return None
        made, ended, of_kernel, of_user = (wintypes.FILETIME() for _ in range(4))
        times = (ctypes.byref(time) for time in (made, ended, of_kernel, of_user))
        is_told = kernel32.GetProcessTimes(opened, *times)
        return str(made.dwHighDateTime << 32 | made.dwLowDateTime) if is_told else ""
    finally:
        kernel32.CloseHandle(opened)
