"""Spreadsheets in and out: every mistake of a sheet is named by row and column, and no cell that we write is a formula.

What comes in is somebody's file: its size, its parts and its rows are bounded, macros and links to other files are
refused, and formulas are not computed. What goes out is written row by row, so that a long list needs no memory.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO, BinaryIO, Final, Literal

from shared.errors import FieldError, Incomplete, TooLarge
from shared.sentence import Sentence

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_UNPACKED: Final = 50 * 1024 * 1024
"""Bytes that a workbook may have when it is unpacked."""
MOST_PARTS: Final = 200
MOST_ROWS: Final = 1_000
MOST_COLUMNS: Final = 50
MOST_LOOKED_AT: Final = 20_000
"""Rows that are looked at, the empty ones too."""
MOST_MISTAKES: Final = 500
HEADING_WITHIN: Final = 10
"""Rows among which the headings are looked for."""
_PIECE: Final = 64 * 1024
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Beginnings that a spreadsheet program would take for a formula."""
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
Format = Literal["xlsx", "csv"]
MEDIA: Final[dict[str, str]] = {"xlsx": XLSX, "csv": CSV}
Cell = str | int | float | date | None
Line = list[tuple[Cell, str]]
"""The cells of a row, each with what is wrong with it."""
Lines = Iterator[tuple[int, Line]]


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its key in code, its heading, and what the help sheet says of it."""

    key: str
    title: str
    help: str = ""
    kind: Literal["text", "number", "money"] = "text"
    width: int = 20
    choices: tuple[str, ...] = ()
    is_read: bool = True
    """Whether it is taken over when the sheet comes back; the others only tell."""
    is_required: bool = False
    """Whether a sheet without this column cannot be read."""


@dataclass(frozen=True)
class Mistake:
    """What is wrong in one cell, and what to do."""

    row: int
    column: str
    """Letter and heading, e.g. "E (Triwulan)"; empty: the whole row."""
    says: str

    @property
    def words(self) -> str:
        """Return the mistake as one sentence."""
        if not self.column:
            return Sentence("Baris {row}: {says}", row=self.row, says=self.says)
        return Sentence("Baris {row}, kolom {column}: {says}", row=self.row, column=self.column, says=self.says)


@dataclass(frozen=True)
class Row:
    """A row that was read: its number in the sheet, its cells by the key of their column."""

    number: int
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Sheet:
    """What was read of a file: its rows, its mistakes so far, and where its columns stand."""

    rows: tuple[Row, ...]
    mistakes: tuple[Mistake, ...]
    letters: dict[str, str]
    """Key of a column -> letter and heading."""

    def mistake(self, row: Row, key: str, says: str) -> Mistake:
        """Return a mistake in a cell of this sheet."""
        return Mistake(row.number, self.letters.get(key, ""), says)


def refusal(mistakes: Sequence[Mistake]) -> Incomplete:
    """Return the refusal of a sheet with all its mistakes, in the order of its rows."""
    ordered = sorted(mistakes, key=lambda one: (one.row, one.column))
    shown = ordered[:MOST_MISTAKES]
    more = (
        Sentence(" Yang ditampilkan {most} yang pertama.", most=MOST_MISTAKES) if len(ordered) > MOST_MISTAKES else ""
    )
    return Incomplete(
        Sentence(
            "Berkas ini memuat {ordered} kesalahan; belum ada yang disimpan.{more} Perbaiki semuanya di "
            "berkas Anda, lalu unggah lagi.",
            ordered=len(ordered),
            more=more,
        ),
        code="sheet_mistakes",
        errors=[FieldError(f"/rows/{one.row}", one.words) for one in shown],
    )


def letter(position: int) -> str:
    """Return the letter of a column, counted from 0: A, B, …, Z, AA."""
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(65 + rest) + name
    return name


# --- in -----------------------------------------------------------------------------------------------------------


def read(file: BinaryIO, columns: Sequence[Column]) -> Sheet:
    """Return the rows of a workbook or CSV file under these headings.

    Raises TooLarge for too many bytes or rows, Incomplete for what is no sheet, carries macros or links, or lacks a
    column. Cells with formulas and error values are mistakes of the sheet.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MOST_BYTES:
        raise TooLarge(
            Sentence(
                "Berkas melebihi {most_bytes} MB. Hapus gambar dan lembar yang tidak perlu.",
                most_bytes=MOST_BYTES // 1024 // 1024,
            )
        )
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PK"):
        _look_inside(file)
        return _under_headings(_workbook_rows(file), columns)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise _no_sheet("Berkas ini berformat Excel lama (.xls) atau berkata sandi. Simpan sebagai .xlsx tanpa sandi.")
    return _under_headings(_csv_rows(file.read(MOST_BYTES)), columns)


def _no_sheet(words: str) -> Incomplete:
    return Incomplete(words, code="sheet_unreadable", errors=[FieldError("/file", words)])


def _look_inside(file: BinaryIO) -> None:
    """Refuse a workbook that unpacks into too much, or holds what no list needs."""
    try:
        with zipfile.ZipFile(file) as parcel:
            parts = parcel.infolist()
            names = {part.filename for part in parts}
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise TooLarge("Isi berkas ini terlalu besar setelah dibuka. Salin datanya ke templat yang baru.")
            if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
                raise _no_sheet("Berkas ini bukan buku kerja Excel (.xlsx). Unduh templat, isi, lalu unggah.")
            if any("vbaproject" in name.lower() or "macrosheets/" in name.lower() for name in names):
                raise _no_sheet("Berkas ini memuat makro. Simpan sebagai .xlsx tanpa makro, lalu unggah lagi.")
            if any(name.startswith(("xl/externalLinks/", "xl/embeddings/", "xl/connections")) for name in names):
                raise _no_sheet("Berkas ini bertaut ke berkas atau data lain. Salin datanya sebagai nilai ke templat.")
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    _refuse_entities(parcel, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as reason:
        raise _no_sheet("Berkas ini rusak atau berkata sandi. Buka dan simpan ulang, lalu unggah.") from reason
    finally:
        file.seek(0)


def _refuse_entities(parcel: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    with parcel.open(part) as inside:
        tail = b""
        while piece := inside.read(_PIECE):
            seen = tail + piece
            if b"<!" in seen and (b"<!DOCTYPE" in seen.upper() or b"<!ENTITY" in seen.upper()):
                raise _no_sheet("Berkas ini memuat bagian yang tidak diterima. Salin datanya ke templat yang baru.")
            if b"\x00" in piece:
                raise _no_sheet("Berkas ini tidak ditulis dalam UTF-8. Buka di program Anda, lalu simpan ulang.")
            tail = seen[-16:]


def _workbook_rows(file: BinaryIO) -> Lines:
    """Yield each row that holds something: its number, and per cell the value and what is wrong with it."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        page = book.worksheets[0]
        page.reset_dimensions()
        for number, cells in enumerate(page.iter_rows(), start=1):
            if number > MOST_LOOKED_AT:
                raise TooLarge("Lembar pertama terlalu panjang. Hapus baris kosong di bawah data, lalu unggah lagi.")
            row = [_cell(one.value, one.data_type) for one in cells[: MOST_COLUMNS + 1]]
            if any(value is not None or wrong for value, wrong in row):
                yield number, row
    except (TooLarge, Incomplete):
        raise
    except Exception as reason:
        # Whatever the library stumbles over in somebody's file, it is the file that is to be mended.
        raise _no_sheet("Buku kerja ini tidak terbaca. Salin datanya ke templat yang baru, lalu unggah.") from reason
    finally:
        file.seek(0)


def _cell(value: object, kind: str) -> tuple[Cell, str]:
    if value is None:
        return None, ""
    if kind == "f":
        return None, "Sel berisi rumus. Salin, lalu tempel sebagai nilai."
    if kind == "e":
        return None, Sentence("Sel berisi galat {value}. Ganti dengan nilai yang benar.", value=value)
    if isinstance(value, bool):
        return ("ya" if value else "tidak"), ""
    if isinstance(value, float) and value.is_integer():
        return int(value), ""
    if isinstance(value, datetime):
        return value.date(), ""
    if isinstance(value, int | float | date):
        return value, ""
    return _text(str(value)), ""


def _text(words: str) -> Cell:
    """Return the words of a cell; what we wrote with a sign before it, so that it is no formula, is taken back."""
    words = "".join(sign for sign in words if sign >= " " or sign == "\n").strip()
    if words.startswith("'") and words[1:].startswith(_FORMULA):
        words = words[1:]
    return words or None


def _csv_rows(content: bytes) -> Lines:
    if b"\x00" in content:
        raise _no_sheet("Berkas ini bukan Excel (.xlsx) atau CSV. Unduh templat, isi, lalu unggah.")
    try:
        words = content.decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise _no_sheet("Berkas CSV ini tidak ditulis dalam UTF-8. Simpan sebagai “CSV UTF-8”.") from reason
    first = words.partition("\n")[0]
    mark = max(";,\t", key=first.count)
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(words, newline=""), delimiter=mark), start=1):
            if number > MOST_LOOKED_AT:
                raise TooLarge("Berkas CSV terlalu panjang. Bagi menjadi beberapa berkas.")
            row: Line = [(_text(cell), "") for cell in cells[: MOST_COLUMNS + 1]]
            if any(value is not None for value, _ in row):
                yield number, row
    except csv.Error as reason:
        raise _no_sheet("Berkas CSV ini tidak terbaca. Periksa tanda kutipnya, atau pakai templat Excel.") from reason


def _under_headings(rows: Lines, columns: Sequence[Column]) -> Sheet:
    by_title = {column.title.casefold(): column for column in columns}
    required = {column.title.casefold() for column in columns if column.is_required}
    best: set[str] = set()
    for number, cells in rows:
        if number > HEADING_WITHIN:
            break
        titles = [str(value or "").strip().casefold() for value, _ in cells]
        found = required & set(titles)
        best = max(best, found, key=len)
        if found == required:
            return _body(rows, [by_title.get(title) for title in titles], cells, number)
    lacking = [column.title for column in columns if column.is_required and column.title.casefold() not in best]
    raise _no_sheet(
        Sentence(
            "Lembar pertama tidak memuat kolom {lacking}. Pakai judul kolom seperti pada templat.",
            lacking=", ".join(lacking),
        )
    )


def _body(
    rows: Lines,
    heads: list[Column | None],
    titles: Line,
    at: int,
) -> Sheet:
    letters: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for position, column in enumerate(heads):
        title = titles[position][0]
        if column is None:
            if title is not None:
                mistakes.append(
                    Mistake(
                        1,
                        letter(position),
                        Sentence("Kolom “{title}” tidak dikenal. Hapus, atau ikuti templat.", title=title),
                    )
                )
        elif column.key in letters:
            words = Sentence("Kolom “{title}” ada dua kali. Hapus salah satunya.", title=column.title)
            mistakes.append(Mistake(at, letter(position), words))
        else:
            letters[column.key] = f"{letter(position)} ({column.title})"
    found: list[Row] = []
    for number, cells in rows:
        if len(found) >= MOST_ROWS:
            raise TooLarge(
                Sentence(
                    "Lembar ini memuat lebih dari {most_rows} baris. Bagi menjadi beberapa berkas.",
                    most_rows=MOST_ROWS,
                )
            )
        kept: dict[str, Cell] = {}
        for position, (value, wrong) in enumerate(cells):
            column = heads[position] if position < len(heads) else None
            if column is None:
                if value is not None and position >= len(heads):
                    mistakes.append(Mistake(number, letter(position), "Sel ini di luar kolom templat. Kosongkan."))
            elif column.is_read:
                if wrong:
                    mistakes.append(Mistake(number, letters[column.key], wrong))
                kept[column.key] = value
        if any(value is not None for value in kept.values()) or any(wrong for _, wrong in cells):
            found.append(Row(number, kept))
    return Sheet(tuple(found), tuple(mistakes), letters)


# --- out ----------------------------------------------------------------------------------------------------------


def write(
    target: IO[bytes],
    form: Format,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    title: str,
    notes: Sequence[str] = (),
    for_filling: bool = False,
) -> None:
    """Write a list into a file, row by row; a template for filling also gets its help sheet and its choices."""
    if form == "csv":
        _write_csv(target, columns, rows)
    else:
        _write_workbook(target, columns, rows, title=title, notes=notes, for_filling=for_filling)


def harmless(words: str) -> str:
    """Return words that no spreadsheet program takes for a formula."""
    return f"'{words}" if words.startswith(_FORMULA) else words


def _write_csv(target: IO[bytes], columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    words = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    try:
        # The mark tells Excel that this is UTF-8; the semicolon is what it expects where a comma divides decimals.
        words.write("\ufeff")
        lines = csv.writer(words, delimiter=";", lineterminator="\r\n")
        lines.writerow([harmless(column.title) for column in columns])
        for row in rows:
            lines.writerow(["" if v is None else harmless(v) if isinstance(v, str) else v for v in row])
    finally:
        words.detach()


def _write_workbook(
    target: IO[bytes],
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    title: str,
    notes: Sequence[str],
    for_filling: bool,
) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(
        target,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    # The moment of making is left out of the file: the same list gives the same bytes.
    book.set_properties({"title": title, "created": datetime(2026, 1, 1)})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    plain = book.add_format({"text_wrap": True, "valign": "top"})
    money = book.add_format({"num_format": "#,##0", "valign": "top"})
    day = book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"})
    page = book.add_worksheet("Data")
    page.freeze_panes(1, 0)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    for position, column in enumerate(columns):
        page.set_column(position, position, column.width)
    for position, column in enumerate(columns):
        page.write_string(0, position, column.title, bold)
    for number, row in enumerate(rows, start=1):
        for position, value in enumerate(row):
            if value is None or value == "":
                continue
            if isinstance(value, str):
                page.write_string(number, position, value[:32_767], plain)
            elif isinstance(value, datetime | date):
                page.write_datetime(number, position, value, day)
            else:
                page.write_number(number, position, value, money if columns[position].kind == "money" else plain)
    if for_filling:
        for position, column in enumerate(columns):
            if column.choices:
                page.data_validation(
                    1,
                    position,
                    MOST_ROWS,
                    position,
                    {
                        "validate": "list",
                        "source": list(column.choices),
                        "error_title": column.title,
                        "error_message": "Pilih salah satu dari daftar.",
                    },
                )
            elif column.kind in ("number", "money"):
                page.data_validation(
                    1,
                    position,
                    MOST_ROWS,
                    position,
                    {
                        "validate": "integer",
                        "criteria": ">=",
                        "value": 0,
                        "error_title": column.title,
                        "error_message": "Tulis bilangan bulat.",
                    },
                )
    if notes or for_filling:
        _write_help(book, columns, notes, bold, plain)
    book.close()


def _write_help(book: object, columns: Sequence[Column], notes: Sequence[str], bold: object, plain: object) -> None:
    page = book.add_worksheet("Petunjuk")  # type: ignore[attr-defined]
    page.set_column(0, 0, 28)
    page.set_column(1, 1, 90)
    for line, words in enumerate(notes):
        page.write_string(line, 0, words, plain)
    start = len(notes) + 1 if notes else 0
    page.write_string(start, 0, "Kolom", bold)
    page.write_string(start, 1, "Isi", bold)
    for line, column in enumerate((one for one in columns if one.help), start=start + 1):
        page.write_string(line, 0, column.title, plain)
        page.write_string(line, 1, column.help, plain)
