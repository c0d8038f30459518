"""Run the whole job on the embedded region."""

from __future__ import annotations

import shutil
from pathlib import Path

import gateline
from gateline.commands.run import run_workspace
from gateline.settings import Settings, write_settings_template
from geo.errors import UsageError

__all__ = ["demo_settings", "run_demo"]

_DATA = Path(gateline.__file__).resolve().parents[1] / "data"
_FILES = {
    "offences": "demo/offences_FICTIONAL.csv",
    "cuckooing": "demo/cuckooing_FICTIONAL.csv",
    "deal_lines": "demo/deal_lines.csv",
    "stations": "demo/stations.csv",
    "places": "demo/places.csv",
    "exporters": "demo/exporters.csv",
    "rail_track": "demo/rail_track.geojson",
    "areas": "boundaries/north_yorkshire_lsoa_2011.geojson",
    "boundary": "boundaries/north_yorkshire.geojson",
    "land": "boundaries/north_of_england.geojson",
}


def demo_settings() -> Settings:
    """
    Give the settings of the embedded region.

    Returns
    -------
    Settings
        With inputs under ``inputs/``.
    """
    files: dict[str, object] = {role: f"inputs/{Path(path).name}" for role, path in _FILES.items()}
    files["offences"] = [files["offences"]]
    return Settings.model_validate(
        {
            "region": {
                "name": "North Yorkshire (demo)",
                "operator": "Gateline demo",
                "marking": "FICTIONAL - NOT FOR OPERATIONAL USE",
                "is_fictional": True,
            },
            "inputs": {
                **files,
                "offences_format": "extract",
                "offences_columns": {
                    "offence_id": "reference",
                    "occurred_from": "date",
                    "x": "easting",
                    "y": "northing",
                    "crime_type": "crime_type",
                    "offence_code": "offence_code",
                    "provenance": "provenance",
                    "location": "location",
                },
                "cuckooing_columns": {
                    "address_id": "reference",
                    "x": "easting",
                    "y": "northing",
                    "first_seen": "first_seen",
                },
                "areas_properties": {
                    "id": "area_code",
                    "name": "name",
                    "population": "population",
                    "dwellings": "n_dwellings",
                },
            },
        }
    )


def run_demo(out: Path, *, quiet: bool) -> None:
    """
    Make a workspace of the embedded region and run it.

    Parameters
    ----------
    out : pathlib.Path
        Folder of the workspace; its inputs and settings are written anew, earlier runs are kept.
    quiet : bool
        Print nothing but errors.

    Raises
    ------
    UsageError
        If the embedded data are not beside the package.
    """
    if not (_DATA / "demo").is_dir():
        msg = "demo: the folder data/demo is not beside the package, expected a checkout. Run it from the project."
        raise UsageError(msg)
    inputs = out / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    for path in _FILES.values():
        shutil.copyfile(_DATA / path, inputs / Path(path).name)
    (out / "region.toml").write_text(write_settings_template(demo_settings()), encoding="utf-8")
    run_workspace(out, quiet=quiet, as_json=False)
