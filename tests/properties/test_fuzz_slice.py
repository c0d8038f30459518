"""A slice of `python -m benchmarks.fuzz`: every reader takes its whole seed, and spoilt ones end as they should."""

import pytest

from benchmarks.fuzz import judge, make_case
from benchmarks.fuzz_readers import READERS

N_CASES = 6


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_reader_reads_its_seed_and_refuses_or_accounts_for_what_is_spoilt(tmp_path, name):
    reader = READERS[name]
    assert judge(reader, reader.make(None), tmp_path).kind == "read"
    for number in range(N_CASES):
        data = make_case(reader, name, number, seed=1)
        assert data == make_case(reader, name, number, seed=1)
        outcome = judge(reader, data, tmp_path)
        assert outcome.kind in {"read", "refused"}, (number, outcome.detail)
