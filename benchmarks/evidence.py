"""What every benchmark shares: its options, its rows of evidence, and its table."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

DEFAULT_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass
class Claim:
    """One row of evidence; `baseline` is a name and a figure, `interval` a pair, either may be None."""

    claim: str
    figure: float | str | None
    unit: str
    baseline: dict[str, Any] | None = None
    interval: tuple[float, float] | None = None
    n: int | None = None
    seconds: float | None = None
    peak_mib: float | None = None
    note: str = ""


@dataclass
class Evidence:
    """The rows of one benchmark, and what it skipped."""

    name: str
    rows: list[Claim] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, claim: str, figure: float | str | None, unit: str, **more: Any) -> None:
        self.rows.append(Claim(claim, figure, unit, **more))
        print(_line(self.rows[-1]), flush=True)

    def skip(self, what: str, why: str) -> None:
        self.skipped.append(f"{what}: skipped, {why}")
        print(self.skipped[-1], flush=True)

    def write(self, path: Path | None) -> None:
        if path is not None:
            path.write_text(
                json.dumps([asdict(row) for row in self.rows], indent=1, allow_nan=False) + "\n", encoding="utf-8"
            )


def parser(description: str) -> argparse.ArgumentParser:
    """The options every benchmark takes."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--data", type=Path, default=DEFAULT_DATA, help="folder of real input files")
    options.add_argument("--json", type=Path, default=None, help="also write the rows to this file")
    return options


def peak_mib() -> float:
    """Peak resident memory of this process so far, MiB."""
    divisor = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / divisor


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """A list that holds the seconds spent inside the block once it ends."""
    seconds: list[float] = []
    start = time.perf_counter()
    yield seconds
    seconds.append(time.perf_counter() - start)


def _line(row: Claim) -> str:
    figure = f"{row.figure:,.4g}" if isinstance(row.figure, float) else str(row.figure)
    parts = [f"{row.claim}: {figure} {row.unit}"]
    if row.interval is not None:
        parts.append(f"[{row.interval[0]:.4g}, {row.interval[1]:.4g}]")
    if row.baseline is not None:
        parts.append(f"against {row.baseline['name']} {row.baseline['figure']}")
    if row.n is not None:
        parts.append(f"n={row.n:,}")
    if row.seconds is not None:
        parts.append(f"{row.seconds:.2f} s")
    if row.peak_mib is not None:
        parts.append(f"{row.peak_mib:.0f} MiB")
    if row.note:
        parts.append(f"({row.note})")
    return "  ".join(parts)
