"""
Scripts and styles that stand inside the map, each checked against its hash before it is used.

A page that asks for anything that is not here is an error: nothing is ever left to be fetched. ``assets/manifest.json``
names every file with its SHA-256, where it comes from and under which licence.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path

from geo.errors import IntegrityError

__all__ = ["ASSETS", "csp_hash", "inline_assets", "read_asset"]

ASSETS = Path(__file__).parent / "assets"
_EXTERNAL = re.compile(
    r'<script src="(?P<script>[^"]*)"></script>|<link rel="stylesheet" href="(?P<style>[^"]*)"\s*/>', re.ASCII
)
_CSS_URL = re.compile(r"url\([^)]*\)")


@cache
def _manifest() -> dict[str, dict[str, str]]:
    """The vendored files by name."""
    records = json.loads((ASSETS / "manifest.json").read_text(encoding="utf-8"))
    return {record["file"]: record for record in records}


@cache
def read_asset(name: str) -> str:
    """
    Read a vendored file whose bytes are what the manifest says.

    Parameters
    ----------
    name : str
        Path inside the assets folder.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    IntegrityError
        If the file is not in the manifest or its hash differs.
    """
    record = _manifest().get(name)
    if record is None:
        msg = f"assets: {name!r} is not in the manifest, expected a vendored file. Vendor it with its hash and licence."
        raise IntegrityError(msg)
    data = (ASSETS / name).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != record["sha256"]:
        msg = (
            f"assets: {name!r} has SHA-256 {found[:12]}, expected {record['sha256'][:12]}. "
            "Install the package again, or run python -m gateline.products.vendoring after a deliberate change."
        )
        raise IntegrityError(msg)
    # A browser reads CRLF as LF before it hashes a style, and the policy must name what the browser hashes.
    return data.decode("utf-8").replace("\r\n", "\n")


def inline_assets(page: str) -> tuple[str, list[str], list[str]]:
    """
    Replace every script and style that a page would fetch by its vendored text.

    Parameters
    ----------
    page : str
        Rendered skeleton that holds no data.

    Returns
    -------
    page : str
        The page with the assets inside it.
    scripts, styles : list of str
        The texts that were put in, in order.

    Raises
    ------
    IntegrityError
        If the page asks for something that is not vendored.
    """
    urls = {record["url"]: name for name, record in _manifest().items() if record.get("url")}
    scripts: list[str] = []
    styles: list[str] = []

    def _put_in(match: re.Match[str]) -> str:
        url = match["script"] or match["style"] or ""
        if url not in urls:
            msg = f"map: the page asks for {url!r}, expected only vendored assets. Vendor it or remove what needs it."
            raise IntegrityError(msg)
        text = read_asset(urls[url])
        if match["script"]:
            scripts.append(text.replace("</script", "<\\/script"))
            return f"<script>{scripts[-1]}</script>"
        # The sheet's images belong to controls that the map does not use.
        styles.append(_CSS_URL.sub("none", text))
        return f"<style>{styles[-1]}</style>"

    page = _EXTERNAL.sub(_put_in, page)
    left = re.search(r"<script[^>]*\ssrc=|<link\b|@import\b", page)
    if left is not None:
        msg = f"map: the page still holds {left[0]!r}, expected nothing to fetch. Vendor it or remove what needs it."
        raise IntegrityError(msg)
    return page, scripts, styles


def csp_hash(text: str) -> str:
    """
    Give the source expression that lets a content security policy run exactly this text.

    Parameters
    ----------
    text : str
        Content of a script or style element.

    Returns
    -------
    str
        Such as ``'sha256-...'`` with its quotes.
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"
