"""
Which registered models a run did not use, and why.

`gateline train` judges forecasts of recorded offences at each station and town, and registers the best of them,
counting where nothing is better. A run answers another question, how many courier trips go where, and its posterior
learns its coefficients from the force's own evidence at each run. Priors are not fitted beforehand and registered:
fitted to the lines and addresses that the run then takes as evidence, they would count these twice, and intervals would
be too narrow; fitted to earlier ones only, they would say what one run on all of them says already. So no registered
model enters a score, and every run says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geo.errors import IntegrityError
from models.artifacts import describe_model

__all__ = ["UNUSED", "Registered", "read_registered"]

_UNITS = ("stations", "towns")
UNUSED = (
    "it forecasts recorded offences, while a score is of courier trips, read from the posterior, for which offences "
    "are one source of evidence among others"
)


@dataclass(frozen=True)
class Registered:
    """
    A model of the registry.

    Attributes
    ----------
    unit : str
        ``stations`` or ``towns``.
    name : str
        File of the model, named by its hash.
    words : str
        Kind, verdict and last month.
    """

    unit: str
    name: str
    words: str

    def note(self) -> str:
        """
        Say that the run does not use it, and why.

        Returns
        -------
        str
            One sentence.
        """
        return f"registered model of {self.unit} not used ({self.name}: {self.words}): {UNUSED}"


def read_registered(root: Path) -> tuple[Registered, ...]:
    """
    Read which models are registered.

    Parameters
    ----------
    root : pathlib.Path
        The workspace; ``models/`` in it is the registry.

    Returns
    -------
    tuple of Registered
        One a unit that has any.

    Raises
    ------
    IntegrityError
        If the registry names a file that is absent or no model.
    """
    found = []
    for unit in _UNITS:
        pointer = root / "models" / unit / "current"
        if not pointer.exists():
            continue
        name = pointer.read_text(encoding="utf-8").strip()
        path = pointer.parent / Path(name).name
        if not path.is_file():
            msg = f"models/{unit}/current: it names {name!r}, which is absent, expected a model. Run 'gateline train'."
            raise IntegrityError(msg)
        found.append(Registered(unit, path.name, describe_model(path)))
    return tuple(found)
