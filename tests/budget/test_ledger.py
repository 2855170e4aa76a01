"""The rules of money: the campus' budget plans come out to the rupiah, whatever is shared sums to the whole."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.budget import ledger
from services.budget.ledger import NewLine, totals
from shared.errors import Incomplete
from shared.words import amount_in_words
from tests.budget.plans import PLANS


@pytest.mark.parametrize("name", PLANS)
def test_every_budget_plan_of_the_campus_comes_out_to_the_rupiah(name: str) -> None:
    plan = PLANS[name]
    lines = [NewLine(a, d, v, u, p, t) for a, d, v, u, p, _, t in plan["lines"]]

    sums = totals(lines, ledger.vat_rate(date(plan["fiscal_year"], 1, 1)))

    assert [line.amount for line in lines] == [amount for *_, amount, _ in plan["lines"]]
    assert _shown(sums) == {key: plan[key] for key in _shown(sums)}
    assert amount_in_words(sums.grand_total) == plan["grand_total_words"]


def _shown(sums: ledger.Totals) -> dict[str, Any]:
    return {
        "subtotal": sums.subtotal,
        "tax_base": sums.tax_base,
        "vat": sums.vat,
        "total_before_rounding": sums.total_before_rounding,
        "rounding": sums.rounding,
        "grand_total": sums.grand_total,
        "by_account": sums.by_account,
    }


@given(st.integers(min_value=0, max_value=10**15))
def test_the_present_vat_is_the_formula_of_the_law(tax_base: int) -> None:
    assert ledger.vat_rate(date(2026, 1, 1)).on(tax_base) == (tax_base * 12 * 11 + 600) // 1200


@pytest.mark.parametrize(
    ("on", "vat"),
    [(date(2021, 6, 1), 10_000_000), (date(2023, 6, 1), 11_000_000), (date(2026, 6, 1), 11_000_000)],
)
def test_an_older_plan_keeps_the_rate_of_its_day(on: date, vat: int) -> None:
    assert ledger.vat_rate(on).on(100_000_000) == vat


def test_a_day_before_every_rate_is_refused() -> None:
    with pytest.raises(Incomplete):
        ledger.vat_rate(date(1970, 1, 1))


LINE = st.builds(
    NewLine,
    st.sampled_from(["525112", "525113", "537115"]),
    st.just("x"),
    st.integers(1, 1000),
    st.just("unit"),
    st.integers(0, 10**9),
    st.booleans(),
)


@given(st.lists(LINE, min_size=1, max_size=20))
def test_the_accounts_sum_to_the_total_and_rounding_takes_less_than_a_thousand(lines: list[NewLine]) -> None:
    sums = totals(lines, ledger.vat_rate(date(2026, 1, 1)))

    assert sum(sums.by_account.values()) == sums.total_before_rounding
    assert sums.grand_total % 1000 == 0
    assert -1000 < sums.rounding <= 0
    assert sums.grand_total == sums.subtotal + sums.vat + sums.rounding


@given(
    st.integers(min_value=100, max_value=10**15),
    st.lists(st.integers(1, 40), min_size=1, max_size=8).filter(lambda parts: sum(parts) < 100),
)
def test_terms_sum_to_the_value(value: int, parts: list[int]) -> None:
    percents = [*parts, 100 - sum(parts)]

    amounts = ledger.term_amounts(value, percents)

    assert sum(amounts) == value
    assert all(abs(a - value * p / 100) <= len(percents) for a, p in zip(amounts, percents, strict=True))


@pytest.mark.parametrize("percents", [[], [50, 40], [0, 100], [110, -10]])
def test_terms_that_do_not_make_a_hundred_are_refused(percents: list[int]) -> None:
    with pytest.raises(Incomplete):
        ledger.term_amounts(1_000_000, percents)


@pytest.mark.parametrize(
    ("value", "category", "method", "form"),
    [
        (10_000_000, "barang", "pengadaan_langsung", "bukti_pembelian"),
        (10_000_001, "barang", "pengadaan_langsung", "kuitansi"),
        (50_000_001, "jasa_lainnya", "pengadaan_langsung", "spk"),
        (200_000_001, "jasa_lainnya", "tender", "surat_perjanjian"),
        (100_000_000, "konsultansi", "pengadaan_langsung", "spk"),
        (100_000_001, "konsultansi", "seleksi", "surat_perjanjian"),
        (5_000_000, "barang", "e_purchasing", "surat_pesanan"),
    ],
)
def test_the_form_of_contract_follows_from_the_value(value: int, category: str, method: str, form: str) -> None:
    assert ledger.proposed_form(value, category=category, method=method, on=date(2026, 2, 18))[0] == form
