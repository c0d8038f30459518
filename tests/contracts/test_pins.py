"""
What is pinned is what runs: a library or a font that moves fails here, with what to do, before it fails a user.

``make lock`` renews the pins; the README says when. The browser is not pinned: see ``tests/browser/test_browser.py``.
"""

import hashlib
import importlib.metadata
import re
import tomllib
from pathlib import Path

import matplotlib as mpl
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")

# What draws the pictures, prints the briefing and writes the workbook and the map's page.
DRAWN_WITH = {
    "branca": "0.8.2",
    "folium": "0.20.0",
    "matplotlib": "3.11.2",
    "pillow": "13.0.0",
    "typst": "0.15.2",
    "xlsxwriter": "3.3.1",
}
# The fonts that Matplotlib brings along, in which labels of the map picture and the briefing are set.
SET_IN = {
    "DejaVuSans.ttf": "3fdf69cabf06049ea70a00b5919340e2ce1e6d02b0cc3c4b44fb6801bd1e0d22",
    "DejaVuSans-Bold.ttf": "b184b89e3c1075f22f6b71575b6fc20d4972b3cfd3b23322ca6fd596dcaef167",
}
LOOK = (
    "Run `make demo`, look at briefing.pdf, priority_stations.xlsx and map.html of the run, renew data/demo/map.png "
    "with `python -m benchmarks.picture`, then write here what you looked at."
)


def pins_of(name):
    """The version of each package that a lock pins for this machine."""
    text = (ROOT / name).read_text(encoding="utf-8")
    pins = [Requirement(line.rstrip("\\ ")) for line in re.findall(r"^[a-z0-9][^ ]*==.*$", text, flags=re.MULTILINE)]
    wanted = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in wanted}


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_installed_is_what_is_locked(name):
    installed = {canonicalize_name(d.name): d.version for d in importlib.metadata.distributions()}
    moved = {
        package: f"{installed.get(package, 'absent')}, locked {version}"
        for package, version in pins_of(name).items()
        if installed.get(package) != version
    }
    assert not moved, f"{moved}: not as in {name}. Run `make clean`, then `make test`; to move on purpose, `make lock`."


def test_both_locks_pin_the_same_versions():
    run, dev = map(pins_of, LOCKS)
    assert {package: dev.get(package) for package in run} == run, "run `make lock`, which makes both"


@pytest.mark.parametrize(("lock", "groups"), [(LOCKS[0], ()), (LOCKS[1], ("dev", "build"))])
def test_a_lock_holds_all_that_the_project_asks_for(lock, groups):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"]]
    asked += [text for group in groups for text in project["dependency-groups"][group]]
    pinned = pins_of(lock)
    for text in asked:
        asked_for = Requirement(text)
        version = pinned.get(canonicalize_name(asked_for.name))
        assert version is not None, f"{text} is not in {lock}: run `make lock`"
        assert asked_for.specifier.contains(version), f"{text} is {version} in {lock}: run `make lock`"


def test_what_draws_and_prints_is_what_was_looked_at():
    now = {package: importlib.metadata.version(package) for package in DRAWN_WITH}
    assert now == DRAWN_WITH, LOOK
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    assert {name: hashlib.sha256((fonts / name).read_bytes()).hexdigest() for name in SET_IN} == SET_IN, LOOK


def test_what_a_run_imports_is_what_a_user_installs():
    """Every third-party package that the code imports is asked for, and nothing is asked for that it never imports."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    sources = [path for package in ("geo", "models", "gateline") for path in (ROOT / package).rglob("*.py")]
    lines = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    imported = set(re.findall(r"^ *(?:import|from) +([A-Za-z_]\w*)[\w.]*(?: +import | +as |$)", lines, re.MULTILINE))
    known = importlib.metadata.packages_distributions()
    used = {canonicalize_name(name) for module in imported for name in known.get(module, [])} - {"gateline"}
    # Asked for by whoever holds a graph of osmnx, who has it.
    assert used - {"networkx"} == asked
