"""
Journeys of one feed by a connection scan (Dibbelt et al. 2018), written apart from `geo` as an oracle for its times.

The zip of a GTFS feed in, minutes out. Trips are written out for every day of one week, from one day before to one day
after it as the same week again, so that a night may be crossed at either end. A change takes the same minutes at every
station; nobody changes at the first.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MINUTES_PER_DAY = 24 * 60
MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY
# No journey that starts in the week is looked for longer than this.
HORIZON_MIN = 12 * 60


@dataclass(frozen=True)
class Timetable:
    """Elementary connections by departure: one train, one run between two calls that follow each other."""

    stations: tuple[str, ...]
    trip: NDArray[np.int64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    depart_min: FloatArray
    arrive_min: FloatArray
    n_trips: int

    def trains_by_hour(self, station: str) -> FloatArray:
        """Trains that leave a station, or end there, in each hour of the week."""
        at = self.stations.index(station)
        in_week = (self.depart_min >= 0) & (self.depart_min < MINUTES_PER_WEEK)
        leaves = (self.tail == at) & in_week
        gone = {
            (t, round(m)) for t, m in zip(self.trip[self.tail == at], self.depart_min[self.tail == at], strict=True)
        }
        trips_on = {t for t, _ in gone}
        comes = (self.head == at) & ~np.isin(self.trip, list(trips_on))
        comes &= (self.arrive_min >= 0) & (self.arrive_min < MINUTES_PER_WEEK)
        hours = np.concatenate([self.depart_min[leaves], self.arrive_min[comes]]) // 60
        return np.bincount(hours.astype(int), minlength=168).astype(float)


def read_feed(path: Path, week_start_on: date) -> Timetable:
    """Every run of one week and a day on either side, by CRS code."""
    with zipfile.ZipFile(path) as feed:
        crs = {row["stop_id"]: row["stop_code"] for row in _rows(feed, "stops.txt")}
        services = service_days(feed, week_start_on)
        service_of = {row["trip_id"]: row["service_id"] for row in _rows(feed, "trips.txt")}
        calls: dict[str, list[tuple[int, float, float, str]]] = {}
        for row in _rows(feed, "stop_times.txt"):
            calls.setdefault(row["trip_id"], []).append(
                (
                    int(row["stop_sequence"]),
                    _minutes(row["arrival_time"]),
                    _minutes(row["departure_time"]),
                    crs[row["stop_id"]],
                )
            )
    stations = tuple(sorted({call[3] for trip in calls.values() for call in trip}))
    at = {code: k for k, code in enumerate(stations)}
    rows: list[tuple[float, float, int, int, int]] = []
    n_trips = 0
    for trip, stops in calls.items():
        stops.sort()
        for day in services.get(service_of[trip], ()):
            # The week comes round: its last day stands before it and its first days after it.
            for shift in (-7, 0, 7):
                if not -1 <= day + shift <= 8:
                    continue
                start = (day + shift) * MINUTES_PER_DAY
                for one, two in pairwise(stops):
                    rows.append((start + one[2], start + two[1], n_trips, at[one[3]], at[two[3]]))
                n_trips += 1
    rows.sort()
    depart, arrive, number, tail, head = (np.array(column) for column in zip(*rows, strict=True))
    return Timetable(stations, number, tail, head, depart.astype(float), arrive.astype(float), n_trips)


def scan_profiles(feed: Timetable, destination: str, change_min: float) -> dict[int, list[tuple[float, float]]]:
    """For each station, the journeys to one destination that no other beats: departure and arrival, latest first."""
    inf = float("inf")
    target = feed.stations.index(destination)
    by_trip = [inf] * feed.n_trips
    profiles: dict[int, list[tuple[float, float]]] = {k: [] for k in range(len(feed.stations))}
    rows = zip(
        feed.trip.tolist(),
        feed.tail.tolist(),
        feed.head.tolist(),
        feed.depart_min.tolist(),
        feed.arrive_min.tolist(),
        strict=True,
    )
    for trip, tail, head, depart, arrive in reversed(list(rows)):
        best = min(by_trip[trip], arrive if head == target else inf)
        if head != target:
            best = min(best, _evaluate(profiles[head], arrive + change_min))
        if best == inf:
            continue
        by_trip[trip] = best
        own = profiles[tail]
        if not own or best < own[-1][1]:
            if own and own[-1][0] == depart:
                own.pop()
            own.append((depart, best))
    return profiles


def mean_minutes(profile: list[tuple[float, float]], hour: int) -> float:
    """Mean over the minutes of an hour of the time from coming to a platform to being there; infinite where never."""
    total = 0.0
    for minute in range(60):
        come = 60.0 * hour + minute + 0.5
        arrive = _evaluate(profile, come)
        if arrive - come > HORIZON_MIN:
            return float("inf")
        total += arrive - come
    return total / 60.0


def least_minutes(profile: list[tuple[float, float]], hour: int) -> float:
    """The quickest journey that leaves in an hour, its first wait not counted; infinite where none leaves."""
    leaves = (b - a for a, b in profile if 60.0 * hour <= a < 60.0 * (hour + 1))
    return min((ride for ride in leaves if ride <= HORIZON_MIN), default=float("inf"))


def _evaluate(profile: list[tuple[float, float]], ready: float) -> float:
    """The earliest arrival of a journey that leaves no earlier; profiles stand latest first."""
    low, high = 0, len(profile)
    while low < high:
        middle = (low + high) // 2
        if profile[middle][0] >= ready:
            low = middle + 1
        else:
            high = middle
    return profile[low - 1][1] if low else float("inf")


def service_days(feed: zipfile.ZipFile, week_start_on: date) -> dict[str, tuple[int, ...]]:
    """Days of the week on which each service runs, 0 is Monday."""
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    week = [(week_start_on + timedelta(days=k)).strftime("%Y%m%d") for k in range(7)]
    days: dict[str, set[int]] = {}
    for row in _rows(feed, "calendar.txt"):
        days[row["service_id"]] = {
            k for k, name in enumerate(names) if row[name] == "1" and row["start_date"] <= week[k] <= row["end_date"]
        }
    for row in _rows(feed, "calendar_dates.txt"):
        if row["date"] in week:
            day = week.index(row["date"])
            own = days.setdefault(row["service_id"], set())
            own.add(day) if row["exception_type"] == "1" else own.discard(day)
    return {service: tuple(sorted(own)) for service, own in days.items()}


def _rows(feed: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    if name not in feed.namelist():
        return iter(())
    return iter(csv.DictReader(io.TextIOWrapper(feed.open(name), encoding="utf-8-sig", newline="")))


def _minutes(text: str) -> float:
    hours, minutes, seconds = text.split(":")
    return int(hours) * 60 + int(minutes) + int(seconds) / 60
