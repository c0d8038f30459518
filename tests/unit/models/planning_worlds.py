"""Route sets, stations and programmes made by hand, for plans that can be checked by eye."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geo.corridors.best_routes import StopRole
from geo.corridors.routes import RouteSets
from models.planning.problem.duties import Duties, build_duties
from models.planning.problem.encounters import build_encounters
from models.planning.problem.programme import Group, Programme, Slot
from models.planning.problem.shifts import Shift

# A pair: trips a month and its routes, each a cost, a share and its stops; a stop in lower case is a call on board.
# A route without stops is the road.
Pair = tuple[float, Sequence[tuple[float, float, str]]]
DAY = Shift("day", 5.5, 23.5)


def make_routes(pairs: Sequence[Pair], *, spread_per_min: float = 0.1) -> RouteSets:
    ids = tuple(sorted({c.upper() for _, routes in pairs for *_, stops in routes for c in stops}))
    listed = [(k, *route) for k, (_, routes) in enumerate(pairs) for route in routes]
    stops = [c for *_, text in listed for c in text]
    on_platform = np.array([c.isupper() for c in stops], dtype=bool)
    return RouteSets(
        flow_ids=tuple(f"q{k:04d}" for k in range(len(pairs))),
        station_ids=ids,
        trips_per_month=np.array([trips for trips, _ in pairs], dtype=float),
        route_indptr=np.concatenate([[0], np.cumsum([len(routes) for _, routes in pairs])]).astype(np.int64),
        cost_min=np.array([cost for _, cost, _, _ in listed], dtype=float),
        probability=np.array([share for _, _, share, _ in listed], dtype=float),
        is_road=np.array([not text for *_, text in listed], dtype=bool),
        station_indptr=np.concatenate([[0], np.cumsum([len(text) for *_, text in listed])]).astype(np.int64),
        station_indices=np.array([ids.index(c.upper()) for c in stops], dtype=np.int32),
        role=np.where(on_platform, StopRole.CHANGE, StopRole.CALL).astype(np.int8),
        platform_share=on_platform.astype(float),
        listed_share=np.ones(len(pairs)),
        spread_per_min=spread_per_min,
    )


def make_stations(ids: Sequence[str], *, outside: Sequence[str] = ()) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": [f"Station {i}" for i in ids],
            "easting_m": 400_000.0,
            "northing_m": 400_000.0,
            "is_in_force": [i not in outside for i in ids],
        },
        index=pd.Index(list(ids), name="station_id", dtype="str"),
    ).astype({"name": "str"})


def make_programme(
    routes: RouteSets, *, n_teams: int = 1, n_slots: int = 1, detection_share: float = 0.5, **options
) -> Programme:
    """All stations may be worked, slots one after another, eight hours apart."""
    encounters = build_encounters(routes, routes.station_ids, detection_share=detection_share)
    duties: Duties = build_duties(encounters, DAY)
    worth = encounters.worth_of_patterns(encounters.worth_of_routes())
    slots = tuple(Slot(s, duties, worth, 8.0 * s, 8.0 * (s + 1)) for s in range(n_slots))
    everywhere = np.ones(len(encounters.station_ids), dtype=bool)
    group = Group("team", n_teams, everywhere, options.pop("n_crews", None))
    return Programme(slots, (group,), **options)
