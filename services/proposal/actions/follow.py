"""The receipt of a submission, with the code by which anybody who holds it follows the case (S01)."""

from urllib.parse import urlencode

import segno
from sqlalchemy.orm import Session

from services.proposal.model import Case, FollowCode, Office, Proposal, new_code
from shared import papers, words
from shared.identity import Person
from shared.messages import PaperFact
from shared.printing import print_paper, titled


def receipt(session: Session, office: Office, case: Case, content: Proposal, doer: Person) -> PaperFact:
    """Print the receipt of a submission with number, follow code and its QR; the first one makes the code."""
    given = session.get(FollowCode, case.id)
    if given is None:
        given = FollowCode(case_id=case.id, code=new_code())
        session.add(given)
        session.flush()
    url = follow_url(office.public_url, case.number, given.printed)
    at = words.long_moment(content.submitted_at) if content.submitted_at else ""
    title = f"Tanda terima usulan {case.number}, pengajuan ke-{content.version}"
    paper = titled(
        "submission_receipt",
        "TANDA TERIMA USULAN",
        [
            papers.Facts.of(
                ("Nomor perkara", case.number),
                ("Nomor agenda", content.agenda_number),
                ("Pengajuan ke", str(content.version)),
                ("Aplikasi", case.name),
                ("Unit pengusul", case.unit),
                ("Diajukan oleh", doer.name),
                ("Diterima sistem", at),
                papers.Fact(label="Kode pantau", value=given.printed, mono=True),
            ),
            papers.Paragraph(
                text="Perjalanan usulan ini dapat dipantau tanpa akun: pindai gambar di bawah ini, atau buka "
                f"{office.public_url.rstrip('/')}/ikuti lalu tuliskan nomor perkara dan kode pantau di atas. "
                "Simpan tanda terima ini; siapa pun yang memegang kodenya dapat melihat status usulan."
            ),
            papers.Drawing(svg=_wide_code(url), words=f"Kode QR untuk memantau usulan: {url}"),
        ],
        [],
        number=content.agenda_number,
    )
    printed = print_paper(
        session,
        "proposal",
        paper,
        store=office.store,
        public_url=office.public_url,
        kind="tanda_terima_usulan",
        title=title,
        case_number=case.number,
        series=f"tanda_terima_usulan:{case.id}",
    )
    return PaperFact(kind="tanda_terima_usulan", title=title, number=content.agenda_number, digest=printed.digest)


def follow_url(public_url: str, number: str, code: str) -> str:
    """Return the address at which a case is followed without an account."""
    return f"{public_url.rstrip('/')}/ikuti?{urlencode({'nomor': number, 'kode': code})}"


def _wide_code(url: str) -> str:
    """Return the QR code at the left of a drawing that is as wide as the page."""
    code = segno.make(url, error="m", micro=False)
    inner = code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    placed = inner.replace("<svg ", '<svg x="0" y="0" width="32" height="32" ', 1)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 170 32">{placed}</svg>'
