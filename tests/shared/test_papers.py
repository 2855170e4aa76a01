"""Papers come out whole, readable and the same each time."""

import hashlib
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pypdf import PdfReader

from shared import line, printing
from shared.papers import (
    Block,
    Column,
    Fact,
    Facts,
    Finding,
    Findings,
    Heading,
    Letterhead,
    Listing,
    Notice,
    Paper,
    Paragraph,
    Signature,
    Table,
    Total,
    render,
)
from shared.procedure import procedure
from tests.papers import pages_of

HEAD = Letterhead(
    ministry="Kementerian Agama Republik Indonesia",
    institution="Universitas Islam Negeri Nusantara Contoh",
    centre="Pusat Teknologi Informasi dan Pangkalan Data",
    address="Jalan Contoh Raya Nomor 1, Palembang",
    email="pustipd@kampus.example",
    website="pustipd.kampus.example",
)
CREST = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'

LETTER = Paper(
    kind="cover_letter",
    layout="letter",
    title="Penyampaian Rencana Pembangunan Sistem Informasi Pengelolaan Aset",
    on=date(2026, 6, 22),
    letterhead=HEAD.model_copy(update={"crest_svg": CREST}),
    number="B-0231/Un.99/PUSTIPD/TI.01/06/2026",
    nature="Biasa",
    attachment="3 (tiga) berkas",
    addressees=("Kepala Bagian Perencanaan",),
    addressee_place="Palembang",
    via="Koordinator Divisi Aplikasi",
    blocks=(
        Paragraph(text="Dengan hormat,", indented=False),
        Paragraph(text="Bersama ini kami sampaikan Kerangka Acuan Kerja. Mohon arahan Bapak/Ibu."),
    ),
    signatures=(
        Signature(
            post="Kepala PUSTIPD",
            name="Citra Lestari",
            staff_number="19780512 200501 2 003",
            prefix="Plt.",
            signed_at=datetime(2026, 6, 22, 2, 15, tzinfo=UTC),
        ),
    ),
    copies=("Rektor UIN Nusantara Contoh",),
    code="ALR-7K2M-9QXD",
    check_url="https://alur.kampus.example/periksa/ALR-7K2M-9QXD",
)

RECORD = Paper(
    kind="security_test_record",
    title="Berita Acara Uji Keamanan\nModul Yudisium",
    on=date(2026, 11, 11),
    letterhead=HEAD,
    number="024/PUSTIPD/11/2026",
    place="Palembang",
    blocks=(
        Notice(label="Hasil uji", words="TIDAK LULUS", sentence="Nilai mahasiswa lain dapat dibaca."),
        Facts(rows=(Fact(label="Sidik berkas", value="2" * 64, mono=True), Fact(label="Putaran", value="1"))),
        Heading(text="Temuan"),
        Findings(
            items=(
                Finding(no=1, severity="critical", title="Transkrip dapat dibuka", where="/transkrip/{nim}"),
                Finding(no=2, severity="high", title="Berkas .env dapat diunduh", due_on=date(2026, 11, 18)),
                Finding(no=3, severity="medium", title="Percobaan masuk tidak dibatasi", control="K04"),
                Finding(no=4, severity="low", title="Rantai sertifikat tidak lengkap", status="Diperbaiki"),
            )
        ),
        Listing(entries=("Perbaikan oleh penyedia", "Uji ulang"), marks="letters"),
    ),
    signatures=(
        Signature(heading="Penguji", post="Staf Monitoring dan Security", name="Dedi Kurniawan"),
        Signature(post="Kepala PUSTIPD", prefix="a.n.", own_post="Kepala Divisi Monitoring dan Security"),
    ),
)


def budget(rows: int) -> Paper:
    """A budget plan with as many lines."""
    sheet = Table(
        columns=(
            Column(title="No.", align="right"),
            Column(title="Uraian", width=1),
            Column(title="Jumlah (Rp)", align="right"),
        ),
        rows=(
            ("A. Belanja Jasa",),
            *((str(no), f"Jasa pemrogram {no}", "8.500.000") for no in range(1, rows + 1)),
        ),
        totals=(Total(label="Jumlah total", values=("340.000.000",)),),
    )
    return Paper(
        kind="budget_plan",
        title="Rencana Anggaran Biaya",
        on=date(2026, 6, 22),
        letterhead=HEAD,
        number="012/PUSTIPD/06/2026",
        blocks=(sheet,),
        signatures=tuple(Signature(post=post) for post in ("Penyusun", "Pemeriksa", "Kepala PUSTIPD")),
    )


def test_a_letter_carries_all_that_an_official_letter_needs() -> None:
    (text,) = pages_of(render(LETTER))

    for words in (
        "KEMENTERIAN AGAMA REPUBLIK INDONESIA",
        "B-0231/Un.99/PUSTIPD/TI.01/06/2026",
        "22 Juni 2026",
        "3 (tiga) berkas",
        "Yth. Kepala Bagian Perencanaan",
        "melalui Koordinator Divisi Aplikasi",
        "Plt. Kepala PUSTIPD",
        "22 Juni 2026 pukul 09.15 WIB",
        "NIP 19780512 200501 2 003",
        "Rektor UIN Nusantara Contoh",
        "ALR-7K2M-9QXD",
        "Halaman 1 dari 1",
    ):
        assert words in text


def test_a_memo_says_from_whom_to_whom() -> None:
    memo = LETTER.model_copy(update={"layout": "memo", "sender": "Koordinator Divisi Aplikasi"})

    (text,) = pages_of(render(memo))

    assert "NOTA DINAS" in text
    assert re.search(r"Dari : Koordinator Divisi Aplikasi .*Hal : Penyampaian Rencana", text)


def test_a_security_record_names_verdict_findings_and_digest_whole() -> None:
    (text,) = pages_of(render(RECORD))

    assert "TIDAK LULUS" in text
    assert "2" * 64 in text.replace(" ", "")
    assert re.findall(r"KRITIS|TINGGI|SEDANG|RENDAH", text) == ["KRITIS", "TINGGI", "SEDANG", "RENDAH"]
    assert "18/11/2026" in text
    assert "a.n. Kepala PUSTIPD Kepala Divisi Monitoring dan Security" in text


def test_each_page_of_a_long_table_repeats_its_head_and_says_which_page_it_is() -> None:
    pages = pages_of(render(budget(120)))

    assert len(pages) > 2
    for number, text in enumerate(pages, start=1):
        assert "Jumlah (Rp)" in text
        assert f"Halaman {number} dari {len(pages)}" in text
    assert all("Nomor 012/PUSTIPD/06/2026" in text for text in pages[1:])
    assert all(f"Jasa pemrogram {no} " in " ".join(pages) for no in range(1, 121))


def test_signatures_are_never_torn_apart() -> None:
    for rows in range(24, 34):
        signed = [text for text in pages_of(render(budget(rows))) if "Penyusun" in text]

        assert len(signed) == 1
        assert "Pemeriksa" in signed[0]
        assert "Kepala PUSTIPD" in signed[0]


def test_a_draft_says_so_and_a_final_paper_does_not() -> None:
    draft, final = (
        pages_of(render(RECORD.model_copy(update={"is_draft": is_draft})))[0].replace(" ", "")
        for is_draft in (True, False)
    )

    assert "KONSEP" in draft
    assert "KONSEP" not in final


def test_a_long_word_stays_one_word_when_copied() -> None:
    digest = "0123456789abcdef" * 4
    sheet = Table(columns=tuple(Column(title=str(n), width=1) for n in range(6)), rows=((digest, *"abcde"),))

    (text,) = pages_of(render(RECORD.model_copy(update={"blocks": (sheet,)})))

    assert digest in text.replace(" ", "")
    assert "\u200b" not in text


def test_what_people_type_is_shown_and_never_run() -> None:
    typed = r'#panic("x") #set text(red) $x^2$ *b* _i_ @ref <label> \ // /* " ] }'

    (text,) = pages_of(render(RECORD.model_copy(update={"blocks": (Paragraph(text=typed),), "title": typed})))

    assert typed.replace('"', "") in re.sub(r'["“”]', "", text)


HOSTILE = {
    "markup": r'#import "x": * #eval("1") $x$ `code` *b* _i_ <a> @b // /* \\ {{ }} %s ${x} </text><script>',
    "right to left": "Usulan \u202eFDP.kontrak\u202c \u0646\u0648\u0631 selesai",
    "emoji": "Siap \U0001f389\U0001f468\u200d\U0001f469\u200d\U0001f467 selesai",
    "long": "kehadiran pegawai " * 600,
    "one word": "x" * 10_000,
    "lines": "baris\n" * 300,
}


@pytest.mark.parametrize("typed", HOSTILE.values(), ids=HOSTILE)
def test_whatever_stands_in_a_field_the_rest_of_the_paper_is_whole(typed: str) -> None:
    sheet = Table(
        columns=(Column(title="No."), Column(title="Uraian", width=1), Column(title="Jumlah")),
        rows=(("1", typed, "Rp1.000"), ("2", "Jasa pemrogram", "Rp2.000")),
        totals=(Total(label="Jumlah akhir", values=("Rp3.000",)),),
    )
    fields = Facts.of(("Aplikasi", typed), ("Nomor perkara", "APL-2026-0001"))
    paper = RECORD.model_copy(update={"blocks": (fields, Paragraph(text=typed), sheet, Paragraph(text="Demikian."))})

    pages = pages_of(render(paper))

    text = " ".join(pages)
    for words in ("APL-2026-0001", "Jasa pemrogram", "Rp3.000", "Demikian.", "Dedi Kurniawan"):
        assert words in text
    assert typed.split()[0][:9] in text.replace(" ", "")
    # An override would let a name read backwards on paper.
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.parametrize("place", ["middle", "last", "group", "finding", "notice", "fact"])
def test_what_is_longer_than_a_page_breaks_and_is_never_cut(place: str) -> None:
    long = " ".join(f"kata{n}" for n in range(2_500))
    short, columns = ("2", "b", "c"), (Column(title="No."), Column(title="Uraian", width=1), Column(title="Jumlah"))
    rows: dict[str, tuple[tuple[str, ...], ...]] = {
        "middle": (("1", long, "c"), short),
        "last": (short, ("1", long, "c")),
        "group": ((long,), short),
    }
    block: Block = Facts.of(("Uraian", long))
    if place in rows:
        block = Table(columns=columns, rows=rows[place], totals=(Total(label="Jumlah", values=("c",)),))
    elif place == "finding":
        block = Findings(items=(Finding(no=1, severity="high", title="Temuan", evidence=long),))
    elif place == "notice":
        block = Notice(words="Putusan", sentence=long)

    pages = pages_of(render(RECORD.model_copy(update={"blocks": (block, Paragraph(text="Demikian."))})))

    # A page holds some seven thousand letters: more on one would stand beyond its edge.
    assert max(map(len, pages)) < 9_000
    assert f"{long} ".replace(" ", "")[-40:] in "".join(pages).replace(" ", "")


def test_sums_stay_together_with_a_line_and_a_heading_with_its_group() -> None:
    for count in range(20, 50):
        lines: list[tuple[str, ...]] = [(f"baris{n}", "x") for n in range(count)]
        lines.insert(count - 8, ("KELOMPOK",))
        sums = tuple(Total(label=f"Jumlah {n}", values=("1",)) for n in range(6))
        sheet = Table(columns=(Column(title="Uraian", width=1), Column(title="b")), rows=tuple(lines), totals=sums)

        pages = pages_of(render(RECORD.model_copy(update={"blocks": (sheet, Paragraph(text="Demikian."))})))

        [summed] = [text for text in pages if "Jumlah 0" in text]
        assert "Jumlah 5" in summed
        assert f"baris{count - 1} " in summed
        assert f"KELOMPOK baris{count - 8} " in " ".join(pages)
        assert not any(text.endswith("KELOMPOK") or "KELOMPOK Halaman" in text for text in pages)


@pytest.mark.parametrize("rows", range(20, 40))
def test_signatures_stand_below_the_closing_words_and_never_alone(rows: int) -> None:
    sheet = budget(rows).blocks[0]
    paper = RECORD.model_copy(update={"blocks": (sheet, Paragraph(text="Demikian dibuat dengan sebenarnya."))})

    [signed] = [text for text in pages_of(render(paper)) if "Dedi Kurniawan" in text]

    assert "Demikian dibuat dengan sebenarnya." in signed
    assert f"Jasa pemrogram {rows} " in signed
    assert "340.000.000" in signed


@pytest.mark.parametrize("rows", range(20, 40))
def test_a_table_right_above_the_signatures_gives_them_its_last_line(rows: int) -> None:
    pages = pages_of(render(budget(rows)))

    [signed] = [text for text in pages if "Penyusun" in text]

    assert f"Jasa pemrogram {rows} " in signed
    assert " ".join(pages).count(f"Jasa pemrogram {rows} ") == 1


ENDINGS: dict[str, Block] = {
    "notice": Notice(label="Usul keputusan", words="Penutup: dilanjutkan"),
    "list": Listing(entries=("Penutup pertama.", "Penutup kedua.")),
    "facts": Facts.of(("Penutup", "dilanjutkan")),
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_whatever_stands_right_above_the_signatures_goes_with_them(ending: Block) -> None:
    on_second = 0
    for lines in range(18, 34):
        body = tuple(Paragraph(text=f"Baris {n}.") for n in range(lines))
        pages = pages_of(render(RECORD.model_copy(update={"blocks": (*body, ending)})))

        [signed] = [text for text in pages if "Dedi Kurniawan" in text]

        assert "Penutup" in signed
        on_second += signed is not pages[0]
    assert 0 < on_second < 16, "the lengths must cross the end of a page"


def test_marks_of_signatures_stand_level_and_nobody_signs_twice() -> None:
    at = datetime(2026, 11, 11, 2, 15, tzinfo=UTC)
    paper = RECORD.model_copy(
        update={"signatures": (Signature(post="Kepala PUSTIPD", signed_at=at), Signature(post="Penyedia"))}
    )

    [text] = pages_of(render(paper))

    assert "Disetujui dalam sistem pada 11 November 2026 pukul 09.15 WIB" in text
    # A dotted line asks for a pen: only where nobody approved in the system.
    assert len(re.findall(r"(?:\. ?){20,}", text)) == 1


def test_a_table_without_rows_and_an_annex_are_printed() -> None:
    empty = Table(columns=(Column(title="Uraian", width=1), Column(title="Jumlah")), rows=())
    annex = (Heading(text="A. Rincian teknis"), empty)

    pages = pages_of(render(RECORD.model_copy(update={"blocks": (empty,), "annex": annex})))

    assert "Dedi Kurniawan" in pages[0]
    assert "LAMPIRAN A. Rincian teknis Uraian Jumlah" in pages[1]


def test_the_line_of_eleven_is_drawn_and_told() -> None:
    stations = line.stations(procedure(), at="S08", notes={"S01": "01/02/2026"})
    drawing = printing.progress(stations, loops=[line.Loop("S08", "S07", 2, "uji keamanan tidak lulus")])

    pdf = render(RECORD.model_copy(update={"blocks": (drawing,)}))

    [text] = pages_of(pdf)
    for station in stations:
        assert station.name in text
    assert "01/02/2026" in text
    assert "2×" in text
    assert "Kembali 2 kali dari langkah 8 ke langkah 7" in drawing.words


def test_an_emoji_becomes_a_box_and_does_not_stop_the_paper() -> None:
    (text,) = pages_of(render(RECORD.model_copy(update={"blocks": (Paragraph(text="Siap 🎉 نور\x00!"),)})))

    assert "Siap □" in text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_any_text_can_be_printed(typed: str) -> None:
    sheet = Table(columns=(Column(title=typed), Column(title="b", width=1)), rows=((typed, typed), (typed,)))
    paper = RECORD.model_copy(update={"title": typed or "-", "blocks": (Paragraph(text=typed), sheet)})

    assert render(paper).startswith(b"%PDF-1.7")


def test_the_same_paper_gives_the_same_bytes() -> None:
    first = render(RECORD)
    render(LETTER)

    assert render(RECORD) == first
    assert render(RECORD.model_copy(update={"number": "025/PUSTIPD/11/2026"})) != first


def test_another_process_prints_the_same_bytes() -> None:
    printed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, hashlib; from shared.papers import Paper, render;"
            "print(hashlib.sha256(render(Paper.model_validate_json(sys.stdin.read()))).hexdigest())",
        ],
        input=LETTER.model_dump_json(),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "1", "TZ": "America/New_York"},
    ).stdout.strip()

    assert printed == hashlib.sha256(render(LETTER)).hexdigest()


def test_several_threads_print_at_once() -> None:
    papers = [RECORD.model_copy(update={"number": f"{n:03d}/PUSTIPD/11/2026"}) for n in range(12)]

    with ThreadPoolExecutor(4) as threads:
        printed = list(threads.map(render, papers))

    assert printed == [render(paper) for paper in papers]


def test_a_paper_is_an_archive_pdf_with_its_fonts_inside() -> None:
    pdf = render(LETTER)
    reader = PdfReader(BytesIO(pdf))
    root: Any = reader.root_object
    page: Any = reader.pages[0]

    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    assert root["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
    assert (root["/Lang"], "/StructTreeRoot" in root) == ("id-ID", True)
    fonts = page["/Resources"]["/Font"].values()
    descriptors = [font["/DescendantFonts"][0]["/FontDescriptor"] for font in fonts]
    assert all("/FontFile3" in font or "/FontFile2" in font for font in descriptors)
    assert "/Encrypt" not in reader.trailer


def test_printing_after_a_fork_is_an_error_and_not_an_endless_wait() -> None:
    forked = subprocess.run(
        [
            sys.executable,
            "-c",
            "import os, sys; from shared.papers import Paper, render;"
            "paper = Paper.model_validate_json(sys.stdin.read()); render(paper); child = os.fork();"
            "child or render(paper); sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))",
        ],
        input=RECORD.model_dump_json(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert forked.returncode == 1
    assert "print only in the children" in forked.stderr


def test_a_row_that_does_not_fit_its_table_is_refused() -> None:
    columns = (Column(title="a"), Column(title="b"), Column(title="c"))

    with pytest.raises(ValidationError, match="cells"):
        Table(columns=columns, rows=(("1", "2"),))
    with pytest.raises(ValidationError, match="label"):
        Table(columns=columns, rows=(), totals=(Total(label="x", values=("1", "2", "3")),))


def test_signing_on_behalf_names_both_posts() -> None:
    with pytest.raises(ValidationError, match="both posts"):
        Signature(post="Kepala PUSTIPD", prefix="a.n.")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "alur.example/x", "https://a b"])
def test_only_a_web_address_can_be_where_a_paper_is_checked(url: str) -> None:
    with pytest.raises(ValidationError, match="check_url"):
        Paper(kind="x", title="T", on=date(2026, 1, 2), letterhead=HEAD, check_url=url)


def test_a_paper_survives_being_kept_as_json() -> None:
    assert Paper.model_validate_json(RECORD.model_dump_json()) == RECORD
