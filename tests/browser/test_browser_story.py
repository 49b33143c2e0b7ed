"""One story in a real browser: a liaison officer signs in, reads the application, answers it, and sees the receipt."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from gateway.web.app import create_app
from gateway.web.runtime import Reason, Signatory
from tests.web_seed import BA_MADE, PASSWORD, PK_OPEN, Seed, seed

pytestmark = pytest.mark.browser

# A browser that talks to nobody but the page.
FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NARROW = 400  # pixels: a telephone


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not there: install the distribution's package 'chromium'")
    # Chromium's own sandbox refuses to run for root, as in a container.
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[Seed, str]]:
    """A live server on a free port, with its data."""
    made = seed(tmp_path)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(made.runtime()), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield made, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)
    assert not thread.is_alive(), "the server did not end"
    listener.close()
    made.engine.dispose()


class Visit:
    """One person's browser window, and every host it asked for anything."""

    def __init__(self, chromium: Browser, base: str, *, width: int = 1280) -> None:
        self.context: BrowserContext = chromium.new_context(viewport={"width": width, "height": 900})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.hosts: set[str] = set()
        self.complaints: list[str] = []
        self.base = base
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        self.page.on("console", lambda message: self._note(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note(self, text: str) -> None:
        # A form that is sent back for correction has status 400, which the browser remarks on.
        if "status of 400" not in text:
            self.complaints.append(text)

    def sign_in(self, name: str) -> None:
        self.page.goto(self.base)
        self.page.get_by_label("Account name").fill(name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    def end(self) -> None:
        """Close the window; nothing was asked of another host, and the browser had nothing to complain about."""
        self.context.close()
        assert self.hosts == {urlsplit(self.base).netloc}
        assert self.complaints == []


def test_liaison_officer_answers_an_application_and_sees_the_receipt(chromium: Browser, site: tuple[Seed, str]) -> None:
    made, base = site
    visit = Visit(chromium, base)
    page = visit.page
    visit.sign_in("pk-liaison")
    assert visit.heading() == "Worklist"
    assert "Not known: ask" in page.locator("tbody").inner_text()

    page.get_by_role("link", name="CASE01AB").click()
    assert page.locator("bdi[lang='und-Arab']").inner_text() == "نمونہ سپیسیمن"
    page.get_by_text("Why this date").click()
    assert page.get_by_role("listitem").get_by_text("No date is guessed.").is_visible()

    page.get_by_role("button", name="Read the application").click()
    visit.press("Read on this page")
    assert page.get_by_text("Expired passport").is_visible()
    assert made.reads[-1][1:] == ("pk-liaison", "case-work")
    page.get_by_role("link", name="Case", exact=True).click()

    page.get_by_role("button", name="Answer the application").click()
    visit.press("Continue")
    assert page.title().startswith("Error: ")
    page.get_by_role("link", name="Select whether you agree or refuse").click()
    assert page.locator("#outcome").evaluate("field => field === document.activeElement")

    page.get_by_label("Refuse readmission").check()
    page.get_by_label("Identity is not established").check()
    page.get_by_label("Explain the reasons").fill("شناخت ثابت نہیں")
    page.get_by_label("Name of the official who decides").fill("N. SPECIMEN")
    visit.press("Continue")
    assert visit.heading() == "Check your answer before it is sent"
    assert made.answers == []
    visit.press("Sign and send the answer")

    assert page.get_by_text("Your answer is signed and on its way.").is_visible()
    (sent,) = made.answers
    assert sent["reasons"] == [Reason(code="identity-not-established", text="شناخت ثابت نہیں")]
    assert sent["signatory"] == Signatory(name="N. SPECIMEN")
    assert page.get_by_text("Received by the other side").is_visible()
    page.locator("summary", has_text="Receipt").click()
    assert page.get_by_text("Signed statement of the receiving gateway").is_visible()
    visit.press("Sign out")
    assert visit.heading() == "Sign in"
    page.go_back()
    page.reload()
    assert visit.heading() == "Sign in"
    visit.end()


def test_second_officer_releases_a_statement_that_the_first_cannot(chromium: Browser, site: tuple[Seed, str]) -> None:
    _, base = site
    first = Visit(chromium, base)
    first.sign_in("ba-officer")
    first.page.goto(f"{base}/cases/{BA_MADE}/statement/release")
    assert first.page.get_by_text("Another officer must read and release it.").is_visible()
    first.end()

    second = Visit(chromium, base)
    second.sign_in("ba-second")
    second.page.goto(f"{base}/cases/{BA_MADE}")
    second.page.get_by_role("button", name="Read and release the statement").click()
    second.page.get_by_label("I have read the file").check()
    second.page.locator("main").get_by_role("button").click()
    assert second.page.get_by_text("the application is on its way").is_visible()
    second.end()


@pytest.mark.parametrize(
    ("name", "paths"),
    [
        ("pk-liaison", ["/work", f"/cases/{PK_OPEN}", f"/cases/{PK_OPEN}/answer"]),
        ("rs-officer", ["/work?show=all"]),
        ("ba-officer", [f"/cases/{BA_MADE}", f"/cases/{BA_MADE}/statement"]),
        ("ops", ["/flow"]),
    ],
)
def test_pages_fit_a_narrow_screen(chromium: Browser, site: tuple[Seed, str], name: str, paths: list[str]) -> None:
    visit = Visit(chromium, site[1], width=NARROW)
    visit.sign_in(name)
    for path in paths:
        visit.page.goto(site[1] + path)
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= NARROW, f"{path} scrolls sideways"
    visit.end()


def test_pages_work_with_scripts_turned_off(chromium: Browser, site: tuple[Seed, str]) -> None:
    made, base = site
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base)
    page.get_by_label("Account name").fill("pk-liaison")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{base}/cases/{PK_OPEN}/answer")
    page.get_by_label("Agree to readmission").check()
    page.get_by_label("Name of the official who decides").fill("N. SPECIMEN")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Sign and send the answer").click()
    assert page.get_by_text("Received by the other side").is_visible()
    assert made.answers[0]["outcome"] == "agreed"
    context.close()
