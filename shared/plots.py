"""Plots as SVG, from a table of figures: bars, stacked bars, months, and the map of the procedure.

Pure: a table goes in, markup comes out. Geometry stands in attributes, colour and type in the style sheet by class,
so that a strict policy holds and a printed or dark page needs nothing else. Each plot is drawn twice, for wide and
for narrow screens; the style sheet shows one of them.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from shared.figures import Cell, Column, Plot, Return, Row, Table, written
from shared.language import said
from shared.line import SHORT

WIDE: Final = 720
NARROW: Final = 320
BAR: Final = 18
"""Height of a bar; the row around it has room for its label above on narrow screens."""
LETTER: Final = 7.2
"""Width of a usual letter at the size of a label, for what must fit beside a bar."""
SHORTENED: Final = {"money": ((10**12, "T"), (10**9, "M"), (10**6, "jt"), (10**3, "rb"))}


def figure(table: Table, *, key: str) -> Markup:
    """Return the plot of a table for both widths; empty without a plot or without rows. `key` keeps ids apart."""
    if table.plot is None or not table.rows:
        return Markup("")
    drawn = [_draw(table, table.plot, wide=wide, key=f"{key}-{'l' if wide else 's'}") for wide in (True, False)]
    return Markup('<div class="plot plot--{}">{}{}</div>').format(table.plot.kind, *drawn)


def _draw(table: Table, plot: Plot, *, wide: bool, key: str) -> Markup:
    if plot.kind == "flow":
        return _flow(table, plot, key=key) if wide else _flow_upright(table, plot, key=key)
    if plot.kind == "months":
        return _months(table, plot, width=WIDE if wide else NARROW, key=key)
    return _bars(table, plot, width=WIDE if wide else NARROW, key=key)


def told(table: Table) -> str:
    """Say in words what a plot of a table shows, for those who cannot see it."""
    plot = table.plot
    if plot is None:
        return ""
    columns = {column.key: column for column in table.columns}
    rows = []
    for row in table.rows:
        values = [
            f"{columns[one.key].label.lower()} {written(row.cells.get(one.key), columns[one.key].kind)}"
            for one in plot.series
        ]
        rows.append(f"{row.cells.get(plot.label)}: {', '.join(values)}")
    return ". ".join(rows) + "."


def brief(value: Cell, column: Column) -> str:
    """Write a value short enough for the end of a bar: Rp1,2 M for Rp1.200.000.000."""
    if column.kind == "money" and isinstance(value, int | float):
        for size, letters in SHORTENED["money"]:
            if abs(value) >= size:
                return f"{'-' if value < 0 else ''}Rp{written(abs(value) / size, 'decimal')} {letters}"
    return written(value, column.kind)


def _svg(body: Markup, *, table: Table, width: int, height: float, key: str, name: str) -> Markup:
    return Markup(
        '<svg class="drawn drawn--{name}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="{role}" aria-labelledby="{key}-t {key}-d"><title id="{key}-t">{title}</title>'
        '<desc id="{key}-d">{told}</desc>'
        "{body}</svg>"
    ).format(
        name=name,
        width=width,
        height=_n(height),
        # An image has no parts for screen readers; a drawing with links in it is a group.
        role="group" if "<a " in body else "img",
        key=key,
        title=_clean(table.caption),
        told=_clean(told(table)),
        body=body,
    )


def _bars(table: Table, plot: Plot, *, width: int, key: str) -> Markup:
    columns = {column.key: column for column in table.columns}
    wide = width == WIDE
    left = 0 if not wide else min(230, 16 + round(LETTER * max(len(_label(row, plot)) for row in table.rows)))
    column = columns[plot.series[0].key]
    totals = [sum(_drawn(row.cells.get(one.key), columns[one.key]) for one in plot.series) for row in table.rows]
    ends = [brief(total if _known(row, plot) else None, column) for total, row in zip(totals, table.rows, strict=True)]
    right = 12 + round(LETTER * max(len(end) for end in ends))
    room = width - left - right
    most = max(totals, default=0) or 1
    step = BAR + 12 if wide else BAR + 30
    parts, y = [], _legend_height(plot, columns, width)
    parts.append(_legend(plot, columns, width))
    for row, total, end in zip(table.rows, totals, ends, strict=True):
        at = y if wide else y + 18
        label = _cut(_label(row, plot), (left - 12) / LETTER if wide else width / LETTER)
        parts.append(
            _text("plot__label", 0 if not wide else left - 10, (at + 13) if wide else (y + 12), label, end=wide)
        )
        parts.append(
            Markup('<line class="plot__ground" x1="{0}" y1="{1}" x2="{0}" y2="{2}"/>').format(
                left, at - 2, at + BAR + 2
            )
        )
        x = float(left)
        for one in plot.series:
            value = _drawn(row.cells.get(one.key), columns[one.key])
            length = room * value / most
            if value > 0:
                parts.append(_rect(one.tone, x, at, max(length, 1.5), BAR))
                inside = brief(value, columns[one.key])
                if len(plot.series) > 1 and length > LETTER * len(inside) + 8 and value != total:
                    parts.append(
                        _text(f"plot__inside plot__inside--{one.tone}", x + length / 2, at + 13, inside, middle=True)
                    )
            x += length
        parts.append(_text("plot__value", x + 6, at + 13, end))
        y += step
    return _svg(Markup("").join(parts), table=table, width=width, height=y, key=key, name=_name(wide))


def _drawn(cell: Cell, column: Column) -> float:
    """Return the value as it is drawn: what is written as 0 has no length, also where nothing else is longer."""
    value = _number(cell)
    return 0 if brief(value, column) == brief(0, column) else value


def _legend_height(plot: Plot, columns: Mapping[str, Column], width: int) -> int:
    return 26 * len(_legend_lines(plot, columns, width)) if len(plot.series) > 1 else 4


def _legend_lines(plot: Plot, columns: Mapping[str, Column], width: int) -> list[list[tuple[str, str, float]]]:
    lines: list[list[tuple[str, str, float]]] = [[]]
    x = 0.0
    for one in plot.series:
        words = columns[one.key].label
        needs = 18 + LETTER * len(words) + 18
        if x and x + needs > width:
            lines.append([])
            x = 0.0
        lines[-1].append((one.tone, words, x))
        x += needs
    return lines


def _legend(plot: Plot, columns: Mapping[str, Column], width: int) -> Markup:
    if len(plot.series) < 2:
        return Markup("")
    parts = []
    for number, entries in enumerate(_legend_lines(plot, columns, width)):
        for tone, words, x in entries:
            parts.append(_rect(tone, x, 26 * number + 3, 12, 12))
            parts.append(_text("plot__label", x + 18, 26 * number + 13, words))
    return Markup("").join(parts)


def _months(table: Table, plot: Plot, *, width: int, key: str) -> Markup:
    columns = {column.key: column for column in table.columns}
    column = columns[plot.series[0].key]
    values = [_number(row.cells.get(plot.series[0].key)) for row in table.rows]
    tallest, top, bottom = 130, 22, 26
    gap = width / len(values)
    most = max(values, default=0) or 1
    every = max(1, math.ceil(LETTER * 4 / gap))
    parts = [Markup('<line class="plot__ground" x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(top + tallest, width)]
    named = {values.index(max(values)), len(values) - 1} if max(values, default=0) else set()
    for number, (row, value) in enumerate(zip(table.rows, values, strict=True)):
        x, high = gap * number, tallest * value / most
        if value > 0:
            parts.append(_rect(plot.series[0].tone, x + gap * 0.14, top + tallest - high, gap * 0.72, max(high, 1.5)))
        shown = brief(value, column)
        if value > 0 and (number in named or LETTER * len(shown) < gap):
            half = LETTER * len(shown) / 2
            middle = min(max(x + gap / 2, half), width - half)
            parts.append(_text("plot__value", middle, top + tallest - high - 6, shown, middle=True))
        if number % every == 0:
            parts.append(_text("plot__label", x + gap / 2, top + tallest + 18, _label(row, plot)[:3], middle=True))
    return _svg(
        Markup("").join(parts), table=table, width=width, height=top + tallest + bottom, key=key,
        name=_name(width == WIDE),
    )  # fmt: skip


# The map of the procedure: the line of eleven stations, with the division's own steps as smaller stops between.
# Its table has the columns step, name, standing, late, closed_days, standard.

STEP_NAMES: Final = {**SHORT, "F01": "Analisis", "F02": "Rancangan", "F03": "RAB", "F04": "Pembukaan"}
"""What stands at a station, and at a stop of the division's own between two."""
GAP: Final = 89
EDGE: Final = 52
STATION: Final = 17
STOP: Final = 11
ARCH: Final = 24


def _flow(table: Table, plot: Plot, *, key: str) -> Markup:
    places = _places(table.rows)
    arches = _arches(plot.returns, places)
    y = 30 + ARCH * (1 + max((level for _, level in arches), default=-1)) + (16 if arches else 0)
    end = max(places.values())
    parts = [Markup('<line class="flow__way" x1="{}" y1="{y}" x2="{}" y2="{y}"/>').format(EDGE, end, y=y)]
    for one, level in arches:
        start, back, top = places[one.source], places[one.target], y - STATION - 16 - ARCH * level
        parts.append(
            Markup(
                '<path class="flow__return" d="M{a} {s}V{k}Q{a} {t} {n} {t}H{f}Q{b} {t} {b} {k}V{s}"/>'
                '<path class="flow__return" d="M{l} {h}L{b} {s}L{r} {h}"/>'
            ).format(
                a=start + 5,
                b=back - 5,
                s=y - STATION - 2,
                k=top + 8,
                t=top,
                n=start - 3,
                f=back + 3,
                l=back - 9,
                r=back - 1,
                h=y - STATION - 7,
            )
        )
        parts.append(_text("flow__times", (start + back) / 2, top - 4, f"{one.times}×", middle=True))
    for row in table.rows:
        parts.append(_on_the_line(row, places[str(row.cells["step"])], y))
    return _svg(Markup("").join(parts), table=table, width=end + EDGE, height=y + 74, key=key, name="wide")


def _places(rows: Sequence[Row]) -> dict[str, int]:
    places: dict[str, int] = {}
    stations = 0
    for row in rows:
        step = str(row.cells["step"])
        if step.startswith("S"):
            places[step] = EDGE + GAP * stations
            stations += 1
        else:
            # A step of the division between two stations of the written procedure.
            places[step] = EDGE + GAP * stations - GAP // 2
    return places


def _arches(returns: Sequence[Return], places: Mapping[str, int]) -> list[tuple[Return, int]]:
    """Put short ways back low and long ones above them, so that no two cross more than they must."""
    found: list[tuple[Return, int]] = []
    known = [one for one in returns if one.source in places and one.target in places]
    for one in sorted(known, key=lambda one: places[one.source] - places[one.target]):
        low, high = places[one.target], places[one.source]
        taken = {
            level for other, level in found if places[other.target] < high + 20 and places[other.source] > low - 20
        }
        found.append((one, next(level for level in range(len(known) + 1) if level not in taken)))
    return found


def _on_the_line(row: Row, x: int, y: int) -> Markup:
    step, standing = str(row.cells["step"]), row.cells.get("standing")
    is_station = step.startswith("S")
    radius = STATION if is_station else STOP
    parts = [
        Markup('<circle class="flow__dot{}" cx="{}" cy="{}" r="{}"/>').format(_state(row), x, y, radius),
        _text(f"flow__count{_state(row)}", x, y + (5 if is_station else 4), written(standing, "count"), middle=True),
    ]
    if _number(row.cells.get("late")):
        parts.append(_text("flow__late", x, y + 66 if is_station else y - STOP - 5, _late_words(row), middle=True))
    if is_station:
        parts.append(_text("flow__name", x, y + 35, said(SHORT.get(step, step)), middle=True))
        parts.append(_text("flow__days", x, y + 51, _days_words(row), middle=True))
    else:
        parts.append(_text("flow__days", x, y + 24, step, middle=True))
    return _to_list(Markup("").join(parts), row)


def _flow_upright(table: Table, plot: Plot, *, key: str) -> Markup:
    x, step_height, y = 22, 46, 26
    places: dict[str, int] = {}
    for row in table.rows:
        places[str(row.cells["step"])] = y
        y += step_height
    last = y - step_height
    parts = [Markup('<line class="flow__way" x1="{x}" y1="{}" x2="{x}" y2="{}"/>').format(26, last, x=x)]
    for row in table.rows:
        at, step = places[str(row.cells["step"])], str(row.cells["step"])
        radius = STATION if step.startswith("S") else STOP
        name = _short(row)
        body = [
            Markup('<circle class="flow__dot{}" cx="{}" cy="{}" r="{}"/>').format(_state(row), x, at, radius),
            _text(f"flow__count{_state(row)}", x, at + 5, written(row.cells.get("standing"), "count"), middle=True),
            _text("flow__name flow__name--start", 52, at - 1, name),
            _text("flow__days flow__days--start", 52, at + 15, _days_words(row)),
        ]
        if _number(row.cells.get("late")):
            body.append(_text("flow__late flow__late--start", 178, at + 15, _late_words(row)))
        parts.append(_to_list(Markup("").join(body), row))
    arches = _arches(plot.returns, places)
    for one, level in arches:
        start, back, far = places[one.source], places[one.target], 262 + min(level, 2) * 18
        parts.append(
            Markup(
                '<path class="flow__return" d="M250 {a}H{k}Q{f} {a} {f} {n}V{m}Q{f} {b} {k} {b}H250"/>'
                '<path class="flow__return" d="M256 {u}L250 {b}L256 {d}"/>'
            ).format(a=start - 6, b=back + 4, k=far - 8, f=far, n=start - 14, m=back + 12, u=back, d=back + 8)
        )
        parts.append(_text("flow__times flow__times--start", far + 4, (start + back) / 2 + 4, f"{one.times}×"))
    return _svg(Markup("").join(parts), table=table, width=NARROW, height=last + 34, key=key, name="narrow")


def _short(row: Row) -> str:
    step = str(row.cells["step"])
    return str(said(STEP_NAMES[step])) if step in STEP_NAMES else _cut(str(row.cells["name"]), 24)


def _state(row: Row) -> str:
    if _number(row.cells.get("late")):
        return " is-late"
    return " is-held" if _number(row.cells.get("standing")) else " is-empty"


def _days_words(row: Row) -> str:
    days = row.cells.get("closed_days")
    return "" if days is None else str(said("{days} hari")).format(days=written(days, "decimal"))


def _late_words(row: Row) -> str:
    return str(said("▲ {number} lewat")).format(number=written(row.cells["late"], "count"))


def _to_list(body: Markup, row: Row) -> Markup:
    if not row.path or not _number(row.cells.get("standing")):
        return Markup("<g>{}</g>").format(body)
    number = written(row.cells.get("standing"), "count")
    words: str = said("{step}: {number} perkara").format(step=_short(row), number=number)
    return Markup('<a class="flow__link" href="{}" aria-label="{}">{}</a>').format(
        _clean(row.path), _clean(words), body
    )


def _name(wide: bool) -> str:
    return "wide" if wide else "narrow"


def _label(row: Row, plot: Plot) -> str:
    return str(row.cells.get(plot.label) or "–")


def _known(row: Row, plot: Plot) -> bool:
    return any(row.cells.get(one.key) is not None for one in plot.series)


def _number(value: Cell) -> float:
    return value if isinstance(value, int | float) and math.isfinite(value) and value > 0 else 0


def _cut(text: str, letters: float) -> str:
    most = max(int(letters), 4)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _rect(tone: str, x: float, y: float, width: float, height: float) -> Markup:
    return Markup('<rect class="plot__bar plot__bar--{}" x="{}" y="{}" width="{}" height="{}"/>').format(
        tone, _n(x), _n(y), _n(width), _n(height)
    )


def _text(name: str, x: float, y: float, words: str, *, middle: bool = False, end: bool = False) -> Markup:
    anchor = Markup(' text-anchor="{}"').format("middle" if middle else "end") if middle or end else ""
    return Markup('<text class="{}" x="{}" y="{}"{}>{}</text>').format(name, _n(x), _n(y), anchor, _clean(words))


def _clean(words: str) -> str:
    """Return words without the signs that XML cannot hold at all, escaped or not."""
    return "".join(sign for sign in words if sign in "\t\n" or (sign >= " " and not _is_no_letter(sign)))


def _is_no_letter(sign: str) -> bool:
    return "\ud800" <= sign <= "\udfff" or sign in "\ufffe\uffff"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
