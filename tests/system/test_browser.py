"""The pages in a real browser: a proposal from form to approval, the keyboard, axe-core, narrow screens, few bytes.

Debian's Chromium meets one whole installation in which the demo has walked one application through all steps.
"""

import json
import os
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page, expect
from pyotp import TOTP

from alur.caller import Caller, until
from alur.embedded import Postgres
from shared.database import utc_now
from shared.words import local_date
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
from tests.system.every_page import NO_PAGES, NOBODY, PAGES, SEEN_BY, Tour, who_sees

# The installation starts and the demo walks within the first test.
pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

FIRST_PAGE_LIMIT = 200 * 1024
PICTURES_LIMIT = 2 * 1024 * 1024
PARTS = ("rab", "kontrak", "tagihan", "hosting", "paket", "instalasi", "uji-keamanan", "rilis", "tiket", "evaluasi")
"""Beginnings of the pages about one thing, one of which the case links to."""
UNLINKED = (
    "/masuk", "/masuk/kata-sandi", "/periksa", "/ikuti", "/gaya", "/saya/akun-kampus", "/saya/kata-sandi",
    "/wewenang/langkah-kedua",
)  # fmt: skip
"""Where the way through all pages begins, beside the case and everybody's start page."""
UNREACHED = {
    "/undangan": "with the token of an invitation: looked at below",
    "/konfirmasi/{held_id}": "asked for ten minutes after signing in: looked at below, where the minutes are over",
    "/lanjutkan/{held_id}": "after signing in anew in mid-form: looked at below",
    "/masuk/kode": "of an account with a second factor: looked at below",
}
"""Pages to which no link leads, and why."""


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
        links = page.locator("main a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    return {part: next(link for link in links if link.startswith(f"/{part}/")) for part in PARTS}


# --- Pictures --------------------------------------------------------------------------------------------


def test_the_twelve_main_pages_are_drawn_on_both_screens(
    browser: Browser, site: Site, watch: Watch, head: Any, things: dict[str, str], tmp_path: Path
) -> None:
    """Written into the folder that ALUR_SCREENS names (docs/screens); first, while the case is the latest."""
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
        page.emulate_media(reduced_motion="reduce")
        # Playwright's own screenshot knows no format that is small.
        wire = page.context.new_cdp_session(page)
        shot = wire.send("Page.captureScreenshot", {"format": "webp", "quality": 82})
        wire.detach()
        target = folder / f"{name}-{screen.width}.webp"
        target.write_bytes(b64decode(shot["data"]))
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
    assert sum(path.stat().st_size for path in written) < PICTURES_LIMIT


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


@dataclass
class Looker:
    """Looks at pages with everybody's eyes: `faults` says what is wrong on which page and screen."""

    browser: Browser
    site: Site
    watch: Watch
    stack: ExitStack
    pages: dict[str, Page] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    looks: int = 0

    def page(self, username: str) -> Page:
        """Return the page of somebody who has signed in; of a visitor for the empty name."""
        if username not in self.pages:
            # Not as a phone: that would zoom out over what hangs over.
            self.pages[username] = self.stack.enter_context(person_at(self.browser, DESKTOP, self.watch))
            if username:
                self.site.sign_in(self.pages[username], username)
        return self.pages[username]

    def look(self, page: Page, what: str, *, at: str = "") -> None:
        """Look at a page as it stands, everything unfolded: wide by day and narrow by night, or by day at a part."""
        unfold(page)
        told = self.faults.setdefault(what, [])
        told += serious_faults(page, at=at)
        for width in (320, PHONE.width):
            if (beyond := overhang(page, width)) > 0:
                told.append(f"{beyond} px beyond {width}")
        if not at:
            page.emulate_media(color_scheme="dark")
            told += [f"by night: {fault}" for fault in serious_faults(page)]
            page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": DESKTOP.width, "height": DESKTOP.height})
        self.looks += 1

    def goes_to(self, page: Page, address: str, expected: int = 200) -> None:
        """Go to an address that must show a page of its own."""
        answer = page.goto(address)
        assert answer is not None
        assert (answer.status, page.url.removeprefix(self.site.url)) == (expected, address), page.inner_text("main")


REFUSED = "main :is([role=alert], form:has(.error))"


@pytest.mark.timeout(900)
def test_axe_finds_no_serious_fault_on_any_page_and_none_scrolls_sideways(
    running: Installation, browser: Browser, site: Site, watch: Watch
) -> None:
    """Each page by who sees most of it, with all its forms, and once more with what its first form refuses."""
    tour = Tour()
    with ExitStack() as stack:
        by = Looker(browser, site, watch, stack)
        tour.note([site.case, *UNLINKED, *_left_out_by_the_demo(running, site)])
        for username in sorted({*SEEN_BY.values(), "kepala"} - {NOBODY}):
            tour.note(_addresses(by.page(username)))
        for kind, address in tour:
            page = by.page(who_sees(kind))
            by.goes_to(page, address)
            tour.note(_addresses(page))
            by.look(page, kind)
            # The specimens of /gaya lead nowhere.
            if kind != "/gaya" and _send_empty(page):
                expect(page.locator(REFUSED).first, kind).to_be_visible()
                by.look(page, f"{kind}, refused", at=REFUSED)
        by.goes_to(by.page("kepala"), "/tidak-ada", 404)
        by.look(by.page("kepala"), "a page that is not there")
        for what, page in _on_the_way_in(running, by):
            by.look(page, what)

    print(f"{len(tour.places)} kinds of pages of {len(PAGES) - len(NO_PAGES)}, {by.looks} looked at")
    assert {what: told for what, told in by.faults.items() if told} == {}
    assert tour.missed == set(UNREACHED)
    assert set(UNREACHED) <= set(by.faults)
    assert set(NO_PAGES) <= PAGES


def _addresses(page: Page) -> list[str]:
    """Return where the links of a page lead within the site, those of the things in its middle first."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('main a[href]'), ...document.querySelectorAll('a[href]')]"
        ".filter(a => a.origin === location.origin).map(a => a.pathname + a.search)"
    )
    return found


def _send_empty(page: Page) -> bool:
    """Send the first form that asks for words, without any; return whether there is one."""
    form = page.locator("main form[method=post]:not([data-confirm])").filter(
        has=page.locator("input[required]:not([type=checkbox], [type=radio]), textarea[required]")
    )
    if not form.count():
        return False
    with page.expect_navigation():
        form.first.evaluate(
            "form => { form.querySelectorAll('[required]').forEach(one => one.value = ''); form.submit() }"
        )
    return True


def _left_out_by_the_demo(running: Installation, site: Site) -> Iterator[str]:
    """Do what the demo does not, by the public API; yield where it can be seen."""

    def caller(username: str) -> Caller:
        return Caller(site.url, username, site.passwords[username])

    with caller("pengusul.bpeg") as ani:
        draft = ani.post("/api/proposals", {"name": "Buku Tamu Digital", "code": f"tamu-{uuid4().hex[:6]}"})
        yield f"/usulan/{draft['number']}/identitas"
    with caller("koor.aplikasi") as budi:
        rows = budi.get("/api/cases")
        year = local_date(utc_now()).year + 1
        file = ("proker.xlsx", budi.file(f"/api/work-programme/{year}/export"))
        yield f"/proker/impor/{budi.post(f'/api/work-programme/{year}/sheets', files={'file': file})['id']}"
        contract = budi.get("/api/contracts")[0]
        yield f"/kontrak/{contract['id']}/dokumen"
        survey = _in_database(running, "proposal", OPEN_SURVEY)
        link = budi.post(f"/api/surveys/{survey}/link", {"until_on": f"{local_date(utc_now()) + timedelta(days=7)}"})
        yield link["path"]
    with caller("kepala") as head:
        # Not the next one, which stays open to be ranked.
        head.post(f"/api/work-programme/{year - 1}/freeze")
        yield f"/proker/{year - 1}/revisi/1"
    with caller("staf.aplikasi1") as bayu:
        written = next(row for row in rows if row["number"] == site.number)
        words = bayu.get(f"/api/proposals/{written['id']}/terms-of-reference")[0]["sections"]
        row = next(row for row in rows if row["status"] == "in_work_programme")
        for purpose in ("Menata arsip aktif.", "Menata arsip aktif dan inaktif di satu tempat."):
            bayu.post(f"/api/proposals/{row['id']}/terms-of-reference", {**words, "purpose": purpose})
        yield f"/perkara/{row['number']}/kak/perbedaan"
        yield f"/perkara/{row['number']}/kak/latar-belakang"
    yield f"/periksa/{_in_database(running, 'budget', 'SELECT code FROM issued_paper LIMIT 1')}"
    yield "/sop/1/identitas"
    yield f"/hari-kerja/{year}"


OPEN_SURVEY = """
    SELECT survey.id FROM survey JOIN evaluation ON evaluation.id = evaluation_id
    WHERE evaluation.status = 'gathering' LIMIT 1
"""


ENDED = """
    UPDATE session SET ended_at = now() FROM person
    WHERE person.id = person_id AND username = 'pengguna1' RETURNING 1
"""


def _in_database(running: Installation, service: str, question: str) -> object:
    """Return what no person may ask: a code that stands on paper, or out in the world."""
    with Postgres(running.home / "postgres").connect(service) as connection:
        return (connection.execute(question).fetchone() or ("",))[0]


def _on_the_way_in(running: Installation, by: Looker) -> Iterator[tuple[str, Page]]:
    """Yield the pages that stand between signing in and what one came for."""
    # First, because a session is believed for two seconds as it was.
    _in_database(running, "gateway", "UPDATE session SET proved_at = proved_at - interval '1 hour' RETURNING 1")
    page = by.page("pengguna1")
    page.goto("/tiket")
    unfold(page)
    page.get_by_label("Judul").fill("Antrean tidak maju")
    _in_database(running, "gateway", ENDED)
    until(lambda: page.request.get("/api/session").status, lambda status: status == 401, "the end of the session")
    page.get_by_label("Judul").evaluate("field => field.form.submit()")
    page.get_by_label("Nama pengguna").fill("pengguna1")
    page.get_by_label("Kata sandi").fill(by.site.passwords["pengguna1"])
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url("**/lanjutkan/*")
    yield "/lanjutkan/{held_id}", page

    page = by.page("pengguna2")
    page.goto("/saya/dua-langkah")
    page.get_by_role("button", name="Mulai").click()
    yield "the secret of the second factor", page
    page.get_by_label("Kode enam angka").fill(TOTP(page.locator("code.secret").inner_text().replace(" ", "")).now())
    page.get_by_role("button", name="Aktifkan").click()
    expect(page.locator(".codes")).to_be_visible()
    yield "the recovery codes", page
    page.context.clear_cookies()
    page.goto("/masuk")
    page.get_by_label("Nama pengguna").fill("pengguna2")
    page.get_by_label("Kata sandi").fill(by.site.passwords["pengguna2"])
    page.get_by_role("button", name="Masuk").click()
    page.wait_for_url(re.compile("/masuk/kode"))
    yield "/masuk/kode", page

    page = by.page("admin")
    page.goto("/orang/undangan")
    page.locator("summary", has_text="Undang").click()
    for label, words in INVITED.items():
        page.get_by_label(label).fill(words)
    page.get_by_label("Peran", exact=True).select_option("app_user")
    page.get_by_label("Nama lengkap").evaluate("field => field.form.submit()")
    page.wait_for_url("**/konfirmasi/*")
    yield "/konfirmasi/{held_id}", page
    page.get_by_label("Kata sandi").fill(by.site.passwords["admin"])
    page.get_by_role("button", name="Undang", exact=True).click()
    link = page.locator("code.secret").inner_text()
    yield "the link of an invitation", page
    page = by.page(NOBODY)
    page.goto(link)
    page.wait_for_url("**/undangan")
    yield "/undangan", page


INVITED = {"Nama lengkap": "Staf Baru", "Nama pengguna": "staf.baru", "Alamat surel": "staf.baru@kampus.example"}


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
