"""Comments: who reads and writes them, whom a mention tells, and that nothing said is ever deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from services.proposal import actions, queries
from services.proposal.model import Comment
from services.proposal.schemas.comment import CommentView
from shared.database import utc_now
from shared.directory import take_person
from shared.errors import Incomplete, NotAllowed, NotFound, OutOfTurn
from shared.identity import Person
from shared.messages import PersonChanged, PostHeld
from shared.words import local_date
from tests.people import ANI, BUDI, CITRA, JOKO, LINA, SARI, ZULKIFLI
from tests.proposal.walk import Walk


def listed(walk: Walk, *people: Person) -> None:
    """Let the division's directory know these people with their posts."""
    for person in people:
        posts = tuple(
            PostHeld(
                appointment_id=person.id,
                role=role.value,
                kind="definitive",
                title=person.title,
                from_on=local_date(utc_now()) - timedelta(days=1),
            )
            for role in person.roles
        )
        told = PersonChanged(
            person_id=person.id, username=person.username, name=person.name, unit=person.unit, vendor=person.vendor,
            changed_at=utc_now(), posts=posts,
        )  # fmt: skip
        take_person(walk.session, told)


def told(walk: Walk) -> list[str]:
    """Return the ids of who is told by the letters that leave."""
    rows = walk.session.execute(
        text("SELECT body::json->>'person_id' FROM msg.outbox WHERE kind = 'PersonMentioned' ORDER BY seq")
    )
    return [row[0] for row in rows]


def test_a_mention_tells_who_sees_the_case_once_and_nobody_else(walk: Walk) -> None:
    listed(walk, ANI, BUDI, CITRA, ZULKIFLI, JOKO)
    case = walk.submitted()

    made = actions.write_comment(
        walk.session,
        BUDI,
        case.id,
        words="Mohon @citra dan @ani periksa; @zulkifli @joko @tidakada @budi x@citra @citra",
    )

    assert [one["username"] for one in made.mentions] == ["citra", "ani"]
    assert sorted(told(walk)) == sorted([str(CITRA.id), str(ANI.id)])
    assert CommentView.of(made, BUDI).untold == ["zulkifli", "joko", "tidakada"]
    assert CommentView.of(made, CITRA).untold == []


def test_an_internal_word_is_for_the_centre_only(walk: Walk) -> None:
    listed(walk, ANI, CITRA)
    case = walk.submitted()
    actions.write_comment(walk.session, BUDI, case.id, words="Anggarannya ada? @citra @ani", is_internal=True)
    actions.write_comment(walk.session, ANI, case.id, words="Kapan dianalisis?")

    assert [one.words for one in queries.comments(walk.session, ANI, case.number)[1]] == ["Kapan dianalisis?"]
    assert len(queries.comments(walk.session, SARI, case.number)[1]) == 2
    assert [queries.whole(walk.session, by, case.id).comments for by in (ANI, BUDI)] == [1, 2]
    assert told(walk) == [str(CITRA.id)]
    walk.refuses(NotAllowed, actions.write_comment, ANI, case.id, words="Rahasia.", is_internal=True)


@pytest.mark.parametrize(
    ("by", "refusal"), [(ZULKIFLI, NotFound), (JOKO, NotFound), (SARI, NotAllowed), (LINA, NotFound)]
)
def test_who_does_not_see_the_case_or_only_reads_does_not_speak(
    walk: Walk, by: Person, refusal: type[NotFound | NotAllowed]
) -> None:
    case = walk.submitted()

    walk.refuses(refusal, actions.write_comment, by, case.id, words="Halo.")


def test_a_vendor_reads_no_comments_of_its_own_case(walk: Walk) -> None:
    case = walk.submitted()
    case.vendor = JOKO.vendor

    walk.refuses(NotFound, queries.comments, JOKO, case.number)


def test_the_author_mends_within_fifteen_minutes_and_withdraws_at_any_time(walk: Walk) -> None:
    listed(walk, CITRA)
    case = walk.submitted()
    made = actions.write_comment(walk.session, BUDI, case.id, words="Salah tulis.")

    actions.edit_comment(walk.session, BUDI, made.id, words="Sudah benar, @citra.")
    actions.edit_comment(walk.session, BUDI, made.id, words="Sudah benar, @citra!")
    made.created_at = utc_now() - timedelta(minutes=16)
    walk.refuses(OutOfTurn, actions.edit_comment, BUDI, made.id, words="Terlambat.")
    actions.withdraw_comment(walk.session, BUDI, made.id)

    view = CommentView.of(walk.session.get_one(Comment, made.id), ANI)
    assert told(walk) == [str(CITRA.id)]
    assert (view.words, view.told) == ("", [])
    assert view.withdrawn_at
    assert walk.session.get_one(Comment, made.id).words == "Sudah benar, @citra!"
    walk.refuses(OutOfTurn, actions.edit_comment, BUDI, made.id, words="Lagi.")


def test_nobody_else_mends_or_withdraws(walk: Walk) -> None:
    case = walk.submitted()
    made = actions.write_comment(walk.session, BUDI, case.id, words="Punya Budi.")
    internal = actions.write_comment(walk.session, BUDI, case.id, words="Rahasia.", is_internal=True)

    walk.refuses(NotAllowed, actions.edit_comment, ANI, made.id, words="Diubah.")
    walk.refuses(NotAllowed, actions.withdraw_comment, CITRA, made.id)
    walk.refuses(NotFound, actions.withdraw_comment, ANI, internal.id)


@pytest.mark.parametrize("words", ["", "   ", "x" * 4001])
def test_nothing_and_too_much_are_refused(walk: Walk, words: str) -> None:
    walk.refuses(Incomplete, actions.write_comment, ANI, walk.submitted().id, words=words)


def test_a_long_talk_is_read_page_by_page(walk: Walk) -> None:
    case = walk.submitted()
    for n in range(5):
        actions.write_comment(walk.session, ANI, case.id, words=f"Nomor {n}")

    _, first = queries.comments(walk.session, ANI, case.number, limit=3)
    last = first[-1]
    _, rest = queries.comments(walk.session, ANI, case.number, limit=3, after=(last.created_at, last.id))

    assert [one.words for one in (*first, *rest)] == [f"Nomor {n}" for n in (4, 3, 2, 1, 0)]


def test_every_word_stands_in_the_audit_chain_by_its_digest(walk: Walk) -> None:
    case = walk.submitted()

    actions.write_comment(walk.session, ANI, case.id, words="Rahasia dagang.")

    line = walk.session.execute(
        text("SELECT line FROM audit.entry WHERE act = 'write_comment' ORDER BY seq DESC LIMIT 1")
    ).scalar_one()
    assert "digest" in line
    assert "Rahasia dagang" not in line
