"""The list of planted bugs keeps up with the code: each can be planted, and they lie in every package."""

from pathlib import Path

import pytest

from benchmarks.mutants import MUTANTS, ROOT, Mutant, plant


def test_every_bug_can_be_planted_and_its_tests_are_there():
    for mutant in MUTANTS:
        text = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert plant(text, mutant) != text
        assert all((ROOT / name).is_file() for name in mutant.tests.split())
    assert len(set(MUTANTS)) == len(MUTANTS) >= 20


def test_bugs_lie_in_every_package():
    folders = {"/".join(Path(mutant.file).parts[:2]) for mutant in MUTANTS}
    wanted = {f"geo/{name}" for name in ("sources", "network", "hotspots", "corridors", "disclosure")}
    wanted |= {"models/planning", "models/posterior", "gateline/pipeline", "gateline/products", "gateline/release"}
    assert wanted <= folders


@pytest.mark.parametrize("text", ["nothing of it", "a = b + c\na = b + c\n"])
def test_a_place_that_is_not_there_once_is_told(text):
    with pytest.raises(ValueError, match=r"f\.py: 'b \+ c' stands there \d times, expected one line\. Mend the list"):
        plant(text, Mutant("f.py", "b + c", "b - c", "tests"))
