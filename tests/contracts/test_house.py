"""The house keeps its own rules: small modules, hashed locks, embedded data as built, contracts that can be met."""

import ast
import hashlib
import re
from pathlib import Path

import pytest

import geo.tables
from geo.errors import GatelineError
from geo.schema import Contract, empty, validate

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for package in ("geo", "models", "gateline") for path in (ROOT / package).rglob("*.py"))
CONTRACTS = [value for name in geo.tables.__all__ if isinstance(value := getattr(geo.tables, name), Contract)]


def subclasses(cls):
    return {cls} | {s for child in cls.__subclasses__() for s in subclasses(child)}


def breaches_of(text: str) -> list[str]:
    """What of the rules of a module a text breaks."""
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    broken = {
        "more than 400 lines": len(text.splitlines()) > 400,
        "no docstring": bool(text.strip()) and not ast.get_docstring(tree),
        "an assert": any(isinstance(node, ast.Assert) for node in nodes),
        "a print": "print" in called,
    }
    return [rule for rule, is_broken in broken.items() if is_broken]


def test_every_module_is_small_says_what_it_is_and_neither_prints_nor_asserts():
    broken = {str(path.relative_to(ROOT)): breaches_of(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert len(broken) > 200
    assert not {path: rules for path, rules in broken.items() if rules}


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("", []),
        ('"""It says what it is."""\n' + "x = 1\n" * 399, []),
        ('"""It says what it is."""\n' + "x = 1\n" * 400, ["more than 400 lines"]),
        ("x = 1\n", ["no docstring"]),
        ('"""It says what it is."""\n\n\ndef f():\n    assert 1\n', ["an assert"]),
        ('"""It says what it is."""\n\n\ndef f():\n    print(1)\n', ["a print"]),
    ],
)
def test_a_module_that_breaks_a_rule_is_known(text, broken):
    assert breaches_of(text) == broken


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)
def test_an_empty_table_meets_its_contract(contract):
    assert len(validate(empty(contract), contract)) == 0


def test_every_error_but_the_root_has_an_exit_code_and_is_a_builtin_too():
    for error in subclasses(GatelineError) - {GatelineError}:
        assert error.exit_code in {2, 3, 4, 5, 6, 7, 8, 9}
        assert issubclass(error, (ValueError, RuntimeError, PermissionError))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_hash_and_names_no_host(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9][^ ]*==.*$", text, flags=re.MULTILINE)
    assert len(pins) > 40
    assert all(pin.endswith("\\") for pin in pins)
    assert "://" not in text


def test_the_embedded_files_are_those_that_were_built():
    text = (ROOT / "data" / "boundaries" / "README.md").read_text(encoding="utf-8")
    sums = dict(re.findall(r"^    ([0-9a-f]{64})  (\S+)$", text, flags=re.MULTILINE))
    inverse = {path: digest for digest, path in sums.items()}
    embedded = sorted(
        str(path.relative_to(ROOT / "data"))
        for path in (ROOT / "data").rglob("*")
        if path.suffix in {".csv", ".geojson"} and "__pycache__" not in path.parts
    )
    assert sorted(inverse) == embedded
    for path in embedded:
        assert hashlib.sha256((ROOT / "data" / path).read_bytes()).hexdigest() == inverse[path], path


def test_fictional_files_say_so_in_their_names_and_rows():
    for path in (ROOT / "data" / "demo").glob("*FICTIONAL*.csv"):
        rows = path.read_text(encoding="utf-8").splitlines()[1:]
        assert rows
        assert all("FICTIONAL" in row for row in rows)
