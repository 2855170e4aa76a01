"""The flowchart is one layout for paper, page and list: lanes, rows, turns, decisions and their ways back."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from shared.flowchart import HEAD, LANE, ROW, Activity, Answer, Chart, chart, drawing, listing

LANES = {"unit": "Pengusul", "koor": "Koordinator", "head": "Kepala <PUSTIPD>", "idle": "Tidak bertindak"}
ASKED = [
    Activity(
        "1", "Mengajukan", [["unit"], ["koor"], ["head"]], {"koor": [Answer("dikembalikan", "1")]}, "Pengusul melapor"
    ),
    Activity("2", "Memutuskan", [["head"], ["koor"]], {"head": [Answer("ditolak", ""), Answer("ditunda", "1")]}),
    Activity("2a", "Mencatat", [["koor", "unit"], ["head"]], {}),
]


def drawn(found: Chart) -> ElementTree.Element:
    """Return the drawing as a tree; it is well formed."""
    return ElementTree.fromstring(drawing(found, label="Bagan <uji>"))


def test_only_lanes_in_which_somebody_acts_are_drawn_in_the_order_given() -> None:
    found = chart(LANES, ASKED)

    assert found.lanes == ("Pengusul", "Koordinator", "Kepala <PUSTIPD>")
    assert [[(s.lane, s.turn, s.kind) for s in row.signs] for row in found.rows] == [
        [(0, 1, "begin"), (1, 2, "decision"), (2, 3, "box")],
        [(1, 2, "box"), (2, 1, "decision")],
        [(0, 1, "box"), (1, 1, "box"), (2, 2, "end")],
    ]
    assert [(row.entry, row.exit) for row in found.rows] == [(0, 2), (2, 1), (1, 2)]


def test_a_decision_in_the_last_turn_leads_on() -> None:
    both = Activity("1", "Menyetujui", [["unit"], ["koor", "head"]], {"head": [Answer("ditolak", "")]})

    [row] = chart(LANES, [both]).rows

    assert (row.entry, row.exit) == (0, 2)
    assert row.sign(2).kind == "decision", "a decision stays one, also where the chart ends"


def test_nobody_acting_and_an_unknown_lane_are_mistakes_of_the_data() -> None:
    with pytest.raises(ValueError, match="row 7"):
        chart(LANES, [Activity("7", "Kosong", [[]], {})])
    with pytest.raises(KeyError):
        chart(LANES, [Activity("1", "Asing", [["asing"]], {})])


def test_the_drawing_has_a_title_escapes_words_and_carries_no_style_or_script() -> None:
    svg = drawing(chart(LANES, ASKED), label="Bagan <uji>")

    assert "<title" in svg and "Bagan &lt;uji&gt;" in svg and "Kepala" in svg and "&lt;PUSTIPD&gt;" in svg
    assert not re.search(r"style=|<script|onload|href", svg)
    texts = ["".join(one.itertext()) for one in drawn(chart(LANES, ASKED)).iter("text")]
    assert texts.count("Ya") == 0, "no row leaves through a decision here"
    assert texts.count("Tidak") == 2


def test_the_list_says_the_same_as_the_drawing() -> None:
    told = listing(chart(LANES, ASKED))

    assert told.count("<li") == 3
    assert "Jika tidak (dikembalikan): langkah ini diulang." in told
    assert "Jika tidak (ditolak): selesai." in told
    assert "Jika tidak (ditunda): ke langkah 1." in told
    assert "Pengusul melapor" in told


KEYS = ["a", "b", "c", "d", "e", "f"]


@some.composite
def activities(draw: some.DrawFn) -> list[Activity]:
    """Draw any procedure: actors in any order and together, any of them deciding."""
    found = []
    for number in range(1, draw(some.integers(1, 6)) + 1):
        acting = draw(some.lists(some.sampled_from(KEYS), min_size=1, max_size=6, unique=True))
        cuts = sorted(draw(some.sets(some.integers(1, max(1, len(acting) - 1)))))
        turns = [acting[a:b] for a, b in zip([0, *cuts], [*cuts, len(acting)], strict=True) if acting[a:b]]
        deciders = draw(some.sets(some.sampled_from(acting)))
        found.append(Activity(str(number), "x", turns, {lane: [Answer("ditolak", "1")] for lane in deciders}))
    return found


# The first draw may wait for the machine.
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(activities())
def test_every_sign_stands_in_its_cell_and_no_two_in_one(asked: list[Activity]) -> None:
    found = chart({key: key.upper() for key in KEYS}, asked)

    for activity, row in zip(asked, found.rows, strict=True):
        acting = {lane.upper(): turn for turn, lanes in enumerate(activity.turns, start=1) for lane in lanes}
        assert {found.lanes[sign.lane]: sign.turn for sign in row.signs} == acting
        assert {found.lanes[s.lane] for s in row.signs if s.kind == "decision"} == {k.upper() for k in activity.answers}
        assert row.sign(row.entry).turn == 1
        assert row.sign(row.exit).turn == len(activity.turns)
        # A way back never leaves where the bar of the row, or the way on, runs.
        lanes = [sign.lane for sign in row.signs]
        for sign in row.signs:
            if sign.kind == "decision":
                assert sign.side != "right" or sign.lane == max(lanes)
                assert sign.side != "left" or sign.lane == min(lanes)
                assert not sign.side.startswith("bottom") or sign.lane != row.exit
    whole = drawn(found)
    assert whole.get("viewBox", "").split()[3] == str(HEAD + ROW * len(found.rows))
    assert int(whole.get("width", "0")) == 44 + LANE * len(found.lanes)
