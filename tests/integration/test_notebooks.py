"""Every notebook runs from a fresh namespace, says FICTIONAL on whatever it shows, and is kept without outputs."""

import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
# Charts come as text, so that what is written on them can be read.
IPYTHON = 'c.InlineBackend.figure_formats = {"svg"}\n'
MATPLOTLIB = "svg.fonttype: none\n"
# Notebooks are judged here, not stages: the region is the small one, and its stages give what they gave once for all.
SHARE = """
import pickle
from pathlib import Path
import gateline.study
gateline.study.run_stages = lambda *_, found=pickle.loads(Path({root!r}, "results.pickle").read_bytes()): found
gateline.study.open_demo = lambda study=gateline.study.open_workspace(Path({root!r})): study
"""
TABLE_OR_CHART = re.compile(r"<style|<table|<\?xml|<svg")


@pytest.fixture(scope="module")
def executed(small_run, tmp_path_factory):
    """
    The cells of each notebook with their outputs.

    All run in one kernel, so that the region is read once, and what a notebook named is forgotten before the next.
    The kernel is reached over files, because sockets of the network are blocked.
    """
    home, work = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    (home / "profile_default").mkdir()
    (home / "profile_default" / "ipython_kernel_config.py").write_text(IPYTHON)
    (work / "matplotlibrc").write_text(MATPLOTLIB)
    book = nbformat.v4.new_notebook()
    book.cells.append(nbformat.v4.new_code_cell(SHARE.format(root=str(small_run.root))))
    for path in NOTEBOOKS:
        cells = [cell | {"id": f"{path.stem}-{cell['id']}"} for cell in nbformat.read(path, as_version=4).cells]
        book.cells += [nbformat.v4.new_code_cell("%reset -f"), *map(nbformat.from_dict, cells)]
    kernel = Config({"AsyncKernelManager": {"transport": "ipc", "ip": str(home / "kernel")}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(home))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(home))
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        options = {"allow_errors": True, "timeout": 300, "resources": {"metadata": {"path": str(work)}}}
        NotebookClient(book, kernel_name="python3", config=kernel, **options).execute()
    assert [path.name for path in work.iterdir()] == ["matplotlibrc"], "a notebook wrote a file"
    return {path: [cell for cell in book.cells if cell["id"].startswith(f"{path.stem}-")] for path in NOTEBOOKS}


def shown(output):
    """What an output shows, as text; tables and charts are HTML and SVG."""
    data = output.get("data", {})
    return data.get("image/svg+xml") or data.get("text/html") or "\n".join(output.get("traceback", [str(output)]))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_tables_and_charts_alone_and_each_says_fictional(path, executed):
    outputs = [(cell["source"], shown(output)) for cell in executed[path] for output in cell.get("outputs", [])]
    for source, text in outputs:
        assert TABLE_OR_CHART.match(text.lstrip()), f"{source}\n{text}"
        assert "FICTIONAL" in text, source
    n_code = sum(cell["cell_type"] == "code" for cell in executed[path])
    assert len(outputs) == n_code - 1, "each cell but the first shows one thing"


def test_there_are_five_notebooks_and_the_readme_names_each():
    names = re.findall(r"`(\d_\w+\.ipynb)`", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert names == [path.name for path in NOTEBOOKS]
    assert len(names) == 5


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_outputs_for_any_python_3(path):
    book = json.loads(path.read_text(encoding="utf-8"))
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert len(code) >= 5
    for cell in code:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        assert not cell["metadata"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_code_cell_is_explained_before_it(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for before, cell in itertools.pairwise(cells):
        if cell["cell_type"] == "code":
            assert before["cell_type"] == "markdown"
            assert "".join(before["source"]).count(".") >= 2, before["source"]
