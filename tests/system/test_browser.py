"""The pages in a real browser: a proposal from form to approval, the keyboard, axe-core, narrow screens, few bytes.

Debian's Chromium meets one whole installation in which the demo has walked one application through all steps.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.procedure.installation import Installation, installation
from tests.system.browser import (
    DESKTOP,
    PHONE,
    SCREENS,
    Screen,
    Watch,
    chromium,
    go_to,
    overhang,
    person_at,
    serious_faults,
    sign_in,
    sign_out,
    unfold,
)

# The installation starts and the demo walks within the first test.
pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

FIRST_PAGE_LIMIT = 200 * 1024
PARTS = ("rab", "kontrak", "tagihan", "hosting", "paket", "instalasi", "uji-keamanan", "rilis", "tiket", "evaluasi")
"""Beginnings of the pages about one thing, one of which the case links to."""
OUTSIDE = ("/masuk", "/tidak-ada")
OWN = (
    "/saya", "/saya/tampilan", "/saya/pemberitahuan", "/saya/dua-langkah", "/saya/kata-sandi", "/saya/akun-kampus",
    "/pemberitahuan", "/cari?q=antrean", "/wewenang/penugasan", "/gaya",
)  # fmt: skip
"""Pages beside those that the rail or a case links to."""
ADMINISTERED = ("/orang", "/orang/undangan", "/operasi", "/audit", "/wewenang/langkah-kedua")
"""Pages of the administrator, who stands outside the cases."""


@dataclass(frozen=True)
class Site:
    """One running installation with a full case, and the passwords of its people."""

    url: str
    number: str
    passwords: dict[str, str]

    @property
    def case(self) -> str:
        return f"/perkara/{self.number}"

    def sign_in(self, page: Page, username: str) -> None:
        sign_in(page, username, self.passwords[username])


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    with installation() as one:
        one.start()
        yield one


@pytest.fixture(scope="module")
def site(running: Installation) -> Site:
    done = running.command("demo", "--json")
    assert done.returncode == 0, done.stdout + done.stderr + running.logs()
    passwords = json.loads((running.home / "demo-accounts.json").read_text())
    return Site(running.url, json.loads(done.stdout)["facts"]["number"], passwords)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """Return what watches every page of a test; afterwards none may have failed or asked elsewhere."""
    one = Watch(site.url)
    yield one
    assert one.faults == []


@pytest.fixture(scope="module")
def head(browser: Browser, site: Site) -> Any:
    """Return the cookies of the signed-in Head."""
    with person_at(browser, DESKTOP, Watch(site.url)) as page:
        site.sign_in(page, "kepala")
        return page.context.storage_state()


@pytest.fixture(scope="module")
def things(browser: Browser, site: Site, head: Any) -> dict[str, str]:
    """Return one page of each part that the full case links to."""
    with person_at(browser, DESKTOP, Watch(site.url), storage_state=head) as page:
        page.goto(site.case)
        links = sorted(_links(page, "main a"))
    return {part: next(link for link in links if link.startswith(f"/{part}/")) for part in PARTS}


def _links(page: Page, selector: str) -> set[str]:
    found: set[str] = set(page.locator(selector).evaluate_all("all => all.map(a => a.getAttribute('href'))"))
    return found


def _every_page(page: Page, site: Site, things: dict[str, str]) -> list[str]:
    """Return every page of the Head: those of the rail, one thing of each part, and the ones beside them."""
    page.goto("/")
    rail = sorted(_links(page, ".rail__entries a"))
    assert len(rail) > 10
    return sorted({*rail, site.case, *things.values(), *OWN, *OUTSIDE})


# --- Pictures --------------------------------------------------------------------------------------------


def test_the_twelve_main_pages_are_drawn_on_both_screens(
    browser: Browser, site: Site, watch: Watch, head: Any, things: dict[str, str], tmp_path: Path
) -> None:
    """Written into the folder that ALUR_SCREENS names, for the documents; first, while the case is the latest."""
    folder = Path(os.environ.get("ALUR_SCREENS") or tmp_path)
    pages = {
        "beranda": "/",
        "dasbor": "/dasbor",
        "perkara": "/perkara",
        "satu-perkara": site.case,
        "rab": things["rab"],
        "kontrak": things["kontrak"],
        "instalasi": things["instalasi"],
        "uji-keamanan": things["uji-keamanan"],
        "tiket": things["tiket"],
        "evaluasi": things["evaluasi"],
    }
    written = []

    def draw(page: Page, screen: Screen, name: str, path: str) -> None:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        if name == "usulan":
            page.locator("summary", has_text="Buat usulan").click()
        target = folder / f"{name}-{screen.width}.png"
        page.screenshot(path=target, animations="disabled")
        written.append(target)

    for screen in SCREENS:
        with person_at(browser, screen, watch) as page:
            draw(page, screen, "masuk", "/masuk")
            site.sign_in(page, "pengusul.bpeg")
            draw(page, screen, "usulan", "/usulan")
        with person_at(browser, screen, watch, storage_state=head) as page:
            for name, path in pages.items():
                draw(page, screen, name, path)

    assert len({path.read_bytes() for path in written}) == 24


# --- A proposal on pages only ----------------------------------------------------------------------------


PROPOSAL = {
    "Nama aplikasi": "Peminjaman Ruang Sidang",
    "Kegunaan": "Memesan ruang sidang tanpa surat-menyurat.",
    "Nomor surat usulan": "B-0412/Un.99/B.II/TI.01/08/2026",
    "Tanggal surat usulan": "2026-08-03",
    "Latar belakang dan masalah": "Jadwal ruang ditulis di papan.\nDua acara sering bertemu di satu ruang.",
    "Manfaat yang diharapkan": "Tidak ada lagi ruang yang dipesan dua kali & semua jadwal terlihat <daring>.",
    "Calon pengguna": "Dosen dan staf akademik.",
    "Perkiraan jumlah pengguna": "250",
}
WRITTEN = {
    "identitas": ("Nomor surat usulan", "Tanggal surat usulan"),
    "masalah": ("Kegunaan", "Latar belakang dan masalah"),
    "proses": ("Calon pengguna", "Perkiraan jumlah pengguna"),
    "manfaat": ("Manfaat yang diharapkan",),
    "indikator": (),
    "data": (),
}
"""Which field stands in which section of the form."""
CHOSEN = {"Data pribadi": "general", "Tingkat kepentingan": "high"}
INDICATOR = "Bentrok jadwal"


@pytest.mark.parametrize("with_scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("screen", SCREENS, ids=["desktop", "phone"])
def test_a_proposal_goes_from_the_form_to_the_approval_on_pages_alone(
    browser: Browser, site: Site, watch: Watch, screen: Screen, with_scripts: bool
) -> None:
    with person_at(browser, screen, watch, java_script_enabled=with_scripts) as page:
        site.sign_in(page, "pengusul.bpeg")
        number = _propose(page, screen)
        _submit(page)
        sign_out(page, screen)

        _take_up(page, site, screen, "koor.aplikasi", number)
        _do(page, "Terima untuk dianalisis")
        sign_out(page, screen)

        _take_up(page, site, screen, "staf.aplikasi1", number)
        _do(
            page,
            "Simpan analisis kebutuhan",
            {"Ringkasan kebutuhan": "Halaman jadwal dan pemesanan ruang; data nama pemesan saja."},
            choose={"Rekomendasi": "proceed"},
        )
        sign_out(page, screen)

        _take_up(page, site, screen, "koor.aplikasi", number)
        _do(page, "Rekomendasikan kepada Kepala", {"Catatan": "Layak dikerjakan."})
        sign_out(page, screen)

        _take_up(page, site, screen, "kepala", number)
        _do(page, "Setujui", {"Catatan": "Dibutuhkan pada semester depan."}, tick="Tetap masuk tahun anggaran")
        expect(page.locator(".head .chip").first).to_contain_text("Disetujui")
        assert overhang(page, screen.width) == 0
        sign_out(page, screen)


def _propose(page: Page, screen: Screen) -> str:
    """Begin a proposal, write its sections, be refused for one field, find it, mend it; return the case's number."""
    go_to(page, "Usulan", screen)
    page.locator("summary", has_text="Buat usulan").click()
    page.get_by_label("Nama aplikasi").fill(PROPOSAL["Nama aplikasi"])
    code = page.get_by_label("Nama singkat")
    code.fill("Ruang Sidang!")
    page.get_by_role("button", name="Buat usulan").click()

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".field--wrong").get_by_label("Nama singkat")).to_have_value("Ruang Sidang!")
    expect(page.get_by_label("Nama aplikasi")).to_have_value(PROPOSAL["Nama aplikasi"])

    code.fill(f"ruang-{uuid4().hex[:8]}")
    page.get_by_role("button", name="Buat usulan").click()
    page.wait_for_url("**/usulan/APL-*")
    overview = page.url
    for section, labels in WRITTEN.items():
        page.goto(f"{overview}/{section}")
        for label in labels:
            page.get_by_label(label).fill(PROPOSAL[label])
        for label in set(CHOSEN) if section == "data" else ():
            page.get_by_label(label).select_option(CHOSEN[label])
        if section == "indikator":
            page.locator("[name='indicators.0.name']").fill(INDICATOR)
        page.get_by_role("button", name="Simpan bagian").click()
        page.wait_for_load_state()
        for label in labels:
            expect(page.get_by_label(label)).to_have_value(PROPOSAL[label])
        assert overhang(page, screen.width) == 0
    page.goto(overview)
    return overview.rpartition("/")[2]


def _submit(page: Page) -> None:
    """Submit from the proposal's own page; who proposes something similar once more says why."""
    button = page.get_by_role("button", name="Ajukan", exact=True)
    if not button.is_visible():
        page.locator("summary").get_by_text("Ajukan", exact=True).click()
    reason = page.get_by_label("Mengapa tetap diajukan")
    if reason.count():
        reason.fill("Untuk gedung yang lain.")
    button.click()
    expect(page.get_by_role("heading", name="Tanda terima")).to_be_visible()


def _take_up(page: Page, site: Site, screen: Screen, username: str, number: str) -> None:
    """Sign in and open the case from what waits for this person."""
    site.sign_in(page, username)
    go_to(page, "Menunggu saya", screen)
    page.locator("main").get_by_role("link", name=re.compile(number)).click()
    page.wait_for_url(f"**/perkara/{number}")


def _do(
    page: Page,
    act: str,
    words: dict[str, str] | None = None,
    *,
    choose: dict[str, str] | None = None,
    tick: str = "",
) -> None:
    """Do an act of the case page: open its form where it is folded, fill it in, send it; the trace then tells of it."""
    button = page.get_by_role("button", name=act, exact=True)
    if not button.is_visible():
        page.locator("summary").get_by_text(act, exact=True).click()
    form = page.locator("form", has=button)
    for label, text in (words or {}).items():
        form.get_by_label(label).fill(text)
    for label, choice in (choose or {}).items():
        form.get_by_label(label).select_option(choice)
    if tick:
        form.get_by_label(tick).check()
    length = page.locator("#jejak .quiet")
    before = length.inner_text()
    button.click()
    expect(length).not_to_have_text(before)
    expect(page.get_by_role("alert")).to_have_count(0)


# --- Without a mouse, without good eyes ------------------------------------------------------------------


def test_the_keyboard_alone_signs_in_and_opens_what_waits(browser: Browser, site: Site, watch: Watch) -> None:
    with person_at(browser, DESKTOP, watch) as page:
        page.goto("/masuk")
        # The browser gives the focus when it draws, which may be after the page has come.
        expect(page.get_by_label("Nama pengguna")).to_be_focused()
        page.keyboard.type("koor.aplikasi")
        page.keyboard.press("Tab")
        page.keyboard.type(site.passwords["koor.aplikasi"])
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r":\d+/$"))

        page.keyboard.press("Tab")
        assert _focused(page) == "Langsung ke isi"
        _tab_to(page, "Menunggu saya")
        page.keyboard.press("Enter")
        page.wait_for_url("**/menunggu")

        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.matches('.waits a')")
        waiting = page.evaluate("document.activeElement.pathname")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{waiting}")


def _focused(page: Page) -> str:
    """Return the words of what has the focus, which must be seen."""
    element = page.locator(":focus")
    assert element.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
    return element.inner_text().strip()


def _tab_to(page: Page, words: str) -> None:
    passed = []
    while len(passed) < 30:
        page.keyboard.press("Tab")
        passed.append(_focused(page))
        if passed[-1].startswith(words):
            return
    raise AssertionError(passed)


def test_axe_finds_no_serious_fault_on_any_page(
    browser: Browser, site: Site, watch: Watch, head: Any, things: dict[str, str]
) -> None:
    """On a desktop by day and on a phone by night."""
    found: dict[str, list[str]] = {}

    def look(page: Page, path: str, expected: int = 200) -> None:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == expected, path
        unfold(page)
        for screen in SCREENS:
            page.emulate_media(color_scheme="dark" if screen.is_phone else "light")
            page.set_viewport_size({"width": screen.width, "height": screen.height})
            if told := serious_faults(page):
                found[f"{path} {screen.width}"] = told

    with person_at(browser, DESKTOP, watch, storage_state=head) as page:
        for path in _every_page(page, site, things):
            if path not in OUTSIDE:
                look(page, path)
        look(page, "/tidak-ada", 404)
    with person_at(browser, DESKTOP, watch) as page:
        look(page, "/masuk")
        site.sign_in(page, "pengusul.bpeg")
        look(page, "/usulan")
    with person_at(browser, DESKTOP, watch) as page:
        site.sign_in(page, "admin")
        for path in ADMINISTERED:
            look(page, path)

    assert found == {}


# --- Narrow screens, few bytes ---------------------------------------------------------------------------


def test_no_page_scrolls_sideways_on_a_narrow_phone(
    browser: Browser, site: Site, watch: Watch, head: Any, things: dict[str, str]
) -> None:
    wider: dict[str, int] = {}

    def look(page: Page, path: str) -> None:
        page.goto(path)
        unfold(page)
        for width in (360, 320):
            if (beyond := overhang(page, width)) > 0:
                wider[f"{path} {width}"] = beyond

    # Not as a phone: that would zoom out over what hangs over.
    with person_at(browser, DESKTOP, watch, storage_state=head) as page:
        for path in _every_page(page, site, things):
            look(page, path)
    with person_at(browser, DESKTOP, watch) as page:
        look(page, "/masuk")
        site.sign_in(page, "pengusul.bpeg")
        look(page, "/usulan")
    with person_at(browser, DESKTOP, watch) as page:
        site.sign_in(page, "admin")
        for path in ADMINISTERED:
            look(page, path)

    assert wider == {}


@pytest.mark.parametrize("path", ["/masuk", "/"])
def test_a_first_page_costs_less_than_200_kb(browser: Browser, site: Site, watch: Watch, head: Any, path: str) -> None:
    kept = head if path == "/" else None
    with person_at(browser, PHONE, watch, storage_state=kept) as page:
        received: list[float] = []
        wire = page.context.new_cdp_session(page)
        wire.on("Network.loadingFinished", lambda told: received.append(told["encodedDataLength"]))
        wire.send("Network.enable")
        page.goto(path, wait_until="networkidle")

    print(f"{path}: {sum(received) / 1024:.0f} KB in {len(received)} files")
    assert len(received) >= 3
    assert 5_000 < sum(received) < FIRST_PAGE_LIMIT
