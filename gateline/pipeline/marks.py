"""The marks that every product of a run carries: whose it is, of when, on what, and within which limits."""

from __future__ import annotations

import pandas as pd

from gateline.pipeline.hours import describe_hours_basis
from gateline.pipeline.not_used import tell_not_used
from gateline.pipeline.read import Inputs
from gateline.pipeline.stages import Results
from gateline.products.guidance import RAILWAY_MEANING
from gateline.products.inputs import NOT_USED, Marks
from gateline.settings import Settings
from geo.schema import empty

__all__ = ["make_marks"]

_CREDITS = {
    "offences": "Offences: data.police.uk, Open Government Licence v3.0",
    "stations": "Stations: uk-railway-stations, ODbL 1.0",
    "rail_track": "Track: OpenStreetMap contributors, ODbL 1.0",
    "places": "Towns: GeoNames, CC BY 4.0; populations: ONS, Open Government Licence v3.0",
    "passenger_flows": "Passengers: Office of Rail and Road, Open Government Licence v3.0",
    "station_usage": "Passengers: Office of Rail and Road, Open Government Licence v3.0",
    "coaches": "Coaches and buses: Bus Open Data Service and traveline, Open Government Licence v3.0",
    "areas": "Small areas: ONS, Open Government Licence v3.0; contains OS data, Crown copyright and database right",
}
_LIMITS = (
    "No figure is published for the share of county lines that goes by rail.",
    "Positions in open data are snap points that stand for at least eight addresses, or none.",
)


def make_marks(
    inputs: Inputs,
    results: Results,
    settings: Settings,
    *,
    run_id: str,
    profile: str,
    not_used: pd.DataFrame | None = None,
) -> Marks:
    """
    Make the marks that every product of the run carries.

    Parameters
    ----------
    inputs : Inputs
        What was read.
    results : Results
        What the stages found.
    settings : Settings
        Of the workspace.
    run_id : str
        Of the run.
    profile : str
        Release profile.
    not_used : pandas.DataFrame or None
        Table `gateline.products.inputs.NOT_USED`; nothing is said of it where absent. Never modified.

    Returns
    -------
    Marks
        With an expiry counted from the last month of data, not from the clock, so that a run can be repeated.
    """
    months = inputs.offences["month"]
    not_used = empty(NOT_USED) if not_used is None else not_used
    gaps = list(not_used.loc[not_used["kind"] == "month", "reason"])
    expires = results.cutoff + settings.region.retention_months
    named = {name for name, value in settings.inputs if value}
    credit = dict(_CREDITS)
    if settings.region.is_fictional:
        credit |= {
            "offences": "Offences and addresses: FICTIONAL, invented to published totals",
            "rail_track": "Track: schematic, straight between neighbouring calls",
        }
    elif settings.inputs.offences_format == "extract":
        credit["offences"] = f"Offences: {settings.region.force}"
    return Marks(
        title=settings.region.name,
        run_id=run_id,
        period=f"{months.min().strftime('%B %Y')} to {months.max().strftime('%B %Y')}",
        gaps=_name_gaps(gaps),
        profile=profile,
        marking=settings.region.marking,
        operator=settings.region.operator,
        expires_on=expires.end_time.date().isoformat(),
        is_fictional=settings.region.is_fictional,
        credits=settings.region.credits or tuple(dict.fromkeys(text for name, text in credit.items() if name in named)),
        limits=(*_LIMITS, *map(_sentence, (*gaps, *tell_not_used(not_used))), *_notes(results)),
        railway=RAILWAY_MEANING[results.railway_basis],
        railway_notes=tuple(map(_sentence, results.railway_notes)),
    )


def _notes(results: Results) -> list[str]:
    """Limits that this run's own figures state."""
    notes = [
        *results.railway_notes,
        *results.fitted.notes,
        *results.beside.notes,
        describe_hours_basis(results.hours),
    ]
    for what, scores in (("stations", results.station_scores), ("towns", results.place_scores)):
        n_wide = int((~scores.table["is_rank_issued"]).sum())
        if n_wide:
            text = (
                f"{n_wide} of {len(scores.table)} {what} have a rank interval too wide for a number: read their tier."
            )
            notes.append(text)
    return [_sentence(note) for note in notes]


def _name_gaps(gaps: list[str]) -> str:
    """The months that are missing, as they stand on every product; the limits have all of them."""
    more = f" and of {len(gaps) - 1} more" if len(gaps) > 1 else ""
    return f"{gaps[0]}{more}" if gaps else ""


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:].rstrip('.')}."
