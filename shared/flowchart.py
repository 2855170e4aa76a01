"""The flowchart of a procedure: rows of activities under lanes of actors, laid out once for paper, page and list.

Five signs, as Permenpan-RB 35/2012 allows them: capsule (begin, end), box (activity), diamond (decision), arrow, and a
pentagon where the chart goes on another sheet. A way back is written as the number of the row to which it leads.
What stands in a chart is the text of a document, and so the same in every language of the pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

from markupsafe import Markup

from shared.language import said
from shared.sentence import Sentence

Kind = Literal["begin", "box", "decision", "end"]
Side = Literal["right", "left", "bottom", "bottom-left", "top", "top-left"]

LANE: Final = 46
ROW: Final = 72
GUTTER: Final = 44
LETTERS: Final = 24
"""Most on one line of the name above a lane."""
HEAD: Final = 168
HALF: Final = (15, 11)
"""Half the width and height of a sign."""
TURN: Final = 31
"""How far above the middle of its row a way comes in from the row before."""
YES: Final = "Ya"
NO: Final = "Tidak"
END: Final = "×"
"""Stands in place of a row's number where the way ends."""


@dataclass(frozen=True)
class Answer:
    """A way back out of a decision."""

    words: str
    """What becomes of what was asked: "dikembalikan"."""
    target: str
    """Number of the row where it goes on; empty where it ends."""


@dataclass(frozen=True)
class Activity:
    """One row as it is told: who acts in turn, and which of them may send back."""

    number: str
    title: str
    turns: Sequence[Sequence[str]]
    """Keys of lanes; those of one turn act together."""
    answers: Mapping[str, Sequence[Answer]]
    """Ways back, by the lane that decides."""
    says: str = ""
    """Who does what, as a sentence for the list."""


@dataclass(frozen=True)
class Sign:
    """One sign of a row."""

    lane: int
    turn: int
    kind: Kind
    answers: tuple[Answer, ...] = ()
    side: Side = "right"
    """Where the way back of a decision leaves it: never where another line runs."""


@dataclass(frozen=True)
class Row:
    """One row of the chart."""

    number: str
    title: str
    says: str
    signs: tuple[Sign, ...]
    """From left to right."""
    entry: int
    """Lane of the sign into which the way from the row before leads."""
    exit: int
    """Lane of the sign out of which the way to the next row leads."""

    def sign(self, lane: int) -> Sign:
        """Return the sign of a lane; raise StopIteration where there is none."""
        return next(one for one in self.signs if one.lane == lane)


@dataclass(frozen=True)
class Chart:
    """A whole chart: the titles of its lanes, and its rows."""

    lanes: tuple[str, ...]
    rows: tuple[Row, ...]


def chart(lanes: Mapping[str, str], activities: Sequence[Activity]) -> Chart:
    """Lay a chart out under those of the lanes (key and title, in order) in which somebody acts.

    The first sign of all begins the chart and the last ends it, unless it is a decision. Raises ValueError for an
    activity in which nobody acts and KeyError for an unknown lane.
    """
    used = {lane for activity in activities for turn in activity.turns for lane in turn}
    if used - lanes.keys():
        raise KeyError(*sorted(used - lanes.keys()))
    order = [lane for lane in lanes if lane in used]
    rows = [_row(activity, order) for activity in activities]
    if rows:
        rows[0] = _as(rows[0], rows[0].entry, "begin")
        rows[-1] = _as(rows[-1], rows[-1].exit, "end")
    return Chart(tuple(lanes[lane] for lane in order), tuple(rows))


def _row(activity: Activity, order: Sequence[str]) -> Row:
    turns = [turn for turn in activity.turns if turn]
    if not turns:
        raise ValueError(f"nobody acts in row {activity.number}")
    signs = {
        order.index(lane): Sign(
            lane=order.index(lane),
            turn=count,
            kind="decision" if activity.answers.get(lane) else "box",
            answers=tuple(activity.answers.get(lane, ())),
        )
        for count, turn in enumerate(turns, start=1)
        for lane in turn
    }
    entry = order.index(turns[0][0])
    last = [order.index(lane) for lane in turns[-1]]
    leaves = next((lane for lane in last if signs[lane].kind == "decision"), last[0])
    found = tuple(
        replace(one, side=_side(one, min(signs), max(signs), entry, leaves)) for _, one in sorted(signs.items())
    )
    return Row(activity.number, activity.title, activity.says, found, entry, leaves)


def _side(sign: Sign, first: int, last: int, entry: int, leaves: int) -> Side:
    """Return where a way back leaves: outward, else beneath, else above; there no other line runs."""
    if sign.lane == last:
        return "right"
    if sign.lane == first:
        return "left"
    if sign.lane != leaves:
        return "bottom-left" if leaves == sign.lane + 1 else "bottom"
    return "top-left" if entry == sign.lane + 1 else "top"


def _as(row: Row, lane: int, kind: Kind) -> Row:
    return replace(
        row, signs=tuple(replace(s, kind=kind) if s.lane == lane and s.kind == "box" else s for s in row.signs)
    )


# --- drawn ----------------------------------------------------------------------------------------------------------


def figure(found: Chart, *, label: str, key: str = "bagan") -> Markup:
    """Return the drawing, which the style sheet leaves out where it is too narrow, and the list on demand."""
    return Markup(
        '<figure class="line-figure"><div class="line-figure__map">{}</div></figure>'
        '<details class="fold fold--more"><summary>{}</summary><div class="fold__body">{}</div></details>'
    ).format(drawing(found, label=label, key=key), said("Bagan alir sebagai daftar"), listing(found))


def drawing(found: Chart, *, label: str, key: str = "bagan") -> Markup:
    """Return the chart as one SVG element with a title and a description; `key` keeps its ids apart on a page."""
    width, height = GUTTER + LANE * len(found.lanes), HEAD + ROW * len(found.rows)
    parts = [_head(found, height), *(_numbered(row, index, width) for index, row in enumerate(found.rows))]
    parts += [_bars(row, index) for index, row in enumerate(found.rows)]
    parts += [_way(before, after, index) for index, (before, after) in enumerate(pairwise(found.rows))]
    parts += [_sign(sign, index) for index, row in enumerate(found.rows) for sign in row.signs]
    return Markup(
        '<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-labelledby="{key}-t {key}-d" '
        'font-size="11" fill="none" stroke="currentColor" stroke-width="1.2"><title id="{key}-t">{title}</title>'
        '<desc id="{key}-d">{told}</desc>{parts}</svg>'
    ).format(
        width=width,
        height=height,
        key=key,
        title=label,
        told=said("{rows} kegiatan dan {lanes} pelaksana; isinya sama dengan daftar di bawah bagan ini.").format(
            rows=len(found.rows), lanes=len(found.lanes)
        ),
        parts=Markup("").join(parts),
    )


def listing(found: Chart) -> Markup:
    """Return the same as an ordered list, for screen readers and narrow screens."""
    rows = [
        Markup(
            '<li class="stop"><span class="stop__number">{number}</span> <span class="stop__name">{title}</span> '
            '<span class="stop__note">{says}</span>{back}</li>'
        ).format(
            number=row.number,
            title=row.title,
            says=row.says,
            back=Markup("").join(
                Markup(' <span class="stop__note">{}</span>').format(way_in_words(answer, row.number))
                for sign in row.signs
                for answer in sign.answers
            ),
        )
        for row in found.rows
    ]
    return Markup('<ol class="stops">{}</ol>').format(Markup("").join(rows))


def way_in_words(answer: Answer, number: str) -> str:
    """Return a way back as a sentence: "Jika tidak (dikembalikan): kembali ke langkah 1."."""
    if not answer.target:
        return Sentence("Jika tidak ({words}): selesai.", words=answer.words)
    if answer.target == number:
        return Sentence("Jika tidak ({words}): langkah ini diulang.", words=answer.words)
    return Sentence("Jika tidak ({words}): ke langkah {target}.", words=answer.words, target=answer.target)


def _x(lane: int) -> float:
    return GUTTER + LANE * (lane + 0.5)


def _y(index: int) -> float:
    return HEAD + ROW * (index + 0.5)


def _line(*points: tuple[float, float]) -> Markup:
    (x, y), *rest = points
    return Markup('<path d="M{} {}{}"/>').format(f"{x:g}", f"{y:g}", "".join(f"L{a:g} {b:g}" for a, b in rest))


def _words(x: float, y: float, words: str, *, size: int = 9, anchor: str = "middle", turned: bool = False) -> Markup:
    turn = Markup(' transform="rotate(-90 {} {})"').format(f"{x:g}", f"{y:g}") if turned else ""
    return Markup(
        '<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="currentColor" stroke="none"{turn}>'
        "{words}</text>"
    ).format(x=f"{x:g}", y=f"{y:g}", size=size, anchor=anchor, turn=turn, words=words)


def _head(found: Chart, height: int) -> Markup:
    parts = []
    for lane, title in enumerate(found.lanes):
        lines = _wrapped(title)
        first = _x(lane) - 7 * (len(lines) - 1) + 4
        parts += [
            _words(first + 14 * index, HEAD - 8, words, size=12, anchor="start", turned=True)
            for index, words in enumerate(lines)
        ]
        parts.append(
            Markup('<path opacity="0.2" d="M{} {}V{}"/>').format(f"{GUTTER + LANE * lane}", f"{HEAD}", f"{height}")
        )
    return Markup("").join(parts)


def _wrapped(title: str) -> list[str]:
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + len(word) >= LETTERS:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _numbered(row: Row, index: int, width: int) -> Markup:
    top = HEAD + ROW * index
    rule = Markup('<path opacity="0.2" d="M0 {top}H{width}"/>').format(top=top, width=width)
    return rule + _words(GUTTER / 2, _y(index) + 5, row.number, size=14)


def _bars(row: Row, index: int) -> Markup:
    y = _y(index)
    return Markup("").join(_line((_x(a.lane) + HALF[0], y), (_x(b.lane) - HALF[0], y)) for a, b in pairwise(row.signs))


def _way(before: Row, after: Row, index: int) -> Markup:
    x1, x2, y1, y2 = _x(before.exit), _x(after.entry), _y(index) + HALF[1], _y(index + 1) - HALF[1]
    turn = _y(index + 1) - TURN
    way = _line((x1, y1), (x1, turn), (x2, turn), (x2, y2)) if x1 != x2 else _line((x1, y1), (x2, y2))
    head = Markup('<path fill="currentColor" stroke="none" d="M{} {}l-4 -7h8z"/>').format(f"{x2:g}", f"{y2:g}")
    yes = _words(x1 + 4, y1 + 10, YES, anchor="start") if before.sign(before.exit).kind == "decision" else ""
    return way + head + yes


def _sign(sign: Sign, index: int) -> Markup:
    x, y = _x(sign.lane), _y(index)
    wide, high = HALF
    if sign.kind == "decision":
        shape = Markup('<path d="M{} {}l{w} {h}l-{w} {h}l-{w} -{h}z"/>').format(
            f"{x:g}", f"{y - high:g}", w=wide, h=high
        )
    else:
        shape = Markup('<rect x="{}" y="{}" width="{}" height="{}" rx="{}"/>').format(
            f"{x - wide:g}", f"{y - high:g}", 2 * wide, 2 * high, 1 if sign.kind == "box" else high
        )
    back = _back(sign.answers[0], sign.side, x, y) if sign.answers else Markup("")
    return shape + _words(x, y + 4, str(sign.turn), size=11) + back


def _back(answer: Answer, side: Side, x: float, y: float) -> Markup:
    """Draw the way back: a short line to the number of the row where it goes on."""
    wide, high = HALF
    if side in ("right", "left"):
        out = 1 if side == "right" else -1
        start, end = (x + out * wide, y), (x + out * (wide + 17), y)
        words = _words(x + out * (wide + 9), y - 10, NO, size=8)
        line = _line(start, (end[0] - out * 8, y))
    else:
        up, out = -1 if side.startswith("top") else 1, -1 if side.endswith("left") else 1
        end = (x + out * 19, y + up * (high + 7))
        words = _words(x + out * 30, end[1] + 3, NO, size=8, anchor="start" if out > 0 else "end")
        line = _line((x, y + up * high), (x, end[1]), (end[0] - out * 8, end[1]))
    rim = Markup('<circle cx="{}" cy="{}" r="8"/>').format(f"{end[0]:g}", f"{end[1]:g}")
    return line + rim + _words(end[0], end[1] + 3, answer.target or END, size=9) + words
