"""What every test shares: the house profile of Hypothesis, and the folder of real input files."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[1]
REAL = Path(os.environ.get("GATELINE_DATA", ROOT.parent / "shared" / "data"))

settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    max_examples=40,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files, or a skip that says what is missing."""
    if not REAL.is_dir():
        pytest.skip(f"real input files are absent: no folder {REAL.name!r}; set GATELINE_DATA")
    return REAL
