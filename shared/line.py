"""The line: the eleven steps of the procedure as stations, drawn as SVG and told as a list.

The one motif of the house. Colour, size and which of the two is seen belong to the style sheet; here stand only
shapes, classes and words, so that the drawing obeys a policy without inline styles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from shared.language import said
from shared.procedure import Procedure

State = Literal["done", "now", "next", "skipped", "stopped"]

WORDS: Final[Mapping[State, str]] = {
    "done": "selesai",
    "now": "sedang berjalan",
    "next": "belum",
    "skipped": "dilewati",
    "stopped": "berhenti di sini",
}

SHORT: Final[Mapping[str, str]] = {
    "S01": "Usulan",
    "S02": "Keputusan",
    "S03": "Rapat",
    "S04": "Perencanaan",
    "S05": "Pembangunan",
    "S06": "Anggaran",
    "S07": "Instalasi",
    "S08": "Uji keamanan",
    "S09": "Layanan",
    "S10": "Evaluasi",
    "S11": "Pengembangan",
}
"""What stands under a station; the whole title is in the list."""

GAP: Final = 96
EDGE: Final = 52
ABOVE: Final = 48
BELOW: Final = 52
RADIUS: Final = 11


@dataclass(frozen=True)
class Station:
    """One step on the line: how far it is, and a few words on it."""

    id: str
    """Step of the procedure, e.g. S05."""
    name: str
    """One or two words, under the station."""
    title: str
    """The step as the SOP words it."""
    state: State
    note: str = ""
    """A date, a period or a count, e.g. "3 hari kerja"."""
    path: str = ""
    """Page of the step, for the list."""

    @property
    def number(self) -> str:
        """Return the number as people say it: S05 is 5."""
        return self.id.lstrip("SF").lstrip("0") or self.id


@dataclass(frozen=True)
class Loop:
    """A way back along the line: from a station to an earlier one, and how often it was taken."""

    source: str
    target: str
    times: int
    reason: str
    """Why, e.g. "uji keamanan tidak lulus"."""

    @property
    def words(self) -> str:
        """Return the sentence for the list."""
        again = said("sekali") if self.times == 1 else said("{times} kali").format(times=self.times)
        sentence = said("Kembali {again} dari langkah {source} ke langkah {target}: {reason}.")
        source, target = _number(self.source), _number(self.target)
        return str(sentence.format(again=again, source=source, target=target, reason=said(self.reason)))


def stations(
    procedure: Procedure,
    *,
    at: str | None,
    done: Sequence[str] = (),
    ended: bool = False,
    stopped: bool = False,
    notes: Mapping[str, str] | None = None,
    paths: Mapping[str, str] | None = None,
) -> list[Station]:
    """Return the stations of a procedure for a case that stands at step `at`.

    Earlier ones are done; `done` adds others that are (S06 runs beside S05). With `ended` the case is through its
    last step, with `stopped` it went no further than `at` (rejected, cancelled). `at=None` is a case not yet begun.
    """
    notes, paths = notes or {}, paths or {}
    order = [step.id for step in procedure.stations]
    place = order.index(at) if at else -1
    found = []
    for index, step in enumerate(procedure.stations):
        state: State = "done" if index < place or step.id in done else "next"
        if index == place:
            state = "stopped" if stopped else "done" if ended else "now"
        elif stopped and index > place:
            state = "skipped"
        title = said(step.title)
        name = said(SHORT[step.id]) if step.id in SHORT else title[:14]
        found.append(Station(step.id, name, title, state, notes.get(step.id, ""), paths.get(step.id, "")))
    return found


def line(stations: Sequence[Station], *, loops: Sequence[Loop] = (), label: str = "", key: str = "garis") -> Markup:
    """Return the line as one SVG element with a title and a description; `key` keeps its ids apart on a page."""
    if not stations:
        return Markup("")
    height_above = ABOVE if loops else RADIUS * 2 + 6
    width = 2 * EDGE + GAP * (len(stations) - 1)
    y = height_above
    places = {station.id: EDGE + GAP * index for index, station in enumerate(stations)}
    parts = [_rails(stations, y)]
    parts += [_loop(loop, places, y) for loop in loops if loop.source in places and loop.target in places]
    parts += [_station(station, places[station.id], y) for station in stations]
    return Markup(
        '<svg class="line" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{key}-t {key}-d" '
        'preserveAspectRatio="xMinYMid meet"><title id="{key}-t">{title}</title><desc id="{key}-d">{told}</desc>'
        "{parts}</svg>"
    ).format(
        width=width,
        height=y + BELOW,
        key=key,
        title=label or said("Garis sebelas langkah"),
        told=summary(stations, loops=loops),
        parts=Markup("").join(parts),
    )


def line_list(stations: Sequence[Station], *, loops: Sequence[Loop] = ()) -> Markup:
    """Return the same facts as an ordered list, for screen readers and narrow screens."""
    rows = [
        Markup(
            '<li class="stop stop--{state}"{current}><span class="stop__number">{number}</span> '
            '<span class="stop__name">{name}</span> <span class="stop__state">{words}</span>{note}</li>'
        ).format(
            state=station.state,
            current=Markup(' aria-current="step"') if station.state == "now" else "",
            number=station.number,
            name=_linked(station),
            words=said(WORDS[station.state]),
            note=Markup(' <span class="stop__note">{}</span>').format(station.note) if station.note else "",
        )
        for station in stations
    ]
    returns = [Markup('<li class="stop stop--loop">{}</li>').format(loop.words) for loop in loops]
    return Markup('<ol class="stops">{}</ol>').format(Markup("").join([*rows, *returns]))


def line_figure(
    stations: Sequence[Station], *, loops: Sequence[Loop] = (), label: str = "", key: str = "garis"
) -> Markup:
    """Return drawing and list together; the style sheet shows the one that fits the width."""
    return Markup('<figure class="line-figure"><div class="line-figure__map">{}</div>{}</figure>').format(
        line(stations, loops=loops, label=label, key=key), line_list(stations, loops=loops)
    )


def summary(stations: Sequence[Station], *, loops: Sequence[Loop] = ()) -> str:
    """Say in a sentence or two how far the line is."""
    done = sum(station.state == "done" for station in stations)
    here = next((s for s in stations if s.state in ("now", "stopped")), None)
    words = said("{done} dari {all} langkah selesai.").format(done=done, all=len(stations))
    if here:
        state = said(WORDS[here.state]).capitalize()
        words += said(" {state}: langkah {number}, {title}.").format(state=state, number=here.number, title=here.title)
    return " ".join([words, *(loop.words for loop in loops)])


def _number(step: str) -> str:
    return step.lstrip("SF").lstrip("0") or step


def _linked(station: Station) -> Markup:
    if station.path:
        return Markup('<a href="{}">{}</a>').format(station.path, station.title)
    return Markup("{}").format(station.title)


def _rails(stations: Sequence[Station], y: int) -> Markup:
    pieces = []
    for index in range(len(stations) - 1):
        x = EDGE + GAP * index
        # A piece is travelled when the case has left its first station and reached its second.
        travelled = stations[index].state == "done" and stations[index + 1].state in ("done", "now", "stopped")
        pieces.append(
            Markup('<line class="rail-piece{}" x1="{}" y1="{}" x2="{}" y2="{}"/>').format(
                " rail-piece--done" if travelled else "", x + RADIUS, y, x + GAP - RADIUS, y
            )
        )
    return Markup("").join(pieces)


def _station(station: Station, x: int, y: int) -> Markup:
    sign = Markup('<text class="station__number" x="{}" y="{}">{}</text>').format(x, y + 4, station.number)
    if station.state == "stopped":
        sign = Markup('<path class="station__sign" d="M{} {}l7 7m0-7l-7 7"/>').format(x - 3.5, y - 3.5)
    halo = (
        Markup('<circle class="station__halo" cx="{}" cy="{}" r="{}"/>').format(x, y, RADIUS + 5)
        if station.state == "now"
        else ""
    )
    note = (
        Markup('<text class="station__note" x="{}" y="{}">{}</text>').format(x, y + 46, station.note)
        if station.note
        else ""
    )
    return Markup(
        '<g class="station station--{state}">{halo}<circle class="station__dot" cx="{x}" cy="{y}" r="{r}"/>{sign}'
        '<text class="station__name" x="{x}" y="{ny}">{name}</text>{note}</g>'
    ).format(
        state=station.state,
        halo=halo,
        x=x,
        y=y,
        r=RADIUS,
        sign=sign,
        ny=y + 30,
        name=station.name,
        note=note,
    )


def _loop(loop: Loop, places: Mapping[str, int], y: int) -> Markup:
    start, end = places[loop.source], places[loop.target]
    top, level = y - RADIUS - 4, y - RADIUS - 20
    middle = (start + end) / 2
    turn = 10 if end < start else -10
    return Markup(
        '<g class="loop"><path class="loop__way" d="M{start} {top}V{shoulder}Q{start} {level} {near} {level}'
        'H{far}Q{end} {level} {end} {shoulder}V{top}"/><path class="loop__head" d="M{left} {barb}L{end} {top}'
        'L{right} {barb}"/><text class="loop__times" x="{middle}" y="{word}">{times}×</text></g>'
    ).format(
        start=start,
        end=end,
        top=top,
        shoulder=level + 10,
        level=level,
        near=start - turn,
        far=end + turn,
        left=end - 4,
        right=end + 4,
        barb=top - 5,
        middle=middle,
        word=level - 5,
        times=loop.times,
    )
