"""Plots: well-formed whatever they are given, drawn in proportion, and saying in words what they show."""

import random
import re
import xml.etree.ElementTree as ElementTree

import pytest

from shared.figures import Column, Plot, Return, Row, Series, Table, as_csv, written
from shared.plots import NARROW, WIDE, brief, figure, told

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '<script>alert(1)</script> & "Unit" \' ]]> \x00\x07\ud800\ufffe 日本 😀'


def bars(values: list[float | None], *, name: str = "Unit", kind: str = "count", plot: str = "bars") -> Table:
    """Return a table with one drawn column."""
    return Table(
        key="units",
        caption=f"Perkara menurut {name}",
        columns=[Column(key="name", label="Unit", kind="text"), Column(key="count", label="Perkara", kind=kind)],
        rows=[Row(cells={"name": f"{name} {n}", "count": value}) for n, value in enumerate(values)],
        plot=Plot(kind=plot, label="name", series=[Series(key="count")]),
        empty="Kosong",
    )


def stack(rows: list[tuple[int, int]]) -> Table:
    """Return a table with two drawn columns."""
    return Table(
        key="two",
        caption="Dua",
        columns=[
            Column(key="name", label="Akun", kind="text"),
            Column(key="paid", label="Dibayar", kind="money"),
            Column(key="free", label="Belum terikat", kind="money"),
        ],
        rows=[Row(cells={"name": f"{n}", "paid": a, "free": b}) for n, (a, b) in enumerate(rows)],
        plot=Plot(
            kind="stack", label="name", series=[Series(key="paid", tone="good"), Series(key="free", tone="quiet")]
        ),
        empty="Kosong",
    )


def flow(standing: dict[str, int], returns: list[Return], *, name: str = "Langkah") -> Table:
    """Return the table of the steps."""
    steps = ("S01", "F01", "S02", "F02", *(f"S{n:02}" for n in range(3, 12)))
    return Table(
        key="steps",
        caption="Perkara menurut langkah",
        columns=[
            Column(key=key, label=key, kind=kind)
            for key, kind in (("step", "text"), ("name", "text"), ("standing", "count"), ("late", "count"))
        ],
        rows=[
            Row(
                cells={"step": s, "name": f"{name} {s}", "standing": standing.get(s, 0), "late": 1, "closed_days": 2.5},
                path=f"/perkara?langkah={s}",
            )
            for s in steps
        ],
        plot=Plot(kind="flow", label="name", series=[Series(key="standing")], returns=returns),
        empty="Kosong",
    )


def drawn(table: Table) -> list[ElementTree.Element]:
    """Return the two drawings of a table, read as XML."""
    markup = f'<div xmlns="http://www.w3.org/2000/svg">{figure(table, key="k")}</div>'
    return list(ElementTree.fromstring(markup).iter(f"{SVG}svg"))


def lengths(svg: ElementTree.Element) -> list[float]:
    return [float(rect.attrib["width"]) for rect in svg.iter(f"{SVG}rect")]


EVERY = {
    "bars": lambda name: bars([3, 0, None, 10**9], name=name),
    "months": lambda name: bars([0, 5, 2] * 4, name=name, plot="months"),
    "flow": lambda name: flow({"S01": 4}, [Return(source="S08", target="S07", times=3)], name=name),
}


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("name", ["Unit", HOSTILE, "", "x" * 400])
def test_whatever_a_thing_is_called_the_plot_is_well_formed_and_harmless(kind: str, name: str) -> None:
    both = drawn(EVERY[kind](name))

    assert len(both) == 2
    for svg in both:
        assert {e.tag for e in svg.iter()} <= {
            f"{SVG}{t}" for t in ("svg", "title", "desc", "rect", "line", "circle", "path", "text", "g", "a")
        }
        assert not [a for e in svg.iter() for a in e.attrib if a == "style" or a.startswith("on")]


def test_names_are_escaped_and_not_taken_for_markup() -> None:
    text = str(figure(bars([1], name=HOSTILE), key="k"))

    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_each_drawing_is_an_image_with_a_title_and_a_description() -> None:
    for svg in drawn(bars([1, 2])):
        ids = svg.attrib["aria-labelledby"].split()
        found = {e.attrib["id"]: e.text for e in svg.iter() if "id" in e.attrib}
        assert svg.attrib["role"] == "img"
        assert [found[i] for i in ids] == ["Perkara menurut Unit", "Unit 0: perkara 1. Unit 1: perkara 2."]
    assert len({svg.attrib["aria-labelledby"] for svg in drawn(bars([1, 2]))}) == 2


def test_bars_are_in_proportion() -> None:
    dice = random.Random(5)
    values = [dice.randint(50, 5000) for _ in range(30)]
    for svg in drawn(bars([*values])):
        longest = max(lengths(svg))
        for length, value in zip(lengths(svg), values, strict=True):
            assert length / longest == pytest.approx(value / max(values), abs=0.01)


def test_what_is_written_as_nothing_is_drawn_as_nothing() -> None:
    """Half a minute is 0 hours: alone in its plot it was the longest bar."""
    for svg in drawn(bars([0.004, 0], kind="decimal")):
        assert lengths(svg) == []


def test_the_pieces_of_a_stack_make_its_whole() -> None:
    wide, narrow = drawn(stack([(30, 70), (10, 10)]))
    for svg in (wide, narrow):
        _legend, _legend_2, a, b, c, d = lengths(svg)
        assert (a + b) / (c + d) == pytest.approx(100 / 20, rel=0.02)
        assert a / b == pytest.approx(3 / 7, rel=0.02)


@pytest.mark.parametrize("kind", EVERY)
def test_nothing_stands_outside_the_drawing(kind: str) -> None:
    for svg in drawn(EVERY[kind]("Nama unit yang panjang sekali dan tidak muat di samping sebuah batang")):
        _, _, width, height = map(float, svg.attrib["viewBox"].split())
        for text in svg.iter(f"{SVG}text"):
            long = 6.4 * len(text.text or "")
            start = float(text.attrib["x"]) - {"middle": long / 2, "end": long}.get(
                text.attrib.get("text-anchor", ""), 0
            )
            assert start >= -1 and start + long <= width + 12, text.text
            assert 0 < float(text.attrib["y"]) <= height


def test_widths_are_those_of_a_desk_and_of_a_phone() -> None:
    assert [svg.attrib["width"] for svg in drawn(bars([1]))] == [str(WIDE), str(NARROW)]


def test_without_rows_nothing_is_drawn() -> None:
    assert str(figure(bars([]), key="k")) == ""


def test_the_map_says_how_many_stand_at_each_station_and_draws_each_way_back() -> None:
    table = flow(
        {"S02": 12}, [Return(source="S08", target="S07", times=3), Return(source="S04", target="S03", times=1)]
    )
    for svg in drawn(table):
        words = [e.text for e in svg.iter(f"{SVG}text")]
        assert "12" in words and "2,5 hari" in words and {"3×", "1×"} <= set(words)
        ways = [e for e in svg.iter(f"{SVG}path") if e.attrib["class"] == "flow__return"]
        assert len(ways) == 4
        assert [a.attrib["href"] for a in svg.iter(f"{SVG}a")] == ["/perkara?langkah=S02"]
    assert "langkah s02: standing 12" in told(table).lower()


def test_a_way_back_to_a_step_that_is_not_shown_is_left_out() -> None:
    assert drawn(flow({}, [Return(source="S99", target="S07", times=3)]))


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        (1234567, "count", "1.234.567"), (1500000, "money", "Rp1.500.000"), (97.891, "percent", "97,89%"),
        (2.5, "decimal", "2,5"), (3.0, "decimal", "3"), (1234.56, "decimal", "1.234,6"), (None, "count", "–"),
        ("BPEG", "text", "BPEG"), (0, "count", "0"),
    ],
)  # fmt: skip
def test_numbers_are_written_the_indonesian_way(value: int | float | str | None, kind: str, words: str) -> None:
    assert written(value, kind) == words  # type: ignore[arg-type]


def test_large_money_is_short_at_the_end_of_a_bar() -> None:
    column = Column(key="paid", label="Dibayar", kind="money")

    assert [brief(v, column) for v in (500, 117_500_000, 1_200_000_000)] == ["Rp500", "Rp117,5 jt", "Rp1,2 M"]


def test_a_spreadsheet_runs_nothing_and_reads_numbers() -> None:
    table = Table(
        key="t",
        caption="T",
        columns=[Column(key="name", label="Nama", kind="text"), Column(key="days", label="Hari", kind="decimal")],
        rows=[
            Row(cells={"name": '=HYPERLINK("http://x")', "days": 2.5}),
            Row(cells={"name": " +62", "days": -1}),
            Row(cells={"name": "a;b", "days": None}),
        ],
        empty="-",
    )
    lines = as_csv(table).removeprefix("\ufeff").split("\r\n")

    assert lines == ["Nama;Hari", '"\'=HYPERLINK(""http://x"")";2,5', "' +62;-1", '"a;b";', ""]


def test_every_class_of_a_plot_is_known_to_the_style_sheet() -> None:
    from services.gateway.door.frame import HERE

    rules = "".join((HERE / "static" / name).read_text() for name in ("plots.css", "alur.css"))
    plain = {"drawn--wide", "plot--bars", "plot--stack", "plot--months", "plot__bar--plain", "plot__inside--good"}
    plain |= {"flow__name--start", "flow__days--start", "flow__late--start", "flow__times--start", "is-empty", "plot"}
    for table in (bars([1, 2]), stack([(1, 2)]), *(make("Unit") for make in EVERY.values())):
        used = {c for names in re.findall(r'class="([^"]+)"', str(figure(table, key="k"))) for c in names.split()}
        assert {c for c in used - plain if f".{c}" not in rules} == set()
