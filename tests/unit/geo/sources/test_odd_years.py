"""Years that no clock of nanoseconds holds are faults of their rows, and never stop a reader."""

import pandas as pd
import pytest

from geo.sources.instants import parse_instants
from geo.sources.sieve import Sieve


@pytest.mark.parametrize("text", ["0001-01-01", "1677-09-21 00:12", "2262-04-12", "6025-02-08 00:10"])
def test_a_year_out_of_reach_has_a_month_and_no_instant(text):
    rows = pd.DataFrame({"at": [text, "2025-01-05 13:00"]}, index=[2, 3])
    sieve = Sieve(rows, source_file="a.csv", sha256="")
    found = parse_instants(rows["at"], sieve, field="at", timezone="Europe/London")
    assert found.month[0] == pd.Period(text[:7], "M")
    assert found.from_at.isna().tolist() == [True, False]
    assert found.to_at.isna().tolist() == [True, False]
    assert sieve.kept.all()
