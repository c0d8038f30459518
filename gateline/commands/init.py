"""Make a workspace."""

from __future__ import annotations

from pathlib import Path

from gateline.settings import RegionSettings, Settings, write_settings_template
from geo.errors import UsageError

__all__ = ["init_workspace"]


def init_workspace(folder: Path, *, name: str) -> None:
    """
    Make a workspace with commented settings and a folder for inputs.

    Parameters
    ----------
    folder : pathlib.Path
        New folder; it may exist if it holds no settings.
    name : str
        Region name.

    Raises
    ------
    UsageError
        If the folder already is a workspace.
    """
    settings_path = folder / "region.toml"
    if settings_path.exists():
        msg = f"{folder.name}: region.toml is there already, expected a new folder. Edit it, or name another folder."
        raise UsageError(msg)
    (folder / "inputs").mkdir(parents=True, exist_ok=True)
    settings = Settings(region=RegionSettings(name=name, force=f"{name} Police"))
    settings_path.write_text(write_settings_template(settings), encoding="utf-8")
