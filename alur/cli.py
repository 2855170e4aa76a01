"""The command line of Alur, for operators and staff."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer

from alur.settings import MachineSettings
from shared.errors import Refused
from shared.identity import Role
from shared.keys import SERVICES

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Alur: dari usulan sampai layanan, satu jejak.",
)
audit_app = typer.Typer(no_args_is_help=True, help="Rantai jejak audit.")
message_app = typer.Typer(no_args_is_help=True, help="Pesan antardivisi.")
app.add_typer(audit_app, name="audit")
person_app = typer.Typer(no_args_is_help=True, help="Orang, kata sandi, dan penugasan Plt./Plh.")
app.add_typer(message_app, name="msg")
app.add_typer(person_app, name="person")

AsJson = Annotated[bool, typer.Option("--json", help="Keluarkan JSON.")]
Username = Annotated[str, typer.Argument(metavar="PENGGUNA", help="Nama pengguna.")]
Service = StrEnum("Service", {name: name for name in SERVICES})  # type: ignore[misc]


def main() -> None:
    """Run a command; a refusal becomes its sentence and exit code 1."""
    from alur import manual

    try:
        sys.exit(manual.run(app))
    except Refused as refusal:
        typer.echo(f"{refusal.title}. {refusal.detail}", err=True)
        for error in refusal.errors:
            if error.detail != refusal.detail:
                typer.echo(f"  {error.pointer}: {error.detail}", err=True)
        # Not signed in and not allowed have a code of their own: a script can tell them from work that failed.
        sys.exit(3 if refusal.status in (401, 403) else 1)


def _leave(code: int, words: str) -> NoReturn:
    typer.echo(words, err=code != 0)
    raise typer.Exit(code)


@app.command()
def up() -> None:
    """Nyalakan semuanya di mesin ini; Ctrl-C menghentikannya."""
    from alur.one_machine import Machine

    Machine(MachineSettings(), say=lambda words: typer.echo(words)).run()


@app.command()
def demo(as_json: AsJson = False) -> None:
    """Jalankan satu aplikasi melalui kesebelas langkah."""
    from alur.walk import run

    raise typer.Exit(run(MachineSettings(), as_json=as_json))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Periksa apa yang sehat dan apa yang tidak."""
    from alur.doctor import examine

    findings = examine(MachineSettings())
    if as_json:
        typer.echo(json.dumps([finding.__dict__ for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            mark = "baik " if finding.is_well else "PERLU"
            typer.echo(f"[{mark}] {finding.what}: {finding.words}")
    raise typer.Exit(0 if all(finding.is_well for finding in findings) else 1)


@app.command()
def serve(
    service: Annotated[Service, typer.Argument(metavar="LAYANAN", help="Layanan yang dijalankan.")],
    host: Annotated[str, typer.Option(help="Alamat yang didengarkan.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 8000,
) -> None:
    """Jalankan pintu web satu layanan (bentuk terpisah)."""
    import uvicorn

    os.environ["ALUR_SERVICE"] = str(service)
    uvicorn.run(
        "alur.parts:split_web",
        factory=True,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )


@app.command()
def work(
    service: Annotated[list[Service] | None, typer.Argument(metavar="LAYANAN", help="Kosong berarti semua.")] = None,
    concurrency: Annotated[int, typer.Option(help="Banyaknya proses penangan.")] = 3,
) -> None:
    """Tangani pesan dan pekerjaan layanan (satu proses induk)."""
    from alur.parts import work as run

    raise typer.Exit(run(tuple(str(s) for s in service) if service else SERVICES, concurrency=concurrency))


@app.command()
def clock() -> None:
    """Jalankan jam: apa yang terjadi dengan sendirinya (bentuk terpisah)."""
    from alur.parts import tick

    tick()


@app.command()
def migrate(
    service: Annotated[list[Service] | None, typer.Argument(metavar="LAYANAN", help="Kosong berarti semua.")] = None,
) -> None:
    """Perbarui tabel basis data layanan (kosong berarti semua)."""
    from alur.parts import settings_of
    from shared.migrate import migrate as bring_up_to_date

    for name in [str(s) for s in service] if service else SERVICES:
        bring_up_to_date(settings_of(name).database_url, service=name)
        typer.echo(f"{name}: tabel terbaru")


@app.command()
def keys(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder kunci.")]) -> None:
    """Buat kunci yang belum ada (bentuk terpisah)."""
    from shared import permit
    from shared.keys import make_keys, make_ssh_key

    make_keys(folder)
    make_ssh_key(folder)
    if not (folder / "permit.key").exists():
        permit.new_key_pair(folder)
    typer.echo(f"Kunci lengkap di {folder}")


Follow = Annotated[bool, typer.Option("--follow", help="Ikuti sampai selesai; Ctrl-C tidak menghentikan pekerjaan.")]
Yes = Annotated[bool, typer.Option("--yes", help="Jangan tanyakan lagi.")]
AppName = Annotated[str, typer.Argument(metavar="APLIKASI", help="Kode aplikasi atau nomor perkara.")]


@app.command()
def deploy(application: AppName, follow: Follow = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Langkah berikut satu aplikasi menuju pengguna: susun rencana, setujui dan pasang, atau buka."""
    from alur import deploying
    from alur.errand import Errand, ErrandSettings
    from alur.following import Teller

    with Errand(ErrandSettings()) as errand:
        raise typer.Exit(deploying.deploy(errand, application, Teller(as_json=as_json), follow=follow, yes=yes))


@app.command()
def scan(application: AppName, follow: Follow = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Mulai uji keamanan yang menunggu, atau ikuti yang berjalan."""
    from alur import deploying
    from alur.errand import Errand, ErrandSettings
    from alur.following import Teller

    with Errand(ErrandSettings()) as errand:
        raise typer.Exit(deploying.scan(errand, application, Teller(as_json=as_json), follow=follow, yes=yes))


@app.command()
def waiting(as_json: AsJson = False) -> None:
    """Tampilkan apa yang menunggu Anda di semua bagian."""
    from alur import deploying
    from alur.errand import Errand, ErrandSettings

    with Errand(ErrandSettings()) as errand:
        rows = deploying.waiting(errand)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        typer.echo("Tidak ada yang menunggu Anda saat ini.")
    for row in [] if as_json else rows:
        since = f"{_local(row['since']):%d/%m/%Y}"
        typer.echo(f"{since}  {row['case_number'] or '-':<16} {row['title']} ({row['about']})  {row['path']}")


@app.command()
def case(
    number: Annotated[str, typer.Argument(metavar="NOMOR", help="Nomor perkara.")], as_json: AsJson = False
) -> None:
    """Tampilkan jejak satu perkara."""
    from alur import deploying
    from alur.errand import Errand, ErrandSettings

    with Errand(ErrandSettings()) as errand:
        found = deploying.case(errand, number)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(f"{found['number']}  {found['name']}  [{found['label']}]")
    for entry in found["trace"]:
        at = f"{_local(entry['at']):%d/%m/%Y %H.%M} WIB"
        typer.echo(f"{at}  {entry['step']:<4} {entry['says']:<60} {entry['person']} ({entry['as_what']})")


def _local(moment: str) -> datetime:
    """Return a moment of the API as the clocks of the campus show it."""
    from shared.words import WIB

    return datetime.fromisoformat(moment).astimezone(WIB)


@contextmanager
def _databases() -> Iterator[Callable[[str], Any]]:
    """Open the databases of a running installation: those of the environment, else this machine's own."""
    from alur.embedded import Postgres
    from shared.database import Database

    settings = MachineSettings()
    opened: dict[str, Database] = {}

    def database(service: str) -> Database:
        if service not in opened:
            url = os.environ.get(f"ALUR_{service.upper()}_DATABASE_URL")
            if not url:
                postgres = Postgres(settings.folder / "postgres")
                if postgres.pid is None:
                    _leave(1, "Alur tidak berjalan di folder ini. Jalankan `make up` dahulu, atau isi ALUR_HOME.")
                url = postgres.url(service)
            opened[service] = Database(url, application_name="alur-cli")
        return opened[service]

    try:
        yield database
    finally:
        for one in opened.values():
            one.close()


@audit_app.command("verify")
def audit_verify(as_json: AsJson = False) -> None:
    """Periksa rantai audit setiap layanan dan cocokkan dengan jejak perkara."""
    from alur.auditing import verify_all

    with _databases() as database:
        report = verify_all(database, anchors=MachineSettings().folder / "anchors")
    if as_json:
        typer.echo(report.model_dump_json())
    else:
        for line in report.lines():
            typer.echo(line)
    raise typer.Exit(0 if report.is_whole else 1)


Division = Annotated[Service, typer.Argument(metavar="BAGIAN", help="Bagian yang mengirimnya.")]
MessageId = Annotated[UUID, typer.Argument(metavar="PESAN", help="Nomornya menurut `alur msg list`.")]


@message_app.command("list")
def message_list(as_json: AsJson = False) -> None:
    """Tampilkan pesan yang mati dan yang tertahan di belakangnya."""
    from shared import mailbox

    rows: list[dict[str, Any]] = []
    with _databases() as database:
        for service in SERVICES:
            with database(service).session() as session:
                rows += [{"division": service, **asdict(letter)} for letter in mailbox.dead_letters(session)]
    if as_json:
        typer.echo(json.dumps(rows, default=str))
    elif not rows:
        typer.echo("Tidak ada pesan yang mati.")
    for row in [] if as_json else rows:
        typer.echo(
            f"{row['division']} -> {row['dest']}: {row['kind']} {row['id']}, "
            f"mati sejak {row['dead_at']:%d/%m/%Y %H.%M}, {row['held']} menunggu di belakangnya. Sebab: {row['reason']}"
        )


@message_app.command("retry")
def message_retry(division: Division, message_id: MessageId) -> None:
    """Kirim ulang satu pesan yang mati."""
    from shared import mailbox

    with _databases() as database, database(str(division)).transaction() as session:
        mailbox.retry(session, message_id)
    typer.echo("Pesan akan dikirim ulang.")


@message_app.command("skip")
def message_skip(
    division: Division, message_id: MessageId, reason: Annotated[str, typer.Option(help="Alasan tertulis.")]
) -> None:
    """Lewati satu pesan yang mati, dengan alasan."""
    from shared import mailbox

    with _databases() as database, database(str(division)).transaction() as session:
        mailbox.skip(session, message_id, reason=reason)
    typer.echo("Pesan dilewati; pesan berikutnya berjalan.")


@person_app.command("add")
def person_add(
    username: Username,
    name: Annotated[str, typer.Option(help="Nama lengkap.")],
    role: Annotated[list[Role], typer.Option(help="Peran; boleh diulang.")],
    title: Annotated[str, typer.Option(help="Jabatan seperti tercetak; kosong: menurut peran.")] = "",
    unit: Annotated[str | None, typer.Option(help="Kode unit.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Kode penyedia.")] = None,
) -> None:
    """Daftarkan orang; kata sandinya dibaca dari masukan standar."""
    from services.gateway.actions import person as actions

    password = _password()
    with _databases() as database, database("gateway").transaction() as session:
        made = actions.add_person(
            session,
            username=username,
            display_name=name,
            roles=role,
            password=password,
            title=title,
            unit=unit,
            vendor=vendor,
            profile=_password_rules(),
        )
        typer.echo(f"{made.username} terdaftar sebagai {made.title}.")


@person_app.command("invite")
def person_invite(
    username: Username,
    name: Annotated[str, typer.Option(help="Nama lengkap.")],
    address: Annotated[str, typer.Option(help="Alamat surel yang diikat.")],
    role: Annotated[list[Role], typer.Option(help="Peran; boleh diulang.")],
    title: Annotated[str, typer.Option(help="Jabatan seperti tercetak; kosong: menurut peran.")] = "",
    unit: Annotated[str | None, typer.Option(help="Kode unit.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Kode penyedia.")] = None,
) -> None:
    """Undang orang; tautannya ditampilkan sekali untuk diserahkan sendiri."""
    from services.gateway.actions import invitation
    from services.gateway.schemas.invitation import NewInvitation
    from shared.database import utc_now
    from shared.pages import parse

    typed: dict[str, Any] = {"username": username, "display_name": name, "address": address, "title": title}
    typed |= {"role": str(role[0]), "more_roles": "\n".join(map(str, role[1:])), "unit": unit, "vendor": vendor}
    new = parse(NewInvitation, {key: value for key, value in typed.items() if value})
    with _databases() as database, database("gateway").transaction() as session:
        made = invitation.invite(session, None, new, now=utc_now())
        public_url = os.environ.get("ALUR_GATEWAY_PUBLIC_URL", f"http://127.0.0.1:{MachineSettings().port}")
        typer.echo(f"Serahkan hanya kepada {made.invitation.display_name}; berlaku 24 jam, sekali pakai:")
        typer.echo(f"{public_url.rstrip('/')}/undangan/{made.token}")


@person_app.command("password")
def person_password(username: Username) -> None:
    """Ganti kata sandi, dibaca dari masukan standar; sesi dan token orang itu berakhir."""
    from services.gateway.actions import person as actions

    password = _password()
    with _databases() as database, database("gateway").transaction() as session:
        actions.set_password(session, username=username, password=password, profile=_password_rules())
    typer.echo("Kata sandi diganti; semua sesi dan tokennya berakhir.")


@person_app.command("close")
def person_close(username: Username) -> None:
    """Tutup akun: orang itu tidak dapat masuk lagi."""
    from services.gateway.actions import person as actions

    with _databases() as database, database("gateway").transaction() as session:
        actions.shut_out(session, username=username)
    typer.echo("Akun ditutup; semua sesi dan tokennya berakhir.")


class ActingKind(StrEnum):
    """How somebody holds a post."""

    plh = "plh"
    plt = "plt"
    definitive = "definitive"


@person_app.command("act")
def person_act(
    username: Username,
    role: Annotated[Role, typer.Option(help="Jabatan yang dijalankan.")],
    until_on: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Hari terakhir.")],
    letter: Annotated[str, typer.Option(help="Nomor surat tugas.")],
    instead_of: Annotated[str | None, typer.Option("--for", help="Pejabat yang digantikan (Plh.).")] = None,
    from_on: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Hari pertama; kosong: hari ini.")
    ] = None,
    kind: Annotated[
        ActingKind,
        typer.Option(help="plt (jabatan kosong), plh (pejabatnya berhalangan) atau definitive (pejabat tetap)."),
    ] = ActingKind.plh,
) -> None:
    """Angkat pejabat, atau tugaskan orang sebagai Plt. atau Plh.; berakhir dengan sendirinya setelah hari terakhir."""
    from services.gateway.actions import appointment as appointments
    from services.gateway.schemas.appointment import NewAppointment
    from shared.database import utc_now
    from shared.pages import parse
    from shared.words import local_date, long_date

    typed = {
        "username": username,
        "role": str(role),
        "kind": str(kind),
        "for_username": instead_of,
        "from_on": from_on.date() if from_on else local_date(utc_now()),
        "until_on": until_on.date(),
        "letter_number": letter,
    }
    new = parse(NewAppointment, typed)
    with _databases() as database, database("gateway").transaction() as session:
        made = appointments.appoint(session, None, new, now=utc_now())
        typer.echo(f"{made.person.display_name} bertindak sebagai {made.printed} sampai {long_date(until_on.date())}.")


@person_app.command("tell")
def person_tell() -> None:
    """Kabarkan semua unit, orang, dan hari kerja kepada setiap divisi, misalnya setelah pemulihan atau pembaruan."""
    from services.gateway.actions import directory
    from services.gateway.actions.calendar import tell_calendar

    with _databases() as database:
        with database("gateway").transaction() as session:
            tell_calendar(session)
        after, is_first = None, True
        while is_first or after:
            with database("gateway").transaction() as session:
                after, is_first = directory.tell_everything(session, after), False
    typer.echo("Semua unit, orang, dan hari kerja dikabarkan kembali.")


def _password_rules() -> Any:
    """Return what this installation asks of passwords."""
    from services.gateway.passwords import PROFILES

    return PROFILES[os.environ.get("ALUR_GATEWAY_PASSWORD_PROFILE", "asvs")]


def _password() -> str:
    """Return the password from standard input, asked for without showing it at a terminal; never an argument."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Kata sandi", hide_input=True, confirmation_prompt="Sekali lagi")
        return asked
    return sys.stdin.readline().rstrip("\r\n")
