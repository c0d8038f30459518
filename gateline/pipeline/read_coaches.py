"""Read the feeds of coaches and buses that the settings name, cut to the region of the run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd
from shapely.geometry.base import BaseGeometry

from gateline.pipeline.window import find_window
from gateline.settings import Settings
from geo.errors import UsageError
from geo.sources.coaches import CoachReading, read_coaches

__all__ = ["coach_week", "read_coach_feeds"]


def read_coach_feeds(
    paths: Sequence[Path], settings: Settings, force_area: BaseGeometry | None, exporters: pd.DataFrame
) -> CoachReading | None:
    """
    Read the feeds that the settings name.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        GTFS zips.
    settings : Settings
        With the week, and how far stops are put together.
    force_area : shapely geometry or None
        Of the force.
    exporters : pandas.DataFrame
        Table `EXPORTERS`: with the force they say which stops are near.

    Returns
    -------
    CoachReading or None
        None where no feed is named.

    Raises
    ------
    UsageError
        If no week is stated.
    InputError
        If a feed cannot be used.
    """
    if not paths:
        return None

    def near(stops: pd.DataFrame) -> set[str]:
        if not stops["is_in_force"].any():
            return set()
        return set(find_window(stops, exporters, buffer_km=settings.rail.buffer_km).index)

    return read_coaches(
        paths,
        week_start_on=coach_week(settings),
        force_area=force_area,
        near=near,
        cluster_m=settings.coaches.stop_cluster_m,
    )


def coach_week(settings: Settings) -> date:
    """
    Give the week whose coaches are counted.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    datetime.date
        Its own, else that of the trains.

    Raises
    ------
    UsageError
        If neither is set.
    """
    week_start_on = settings.coaches.week_start_on or settings.inputs.timetable_week_start_on
    if week_start_on is None:
        msg = (
            "region.toml: coaches.week_start_on is not set, nor inputs.timetable_week_start_on, expected the Monday of "
            "the week to count. Set it."
        )
        raise UsageError(msg)
    return week_start_on
