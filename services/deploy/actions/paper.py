"""The division's papers: the note of what was provided, the record of an installation, the note of a release."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy.orm import Session

from services.deploy.model import Hosting, Installation, KeptPermit, Release
from services.deploy.plan import Plan
from shared import letters, papers
from shared.database import utc_now
from shared.identity import Person
from shared.institution import institution
from shared.messages import PaperFact
from shared.printing import print_paper
from shared.store import Store
from shared.words import date_in_words, local_date, long_moment

OFFICE = "INFRA"
"""Ending of the office in numbers: each division counts its own series."""
END = "dibuat dengan sebenarnya untuk dipergunakan sebagaimana mestinya."


@dataclass(frozen=True)
class Office:
    """What an act needs to print its paper; the doors make it from the settings and hand it down."""

    store: Store
    public_url: str


def provisioning_note(session: Session, office: Office, hosting: Hosting, by: Person) -> PaperFact:
    """Print what was set aside for an application, and keep it on the hosting (S07: catatan penyediaan)."""
    application, place = hosting.application, hosting.place
    rows = (
        ("Nomor perkara", application.case_number, False),
        ("Aplikasi", f"{application.name} ({application.code})", False),
        ("Peruntukan", hosting.purpose, False),
        ("Alamat umum", hosting.public_host, True),
        ("Alamat tertutup", hosting.closed_host, True),
        ("Server", place.name, False),
        ("Ruang", f"{hosting.disk_mb} MB", False),
        ("Basis data", "tidak diminta (aplikasi statis)", False),
        ("Dimohon oleh", hosting.requested_by_name, False),
    )
    paper = _paper(
        "provisioning_note",
        "Catatan Penyediaan Hosting",
        (
            papers.Paragraph(text="Divisi Infrastruktur telah menyediakan domain dan ruang hosting berikut."),
            _facts(*rows),
        ),
        (_signed(by, heading="Disediakan oleh"),),
    )
    fact = _printed(session, office, paper, kind="catatan_penyediaan", case_number=application.case_number)
    hosting.paper_digest = fact.digest
    return fact


def installation_record(
    session: Session, office: Office, installation: Installation, release: Release, *, is_open: bool
) -> PaperFact:
    """Print the record of an installation with its number, and keep it on the installation (S07).

    `is_open` is what the host said of the public address: whether an earlier release serves there meanwhile.
    """
    maker = Person.model_validate(installation.maker)
    hosting, build = installation.hosting, installation.build
    application, now = hosting.application, utc_now()
    series = f"{institution().record_office}-{OFFICE}"
    on = local_date(now)
    n = letters.next_number(session, "record", on.year, office=series)
    number = letters.number("record", n, on, office=series)
    plan = Plan.model_validate(installation.plan)
    steps = tuple((str(i), step.effect) for i, step in enumerate(plan.steps, 1))
    blocks: tuple[papers.Block, ...] = (
        papers.Paragraph(
            text=f"Pada hari ini, {date_in_words(now)}, Divisi Infrastruktur telah memasang aplikasi "
            f"{application.name} di alamat tertutup. Pengguna belum dapat membuka rilis ini sampai lulus uji keamanan."
        ),
        _facts(
            ("Nomor perkara", application.case_number, False),
            ("Aplikasi", f"{application.name} ({application.code}), rilis {release.number}", False),
            ("Paket", build.file_name, False),
            ("Sidik paket (SHA-256)", build.digest, True),
            ("Isi paket", f"{build.files} berkas, {build.total_size} bita", False),
            ("Server", hosting.place.name, False),
            ("Alamat tertutup", hosting.closed_host, True),
            ("Sidik rencana", installation.plan_digest, True),
            (
                "Pemeriksaan akhir",
                "Sidik seluruh berkas di server cocok; halaman depan alamat tertutup menjawab.",
                False,
            ),
            ("Alamat umum", "Tetap melayani rilis sebelumnya" if is_open else "Tertutup bagi pengguna", False),
        ),
        papers.Heading(text="Langkah yang dikerjakan"),
        papers.Table(
            columns=(papers.Column(title="No", align="right"), papers.Column(title="Langkah", width=1)), rows=steps
        )
        if steps
        else papers.Paragraph(text="Server sudah sesuai; tidak ada yang perlu diubah."),
        papers.Paragraph(text=f"Demikian berita acara ini {END}"),
    )
    paper = _paper(
        "installation_record",
        "Berita Acara Instalasi",
        blocks,
        (
            papers.Signature(heading="Dikerjakan oleh", post=maker.as_what, name=maker.name, signed_at=now),
            papers.Signature(
                heading="Disetujui oleh",
                post="Kepala Divisi Infrastruktur",
                name=installation.approved_by_name,
                signed_at=installation.approved_at,
            ),
        ),
        number=number,
    )
    installation.paper_number = number
    fact = _printed(session, office, paper, kind="berita_acara_instalasi", case_number=application.case_number)
    installation.paper_digest = fact.digest
    return fact


def release_note(session: Session, office: Office, release: Release, permit: KeptPermit, by: Person) -> PaperFact:
    """Print that a release was opened, by whom and under which permit, and keep it on the release (F04)."""
    application = release.application
    opened = release.live_at or utc_now()
    paper = _paper(
        "release_note",
        "Catatan Rilis",
        (
            papers.Paragraph(text=f"Aplikasi {application.name} dibuka untuk pengguna pada {long_moment(opened)}."),
            _facts(
                ("Nomor perkara", application.case_number, False),
                ("Rilis", str(release.number), False),
                ("Alamat", release.hosting.public_address, True),
                ("Sidik paket (SHA-256)", release.digest, True),
                ("Izin keamanan", str(permit.id), True),
                ("Izin berlaku sampai", long_moment(permit.valid_until), False),
                ("Pembukaan diizinkan oleh", release.authorised_by_name, False),
            ),
        ),
        (_signed(by, heading="Dibuka oleh"),),
    )
    fact = _printed(session, office, paper, kind="catatan_rilis", case_number=application.case_number)
    release.paper_digest = fact.digest
    return fact


def _paper(
    kind: str,
    title: str,
    blocks: tuple[papers.Block, ...],
    signatures: tuple[papers.Signature, ...],
    *,
    number: str = "",
) -> papers.Paper:
    place = institution()
    return papers.Paper(
        kind=kind,
        title=title,
        number=number,
        on=local_date(utc_now()),
        place=place.city,
        letterhead=place.letterhead,
        blocks=blocks,
        signatures=signatures,
    )


def _printed(session: Session, office: Office, paper: papers.Paper, *, kind: str, case_number: str) -> PaperFact:
    """Print a paper with its code, keep the file, and name it for the trace."""
    printed = print_paper(
        session,
        "deploy",
        paper,
        store=office.store,
        public_url=office.public_url,
        kind=kind,
        case_number=case_number,
    )
    return PaperFact(kind=kind, title=paper.title, number=paper.number, digest=printed.digest)


def _facts(*rows: tuple[str, str, bool]) -> papers.Facts:
    return papers.Facts(rows=tuple(papers.Fact(label=label, value=value, mono=mono) for label, value, mono in rows))


def _signed(by: Person, *, heading: str) -> papers.Signature:
    """Return the record that a person did this here and now, acting officials with their prefix."""
    acting = by.acting_for or ""
    prefix: Literal["", "Plt.", "Plh."] = "Plt." if acting.startswith("Plt.") else ""
    prefix = "Plh." if acting.startswith("Plh.") else prefix
    post = acting.removeprefix(prefix).strip() or by.title or by.name
    name = "" if by.name == post else by.name
    return papers.Signature(heading=heading, post=post, name=name, prefix=prefix, signed_at=utc_now())
