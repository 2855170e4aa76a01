"""The division's papers: the note of what was provided, the record of an installation, the note of a release."""

from sqlalchemy.orm import Session

from services.deploy.model import Hosting, Installation, KeptPermit, Release
from services.deploy.plan import Plan
from shared import letters
from shared.database import utc_now
from shared.identity import Person
from shared.institution import institution
from shared.messages import PaperFact
from shared.papers import Block, Column, Fact, Facts, Heading, Paper, Paragraph, Signature, Table
from shared.printing import Office, closing, print_paper, signed, titled
from shared.words import date_in_words, local_date, long_moment

OFFICE = "INFRA"
"""Ending of the office in numbers: each division counts its own series."""


def provisioning_note(session: Session, office: Office, hosting: Hosting, by: Person) -> PaperFact:
    """Print what was set aside for an application, and keep it on the hosting (S07: catatan penyediaan)."""
    application, place = hosting.application, hosting.place
    paper = titled(
        "provisioning_note",
        "Catatan Penyediaan Hosting",
        (
            Paragraph(
                text=f"Pada hari ini {date_in_words(utc_now())}, Divisi Infrastruktur telah menyediakan domain dan "
                "ruang hosting sebagai berikut."
            ),
            Facts.of(
                ("Nomor perkara", application.case_number),
                ("Aplikasi", f"{application.name} ({application.code})"),
                ("Peruntukan", hosting.purpose),
                _exact("Alamat umum", hosting.public_host),
                _exact("Alamat tertutup", hosting.closed_host),
                ("Server", place.name),
                ("Ruang", f"{hosting.disk_mb} MB"),
                ("Basis data", "tidak diminta (aplikasi statis)"),
                ("Dimohon oleh", hosting.requested_by_name),
            ),
            closing("catatan"),
        ),
        (signed(by, heading="Disediakan oleh"),),
        number=_number(session),
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
    number = _number(session)
    plan = Plan.model_validate(installation.plan)
    steps = tuple((str(i), step.effect) for i, step in enumerate(plan.steps, 1))
    blocks: tuple[Block, ...] = (
        Paragraph(
            text=f"Pada hari ini {date_in_words(now)}, Divisi Infrastruktur telah memasang aplikasi "
            f"{application.name} di alamat tertutup. Pengguna belum dapat membuka rilis ini sampai lulus uji keamanan."
        ),
        Facts.of(
            ("Nomor perkara", application.case_number),
            ("Aplikasi", f"{application.name} ({application.code}), rilis {release.number}"),
            ("Paket", build.file_name),
            _exact("Sidik paket (SHA-256)", build.digest),
            ("Isi paket", f"{build.files} berkas, {build.total_size} bita"),
            ("Server", hosting.place.name),
            _exact("Alamat tertutup", hosting.closed_host),
            _exact("Sidik rencana", installation.plan_digest),
            (
                "Pemeriksaan akhir",
                "Sidik seluruh berkas di server cocok; halaman depan alamat tertutup menjawab.",
            ),
            ("Alamat umum", "Tetap melayani rilis sebelumnya" if is_open else "Tertutup bagi pengguna"),
        ),
        Heading(text="Langkah yang dikerjakan"),
        Table(columns=(Column(title="No.", align="right"), Column(title="Langkah", width=1)), rows=steps)
        if steps
        else Paragraph(text="Server sudah sesuai; tidak ada yang perlu diubah."),
        closing("berita acara"),
    )
    paper = titled(
        "installation_record",
        "Berita Acara Instalasi",
        blocks,
        (
            Signature(heading="Dikerjakan oleh", post=maker.as_what, name=maker.name, signed_at=now),
            Signature(
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
    paper = titled(
        "release_note",
        "Catatan Rilis",
        (
            Paragraph(
                text=f"Pada hari ini {date_in_words(opened)}, aplikasi {application.name} dibuka untuk pengguna "
                "setelah dinyatakan lulus uji keamanan."
            ),
            Facts.of(
                ("Nomor perkara", application.case_number),
                ("Rilis", str(release.number)),
                ("Dibuka pada", long_moment(opened)),
                _exact("Alamat", release.hosting.public_address),
                _exact("Sidik paket (SHA-256)", release.digest),
                _exact("Izin keamanan", str(permit.id)),
                ("Izin berlaku sampai", long_moment(permit.valid_until)),
                ("Pembukaan diizinkan oleh", release.authorised_by_name),
            ),
            closing("catatan rilis"),
        ),
        (signed(by, heading="Dibuka oleh"),),
        number=_number(session),
    )
    fact = _printed(session, office, paper, kind="catatan_rilis", case_number=application.case_number)
    release.paper_digest = fact.digest
    return fact


def _number(session: Session) -> str:
    """Take the number of the next record of this division."""
    on, series = local_date(utc_now()), f"{institution().record_office}-{OFFICE}"
    return letters.number("record", letters.next_number(session, "record", on.year, office=series), on, office=series)


def _printed(session: Session, office: Office, paper: Paper, *, kind: str, case_number: str) -> PaperFact:
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


def _exact(label: str, value: str) -> Fact:
    """Return a fact that is compared letter by letter."""
    return Fact(label=label, value=value, mono=True)
