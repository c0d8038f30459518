"""
The machine's own browser is new enough for the page.

No version is pinned, since users have the browser that their system brings: one that is later than all that the tests
have met passes if the page works in it. A run that fails says at its end which browser it met, and which passed.
"""

import re
from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parents[2] / "gateline" / "products" / "assets" / "gateline"

# What the page is drawn with, and the first Chromium that has all of it, of March 2023.
MEANS = {
    "color-mix()": "CSS.supports('color', 'color-mix(in srgb, red 50%, blue)')",
    "accent-color": "CSS.supports('accent-color', 'auto')",
    "named sheets": "CSS.supports('page', 'a3')",
    "replaceChildren()": "'replaceChildren' in document.body",
}
FIRST_WITH = 111

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("means", list(MEANS))
def test_the_browser_has_what_the_page_is_drawn_with(chromium, means):
    page = chromium.new_page()
    has = page.evaluate(MEANS[means])
    page.close()
    assert has, (
        f"Chromium {chromium.version} lacks {means}, with which the page is drawn: expected {FIRST_WITH} or later. "
        "Install what the system brings today."
    )


def test_the_page_is_drawn_with_nothing_that_is_later_than_that():
    """Of what came to style sheets after the browser that the page asks for, nothing is used."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ASSETS.glob("*.css")))
    later = r"light-dark\(|@starting-style|text-wrap|anchor-name|@scope|field-sizing|@position-try|\bif\(|^\s*&"
    assert re.findall(later, text, flags=re.MULTILINE) == []
    assert "color-mix(" in text
