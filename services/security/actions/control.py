"""The answers of people to the 72 controls (BSSN 4/2021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from services.security import queries
from services.security.authority import ACTS
from services.security.model import ControlAnswer, SecurityTest
from shared.authority import authorize
from shared.errors import FieldError, Incomplete
from shared.identity import Person
from shared.procedure import security_controls
from shared.sentence import Sentence

CONTROLS = frozenset(control["number"] for control in security_controls())


@dataclass(frozen=True)
class Answer:
    """A person's answer to one control: pass, fail or not_applicable (which needs a note)."""

    control: str
    answer: str
    note: str = ""


def answer_controls(session: Session, by: Person, test_id: UUID, *, answers: Sequence[Answer]) -> SecurityTest:
    """Keep a person's answers to controls; a later answer replaces an earlier one (BSSN 4/2021).

    Raises Incomplete for a control that does not exist and for "not applicable" without a reason.
    """
    found = queries.test(session, by, test_id, is_locked=True)
    by = authorize(session, by, ACTS.answer_controls, found, answers=len(answers))
    found.move("answer_controls")
    wrong = [error for answer in answers if (error := _fault(answer))]
    if wrong:
        raise Incomplete(wrong[0].detail, errors=wrong)
    rows = [
        {"test_id": found.id, "control": a.control, "answer": a.answer, "note": a.note, "by_name": by.name}
        for a in {answer.control: answer for answer in answers}.values()
    ]
    if rows:
        statement = insert(ControlAnswer).values(rows)
        kept = {name: statement.excluded[name] for name in ("answer", "note", "by_name")}
        session.execute(statement.on_conflict_do_update(index_elements=["test_id", "control"], set_=kept))
    return found


def _fault(answer: Answer) -> FieldError | None:
    place = f"/answers/{answer.control}"
    if answer.control not in CONTROLS:
        return no_such_control(answer.control, place).errors[0]
    if answer.answer == "not_applicable" and len(answer.note.strip()) < 5:
        return FieldError(
            f"{place}/note",
            Sentence("Butir {control}: “tidak berlaku” memerlukan alasan tertulis.", control=answer.control),
        )
    return None


def no_such_control(control: str, pointer: str) -> Incomplete:
    """Return the refusal of a control that does not exist."""
    words = Sentence("Butir kendali “{control}” tidak ada. Pilih K01 sampai K72.", control=control)
    return Incomplete(words, errors=[FieldError(pointer, words)])
