"""The rules of money as pure functions: budget totals, VAT by date, rounding, terms, form of contract.

Whole rupiah in integers, never a float (`domain.md` §6). Nothing here reads or writes anything. Law is data with a
start date: an older plan keeps the rate that it was made with.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from shared.errors import Incomplete, Refused

LARGEST_PRICE: Final = 10**12
LARGEST_VOLUME: Final = 10**6
LARGEST_TOTAL: Final = 10**15
"""Far above any budget of a campus and far below what 64 bits hold, so that no sum can overflow."""

ROUNDING: Final = 1000
"""The grand total of a budget plan is rounded down to this many rupiah."""


class CapExceeded(Refused):
    """A sum would pass the amount that bounds it: payments <= contract <= ceiling."""

    code = "cap_exceeded"
    title = "Melampaui batas anggaran"


@dataclass(frozen=True)
class VatRate:
    """The VAT (PPN) from a date on: a tariff on a fraction of the tax base, and the law it stands in."""

    valid_from: date
    tariff_percent: int
    numerator: int
    denominator: int
    source: str

    def on(self, tax_base: int) -> int:
        """Return the VAT on a tax base (>= 0) in whole rupiah, rounded half up once."""
        divisor = 100 * self.denominator
        return (2 * tax_base * self.tariff_percent * self.numerator + divisor) // (2 * divisor)


VAT_RATES: Final = (
    VatRate(date(2025, 1, 1), 12, 11, 12, "PMK 131/2024"),
    VatRate(date(2022, 4, 1), 11, 1, 1, "UU 7/2021 Pasal 4"),
    VatRate(date(1985, 4, 1), 10, 1, 1, "UU 8/1983 Pasal 7"),
)


def vat_rate(on: date) -> VatRate:
    """Return the rate that holds on a day; raise Incomplete when none does."""
    valid = [rate for rate in VAT_RATES if rate.valid_from <= on]
    if not valid:
        raise Incomplete("Belum ada tarif PPN untuk tanggal itu. Mohon hubungi admin sistem.")
    return max(valid, key=lambda rate: rate.valid_from)


class Priced(Protocol):
    """What a line of a budget plan adds to the totals."""

    @property
    def account_code(self) -> str:
        """Account that the line is charged to."""

    @property
    def amount(self) -> int:
        """Volume times unit price."""

    @property
    def taxable(self) -> bool:
        """Whether VAT is charged on the line."""


@dataclass(frozen=True)
class NewLine:
    """A line of a budget plan as it is written: volume times unit price."""

    account_code: str
    description: str
    volume: int
    unit: str
    unit_price_amount: int
    taxable: bool
    group_name: str = ""

    @property
    def amount(self) -> int:
        """Return volume times unit price."""
        return self.volume * self.unit_price_amount


@dataclass(frozen=True)
class Totals:
    """The sums beneath a budget plan, in the order in which they are printed."""

    subtotal: int
    tax_base: int
    vat: int
    total_before_rounding: int
    rounding: int
    """What the rounding took away: zero or below."""
    grand_total: int
    by_account: dict[str, int] = field(default_factory=dict)
    """Before rounding, each account with its share of the VAT; sums to `total_before_rounding`."""


def totals(lines: Iterable[Priced], rate: VatRate) -> Totals:
    """Return the sums of a plan's lines (F03, `domain.md` §5 and §6)."""
    lines = list(lines)
    subtotal = sum(line.amount for line in lines)
    tax_base = sum(line.amount for line in lines if line.taxable)
    vat = rate.on(tax_base)
    total = subtotal + vat
    grand_total = total - total % ROUNDING
    plain: dict[str, int] = {}
    taxed: dict[str, int] = {}
    for line in lines:
        plain[line.account_code] = plain.get(line.account_code, 0) + line.amount
        if line.taxable:
            taxed[line.account_code] = taxed.get(line.account_code, 0) + line.amount
    shares = share(vat, taxed)
    return Totals(
        subtotal=subtotal,
        tax_base=tax_base,
        vat=vat,
        total_before_rounding=total,
        rounding=grand_total - total,
        grand_total=grand_total,
        by_account={account: amount + shares.get(account, 0) for account, amount in plain.items()},
    )


def share(amount: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share an amount by weights so that the shares sum to it exactly (largest remainder first)."""
    whole = sum(weights.values())
    if not whole:
        return dict.fromkeys(weights, 0)
    shares = {key: amount * weight // whole for key, weight in weights.items()}
    left = amount - sum(shares.values())
    by_remainder = sorted(weights, key=lambda key: (-(amount * weights[key] % whole), key))
    for key in by_remainder[:left]:
        shares[key] += 1
    return shares


def term_amounts(value: int, percents: Sequence[int]) -> list[int]:
    """Cut a contract's value into terms by percent; the last takes what rounding left.

    Raises Incomplete when the percents are not 1-100 or do not make 100.
    """
    if not percents or any(not 1 <= percent <= 100 for percent in percents) or sum(percents) != 100:
        raise Incomplete("Persentase termin harus 1 sampai 100 dan seluruhnya berjumlah 100%.")
    amounts = [value * percent // 100 for percent in percents]
    amounts[-1] = value - sum(amounts[:-1])
    return amounts


@dataclass(frozen=True)
class FormRule:
    """The form of contract up to a value, from a date on."""

    valid_from: date
    is_consultancy: bool
    up_to_amount: int | None
    """None: above every other."""
    form: str
    method: str
    source: str = "Perpres 12/2021 Pasal 28"


FORM_RULES: Final = (
    FormRule(date(2021, 2, 2), False, 10_000_000, "bukti_pembelian", "pengadaan_langsung"),
    FormRule(date(2021, 2, 2), False, 50_000_000, "kuitansi", "pengadaan_langsung"),
    FormRule(date(2021, 2, 2), False, 200_000_000, "spk", "pengadaan_langsung"),
    FormRule(date(2021, 2, 2), False, None, "surat_perjanjian", "tender"),
    FormRule(date(2021, 2, 2), True, 100_000_000, "spk", "pengadaan_langsung"),
    FormRule(date(2021, 2, 2), True, None, "surat_perjanjian", "seleksi"),
)


def proposed_form(value: int, *, category: str, method: str, on: date) -> tuple[str, str]:
    """Return the form of contract that the law proposes for a value, and its source (`domain.md` §6)."""
    if method == "e_purchasing":
        return "surat_pesanan", "Perpres 12/2021 Pasal 28"
    consultancy = category == "konsultansi"
    valid = [rule for rule in FORM_RULES if rule.is_consultancy == consultancy and rule.valid_from <= on]
    if not valid:
        raise Incomplete("Belum ada aturan bentuk kontrak untuk tanggal itu. Mohon hubungi admin sistem.")
    since = max(rule.valid_from for rule in valid)
    fitting = [r for r in valid if r.valid_from == since and (r.up_to_amount is None or value <= r.up_to_amount)]
    rule = min(fitting, key=lambda r: r.up_to_amount if r.up_to_amount is not None else LARGEST_TOTAL)
    return rule.form, rule.source


def absorption_percent(paid: int, ceiling: int) -> float:
    """Return how much of the ceiling is paid, in percent with two decimals; 0 without a ceiling."""
    return round(100 * paid / ceiling, 2) if ceiling else 0.0
