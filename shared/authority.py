"""Who may do what: one table of acts for each division, asked in the first line of every action."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from shared import audit
from shared.database import utc_now
from shared.errors import NotAllowed, StepUpNeeded
from shared.identity import Person, Role
from shared.sentence import Sentence

SITTING = timedelta(hours=1)
"""How long a line of the audit chain stands for what the browser of the same person saves of the same thing."""
INSTEAD = "Mohon hubungi pemegang wewenang atau koordinator divisi Anda."


@dataclass(frozen=True)
class Act:
    """One thing that a division lets people do."""

    name: str
    """The verb in code, the name of its action."""
    label: str
    """The button: an Indonesian verb."""
    roles: frozenset[Role]
    """Whoever holds one of these may do it; everybody else may not."""
    step: str = ""
    """Step of the procedure."""
    consequence: str = ""
    """One sentence on what happens next, shown before the act."""
    not_by: tuple[str, ...] = ()
    """Attributes of the thing that hold ids of persons who may not do it: separation of duties."""
    own: str = ""
    """Attribute of the thing that holds whose it is: only the same person id, unit or vendor may."""
    own_roles: frozenset[Role] = frozenset()
    """Roles that are bound by `own`; the other roles of the act are not. Empty: every role is bound."""
    danger: bool = False
    """Shown as a harmful act that wants to be confirmed."""
    step_up: bool = False
    """Only for who has just proved that it is them: what approves, permits, deploys or pays."""
    saves_itself: bool = False
    """A browser does it every few seconds while somebody writes: the audit chain has one line for each sitting.

    It says who worked on the thing and when, as it should, and is not filled with a line for each pause; what was
    written is told by the act that hands the draft in, which keeps it. Lines also wait for each other until commit, so
    that everybody who writes would wait for everybody else.
    """

    def refusal(self, by: Person, thing: Any) -> str | None:
        """Return why this person may not, in Indonesian, or None when they may."""
        if not self.roles & by.roles:
            return Sentence(
                "Tindakan “{label}” bukan wewenang Anda ({as_what}). {instead}",
                label=self.label,
                as_what=by.as_what,
                instead=INSTEAD,
            )
        if not self.carriers(by, thing):
            return Sentence("Tindakan “{label}” hanya untuk pemiliknya. {instead}", label=self.label, instead=INSTEAD)
        if any(by.id == getattr(thing, attribute) for attribute in self.not_by):
            return Sentence(
                "Tindakan “{label}” tidak boleh dilakukan oleh orang yang mengajukan atau mengerjakannya "
                "(pemisahan wewenang). {instead}",
                label=self.label,
                instead=INSTEAD,
            )
        return None

    def carriers(self, by: Person, thing: Any) -> frozenset[Role]:
        """Return those of the person's roles that carry this act on this thing; separation of duties not yet asked."""
        held = self.roles & by.roles
        if self.own and held and getattr(thing, self.own) not in _own(by):
            return held - (self.own_roles or self.roles)
        return held

    def allows(self, by: Person, thing: Any) -> bool:
        """Tell whether this person may do this to this thing."""
        return self.refusal(by, thing) is None


def _own(by: Person) -> set[Any]:
    return {by.id} | ({by.unit} if by.unit else set()) | ({by.vendor} if by.vendor else set())


@dataclass(frozen=True)
class Acts:
    """A division's table of acts, by name."""

    rows: dict[str, Act] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Act]) -> "Acts":
        """Return the table of these acts; a name stands once."""
        table: dict[str, Act] = {}
        for act in rows:
            if act.name in table:
                raise ValueError(f"act {act.name} stands twice")
            table[act.name] = act
        return cls(table)

    def __getattr__(self, name: str) -> Act:
        try:
            return self.rows[name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[Act]:
        return iter(self.rows.values())


RELATIONS = {
    "proposer_id": "pengusul",
    "recommended_by_id": "yang merekomendasikan",
    "tester_id": "penguji",
    "installed_by_id": "yang memasang",
    "requested_by_id": "pemohon",
    "reported_by_id": "pelapor",
    "reporter_id": "pelapor",
    "author_id": "penulis",
    "made_by_id": "pembuat",
    "authorised_by_id": "yang mengizinkan",
    "locked_by_id": "yang mengunci RAB",
    "drafted_by_id": "penyusun",
    "claimed_by_id": "penagih",
    "verified_by_id": "pemeriksa",
    "conveyed_by_id": "yang menyiapkan",
    "app_head_id": "Koordinator Aplikasi yang menandatangani",
    "service_head_id": "Kepala Divisi Layanan yang menandatangani",
    "vendor": "penyedia",
    "vendor_code": "penyedia",
    "person_id": "pelaksananya",
    "id": "orang itu sendiri",
}
"""What the attributes of `own` and `not_by` are called where people read the table."""


class ActView(BaseModel):
    """One act of a table as it is told to the gateway and read by an auditor."""

    name: str
    label: str
    step: str
    roles: list[Role]
    own: str
    """Whose it must be, in words; empty: anybody's."""
    own_roles: list[Role]
    """The roles that are bound by `own`."""
    not_by: list[str]
    """Who may not do it whatever their role, in words."""
    step_up: bool = False
    """Only after a fresh proof (password or code)."""

    @classmethod
    def of(cls, act: Act) -> "ActView":
        """Return the view of an act; roles in the order of the alphabet."""
        return cls(
            name=act.name,
            label=act.label,
            step=act.step,
            roles=sorted(act.roles),
            own=RELATIONS[act.own] if act.own else "",
            own_roles=sorted(act.own_roles or act.roles) if act.own else [],
            not_by=[RELATIONS[attribute] for attribute in act.not_by],
            step_up=act.step_up,
        )


def authorize(session: Session, by: Person, act: Act, thing: Any, **facts: Any) -> Person:
    """Refuse (NotAllowed, StepUpNeeded) whoever may not; else write who did what as whom into the audit chain.

    Of an act that saves itself the chain has one line for each person, thing and hour.
    Returns the person in the capacity that carries the act: as acting official (Plt./Plh.) only where no post of
    their own does. An action goes on with that one, so that letters, papers and the trace say the same as the chain.
    The line stands or falls with the transaction of the act. `facts` are ids, numbers and digests, no secrets.
    """
    reason = act.refusal(by, thing)
    if reason:
        raise NotAllowed(reason)
    if act.step_up and not by.is_proved():
        raise StepUpNeeded(act.label, act.consequence)
    acting = by.carried_by(act.carriers(by, thing))
    if not act.saves_itself or not audit.has_line(session, acting, act.name, thing, since=utc_now() - SITTING):
        audit.record(session, acting, act.name, thing, **facts)
    return acting
