"""
The best shift of one team: where it goes from its base, how long it stays, when it eats, and when it is back.

In come gains by step and station; out come `Itinerary` records. A dynamic programme over the steps of the shift, all
days of a shift at once: brief, drive, stay, (break,) drive, stay, ..., drive back, debrief. After its break a team may
go on at the same station, which is then still one stop. Time that a shift leaves is spent at the base before the first
drive or after the last, never on a platform where nothing is to be met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.planning.roster.problem import DutyProblem

__all__ = ["Itinerary", "Stay", "find_best_shifts"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

# By state: whether the break was had, and whether a wanted station was worked.
_Values = dict[tuple[int, int], FloatArray]
_NONE = -np.inf
MOST_STATIONS = 24


class Stay(NamedTuple):
    """
    Time at a station.

    Attributes
    ----------
    station : int
        Column of the problem.
    first, last : int
        Steps of the roster, from the first up to but without the last.
    """

    station: int
    first: int
    last: int


@dataclass(frozen=True)
class Itinerary:
    """
    What a team does in a shift.

    Attributes
    ----------
    team, place : int
        Who, and which of the problem's places.
    stays : tuple of Stay
        In the order worked.
    break_first : int
        First step of the refreshment break; -1 where the shift has none.
    gain : float
        Sum of the gains of its steps, when it was found.
    """

    team: int
    place: int
    stays: tuple[Stay, ...]
    break_first: int
    gain: float


@dataclass(frozen=True)
class _Grid:
    """A shift on the grid, for one team: arrays of places, stations and steps from the start of the shift."""

    places: tuple[int, ...]
    stations: IntArray  # columns of the problem
    n_steps: int
    stays: dict[int, FloatArray]  # by length, (places, stations, steps + 1): gain of a stay from each step
    ready: IntArray  # (stations,): first step at which the team can be there
    home: IntArray  # (stations,): last step at which it must leave
    from_arrival: IntArray  # (stations, stations * steps): where in (stations, steps) a drive that arrives there began
    drive: IntArray  # (stations, stations)
    break_steps: int
    break_window: tuple[int, int]
    via: int


def find_best_shifts(
    problem: DutyProblem,
    team: int,
    gains: FloatArray,
    *,
    blocked: BoolArray | None = None,
    via: int = -1,
    most_stations: int = MOST_STATIONS,
) -> dict[int, Itinerary]:
    """
    Find the best itinerary of a team in every place.

    Parameters
    ----------
    problem : DutyProblem
        Drives, trains and rules.
    team : int
        Who.
    gains : numpy.ndarray of shape (n_steps, n_stations)
        What a step there is worth; not negative.
    blocked : numpy.ndarray of shape (n_steps, n_stations), optional
        Where other teams stand.
    via : int
        Station that the shift must have among its stays; -1 for none.
    most_stations : int
        Stations in reach that are looked at, those with the largest gains over the shifts; a bound looks at all.

    Returns
    -------
    dict of int to Itinerary
        By number of the place; one without an entry allows none. A team that can reach no second station returns to
        the one it can reach after a step away.
    """
    stations = _stations_in_reach(problem, team, gains, via, most_stations)
    if not stations.size or (via >= 0 and via not in stations):
        return {}
    is_open = problem.is_open if blocked is None else problem.is_open & ~blocked
    trains = problem.trains[:, stations]
    running = (
        _running(np.where(is_open, gains, 0.0)[:, stations]),
        _running(~is_open[:, stations]),
        _running(np.nan_to_num(trains)),
        _running(np.isnan(trains)),
    )
    by_shift: dict[tuple[float, float], list[int]] = {}
    off = set(problem.teams[team].days_off)
    for number, place in enumerate(problem.places):
        if (problem.first_weekday + place.day) % 7 not in off:
            by_shift.setdefault((place.shift.start_h, place.shift.end_h), []).append(number)
    found: dict[int, Itinerary] = {}
    for numbers in by_shift.values():
        for alone in (False, True):
            left = tuple(number for number in numbers if number not in found)
            if left:
                grid = _lay_out(problem, team, left, stations, running, via, alone=alone)
                found |= _solve(problem, team, grid)
    return found


def _stations_in_reach(problem: DutyProblem, team: int, gains: FloatArray, via: int, most_stations: int) -> IntArray:
    longest = max(place.n_steps for place in problem.places)
    near = np.flatnonzero(problem.may_work[team] & (2 * problem.base_steps[team] < longest))
    worth = gains.sum(axis=0)
    best = near[np.argsort(-worth[near], kind="stable")][:most_stations]
    wanted = near[near == via] if via >= 0 else near[:0]
    return np.unique(np.concatenate([best, wanted]))


def _running(values: NDArray[np.generic]) -> FloatArray:
    """Sums before each step."""
    return np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=float)])


def _lay_out(
    problem: DutyProblem,
    team: int,
    places: tuple[int, ...],
    stations: IntArray,
    running: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    via: int,
    *,
    alone: bool,
) -> _Grid:
    rules, first = problem.rules, problem.places[places[0]]
    n = first.n_steps
    rows = np.array([problem.places[number].first for number in places])[:, None] + np.arange(n + 1)
    until, closed, trains, unknown = (total[rows].transpose(0, 2, 1) for total in running)
    stays = {}
    for length in range(rules.steps(rules.least_stay_min), int(rules.longest_stay_min // rules.step_min) + 1):
        fits = closed[:, :, length:] == closed[:, :, :-length]
        need = rules.least_trains_per_hour * length * rules.step_min / 60.0
        known = unknown[:, :, length:] == unknown[:, :, :-length]
        fits &= ~known | (trains[:, :, length:] - trains[:, :, :-length] >= need - 1e-9)
        value = np.full(until.shape, _NONE)
        value[:, :, :-length] = np.where(fits, until[:, :, length:] - until[:, :, :-length], _NONE)
        stays[length] = value
    drive = problem.drive_steps[np.ix_(stations, stations)]
    # A team with one station in reach walks round it and comes back.
    np.fill_diagonal(drive, 1 if alone else n + 1)
    base = problem.base_steps[team][stations]
    began = np.arange(n + 1)[None, None, :] - drive[:, :, None]
    n_stations = len(base)
    flat = np.where(began >= 0, np.arange(n_stations)[:, None, None] * (n + 2) + began + 1, 0)
    return _Grid(
        places=places,
        stations=stations,
        n_steps=n,
        stays=stays,
        ready=rules.steps(rules.brief_min) + base,
        home=n - rules.steps(rules.debrief_min) - base,
        from_arrival=flat.reshape(n_stations, -1),
        drive=drive,
        break_steps=first.break_steps,
        break_window=(rules.steps(60 * rules.break_from_h), int(60 * rules.break_to_h // rules.step_min)),
        via=int(np.flatnonzero(stations == via)[0]) if via in stations else via,
    )


@dataclass(frozen=True)
class _Stop:
    """Values of one stop of a shift, each by state and of shape (places, stations, steps + 1)."""

    arrived: _Values
    worked: _Values  # at the end of a stay
    eaten: _Values  # at the end of a break after it
    again: _Values  # at the end of a second stay after that
    done: _Values  # the best of these three


def _solve(problem: DutyProblem, team: int, grid: _Grid) -> dict[int, Itinerary]:
    """Forward over the stops; the state is whether the break was had, and whether `via` was worked."""
    step = np.arange(grid.n_steps + 1)
    start = np.where(step >= grid.ready[:, None], 0.0, _NONE)[None].repeat(len(grid.places), axis=0)
    arrived: _Values = {(1 if grid.break_steps == 0 else 0, 1 if grid.via < 0 else 0): start}
    stops: list[_Stop] = []
    for _ in range(problem.rules.most_stops):
        stops.append(_stop(grid, arrived))
        arrived = {key: _drive(grid, value) for key, value in stops[-1].done.items()}
    at_home = step <= grid.home[:, None]
    ends = [np.where(at_home, stop.done[1, 1], _NONE) if (1, 1) in stop.done else None for stop in stops]
    found = {}
    for row, place in enumerate(grid.places):
        values = [_NONE if end is None else end[row].max() for end in ends]
        values[: problem.rules.least_stops - 1] = [_NONE] * (problem.rules.least_stops - 1)
        j = int(np.argmax(values))
        best = ends[j]
        if values[j] == _NONE or best is None:
            continue
        station, last = np.unravel_index(int(np.argmax(best[row])), best[row].shape)
        found[place] = _trace(grid, stops[: j + 1], row, (int(station), int(last)), problem, team)
    return found


def _stop(grid: _Grid, arrived: _Values) -> _Stop:
    worked = _stay(grid, arrived)
    eaten = _eat(grid, worked)
    again = _stay(grid, eaten)
    done: _Values = {}
    for values in (worked, eaten, again):
        for key, value in values.items():
            _keep_best(done, key, value)
    return _Stop(arrived, worked, eaten, again, done)


def _stay(grid: _Grid, arrived: _Values) -> _Values:
    """Value at the end of a stay, by state after it."""
    after: _Values = {}
    for (rest, seen), value in arrived.items():
        ended = np.full(value.shape, _NONE)
        for length, gain in grid.stays.items():
            np.maximum(ended[:, :, length:], (value + gain)[:, :, :-length], out=ended[:, :, length:])
        if seen:
            _keep_best(after, (rest, 1), ended)
            continue
        there = np.full(value.shape, _NONE)
        there[:, grid.via] = ended[:, grid.via]
        ended[:, grid.via] = _NONE
        _keep_best(after, (rest, 1), there)
        _keep_best(after, (rest, 0), ended)
    return after


def _eat(grid: _Grid, worked: _Values) -> _Values:
    """Value at the end of a break at the station, where it may lie then."""
    after: _Values = {}
    first, last = grid.break_window
    latest = min(last, grid.n_steps) - grid.break_steps
    for (rest, seen), value in worked.items():
        if rest or grid.break_steps == 0:
            continue
        eaten = np.full(value.shape, _NONE)
        if latest >= first:
            eaten[:, :, first + grid.break_steps : latest + grid.break_steps + 1] = value[:, :, first : latest + 1]
        after[1, seen] = eaten
    return after


def _keep_best(into: _Values, key: tuple[int, int], value: FloatArray) -> None:
    into[key] = np.maximum(into[key], value) if key in into else value


def _drive(grid: _Grid, value: FloatArray) -> FloatArray:
    """The best value with which each station is reached at each step."""
    n_places, n_stations, n = value.shape
    padded = np.full((n_places, n_stations, n + 1), _NONE)
    padded[:, :, 1:] = value
    drives = padded.reshape(n_places, -1)[:, grid.from_arrival.ravel()]
    return np.asarray(drives.reshape(n_places, n_stations, n_stations, n).max(axis=1), dtype=float)


def _trace(
    grid: _Grid, stops: list[_Stop], row: int, end: tuple[int, int], problem: DutyProblem, team: int
) -> Itinerary:
    """Back from the end of the last stop, each time to what gave the value."""
    station, last = end
    state = (1, 1)
    gain = float(stops[-1].done[state][row, station, last])
    place = problem.places[grid.places[row]]
    stays: list[Stay] = []
    break_first = -1
    for number in range(len(stops) - 1, -1, -1):
        stop = stops[number]
        parts = _parts(stop, state, (row, station, last))
        for part in parts:
            if part == "break":
                last -= grid.break_steps
                break_first, state = place.first + last, (0, state[1])
                continue
            began = stop.eaten if part == "again" else stop.arrived
            seen, first = _began(grid, began, state, (row, station, last))
            stays.append(Stay(int(grid.stations[station]), place.first + first, place.first + last))
            state, last = (state[0], seen), first
        if number:
            left = last - grid.drive[:, station]
            before = stops[number - 1].done[state][row, np.arange(len(left)), np.maximum(left, 0)]
            station = int(np.argmax(np.where(left >= 0, before, _NONE)))
            last = int(left[station])
    return Itinerary(team, grid.places[row], tuple(reversed(stays)), break_first, gain)


def _parts(stop: _Stop, state: tuple[int, int], at: tuple[int, int, int]) -> tuple[str, ...]:
    """What a stop ended with, from its end: a stay, a break after one, or a second stay after that."""
    value = stop.done[state][at]
    if state in stop.worked and stop.worked[state][at] == value:
        return ("stay",)
    if state in stop.eaten and stop.eaten[state][at] == value:
        return ("break", "stay")
    return ("again", "break", "stay")


def _began(grid: _Grid, arrived: _Values, state: tuple[int, int], end: tuple[int, int, int]) -> tuple[int, int]:
    """Whether `via` was worked before a stay that ended so, and when the stay began."""
    row, station, last = end
    rest, seen = state
    befores = [seen] if not seen or station != grid.via else [0, 1]
    best, answer = _NONE, (seen, 0)
    for before in befores:
        if (rest, before) not in arrived:
            continue
        for length, gain in grid.stays.items():
            first = last - length
            if first < 0:
                continue
            value = arrived[rest, before][row, station, first] + gain[row, station, first]
            if value > best:
                best, answer = value, (before, first)
    return answer
