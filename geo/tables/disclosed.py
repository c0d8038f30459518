"""What may be shown of what must stay hidden."""

from __future__ import annotations

from geo.schema import Column, Contract

BANDED_CELLS = Contract(
    "banded_cells",
    "cell_id",
    {
        "band": Column("count", "ordered band, 1 lowest to 4 highest; never a count", low=1, high=4),
        "geometry": Column("geometry", "square of the National Grid", shapes=("Polygon",)),
    },
    total="One row a square that holds at least the profile's dwellings and distinct addresses.",
)
