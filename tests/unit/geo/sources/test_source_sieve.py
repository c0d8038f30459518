import numpy as np
import pandas as pd
import pytest

from geo.errors import InputError
from geo.sources.sieve import Sieve


def make_sieve(**options):
    rows = pd.DataFrame({"x": ["1", "2", "3", "4"]}, index=pd.Index([2, 3, 5, 9], name="source_row"))
    return Sieve(rows, source_file="f.csv", sha256="0", **options)


def test_a_row_keeps_its_first_reason():
    sieve = make_sieve()
    sieve.reject(np.array([True, False, False, False]), "first", field="x")
    sieve.reject(np.array([True, True, False, False]), "second", field="x", status="out_of_scope")
    quarantine, account = sieve.close()
    assert quarantine["reason"].tolist() == ["first", "second"]
    assert quarantine["source_row"].tolist() == [2, 3]
    assert quarantine["value"].tolist() == ["1", "2"]
    assert account.n_by_reason == (("out_of_scope", "second", 1), ("quarantined", "first", 1))
    assert (account.n_read, account.n_accepted) == (4, 2)


def test_private_values_never_reach_the_quarantine():
    sieve = make_sieve(private_fields=frozenset({"x"}))
    sieve.reject(np.array([True, True, True, True]), "odd", field="x")
    quarantine, _ = sieve.close()
    assert quarantine["value"].isna().all()
    assert quarantine["field"].tolist() == ["x"] * 4


def test_a_fault_of_more_than_half_stops_the_file():
    sieve = make_sieve()
    sieve.reject(np.array([True, True, False, False]), "swapped")
    sieve.require_majority({"swapped": "Swap them"})
    sieve.reject(np.array([False, False, True, False]), "swapped")
    with pytest.raises(InputError, match=r"f.csv: 3 of 4 rows are 'swapped', expected at most half. Swap them\."):
        sieve.require_majority({"swapped": "Swap them"})


def test_a_fault_of_most_rows_shows_the_first_value_where_that_is_no_private_one():
    for private, words in (
        (frozenset(), r"Swap them\. The first is line 2, where 'x' is '1'\."),
        ({"x"}, "line 2\\.$"),
    ):
        sieve = make_sieve(private_fields=frozenset(private))
        sieve.reject(np.array([True, True, True, False]), "swapped", field="x")
        with pytest.raises(InputError, match=words):
            sieve.require_each_majority({"other": "Look", "swapped": "Swap them"})


def test_a_fault_of_some_rows_is_noted_once_with_its_guess():
    rows = pd.DataFrame({"x": ["1"] * 30}, index=pd.RangeIndex(2, 32))
    sieve = Sieve(rows, source_file="f.csv", sha256="0")
    sieve.reject(np.arange(30) < 3, "swapped", field="x")
    sieve.reject(np.arange(30) == 3, "odd", field="x")
    for _ in range(2):
        sieve.require_each_majority({"swapped": "They look swapped", "odd": "They look odd"})
    assert sieve.close()[1].warnings == ("3 of 30 rows are 'swapped': They look swapped.",)
