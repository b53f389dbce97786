"""A headless Chromium and the built site on a free port, for the tests of this folder."""

from __future__ import annotations

import contextlib
import functools
import http.server
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.browser import walk

from shimlab.waiting import bound
from shimsite import build

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: Language, colours, width of the window → what was seen on its pages.
Walked = Callable[[str, str, int], walk.Walk]
#: The longest to wait for anything on a page, in milliseconds.
PATIENCE = bound(15) * 1000


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """A plain file server, as anyone may publish the site with; it keeps no log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site, as it was when the tests began: it may be built again meanwhile."""
    folder = tmp_path_factory.mktemp("built") / "site"
    assert build.copied(folder), "the site does not build; see the output above"
    return folder


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder of built pages, and give its address."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=bound(5))


@pytest.fixture(scope="session")
def base(site: Path) -> Iterator[str]:
    """The address of the running site."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(
            f"there is no {CHROMIUM}; install it: apt-get install chromium fonts-noto-cjk", pytrace=False
        )
    if shutil.which("fc-list") is None or "CJK" not in _fonts():
        pytest.fail(
            "there is no Chinese font; install one: apt-get install fontconfig fonts-noto-cjk", pytrace=False
        )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


def _fonts() -> str:
    return subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def open_page(browser: Browser, base: str) -> Iterator[Callable[..., Page]]:
    """Open pages of the site, each in a browser window of its own that may read the clipboard."""
    with contextlib.ExitStack() as windows:

        def opened(
            uri: str, *, width: int = 1280, scheme: str = "light", script: bool = True, at: str = base
        ) -> Page:
            page = windows.enter_context(window(browser, at, scheme=scheme, width=width, script=script))
            go(page, f"{at}/{uri}", script=script)
            return page

        yield opened


@contextlib.contextmanager
def window(browser: Browser, at: str, *, scheme: str, width: int, script: bool = True) -> Iterator[Page]:
    """Open an empty page in a window of its own, which notes what it asks of others than the site ``at``."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=script,
        permissions=["clipboard-read", "clipboard-write"],
    )
    try:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.complaints = []  # type: ignore[attr-defined]
        _listen(page, at)
        yield page
    finally:
        context.close()


def go(page: Page, address: str, *, script: bool = True) -> None:
    """Go to a page and wait until the theme has set up its components."""
    page.complaints.clear()  # type: ignore[attr-defined]
    page.goto(address, wait_until="load")
    if script:
        page.wait_for_function("typeof document$ !== 'undefined' || !document.querySelector('.md-main')")


@pytest.fixture(scope="session")
def walked(browser: Browser, base: str, site: Path) -> Walked:
    """Walk through the pages of a language (or above both, "") in one window; each walk is made once."""

    @functools.cache
    def once(lang: str, scheme: str, width: int) -> walk.Walk:
        addresses = [uri for uri in pages_of(site) if _language(uri) == lang]
        with window(browser, base, scheme=scheme, width=width) as page:
            return walk.walk(
                page, addresses, lambda uri: go(page, f"{base}/{uri}"), scheme=scheme, width=width
            )

    return once


def _language(uri: str) -> str:
    """Read the language of an address, or "" above the languages."""
    first = uri.partition("/")[0]
    return first if first in build.CONFIGS else ""


def _listen(page: Page, base: str) -> None:
    """Note on the page what it asks of other hosts, and what it complains of."""
    complaints: list[str] = page.complaints  # type: ignore[attr-defined]

    def requested(request: object) -> None:
        url = str(request.url)  # type: ignore[attr-defined]
        if not url.startswith((f"{base}/", "data:", "blob:")):
            complaints.append(f"asked for {url}")

    def said(message: object) -> None:
        if message.type in ("error", "warning"):  # type: ignore[attr-defined]
            complaints.append(f"console: {message.text}")  # type: ignore[attr-defined]

    def failed(request: object) -> None:
        # A reader who leaves a page in the middle of its loading aborts what is under way.
        if request.failure != "net::ERR_ABORTED":  # type: ignore[attr-defined]
            complaints.append(f"failed to load {request.url}")  # type: ignore[attr-defined]

    page.on("request", requested)
    page.on("console", said)
    page.on("pageerror", lambda error: complaints.append(f"script failed: {error}"))
    page.on("requestfailed", failed)


def pages_of(site: Path) -> list[str]:
    """List the addresses of all pages, 404 pages included, of both languages and the root."""
    return sorted(
        path.relative_to(site).as_posix().removesuffix("index.html") for path in site.rglob("*.html")
    )
