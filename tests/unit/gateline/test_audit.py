"""No byte, line or order of the audit log can change without `verify_log` saying so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateline.audit import append_event, head_hash, verify_log
from geo.errors import IntegrityError, UsageError


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    for i in range(5):
        append_event(path, "score", run_id=f"run-{i}", rows=i, reason="é")
    return path


def test_an_untouched_log_verifies(log):
    assert verify_log(log) == 5


@given(data=st.data())
@settings(max_examples=200)
def test_any_changed_byte_is_found(log, tmp_path_factory, data):
    original = log.read_bytes()
    place = data.draw(st.integers(0, len(original) - 1))
    flip = data.draw(st.integers(1, 255))
    torn = tmp_path_factory.getbasetemp() / "mutant.jsonl"
    torn.write_bytes(original[:place] + bytes([original[place] ^ flip]) + original[place + 1 :])
    with pytest.raises(IntegrityError, match=r"mutant\.jsonl: (line \d+|the last line)"):
        verify_log(torn)


@given(st.permutations(range(5)), st.integers(0, 4))
def test_a_dropped_or_moved_line_is_found(log, tmp_path_factory, order, n_kept):
    lines = log.read_bytes().splitlines(keepends=True)
    mutant = tmp_path_factory.getbasetemp() / "moved.jsonl"
    kept = [lines[i] for i in order][: n_kept + 1]
    mutant.write_bytes(b"".join(kept))
    if kept == lines[: len(kept)]:  # a cut tail is a shorter true log: the head hash on the products shows it
        assert verify_log(mutant) == len(kept)
        assert (head_hash(mutant) == head_hash(log)) == (len(kept) == 5)
    else:
        with pytest.raises(IntegrityError, match=r"does not follow line"):
            verify_log(mutant)


def test_nothing_is_added_to_a_torn_log(log, tmp_path):
    torn = tmp_path / "audit.jsonl"
    torn.write_bytes(log.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=r"audit\.jsonl: the last line is torn, expected a whole line"):
        append_event(torn, "score")


def test_an_unknown_event_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"audit: event is 'peek', expected one of collect"):
        append_event(tmp_path / "audit.jsonl", "peek")


def test_the_head_confirms_no_guess_of_what_an_event_said(tmp_path):
    """Products print the head: who guesses every fact of the event, to the second, still cannot make it."""
    heads = {append_event(tmp_path / f"{k}.jsonl", "score", inputs=[{"sha256": "0" * 64}]) for k in range(20)}
    assert len(heads) == 20
