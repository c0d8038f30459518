"""What identifies a run: its settings, what it sees of each input, the models registered beside it, and the code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateline.pipeline.private_digest import PRIVATE_ROLES, digest_private
from gateline.pipeline.read import Inputs, input_files
from gateline.pipeline.record import code_version, content_digest, make_run_id, record_settings
from gateline.pipeline.registered import Registered
from gateline.settings import Settings

__all__ = ["digest_inputs", "identify_run"]


def digest_inputs(root: Path, settings: Settings, inputs: Inputs) -> list[tuple[str, str, str]]:
    """
    Digest every input.

    Parameters
    ----------
    root : pathlib.Path
        Workspace.
    settings : Settings
        Its settings.
    inputs : Inputs
        What was read.

    Returns
    -------
    list of (str, str, str)
        Role, file name and digest, sorted: of the content, or, where that tells of people, of what the run sees of it.
    """
    return sorted(
        (role, path.name, digest_private(inputs, role) if role in PRIVATE_ROLES else content_digest(path))
        for role, path in input_files(root, settings)
    )


def identify_run(settings: Settings, digests: Sequence[tuple[str, str, str]], registered: Sequence[Registered]) -> str:
    """
    Make the id of a run.

    Parameters
    ----------
    settings : Settings
        Of the workspace.
    digests : sequence of (str, str, str)
        From `digest_inputs`.
    registered : sequence of Registered
        Models that stand in the workspace.

    Returns
    -------
    str
        Twelve hexadecimal digits; the same for the same run.
    """
    named = [(role, digest) for role, _, digest in digests] + [(f"registered {m.unit}", m.name) for m in registered]
    return make_run_id(record_settings(settings), named, code_version())
