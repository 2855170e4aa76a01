"""The page door: forms drawn from the shapes of the JSON door, what was typed is kept, and why it was refused."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from fastapi import Request, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import text
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Upload

from shared.authority import Act
from shared.database import Database
from shared.errors import FieldError, Incomplete, OutOfTurn
from shared.identity import Person, Role
from shared.keys import Keys
from shared.pages import AREA, FILE, MONEY, Nothing, Pages, Reason, inputs, labelled, parse, read_form
from shared.settings import ServiceSettings
from shared.store import Store
from shared.web import Asker, Session, make_app
from tests.doors import Door
from tests.people import ANI

ROLES = frozenset({Role.PROPOSER})


class Line(BaseModel):
    """One row of a table."""

    item: str = Field(min_length=3, title="Barang")
    kind: Literal["jasa", "barang"] = Field("jasa", title="Jenis")
    price: int = Field(strict=True, title="Harga", json_schema_extra=MONEY)


class Order(BaseModel):
    """Every kind of field."""

    title: str = Field(min_length=5, max_length=40, title="Judul", description="Satu kalimat.")
    body: str = Field("", title="Uraian", json_schema_extra=AREA)
    amount: int = Field(strict=True, ge=0, title="Jumlah", json_schema_extra=MONEY)
    count: int = Field(1, strict=True, ge=1, title="Banyaknya")
    on: date | None = Field(None, title="Tanggal")
    weight: Annotated[Literal["low", "high"], Field(json_schema_extra=labelled({"low": "Ringan", "high": "Berat"}))]
    urgent: bool = Field(True, title="Segera")
    tags: list[str] = Field(default_factory=list, title="Kata kunci")
    lines: list[Line] = Field(default_factory=list, title="Baris")


class Letter(BaseModel):
    """A file with a word."""

    title: str = Field(min_length=3, title="Judul")
    file: UploadFile = Field(title="Berkas", json_schema_extra=FILE)


ORDER = Act("order", "Pesan", ROLES, consequence="Pesanan dikirim.")
SEND = Act("send", "Kirim surat", ROLES)
CLOSE = Act("close", "Tutup", ROLES, danger=True)
RETURN = Act("return", "Kembalikan", ROLES)

TEMPLATE = """{% import "parts.html" as parts %}
<header class="head"><h1>{{ heading }}</h1><p>{{ count }} pesanan</p></header>
{{ parts.acts(offers) }}
{% for offer in rows %}<section id="row">{{ parts.form(offer) }}</section>{% endfor %}
"""


@pytest.fixture
def kept() -> list[Any]:
    """Return what the acts were given, in order."""
    return []


@pytest.fixture
def door(database_of: Callable[[str], Database], keys: Keys, tmp_path: Path, kept: list[Any]) -> Iterator[Door]:
    """Return the pages of a toy division."""
    (tmp_path / "toy.html").write_text(TEMPLATE)
    store = Store(tmp_path / "files")
    pages = Pages(tmp_path)
    ids = [uuid4(), uuid4()]
    kept.append(ids)

    def show(request: Request, session: Session, by: Person, _id: object = None) -> Response:
        return pages.render(
            request,
            "toy.html",
            "Pesanan “Uji”",
            heading=f"{by.name} & kawan",
            count=session.scalar(text("SELECT count(*) FROM ticket_counter")),
            offers=pages.offers(request, [ORDER, SEND]),
            rows=[offer for id in ids for offer in pages.offers(request, [RETURN], id=id)],
        )

    @pages.router.get("/pesanan")
    def shown(request: Request, session: Session, by: Asker) -> Response:
        return show(request, session, by)

    def order(session: Session, by: Person, _id: object, body: Order, request: Request) -> str:
        session.execute(text("INSERT INTO ticket_counter (year, last) VALUES (2026, 1)"))
        if body.title == "sudah tutup":
            raise OutOfTurn("Pesanan sudah ditutup.")
        if body.title == "terlalu mahal":
            raise Incomplete(
                "Melampaui pagu.", errors=[FieldError("/amount", "Kurangi."), FieldError("/pagu", "Habis.")]
            )
        kept.append(body)
        return "/pesanan?terkirim"

    def send(session: Session, by: Person, _id: object, body: Letter, request: Request) -> str:
        if body.title == "salah":
            raise OutOfTurn("Belum gilirannya.")
        kept.append((body.title, body.file.filename, store.put(body.file.file)))
        return "/pesanan"

    def give_back(session: Session, by: Person, id: UUID, body: Reason, request: Request) -> str:
        raise OutOfTurn(f"Tidak dapat dikembalikan: {body.reason}")

    def close(session: Session, by: Person, id: object, body: Nothing, request: Request) -> str:
        kept.append(id)
        raise OutOfTurn("Sudah ditutup orang lain.")

    pages.act(ORDER, "/pesanan", Order, order, back=show)
    pages.act(SEND, "/surat", Letter, send, back=show)
    pages.act(RETURN, "/pesanan/{id}/pengembalian", Reason, give_back, back=show)
    pages.act(CLOSE, "/pesanan/{id}/penutupan", Nothing, close, back=show)
    settings = ServiceSettings(
        database_url=database_of("helpdesk").url, keys_folder=keys.folder, files_folder=tmp_path / "files"
    )
    app = make_app(service="helpdesk", title="Pesanan", settings=settings, routers=[pages.router])
    yield Door.of(app, keys)
    app.state.database.close()


FILLED = {"title": "Pesan kursi", "amount": "Rp1.500.000", "weight": "high"}


def form_of(page: str, path: str) -> str:
    """Return the form that is sent to a path."""
    [found] = re.findall(rf'<form method="post" action="{re.escape(path)}".*?</form>', page, re.DOTALL)
    return str(found)


def value_of(form: str, name: str) -> str:
    """Return what stands in a text field."""
    [found] = re.findall(rf'<input type="\w+"[^>]*name="{re.escape(name)}" value="([^"]*)"', form)
    return unescape(str(found))


# --- forms as drawn ---------------------------------------------------------------------------------------


def test_a_form_knows_the_fields_words_and_kinds_of_its_shape() -> None:
    found = {one.name: one for one in inputs(Order)}

    assert {name: one.kind for name, one in found.items()} == {
        "title": "text",
        "body": "area",
        "amount": "money",
        "count": "number",
        "on": "date",
        "weight": "choice",
        "urgent": "tick",
        "tags": "many",
        "lines": "rows",
    }
    assert (found["title"].label, found["title"].help, found["title"].is_required) == ("Judul", "Satu kalimat.", True)
    assert found["weight"].choices == (("", "Pilih …"), ("low", "Ringan"), ("high", "Berat"))
    assert found["lines"].rows[1].choices == (("jasa", "jasa"), ("barang", "barang"))


def test_a_page_is_a_fragment_with_its_title_in_a_header(door: Door) -> None:
    answer = door.get(ANI, "/pesanan")

    assert answer.status_code == 200
    assert answer.headers["x-alur-title"] == "Pesanan %E2%80%9CUji%E2%80%9D"
    assert answer.headers["cache-control"] == "no-store"
    assert "<h1>Ani (Pengusul BPEG) &amp; kawan</h1>" in answer.text
    assert "<html" not in answer.text
    assert "<script" not in answer.text and "style=" not in answer.text


def test_each_form_carries_the_form_token_and_a_key_of_its_own(door: Door) -> None:
    page = door.get(ANI, "/pesanan").text

    assert page.count('name="form_token" value="tanda-formulir"') == page.count("<form")
    keys = re.findall(r'name="idempotency_key" value="([0-9a-f]{32})"', page)
    assert len(set(keys)) == len(keys) == page.count("<form")


def test_a_form_names_consequence_and_asks_for_files_the_right_way(door: Door) -> None:
    page = door.get(ANI, "/pesanan").text

    assert '<p class="consequence">Pesanan dikirim.</p>' in form_of(page, "/pesanan")
    assert 'enctype="multipart/form-data"' in form_of(page, "/surat")


def test_nobody_sees_a_page_without_being_vouched_for(door: Door, kept: list[Any]) -> None:
    assert door.get(None, "/pesanan").status_code == 401
    assert door.post(None, "/pesanan", data=FILLED).status_code == 401
    assert len(kept) == 1


# --- forms as sent ----------------------------------------------------------------------------------------


def test_a_sent_form_becomes_what_the_json_door_would_take(door: Door, kept: list[Any]) -> None:
    lines = {
        "lines.0.item": "Kursi",
        "lines.0.price": "1.000",
        "lines.0.kind": "barang",
        "lines.1.kind": "jasa",
        "lines.2.item": "Pasang",
        "lines.2.price": "500",
        "lines.2.kind": "jasa",
    }
    more = {"body": "a\r\nb", "count": "3", "on": "2026-11-22", "tags": "satu\r\n\r\ndua ", "form_token": "x"}

    answer = door.post(ANI, "/pesanan", data={**FILLED, **lines, **more})

    assert (answer.status_code, answer.headers["location"]) == (303, "/pesanan?terkirim")
    assert kept[-1] == Order(
        title="Pesan kursi",
        body="a\nb",
        amount=1_500_000,
        count=3,
        on=date(2026, 11, 22),
        weight="high",
        urgent=False,
        tags=["satu", "dua"],
        lines=[Line(item="Kursi", kind="barang", price=1000), Line(item="Pasang", kind="jasa", price=500)],
    )


def test_a_refused_form_comes_back_with_its_status_what_was_typed_and_why(door: Door) -> None:
    answer = door.post(ANI, "/pesanan", data={**FILLED, "title": "<b> required", "amount": "1,5", "urgent": "true"})

    assert answer.status_code == 422
    form = form_of(answer.text, "/pesanan")
    assert value_of(form, "title") == "<b> required"
    assert value_of(form, "amount") == "1,5"
    assert '<option value="high" selected>Berat</option>' in form
    assert re.search(r'name="urgent" value="true" checked', form)
    assert "tanpa sen dan tanpa koma" in form
    assert 'role="alert"' in form
    assert "<details open>" in answer.text


def test_every_wrong_field_is_told_beside_itself(door: Door) -> None:
    answer = door.post(
        ANI, "/pesanan", data={"title": "abc", "amount": "seribu", "count": "1.5", "on": "kemarin", "weight": "berat"}
    )

    form = form_of(answer.text, "/pesanan")
    told = dict(re.findall(r'<p class="error" id="[0-9a-f]{32}-(\w+)-error">([^<]*)</p>', form))
    assert told == {
        "title": "Terlalu pendek, paling sedikit 5 huruf.",
        "amount": "Jumlah uang tidak terbaca. Mohon tulis angka rupiah bulat, misalnya 1.500.000.",
        "count": "Harus berupa bilangan bulat, bukan pecahan atau teks.",
        "on": "Tanggal tidak dikenali. Tulis tahun-bulan-hari, misalnya 2026-11-22.",
        "weight": "Pilihan yang ada: &#39;low&#39;, &#39;high&#39;.",
    }


def test_a_wrong_row_is_told_in_its_own_place_though_empty_rows_stood_before_it(door: Door) -> None:
    lines = {"lines.0.kind": "jasa", "lines.4.item": "Ku", "lines.4.price": "1,5", "lines.4.kind": "barang"}

    answer = door.post(ANI, "/pesanan", data={**FILLED, **lines})

    form = form_of(answer.text, "/pesanan")
    assert value_of(form, "lines.0.item") == "Ku"
    assert value_of(form, "lines.0.price") == "1,5"
    told = dict(re.findall(r'<p class="error" id="[0-9a-f]{32}-([\w.]+)-error">([^<]*)</p>', form))
    assert set(told) == {"lines.0.item", "lines.0.price"}


def test_what_the_action_refuses_undoes_what_it_did(door: Door) -> None:
    answer = door.post(ANI, "/pesanan", data={**FILLED, "title": "sudah tutup"})

    assert answer.status_code == 409
    assert "<p>0 pesanan</p>" in answer.text
    assert "Pesanan sudah ditutup." in form_of(answer.text, "/pesanan")
    assert value_of(form_of(answer.text, "/pesanan"), "title") == "sudah tutup"
    with door.database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM ticket_counter")) == 0


def test_what_no_field_is_about_is_told_above_the_form(door: Door) -> None:
    form = form_of(door.post(ANI, "/pesanan", data={**FILLED, "title": "terlalu mahal"}).text, "/pesanan")

    assert "<li>Habis.</li>" in form
    assert "<li>Kurangi.</li>" not in form
    assert re.search(r'-amount-error">Kurangi\.</p>', form)


def test_an_emptied_field_stays_empty_after_a_refusal(door: Door) -> None:
    form = form_of(door.post(ANI, "/pesanan", data={"title": "abc", "count": ""}).text, "/pesanan")

    assert value_of(form, "count") == ""


def test_only_the_row_whose_form_was_sent_tells_the_refusal(door: Door, kept: list[Any]) -> None:
    first, second = kept[0]

    answer = door.post(ANI, f"/pesanan/{second}/pengembalian", data={"reason": "Tidak sesuai"})

    assert answer.status_code == 409
    assert answer.text.count("Tidak dapat dikembalikan") == 1
    assert "Tidak dapat dikembalikan" in form_of(answer.text, f"/pesanan/{second}/pengembalian")
    assert "Tidak sesuai" not in form_of(answer.text, f"/pesanan/{first}/pengembalian")


def test_a_refusal_is_told_though_the_act_has_left_the_page(door: Door, kept: list[Any]) -> None:
    answer = door.post(ANI, f"/pesanan/{kept[0][0]}/penutupan")

    assert answer.status_code == 409
    assert kept[-1] == kept[0][0]
    assert answer.text.index("Sudah ditutup orang lain.") < answer.text.index("<h1>")


def test_an_upload_goes_through_the_form_into_the_store(door: Door, kept: list[Any], tmp_path: Path) -> None:
    content = b"%PDF-1.7 " + b"x" * 3_000_000

    answer = door.post(
        ANI, "/surat", data={"title": "Surat", "form_token": "x"}, files={"file": ("surat.pdf", content)}
    )

    assert answer.status_code == 303
    title, name, digest = kept[-1]
    assert (title, name) == ("Surat", "surat.pdf")
    with Store(tmp_path / "files").open(digest, verify=True) as file:
        assert file.read() == content


@pytest.mark.parametrize("files", [{}, {"file": ("", b"")}, {"file": (None, b"bukan berkas")}])
def test_an_upload_without_a_file_is_told_beside_its_field(door: Door, files: dict[str, Any]) -> None:
    answer = door.post(ANI, "/surat", data={"title": "Surat"}, files={"lain": (None, b""), **files})

    form = form_of(answer.text, "/surat")
    assert answer.status_code == 422
    assert value_of(form, "title") == "Surat"
    assert re.search(r'-file-error">Wajib diisi\.</p>', form)


def test_a_refused_upload_keeps_the_words_and_asks_for_the_file_again(door: Door) -> None:
    answer = door.post(ANI, "/surat", data={"title": "salah"}, files={"file": ("surat.pdf", b"x")})

    assert answer.status_code == 409
    assert value_of(form_of(answer.text, "/surat"), "title") == "salah"


@pytest.mark.parametrize(
    "content",
    [b"title=a%00b", b"title=a&title.b=c", b"title.b=c&title=a", b"=1", b"title=a\x00b"],
    ids=["nul", "both", "both-turned", "nameless", "raw-nul"],
)
def test_a_form_that_no_page_of_ours_sends_is_refused_and_no_fault(door: Door, content: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}

    assert door.post(ANI, "/pesanan", content=content, headers=headers).status_code == 422


def test_nul_in_an_upload_form_is_refused(door: Door) -> None:
    files = {"file": ("surat.pdf", b"\x00\x01")}

    assert door.post(ANI, "/surat", data={"title": "a\x00b"}, files=files).status_code == 422
    assert door.post(ANI, "/surat", data={"title": "Surat"}, files=files).status_code == 303


def test_a_broken_upload_is_refused_in_words(door: Door) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}

    answer = door.post(ANI, "/surat", content=b"--x\r\nkacau", headers=headers)

    assert answer.status_code in (400, 422)
    assert "notice--refusal" in answer.text


# --- reading and parsing alone ----------------------------------------------------------------------------


def test_rows_are_read_in_the_order_of_their_numbers() -> None:
    form = FormData([("lines.10.item", "b"), ("lines.2.item", "a"), ("lines.3.item", " ")])

    assert read_form(form) == {"lines": [{"item": "a"}, {"item": "b"}]}


@pytest.mark.parametrize("name", ["lines.².item", "lines.-1.item", f"lines.{'9' * 5000}.item", "lines.x.item"])
def test_rows_with_odd_numbers_are_refused_and_no_fault(name: str) -> None:
    with pytest.raises(Incomplete) as refused:
        parse(Order, {**FILLED, **read_form(FormData([(name, "x")]))})

    assert [e.pointer for e in refused.value.errors] == ["/lines"]


def test_a_repeated_name_is_a_list() -> None:
    assert parse(Order, {**FILLED, **read_form(FormData([("tags", "a"), ("tags", "b")]))}).tags == ["a", "b"]


def test_a_file_that_was_not_chosen_is_an_empty_field() -> None:
    assert read_form(FormData([("file", Upload(file=None, filename=""))])) == {}  # type: ignore[arg-type]


def test_a_form_with_too_many_fields_is_refused_whole() -> None:
    with pytest.raises(Incomplete):
        read_form(FormData([(f"x{n}", "1") for n in range(5_001)]))


def test_an_act_has_one_form(tmp_path: Path) -> None:
    pages = Pages(tmp_path)
    pages.act(CLOSE, "/a", Nothing, lambda *_: "/", back=lambda *_: Response())

    with pytest.raises(ValueError, match="close has a form already"):
        pages.act(CLOSE, "/b", Nothing, lambda *_: "/", back=lambda *_: Response())
