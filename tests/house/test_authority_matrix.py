"""Nothing is done past the tables: every changing door is an act of one, and every cell of each says the same twice."""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from services.gateway.app import make as make_gateway
from services.gateway.settings import Settings as GatewaySettings
from shared.authority import RELATIONS, Act, Acts, ActView
from shared.identity import Person, Role
from shared.keys import DIVISIONS, GATEWAY, make_keys
from shared.permit import new_key_pair
from shared.web import SAFE

ROOT = Path(__file__).parents[2]
SERVICES = (*DIVISIONS, GATEWAY)
TABLES: dict[str, Acts] = {name: importlib.import_module(f"services.{name}.authority").ACTS for name in SERVICES}
EXPLAINED = {
    ("security", "give_verdict"): "pass_test or fail_test, by the verdict that the tester chose",
    ("gateway", "open_session"): "signing in: nobody is known yet",
    ("gateway", "give_opinion"): "nobody is known: whoever holds the link of the survey",
    ("proposal", "answer_publicly"): "nobody is known: whoever holds the link of the survey",
    ("gateway", "enter_page"): "signing in: nobody is known yet",
    ("gateway", "end_session"): "one's own session",
    ("gateway", "leave_page"): "one's own session",
    ("gateway", "make_token"): "one's own token",
    ("gateway", "revoke_token"): "one's own token",
    ("gateway", "enter_code"): "signing in: nobody is known yet",
    ("gateway", "prove_session"): "one's own session",
    ("gateway", "end_own_session"): "one's own session",
    ("gateway", "end_every_session"): "one's own sessions",
    ("gateway", "end_session_page"): "one's own session",
    ("gateway", "end_every_session_page"): "one's own sessions",
    ("gateway", "begin_second_factor"): "one's own way of signing in",
    ("gateway", "confirm_second_factor"): "one's own way of signing in",
    ("gateway", "renew_codes"): "one's own way of signing in",
    ("gateway", "switch_off_second_factor"): "one's own way of signing in",
    ("gateway", "begin_factor"): "one's own way of signing in",
    ("gateway", "confirm_factor"): "one's own way of signing in",
    ("gateway", "renew_recovery_codes"): "one's own way of signing in",
    ("gateway", "switch_off_factor"): "one's own way of signing in",
    ("gateway", "give_proof"): "one's own kept form: sent on to the door of its act, which asks the table",
    ("gateway", "read_notice"): "one's own notice",
    ("gateway", "read_all_notices"): "one's own notices",
    ("gateway", "send_code"): "one's own address",
    ("gateway", "verify_channel"): "one's own address",
    ("gateway", "choose_pace"): "one's own address",
    ("gateway", "remove_channel"): "one's own address",
    ("gateway", "set_hours"): "one's own quiet hours",
    ("gateway", "change_password"): "one's own password, asked for with the old one",
    ("gateway", "renew_password"): "one's own overdue password, at the door",
    ("gateway", "accept_invitation"): "the link is the proof: nobody is known yet",
    ("gateway", "accept_by_identity"): "the link is the proof: nobody is known yet",
    ("gateway", "link_identity"): "one's own campus account",
    ("gateway", "unlink_identity"): "one's own campus account",
    ("gateway", "choose_appearance"): "one's own settings",
    ("gateway", "compare_file"): "changes nothing: compares a file with the register, for everybody",
}
"""Changing doors that are no act of a table, and why none is needed."""
THROUGH = {("proposal", "resubmit"): "submit"}
"""The action that a door calls where one action serves two acts: it asks for the one that the status calls for."""
WATCHED = {
    ("gateway", "see_authority"),
    ("gateway", "see_people"),
    ("gateway", "see_audit"),
    ("gateway", "see_operations"),
}
"""Asked before a page is shown."""
WITHOUT_DOOR = {("proposal", "register_existing"), *WATCHED}
"""Called by the demo campus, and asked before a page is shown."""
INNER = "/inner/"
"""What the gateway alone asks of a division: acts of the gateway's own table, that the division asks for again."""
CELLS = [(name, act, role) for name, table in TABLES.items() for act in table for role in Role]


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Return the changing routes of each service's real application."""
    folder = tmp_path_factory.mktemp("matrix")
    make_keys(folder / "keys")
    new_key_pair(folder / "keys")
    settings: dict[str, Any] = {
        "database_url": "postgresql+psycopg:///nowhere",
        "keys_folder": folder / "keys",
        "files_folder": folder / "files",
    }
    found = {GATEWAY: list(changing(make_gateway(GatewaySettings(**settings)).own.router))}  # type: ignore[attr-defined]
    for name in DIVISIONS:
        chosen = importlib.import_module(f"services.{name}.settings").Settings(**settings)
        found[name] = list(changing(importlib.import_module(f"services.{name}.app").make(chosen).router))
    return found


def changing(router: Any) -> Iterator[Any]:
    """Yield each route below a router that does more than read."""
    for route in router.routes:
        several = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
        yield from (one for one in several if set(getattr(one, "methods", None) or SAFE) - SAFE)


@pytest.mark.parametrize("service", SERVICES)
def test_every_door_that_changes_something_is_an_act_of_the_table(service: str, doors: dict[str, list[Any]]) -> None:
    table = TABLES[service]
    known = {*table.rows, *(name for of, name in EXPLAINED if of == service)}
    unknown = {
        r.path
        for r in doors[service]
        if r.name not in known | (TABLES[GATEWAY].rows.keys() if r.path.startswith(INNER) else set())
    }

    assert doors[service]
    assert unknown == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_door_calls_the_action_of_its_act(service: str, doors: dict[str, list[Any]]) -> None:
    wrong = []
    for route in doors[service]:
        # A page's form is bound to its act where it is made (`Pages.act`), and does what stands beside it there.
        if route.name in TABLES[service].rows and route.path.startswith("/api"):
            source = ast.parse(textwrap.dedent(inspect.getsource(route.endpoint)))
            called = {ast.unparse(n.func).rpartition(".")[2] for n in ast.walk(source) if isinstance(n, ast.Call)}
            action = THROUGH.get((service, route.name), route.name)
            wrong += [route.path] if action not in called else []

    assert wrong == []


def test_no_exception_outlives_its_door(doors: dict[str, list[Any]]) -> None:
    there = {(service, route.name) for service, routes in doors.items() for route in routes}

    assert set(EXPLAINED) - there == set()
    assert there & {*WITHOUT_DOOR} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_act_of_a_table_has_a_door(service: str, doors: dict[str, list[Any]]) -> None:
    bound = {route.name for route in doors[service]}

    assert {name for name in TABLES[service].rows if name not in bound and (service, name) not in WITHOUT_DOOR} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_every_act_of_a_table_is_asked_by_its_service(service: str) -> None:
    folder = ROOT / "services" / service
    source = "\n".join(p.read_text(encoding="utf-8") for p in sorted(folder.rglob("*.py")) if "actions" in str(p))
    source += "\n".join(p.read_text(encoding="utf-8") for p in sorted(folder.glob("*.py")) if service == GATEWAY)
    source += (ROOT / "shared" / "oversight.py").read_text(encoding="utf-8") if service == GATEWAY else ""

    assert [name for name in TABLES[service].rows if not re.search(rf"\bACTS\.{name}\b", source)] == []


def test_whoever_is_authorized_goes_on_in_the_capacity_that_carries_the_act() -> None:
    """A letter or paper of the act must not name the own post of somebody who acts for an official."""
    lost = []
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                called = ast.unparse(node.value.func)
                lost += [f"{path.name}:{node.lineno}"] if called.rpartition(".")[2] == "authorize" else []

    assert lost == []


def somebody(role: Role) -> Person:
    """Return a person who holds one role."""
    return Person(id=uuid4(), username="x", name="X", roles=frozenset({role}), unit="U", vendor="V")


def thing(act: Act, *, owner: object, doer: object = None) -> SimpleNamespace:
    """Return what the act is done to: whose it is, and who did what of it before."""
    return SimpleNamespace(**dict.fromkeys(act.not_by, doer), **({act.own: owner} if act.own else {}))


@pytest.mark.parametrize("service", SERVICES)
def test_each_cell_allows_exactly_who_stands_in_the_table(service: str) -> None:
    wrong = []
    for act in TABLES[service]:
        for role in Role:
            by = somebody(role)
            is_bound = bool(act.own) and role in (act.own_roles or act.roles)
            told = ActView.of(act)
            cell = (service, act.name, role.value)
            if act.allows(by, thing(act, owner=by.id)) is not (role in told.roles):
                wrong.append((*cell, "own"))
            if act.allows(by, thing(act, owner=uuid4())) is not (role in told.roles and not is_bound):
                wrong.append((*cell, "another's"))
            if act.not_by and act.allows(by, thing(act, owner=by.id, doer=by.id)):
                wrong.append((*cell, "did it before"))

    assert wrong == []


def test_nobody_without_a_role_may_anything() -> None:
    nobody = somebody(Role.HEAD).model_copy(update={"roles": frozenset()})

    assert [a.name for t in TABLES.values() for a in t if a.allows(nobody, thing(a, owner=nobody.id))] == []


def test_the_auditor_writes_nothing_and_the_administrator_decides_nothing() -> None:
    # What these two make is about the evidence; no case and no record of anybody changes.
    reads = {*WATCHED, (GATEWAY, "verify_audit"), ("proposal", "make_proof_pack")}
    cells = {(service, act.name, role) for service, act, role in CELLS if role in act.roles}

    assert {(s, name) for s, name, role in cells if role is Role.AUDITOR} <= reads
    assert {s for s, _, role in cells if role is Role.ADMIN} <= {GATEWAY}


def test_every_relation_of_a_table_has_words() -> None:
    used = {name for t in TABLES.values() for act in t for name in (*act.not_by, *([act.own] if act.own else []))}

    assert used == set(RELATIONS)
