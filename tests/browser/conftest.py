"""Pages of made-up runs in the Chromium that is installed; whatever it says or asks for is kept."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

import page_samples
import pytest

from suite.report.page import PAGE, RunContent, write

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage"]
WIDTHS = {"desk": 1300, "phone": 400}


@dataclass
class Opened:
    """A page in the browser, what it wrote to the console and what it requested."""

    page: object
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def section(self, name):
        """Scroll to a section and wait for what it draws."""
        place = self.page.locator(f"#{name}")
        place.scroll_into_view_if_needed()
        return place


@pytest.fixture(scope="session")
def chromium():
    sync_api = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium is installed; on Debian: apt-get install -y chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def whole_page(tmp_path_factory):
    """Two machines, and everything that a page can show."""
    folder = tmp_path_factory.mktemp("whole")
    other = {"where": page_samples.elsewhere("cpu-other")}
    runs = [page_samples.with_everything(folder / "one"), page_samples.with_everything(folder / "two", **other)]
    return write([RunContent.read(run) for run in runs], folder / PAGE)


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory):
    folder = page_samples.hostile(tmp_path_factory.mktemp("hostile"))
    return write([RunContent.read(folder)], folder.path / PAGE)


@pytest.fixture
def open_page(chromium):
    """``open_page(path, width="desk", scheme="light", script=None)``: the page once its first table is there."""
    contexts = []

    def opened(path, *, width="desk", scheme="light", script=None, ready=True):
        context = chromium.new_context(viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        found = Opened(page)
        page.on("console", lambda message: found.console.append(message.text))
        page.on("pageerror", lambda error: found.console.append(str(error)))
        page.on("dialog", lambda dialog: found.console.append(dialog.message))
        page.on("request", lambda request: found.requests.append(request.url))
        if script:
            page.add_init_script(script)
        page.goto(path.as_uri())
        if ready:
            page.wait_for_selector("body[data-ready]")
        return found

    yield opened
    for context in contexts:
        context.close()
