"""Who may do what: roles, ownership, separation of duties, and the line in the audit chain."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from shared import audit, identity
from shared.authority import Act, Acts, authorize
from shared.errors import NotAllowed
from shared.identity import Person, Role
from tests.people import ANI, BUDI, CITRA, JOKO, KIKI, ZULKIFLI


@dataclass
class Thing:
    """Something that is acted upon."""

    id: UUID
    owner: object = None
    made_by_id: UUID | None = None
    checked_by_id: UUID | None = None


THING = Thing(uuid4())
APPROVE = Act("approve", "Setujui", frozenset({Role.HEAD}), not_by=("made_by_id", "checked_by_id"))
EDIT = Act("edit", "Ubah", frozenset({Role.PROPOSER, Role.APP_HEAD}), own="owner", own_roles=frozenset({Role.PROPOSER}))
DELIVER = Act("deliver", "Serahkan", frozenset({Role.VENDOR}), own="owner")


@pytest.mark.parametrize("role", list(Role))
def test_only_who_holds_a_role_of_the_act_may(role: Role) -> None:
    by = Person(id=uuid4(), username="x", name="X", roles=frozenset({role}))

    assert APPROVE.allows(by, THING) is (role is Role.HEAD)


def test_somebody_without_any_role_may_nothing() -> None:
    by = Person(id=uuid4(), username="x", name="X", roles=frozenset())

    assert not APPROVE.allows(by, THING)
    assert not Act("nothing", "Tiada", frozenset()).allows(CITRA, THING)


@pytest.mark.parametrize("attribute", ["made_by_id", "checked_by_id"])
def test_whoever_made_or_checked_it_may_not_approve_it(attribute: str) -> None:
    mine = Thing(uuid4(), **{attribute: CITRA.id})
    theirs = Thing(uuid4(), **{attribute: BUDI.id})

    assert "pemisahan wewenang" in (APPROVE.refusal(CITRA, mine) or "")
    assert APPROVE.allows(CITRA, theirs)


def test_what_is_owned_is_for_its_owner_alone() -> None:
    assert EDIT.allows(ANI, Thing(uuid4(), owner=ANI.id))
    assert EDIT.allows(ANI, Thing(uuid4(), owner="BPEG"))
    assert not EDIT.allows(ZULKIFLI, Thing(uuid4(), owner=ANI.id))
    assert not EDIT.allows(ZULKIFLI, Thing(uuid4(), owner="BPEG"))
    assert "hanya untuk pemiliknya" in (EDIT.refusal(ZULKIFLI, Thing(uuid4(), owner="BPEG")) or "")


def test_ownership_binds_only_the_roles_that_it_names() -> None:
    both = ZULKIFLI.model_copy(update={"roles": frozenset({Role.PROPOSER, Role.APP_HEAD})})

    assert EDIT.allows(BUDI, Thing(uuid4(), owner=ANI.id))
    assert EDIT.allows(both, Thing(uuid4(), owner=ANI.id))


def test_ownership_that_names_no_role_binds_all() -> None:
    assert DELIVER.allows(JOKO, Thing(uuid4(), owner="CKD"))
    assert not DELIVER.allows(KIKI, Thing(uuid4(), owner="CKD"))


def test_a_thing_without_owner_is_nobodys() -> None:
    assert not EDIT.allows(ANI, Thing(uuid4(), owner=None))
    assert not DELIVER.allows(JOKO, Thing(uuid4(), owner=""))


def test_an_act_stands_once_in_its_table() -> None:
    table = Acts.of([APPROVE, EDIT])

    assert (table.approve, list(table)) == (APPROVE, [APPROVE, EDIT])
    with pytest.raises(AttributeError):
        _ = table.destroy
    with pytest.raises(ValueError, match="approve stands twice"):
        Acts.of([APPROVE, APPROVE])


def test_an_act_leaves_a_line_with_who_as_whom_and_what(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")
    acting = CITRA.model_copy(update={"acting_for": "Plt. Kepala PUSTIPD"})

    authorize(session, acting, APPROVE, THING, digest="abc")

    link = audit.head(session)
    assert link is not None
    line = session.execute(audit.entry.select().where(audit.entry.c.seq == link.seq)).one()
    assert (line.act, line.thing) == ("approve", f"Thing:{THING.id}")
    assert '"as":"Plt. Kepala PUSTIPD"' in line.line
    assert '"facts":{"digest":"abc"}' in line.line
    assert audit.verify(session)[1] == []


def test_a_refused_act_leaves_no_line(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")
    before = audit.head(session)

    with pytest.raises(NotAllowed) as refused:
        authorize(session, ANI, APPROVE, THING)

    assert refused.value.status == 403
    assert "“Setujui” bukan wewenang Anda (Ani (Pengusul BPEG))" in refused.value.detail
    assert audit.head(session) == before


HEAD_ACTS = frozenset({Role.HEAD})
DEPUTY = BUDI.model_copy(update={"roles": BUDI.roles | HEAD_ACTS, "acting": {Role.HEAD: "Plh. Kepala PUSTIPD"}})


def test_what_only_the_acting_post_carries_is_done_as_the_acting_official(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")

    by = authorize(session, DEPUTY, APPROVE, THING)

    assert (by.id, by.as_what) == (BUDI.id, "Plh. Kepala PUSTIPD")
    assert '"as":"Plh. Kepala PUSTIPD"' in last_line(session)


def test_what_the_own_post_carries_is_done_in_the_own_post(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")
    either = Act("either", "Salah satu", HEAD_ACTS | {Role.APP_HEAD})

    by = authorize(session, authorize(session, DEPUTY, APPROVE, THING), either, THING)

    assert (by.acting_for, by.as_what) == (None, BUDI.as_what)
    assert f'"as":"{BUDI.as_what}"' in last_line(session)


def test_an_own_role_that_ownership_shuts_out_does_not_carry_the_act(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")
    other = ZULKIFLI.model_copy(
        update={"roles": frozenset({Role.PROPOSER, Role.APP_HEAD}), "acting": {Role.APP_HEAD: "Plt. Koordinator"}}
    )

    assert authorize(session, other, EDIT, Thing(uuid4(), owner=ANI.id)).as_what == "Plt. Koordinator"
    assert authorize(session, other, EDIT, Thing(uuid4(), owner=ZULKIFLI.id)).as_what == ZULKIFLI.as_what


def test_a_deputy_may_not_decide_on_what_they_made_themselves(sessions: Callable[[str], Session]) -> None:
    session = sessions("helpdesk")

    with pytest.raises(NotAllowed, match="pemisahan wewenang"):
        authorize(session, DEPUTY, APPROVE, Thing(uuid4(), made_by_id=BUDI.id))


def test_acting_posts_reach_a_division_with_the_signed_header() -> None:
    key = b"k" * 32

    header = identity.sign(identity.Caller(person=DEPUTY), key=key, audience="helpdesk")

    assert identity.read(header, key=key, audience="helpdesk").person == DEPUTY


def last_line(session: Session) -> str:
    """Return the newest line of the audit chain."""
    return str(session.scalars(audit.entry.select().with_only_columns(audit.entry.c.line)).all()[-1])
