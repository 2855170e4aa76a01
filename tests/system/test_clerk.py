"""The ten minutes of an untrained clerk: a browser does exactly what docs/sepuluh-menit.md says, word by word.

What stands in bold there is pressed, filled in or seen, in its order; a line that is quoted is done by somebody else.
So the document cannot say what the pages do not, and a page cannot change its words without the document.
At the end: minutes that save themselves, and an agenda that is dragged.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.procedure.installation import ROOT, Installation, installation
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
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

DOCUMENT = ROOT / "docs" / "sepuluh-menit.md"
HEADING = re.compile(r"^## (\d+)\. .+ \((\d+) detik\)$")
TOKEN = re.compile(
    r"(?P<verb>[Tt]erlihat|[Ii]si|[Tt]ekan|[Bb]uka|[Cc]atat|[Pp]ilih berkas pada|unduh dengan|Isian|dan) "
    r"\*\*(?P<words>.+?)\*\*(?:(?: dengan|:| masih berbunyi) `(?P<value>[^`]+)`)?"
)

# The keystroke-level model of Card, Moran and Newell (1983), in seconds; letters as on a phone (36 words a minute,
# Palin and others 2019), and every word of the script read at 180 words a minute by somebody who is new to it.
PER_LETTER, PER_DECISION, PER_TOUCH, PER_ANSWER, PER_WORD = 0.33, 1.35, 1.1, 1.0, 60 / 180

NOT_AS_TWIN = {
    "tata.usaha": "tata.usaha.dua",
    "Peminjaman Kendaraan Dinas": "Arsip Foto Kegiatan",
    "Memesan kendaraan dinas tanpa surat.": "Menyimpan gambar acara kampus di satu tempat.",
}
"""What the second clerk writes otherwise: the same proposal twice would be warned of."""


@dataclass(frozen=True)
class Instruction:
    """One thing to do or see, or a quoted line: what somebody else does meanwhile."""

    step: int
    verb: str
    words: str
    value: str = ""


@dataclass
class Script:
    """The document as instructions, with the time that it promises and the words that a step has to be read."""

    instructions: list[Instruction] = field(default_factory=list)
    seconds: dict[int, int] = field(default_factory=dict)
    length: dict[int, int] = field(default_factory=dict)
    minutes: int = 0


def read_script() -> Script:
    """Return the document as instructions; fail where something stands in bold that is no instruction."""
    text = DOCUMENT.read_text()
    script, step = Script(), 0
    found = re.search(r"Seluruhnya (\d+) menit", text)
    assert found
    script.minutes = int(found[1])
    for line in text[text.index("\n## 1.") : text.index("\n## Bila tersendat")].splitlines():
        if heading := HEADING.match(line):
            step = int(heading[1])
            script.seconds[step], script.length[step] = int(heading[2]), 0
            continue
        script.length[step] = script.length.get(step, 0) + len(line.split())
        if line.startswith("> "):
            script.instructions.append(Instruction(step, "meanwhile", line[2:]))
            continue
        tokens = list(TOKEN.finditer(line))
        assert len(tokens) == line.count("**") / 2, f"Not every bold word is an instruction: {line}"
        verb = ""
        for token in tokens:
            # "Isi A dengan … dan B dengan …"
            verb = verb if token["verb"] == "dan" else token["verb"].lower()
            script.instructions.append(Instruction(step, verb, token["words"], token["value"] or ""))
    return script


def test_the_minutes_do_not_flatter() -> None:
    script = read_script()
    needed: dict[int, float] = {step: words * PER_WORD for step, words in script.length.items()}
    for one in script.instructions:
        if one.verb == "meanwhile":
            continue
        needed[one.step] += PER_DECISION + len(one.value or "APL-2026-0001" * (one.verb == "isi")) * PER_LETTER
        if one.verb not in ("terlihat", "isian"):
            needed[one.step] += PER_TOUCH
        if one.verb in ("tekan", "buka"):
            needed[one.step] += PER_ANSWER

    print({step: round(seconds) for step, seconds in needed.items()}, round(sum(needed.values())))
    assert {step: seconds for step, seconds in needed.items() if step and seconds > script.seconds[step]} == {}
    assert sum(script.seconds.values()) <= script.minutes * 60
    assert list(script.seconds) == list(range(1, len(script.seconds) + 1))


# --- The clerk -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running() -> Iterator[Installation]:
    with installation() as one:
        one.start()
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@dataclass
class Clerk:
    """Somebody who does what the script says, on one screen."""

    running: Installation
    browser: Browser
    screen: Screen
    folder: Path
    instead: dict[str, str]
    watch: Watch
    page: Page
    noted: dict[str, str] = field(default_factory=dict)
    is_new_page: bool = True
    """Whether a page has come since the clerk last wrote: what is told without one must be in sight."""

    def do(self, one: Instruction) -> None:
        """Do one instruction."""
        words, value = self.own(one.words), self.own(one.value)
        acts: dict[str, Callable[[], None]] = {
            "meanwhile": lambda: MEANWHILE[one.words](self),
            "terlihat": lambda: self.see(words),
            "tekan": lambda: self.press(words),
            "buka": lambda: self.open(words),
            "isi": lambda: self.fill(words, value or self.noted[words]),
            "isian": lambda: expect(self.page.get_by_label(words, exact=True)).to_have_value(value),
            "catat": lambda: self.note(words),
            "pilih berkas pada": lambda: self.choose(words, value),
            "unduh dengan": lambda: self.download(words),
        }
        acts[one.verb]()
        if one.verb != "meanwhile":
            assert overhang(self.page, self.screen.width) == 0, self.page.url

    def own(self, words: str) -> str:
        """Return the words as this clerk writes them."""
        return self.instead.get(words, words)

    def see(self, words: str) -> None:
        seen = self.page.get_by_text(words).locator("visible=true").first
        expect(seen).to_be_visible()
        if not self.is_new_page:
            expect(seen).to_be_in_viewport()

    def fill(self, label: str, value: str) -> None:
        self.is_new_page = False
        inner = self.page.locator("details[open]").get_by_label(label, exact=True)
        place = inner if inner.count() else self.labelled(label)
        place.fill(value)

    def labelled(self, label: str) -> Locator:
        """Return the field with this label, which may add that it can stay empty."""
        exact = self.page.get_by_label(label, exact=True)
        return exact if exact.count() else self.page.get_by_label(re.compile(rf"^{re.escape(label)} \("))

    def open(self, words: str) -> None:
        self.leads_on(lambda: go_to(self.page, words, self.screen))

    def press(self, words: str) -> None:
        """Press what is called so: a button that can be seen, else what unfolds, else a link."""
        page = self.page
        found = [
            page.locator("dialog[open]").get_by_role("button", name=words, exact=True),
            page.locator("main, header, nav").get_by_role("button", name=re.compile(rf"^{re.escape(words)}(: |$)")),
            page.locator("summary").get_by_text(words, exact=True),
            page.locator("summary").get_by_text(re.compile(rf"^{re.escape(words)} \d")),
            page.locator("main").get_by_role("link", name=re.compile(rf"^(\d+\. )?{re.escape(words)}")),
        ]
        # The page may still be on its way.
        expect(self.any_of(found)).to_be_visible()
        target = next(one.locator("visible=true").first for one in found if one.locator("visible=true").count())
        unfolds = target.evaluate(
            "e => !!e.closest('summary') || (!!e.closest('form[data-confirm]') && !e.closest('form').dataset.confirmed)"
        )
        if unfolds:
            target.click()
            return
        self.leads_on(target.click)

    @staticmethod
    def any_of(found: list[Locator]) -> Locator:
        one = found[0]
        for other in found[1:]:
            one = one.or_(other)
        return one.locator("visible=true").first

    def leads_on(self, act: Callable[[], None]) -> None:
        """Do what brings a new page, and wait for it."""
        self.page.evaluate("document.body.dataset.isBefore = ''")
        act()
        expect(self.page.locator("body[data-is-before]")).to_have_count(0)
        self.page.wait_for_load_state()
        self.is_new_page = True
        assert serious_faults(self.page) == []

    def note(self, words: str) -> None:
        told = self.page.locator("dt", has_text=re.compile(f"^{words}$")).locator("xpath=following-sibling::dd[1]")
        self.noted[words] = told.first.inner_text()
        assert self.noted[words]

    def choose(self, label: str, name: str) -> None:
        file = self.folder / name
        file.write_bytes(b"%PDF-1.7\n%contoh\n")
        self.page.get_by_label(label, exact=True).set_input_files(file)

    def download(self, words: str) -> None:
        with self.page.expect_download() as given:
            self.page.get_by_role("link", name=words).click()
        assert given.value.path().read_bytes().startswith(b"%PDF-")

    # What others do ---------------------------------------------------------------------------------------

    def invited(self) -> None:
        with self.other("admin") as page:
            page.goto("/orang/undangan")
            if page.locator("summary", has_text="Undang").is_visible():
                page.locator("summary", has_text="Undang").click()
            page.get_by_label("Nama lengkap").fill("Staf Tata Usaha (contoh)")
            page.get_by_label("Nama pengguna").fill(self.own("tata.usaha"))
            page.get_by_label("Alamat surel").fill("tata.usaha@kampus.test")
            page.get_by_label("Peran", exact=True).select_option("proposer")
            page.get_by_label("Kode unit").fill("BPEG")
            page.locator("main form").get_by_role("button", name="Undang").click()
            link = page.locator("code.secret").inner_text()
        self.page.goto(link)

    def next_day(self) -> None:
        self.page.context.clear_cookies()
        self.page.goto("/")
        self.is_new_page = True

    def interrupted(self) -> None:
        context = self.page.context
        self.page.close()
        self.page = context.new_page()
        self.watch.over(self.page)
        self.page.goto("/")

    def signed_out(self) -> None:
        sign_out(self.page, self.screen)

    def sent_back(self) -> None:
        with self.other("koor.aplikasi") as page:
            page.goto(f"/perkara/{self.noted['Nomor perkara']}")
            page.locator("summary").get_by_text("Kembalikan", exact=False).first.click()
            form = page.locator("details[open] form")
            form.get_by_label("Alasan").fill("Jelaskan cara pemesanan sekarang.")
            form.get_by_role("button").click()
            page.locator("dialog[open] [data-yes]").click()
            expect(page.locator(".head .chip").first).to_contain_text("Dikembalikan")

    def other(self, username: str) -> "Other":
        return Other(self, username)


class Other:
    """Somebody else of the campus, signed in at a desk of their own."""

    def __init__(self, clerk: Clerk, username: str) -> None:
        self.clerk, self.username = clerk, username
        self.around = person_at(clerk.browser, DESKTOP, clerk.watch)

    def __enter__(self) -> Page:
        passwords = json.loads((self.clerk.running.home / "demo-accounts.json").read_text())
        page = self.around.__enter__()
        sign_in(page, self.username, passwords[self.username])
        return page

    def __exit__(self, *reason: object) -> None:
        self.around.__exit__(None, None, None)


MEANWHILE: dict[str, Callable[[Clerk], None]] = {
    "Admin sistem mengundang Anda dan mengirimkan tautannya.": Clerk.invited,
    "Esok harinya Anda membuka alamat Alur di peramban.": Clerk.next_day,
    "Telepon berdering; peramban Anda tertutup, lalu Anda membukanya lagi.": Clerk.interrupted,
    "Anda keluar dari Alur; siapa pun yang memegang tanda terima dapat melakukan langkah ini.": Clerk.signed_out,
    "Koordinator Divisi Aplikasi mengembalikan usulan dengan catatan.": Clerk.sent_back,
}


@pytest.mark.parametrize("screen", SCREENS, ids=["desktop", "phone"])
def test_a_clerk_who_follows_the_script_arrives(
    running: Installation, browser: Browser, screen: Screen, tmp_path: Path
) -> None:
    script, watch = read_script(), Watch(running.url)
    instead = {} if screen is PHONE else NOT_AS_TWIN
    told = {one.words for one in script.instructions if one.verb == "meanwhile"}
    assert told == set(MEANWHILE)

    with person_at(browser, screen, watch) as page:
        clerk = Clerk(running, browser, screen, tmp_path, instead, watch, page)
        for one in script.instructions:
            try:
                clerk.do(one)
            except BaseException as reason:
                reason.add_note(f"Step {one.step}: {one.verb} “{one.words}” {one.value} at {clerk.page.url}")
                raise

    assert watch.faults == []


# --- Minutes ---------------------------------------------------------------------------------------------


def _agenda(page: Page) -> list[str]:
    return [words.partition(". ")[2] for words in page.locator("article h3").all_inner_texts()]


def test_minutes_save_themselves_and_the_agenda_is_set_by_mouse_and_keyboard(
    running: Installation, browser: Browser
) -> None:
    passwords, watch = json.loads((running.home / "demo-accounts.json").read_text()), Watch(running.url)
    with person_at(browser, DESKTOP, watch) as page:
        sign_in(page, "koor.aplikasi", passwords["koor.aplikasi"])
        page.goto("/rapat")
        page.locator("summary", has_text="Buat rapat").click()
        form = page.locator("details[open] form")
        form.locator("[name=kind]").select_option("weekly")
        for name, words in {"place": "Ruang Rapat", "chair": "Kepala PUSTIPD", "attendees": "Tamu"}.items():
            form.locator(f"[name={name}]").fill(words)
        form.get_by_role("button").click()
        page.wait_for_url(re.compile(r"/rapat/[0-9a-f-]{36}"))
        for subject in ("Parkir", "Kantin"):
            page.locator("summary", has_text="Tambah").first.click()
            page.locator("details[open] [name=subject]").fill(subject)
            page.locator("details[open] form").get_by_role("button").click()
            expect(page.locator("article h3", has_text=subject)).to_be_visible()
        first, second = _agenda(page)[:2]

        item = page.locator("article").first
        item.locator("summary").click()
        # An outcome without what was said waits for it, and is saved with the next word.
        item.locator("[name=decision]").select_option("continue")
        expect(item.get_by_role("status")).to_contain_text("Belum tersimpan")
        item.locator("[name=discussion]").fill("Dibahas singkat.")
        expect(item.get_by_role("status")).to_contain_text("Tersimpan sendiri")
        page.reload()
        expect(page.locator("article").first.locator("[name=discussion]")).to_have_value("Dibahas singkat.")
        expect(page.locator("article").first.locator("[name=decision]")).to_have_value("continue")

        page.locator("article h3").nth(0).drag_to(page.locator("article").nth(1))
        expect(page.locator("article h3").first).to_contain_text(second)
        assert _agenda(page)[:2] == [second, first]
        page.get_by_role("button", name=f"Naikkan {first}").press("Enter")
        expect(page.locator("article h3").first).to_contain_text(first)
        assert overhang(page, PHONE.width) == 0

    # The outcome that waited was refused, as it should be.
    assert [fault for fault in watch.faults if "422" not in fault] == []
