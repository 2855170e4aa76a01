"""The demo campus: a fictional university with its people, vendors and cases, and the practice server's place."""

import json
import os
import secrets
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from uuid import UUID

import yaml

from alur.settings import MachineSettings, free_port
from shared.database import Database
from shared.identity import Role
from shared.messages import ApplicationFacts

if TYPE_CHECKING:
    from services.budget.actions.existing import ExistingContract, ExistingPlan
    from services.proposal.model import Content, Terms

DATA = Path(__file__).with_name("demo_campus.yaml")
ACCOUNTS = "demo-accounts.json"
LOADED = "demo-loaded.json"
TERM_STATUS: Final[dict[str, Literal["planned", "claimed", "paid"]]] = {
    "planned": "planned",
    "submitted": "claimed",
    "paid": "paid",
}

Say = Callable[[str], None]


@cache
def campus() -> dict[str, Any]:
    """Return the fictional campus as data."""
    result: dict[str, Any] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return result


def practice_arguments(settings: MachineSettings) -> list[str]:
    """Return how the practice server is started: its folder, and two ports that stay the same for ever."""
    home = settings.folder / "practice"
    home.mkdir(exist_ok=True)
    noted = home / "ports.json"
    if not noted.exists():
        _write(noted, json.dumps({"ssh": free_port(), "http": free_port()}))
    ports = practice_ports(settings)
    return [
        *("--home", str(home), "--ssh-port", str(ports["ssh"]), "--http-port", str(ports["http"])),
        *("--client-key", str(settings.keys_folder / "ssh.key.pub")),
        *("--permit-key", str(settings.keys_folder / "permit.pub")),
    ]


def practice_ports(settings: MachineSettings) -> dict[str, int]:
    """Return the practice server's two loopback ports: `ssh` and `http`."""
    result: dict[str, int] = json.loads((settings.folder / "practice" / "ports.json").read_text())
    return result


def practice_fingerprint(settings: MachineSettings) -> str:
    """Return the fingerprint of the practice server's host key, read where its owner would read it."""
    import asyncssh  # here: it is heavy, and only the walk asks

    key = asyncssh.read_private_key(settings.folder / "practice" / "host_key")
    fingerprint: str = key.get_fingerprint("sha256")
    return fingerprint


def accounts(settings: MachineSettings) -> dict[str, str]:
    """Return the password of each demo account; made once for this installation, never the same on two."""
    path = settings.folder / ACCOUNTS
    if not path.exists():
        word = "-".join(secrets.choice(WORDS) for _ in range(4)) + f"-{secrets.randbelow(90) + 10}"
        _write(path, json.dumps({user["username"]: word for user in campus()["users"]}), mode=0o600)
    result: dict[str, str] = json.loads(path.read_text())
    return result


def accounts_told(settings: MachineSettings) -> list[str]:
    """Return the lines that tell a newcomer how to sign in."""
    known = accounts(settings)
    password = next(iter(known.values()))
    lines = ["", f"Kampus contoh: {campus()['institution']['name']}. Semua akun contoh memakai kata sandi: {password}"]
    lines += [f"  {user['username']:<16} {user['display_name']}" for user in campus()["users"]]
    return [*lines, ""]


def load_campus(settings: MachineSettings, urls: dict[str, str], *, say: Say) -> None:
    """Take in the demo campus once: people, vendors and the cases that already run; loading twice changes nothing."""
    done = settings.folder / LOADED
    if done.exists():
        return
    say("Memuat kampus contoh ...")
    known = _load_people(settings, urls["gateway"])
    _load_money(urls["budget"], _load_cases(urls["proposal"], known))
    _write(done, json.dumps({"as_of": campus()["meta"]["as_of"]}))


def _load_people(settings: MachineSettings, url: str) -> dict[str, UUID]:
    """Take in units and people; return everybody's id by username."""
    from sqlalchemy import select

    from services.gateway.actions.person import NewPerson, NewUnit, load_directory
    from services.gateway.model import Person

    known = accounts(settings)
    units = [NewUnit(**unit) for unit in campus()["units"]]
    people = [
        NewPerson(
            username=user["username"],
            display_name=user["display_name"],
            roles=frozenset({Role(user["role"])}),
            title=user["display_name"],
            unit=user["unit"],
            vendor="CKD" if user["role"] == "vendor" else None,
            password=known[user["username"]],
        )
        for user in campus()["users"]
    ]
    database = Database(url, application_name="alur-demo")
    try:
        with database.transaction() as session:
            load_directory(session, units, people)
            return {row.username: row.id for row in session.execute(select(Person.username, Person.id))}
    finally:
        database.close()


def _load_cases(url: str, known: dict[str, UUID]) -> dict[str, tuple[UUID, str]]:
    """Take over the cases as they stand; return id and number of each by its application's code."""
    from services.proposal.actions.takeover import Existing, register_existing

    people = {user["username"]: user for user in campus()["users"]}
    vendors = {vendor["code"]: vendor for vendor in campus()["vendors"]}
    numbers: dict[str, tuple[UUID, str]] = {}
    database = Database(url, application_name="alur-demo")
    try:
        with database.transaction() as session:
            for row in sorted(campus()["applications"], key=lambda one: str(one["submitted_on"])):
                contract = _about("contracts", row["code"]) or {}
                vendor = vendors.get(row.get("vendor") or contract.get("vendor") or "", {})
                case = register_existing(
                    session,
                    None,
                    Existing(
                        content=_content(row),
                        unit=row["proposing_unit"],
                        proposer_id=known[row["proposer"]],
                        proposer_name=people[row["proposer"]]["display_name"],
                        is_from_app_head=people[row["proposer"]]["role"] == "app_head",
                        status=row["status"],
                        submitted_on=row["submitted_on"],
                        since=_since(row),
                        reason=row.get("status_reason", ""),
                        parent_number=numbers[row["parent"]][1] if row.get("parent") else "",
                        fiscal_year=row.get("fiscal_year"),
                        **_programme(row["code"]),
                        **_money(row["code"]),
                        terms=_terms(row["code"]),
                        vendor=vendor.get("code"),
                        vendor_name=vendor.get("name", ""),
                        live_on=row.get("live_on"),
                        address=f"https://{row['subdomain']}.{campus()['institution']['base_domain']}"
                        if row.get("live_on")
                        else "",
                        note="Data contoh.",
                    ),
                )
                numbers[row["code"]] = (case.id, case.number)
    finally:
        database.close()
    return numbers


def _content(row: dict[str, Any]) -> "Content":
    from services.proposal.model import Content

    tech = row.get("tech") or {}
    return Content(
        name=row["name"],
        code=row["code"],
        kind=row["kind"],
        purpose=row["purpose"],
        expected_users=row["expected_users"],
        personal_data=row["personal_data"],
        criticality=row["criticality"],
        language=tech.get("language") or "",
        framework=tech.get("framework") or "",
        database=tech.get("database") or "",
        platform=tech.get("platform") or "web",
    )


def _terms(code: str) -> "Terms | None":
    from services.proposal.model import Terms

    row = _about("terms_of_reference", code)
    if row is None:
        return None
    return Terms(**{name: row[name] for name in Terms.model_fields if name in row})


def _since(row: dict[str, Any]) -> str:
    """Return the day since which a case has its status: the newest day that its papers name."""
    code = row["code"]
    days = [row["submitted_on"], row.get("live_on")]
    for kind, key in (
        ("ceilings", "set_on"),
        ("contracts", "signed_on"),
        ("handovers", "date"),
        ("security_tests", "date"),
    ):
        found = _about(kind, code)
        days.append(found[key] if found else None)
    days += [
        meeting["date"] for meeting in campus()["meetings"] for item in meeting["items"] if item["application"] == code
    ]
    newest: str = max(day for day in days if day)
    return newest


def _programme(code: str) -> dict[str, Any]:
    row = _about("work_programme", code)
    if row is None:
        return {}
    return {
        "programme_number": row["number"],
        "programme_activity": row["activity"],
        "programme_indicator": row["indicator"],
        "programme_quarter": row["quarter"],
        "programme_priority": row["priority"],
        "estimated_amount": row["estimated_budget"],
    }


def _money(code: str) -> dict[str, Any]:
    plan, ceiling, contract = campus()["budget_plans"].get(code), _about("ceilings", code), _about("contracts", code)
    told: dict[str, Any] = {}
    if plan:
        told |= {"plan_version": plan["version"], "plan_amount": plan["grand_total"], "is_plan_locked": True}
    if ceiling:
        told["ceiling_amount"] = ceiling["amount"]
    if contract:
        paid = sum(term["amount"] for term in contract["payments"] if term["status"] == "paid")
        told |= {
            "contract_number": contract["number"],
            "contract_amount": contract["value"],
            "paid_amount": paid,
        }
    return told


def _load_money(url: str, numbers: dict[str, tuple[UUID, str]]) -> None:
    from services.budget.actions import existing

    database = Database(url, application_name="alur-demo")
    try:
        with database.transaction() as session:
            for vendor in campus()["vendors"]:
                existing.register_existing_vendor(session, existing.ExistingVendor(**vendor))
            for row in campus()["applications"]:
                if row["code"] in campus()["budget_plans"]:
                    existing.register_existing(session, _plan(row, *numbers[row["code"]]))
    finally:
        database.close()


def _plan(row: dict[str, Any], case_id: UUID, number: str) -> "ExistingPlan":
    from services.budget.actions.existing import ExistingCeiling, ExistingPlan
    from services.budget.ledger import NewLine

    code = row["code"]
    plan = campus()["budget_plans"][code]
    ceiling = _about("ceilings", code)
    is_sent = ceiling is not None or row["status"] == "sent_to_planning"
    minutes = [
        meeting["number"]
        for meeting in campus()["meetings"]
        for item in meeting["items"]
        if item["application"] == code
    ]
    letter = next(
        (
            one["number"]
            for one in campus()["letters"]
            if one["type"] == "surat_pengantar" and one.get("application") == code
        ),
        "",
    )
    return ExistingPlan(
        case_id=case_id,
        case_number=number,
        application=ApplicationFacts(
            code=code,
            name=row["name"],
            unit=row["proposing_unit"],
            purpose=row["purpose"],
            personal_data=row["personal_data"],
            criticality=row["criticality"],
        ),
        fiscal_year=plan["fiscal_year"],
        lines=[
            NewLine(
                account_code=line["account_code"],
                description=line["description"],
                volume=line["volume"],
                unit=line["unit"],
                unit_price_amount=line["unit_price"],
                taxable=line["taxable"],
            )
            for line in plan["lines"]
        ],
        version=plan["version"],
        minutes=minutes or (["Tercatat sebelum Alur"] if is_sent else []),
        conveyed_letter=(letter or "Tercatat sebelum Alur") if is_sent else "",
        ceiling=ExistingCeiling(
            amount=ceiling["amount"], fund_source=ceiling["source"], set_on=date.fromisoformat(ceiling["set_on"])
        )
        if ceiling
        else None,
        contract=_contract(code),
        live_on=_date(row.get("live_on")),
    )


def _contract(code: str) -> "ExistingContract | None":
    from services.budget.actions.contract import NewContract, NewTerm
    from services.budget.actions.existing import ExistingContract, ExistingTerm

    row = _about("contracts", code)
    if row is None:
        return None
    handover = _about("handovers", code)
    return ExistingContract(
        contract=NewContract(
            vendor=row["vendor"],
            tax_base_amount=row["tax_base"],
            start_on=date.fromisoformat(row["start_on"]),
            end_on=date.fromisoformat(row["end_on"]),
            source_code_owner=row.get("source_code_owner") or campus()["institution"]["name"],
            terms=[NewTerm(percent=term["percent"], amount=term["amount"]) for term in row["payments"]],
            number=row["number"],
        ),
        signed_on=date.fromisoformat(row["signed_on"]),
        terms=[
            ExistingTerm(no=term["term"], status=TERM_STATUS[term["status"]], paid_on=_date(term.get("paid_on")))
            for term in row["payments"]
        ],
        handover_number=handover["number"] if handover else "",
        handover_on=_date(handover["date"]) if handover else None,
    )


def _about(kind: str, code: str) -> dict[str, Any] | None:
    return next((row for row in campus()[kind] if row["application"] == code), None)


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _write(path: Path, words: str, *, mode: int = 0o644) -> None:
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(words)
    part.rename(path)


WORDS = (
    "angin", "bambu", "cahaya", "danau", "embun", "fajar", "garam", "hujan", "intan", "jambu", "kenari", "langit",
    "melati", "nuri", "ombak", "padi", "rimba", "sawah", "telaga", "ubi", "waru", "zaitun", "kapas", "merpati",
    "pelita", "randu", "selasih", "tembaga", "cempaka", "gaharu", "kemuning", "lontar",
)  # fmt: skip
