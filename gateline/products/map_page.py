"""
The offline map: one HTML file that asks for nothing, runs nothing but its own scripts, and opens from disk.

Folium gives the skeleton and is handed no data at all, because it renders every string twice through Jinja and once
into a script. The data goes in afterwards, as JSON that no browser executes; vendored scripts draw it as text. The
content security policy lets exactly these scripts and styles run, by hash, and allows no connection of any kind.
"""

from __future__ import annotations

import re
from pathlib import Path

import folium

from gateline.products.inert import html_text, script_json
from gateline.products.inputs import FICTIONAL_NOTE, ProductInputs
from gateline.products.map_data import map_payload
from gateline.products.vendored import csp_hash, inline_assets, read_asset
from geo.errors import IntegrityError

__all__ = ["write_map"]

_LEAFLET_JS = "vendored:leaflet.js"
_LEAFLET_CSS = "vendored:leaflet.css"
_SCRIPTS = ("page.js", "style.js", "labels.js", "layers.js", "plan.js", "panel.js", "hours.js", "tools.js", "start.js")
_COACHES = "coaches.js"
_MAX_ZOOM = 16
_VIEWPORT = re.compile(r'<meta name="viewport".*?/>', re.DOTALL)


def write_map(path: Path, inputs: ProductInputs, *, max_zoom: int = _MAX_ZOOM) -> None:
    """
    Write ``map.html``.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    inputs : ProductInputs
        The tables of one run.
    max_zoom : int
        Closest zoom, in web map levels; 16 shows about a kilometre across a laptop's screen.
    """
    page, styles = _skeleton(max_zoom)
    own_style = read_asset("gateline/gateline.css")
    scripts = _SCRIPTS if inputs.coaches is None else (*_SCRIPTS[:-1], _COACHES, _SCRIPTS[-1])
    own_script = "\n".join(read_asset(f"gateline/{name}") for name in scripts)
    data = script_json(map_payload(inputs))
    # Only what was trusted before any data came in is hashed.
    policy = _policy([*re.findall(r"<script>(.*?)</script>", page, re.DOTALL), own_script], [*styles, own_style])
    marks = inputs.marks
    title = html_text(f"{marks.title} - Gateline" + (" - FICTIONAL" if marks.is_fictional else ""))
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n"
    )
    note = html_text(FICTIONAL_NOTE) if marks.is_fictional else ""
    fallback = (
        f"<noscript>{html_text(marks.marking)} {note} This map needs JavaScript, which is switched off.</noscript>"
    )
    body = f'<script type="application/json" id="gl-data">{data}</script>\n<script>{own_script}</script>\n{fallback}\n'
    page = _put(page, "<html>", '<html lang="en-GB">')
    # The policy must come before the first script to bind it.
    page = _put(page, "<head>", "<head>\n" + head, is_after=False)
    page = _put(page, "</head>", f"<style>{own_style}</style>\n</head>")
    page = _put(page, "</html>", body + "</html>")
    path.write_bytes(page.encode("utf-8"))


def _skeleton(max_zoom: int) -> tuple[str, list[str]]:
    """Folium's page around an empty map, with assets inlined, and the texts of its styles."""
    figure = folium.Map(location=(54.0, -2.0), zoom_start=6, tiles=None, prefer_canvas=True, zoom_control=False)
    # A fixed id gives the same bytes each time; Folium draws a random one.
    figure._id = "gateline"  # noqa: SLF001 - Folium has no public way to set it
    # Leaflet alone: the other libraries that Folium brings are not used here, and less is to be trusted.
    figure.default_js = [("leaflet", _LEAFLET_JS)]
    figure.default_css = [("leaflet_css", _LEAFLET_CSS)]
    figure.options.update(max_zoom=max_zoom, min_zoom=5, attribution_control=False, zoom_snap=0.5)
    page, _, _ = inline_assets(figure.get_root().render())
    page = _VIEWPORT.sub("", page)
    page = _put(page, '<div class="folium-map"', read_asset("gateline/shell.html") + '<div class="folium-map"')
    return page, re.findall(r"<style>(.*?)</style>", page, re.DOTALL)


def _policy(scripts: list[str], styles: list[str]) -> str:
    """Nothing may be loaded, sent or run but these texts; images only from the page itself."""
    script_hashes = " ".join(dict.fromkeys(csp_hash(text) for text in scripts))
    style_hashes = " ".join(dict.fromkeys(csp_hash(text) for text in styles))
    return (
        f"default-src 'none'; connect-src 'none'; script-src {script_hashes}; style-src {style_hashes}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _put(page: str, mark: str, text: str, *, is_after: bool = True) -> str:
    """The one place where the mark stands holds the text; the last place if it may stand in an asset too."""
    found = page.rfind(mark) if is_after else page.find(mark)
    if found < 0:
        msg = f"map: the skeleton holds no {mark!r}, expected Folium's page. Use the locked version of Folium."
        raise IntegrityError(msg)
    return page[:found] + text + page[found + len(mark) :]
