"""
What a notebook needs: a workspace or the embedded region, read and run in memory, and tables that carry their marking.

The stages are those of ``gateline run``; nothing is written, registered or logged. Whatever is drawn of a fictional
region says so in its heading.
"""

from __future__ import annotations

import html
import shutil
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

import gateline
from gateline.commands.demo import demo_settings
from gateline.pipeline.read import Inputs, read_inputs, require_little_quarantine
from gateline.pipeline.record import Recorder
from gateline.pipeline.stages import Results, run_stages
from gateline.products.inputs import FICTIONAL_NOTE
from gateline.products.lists import names_of
from gateline.settings import Settings, read_settings
from geo.errors import UsageError

__all__ = ["Study", "open_demo", "open_workspace"]

_DATA = Path(gateline.__file__).resolve().parents[1] / "data"


@dataclass(frozen=True)
class Study:
    """
    A region, read and run.

    Attributes
    ----------
    inputs : Inputs
        What was read, with the account of every file.
    results : Results
        What the stages found.
    settings : Settings
        Of the workspace.
    """

    inputs: Inputs
    results: Results
    settings: Settings

    @property
    def names(self) -> dict[str, str]:
        """Name of every station, town and exporting area by its id."""
        return {
            **names_of(self.inputs.places),
            **names_of(self.inputs.exporters),
            **names_of(self.results.network.stations),
        }

    def title(self, text: str) -> str:
        """
        Put the region's marking under a heading.

        Parameters
        ----------
        text : str
            What is shown.

        Returns
        -------
        str
            Two lines; the second says FICTIONAL where the region is, and else gives its marking.
        """
        return f"{text}\n{FICTIONAL_NOTE if self.settings.region.is_fictional else self.settings.region.marking}"

    def show(self, table: pd.DataFrame, text: str) -> Styler:
        """
        Style a table under its marked heading, with two decimals and a dash for what has no value.

        Parameters
        ----------
        table : pandas.DataFrame
            What to show; names in it are escaped, whatever they hold.
        text : str
            The heading.

        Returns
        -------
        pandas.io.formats.style.Styler
            A notebook displays it.
        """
        heading = html.escape(self.title(text)).replace("\n", "<br>")
        style = table.style.format(precision=2, escape="html", na_rep="-", thousands=",")
        return style.format_index(escape="html").format_index(escape="html", axis="columns").set_caption(heading)


@cache  # a kernel that asks again, such as a cell run twice, does not wait again
def open_demo() -> Study:
    """
    Read and run the embedded region, whose offences and addresses are FICTIONAL.

    Returns
    -------
    Study
        The same object each time it is asked for: copy a table before changing it.

    Raises
    ------
    UsageError
        If the embedded data are not beside the package.
    """
    if not (_DATA / "demo").is_dir():
        msg = "demo: the folder data/demo is not beside the package, expected a checkout. Open it from the project."
        raise UsageError(msg)
    with tempfile.TemporaryDirectory() as folder:
        for part in ("demo", "boundaries"):
            shutil.copytree(_DATA / part, Path(folder) / "inputs", dirs_exist_ok=True)
        return _open(Path(folder), demo_settings())


def open_workspace(workspace: Path) -> Study:
    """
    Read and run a workspace.

    Parameters
    ----------
    workspace : pathlib.Path
        Folder with ``region.toml``; nothing is written to it.

    Returns
    -------
    Study
        Inputs and results.

    Raises
    ------
    GatelineError
        If a setting, an input or a stage is at fault, as in ``gateline run``.
    """
    return _open(workspace, read_settings(workspace / "region.toml"))


def _open(root: Path, settings: Settings) -> Study:
    """Inputs read, accounted for and run through every stage, in silence."""
    inputs = read_inputs(root, settings)
    require_little_quarantine(inputs, settings.offences)
    return Study(inputs, run_stages(inputs, settings, Recorder(lambda _: None)), settings)
