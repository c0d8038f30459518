"""
What a run says of its victims' list: a digest of the bands that it sees, never of the file.

The digest of a file confirms a guess: who holds every other input could add one home to a copy of the list, run, and
compare ids. So the id of a run and its record hold only what every product may tell: bands by town, squares with their
bands, and partners' counts in bands. Two lists with the same bands are the same input, and make the same run.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from gateline.pipeline.beside import band_middles, is_child_population
from gateline.pipeline.read import Inputs
from gateline.settings import Settings
from geo.disclosure.address_bands import band_addresses
from geo.disclosure.quadtree import band_cells

__all__ = ["PRIVATE_ROLES", "RUN_PROFILE", "UNCOUNTED_ROLES", "digest_private", "uncounted_files"]

# Whose products a run makes.
RUN_PROFILE = "tactical"
# Inputs that are told by what the run sees of them.
PRIVATE_ROLES = ("cuckooing", "partner_counts")
# Of these a count of rows tells of people.
UNCOUNTED_ROLES = ("cuckooing",)


def digest_private(inputs: Inputs, role: str) -> str:
    """
    Digest what a run sees of a private input.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    role : str
        One of `PRIVATE_ROLES`.

    Returns
    -------
    str
        SHA-256 in hexadecimal, of bands alone.
    """
    parts = _cuckooing(inputs) if role == "cuckooing" else [_partner_counts(inputs)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.to_csv(lineterminator="\n").encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _cuckooing(inputs: Inputs) -> list[pd.DataFrame]:
    """Bands of the force's towns, and the squares of a run's own profile: a release of another has its own gate."""
    if inputs.cuckooing is None:
        return []
    towns = inputs.places[inputs.places["is_in_force"]]
    parts = [band_addresses(inputs.cuckooing, towns, cutoff=inputs.offences["month"].max())]
    if len(inputs.areas):
        cells = band_cells(inputs.cuckooing, inputs.areas, profile=RUN_PROFILE)
        parts.append(pd.DataFrame({"band": cells["band"].to_numpy(), "square": cells.geometry.to_wkt().to_numpy()}))
    return parts


def _partner_counts(inputs: Inputs) -> pd.DataFrame:
    counts = inputs.partner_counts.sort_index()
    is_population = counts["layer"].map(is_child_population).to_numpy(dtype=bool)
    told = np.where(is_population, counts["n"].astype(float), band_middles(counts["n"].astype(float)))
    return counts[["layer", "place_id"]].assign(n=told)


def uncounted_files(settings: Settings) -> set[str]:
    """
    Name the files whose rows tell of people: they are counted in the audit log alone.

    Parameters
    ----------
    settings : Settings
        Of the workspace.

    Returns
    -------
    set of str
        File names.
    """
    named = (getattr(settings.inputs, role) for role in UNCOUNTED_ROLES)
    return {Path(text).name for text in named if text}
