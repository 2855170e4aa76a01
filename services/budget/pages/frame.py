"""What the budget division's pages share: their templates, the rail, words, and the office of a request."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import Request

from services.budget.actions import Office
from services.budget.model import (
    ALL_ITEMS,
    CATEGORY_LABELS,
    CLAIM_LABELS,
    CONTRACT_LABELS,
    CONVEYANCE_LABELS,
    DOCUMENT_LABELS,
    FORM_LABELS,
    HANDOVER_LABELS,
    METHOD_LABELS,
    PLAN_LABELS,
)
from services.budget.queries.access import CONTRACT_READERS, PLAN_READERS, UNIT_READERS
from shared.identity import Role
from shared.pages import Input, Offer, Pages
from shared.sentence import Sentence
from shared.web import NavigationEntry
from shared.words import amount_in_words, percent

pages = Pages(Path(__file__).parents[1] / "templates")
WORDS: dict[str, Any] = {
    "plan_labels": PLAN_LABELS,
    "conveyance_labels": CONVEYANCE_LABELS,
    "contract_labels": CONTRACT_LABELS,
    "claim_labels": CLAIM_LABELS,
    "handover_labels": HANDOVER_LABELS,
    "document_labels": DOCUMENT_LABELS,
    "form_labels": FORM_LABELS,
    "method_labels": METHOD_LABELS,
    "category_labels": CATEGORY_LABELS,
    "items": ALL_ITEMS,
    "party_labels": {
        Role.APP_HEAD: "Koordinator Aplikasi",
        Role.SERVICE_HEAD: "Kepala Divisi Layanan",
        Role.VENDOR: "Penyedia",
        Role.PPK: "PPK",
    },
    "in_words": amount_in_words,
    "percent": percent,
}
"""The Indonesian words that every template may use."""

_PLANS = sorted(PLAN_READERS | UNIT_READERS)
_CONTRACTS = sorted(CONTRACT_READERS | {Role.VENDOR})
NAVIGATION = [
    NavigationEntry(label="RAB dan pagu", path="/rab", icon="budget", order=40, roles=[r.value for r in _PLANS]),
    NavigationEntry(label="Kontrak", path="/kontrak", icon="contract", order=41, roles=[r.value for r in _CONTRACTS]),
    NavigationEntry(label="Tagihan", path="/tagihan", icon="cash", order=42, roles=[r.value for r in _CONTRACTS]),
    NavigationEntry(
        label="Penyedia", path="/penyedia", icon="handshake", order=43, roles=[r.value for r in _CONTRACTS]
    ),
]


def choosing(offer: Offer, **lists: Iterable[tuple[str, str]]) -> Offer:
    """Return a form with lists to choose from where there was a code to type, within rows as well."""

    def drawn(one: Input) -> Input:
        if one.name in lists:
            first = Sentence("Pilih …") if one.is_required else "–"
            words = "" if one.is_required else one.help
            return replace(one, kind="choice", help=words, choices=(("", first), *lists[one.name]))
        return replace(one, rows=tuple(drawn(column) for column in one.rows))

    return replace(offer, inputs=[drawn(one) for one in offer.inputs])


def office(request: Request) -> Office:
    """Return the office that prints papers and keeps files."""
    return Office.of(request.app.state.settings)
