"""
What the user reads when something is wrong: every message in the house form, nothing caught unseen, each one tested.

The form is ``<what>: <what is wrong, with the value>, expected <what>. <What to do>.``
"""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import geo.errors

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for package in ("geo", "models", "gateline") for path in (ROOT / package).rglob("*.py"))
TESTS = sorted(set((ROOT / "tests").rglob("test_*.py")) - {Path(__file__).resolve()})
OURS = set(geo.errors.__all__)
# A placeholder in a message: no text of a test can run across it.
GAP = "\0"
PHRASE_WORDS = 2
MOST_ALIKE = 3
NAMED_SHARE_FLOOR = 0.9


class Raised(NamedTuple):
    where: str
    error: str
    template: str


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def template_of(node: ast.expr, bound: dict[str, ast.expr]) -> str:
    """The text of an expression with a gap for every value that is put in; names are looked up where they are bound."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            GAP if isinstance(part, ast.FormattedValue) else template_of(part, bound) for part in node.values
        )
    if isinstance(node, ast.BinOp):
        return template_of(node.left, bound) + template_of(node.right, bound)
    if isinstance(node, ast.Name) and node.id in bound:
        return template_of(bound[node.id], {key: value for key, value in bound.items() if key != node.id})
    return GAP


def raised_in(path: Path) -> list[Raised]:
    """Every error of ours that a module raises, with its message."""
    found: dict[str, Raised] = {}
    functions = [node for node in ast.walk(parse(path)) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        nodes = list(ast.walk(function))
        raises = [
            node
            for node in nodes
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name)
        ]
        assigned = sorted(
            (node for node in nodes if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)),
            key=lambda node: node.lineno,
        )
        for node in raises:
            if node.exc.func.id in OURS:
                bound = {n.targets[0].id: n.value for n in assigned if n.lineno < node.lineno}
                text = template_of(node.exc.args[0], bound) if node.exc.args else ""
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                found[where] = Raised(where, node.exc.func.id, text)
    return sorted(found.values())


@pytest.fixture(scope="module")
def raised():
    return [each for path in SOURCES for each in raised_in(path)]


def test_there_are_messages_to_judge(raised):
    assert len(raised) > 250
    assert len({each.error for each in raised}) >= 8


def breach_of(each: Raised) -> str | None:
    """What of the house form a message lacks."""
    parts = re.split("[,:] expected ", each.template, maxsplit=1)
    if len(parts) < 2:
        return "it says of nothing what is expected"
    if not re.search(f": |{GAP}", parts[0]):
        return "it has no subject"
    if not re.search(f"[.{GAP}] ?['A-Z0-9{GAP}]", parts[1]):
        return "it says nothing to do"
    if not each.template.endswith((".", GAP)) or "\n" in each.template:
        return "it is no sentence on one line"
    return None


def test_every_message_is_in_the_house_form(raised):
    breaches = [f"{each.where} {breach_of(each)}: {each.template}" for each in raised if breach_of(each)]
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize(
    ("template", "breach"),
    [
        ("stations: none is there, expected one. Name it.", None),
        ("stations: none is there.", "it says of nothing what is expected"),
        ("none is there, expected one. Name it.", "it has no subject"),
        ("stations: none is there, expected one.", "it says nothing to do"),
        ("stations: none is there, expected one. Name it", "it is no sentence on one line"),
        ("stations: none\nis there, expected one. Name it.", "it is no sentence on one line"),
    ],
)
def test_a_message_of_another_form_is_known(template, breach):
    assert breach_of(Raised("here", "InputError", template)) == breach


def test_no_error_is_caught_unseen():
    """A bare or broad except hides defects; cleaning up and raising again is the one use of BaseException."""
    unseen = []
    for path in SOURCES:
        for node in ast.walk(parse(path)):
            if not isinstance(node, ast.ExceptHandler):
                continue
            caught = ast.unparse(node.type) if node.type is not None else "everything"
            last = node.body[-1]
            is_raised_again = isinstance(last, ast.Raise) and last.exc is None
            if caught in {"everything", "Exception"} or (caught == "BaseException" and not is_raised_again):
                unseen.append(f"{path.relative_to(ROOT)}:{node.lineno} catches {caught}")
    assert not unseen, "\n".join(unseen)


def phrases_of(text: str) -> set[tuple[str, ...]]:
    """Every run of so many words, none of which runs across a value that is put in."""
    found = set()
    for literal in text.split(GAP):
        words = re.findall(r"[A-Za-z][A-Za-z'_-]*", literal)
        found.update(tuple(words[k : k + PHRASE_WORDS]) for k in range(len(words) - PHRASE_WORDS + 1))
    return found


def phrases_of_tests() -> set[tuple[str, ...]]:
    """What the tests expect to read: the phrases of every text in them but docstrings, wildcards taken out."""
    found: set[tuple[str, ...]] = set()
    for path in TESTS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
                found |= phrases_of(re.sub(r"\\[dwsDWS][+*]?|\.[*+]", GAP, node.value))
    return found


def test_nearly_every_message_is_named_by_a_test(raised):
    """A phrase names a message if few others have it; the same words may say the same of another table or field."""
    tested = phrases_of_tests()
    phrases = {each: phrases_of(each.template) for each in raised}
    n_holders = Counter(phrase for held in phrases.values() for phrase in held)
    unnamed = [
        each for each, held in phrases.items() if not any(n_holders[phrase] <= MOST_ALIKE for phrase in held & tested)
    ]
    share = 1 - len(unnamed) / len(raised)
    listed = "\n".join(f"{each.where} {each.template.replace(GAP, '...')}" for each in unnamed)
    assert share >= NAMED_SHARE_FLOOR, (
        f"{share:.1%} of {len(raised)} messages are named by a test; not these:\n{listed}"
    )
