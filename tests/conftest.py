"""What every test shares: the profile of Hypothesis, the real input files, two finished runs, and what was skipped."""

import gc
import os
import pickle
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[1]
REAL = Path(os.environ.get("GATELINE_DATA", ROOT.parent / "shared" / "data"))
MOST_WAIT_S = 300.0
# Two workers on two cores: threads of one would only wait for those of the other. It is set before NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# `HYPOTHESIS_EXAMPLES=1000` asks for more than the gate has time for.
settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "25")),
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


class SharedRun:
    """A finished run that many tests read and none changes: its workspace, its folder and what its stages found."""

    def __init__(self, root: Path):
        self.root = root
        self.run_id = (root / "runs" / "current").read_text().strip()
        self.folder = root / "runs" / self.run_id

    @cached_property
    def results(self):
        return pickle.loads((self.root / "results.pickle").read_bytes())  # noqa: S301 - written by `_run_once`

    @cached_property
    def settings(self):
        from gateline.settings import read_settings

        return read_settings(self.root / "region.toml")

    @cached_property
    def inputs(self):
        from gateline.pipeline.read import read_inputs

        return read_inputs(self.root, self.settings)

    def copy(self, to: Path) -> Path:
        """The workspace with its run in another folder, to be changed there."""
        shutil.copytree(self.root, to, ignore=shutil.ignore_patterns("results.pickle"))
        return to


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory):
    """The whole embedded region, run by `gateline demo`."""
    from gateline.commands.demo import run_demo

    return _run_once(tmp_path_factory, "demo", lambda root: run_demo(root, quiet=True))


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """The embedded region cut small, run."""
    from gateline.pipeline.run import run_pipeline
    from tests.regions import make_small

    return _run_once(tmp_path_factory, "small", lambda root: run_pipeline(make_small(root), tell=lambda _: None))


def _run_once(tmp_path_factory, name: str, run: Callable[[Path], object]) -> SharedRun:
    """The run as the first worker that asks for it makes it; another that asks meanwhile waits."""
    # Under xdist every worker has a folder of its own inside the one of the session.
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made, claim = base / f"{name}-run", base / f"{name}-run.claim"
    end = time.monotonic() + MOST_WAIT_S
    while not made.is_dir():
        assert time.monotonic() < end, f"no worker has finished the run {name!r}"
        try:
            claim.mkdir()
        except FileExistsError:
            time.sleep(0.1)
            continue
        try:
            _keep_run(base / f"{name}-run.making", run).rename(made)
        finally:
            claim.rmdir()
    return SharedRun(made)


def _keep_run(root: Path, run: Callable[[Path], object]) -> Path:
    """The workspace after its run, with what the stages found beside it."""
    import gateline.pipeline.run as main_job

    shutil.rmtree(root, ignore_errors=True)
    found = []
    with pytest.MonkeyPatch.context() as patch:
        whole = main_job.run_stages
        patch.setattr(main_job, "run_stages", lambda *arguments: found.append(whole(*arguments)) or found[0])
        run(root)
    (root / "results.pickle").write_bytes(pickle.dumps(found[0]))
    return root


def pytest_collection_finish():
    """What is imported by now stays: walking through it at each collection of garbage is a tenth of the whole time."""
    gc.collect()
    gc.freeze()


# The latest Chromium that the tests have met. A later one is no fault, but the first to ask where the page fails.
BROWSER_SEEN = 156


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    """The last lines say what was not tested here, and why; equal reasons are one line."""
    failed = terminalreporter.stats.get("failed", []) + terminalreporter.stats.get("error", [])
    if any(report.nodeid.startswith("tests/browser/") for report in failed):
        terminalreporter.write_line(tell_browser())
    why = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", []))
    for reason, n in why.most_common():
        terminalreporter.write_line(f"{n} skipped: {reason}")
    if not why:
        terminalreporter.write_line("nothing was skipped")


def tell_browser() -> str:
    """Which browser failed a test of the page, and which passed them all."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout if path else ""
    return (
        f"tests of the page failed in {told.strip() or 'a browser of no known version'}; all pass in Chromium "
        f"{BROWSER_SEEN}. If it is later: mend the page for it, then write its version into tests/conftest.py."
    )
