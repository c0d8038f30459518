"""
Rebuild ``assets/manifest.json`` after a deliberate change: ``python -m gateline.products.vendoring``.

Leaflet is taken as published: ``npm pack leaflet@1.9.4`` gives the archive whose ``package/dist/leaflet.js``,
``package/dist/leaflet.css`` and ``package/LICENSE`` are kept, unchanged, in ``assets/leaflet``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

__all__ = ["build_manifest", "main"]

_NOT_LISTED = (".gitattributes", "manifest.json")
_SOURCES = {
    "leaflet": {"source": "npm package leaflet 1.9.4", "licence": "BSD-2-Clause, assets/leaflet/LICENSE"},
    "gateline": {"source": "this project", "licence": "MIT"},
}
_URLS = {"leaflet/leaflet.js": "vendored:leaflet.js", "leaflet/leaflet.css": "vendored:leaflet.css"}


def build_manifest(assets: Path) -> str:
    """
    List every asset with its hash, source and licence.

    Parameters
    ----------
    assets : pathlib.Path
        The assets folder.

    Returns
    -------
    str
        JSON text, sorted by file.
    """
    files = sorted(path for path in assets.rglob("*") if path.is_file() and path.name not in _NOT_LISTED)
    records = []
    for path in files:
        name = path.relative_to(assets).as_posix()
        record = {"file": name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        record |= _SOURCES[name.split("/", 1)[0]]
        if name in _URLS:
            record["url"] = _URLS[name]
        records.append(record)
    return json.dumps(records, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """Write the manifest beside the assets."""
    assets = Path(__file__).parent / "assets"
    (assets / "manifest.json").write_bytes(build_manifest(assets).encode("utf-8"))


if __name__ == "__main__":
    main()
