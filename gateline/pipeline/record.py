"""
What a run remembers of itself: rows in and out of each stage, time, memory, versions, and what its id rests on.

The id and ``run.json`` depend only on the content of the inputs, the settings and the code, so that the same inputs
give the same bytes whatever the order of their rows. Time and memory differ from run to run and go to ``timings.json``.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import gateline
from gateline.settings import Settings

__all__ = [
    "Recorder",
    "StageRecord",
    "code_version",
    "content_digest",
    "library_versions",
    "make_run_id",
    "peak_mib",
    "record_settings",
]

_ROOT = Path(gateline.__file__).resolve().parents[1]
_LIBRARIES = (
    "folium",
    "geopandas",
    "numpy",
    "osmium",
    "pandas",
    "pyogrio",
    "pyproj",
    "scikit-learn",
    "scipy",
    "shapely",
)
_LINE_FILES = (".csv", ".csv.gz", ".txt")


@dataclass
class StageRecord:
    """
    One stage of a run.

    Attributes
    ----------
    name : str
        Stage name.
    rows : dict of str to int
        Rows in and out, by table.
    notes : list of str
        What is right but poorer, one sentence each.
    seconds, peak_mib : float
        Time taken, and the peak memory of the process when the stage ended.
    """

    name: str
    rows: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    peak_mib: float = 0.0


class Recorder:
    """
    Collects the stages of a run and tells the user as each one ends.

    Parameters
    ----------
    tell : callable
        Takes one line of text; a function that does nothing for quiet runs.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.stages: list[StageRecord] = []
        self._of_machine: list[str] = []

    def note_machine(self, note: str) -> None:
        """
        Note what this machine cannot do; results do not rest on it, so ``run.json`` says nothing of it.

        Parameters
        ----------
        note : str
            One sentence.
        """
        self._of_machine.append(note)
        self._tell(f"note: {note}")

    @contextmanager
    def stage(self, name: str) -> Iterator[StageRecord]:
        """
        Time a stage.

        Parameters
        ----------
        name : str
            Stage name.

        Yields
        ------
        StageRecord
            To be filled with rows and notes.
        """
        record = StageRecord(name)
        start = time.perf_counter()
        yield record
        record.seconds = time.perf_counter() - start
        record.peak_mib = peak_mib()
        self.stages.append(record)
        counts = ", ".join(f"{key} {n:,}" for key, n in record.rows.items())
        self._tell(f"{name:<12} {record.seconds:6.1f} s  {counts}")
        for note in record.notes:
            self._tell(f"{'':<12}   note: {note}")

    def to_record(self) -> list[dict[str, Any]]:
        """
        Give the stages without time and memory, for ``run.json``.

        Returns
        -------
        list of dict
            JSON-ready values.
        """
        return [{"stage": s.name, "rows": s.rows, "notes": s.notes} for s in self.stages]

    def timings(self) -> list[dict[str, Any]]:
        """
        Give time and memory by stage, and what the machine cannot do, for ``timings.json``.

        Returns
        -------
        list of dict
            JSON-ready values.
        """
        notes: list[dict[str, Any]] = [{"machine": note} for note in self._of_machine]
        return notes + [
            {"stage": s.name, "seconds": round(s.seconds, 3), "peak_mib": round(s.peak_mib, 1)} for s in self.stages
        ]


def peak_mib() -> float:
    """
    Measure the peak memory of this process so far.

    Returns
    -------
    float
        MiB; zero where the system does not tell (Windows).
    """
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))


def content_digest(path: Path) -> str:
    """
    Hash a file so that the order of its lines does not matter where lines are rows.

    Parameters
    ----------
    path : pathlib.Path
        The file. CSV, plain or gzipped, is hashed by its sorted lines; anything else by its bytes.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    data = path.read_bytes()
    if not path.name.lower().endswith(_LINE_FILES):
        return hashlib.sha256(data).hexdigest()
    if path.suffix.lower() == ".gz":
        data = gzip.decompress(data)  # a reader has bounded its size before
    lines = data.splitlines()
    return hashlib.sha256(b"\n".join([*lines[:1], *sorted(lines[1:])])).hexdigest()


@cache  # the code in memory does not change while a process runs
def code_version() -> str:
    """
    Hash the source files that make a run.

    Returns
    -------
    str
        The version, a plus sign and ten hexadecimal digits.
    """
    digest = hashlib.sha256()
    for package in ("gateline", "geo", "models"):
        for path in sorted((_ROOT / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(_ROOT).as_posix().encode())
                digest.update(path.read_bytes())
    return f"{gateline.__version__}+{digest.hexdigest()[:10]}"


def library_versions() -> dict[str, str]:
    """
    Name the libraries whose version can change a result.

    Returns
    -------
    dict of str to str
        Version by distribution name, with that of Python.
    """
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"python": ".".join(map(str, sys.version_info[:3])), **versions}


def record_settings(settings: Settings) -> dict[str, Any]:
    """
    Give the settings that a run rests on.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    dict
        JSON-ready values; without coaches nothing of how they are priced, so that a run without them keeps its id.
    """
    record = settings.model_dump(mode="json")
    if not settings.inputs.coaches:
        del record["coaches"], record["inputs"]["coaches"]
    return record


def make_run_id(settings: dict[str, Any], inputs: list[tuple[str, str]], code: str) -> str:
    """
    Derive the id of a run from everything that determines its result.

    Parameters
    ----------
    settings : dict
        JSON-ready settings.
    inputs : list of (str, str)
        Role and content digest of each input file; sorted here.
    code : str
        From `code_version`.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    body = json.dumps({"settings": settings, "inputs": sorted(inputs), "code": code}, sort_keys=True)
    return hashlib.sha256(body.encode()).hexdigest()[:12]
