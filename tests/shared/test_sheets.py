"""Spreadsheets from strangers: what is refused before a row is read, and what we write is never a formula."""

import io
import zipfile
from collections.abc import Callable

import openpyxl
import pytest

from shared import sheets
from shared.errors import Incomplete, Refused, TooLarge
from shared.sheets import Column, Mistake

COLUMNS = (
    Column("name", "Nama", "Wajib.", is_required=True),
    Column("amount", "Jumlah", "Rupiah.", kind="money", is_required=True),
    Column("about", "Keterangan", is_read=False, choices=("A", "B")),
)
DANGEROUS = ["=1+1", "+62 812", "-5", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', "=cmd|' /C calc'!A0"]


def workbook(*rows: list[object], change: Callable[[zipfile.ZipFile], None] | None = None) -> io.BytesIO:
    book = openpyxl.Workbook()
    page = book.active
    assert page
    for row in rows:
        page.append(row)
    file = io.BytesIO()
    book.save(file)
    if change:
        with zipfile.ZipFile(file, "a") as parcel:
            change(parcel)
    file.seek(0)
    return file


HEAD = ["Nama", "Jumlah", "Keterangan"]


def test_rows_are_read_under_their_headings_wherever_these_stand() -> None:
    file = workbook(["Daftar kami"], [], ["jumlah", "NAMA"], [5, "Satu"], [None, None], [6.0, "  Dua "])

    read = sheets.read(file, COLUMNS)

    assert [(row.number, row.cells) for row in read.rows] == [
        (4, {"amount": 5, "name": "Satu"}),
        (6, {"amount": 6, "name": "Dua"}),
    ]
    assert read.mistakes == ()
    assert read.mistake(read.rows[1], "amount", "salah").words == "Baris 6, kolom A (Jumlah): salah"


def test_formulas_errors_and_strange_columns_are_mistakes_with_their_place() -> None:
    file = workbook(["Nama", "Jumlah", "Lain"], ["=A1", "#REF!", "x"], ["b", 1, 2, 3])

    told = [(one.row, one.column) for one in sheets.read(file, COLUMNS).mistakes]

    assert told == [(1, "C"), (2, "A (Nama)"), (2, "B (Jumlah)"), (3, "D")]


def test_a_csv_is_read_whatever_divides_it() -> None:
    for mark in ";,\t":
        words = mark.join(["Nama", "Jumlah"]) + "\r\n" + mark.join(["Satu", "5"]) + "\r\n"
        read = sheets.read(io.BytesIO(b"\xef\xbb\xbf" + words.encode()), COLUMNS)
        assert read.rows[0].cells == {"name": "Satu", "amount": "5"}


BOMB = b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x/>"


@pytest.mark.parametrize(
    ("file", "kind", "words"),
    [
        (workbook(["Nama"]), Incomplete, "Jumlah"),
        (workbook(HEAD, change=lambda z: z.writestr("xl/vbaProject.bin", b"x")), Incomplete, "makro"),
        (
            workbook(HEAD, change=lambda z: z.writestr("xl/externalLinks/externalLink1.xml", b"<x/>")),
            Incomplete,
            "bertaut",
        ),
        (workbook(HEAD, change=lambda z: z.writestr("xl/theme/bomb.xml", BOMB)), Incomplete, "tidak diterima"),
        (
            workbook(HEAD, change=lambda z: z.writestr("xl/x.bin", bytes(60_000_000), zipfile.ZIP_DEFLATED)),
            TooLarge,
            "terlalu besar",
        ),
        (workbook(HEAD, *[["a", 1]] * 1001), TooLarge, "1000 baris"),
        (io.BytesIO(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), Incomplete, ".xls"),
        (io.BytesIO(b"PK\x03\x04broken"), Incomplete, "rusak"),
        (io.BytesIO(b"\x00\x01\x02"), Incomplete, "bukan Excel"),
        (io.BytesIO(b"Nama;Jumlah\r\n\xff\xfe;1"), Incomplete, "UTF-8"),
        (io.BytesIO(b"x" * (sheets.MOST_BYTES + 1)), TooLarge, "5 MB"),
    ],
    ids=["column", "macro", "link", "entity", "bomb", "rows", "old", "broken", "binary", "encoding", "size"],
)
def test_what_is_no_plain_list_is_refused(file: io.BytesIO, kind: type[Refused], words: str) -> None:
    with pytest.raises(kind) as caught:
        sheets.read(file, COLUMNS)

    assert words in caught.value.detail


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_nothing_that_we_write_is_a_formula_and_it_reads_back_as_it_was(form: sheets.Format) -> None:
    file = io.BytesIO()
    sheets.write(file, form, COLUMNS, [(words, 5, None) for words in DANGEROUS], title="Uji")
    file.seek(0)

    if form == "xlsx":
        page = openpyxl.load_workbook(io.BytesIO(file.getvalue()))["Data"]
        assert {page.cell(n, 1).data_type for n in range(2, 9)} == {"s"}
        assert page.cell(2, 2).value == 5
    else:
        lines = file.getvalue().decode("utf-8-sig").splitlines()
        assert all(line.lstrip('"').startswith("'") for line in lines[1:])
    read = [row.cells["name"] for row in sheets.read(io.BytesIO(file.getvalue()), COLUMNS).rows]
    assert read == [words.strip() for words in DANGEROUS]


def test_a_template_has_its_help_and_its_choices() -> None:
    file = io.BytesIO()
    sheets.write(file, "xlsx", COLUMNS, (), title="Templat", notes=("Isi semua.",), for_filling=True)

    book = openpyxl.load_workbook(file)

    assert book.sheetnames == ["Data", "Petunjuk"]
    assert [one.formula1 for one in book["Data"].data_validations.dataValidation if one.type == "list"] == ['"A,B"']
    assert ("Nama", "Wajib.") in [(row[0].value, row[1].value) for row in book["Petunjuk"].iter_rows(max_col=2)]


def test_the_same_list_gives_the_same_bytes() -> None:
    made = []
    for _ in range(2):
        file = io.BytesIO()
        sheets.write(file, "xlsx", COLUMNS, [("a", 1, None)], title="Uji")
        made.append(file.getvalue())

    assert made[0] == made[1]


def test_more_mistakes_than_can_be_shown_are_counted() -> None:
    refusal = sheets.refusal([Mistake(n, "A", "salah") for n in range(1, 700)])

    assert "699 kesalahan" in refusal.detail
    assert len(refusal.errors) == sheets.MOST_MISTAKES
    assert refusal.errors[0].detail == "Baris 1, kolom A: salah"
