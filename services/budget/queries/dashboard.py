"""The budget's figures for the dashboards: ceilings, contracts, accepted claims and payments, by account and month."""

from datetime import date, datetime

from sqlalchemy import case, extract, func, select
from sqlalchemy.orm import Session

from services.budget.ledger import absorption_percent
from services.budget.model import Account, Ceiling, Claim, ClaimStatus, Contract, Entry, Payment
from services.budget.queries.access import CONTRACT_READERS
from shared.database import utc_now
from shared.errors import NotAllowed
from shared.figures import Big, Choice, Column, Figures, Panel, Plot, Row, Series, Table
from shared.identity import Person
from shared.sentence import Sentence
from shared.words import local_date, month_name, rupiah

ACCEPTED = (ClaimStatus.VERIFIED, ClaimStatus.PAID)
MONEY = ("ceiling", "contracted", "accepted", "paid")


def figures(session: Session, by: Person, *, fiscal_year: int | None = None, now: datetime | None = None) -> Figures:
    """Return how far the money of a fiscal year is, in five statements; without a year, of the present or last one.

    Raises NotAllowed for whoever may not read contracts.
    """
    if not by.has(*CONTRACT_READERS):
        raise NotAllowed("Angka serapan hanya untuk Divisi Aplikasi, pengelola anggaran, dan pimpinan.")
    now = now or utc_now()
    years = sorted(session.scalars(select(Ceiling.fiscal_year).distinct()).all())
    present = local_date(now).year
    year = fiscal_year or (present if present in years or not years else years[-1])
    return Figures(
        panels=[_panel(session, year, now)],
        choices=[Choice(key="tahun", label="Tahun anggaran", values=[str(y) for y in years], chosen=str(year))],
    )


def _by_account(session: Session, year: int) -> dict[str, dict[str, int]]:
    """Return the sums of each account from the ledger, and what was accepted of the claims on it."""
    kinds = {"ceiling": "ceiling", "commitment": "contracted", "payment": "paid"}
    found: dict[str, dict[str, int]] = {}
    posted = session.execute(
        select(Entry.account_code, Entry.kind, func.sum(Entry.amount))
        .join(Ceiling, Ceiling.id == Entry.ceiling_id)
        .where(Ceiling.fiscal_year == year, Entry.kind.in_(kinds))
        .group_by(Entry.account_code, Entry.kind)
    ).all()
    accepted = session.execute(
        select(Contract.account_code, func.sum(Claim.amount))
        .select_from(Claim)
        .join(Contract, Contract.id == Claim.contract_id)
        .join(Ceiling, Ceiling.id == Contract.ceiling_id)
        .where(Ceiling.fiscal_year == year, Claim.status.in_(ACCEPTED))
        .group_by(Contract.account_code)
    ).all()
    for account, kind, amount in posted:
        found.setdefault(account, dict.fromkeys(MONEY, 0))[kinds[kind]] = int(amount)
    for account, amount in accepted:
        found.setdefault(account, dict.fromkeys(MONEY, 0))["accepted"] = int(amount)
    return found


def _by_month(session: Session, year: int) -> dict[int, int]:
    """Return what was paid under ceilings of a fiscal year in each month; 0 is everything outside that year."""
    in_year = extract("year", Payment.paid_on) == year
    month = case((in_year, extract("month", Payment.paid_on)), else_=0)
    paid = (
        select(month.label("month"), Payment.amount)
        .join(Contract, Contract.id == Payment.contract_id)
        .join(Ceiling, Ceiling.id == Contract.ceiling_id)
        .where(Ceiling.fiscal_year == year)
        .subquery()
    )
    rows = session.execute(select(paid.c.month, func.sum(paid.c.amount)).group_by(paid.c.month)).all()
    return {int(month): int(amount) for month, amount in rows}


def _panel(session: Session, year: int, now: datetime) -> Panel:
    accounts = _by_account(session, year)
    months = _by_month(session, year)
    named = session.execute(select(Account.code, Account.name).where(Account.code.in_(accounts))).all()
    names = {row.code: row.name for row in named}
    total = {kind: sum(row[kind] for row in accounts.values()) for kind in MONEY}
    left = total["ceiling"] - total["paid"]
    return Panel(
        key="absorption",
        title=Sentence("Serapan anggaran {year}", year=year),
        source="Buku besar anggaran: pagu menurut keputusan Bagian Perencanaan, kontrak yang mengikat (termasuk "
        "konsep), tagihan yang diterima Divisi Aplikasi, dan pembayaran Bendahara.",
        counted_at=now,
        numbers=[
            Big(
                label="Serapan",
                value=absorption_percent(total["paid"], total["ceiling"]) if total["ceiling"] else None,
                kind="percent",
                comparison=Sentence(
                    "{paid} dari pagu {ceiling}",
                    paid=rupiah(total["paid"]),
                    ceiling=rupiah(total["ceiling"]),
                )
                if total["ceiling"]
                else "",
                path="/tagihan",
            ),
            Big(
                label="Terikat kontrak",
                value=absorption_percent(total["contracted"], total["ceiling"]) if total["ceiling"] else None,
                kind="percent",
                comparison=rupiah(total["contracted"]) if total["ceiling"] else "",
                path="/kontrak",
            ),
            Big(label="Sisa pagu", value=left if total["ceiling"] else None, kind="money", path="/rab"),
        ],
        tables=[
            Table(
                key="accounts",
                caption=Sentence("Serapan menurut akun belanja, tahun anggaran {year}", year=year),
                columns=[
                    Column(key="account", label="Akun", kind="text"),
                    Column(key="ceiling", label="Pagu", kind="money"),
                    Column(key="contracted", label="Kontrak", kind="money"),
                    Column(key="accepted", label="Tagihan diterima", kind="money"),
                    Column(key="paid", label="Dibayar", kind="money"),
                    Column(key="percent", label="Serapan", kind="percent"),
                    Column(key="unpaid", label="Kontrak belum dibayar", kind="money"),
                    Column(key="free", label="Belum terikat", kind="money"),
                    Column(key="left", label="Sisa pagu", kind="money"),
                ],
                rows=[
                    Row(
                        cells={
                            "account": f"{code} {names.get(code, '')}".strip(),
                            **row,
                            "percent": absorption_percent(row["paid"], row["ceiling"]) if row["ceiling"] else None,
                            "unpaid": row["contracted"] - row["paid"],
                            "free": row["ceiling"] - row["contracted"],
                            "left": row["ceiling"] - row["paid"],
                        },
                        path="/kontrak",
                    )
                    for code, row in sorted(accounts.items())
                ],
                plot=Plot(
                    kind="stack",
                    label="account",
                    series=[
                        Series(key="paid", tone="good"),
                        Series(key="unpaid", tone="wait"),
                        Series(key="free", tone="quiet"),
                    ],
                ),
                empty=Sentence(
                    "Serapan menurut akun akan tampil di sini setelah pagu tahun {year} ditetapkan.",
                    year=year,
                ),
            ),
            _months_table(year, months, total["ceiling"]),
        ],
    )


def _months_table(year: int, months: dict[int, int], ceiling: int) -> Table:
    rows, so_far = [], 0
    for month in range(1, 13) if months else ():
        so_far += months.get(month, 0)
        rows.append(_month_row(month_name(date(year, month, 1)), months.get(month, 0), so_far, ceiling))
    if 0 in months:
        rows.append(_month_row("Di luar tahun itu", months[0], so_far + months[0], ceiling))
    return Table(
        key="months",
        caption=Sentence("Pembayaran tiap bulan, tahun anggaran {year}", year=year),
        columns=[
            Column(key="month", label="Bulan", kind="text"),
            Column(key="paid", label="Dibayar", kind="money"),
            Column(key="so_far", label="Sampai bulan itu", kind="money"),
            Column(key="percent", label="Dari pagu", kind="percent"),
        ],
        rows=rows,
        plot=Plot(kind="months", label="month", series=[Series(key="paid", tone="good")]),
        empty=Sentence("Pembayaran tahun {year} akan tampil di sini menurut bulan.", year=year),
    )


def _month_row(name: str, paid: int, so_far: int, ceiling: int) -> Row:
    share = absorption_percent(so_far, ceiling) if ceiling else None
    return Row(cells={"month": name, "paid": paid, "so_far": so_far, "percent": share}, path="/tagihan")
