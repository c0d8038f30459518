"""
Coaches and buses from a real feed: `python -m benchmarks.coaches`.

Reads the feed of Newport's buses and coaches with every row accounted for, and runs Gwent with it and without: how
trips divide, at how many stops couriers can be met, and what that costs in seconds and memory.
"""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from benchmarks.evidence import Evidence, parser, peak_mib, stopwatch
from benchmarks.railway_hours import gwent_settings
from gateline.pipeline.planning import plan_run
from gateline.pipeline.read import read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import Results, run_stages
from gateline.settings import Settings
from geo.sources.coaches import read_coaches

FEED = "timetable/newport-20230613_gtfs.zip"
MONDAY = date(2023, 6, 19)


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence = Evidence("coaches")
    path: Path = options.data / FEED
    if not path.is_file():
        evidence.skip("coaches of Newport", f"no file {FEED!r}")
        return
    with stopwatch() as seconds:
        reading = read_coaches([path], week_start_on=MONDAY)
    n_read = sum(account.n_read for account in reading.accounts)
    n_told = sum(a.n_accepted + sum(n for *_, n in a.n_by_reason) for a in reading.accounts)
    evidence.add("rows of the feed accounted for", n_told, f"of {n_read:,}", seconds=seconds[0], peak_mib=peak_mib())
    evidence.add("stops put together", len(reading.stops), "coach stops", n=_n_called(reading.accounts))
    for has_coaches in (False, True):
        run_gwent(evidence, options.data, has_coaches=has_coaches)
    evidence.write(options.json)


def run_gwent(evidence: Evidence, data: Path, *, has_coaches: bool) -> None:
    """Stages and plan, with the coach that is a slow car or with the feed."""
    with tempfile.TemporaryDirectory() as folder:
        settings = gwent_settings(Path(folder), data)
        if has_coaches:
            document = settings.model_dump(exclude_none=True)
            document["inputs"]["coaches"] = [str(data / FEED)]
            document["coaches"]["week_start_on"] = MONDAY
            settings = Settings.model_validate(document)
        with stopwatch() as seconds:
            inputs = read_inputs(Path(folder), settings)
            results = run_stages(inputs, settings, Recorder(lambda _: None))
            plan = plan_run(results, settings, inputs)
    what = "with the feed" if has_coaches else "with the coach that is a slow car"
    for mode in ("rail", "coach", "car", "hire"):
        evidence.add(f"Gwent {what}, share by {mode}", share_by(results, mode), "of trips")
    evidence.add(f"Gwent {what}, read, stages and plan", None, "", seconds=seconds[0], peak_mib=peak_mib())
    if results.coach is not None and plan is not None:
        n_at_stops = int((plan.duty.table["kind"] == "coach stop").sum())
        evidence.add("coach stops of the force with couriers", len(results.coach.stops), "stops")
        evidence.add("stops of the plan that are at one", n_at_stops, "stops", n=len(plan.duty.table))


def share_by(results: Results, mode: str) -> float:
    """Share of all trips that goes by a mode."""
    flows = results.courier_flows
    trips = flows["trips_per_month"]
    return float((trips * flows[f"{mode}_share"]).sum() / trips.sum())


def _n_called(accounts: tuple[object, ...]) -> int:
    return next(a.n_accepted for a in accounts if a.source_file.endswith(":stops.txt"))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
