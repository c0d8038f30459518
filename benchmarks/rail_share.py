"""
How many couriers come by train, town by town, by what is taken to run: `python -m benchmarks.rail_share`.

North Yorkshire on the real files and Gwent with a real feed of whole days: with trains that call everywhere, with
trains estimated from how many travel, and in Gwent with those of the feed. Each share by rail has its 90 % interval,
and beside it what makes it: minutes and price of the mean trip by rail and by car. North Yorkshire has no truth on
modes to set it against; in Gwent the feed's trains are the nearest to one.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.evidence import Evidence, parser
from benchmarks.main_job import make_workspace
from benchmarks.railway_hours import gwent_settings
from gateline.pipeline.planning import plan_run
from gateline.pipeline.read import Inputs, read_inputs
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import Results, run_stages
from gateline.settings import Settings, read_settings

N_TOWNS = 8
QUIET_PER_DAY = 100.0
_BASIS = {
    "timetable": "trains of the feed",
    "estimated": "trains estimated",
    "none": "every train calls everywhere",
}


def change(settings: Settings, *, estimate: bool, data: Path, has_timetable: bool) -> Settings:
    """The same settings with other trains."""
    document = settings.model_dump(exclude_none=True)
    document["rail"]["estimate_trains"] = estimate
    document["inputs"]["passenger_flows"] = str(data / "rail" / "odm_gb_2024_25.csv.gz")
    if not has_timetable:
        document["inputs"] = {k: v for k, v in document["inputs"].items() if not k.startswith(("timetable", "tiplocs"))}
    return Settings.model_validate(document)


def report(evidence: Evidence, region: str, inputs: Inputs, settings: Settings) -> Results:
    """Shares of the whole and of the towns with the most trips."""
    results = run_stages(inputs, settings, Recorder(lambda _: None))
    what = f"{region}, {_BASIS[results.railway_basis]}"
    flows, towns = results.courier_flows, results.place_exposure
    trips = flows["trips_per_month"]
    by_rail = trips * flows["rail_share"]
    minutes, cost_min = _mean(flows["rail_time_min"], by_rail), _mean(flows["rail_cost_min"], by_rail)
    note = f"the mean trip by rail: {minutes:.0f} min, priced {cost_min:.0f}"
    evidence.add(f"{what}: share of trips by rail", float(by_rail.sum() / trips.sum()), "of trips", note=note)
    outside = flows["origin_id"].isin(inputs.exporters.index)
    share = float(by_rail[outside].sum() / trips[outside].sum())
    evidence.add(f"{what}: share by rail of trips from exporting areas", share, "of trips")
    names = results.place_scores.table["name"]
    for town in towns["courier_trips_per_month"].sort_values(ascending=False).index[:N_TOWNS]:
        row, own = towns.loc[town], flows["destination_id"] == town
        rail_min, car_min = (_mean(flows[f"{mode}_time_min"][own], trips[own]) for mode in ("rail", "road"))
        evidence.add(
            f"{what}: {names[town]}, share by rail",
            float(row["rail_share"]),
            "of trips",
            interval=(float(row["rail_share_low"]), float(row["rail_share_high"])),
            note=f"rail {rail_min:.0f} min, car {car_min:.0f} min",
        )
    return results


def _mean(values: pd.Series, weights: pd.Series) -> float:
    some = values.notna() & (weights > 0)
    return float((values[some] * weights[some]).sum() / weights[some].sum())


def report_plan(evidence: Evidence, results: Results, settings: Settings, inputs: Inputs) -> None:
    """The quietest station that the plan names."""
    plan = plan_run(results, settings, inputs)
    if plan is None:
        evidence.skip("the plan", "there is none")
        return
    per_day = plan.duty.table.groupby("station_id")["passengers_per_day"].first()
    evidence.add(
        "North Yorkshire, trains estimated: stations of the plan with fewer than 100 passengers a day",
        int((per_day < QUIET_PER_DAY).sum()),
        "stations",
        n=len(per_day),
        note=f"the quietest: {per_day.idxmin()} with {per_day.min():,.0f}",
    )


def main() -> None:
    options = parser(__doc__ or "").parse_args()
    evidence, data = Evidence("rail_share"), options.data
    if not (data / "timetable").is_dir():
        evidence.skip("rail_share", f"no folder 'timetable' in {data.name!r}")
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "north-yorkshire"
        make_workspace(root, data)
        settings = read_settings(root / "region.toml")
        inputs = read_inputs(root, settings)
        for estimate in (False, True):
            own = change(settings, estimate=estimate, data=data, has_timetable=False)
            results = report(evidence, "North Yorkshire", inputs, own)
        report_plan(evidence, results, own, inputs)
    with tempfile.TemporaryDirectory() as folder:
        settings = gwent_settings(Path(folder), data)
        for estimate, has_timetable in ((False, False), (True, False), (True, True)):
            own = change(settings, estimate=estimate, data=data, has_timetable=has_timetable)
            report(evidence, "Gwent", read_inputs(Path(folder), own), own)
    evidence.write(options.json)


if __name__ == "__main__":
    main()
