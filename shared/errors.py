"""The tree of refusals: what Alur says no to, in words for the person, with its HTTP status.

Refused
├── Incomplete        422  something is missing or malformed; `errors` names the fields
├── NotSignedIn       401  nobody, or nobody any more
├── NotAllowed        403  this person may not do this
│   └── StepUpNeeded  403  this person may, after proving once more who they are
├── NotFound          404  it does not exist, or this person may not know of it
├── OutOfTurn         409  right act, wrong moment
├── Stale             412  somebody else changed it first
├── TooLarge          413  more than is accepted
├── TooMany           429  too often; wait
└── Unavailable       503  a part is silent; the rest works

Anything else that is raised is a bug and becomes 500.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.sentence import Sentence


@dataclass(frozen=True)
class FieldError:
    """One field that has to be put right: a JSON pointer and a sentence."""

    pointer: str
    detail: str


class Refused(Exception):  # noqa: N818 - a refusal is expected; it is not an error of the program
    """An expected no: `detail` tells what happened and what to do next, in Indonesian."""

    status = 409
    code = "refused"
    title = "Permintaan tidak dapat dijalankan"
    seconds = 5
    """After how long it makes sense to ask again, for those that pass by themselves."""

    def __init__(self, detail: str, *, code: str | None = None, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = tuple(errors)


class Incomplete(Refused):
    """What was sent lacks something or is malformed."""

    status = 422
    code = "incomplete"
    title = "Isian belum lengkap atau belum benar"


class NotSignedIn(Refused):
    """Nobody is signed in."""

    status = 401
    code = "not_signed_in"
    title = "Silakan masuk dahulu"


class NotAllowed(Refused):
    """This person may not do this."""

    status = 403
    code = "not_allowed"
    title = "Anda tidak berwenang"


class StepUpNeeded(NotAllowed):
    """The person may do this, but not before proving anew that it is them."""

    code = "step_up_needed"
    title = "Konfirmasi bahwa ini Anda"

    def __init__(self, label: str, consequence: str = "") -> None:
        super().__init__(
            Sentence(
                "Tindakan “{label}” memerlukan konfirmasi bahwa ini benar-benar Anda. Masukkan kembali kata "
                "sandi atau kode Anda, lalu ulangi; sebuah program memerlukan token yang boleh memutus (lingkup "
                "decide). Belum ada yang berubah.",
                label=label,
            )
        )
        self.label = label
        self.consequence = consequence


class NotFound(Refused):
    """There is no such thing, or this person may not know of it."""

    status = 404
    code = "not_found"
    title = "Tidak ditemukan"


class OutOfTurn(Refused):
    """The act exists, but the thing is not in the state for it."""

    status = 409
    code = "out_of_turn"
    title = "Belum atau bukan gilirannya"


class Stale(Refused):
    """Somebody else changed the thing in the meantime."""

    status = 412
    code = "stale"
    title = "Data sudah diubah orang lain"


class TooLarge(Refused):
    """More bytes than are accepted."""

    status = 413
    code = "too_large"
    title = "Berkas terlalu besar"


class TooMany(Refused):
    """Too many attempts in a short time."""

    status = 429
    code = "too_many"
    title = "Terlalu sering"


class Unavailable(Refused):
    """A part of Alur is silent."""

    status = 503
    code = "unavailable"
    title = "Bagian ini sedang tidak menjawab"
