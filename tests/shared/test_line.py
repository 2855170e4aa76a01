"""The line of the eleven stations: what is drawn and what is told are the same facts."""

import re
import xml.etree.ElementTree as ElementTree

from shared.line import Loop, Station, line, line_figure, line_list, stations, summary
from shared.procedure import procedure

SVG = "{http://www.w3.org/2000/svg}"
FAILED_TEST = Loop("S08", "S07", 2, "uji keamanan tidak lulus")


def _drawn(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def _states(at: str | None, **more: object) -> list[str]:
    return [station.state for station in stations(procedure(), at=at, **more)]  # type: ignore[arg-type]


def test_a_case_at_step_five_has_four_behind_it_and_six_before_it() -> None:
    assert _states("S05") == ["done"] * 4 + ["now"] + ["next"] * 6


def test_a_step_that_ran_beside_another_counts_as_done() -> None:
    assert _states("S05", done=["S06"])[4:7] == ["now", "done", "next"]


def test_a_case_not_begun_has_no_station_behind_it() -> None:
    assert set(_states(None)) == {"next"}


def test_a_rejected_case_stops_at_its_station_and_skips_the_rest() -> None:
    assert _states("S02", stopped=True) == ["done", "stopped"] + ["skipped"] * 9


def test_a_case_through_its_last_step_has_every_station_done() -> None:
    assert _states("S11", ended=True) == ["done"] * 11


def test_the_drawing_has_one_station_for_each_step_and_ten_pieces_between() -> None:
    drawn = _drawn(line(stations(procedure(), at="S05")))

    assert len(drawn.findall(f".//{SVG}circle[@class='station__dot']")) == 11
    assert len(drawn.findall(f"{SVG}line")) == 10
    assert len([p for p in drawn.findall(f"{SVG}line") if "done" in p.attrib["class"]]) == 4


def test_the_drawing_is_an_image_with_title_and_description() -> None:
    drawn = _drawn(line(stations(procedure(), at="S05"), label="Perkara 12", key="a"))

    assert drawn.attrib["role"] == "img"
    assert drawn.attrib["aria-labelledby"].split() == ["a-t", "a-d"]
    assert drawn.findtext(f"{SVG}title") == "Perkara 12"
    assert (drawn.findtext(f"{SVG}desc") or "").startswith("4 dari 11 langkah selesai. Sedang berjalan: langkah 5")


def test_nothing_in_the_drawing_or_the_list_is_styled_inline() -> None:
    both = line_figure(stations(procedure(), at="S08", notes={"S08": "3 hari"}), loops=[FAILED_TEST])

    assert not re.search(r"\sstyle=|\son[a-z]+=|\sfill=", both)


def test_a_loop_is_drawn_back_to_its_station_and_told_in_the_list() -> None:
    shown = stations(procedure(), at="S08")

    drawn = _drawn(line(shown, loops=[FAILED_TEST]))

    assert [t.text for t in drawn.findall(f".//{SVG}text[@class='loop__times']")] == ["2×"]
    sentence = "Kembali 2 kali dari langkah 8 ke langkah 7: uji keamanan tidak lulus."
    assert sentence in line_list(shown, loops=[FAILED_TEST])
    assert sentence in summary(shown, loops=[FAILED_TEST])


def test_a_loop_from_a_station_that_is_not_on_the_line_is_not_drawn() -> None:
    drawn = line(stations(procedure(), at="S02"), loops=[Loop("F02", "S01", 1, "kurang lengkap")])

    assert "loop__way" not in drawn


def test_the_list_names_every_step_in_full_and_marks_the_present_one() -> None:
    told = line_list(stations(procedure(), at="S03"))

    assert told.count("<li ") == 11
    assert told.count('aria-current="step"') == 1
    assert "Mengajukan usulan" in told


def test_hostile_words_on_a_station_stay_words() -> None:
    hostile = [Station("S01", "<script>", "</title><script>", "now", note="<b>")]

    shown = line_figure(hostile, label="<script>")

    assert "<script" not in shown and "<b>" not in shown


def test_no_stations_make_no_drawing() -> None:
    assert line([]) == ""
