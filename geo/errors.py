"""
The tree of expected faults, each with the exit code that the command line answers with.

A message reads ``<what>: <what is wrong, with the value>, expected <what>. <What to do>.`` and never carries a victim's
data. Anything that is not a `GatelineError` is a bug and shows its traceback.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "CrsError",
    "DisclosureError",
    "GatelineError",
    "InputError",
    "IntegrityError",
    "LockedError",
    "ModelGateError",
    "QuarantineError",
    "ResourceError",
    "TableError",
    "UsageError",
]


class GatelineError(Exception):
    """An expected fault: one sentence for the user, one exit code for the shell."""

    exit_code: ClassVar[int] = 1


class UsageError(GatelineError, ValueError):
    """A command, setting or argument is wrong, or a needed part is not installed."""

    exit_code = 2


class InputError(GatelineError, ValueError):
    """An input file or table cannot be used."""

    exit_code = 3


class TableError(InputError):
    """A table breaks its contract; the message lists every breach."""


class CrsError(InputError):
    """Coordinates are not in the reference system that the stage works in."""


class QuarantineError(GatelineError, ValueError):
    """More rows were quarantined than the settings allow."""

    exit_code = 4


class IntegrityError(GatelineError, RuntimeError):
    """A file, log or artefact is not what its hash says, or a conservation law is broken."""

    exit_code = 5


class LockedError(GatelineError, RuntimeError):
    """Another process is writing to the workspace."""

    exit_code = 6


class DisclosureError(GatelineError, PermissionError):
    """What was asked would show, or could be used to work out, what must stay hidden; or it has expired."""

    exit_code = 7


class ResourceError(GatelineError, RuntimeError):
    """A limit on size, memory, time or disk was reached."""

    exit_code = 8


class ModelGateError(GatelineError, RuntimeError):
    """A model or list did not pass its gate and is not issued."""

    exit_code = 9
