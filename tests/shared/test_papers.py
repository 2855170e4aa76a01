"""Papers come out whole, readable and the same each time."""

import hashlib
import os
import re
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.papers import (
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


ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages_of(pdf: bytes) -> list[str]:
    """What a reader can copy out of each page; a small reader, so that none need be installed."""
    objects = {int(number): body for number, body in re.findall(rb"(?<!\d)(\d+) 0 obj\s(.*?)\sendobj", pdf, re.DOTALL)}

    def stream(number: bytes) -> bytes:
        packed = objects[int(number)].partition(b"stream")[2].lstrip(b"\r\n")
        return zlib.decompressobj().decompress(packed)

    def alphabet(font: bytes) -> dict[bytes, str]:
        to_unicode = re.search(rb"/ToUnicode (\d+)", objects[int(font)])
        assert to_unicode
        pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", stream(to_unicode[1]))
        return {bytes.fromhex(key.decode()): bytes.fromhex(value.decode()).decode("utf-16-be") for key, value in pairs}

    def shown_bytes(operators: bytes) -> bytes:
        # Strings stand in brackets, which may hold pairs of their own; a backslash takes the next with it.
        raw, depth = bytearray(), 0
        for token in re.findall(rb"\\[0-7]{1,3}|\\.|.", operators, re.DOTALL):
            if token in (b"(", b")"):
                depth += 1 if token == b"(" else -1
                if depth == (1 if token == b"(" else 0):
                    continue
            if depth and token[:1] == b"\\" and token[1:].isdigit():
                raw.append(int(token[1:], 8))
            elif depth:
                raw += ESCAPES.get(token[1:], token[1:]) if token[:1] == b"\\" else token
        return bytes(raw)

    texts = []
    for body in objects.values():
        contents = re.search(rb"/Contents (\d+)", body)
        resources = re.search(rb"/Resources (\d+)", body)
        if contents is None or resources is None:
            continue
        named = re.findall(rb"/(f\d+) (\d+) 0 R", objects[int(resources[1])])
        fonts = {name: alphabet(font) for name, font in named}
        lines = []
        for shown in re.findall(rb"BT(.*?)\nET", stream(contents[1]), re.DOTALL):
            font = re.search(rb"/(f\d+) ", shown)
            assert font
            raw = shown_bytes(shown)
            lines.append("".join(fonts[font[1]][raw[at : at + 2]] for at in range(0, len(raw), 2)))
        texts.append(re.sub(r"\s+", " ", " ".join(lines)))
    return texts


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
    assert "KONSEP" in pages_of(render(RECORD.model_copy(update={"is_draft": True})))[0]
    assert "KONSEP" not in pages_of(render(RECORD))[0]


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

    assert b"<pdfaid:part>2</pdfaid:part>" in pdf
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in pdf
    assert b"LibertinusSerif" in pdf
    assert b"/FontFile3" in pdf


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
