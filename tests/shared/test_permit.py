"""A permit opens one build of one application on one hosting for one span of time, and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from shared import permit as permits
from shared.permit import Permit, PermitRefused, SignedPermit, sign, verify

NOW = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
ID = UUID("00000000-0000-4000-8000-000000000001")


def make(**changes: Any) -> Permit:
    fields: dict[str, Any] = {
        "id": ID,
        "case": "P-2026-0007",
        "application": "sipus",
        "digest": "d" * 64,
        "hosting": "sipus-uji",
        "policy": "e" * 64,
        "scans": ("bandit-1", "probe-1"),
        "round": 2,
        "issued_at": NOW,
        "install_until": NOW + timedelta(days=14),
        "valid_until": NOW + timedelta(days=365),
    }
    return Permit(**fields | changes)


def check(signed: SignedPermit | None, **changes: Any) -> Permit:
    what: dict[str, Any] = {
        "digest": "d" * 64,
        "application": "sipus",
        "hosting": "sipus-uji",
        "now": NOW + timedelta(days=1),
    }
    return verify(signed, changes.pop("key", PUBLIC), **what | changes)


def code_of(signed: SignedPermit | None, **changes: Any) -> str:
    with pytest.raises(PermitRefused) as refusal:
        check(signed, **changes)
    assert refusal.value.status == 403
    return refusal.value.code


def test_a_permit_that_fits_is_returned_as_it_was_signed() -> None:
    assert check(sign(make(), KEY)) == make()


def test_the_signed_text_is_frozen() -> None:
    signed = sign(make(), KEY)

    assert signed.permit == (
        '{"application":"sipus","case":"P-2026-0007","digest":"' + "d" * 64 + '",'
        '"hosting":"sipus-uji","id":"00000000-0000-4000-8000-000000000001",'
        '"install_until":"2026-12-06T08:00:00Z","issued_at":"2026-11-22T08:00:00Z",'
        '"policy":"' + "e" * 64 + '","round":2,"scans":["bandit-1","probe-1"],"v":1,'
        '"valid_until":"2027-11-22T08:00:00Z"}'
    )
    assert signed.key == "56475aa75463474c"
    PUBLIC.verify(bytes.fromhex(signed.signature), signed.permit.encode())


def test_g12_without_a_permit_nothing_opens() -> None:
    assert code_of(None) == "no_permit"


def test_g12_a_forged_permit_is_refused() -> None:
    signed = sign(make(), KEY)
    other = Ed25519PrivateKey.generate()

    for forged in (
        signed.model_copy(update={"permit": signed.permit.replace('"round":2', '"round":3')}),
        signed.model_copy(update={"permit": signed.permit + " "}),
        signed.model_copy(update={"signature": "0" * 128}),
        signed.model_copy(update={"signature": sign(make(), other).signature}),
        signed.model_copy(update={"signature": "zz"}),
    ):
        assert code_of(forged) == "forged"


def test_g12_a_permit_of_a_foreign_key_is_refused() -> None:
    other = Ed25519PrivateKey.generate()

    assert code_of(sign(make(), other)) == "key_unknown"
    assert code_of(sign(make(), KEY), key=[]) == "key_unknown"


def test_after_a_change_of_keys_both_are_known() -> None:
    other = Ed25519PrivateKey.generate()

    assert check(sign(make(), other), key=[PUBLIC, other.public_key()]) == make()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"digest": "c" * 64}, "other_digest"),
        ({"application": "lain"}, "other_application"),
        ({"hosting": "sipus-lain"}, "other_hosting"),
        ({"policy": "f" * 64}, "other_policy"),
        ({"revoked": {ID}}, "revoked"),
        ({"now": NOW - timedelta(minutes=3)}, "not_yet_valid"),
        ({"now": NOW + timedelta(days=14)}, "install_expired"),
        ({"now": NOW + timedelta(days=365)}, "expired"),
        ({"now": NOW + timedelta(days=365), "first_opening": False}, "expired"),
    ],
)
def test_g12_a_replayed_revoked_or_expired_permit_is_refused(asked: dict[str, Any], code: str) -> None:
    assert code_of(sign(make(), KEY), **asked) == code


def test_a_roll_back_needs_only_the_longer_term() -> None:
    late = NOW + timedelta(days=200)

    assert check(sign(make(), KEY), now=late, first_opening=False).id == ID


def test_g12_a_genuine_signature_over_something_else_is_not_a_permit() -> None:
    fields = json.loads(make().text())
    for text in ("[]", "{}", json.dumps(fields | {"v": 2}), json.dumps(fields | {"extra": 1}), "x"):
        signed = SignedPermit(permit=text, signature=KEY.sign(text.encode()).hex(), key=permits.key_id(PUBLIC))
        assert code_of(signed) == "malformed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"digest": "D" * 64},
        {"digest": "d" * 64 + "\n"},
        {"application": ""},
        {"application": "a\nb"},
        {"scans": ()},
        {"round": 0},
        {"issued_at": NOW.replace(tzinfo=None)},
        {"install_until": NOW},
        {"valid_until": NOW + timedelta(days=1)},
    ],
)
def test_a_permit_outside_its_grammar_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make(**wrong)


def test_a_new_pair_of_keys_signs_and_verifies_and_is_never_overwritten(tmp_path: Path) -> None:
    name = permits.new_key_pair(tmp_path / "keys")
    secret = tmp_path / "keys" / "permit.key"
    before = secret.read_bytes()

    signed = sign(make(), permits.private_key(tmp_path / "keys"))

    assert signed.key == name
    assert check(signed, key=permits.public_key(tmp_path / "keys")) == make()
    assert secret.stat().st_mode & 0o777 == 0o600
    with pytest.raises(PermitRefused, match="tidak ditimpa"):
        permits.new_key_pair(tmp_path / "keys")
    assert secret.read_bytes() == before
    assert sorted(path.name for path in secret.parent.iterdir()) == ["permit.key", "permit.pub"]


def test_a5_a_key_of_another_kind_or_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermitRefused):
        permits.public_key(tmp_path)
    (tmp_path / "permit.key").write_text("nonsense")
    with pytest.raises(PermitRefused):
        permits.private_key(tmp_path)
