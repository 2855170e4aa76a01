"""The look: contrast of the tokens, no inline style or script, files that may be kept for a year."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from services.gateway.door.frame import HERE, Static
from tests.gateway.conftest import House, Visitor

STYLE = (HERE / "static" / "alur.css").read_text(encoding="utf-8")
TEMPLATES = " ".join(path.read_text(encoding="utf-8") for path in (HERE / "templates").glob("*.html"))
BLOCKS = re.findall(r":root \{(.*?)\}", STYLE, re.S)[:2]
LIGHT, DARK = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in BLOCKS)
PAIRS = [
    ("ink", "paper"), ("ink", "surface"), ("ink", "sunk"), ("soft", "paper"), ("soft", "surface"), ("soft", "sunk"),
    ("brand", "paper"), ("brand", "surface"),
    ("brand", "brand-tint"), ("on-brand", "brand-fill"),
    ("gold", "gold-tint"), ("good", "good-tint"), ("wait", "wait-tint"), ("bad", "bad-tint"),
    ("bad", "surface"), ("bad", "paper"),
    ("quiet", "quiet-tint"), ("on-bad", "bad-fill"), ("ink", "bad-tint"), ("ink", "good-tint"), ("ink", "wait-tint"),
    ("ink", "quiet-tint"), ("log-ink", "log-paper"),
]  # fmt: skip


def _light(colour: str) -> float:
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    brighter, darker = sorted((_light(one), _light(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_words_stand_out_from_their_ground(scheme: str, text: str, ground: str) -> None:
    tokens = LIGHT if scheme == "light" else DARK

    assert _contrast(tokens[text], tokens[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edge_of_a_field_can_be_seen(scheme: str) -> None:
    tokens = LIGHT if scheme == "light" else DARK

    assert _contrast(tokens["edge"], tokens["surface"]) >= 3


def test_both_schemes_name_the_same_colours() -> None:
    assert set(LIGHT) == set(DARK) and len(LIGHT) > 20


def test_below_the_tokens_no_colour_is_written_out() -> None:
    rules = STYLE.split("/* Ground", 1)[1]

    assert re.findall(r"#[0-9a-f]{3,8}\b", rules) == []


@pytest.mark.parametrize("template", sorted((HERE / "templates").glob("*.html")), ids=lambda path: str(path.name))
def test_no_template_has_inline_style_or_script(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?! src=)|javascript:", text)


def test_nothing_is_fetched_from_elsewhere() -> None:
    for file in [*(HERE / "static").iterdir(), *(HERE / "templates").iterdir()]:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//cdn|@import|url\(", text), file.name


def test_files_of_the_page_are_kept_for_a_year_under_an_address_that_changes(house: House) -> None:
    with house.client() as client:
        page = client.get("/masuk").text
        address = re.search(r'href="(/static/alur\.[0-9a-f]{12}\.css)"', page)
        assert address
        answer = client.get(address[1])
        old = client.get("/static/alur.000000000000.css")

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css") and answer.text == STYLE
    assert old.status_code == 404


def test_every_icon_that_the_rail_asks_for_is_in_the_sprite() -> None:
    code = " ".join(path.read_text(encoding="utf-8") for path in HERE.parent.glob("*/**/*.py"))
    used = set(re.findall(r'icon="([a-z-]+)"', code)) | set(re.findall(r'icon\("([a-z-]+)"\)', TEMPLATES))

    assert {"home", "lifebuoy", "menu", "leave"} <= used
    assert used - Static().icons == set()


def test_the_first_page_is_light_on_the_wire(house: House, visitor: Callable[..., Visitor]) -> None:
    ani = visitor()
    page = ani.client.get("/")
    files = set(re.findall(r"/static/[a-z.0-9]+", page.text))

    assert len(files) >= 4
    assert len(page.content) + sum(len(ani.client.get(file).content) for file in files) < 100_000
