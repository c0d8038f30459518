"""The base of every section of settings, and how coaches and buses are priced."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CoachSettings", "Section"]


class Section(BaseModel):
    """A table of `region.toml`; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


class CoachSettings(Section):
    """How coaches and buses are priced where inputs.coaches names any: as trains are, unless stated here."""

    week_start_on: date | None = Field(
        None, description="Monday of the week whose coaches are counted; inputs.timetable_week_start_on where absent"
    )
    stop_cluster_m: float = Field(
        150.0, gt=0, le=1000, description="Stops within this distance are one, as the bays of a bus station. ASSUMPTION"
    )
    hub_reach_km: float = Field(
        6.0,
        gt=0,
        description=(
            "From an exporting area couriers board at the stops this near its main station, as easily as a train there."
            " ASSUMPTION: London's coach station is 5 km from King's Cross"
        ),
    )
    most_planned_stops: int = Field(
        20,
        ge=0,
        description="Coach stops, of most couriers, where the plan may put a team; 0 plans stations alone. ASSUMPTION",
    )
    least_planned_coaches_per_day: float = Field(
        48.0,
        ge=0,
        description="No team stands at a stop of fewer coaches, mean of the week. ASSUMPTION: three an hour by day",
    )
    interchange_min: float = Field(5.0, ge=0, description="Minutes to change coaches. ASSUMPTION: as for trains")
    in_vehicle_weight: float = Field(
        1.0, gt=0, le=10, description="Generalised minutes for each minute on a coach; 1 as on a train. ASSUMPTION"
    )
    ticket_advantage_min: float = Field(
        0.0,
        ge=-600,
        le=600,
        description=(
            "Generalised minutes that a cheaper ticket than the train's is worth. No figure is published: 0 decides"
            " nothing, so that times and waits alone do"
        ),
    )
