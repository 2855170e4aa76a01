"""The line: the eleven steps of the procedure as stations, drawn as SVG and told as a list.

The one motif of the house. Colour, size and which of the two is seen belong to the style sheet; here stand only
shapes, classes and words, so that the drawing obeys a policy without inline styles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup, escape

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
) -> list[Station]:
    """Return the stations of a procedure for a case that stands at step `at`.

    Earlier ones are done; `done` adds others that are (S06 runs beside S05). With `ended` the case is through its
    last step, with `stopped` it went no further than `at` (rejected, cancelled). `at=None` is a case not yet begun.
    """
    notes = notes or {}
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
        found.append(Station(step.id, name, title, state, notes.get(step.id, "")))
    return found


# Drawn for every page of a case, so as plain text: what comes from outside is escaped where it is put in.


def line(stations: Sequence[Station], *, loops: Sequence[Loop] = (), label: str = "", key: str = "garis") -> Markup:
    """Return the line as one SVG element with a title and a description; `key` keeps its ids apart on a page."""
    if not stations:
        return Markup("")
    y = ABOVE if loops else RADIUS * 2 + 6
    width = 2 * EDGE + GAP * (len(stations) - 1)
    places = {station.id: EDGE + GAP * index for index, station in enumerate(stations)}
    parts = [_rails(stations, y)]
    parts += [_loop(loop, places, y) for loop in loops if loop.source in places and loop.target in places]
    parts += [_station(station, places[station.id], y) for station in stations]
    title, told = escape(label or said("Garis sebelas langkah")), escape(summary(stations, loops=loops))
    return Markup(  # noqa: S704 - escaped above
        f'<svg class="line" viewBox="0 0 {width} {y + BELOW}" role="img" aria-labelledby="{key}-t {key}-d" '
        f'preserveAspectRatio="xMinYMid meet"><title id="{key}-t">{title}</title><desc id="{key}-d">{told}</desc>'
        f"{''.join(parts)}</svg>"
    )


def line_list(stations: Sequence[Station], *, loops: Sequence[Loop] = ()) -> Markup:
    """Return the same facts as an ordered list, for screen readers and narrow screens."""
    rows = [_row(station) for station in stations]
    rows += [f'<li class="stop stop--loop">{escape(loop.words)}</li>' for loop in loops]
    return Markup(f'<ol class="stops">{"".join(rows)}</ol>')  # noqa: S704 - escaped row by row


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


def _row(station: Station) -> str:
    current = ' aria-current="step"' if station.state == "now" else ""
    note = f' <span class="stop__note">{escape(station.note)}</span>' if station.note else ""
    return (
        f'<li class="stop stop--{station.state}"{current}><span class="stop__number">{escape(station.number)}</span> '
        f'<span class="stop__name">{escape(station.title)}</span> '
        f'<span class="stop__state">{escape(said(WORDS[station.state]))}</span>{note}</li>'
    )


def _rails(stations: Sequence[Station], y: int) -> str:
    pieces = []
    for index in range(len(stations) - 1):
        x = EDGE + GAP * index
        # A piece is travelled when the case has left its first station and reached its second.
        travelled = stations[index].state == "done" and stations[index + 1].state in ("done", "now", "stopped")
        done = " rail-piece--done" if travelled else ""
        pieces.append(f'<line class="rail-piece{done}" x1="{x + RADIUS}" y1="{y}" x2="{x + GAP - RADIUS}" y2="{y}"/>')
    return "".join(pieces)


def _station(station: Station, x: int, y: int) -> str:
    sign = f'<text class="station__number" x="{x}" y="{y + 4}">{escape(station.number)}</text>'
    if station.state == "stopped":
        sign = f'<path class="station__sign" d="M{x - 3.5} {y - 3.5}l7 7m0-7l-7 7"/>'
    is_now = station.state == "now"
    halo = f'<circle class="station__halo" cx="{x}" cy="{y}" r="{RADIUS + 5}"/>' if is_now else ""
    note = f'<text class="station__note" x="{x}" y="{y + 46}">{escape(station.note)}</text>' if station.note else ""
    return (
        f'<g class="station station--{station.state}">{halo}<circle class="station__dot" cx="{x}" cy="{y}" '
        f'r="{RADIUS}"/>{sign}<text class="station__name" x="{x}" y="{y + 30}">{escape(station.name)}</text>{note}</g>'
    )


def _loop(loop: Loop, places: Mapping[str, int], y: int) -> str:
    start, end = places[loop.source], places[loop.target]
    top, level = y - RADIUS - 4, y - RADIUS - 20
    turn = 10 if end < start else -10
    return (
        f'<g class="loop"><path class="loop__way" d="M{start} {top}V{level + 10}Q{start} {level} {start - turn} {level}'
        f'H{end + turn}Q{end} {level} {end} {level + 10}V{top}"/><path class="loop__head" d="M{end - 4} {top - 5}'
        f'L{end} {top}L{end + 4} {top - 5}"/><text class="loop__times" x="{(start + end) / 2}" y="{level - 5}">'
        f"{loop.times}×</text></g>"
    )
