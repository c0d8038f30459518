"""
What the user reads when something is wrong: every message in the house form, nothing caught unseen, each one tested.

The form is ``<what>: <what is wrong, with the value>, expected <what>. <What to do>.``
"""

import ast
import importlib
import inspect
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.main import get_command

import geo.errors
from gateline.cli import app
from gateline.pipeline.setting_names import PARAMETERS, find_parameter
from gateline.settings import InputSettings, Settings

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


# What a message says to set, give or run must be there to set, give or run.

SECTIONS = {name: field.annotation for name, field in Settings.model_fields.items()}
EVERY_SETTING = {key for section in SECTIONS.values() for key in section.model_fields}
COMMANDS = get_command(app).commands
OPTIONS = {
    option
    for command in [*COMMANDS.values(), *COMMANDS["audit"].commands.values()]
    for parameter in command.params
    for option in parameter.opts
} | {"--help"}
ENDINGS = {"csv", "json", "jsonl", "npz", "geojson", "gpkg", "toml", "html", "txt", "pdf", "xlsx", "zip", "js"}
# Words that promise a setting without its name.
PROMISE = re.compile(r"\b(the|[Aa]) settings?\b|\b[Dd]eclare\b|\bmapping\b|\b[Mm]ap (it|them)\b")
# Parameters that gateline leaves as they are: whoever calls the reader from Python has set them.
OF_PYTHON = ("location_precision: ",)


def not_there(text: str) -> list[str]:
    """Settings, sections, options and commands that a text names and that do not exist."""
    named = re.findall(rf"(?<![.\w])({'|'.join(SECTIONS)})\.([a-z][a-z_0-9]*)", text)
    found = [
        f"{section}.{key}" for section, key in named if key not in SECTIONS[section].model_fields and key not in ENDINGS
    ]
    found += [f"[{name}]" for name in re.findall(r"\[([a-z_]+)\]", text) if name not in SECTIONS]
    found += [option for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text) if option not in OPTIONS]
    for command, sub in re.findall(r"'gateline ([a-z]+)(?: ([a-z]+))?", text):
        if command not in COMMANDS or (command == "audit" and sub not in COMMANDS["audit"].commands):
            found.append(f"gateline {command} {sub}".rstrip())
    if text.startswith("region.toml:"):
        found += [
            word for word in re.findall(r"(?<![.\w])[a-z]+(?:_[a-z]+)+\b(?!\.)", text) if word not in EVERY_SETTING
        ]
    return found


def is_unkept(text: str) -> bool:
    """Whether a text says that a setting helps, and neither names one nor can be given the name of one."""
    if not PROMISE.search(text) or text.startswith(OF_PYTHON):
        return False
    if re.search(rf"\b({'|'.join(SECTIONS)})\.[a-z]|\[[a-z]+\]|'gateline init'|region\.toml", text):
        return False
    parameter = find_parameter(text.replace(GAP, "x"))
    if parameter is None:
        return True
    names = InputSettings.model_fields
    return parameter not in names and not any(name.endswith(f"_{parameter}") for name in names)


def test_every_setting_option_and_command_that_a_message_names_is_there(raised):
    wrong = [f"{each.where} names {', '.join(found)}" for each in raised if (found := not_there(each.template))]
    assert not wrong, "\n".join(wrong)


def test_no_message_promises_a_setting_that_cannot_be_named(raised):
    wrong = [f"{each.where}: {each.template}" for each in raised if is_unkept(each.template)]
    assert not wrong, "\n".join(wrong)


def test_notes_and_sentences_name_what_is_there():
    """What is told without an error: every text in the source but the docstrings."""
    wrong = []
    columns = ROOT / "models" / "dictionary.py"  # names columns of tables, some of which are called as sections are
    for path in set(SOURCES) - {columns}:
        tree = parse(path)
        statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in statements:
                found = [name for name in not_there(node.value) if not name.startswith(("[", "--"))]
                wrong += [f"{path.relative_to(ROOT)}:{node.lineno} names {name}" for name in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x: it is 1, expected 2. Set inputs.cuckooing_date_format.", []),
        ("x: it is 1, expected 2. Set inputs.cuckoo_date_format.", ["inputs.cuckoo_date_format"]),
        ("x: it is 1, expected 2. Set corridors.time_exponent.", ["corridors.time_exponent"]),
        ("x: plan.csv is absent, expected it. Run 'gateline run' again.", []),
        ("x: it is 1, expected 2. Name it under [input].", ["[input]"]),
        ("x: it is 1, expected 2. Give it as --dateformat.", ["--dateformat"]),
        ("x: it is 1, expected 2. Give it as --date-format.", []),
        ("x: it is 1, expected 2. Run 'gateline runs'.", ["gateline runs"]),
        ("x: it is 1, expected 2. Run 'gateline audit check'.", ["gateline audit check"]),
        ("region.toml: police_forces is not set, expected it. Set it.", ["police_forces"]),
    ],
)
def test_what_is_not_there_is_found(text, names):
    assert not_there(text) == names


@pytest.mark.parametrize(
    ("text", "is_wrong"),
    [
        (f"date_format: it is not declared but {GAP} holds {GAP}, expected a format. Declare one.", False),
        (f"{GAP}: column {GAP} is missing, expected it in the header. Map it in the settings.", False),
        (f"zoom: it is {GAP}, expected a number. Mend the setting.", True),
        ("height: it is not declared, expected metres. Declare it.", True),
        ("x: it is 1, expected 2. Mend the [hours] settings.", False),
    ],
)
def test_a_promise_of_no_setting_is_found(text, is_wrong):
    assert is_unkept(text) == is_wrong


# The parameters of each input's reader that only a setting can give.
READERS = {
    "offences": ("geo.sources.offence_extract", "read_offence_extract"),
    "cuckooing": ("geo.sources.cuckooing", "read_cuckooing"),
    "deal_lines": ("geo.sources.deal_lines", "read_deal_lines"),
    "deployments": ("geo.sources.deployments", "read_deployments"),
    "partner_counts": ("geo.sources.partner_counts", "read_partner_counts"),
    "stations": ("geo.sources.stations", "read_stations"),
    "passenger_flows": ("geo.sources.passenger_flows", "read_passenger_flows"),
    "station_usage": ("geo.sources.passenger_flows", "read_station_usage"),
    "places": ("geo.sources.places", "read_places"),
    "built_up_areas": ("geo.sources.built_up_areas", "read_built_up_places"),
    "exporters": ("geo.sources.exporters", "read_exporters"),
    "boundary": ("geo.sources.boundaries", "read_boundaries"),
    "land": ("geo.sources.boundaries", "read_boundaries"),
    "areas": ("geo.sources.boundaries", "read_areas"),
    "rail_track": ("geo.sources.track", "read_track"),
    "harm": ("geo.sources.harm", "read_harm_weights"),
}


@pytest.mark.parametrize("role", READERS)
def test_what_a_reader_can_be_told_can_be_set(role):
    module, name = READERS[role]
    reader = getattr(importlib.import_module(module), name)
    parameters = set(inspect.signature(reader).parameters)
    wanted = parameters & {*PARAMETERS, "timezone", "basis"}
    wanted |= {"columns"} if any(parameter.endswith("_column") for parameter in parameters) else set()
    wanted |= {"properties"} if any(parameter.endswith("_property") for parameter in parameters) else set()
    missing = {f"{role}_{parameter}" for parameter in wanted} - set(InputSettings.model_fields)
    assert not missing, f"no setting for {sorted(missing)}"
