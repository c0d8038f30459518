"""Random worlds for duty rosters, and a checker that knows the rules but not how a roster is made."""

from itertools import pairwise

import numpy as np
import pandas as pd

from geo.tables.exposure import HOURS_BASES
from models.planning.problem.encounters import build_encounters
from models.planning.roster import DutyRules, Team, build_duty_problem
from tests.unit.models.planning_worlds import make_routes

LETTERS = "ABCDEFGH"
# Annex E: minutes of refreshment by whole hours of duty.
REFRESHMENT = {5: 30, 6: 35, 7: 40, 8: 45, 9: 50, 10: 60}


def random_hours(rng, ids):
    """Weeks with rush hours, and trains in most of them."""
    rows = []
    for station in ids:
        share = rng.uniform(0, 1, 168) ** 3
        share /= share.sum()
        trains = np.where(rng.random(168) < 0.9, rng.integers(1, 6, 168), 0.0)
        rows += [(station, h, share[h], trains[h]) for h in range(168)]
    table = pd.DataFrame(rows, columns=["station_id", "hour_of_week", "week_share", "n_trains"])
    table = table.assign(n_records=0.0, trips_per_month=table["week_share"], hours_basis=HOURS_BASES[0])
    table = table.astype({"station_id": "str", "hours_basis": "str"})
    ids = table["station_id"] + ":" + table["hour_of_week"].astype("str")
    table.index = pd.Index(ids, name="station_hour_id", dtype="str")
    return table


def random_problem(seed, *, n_teams=2, letters=LETTERS, rules=None, n_days=7, n_pairs=12, **options):
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(n_pairs):
        picked = rng.choice(list(letters), size=rng.integers(1, 4), replace=False)
        stops = "".join(c if rng.random() < 0.7 else c.lower() for c in picked)
        pairs.append((float(rng.uniform(1, 50)), [(30.0, 0.7, stops), (45.0, 0.3, "")]))
    routes = make_routes(pairs)
    ids = list(routes.station_ids)
    at = rng.uniform(0, 60, (len(ids) + 1, 2))
    minutes = np.hypot(*(at[:, None] - at[None, : len(ids)]).transpose(2, 0, 1))
    drives = pd.DataFrame(minutes, index=[*ids, "depot"], columns=ids)
    agencies = ["force", "btp", "joint"]
    teams = options.pop("teams", None) or [
        Team(
            f"T{k}", "depot" if k % 2 else ids[k % len(ids)], agencies[int(rng.integers(3))], 2, int(rng.integers(3, 6))
        )
        for k in range(n_teams)
    ]
    return build_duty_problem(
        build_encounters(routes, ids, detection_share=options.pop("detection_share", 0.5)),
        options.pop("hours") if "hours" in options else random_hours(rng, ids),
        drives,
        teams,
        rules or DutyRules(),
        n_days=n_days,
        rail_station_ids=frozenset(ids[1:]),
        **options,
    )


def faults(problem, table, duties, hours=None):
    """Sentences on every rule that the tables break; none where the roster may be worked."""
    rules, drives = problem.rules, problem.drives_min
    bases = {team.name: team for team in problem.teams}
    found = []
    for (day, shift, name), rows in duties.groupby(["day", "shift", "team"]):
        where = f"{name} on day {day}, {shift}"
        found += [f"{where}: {text}" for text in _shift_faults(rows, rules, bases[name], drives)]
        spans = rules.built[[s.name for s in rules.built].index(shift)]
        if (rows["from_h"].min(), rows["to_h"].max()) != (spans.start_h, spans.end_h):
            found.append(f"{where}: not the hours of the shift")
        own = table[(table["day"] == day) & (table["shift"] == shift) & (table["team"] == name)]
        stays = rows[rows["activity"] == "stay"]
        if (
            own[["station_id", "from_h", "to_h"]].to_numpy().tolist()
            != stays[["station_id", "from_h", "to_h"]].to_numpy().tolist()
        ):
            found.append(f"{where}: plan and duties differ")
    found += _week_faults(problem, duties)
    found += _platform_faults(table)
    if hours is not None:
        found += _train_faults(problem, table, hours)
    lost = set(rules.must_visit) - set(table.loc[table["reason"] == "must", "station_id"])
    return found + [f"{station} must be worked" for station in sorted(lost)]


def _shift_faults(rows, rules, team, drives):
    rows = rows.sort_values("order").to_dict("records")
    found = []
    if any(a["to_h"] != b["from_h"] for a, b in pairwise(rows)):
        found.append("a gap")
    if rows[0]["activity"] != "briefing" or rows[-1]["activity"] != "debriefing":
        found.append("no briefing or debriefing")
    if rows[-1]["to_h"] - rows[0]["from_h"] > rules.longest_shift_h:
        found.append("too long")
    ways = _way_faults(rows, rules, team, drives)
    return found + _break_faults(rows, rules) + _stay_faults(rows, rules, team, drives) + ways


def _break_faults(rows, rules):
    begins, ends = rows[0]["from_h"], rows[-1]["to_h"]
    due = max((m for h, m in REFRESHMENT.items() if ends - begins >= h), default=0)
    breaks = [(r["from_h"], r["to_h"]) for r in rows if r["activity"] == "break"]
    good = [
        (a, b)
        for a, b in breaks
        if (b - a) * 60 >= due and a - begins >= rules.break_from_h and b - begins <= rules.break_to_h
    ]
    return ["break missing, short or at the wrong time"] if due and (len(breaks) != 1 or len(good) != 1) else []


def _stay_faults(rows, rules, team, drives):
    stays = [r for r in rows if r["activity"] == "stay"]
    # A team that goes on where it had its break is at one stop.
    ways = ("drive", "walk")
    n = 1 + sum(r["activity"] in ways for r in rows if stays[0]["from_h"] < r["from_h"] < stays[-1]["from_h"])
    found = [] if rules.least_stops <= n <= rules.most_stops else [f"{n} stops"]
    near = [s for s in drives.columns if drives.loc[team.base, s] <= rules.longest_drive_min]
    if len({r["station_id"] for r in stays}) == 1 and rules.least_stops > 1:
        others = drives.loc[stays[0]["station_id"], near].drop(stays[0]["station_id"])
        if (others <= 5).any():
            found.append("one station, with another five minutes away")
    for stay in stays:
        minutes = (stay["to_h"] - stay["from_h"]) * 60
        if not rules.least_stay_min <= minutes <= rules.longest_stay_min:
            found.append(f"a stay of {minutes} minutes")
        if team.agency == "btp" and stay["station_id"] == drives.columns[0]:
            found.append("British Transport Police at a coach stop")
    return found


def _way_faults(rows, rules, team, drives):
    found = []
    at = team.base
    for row in rows:
        if row["activity"] in ("drive", "walk"):
            to = row["station_id"] if isinstance(row["station_id"], str) else team.base
            ways = [drives.loc[a, b] for a, b in ((at, to), (to, at)) if b in drives.columns and a != b]
            needed = ways[0] if ways else 0.0
            if needed > rules.longest_drive_min or (row["to_h"] - row["from_h"]) * 60 < needed:
                found.append(f"from {at} to {to} takes {needed:.0f} minutes")
            at = to
        elif row["activity"] == "stay" and row["station_id"] != at:
            found.append(f"stays at {row['station_id']} but is at {at}")
    return found if at == team.base else [*found, "does not come home"]


def _week_faults(problem, duties):
    rules = problem.rules
    found = []
    spans = duties.groupby(["team", "day", "shift"]).agg(a=("from_h", "min"), b=("to_h", "max")).reset_index()
    for name, rows in spans.sort_values("day").groupby("team"):
        team = next(t for t in problem.teams if t.name == name)
        days = rows["day"].tolist()
        if len(set(days)) != len(days):
            found.append(f"{name} works two shifts on a day")
        begins, ends = (rows["a"] + 24 * rows["day"]).tolist(), (rows["b"] + 24 * rows["day"]).tolist()
        if any(b - e < rules.rest_h for e, b in zip(ends, begins[1:], strict=False)):
            found.append(f"{name} rests less than {rules.rest_h} hours")
        if any(sum(d <= x < d + 7 for x in days) > team.shifts_per_week for d in days):
            found.append(f"{name} works too many shifts in seven days")
        if any((problem.first_weekday + d - 1) % 7 in team.days_off for d in days):
            found.append(f"{name} works on a day off")
    return found


def _platform_faults(table):
    found = []
    for station, rows in table.groupby("station_id"):
        spans = sorted(zip(rows["from_h"] + 24 * rows["day"], rows["to_h"] + 24 * rows["day"], strict=True))
        if any(b < e for (_, e), (b, _) in pairwise(spans)):
            found.append(f"two teams at {station} at once")
    return found


def _train_faults(problem, table, hours):
    found = []
    trains = hours.set_index(["station_id", "hour_of_week"])["n_trains"]
    for row in table.to_dict("records"):
        steps = np.arange(row["from_h"], row["to_h"], 0.25)
        at = [(row["station_id"], int(24 * (problem.first_weekday + row["day"] - 1) + h) % 168) for h in steps]
        seen = sum(trains.get(key, np.nan) * 0.25 for key in at)
        need = problem.rules.least_trains_per_hour * (row["to_h"] - row["from_h"])
        if seen < need - 1e-9:
            found.append(f"{seen:.1f} trains at {row['station_id']} from {row['from_h']}")
    return found
