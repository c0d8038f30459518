"""Size, load time and requests of the map at 2,600 stations and 100,000 offences: `python -m benchmarks.map_budget`."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.evidence import Evidence, parser, peak_mib
from gateline.products.map_page import write_map
from tests.browser.fictional_run import build_run

N_STATIONS = 2_600
N_OFFENCES = 100_000
N_HOTSPOTS = 2_000
MOST_MIB = 5.0
MOST_SECONDS = 3.0
N_LOADS = 5
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("map_budget")
    run = build_run(N_STATIONS, n_hotspots=N_HOTSPOTS, n_offences=N_OFFENCES)
    n_drawn = int(run.hotspots["n_offences"].sum())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.html"
        start = time.perf_counter()
        write_map(path, run)
        seconds = time.perf_counter() - start
        size_mib = path.stat().st_size / 2**20
        counts = f"{len(run.stations)} stations, {len(run.hotspots)} hotspots of {n_drawn} offences"
        evidence.add("map written", seconds, "s", n=N_STATIONS, seconds=seconds, peak_mib=peak_mib(), note=counts)
        evidence.add("map size", size_mib, "MiB", baseline={"name": "budget", "figure": MOST_MIB}, n=N_STATIONS)
        program = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
        if program is None:
            evidence.skip("load time and requests", "chromium is absent (apt-get install chromium)")
        else:
            _load(evidence, program, path)
    evidence.write(options.json)


def _load(evidence: Evidence, program: str, path: Path) -> None:
    """Open the map afresh several times, from disk and with the network off."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        visits = []
        for _ in range(N_LOADS):
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            visits.append(_visit(browser, path))
            browser.close()
    ready = sorted(visit["ready"] for visit in visits)
    replied = sorted(visit["replied"] for visit in visits)
    budget = {"name": "budget", "figure": MOST_SECONDS}
    span = (replied[0], replied[-1])
    evidence.add("map ready", median(ready), "s", interval=(ready[0], ready[-1]), n=N_LOADS)
    evidence.add("map interactive", median(replied), "s", baseline=budget, interval=span, n=N_LOADS)
    evidence.add("requests beyond the file", max(visit["requests"] for visit in visits), "requests", n=N_LOADS)
    evidence.add("console faults", max(visit["faults"] for visit in visits), "faults", n=N_LOADS)


def _visit(browser: Any, path: Path) -> dict[str, float]:
    """Seconds from opening until the page is built, and until a click on the list has shown its reasons."""
    page = browser.new_context(offline=True, viewport={"width": 1366, "height": 768}).new_page()
    requests: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    start = time.perf_counter()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-gl-ready]", state="attached", timeout=60_000)
    ready = time.perf_counter() - start
    page.click("#gl-rows tr:first-child .gl-name")
    page.wait_for_selector("#gl-detail h2")
    replied = time.perf_counter() - start
    return {"ready": ready, "replied": replied, "requests": len(requests) - 1, "faults": len(faults)}


if __name__ == "__main__":
    main()
