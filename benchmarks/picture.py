"""The picture of the demo's map that the front page shows: `python -m benchmarks.picture --out data/demo/map.png`."""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.map_budget import ARGUMENTS, CHROMIUM_NAMES
from gateline.commands.demo import run_demo
from geo.errors import UsageError

WIDTH_PX, HEIGHT_PX = 1366, 768
MOST_KB = 400


def main() -> None:
    """Run the demo, open its map and write the picture."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, default=Path("data/demo/map.png"))
    options.add_argument("--map", type=Path, help="a map written already, instead of the demo's")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        map_file = chosen.map or _write_demo(Path(folder) / "demo")
        data = shrink(photograph(map_file))
    if len(data) > MOST_KB * 1_000:
        msg = f"picture: has {len(data):,} bytes, expected at most {MOST_KB} kB. Take a smaller window."
        raise UsageError(msg)
    chosen.out.write_bytes(data)
    print(f"{chosen.out}: {WIDTH_PX} x {HEIGHT_PX} pixels, {len(data):,} bytes")


def _write_demo(root: Path) -> Path:
    """The map of a fresh run of the demo."""
    run_demo(root, quiet=True)
    return next((root / "runs").glob("*/map.html"))


def photograph(map_file: Path) -> bytes:
    """The map as a laptop shows it, in the light theme, with the network off, as PNG."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if program is None:
        msg = "picture: chromium is absent, expected it on the PATH. On Debian: apt-get install chromium."
        raise UsageError(msg)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        size = {"width": WIDTH_PX, "height": HEIGHT_PX}
        page = browser.new_context(offline=True, viewport=size, color_scheme="light").new_page()
        page.goto(map_file.resolve().as_uri())
        page.wait_for_selector("html[data-gl-ready]", state="attached", timeout=60_000)
        page.wait_for_timeout(500)
        picture = page.screenshot()
        browser.close()
    return picture


def shrink(png: bytes) -> bytes:
    """The same pixels in fewer bytes: a palette would change the classes of the corridors."""
    small = Image.open(io.BytesIO(png)).convert("RGB")
    buffer = io.BytesIO()
    small.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
