"""The look: contrast of the tokens, no inline style or script, files that may be kept for a year."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.gateway.actions import sign_in
from services.gateway.app import make
from services.gateway.door import colours, told
from services.gateway.door.colours import contrast
from services.gateway.door.frame import HERE, Static
from services.gateway.settings import Settings
from shared.database import utc_now
from shared.identity import Role
from tests.counting import statements
from tests.gateway.conftest import House, Visitor

STYLE = (HERE / "static" / "alur.css").read_text(encoding="utf-8")
STATIC = Static()
SERVED = STATIC.by_path[STATIC.url("alur.css")].content.decode()
TEMPLATES = " ".join(path.read_text(encoding="utf-8") for path in (HERE / "templates").glob("*.html"))
BRANDS = ("#12603f", "#7a1f3d", "#1d3f8f", "#5b2a86", "#8a4b00", "#0b5e80", "#000000")
"""Colours that campuses have."""


@pytest.mark.parametrize("brand", BRANDS)
def test_words_stand_out_from_their_ground_in_every_brand(brand: str) -> None:
    found = {
        f"{words} on {ground}, {scheme}": round(contrast(tokens[words], tokens[ground]), 2)
        for scheme, tokens in zip(("light", "dark"), colours.tokens(brand), strict=True)
        for words, ground in colours.READABLE
    }

    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}


def test_the_edge_of_a_field_can_be_seen() -> None:
    for tokens in colours.tokens(BRANDS[0]):
        assert contrast(tokens["edge"], tokens["surface"]) >= 3


def test_both_schemes_name_the_same_colours_and_the_sheet_names_no_other() -> None:
    light, dark = colours.tokens(BRANDS[0])
    used = set(re.findall(r"var\(--([a-z-]+)\)", STYLE)) - set(re.findall(r"--([a-z-]+):", STYLE))

    assert set(light) == set(dark)
    assert used - set(light) == set()


def test_contrast_is_measured_as_wcag_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize(
    ("brand", "told"), [("#ffcc00", "terlalu muda"), ("#8fbf9f", "1 terhadap"), ("hijau", "#rrggbb")]
)
def test_a_brand_colour_that_nobody_can_read_is_refused_when_the_gateway_starts(
    brand: str, told: str, settings_for: Callable[..., Settings]
) -> None:
    with pytest.raises(colours.Unreadable, match=told):
        make(settings_for(brand_colour=brand), {})


def test_a_campus_has_its_own_colour_and_logo(tmp_path: Path) -> None:
    logo = tmp_path / "lambang.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')

    plain, own = Static(), Static(brand="#7a1f3d", logo=logo)

    assert own.url("alur.css") != plain.url("alur.css")
    assert b"--brand: #7a1f3d" in own.by_path[own.url("alur.css")].content
    assert own.by_path[own.logo].kind == "image/svg+xml" and not plain.logo


@pytest.mark.parametrize(("name", "size"), [("lambang.gif", 10), ("besar.png", 100_001)])
def test_a_logo_that_cannot_be_one_is_refused(tmp_path: Path, name: str, size: int) -> None:
    (tmp_path / name).write_bytes(b"x" * size)

    with pytest.raises(ValueError, match="Logo"):
        Static(logo=tmp_path / name)


def test_the_font_is_ours_small_and_shown_when_it_has_come(house: House) -> None:
    with house.client() as client:
        address = re.search(r'href="(/static/plus-jakarta-sans\.[0-9a-f]{12}\.woff2)"', client.get("/masuk").text)
        assert address
        answer = client.get(address[1])

    assert answer.headers["content-type"] == "font/woff2" and answer.content[:4] == b"wOF2"
    assert len(answer.content) < 40_000
    assert f'src: url("{address[1]}")' in SERVED and "font-display: swap" in SERVED


def test_below_the_tokens_no_colour_is_written_out() -> None:
    assert re.findall(r"#[0-9a-f]{3,8}\b", STYLE) == []


@pytest.mark.parametrize("template", sorted((HERE / "templates").glob("*.html")), ids=lambda path: str(path.name))
def test_no_template_has_inline_style_or_script(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?! src=)|javascript:", text)


def test_nothing_is_fetched_from_elsewhere() -> None:
    for file in [*(HERE / "static").iterdir(), *(HERE / "templates").iterdir()]:
        text = file.read_text(encoding="utf-8", errors="ignore").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|@import|url\(", text), file.name


def test_files_of_the_page_are_kept_for_a_year_under_an_address_that_changes(house: House) -> None:
    with house.client() as client:
        page = client.get("/masuk").text
        address = re.search(r'href="(/static/alur\.[0-9a-f]{12}\.css)"', page)
        assert address
        answer = client.get(address[1])
        old = client.get("/static/alur.000000000000.css")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css") and answer.text.endswith(STYLE)
    assert old.status_code == 404


def test_every_icon_that_the_rail_asks_for_is_in_the_sprite() -> None:
    code = " ".join(path.read_text(encoding="utf-8") for path in HERE.parent.glob("*/**/*.py"))
    used = set(re.findall(r'icon="([a-z-]+)"', code)) | set(re.findall(r'icon\("([a-z-]+)"\)', TEMPLATES))

    assert {"home", "lifebuoy", "menu", "leave"} <= used
    assert used - Static().icons == set()


def test_the_first_page_is_light_on_the_wire(house: House, visitor: Callable[..., Visitor]) -> None:
    ani = visitor()
    page = ani.client.get("/")
    files = set(re.findall(r"/static/[a-z.0-9-]+", page.text))

    assert len(files) >= 4
    assert len(page.content) + sum(len(ani.client.get(file).content) for file in files) < 150_000


# --- What a person chose ---------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_chosen_theme_stands_in_the_first_byte_of_every_page(visitor: Callable[..., Visitor], theme: str) -> None:
    ani = visitor()
    before = ani.client.get("/mainan").text

    sent = {"theme": theme, "language": "en", "form_token": ani.form_token}
    answer = ani.client.post("/saya/tampilan", data=sent)

    assert answer.status_code == 303
    assert 'data-theme="' not in before
    assert f'<html lang="en" data-theme="{theme}">' in ani.client.get("/mainan").text
    assert ani.client.get("/api/appearance").json() == {"theme": theme, "language": "en"}


def test_a_theme_that_does_not_exist_is_refused(visitor: Callable[..., Visitor]) -> None:
    ani = visitor()

    answer = ani.client.put("/api/appearance", json={"theme": "neon"}, headers=ani.token_header)

    assert answer.status_code == 422
    assert ani.client.get("/api/appearance").json() == {"theme": "auto", "language": "id"}


def test_the_choice_is_read_together_with_the_session(house: House, visitor: Callable[..., Visitor]) -> None:
    ani, budi = visitor(), visitor()
    budi.client.put("/api/appearance", json={"theme": "dark"}, headers=budi.token_header)

    def cost(person: Visitor) -> tuple[str, int]:
        with house.database.session() as session, statements(house.database.engine) as asked:
            caller = sign_in.session_caller(session, person.client.cookies["alur"], now=utc_now())
        assert caller
        return caller.theme, len(asked)

    (plain, few), (dark, same) = cost(ani), cost(budi)

    assert (plain, dark) == ("auto", "dark") and few == same <= 2


# --- What the next page says -----------------------------------------------------------------------------


def test_after_an_act_the_next_page_says_once_what_was_done(visitor: Callable[..., Visitor]) -> None:
    ani = visitor()
    ani.client.post("/saya/tampilan", data={"theme": "auto", "language": "id", "form_token": ani.form_token})

    # A script that sends a file follows the redirect itself; the words are for the page that it opens then.
    by_script = ani.client.get("/saya/tampilan", headers={"x-requested-with": "alur"}).text
    first, second = (ani.client.get("/saya/tampilan").text for _ in range(2))

    assert "Simpan tampilan: tersimpan." in first
    assert "tersimpan." not in by_script and "tersimpan." not in second


def test_nobody_else_can_put_words_into_our_mouth(visitor: Callable[..., Visitor]) -> None:
    ani, budi = visitor(), visitor()

    for value in (told.sealed("Palsu", budi.form_token), "UGFsc3U=.0", "x"):
        ani.client.cookies.set("alur-told", value, domain="127.0.0.1", path="/")
        page = ani.client.get("/saya")
        assert page.status_code == 200 and "Palsu" not in page.text


# --- Pages that say no -----------------------------------------------------------------------------------


def test_a_refused_page_says_what_to_do_whom_to_ask_and_leads_on(visitor: Callable[..., Visitor]) -> None:
    ani = visitor()

    answer = ani.client.get("/tidak-ada", headers={"referer": "http://127.0.0.1:8000/mainan?unit=A"})

    assert answer.status_code == 404 and "x-alur-refusal" not in answer.headers
    assert re.search(r"Sebutkan nomor <code data-copy>[0-9A-F]{8}</code>", answer.text)
    for target in ("/mainan?unit=A", "/", "/cari"):
        assert f'class="button button--quiet" href="{target}"' in answer.text
    assert 'role="alert"' not in answer.text


def test_a_refused_page_leads_to_no_foreign_place(visitor: Callable[..., Visitor]) -> None:
    answer = visitor().client.get("/tidak-ada", headers={"referer": "https://jahat.example/umpan"})

    assert "jahat" not in answer.text


@pytest.mark.parametrize("status", [401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503])
def test_every_no_has_a_page_with_a_way_on(visitor: Callable[..., Visitor], status: int) -> None:
    answer = visitor().client.get(f"/mainan/tolak/{status}")

    assert answer.status_code == status
    body = answer.text.split('<section class="refused"')[1]
    assert body.count("<p>") >= 1 and "Beranda</a>" in body and "admin sistem" in body
    assert ("Coba lagi</a>" in body) == (status in (429, 500, 503))
    assert ("detik" in body) == (status in (429, 503))
    assert ('<noscript><meta http-equiv="refresh"' in answer.text) == (status == 503)


LEAKS = re.compile(
    r"Traceback|RuntimeError|sqlalchemy|psycopg|SELECT |FROM |/srv/|site-packages|\.py\b|uvicorn|starlette|fastapi|"
    r"a secret detail|relation \S+ does not exist",
    re.IGNORECASE,
)


@pytest.mark.parametrize("kind", ["page", "json"])
@pytest.mark.parametrize("bug", ["raised", "query", "file"])
def test_w20_a_bug_shows_a_number_and_nothing_of_the_inside(
    visitor: Callable[..., Visitor], bug: str, kind: str
) -> None:
    ani = visitor()

    answer = ani.client.get(f"/mainan/rusak/{bug}" if kind == "page" else f"/api/toys/broken/{bug}")

    assert answer.status_code == 500
    assert re.search(r"nomor [0-9A-F]{8}", answer.text)
    assert answer.text.count("Kesalahan sistem</h1>") == (kind == "page")
    assert LEAKS.search(answer.text) is None
    assert LEAKS.search(" ".join(f"{name}: {value}" for name, value in answer.headers.items())) is None
    assert not {"server", "x-powered-by", "x-alur-number", "x-alur-refusal"} & set(answer.headers)


def test_w20_the_number_on_the_page_is_the_one_in_the_log(
    visitor: Callable[..., Visitor],
) -> None:
    ani = visitor()

    with capture_logs() as logged:
        answer = ani.client.get("/mainan/rusak/raised", headers={"x-alur-number": "PALSU123"})

    numbers = set(re.findall(r"nomor (?:<code data-copy>)?([0-9A-F]{8})", answer.text))
    assert len(numbers) == 1 and "PALSU123" not in answer.text
    assert numbers == {line["number"] for line in logged if line["event"] == "request_failed"}


def test_two_people_with_the_same_posts_see_their_own_token_around_the_page(
    visitor: Callable[..., Visitor],
) -> None:
    ani, budi = visitor(Role.APP_STAFF), visitor(Role.APP_STAFF)

    pages = {one.username: one.client.get("/menunggu").text for one in (ani, budi, ani)}

    for mine, other in ((ani, budi), (budi, ani)):
        page, waiting = pages[mine.username], re.compile('data-waiting="([^"]+)"')
        assert mine.form_token in page and other.form_token not in page
        assert set(waiting.findall(page)).isdisjoint(waiting.findall(pages[other.username]))
