"""Debian's Chromium, what is watched while it shows a page, and how a person gets about with it."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WITHIN = 15_000
"""Milliseconds in which an awaited thing must be there."""


@dataclass(frozen=True)
class Screen:
    """The screen before which a person sits."""

    width: int
    height: int
    is_phone: bool


DESKTOP = Screen(1280, 900, is_phone=False)
PHONE = Screen(360, 780, is_phone=True)
SCREENS = (DESKTOP, PHONE)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a running browser."""
    # Chromium's own sandbox refuses to run for root.
    more = ("--no-sandbox",) if os.geteuid() == 0 else ()
    expect.set_options(timeout=WITHIN)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watch:
    """Whatever a page should not have done: `faults` stays empty."""

    url: str
    outside: list[str] = field(default_factory=list)
    _errors: list[tuple[str, str]] = field(default_factory=list)
    _refused: set[str] = field(default_factory=set)

    def over(self, page: Page) -> None:
        """Watch a page from now on."""
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("console", self._told)
        page.on("pageerror", lambda error: self._errors.append((str(error), page.url)))

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:")):
            self.outside.append(request.url)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.request.is_navigation_request():
            self._refused.add(response.url)

    def _told(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._errors.append((message.text, message.location.get("url", "")))

    @property
    def faults(self) -> list[str]:
        """Return errors and requests to elsewhere; that a page itself was refused, its test asserts."""
        told = [
            f"{text} ({place})"
            for text, place in self._errors
            if not (text.startswith("Failed to load resource") and place in self._refused)
        ]
        return told + [f"asked outside: {url}" for url in self.outside]


@contextmanager
def person_at(browser: Browser, screen: Screen, watch: Watch, **more: Any) -> Iterator[Page]:
    """Give a fresh page on this screen, watched."""
    context = browser.new_context(
        base_url=watch.url,
        viewport={"width": screen.width, "height": screen.height},
        is_mobile=screen.is_phone,
        has_touch=screen.is_phone,
        locale="id-ID",
        **more,
    )
    context.set_default_timeout(WITHIN)
    try:
        page = context.new_page()
        watch.over(page)
        yield page
    finally:
        context.close()


def sign_in(page: Page, username: str, password: str) -> None:
    """Sign in by the page and arrive at the start."""
    page.goto("/masuk")
    page.get_by_label("Nama pengguna").fill(username)
    page.get_by_label("Kata sandi").fill(password)
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url(re.compile(r":\d+/$"))


def sign_out(page: Page, screen: Screen) -> None:
    """Sign out as the screen offers it: in the rail, or on the page of oneself."""
    if screen.is_phone:
        page.get_by_role("navigation", name="Utama").get_by_role("link", name="Saya").click()
        page.wait_for_url("**/saya")
    page.get_by_role("button", name="Keluar", exact=True).click()
    page.wait_for_url("**/masuk")


def go_to(page: Page, part: str, screen: Screen) -> None:
    """Go to a part of the system by the rail, or by the menu of a phone."""
    if screen.is_phone:
        page.locator("summary", has_text="Menu").click()
    around = page.get_by_role("navigation", name="Semua bagian" if screen.is_phone else "Bagian")
    around.get_by_role("link", name=re.compile(f"^{part}")).click()


def overhang(page: Page, width: int) -> int:
    """Return by how many pixels the page is wider than a screen of this width; 0 when it fits."""
    page.set_viewport_size({"width": width, "height": 780})
    return int(page.evaluate("document.documentElement.scrollWidth")) - width


def unfold(page: Page) -> None:
    """Open whatever can be opened on the page, so that forms are looked at too."""
    page.evaluate("document.querySelectorAll('main details').forEach(part => part.open = true)")


def serious_faults(page: Page, *, at: str = "") -> list[str]:
    """Return what axe-core finds serious or critical on the page as it stands, or at a part of it, with the places."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # WCAG 2.2's size of targets is a rule that axe-core leaves off unless asked; no style sheet is of elsewhere.
    how = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}
    found = page.evaluate("([where, how]) => axe.run(where || document, how)", [at, how])
    assert found["passes"], "axe-core looked at nothing"
    return [
        f"{fault['id']}: {[node['html'][:120] for node in fault['nodes'][:3]]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
