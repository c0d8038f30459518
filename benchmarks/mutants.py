"""
One-line bugs planted in every package, and whether the tests that should catch each do: `python -m benchmarks.mutants`.

A copy of the checkout is made once. Its tests must pass as it is; then each bug is planted alone, the tests named
with it are run, and the file is put back. A bug counts as caught if a test fails, not if nothing could be collected.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.evidence import DEFAULT_DATA, Evidence, parser

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("geo", "models", "gateline", "tests", "benchmarks", "data", "pyproject.toml")
# What pytest ends with where tests ran and some failed; 2 and above mean that they could not be run.
TESTS_FAILED = 1
UNIT, LAWS, WHOLE, ORACLES = "tests/unit/", "tests/properties/", "tests/integration/", "tests/oracles/"
ROSTER = ORACLES + "test_roster_oracle.py"
DOORS = UNIT + "geo/sources/"
CIF = UNIT + "geo/sources/test_cif_odd.py " + UNIT + "geo/sources/test_cif.py"


class Mutant(NamedTuple):
    """A bug: a text that stands once in a file, on one line, what stands there instead, and where that should show."""

    file: str
    old: str
    new: str
    tests: str


MUTANTS = (
    # geo
    Mutant("geo/schema.py", "(numbers < (-np.inf if", "(numbers > (-np.inf if", UNIT + "geo/test_schema.py"),
    Mutant(
        "geo/sources/quoted.py",
        '"truncated" if cut_short and len(fields) < n_columns else "ragged"',
        '"truncated" if len(fields) < n_columns else "ragged"',
        UNIT + "geo/sources/test_source_delimited.py",
    ),
    Mutant(
        "geo/network/usage.py",
        "entries.add(exits, fill_value=0.0)",
        "entries.add(exits)",
        UNIT + "geo/network/test_usage.py",
    ),
    Mutant(
        "geo/network/road_kernels.py",
        "t = ((px - ax) * dx + (py - ay) * dy)",
        "t = ((px - ax) * dx - (py - ay) * dy)",
        UNIT + "geo/network/test_snapping.py",
    ),
    Mutant(
        "geo/network/default_times.py",
        "return np.minimum(past, np.add.reduceat(calling, starts))",
        "return past",
        UNIT + "geo/network/test_default_times.py",
    ),
    Mutant(
        "geo/network/default_times.py",
        "radius = product / (2.0 * twice_area)",
        "radius = product / twice_area",
        UNIT + "geo/network/test_default_times.py",
    ),
    Mutant(
        "geo/hotspots/local_statistics.py",
        "(np.minimum(above, below) + 1) / (n_permutations + 1)",
        "np.minimum(above, below) / (n_permutations + 1)",
        UNIT + "geo/hotspots/test_local_statistics.py",
    ),
    Mutant(
        "geo/hotspots/grid.py",
        "(np.min(easting_m) - margin_m)",
        "(np.min(easting_m) + margin_m)",
        UNIT + "geo/hotspots/test_grid.py",
    ),
    Mutant(
        "geo/hotspots/near_repeat.py",
        "[:, :-1].cumsum(axis=0).cumsum(axis=1)",
        "[:, :-1].cumsum(axis=1)",
        UNIT + "geo/hotspots/test_near_repeat.py",
    ),
    Mutant(
        "geo/corridors/choice.py",
        "weight = np.exp(-scale_per_min",
        "weight = np.exp(scale_per_min",
        UNIT + "geo/corridors/test_choice.py",
    ),
    Mutant(
        "geo/corridors/choice.py",
        "(np.array(wait_min))) + supply.constant_min",
        "(np.array(wait_min))) - supply.constant_min",
        UNIT + "geo/corridors/test_coach_mode.py",
    ),
    Mutant(
        "geo/corridors/routes.py",
        "nest, n_nests = pair * n_modes + mode,",
        "nest, n_nests = pair * n_modes,",
        UNIT + "geo/corridors/test_coach_mode.py",
    ),
    Mutant(
        "geo/corridors/mode_split.py",
        'unseen = sums[list(MODES)].assign(rail=sums["rail"] - seen)',
        "unseen = sums[list(MODES)]",
        UNIT + "geo/corridors/test_mode_split.py",
    ),
    Mutant(
        "models/posterior/estimate.py",
        "np.asarray(layout.by_town @ rail).T,",
        "np.asarray(layout.by_town @ share).T,",
        UNIT + "models/test_posterior.py",
    ),
    Mutant(
        "geo/sources/coaches.py",
        "free = [other for other in near[k] if leader[other] < 0]",
        "free = near[k]",
        UNIT + "geo/sources/test_coaches.py",
    ),
    Mutant(
        "geo/corridors/gravity.py",
        "-pairs.columns[self.cost]",
        "pairs.columns[self.cost]",
        UNIT + "geo/corridors/test_interaction_models.py",
    ),
    Mutant(
        "geo/corridors/assignment.py",
        "walking + changes[:, None] * (loads.through - walking)",
        "walking + changes[:, None] * loads.through",
        UNIT + "geo/corridors/test_assignment.py",
    ),
    Mutant(
        "geo/disclosure/suppression.py",
        "np.floor(x / rule.rounding + 0.5)",
        "np.floor(x / rule.rounding)",
        UNIT + "geo/disclosure/test_suppression.py",
    ),
    Mutant(
        "geo/disclosure/ledger.py",
        "if 0 < n < MIN_RECORDS",
        "if 1 < n < MIN_RECORDS",
        UNIT + "geo/disclosure/test_ledger.py",
    ),
    Mutant(
        "geo/disclosure/quadtree.py",
        "n_addresses < rule.min_addresses or n_dwellings",
        "n_addresses < rule.min_addresses and n_dwellings",
        UNIT + "geo/disclosure/test_quadtree.py",
    ),
    # models
    Mutant(
        "models/metrics.py",
        "(outcomes * np.log(expected) - expected -",
        "(outcomes * np.log(expected) -",
        UNIT + "models/test_training.py",
    ),
    Mutant(
        "models/shrinkage.py",
        "return (counts + self.shape) / (exposure + self.rate)",
        "return (counts + self.shape) / (exposure + self.shape)",
        UNIT + "models/test_counting.py",
    ),
    Mutant(
        "models/planning/solver/greedy.py",
        "free[g, duty] and (best is None or gain[duty] > best.gain)",
        "free[g, duty] and best is None",
        "tests/properties/test_planning_laws.py " + UNIT + "models/test_planning_plan.py",
    ),
    Mutant(
        "models/planning/solver/greedy.py",
        "if gain[best] > gain[work.duty] * (1.0 + _SAME):",
        "if gain[best] > 2.0 * gain[work.duty]:",
        UNIT + "models/test_planning_solving.py",
    ),
    Mutant(
        "models/planning/solver/envelope.py",
        "height = (met[:, None] - grid @ slopes.T).max(axis=0)",
        "height = (met[:, None] - grid @ slopes.T).mean(axis=0)",
        UNIT + "models/test_planning_solving.py",
    ),
    Mutant(
        "models/planning/solver/reducing.py",
        "found.bound + np.minimum(price, 0.0).max(axis=0)",
        "found.bound + np.minimum(-price, 0.0).max(axis=0)",
        UNIT + "models/test_planning_solving.py",
    ),
    Mutant(
        "models/planning/response/mixing.py",
        "left = _count_teams(setting, slot, teams) - certain.sum(axis=1)",
        "left = _count_teams(setting, slot, teams)",
        UNIT + "models/test_planning_plan.py",
    ),
    # duty rosters
    Mutant(
        "models/planning/roster/team_weeks.py",
        "return rest_min >= 60.0 * problem.rules.rest_h",
        "return rest_min <= 60.0 * problem.rules.rest_h",
        ROSTER,
    ),
    Mutant(
        "models/planning/roster/team_weeks.py",
        "if before.worked.bit_count() < most:",
        "if before.worked.bit_count() <= most:",
        ROSTER,
    ),
    Mutant(
        "models/planning/roster/itineraries.py",
        "break_window=(rules.steps(60 * rules.break_from_h), int(60 * rules.break_to_h // rules.step_min)),",
        "break_window=(rules.steps(60 * rules.break_from_h) - 1, int(60 * rules.break_to_h // rules.step_min)),",
        ROSTER,
    ),
    Mutant(
        "models/planning/roster/itineraries.py",
        "home=n - rules.steps(rules.debrief_min) - base,",
        "home=n - base,",
        ROSTER,
    ),
    Mutant(
        "models/planning/roster/problem.py",
        "steps = np.ceil(np.where(near, minutes + rules.arrive_min, 0.0)",
        "steps = np.floor(np.where(near, minutes, 0.0)",
        ROSTER,
    ),
    Mutant(
        "models/planning/roster/meeting.py",
        "passing[rows] *= 1.0 - problem.chance.T[stations[rows]]",
        "passing[rows] *= 1.0",
        ROSTER,
    ),
    Mutant(
        "models/planning/roster/meeting.py",
        "blocked[steps, stations[steps]] = True",
        "blocked[steps, stations[steps]] = False",
        ROSTER,
    ),
    Mutant(
        "models/planning/roster/yields.py",
        "* -np.expm1(-whole) * part)",
        "* -np.expm1(-whole))",
        UNIT + "models/test_roster.py",
    ),
    Mutant(
        "models/planning/roster/yields.py",
        'ends = {"": met, "_low": f"{met}_high", "_high": f"{met}_low"}',
        'ends = {"": met, "_low": f"{met}_low", "_high": f"{met}_high"}',
        UNIT + "models/test_roster.py",
    ),
    Mutant(
        "models/planning/roster/couriers.py",
        "kept = np.exp(-MODE_SCALE_PER_MIN",
        "kept = np.exp(MODE_SCALE_PER_MIN",
        UNIT + "models/test_roster.py",
    ),
    Mutant(
        "geo/corridors/hours.py",
        "station * HOURS_PER_WEEK + hour % HOURS_PER_WEEK",
        "station * HOURS_PER_WEEK + np.minimum(hour, HOURS_PER_WEEK - 1)",
        UNIT + "geo/corridors/test_hours.py",
    ),
    Mutant(
        "geo/corridors/hours.py",
        "np.where(expected > 0, records, 0.0)",
        "records",
        UNIT + "geo/corridors/test_hours.py",
    ),
    Mutant(
        "geo/hotspots/hours_near.py",
        "weight = np.exp(-np.hypot(",
        "weight = np.exp(np.hypot(",
        UNIT + "geo/hotspots/test_hours_near.py",
    ),
    Mutant(
        "geo/network/timed_kernels.py",
        "ready_min[come[at]] <= depart_min[run]:",
        "ready_min[come[at]] <= depart_min[run] + 1:",
        UNIT + "geo/network/test_timed_journeys.py",
    ),
    Mutant(
        "models/planning/problem/week.py",
        "starts = np.arange(n_days) + first_weekday",
        "starts = np.arange(n_days)",
        UNIT + "models/test_planning_week.py",
    ),
    Mutant(
        "models/planning/solver/solving.py",
        "left -= n * programme.slots[s].n_alike",
        "left -= programme.slots[s].n_alike",
        UNIT + "models/test_planning_week.py",
    ),
    Mutant(
        "gateline/products/hours.py",
        "level = np.ceil(np.round(",
        "level = np.floor(np.round(",
        WHOLE + "test_one_posterior.py",
    ),
    Mutant(
        "models/planning/problem/programme.py",
        "float(slot.n_alike * (slot.worth @ -np.expm1(-hazard)))",
        "float(slot.worth @ -np.expm1(-hazard))",
        ORACLES + "test_planning_oracle.py",
    ),
    Mutant(
        "models/posterior/intensity.py",
        "self.layout.against * np.exp(-self.layout.step",
        "self.layout.against * np.exp(self.layout.step",
        UNIT + "models/test_posterior.py",
    ),
    Mutant(
        "models/posterior/sampler.py",
        "slope @ self._spread.T + at",
        "slope @ self._spread.T - at",
        UNIT + "models/test_sampler.py",
    ),
    Mutant(
        "models/posterior/sampler.py",
        "gained = value - 0.5 *",
        "gained = value + 0.5 *",
        UNIT + "models/test_sampler.py",
    ),
    Mutant(
        "models/posterior/intensity.py",
        "back -= network.raw * (by_origin",
        "back += network.raw * (by_origin",
        UNIT + "models/test_posterior.py",
    ),
    Mutant(
        "models/posterior/information.py",
        "found.append(-0.5 *",
        "found.append(0.5 *",
        UNIT + "models/test_posterior.py",
    ),
    Mutant(
        "models/posterior/ways.py",
        "ELSEWHERE_SHARE * np.median",
        "0.0 * np.median",
        UNIT + "models/test_posterior_evidence.py",
    ),
    Mutant(
        "models/posterior/reasons.py",
        "np.asarray(parts) + share * rest",
        "np.asarray(parts) + rest",
        UNIT + "models/test_posterior_reasons.py",
    ),
    # gateline
    Mutant(
        "gateline/pipeline/posterior.py",
        "((1.0 - share) / (1.0 - priced",
        "(share / (1.0 - priced",
        WHOLE + "test_plan_and_share.py",
    ),
    Mutant(
        "gateline/pipeline/posterior.py",
        "np.log(rail) - np.log1p(-rail)",
        "np.log(rail) + np.log1p(-rail)",
        WHOLE + "test_timetable_and_roads.py",
    ),
    Mutant(
        "gateline/pipeline/posterior.py",
        "known = {int(p) for s in estimate.posterior.sources if s.grain ==",
        "known = {int(p) for s in estimate.posterior.sources if s.grain !=",
        WHOLE + "test_plan_and_share.py",
    ),
    Mutant(
        "gateline/pipeline/record.py",
        "[*lines[:1], *sorted(lines[1:])]",
        "lines",
        WHOLE + "test_main_job.py",
    ),
    Mutant(
        "gateline/products/inert.py",
        'text.replace("<", "\\\\u003c")',
        'text.replace("<", "<")',
        "tests/browser/test_hostile_strings.py",
    ),
    Mutant(
        "gateline/products/lists.py",
        'sums.groupby("station_id", sort=True).head(n_each)',
        'sums.groupby("station_id", sort=True).tail(n_each)',
        UNIT + "gateline/products/test_lists_and_csv.py",
    ),
    Mutant(
        "gateline/workspace.py",
        "shutil.disk_usage(folder).free < _LEAST_FREE_BYTES",
        "shutil.disk_usage(folder).free > _LEAST_FREE_BYTES",
        WHOLE + "test_promises.py",
    ),
    Mutant(
        "gateline/audit.py",
        '"seq": seq + 1,',
        '"seq": seq + 2,',
        UNIT + "gateline/test_audit.py",
    ),
    Mutant(
        "gateline/release/retention.py",
        "if thing.expired_on < today]",
        "if thing.expired_on <= today]",
        UNIT + "gateline/test_purge.py",
    ),
    Mutant(
        "gateline/release/export.py",
        "bool(SCORED_PRODUCTS.intersection(names))",
        "bool(VICTIM_PRODUCTS.intersection(names))",
        WHOLE + "test_disclosure_export.py",
    ),
    Mutant(
        "models/posterior/coverage.py",
        "np.cumsum(n[near], axis=1)",
        "np.cumsum(people[near], axis=1)",
        UNIT + "models/test_coverage.py",
    ),
    Mutant("models/posterior/coverage.py", "_LEAST_SHARE * expected[at]", "0.0", UNIT + "models/test_coverage.py"),
    Mutant(
        "models/posterior/coverage.py",
        " & ~is_transport_police(offences)]",
        "]",
        UNIT + "models/test_coverage.py",
    ),
    Mutant(
        "models/posterior/sources.py",
        "log_mean = log_mean + own[..., 2 + self.recorder]",
        "log_mean = log_mean + own[..., 1 + self.recorder]",
        UNIT + "models/test_posterior.py",
    ),
    Mutant(
        "gateline/pipeline/posterior.py",
        'offences["demand_led_typical"].where(is_covered)',
        'offences["demand_led_typical"]',
        WHOLE + "test_enforcement.py",
    ),
    Mutant(
        "geo/sources/places.py",
        "(people < people[k] / 2)",
        "(people > people[k] / 2)",
        UNIT + "geo/sources/test_source_stations_and_places.py",
    ),
    Mutant(
        "geo/disclosure/address_bands.py",
        "low = above + (n - above) // BAND_WIDTH * BAND_WIDTH",
        "low = n",
        WHOLE + "test_evidence_attacks.py",
    ),
    Mutant(
        "gateline/pipeline/write.py",
        ' & ~inputs.quarantine["source_file"].isin(uncounted)',
        "",
        WHOLE + "test_evidence_attacks.py",
    ),
    # timetables
    Mutant("geo/sources/cif_blocks.py", 'if not last.startswith(b"ZZ")', "if not last", CIF),
    Mutant("geo/sources/cif_transactions.py", "if len(standing) == 1", "if len(standing) > 1", CIF),
    Mutant("geo/sources/cif_places.py", "self._was[new] = tiploc", "self._was[tiploc] = new", CIF),
    Mutant("geo/sources/cif_schedules.py", 'sort_values(["uid", "stp"]', 'sort_values(["uid", "from_on"]', CIF),
    Mutant("geo/sources/cif_schedules.py", 'schedules["stp"] != CANCELLATION) & schedules', "schedules", CIF),
    Mutant("geo/sources/cif_times.py", "_DAY_MIN) > LONGEST_STAND_MIN", "_DAY_MIN) > _DAY_MIN", CIF),
    Mutant("geo/sources/cif_times.py", "is_same & (step < 0)", "is_same & (step <= 0)", CIF),
    Mutant("geo/sources/rdg.py", "|= k << 48", "|= 0", UNIT + "geo/sources/test_rdg.py"),
    Mutant("geo/sources/rdg_stations.py", "np.inf if change else np.nan", "0.0", UNIT + "geo/sources/test_rdg.py"),
    Mutant(
        "geo/sources/rdg_links.py",
        " and first_on[0] <= on <= last_on[-1]",
        "",
        UNIT + "geo/sources/test_rdg.py",
    ),
    Mutant(
        "geo/sources/feed_weeks.py",
        "nearest -= timedelta(days=nearest.weekday())",
        "nearest += timedelta(days=nearest.weekday())",
        UNIT + "geo/sources/test_feed_weeks.py",
    ),
    Mutant(
        "geo/sources/bank_holidays.py",
        "easter + timedelta(days=1)",
        "easter - timedelta(days=1)",
        UNIT + "geo/sources/test_feed_weeks.py",
    ),
    Mutant(
        "geo/sources/bank_holidays.py",
        "if christmas.weekday() == _SATURDAY",
        "if christmas.weekday() != _SATURDAY",
        UNIT + "geo/sources/test_feed_weeks.py",
    ),
    Mutant(
        "geo/sources/gtfs_stops.py",
        "easting_m, northing_m = to_metric_arrays(np.where(here, lon",
        "easting_m, northing_m = to_metric_arrays(np.where(here, lat",
        UNIT + "geo/sources/test_gtfs.py",
    ),
    Mutant(
        "gateline/pipeline/feed_stations.py",
        'found["easting_m"].between(west, east)',
        'found["easting_m"].gt(west)',
        UNIT + "gateline/test_feed_stations.py",
    ),
    Mutant(
        "gateline/pipeline/feed_stations.py",
        'has_position = found["easting_m"].notna()',
        'has_position = found["name"].notna()',
        UNIT + "gateline/test_feed_stations.py",
    ),
    Mutant(
        "gateline/pipeline/railway.py",
        "*notes, *timetable.caveats, *inputs",
        "*notes, *inputs",
        WHOLE + "test_feed_stations.py",
    ),
    Mutant(
        "gateline/pipeline/read.py",
        "stations=known.reading.table,",
        "stations=stations.table,",
        WHOLE + "test_feed_stations.py",
    ),
    # Doors
    Mutant("geo/tables/rail.py", "(run_min < 0) | (stand_min < 0)", "(run_min < 0)", DOORS + "test_trip_speeds.py"),
    Mutant(
        "geo/sources/trip_speeds.py",
        '["n"].sum().reindex(share.index) / 2',
        '["n"].sum() * 0',
        DOORS + "test_trip_speeds.py",
    ),
    Mutant(
        "geo/sources/trip_speeds.py",
        '["run_min"].to_numpy() + _SLACK_MIN',
        '["run_min"].to_numpy() * 9',
        DOORS + "test_trip_speeds.py",
    ),
    Mutant("geo/sources/cif_times.py", "has_public &= ~(activities", "has_public |= ~(activities", CIF),
    Mutant("geo/sources/cif_records.py", 'from_on[~is_days & (transaction != ord("D"))] = NO_DAY', "pass", CIF),
    Mutant("geo/sources/gtfs_members.py", "if member in used or", "if", DOORS + "test_gtfs.py"),
    Mutant("geo/sources/gtfs.py", r'fullmatch(r"\d{1,5}")', r'fullmatch(r".*")', DOORS + "test_gtfs.py"),
    Mutant("geo/sources/coverage.py", "not in set(months)", "in set(months)", DOORS + "test_source_police_files.py"),
    Mutant(
        "geo/sources/releases.py",
        "cut.sort(key=lambda part: part.order, reverse=True)",
        "cut.sort(key=lambda part: part.order)",
        LAWS + "test_release_laws.py " + DOORS + "test_source_police_uk.py",
    ),
    Mutant(
        "geo/sources/releases.py",
        "is_release = n_shared >= _SHARED_SHARE * n_least",
        "is_release = n_shared < _SHARED_SHARE * n_least",
        LAWS + "test_release_laws.py",
    ),
    Mutant(
        "geo/sources/locations.py",
        'sieve.reject(far & is_countrywide, "beyond_the_force"',
        'sieve.reject(far, "beyond_the_force"',
        DOORS + "test_source_police_uk.py",
    ),
    Mutant(
        "geo/sources/osm_objects.py",
        "return max(before, after, key=",
        "return min(before, after, key=",
        DOORS + "test_osm_odd.py",
    ),
    Mutant("geo/homes.py", "query_pairs(HOME_M", "query_pairs(HOME_M / 20", UNIT + "geo/test_homes.py"),
    Mutant(
        "gateline/pipeline/not_used.py",
        'why = rows[rows["status"] != "out of scope"].groupby',
        "why = rows.groupby",
        WHOLE + "test_not_used.py",
    ),
    Mutant("gateline/pipeline/marks.py", "gaps=_name_gaps(gaps),", "", WHOLE + "test_not_used.py"),
)


def plant(text: str, mutant: Mutant) -> str:
    """
    Put a bug into the text of its file.

    Raises
    ------
    ValueError
        If the place is not there once, as after a change of the code: the list of bugs must follow it.
    """
    n = text.count(mutant.old)
    if n != 1 or "\n" in mutant.old:
        msg = f"{mutant.file}: {mutant.old!r} stands there {n} times, expected one line. Mend the list of bugs."
        raise ValueError(msg)
    return text.replace(mutant.old, mutant.new)


def main(argv: list[str] | None = None) -> int:
    options: argparse.ArgumentParser = parser(__doc__ or "")
    options.add_argument("--only", default="", help="plant only bugs of files that hold this text")
    arguments = options.parse_args(argv)
    evidence = Evidence("mutants")
    chosen = [mutant for mutant in MUTANTS if arguments.only in mutant.file]
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_checkout(Path(folder) / "checkout")
        named = sorted({test for mutant in chosen for test in mutant.tests.split()})
        if run_tests(copy, named) != 0:
            evidence.skip("bugs caught", "the tests fail without any bug, so that a failure would show nothing")
            return 1
        for mutant in chosen:
            path = copy / mutant.file
            whole = path.read_text(encoding="utf-8")
            path.write_text(plant(whole, mutant), encoding="utf-8")
            is_caught = run_tests(copy, mutant.tests.split()) == TESTS_FAILED
            path.write_text(whole, encoding="utf-8")
            caught += is_caught
            print(f"{'caught' if is_caught else 'MISSED'}  {mutant.file}: {mutant.old}  ->  {mutant.new}", flush=True)
    evidence.add("one-line bugs caught by the tests named for them", caught, "bugs", n=len(chosen))
    evidence.write(arguments.json)
    return 0 if caught == len(chosen) else 1


def copy_checkout(to: Path) -> Path:
    """The files that the tests need, without what was compiled from them."""
    to.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, to / name)
    return to


def run_tests(copy: Path, tests: list[str]) -> int:
    """Exit code of the tests in a copy, which imports nothing that was compiled before."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {
            **os.environ,
            "PYTHONPATH": str(copy),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": cache,
            "GATELINE_DATA": os.environ.get("GATELINE_DATA", str(DEFAULT_DATA)),
        }
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
