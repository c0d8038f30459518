"""The embedded region in a folder of its own, whole or cut small, for tests that run it, read it or spoil it."""

import atexit
import json
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path

import shapely

from gateline.commands.demo import _DATA, _FILES, demo_settings
from gateline.settings import Settings, write_settings_template

CORNERS_DEG = 0.001
FIRST_MONTH = "2024-10"
# The main stations of the exporting areas, then stations of the lines that meet at York.
STATIONS = re.findall(
    r"\w+",
    "LDS MCV LIV MBR YRK HGT KNA HMM POP SKI GIG MLT SEM SCA FIL WTB GMT THI NTR SBY WRS CHF ULL",
)
# The towns that the force named, and some more.
TOWNS = re.findall(r"\w+", "York Harrogate Scarborough Whitby Skipton Selby Northallerton Malton Knaresborough Thirsk")


def make_whole(root: Path, settings: Settings | None = None) -> Path:
    """The workspace of `gateline demo`, not yet run; other settings may be given."""
    (root / "inputs").mkdir(parents=True)
    for path in _FILES.values():
        shutil.copyfile(_DATA / path, root / "inputs" / Path(path).name)
    text = write_settings_template(demo_settings() if settings is None else settings)
    (root / "region.toml").write_text(text, encoding="utf-8")
    return root


def make_small(root: Path) -> Path:
    """The same with a year of offences, 23 stations, ten towns, and every third small area with fewer corners."""
    shutil.copytree(_small(), root)
    return root


@cache
def _small() -> Path:
    """The small workspace that this process copies."""
    folder = Path(tempfile.mkdtemp(prefix="gateline-small-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    root = make_whole(folder / "w")
    keep_rows(root, "offences_FICTIONAL.csv", lambda rows: [row for row in rows if row.split(",")[1] >= FIRST_MONTH])
    keep_rows(root, "places.csv", lambda rows: [row for row in rows if row.split(",")[1] in TOWNS])
    keep_rows(root, "stations.csv", lambda rows: [row for row in rows if row[-3:] in STATIONS])
    path = root / "inputs" / "north_yorkshire_lsoa_2011.geojson"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["features"] = document["features"][::3]
    for feature in document["features"]:
        outline = shapely.simplify(shapely.from_geojson(json.dumps(feature["geometry"])), CORNERS_DEG)
        feature["geometry"] = json.loads(shapely.to_geojson(outline))
    path.write_text(json.dumps(document), encoding="utf-8")
    path = root / "region.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("n_draws = 1000", "n_draws = 100"), encoding="utf-8")
    return root


def keep_rows(root, name, choose):
    """Rows of an input as chosen, below its header."""
    path = root / "inputs" / name
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, *choose(rows)]) + "\n", encoding="utf-8")
