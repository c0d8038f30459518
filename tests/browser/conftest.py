"""A headless Chromium with the network off, and what it did."""

import shutil
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@dataclass
class Visit:
    """An open page with its faults, its requests, and whether any planted script ran."""

    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("chromium is absent: on Debian `apt-get install chromium`, elsewhere put Chrome on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    contexts = []

    def _visit(path, *, width=1366, height=768):
        context = chromium.new_context(offline=True, viewport={"width": width, "height": height})
        contexts.append(context)
        found = Visit(context.new_page())
        # What a headless browser does with its dialogue changes from version to version: the page's call is counted.
        found.page.add_init_script("window.glPrintCalls = 0; window.print = () => glPrintCalls++;")
        found.page.on("console", lambda message: found.faults.append(f"{message.type}: {message.text}"))
        found.page.on("pageerror", lambda error: found.faults.append(str(error)))
        found.page.on("dialog", lambda dialog: (found.faults.append("dialog"), dialog.dismiss()))
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.goto(path.as_uri())
        found.page.wait_for_selector("html[data-gl-ready]", state="attached", timeout=15_000)
        return found

    yield _visit
    for context in contexts:
        context.close()
