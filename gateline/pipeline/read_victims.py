"""Read the list of cuckooed addresses as the settings say: for a run, and for the purge that erases it."""

from __future__ import annotations

from pathlib import Path

from shapely.geometry.base import BaseGeometry

from gateline.pipeline.setting_names import name_settings
from gateline.settings import InputSettings
from geo.sensitive import SensitivePoints
from geo.sources.accounting import Reading
from geo.sources.cuckooing import read_cuckooing

__all__ = ["read_victims"]


def read_victims(
    path: Path, named: InputSettings, *, force_area: BaseGeometry | None = None
) -> Reading[SensitivePoints]:
    """
    Read cuckooed addresses.

    Parameters
    ----------
    path : pathlib.Path
        The list.
    named : InputSettings
        How it is written.
    force_area : shapely geometry or None
        EPSG:27700 polygons, near which the addresses lie.

    Returns
    -------
    Reading of SensitivePoints
        As `geo.sources.cuckooing.read_cuckooing` gives it.

    Raises
    ------
    InputError
        If the file is no table, most rows share a fault, or a format or zone must be declared; nothing of a row is
        in the message.
    """
    with name_settings("cuckooing"):
        return read_cuckooing(
            path,
            force_area=force_area,
            **named.options("cuckooing", "columns", "crs", "date_format", "timezone"),
        )
