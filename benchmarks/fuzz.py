"""
Spoilt inputs by the thousand, each reader in a process: no traceback, no hang, no row unaccounted, memory bounded.

``python -m benchmarks.fuzz --minutes 10`` goes round the readers until the time is over; ``--cases N`` takes N inputs a
reader instead. A case is known by its reader, its number and the seed, so that it can be made again; what fails is kept
under ``benchmarks/out/fuzz`` with its fault.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.fuzz_readers import READERS, Reader
from geo.errors import GatelineError

__all__ = ["judge", "make_case"]

OUT = Path(__file__).parent / "out" / "fuzz"
_LONGEST_S = 20.0
_MOST_GROWTH_MIB = 512.0
_LONGEST_MESSAGE = 2_000
_BATCH = 100
_FORM = re.compile(r"^[^\n]+: [^\n]+, expected [^\n]+\.$")


@dataclass(frozen=True)
class Outcome:
    """What became of one case: ``read``, ``refused`` or a fault, and the fault in words."""

    kind: str
    detail: str = ""


def make_case(reader: Reader, name: str, number: int, seed: int) -> bytes:
    """
    Make one spoilt input.

    Parameters
    ----------
    reader : Reader
        What will read it.
    name : str
        Its name.
    number, seed : int
        Which case.

    Returns
    -------
    bytes
        The same for the same numbers.
    """
    return reader.make(random.Random(f"{seed}:{name}:{number}"))  # noqa: S311 - nothing is kept secret by it


def judge(reader: Reader, data: bytes, folder: Path) -> Outcome:
    """
    Read one input and say what is wrong with what came of it.

    Parameters
    ----------
    reader : Reader
        The reader.
    data : bytes
        Content of the file.
    folder : pathlib.Path
        Where the file may be written.

    Returns
    -------
    Outcome
        ``read`` and ``refused`` are right.
    """
    path = folder / reader.file_name
    path.write_bytes(data)
    try:
        found = reader.read(path)
    except GatelineError as error:
        return _judge_message(reader, str(error))
    except MemoryError:
        return Outcome("memory", traceback.format_exc())
    except Exception:  # noqa: BLE001 - whatever it is, it is a fault
        return Outcome("traceback", traceback.format_exc())
    return _judge_accounts(reader, found, data)


def _judge_message(reader: Reader, text: str) -> Outcome:
    if not _FORM.match(text) or len(text) > _LONGEST_MESSAGE:
        return Outcome("message", text)
    shown = [number for number in re.findall(r"\d{6}", reader.make(None).decode("latin-1")) if number in text]
    if reader.is_private and shown:
        return Outcome("private", text)
    return Outcome("refused")


def _judge_accounts(reader: Reader, found: Any, data: bytes) -> Outcome:
    accounts = getattr(found, "accounts", None)
    if accounts is None:
        return Outcome("read")
    n_set_aside = sum(n for a in accounts for status, _, n in a.n_by_reason if status == "quarantined")
    n_listed = int((found.quarantine["status"] == "quarantined").sum())
    if n_set_aside != n_listed:
        return Outcome("unaccounted", f"{n_set_aside} rows set aside and {n_listed} listed: {accounts}")
    is_simple = reader.counts_lines and b'"' not in data and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if is_simple and not any(account.warnings for account in accounts):
        n_lines = sum(bool(line) for line in re.split(rb"\r\n|\r|\n", data)) - 1
        n_read = sum(account.n_read for account in accounts)
        if n_read != n_lines:
            return Outcome("unaccounted", f"{n_lines} rows and {n_read} read: {accounts}")
    return Outcome("read")


def _work(name: str, numbers: range, seed: int, pipe: Connection) -> None:
    """Judge cases one by one and send what came of each; a crash ends the process and is seen by the other side."""
    reader = READERS[name]
    with tempfile.TemporaryDirectory() as folder:
        whole = judge(reader, reader.make(None), Path(folder))
        if whole.kind != "read":
            msg = f"{name}: its seed is {whole}"
            raise AssertionError(msg)
        base = _peak_mib()
        for number in numbers:
            outcome = judge(reader, make_case(reader, name, number, seed), Path(folder))
            if _peak_mib() - base > _MOST_GROWTH_MIB:
                outcome, base = Outcome("memory", f"grew by {_peak_mib() - base:.0f} MiB"), _peak_mib()
            pipe.send(outcome)
    pipe.close()


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _run_batch(name: str, first: int, n: int, seed: int) -> list[Outcome]:
    """Outcomes of some cases; one that hangs or crashes ends its process, and the next goes on after it."""
    outcomes: list[Outcome] = []
    while len(outcomes) < n:
        ours, theirs = multiprocessing.Pipe(duplex=False)
        numbers = range(first + len(outcomes), first + n)
        process = multiprocessing.Process(target=_work, args=(name, numbers, seed, theirs))
        process.start()
        theirs.close()
        try:
            while len(outcomes) < n:
                if not ours.poll(_LONGEST_S + (_LONGEST_S if not outcomes else 0)):
                    outcomes.append(Outcome("hang", f"no answer in {_LONGEST_S:g} s"))
                    break
                outcomes.append(ours.recv())
        except EOFError:
            outcomes.append(Outcome("crash", "the process ended"))
        process.kill()
        process.join()
    return outcomes


def _keep(name: str, number: int, seed: int, outcome: Outcome) -> None:
    folder = OUT / f"{name}-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    reader = READERS[name]
    (folder / reader.file_name).write_bytes(make_case(reader, name, number, seed))
    (folder / "fault.txt").write_text(f"{outcome.kind}\n{outcome.detail}\n", encoding="utf-8")


def main() -> int:
    """Run the command; 1 where a case failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long to go on")
    parser.add_argument("--cases", type=int, default=None, help="cases a reader, instead of a time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", action="append", choices=sorted(READERS), help="this reader only; may be repeated")
    options = parser.parse_args()
    names = options.reader or sorted(READERS)
    until = time.monotonic() + 60 * options.minutes
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    n_done = 0
    while n_done < options.cases if options.cases is not None else time.monotonic() < until:
        n = _BATCH if options.cases is None else min(_BATCH, options.cases - n_done)
        for name in names:
            if options.cases is None and time.monotonic() > until:
                break
            for number, outcome in enumerate(_run_batch(name, n_done, n, options.seed), start=n_done):
                counts[name][outcome.kind] += 1
                if outcome.kind not in {"read", "refused"}:
                    _keep(name, number, options.seed, outcome)
        n_done += n
    total: Counter[str] = sum(counts.values(), Counter())
    print(f"{'reader':<18} {'read':>7} {'refused':>8} {'faults':>7}")
    for name, count in [*counts.items(), ("all", total)]:
        faults = {kind: n for kind, n in count.items() if kind not in {"read", "refused"}}
        told = ", ".join(f"{n} {kind}" for kind, n in sorted(faults.items()))
        print(f"{name:<18} {count['read']:>7,} {count['refused']:>8,} {sum(faults.values()):>7,} {told}")
    return int(any(kind not in {"read", "refused"} for kind in total))


if __name__ == "__main__":
    sys.exit(main())
