"""Whole rupiah as it enters and leaves: strict integers, a fraction is refused in words that name the field."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from services.budget.ledger import LARGEST_PRICE, LARGEST_TOTAL

MONEY: Any = {"kind": "money"}
AREA: Any = {"kind": "area"}
FILE: Any = {"kind": "file"}


def labelled(labels: Mapping[str, str]) -> Any:
    """Return what tells a form which words stand for the values of a choice."""
    return {"labels": dict(labels)}


def whole(value: Any) -> Any:
    """Return the value when it is a whole number; raise ValueError in words for everything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("Jumlah uang ditulis sebagai bilangan bulat rupiah, tanpa sen, titik atau koma.")
    if not 0 <= value <= LARGEST_TOTAL:
        raise ValueError("Jumlah uang harus nol atau lebih dan tidak lebih dari seribu triliun rupiah.")
    return value


def price(value: Any) -> Any:
    """Return the value when it may stand as a unit price; raise ValueError in words otherwise."""
    if whole(value) > LARGEST_PRICE:
        raise ValueError("Harga satuan terlalu besar. Mohon periksa kembali banyaknya angka nol.")
    return value


Amount = Annotated[int, BeforeValidator(whole)]
Price = Annotated[int, BeforeValidator(price)]
