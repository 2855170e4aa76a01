"""Rupiah, terbilang and dates are read and written as an Indonesian office does."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Incomplete
from shared.words import (
    LARGEST_AMOUNT,
    amount_in_words,
    clock_time,
    count_with_words,
    date_in_words,
    in_words,
    local_date,
    long_date,
    long_date_with_day,
    long_moment,
    month_name,
    numeric_date,
    percent,
    read_rupiah,
    rupiah,
)

AMOUNTS = st.integers(min_value=0, max_value=LARGEST_AMOUNT)

SMALL = ["nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan"]
SCALES = {"kuintiliun": 10**18, "kuadriliun": 10**15, "triliun": 10**12, "miliar": 10**9, "juta": 10**6}


def heard(words: str) -> int:
    """Read terbilang back, word by word, without knowing how it was written."""
    total = group = digit = 0
    for word in words.split():
        if word in SMALL:
            digit = SMALL.index(word)
        elif word in ("sepuluh", "sebelas"):
            group += 10 if word == "sepuluh" else 11
        elif word == "belas":
            group, digit = group + 10 + digit, 0
        elif word == "puluh":
            group, digit = group + digit * 10, 0
        elif word in ("ratus", "seratus"):
            group, digit = group + 100 * (digit or 1), 0
        elif word in ("ribu", "seribu"):
            total, group, digit = total + 1000 * (group + digit or 1), 0, 0
        else:
            total, group, digit = total + SCALES[word] * (group + digit), 0, 0
    return total + group + digit


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "nol"),
        (9, "sembilan"),
        (10, "sepuluh"),
        (11, "sebelas"),
        (12, "dua belas"),
        (19, "sembilan belas"),
        (20, "dua puluh"),
        (21, "dua puluh satu"),
        (100, "seratus"),
        (111, "seratus sebelas"),
        (200, "dua ratus"),
        (1_000, "seribu"),
        (1_100, "seribu seratus"),
        (2_026, "dua ribu dua puluh enam"),
        (11_000, "sebelas ribu"),
        (21_000, "dua puluh satu ribu"),
        (100_000, "seratus ribu"),
        (101_000, "seratus satu ribu"),
        (1_000_000, "satu juta"),
        (1_001_000, "satu juta seribu"),
        (10**9, "satu miliar"),
        (10**12, "satu triliun"),
        (1_001_001_001_001, "satu triliun satu miliar satu juta seribu satu"),
    ],
)
def test_terbilang_is_spelled_as_the_office_spells_it(number: int, words: str) -> None:
    assert in_words(number) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (135_400_000, "seratus tiga puluh lima juta empat ratus ribu rupiah"),
        (115_147_000, "seratus lima belas juta seratus empat puluh tujuh ribu rupiah"),
        (69_696_000, "enam puluh sembilan juta enam ratus sembilan puluh enam ribu rupiah"),
        (105_961_000, "seratus lima juta sembilan ratus enam puluh satu ribu rupiah"),
        (193_473_000, "seratus sembilan puluh tiga juta empat ratus tujuh puluh tiga ribu rupiah"),
        (259_155_000, "dua ratus lima puluh sembilan juta seratus lima puluh lima ribu rupiah"),
        (130_980_000, "seratus tiga puluh juta sembilan ratus delapan puluh ribu rupiah"),
        (111_000_000, "seratus sebelas juta rupiah"),
        (95_904_000, "sembilan puluh lima juta sembilan ratus empat ribu rupiah"),
        (58_750_000, "lima puluh delapan juta tujuh ratus lima puluh ribu rupiah"),
    ],
)
def test_the_totals_of_the_demo_campus_are_spelled_right(amount: int, words: str) -> None:
    assert amount_in_words(amount) == words


@given(AMOUNTS)
def test_terbilang_can_be_read_back_to_the_same_number(number: int) -> None:
    assert heard(in_words(number)) == number


@given(st.integers(min_value=-LARGEST_AMOUNT, max_value=-1))
def test_a_negative_number_is_spelled_with_minus(number: int) -> None:
    assert in_words(number) == f"minus {in_words(-number)}"


@pytest.mark.parametrize(
    ("amount", "shown"),
    [(0, "Rp0"), (999, "Rp999"), (1_500_000, "Rp1.500.000"), (-660, "-Rp660"), (-1_500, "-Rp1.500")],
)
def test_rupiah_has_dots_and_no_space(amount: int, shown: str) -> None:
    assert rupiah(amount) == shown


@given(AMOUNTS)
def test_what_rupiah_shows_is_read_back_unchanged(amount: int) -> None:
    assert read_rupiah(rupiah(amount)) == amount
    assert read_rupiah(str(amount)) == amount


@pytest.mark.parametrize(
    "typed",
    [
        "1.500.000",
        "Rp 1.500.000",
        "Rp1.500.000",
        "rp. 1.500.000",
        "1500000",
        " 1.500.000\n",
        "Rp\u00a01.500.000,-",
    ],
)
def test_the_usual_ways_of_typing_money_are_accepted(typed: str) -> None:
    assert read_rupiah(typed) == 1_500_000


@pytest.mark.parametrize("typed", ["1.500.000,50", "1.500.000,00", "1500,5", "1500.5", "1.500.00", "Rp 0,1"])
def test_a_fraction_is_refused_and_told_so(typed: str) -> None:
    with pytest.raises(Incomplete) as refusal:
        read_rupiah(typed, pointer="/lines/0/unit_price")

    assert "tanpa sen" in refusal.value.detail
    assert refusal.value.errors[0].pointer == "/lines/0/unit_price"


@pytest.mark.parametrize(
    "typed",
    ["", "Rp", "-1.000", "1.5000", "1500.000", ".500", "1 500", "satu juta", "1e6", "١٥٠٠", "1_000", "0x10"],
)
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(Incomplete):
        read_rupiah(typed)


@pytest.mark.parametrize("typed", [str(LARGEST_AMOUNT + 1), "9" * 5_000])
def test_an_amount_that_no_column_can_keep_is_refused(typed: str) -> None:
    with pytest.raises(Incomplete, match="terlalu besar"):
        read_rupiah(typed)


@given(st.text())
def test_any_text_is_either_read_or_refused(typed: str) -> None:
    try:
        amount = read_rupiah(typed)
    except Incomplete:
        return

    assert 0 <= amount <= LARGEST_AMOUNT


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (133_125_000, 136_000_000, "97,89%"),
        (114_885_000, 117_500_000, "97,77%"),
        (18_240_000, 18_500_000, "98,59%"),
        (1, 1, "100,00%"),
        (0, 5, "0,00%"),
        (1, 20_000, "0,01%"),
        (1, 20_001, "0,00%"),
        (-1, 4, "-25,00%"),
        (30, 2, "1.500,00%"),
        (5, 0, "–"),
    ],
)
def test_percent_is_rounded_half_up_to_two_decimals(part: int, whole: int, shown: str) -> None:
    assert percent(part, whole) == shown


def test_a_count_stands_in_figure_and_word() -> None:
    assert count_with_words(3) == "3 (tiga)"


def test_dates_are_written_as_in_letters() -> None:
    day = date(2026, 11, 22)

    assert long_date(day) == "22 November 2026"
    assert long_date_with_day(day) == "Minggu, 22 November 2026"
    assert numeric_date(day) == "22/11/2026"
    assert numeric_date(date(2026, 1, 2)) == "02/01/2026"
    assert [month_name(date(2026, month, 1)) for month in (1, 5, 8)] == ["Januari", "Mei", "Agustus"]


def test_a_record_spells_its_date_in_words() -> None:
    assert (
        date_in_words(date(2026, 11, 22)) == "Minggu tanggal dua puluh dua bulan November tahun dua ribu dua puluh enam"
    )


def test_friday_is_jumat() -> None:
    assert long_date_with_day(date(2026, 11, 20)).startswith("Jumat, ")


def test_an_evening_in_utc_is_the_next_morning_in_wib() -> None:
    evening = datetime(2026, 11, 21, 17, 5, tzinfo=UTC)

    assert local_date(evening) == date(2026, 11, 22)
    assert long_moment(evening) == "22 November 2026 pukul 00.05 WIB"


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))
def test_clock_time_is_seven_hours_ahead_of_utc(moment: datetime) -> None:
    assert clock_time(moment.replace(tzinfo=UTC)) == (moment + timedelta(hours=7)).strftime("%H.%M WIB")


def test_a_time_without_zone_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="zone"):
        clock_time(datetime(2026, 11, 22, 8, 5))
