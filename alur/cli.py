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
Service = StrEnum("Service", {name: name for name in SERVICES})  # type: ignore[misc]


def main() -> None:
    """Run a command; a refusal becomes its sentence and exit code 1."""
    try:
        app(prog_name="alur")
    except Refused as refusal:
        typer.echo(f"{refusal.title}. {refusal.detail}", err=True)
        for error in refusal.errors:
            if error.detail != refusal.detail:
                typer.echo(f"  {error.pointer}: {error.detail}", err=True)
        sys.exit(1)


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
    service: Service,
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
    service: Annotated[list[Service] | None, typer.Argument(help="Layanan; kosong berarti semua.")] = None,
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
def migrate(service: Annotated[list[Service] | None, typer.Argument()] = None) -> None:
    """Perbarui tabel basis data layanan (kosong berarti semua)."""
    from alur.parts import settings_of
    from shared.migrate import migrate as bring_up_to_date

    for name in [str(s) for s in service] if service else SERVICES:
        bring_up_to_date(settings_of(name).database_url, service=name)
        typer.echo(f"{name}: tabel terbaru")


@app.command()
def keys(folder: Annotated[Path, typer.Argument(help="Folder kunci.")]) -> None:
    """Buat kunci yang belum ada (bentuk terpisah)."""
    from shared import permit
    from shared.keys import make_keys, make_ssh_key

    make_keys(folder)
    make_ssh_key(folder)
    if not (folder / "permit.key").exists():
        permit.new_key_pair(folder)
    typer.echo(f"Kunci lengkap di {folder}")


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
def message_retry(division: Service, message_id: UUID) -> None:
    """Kirim ulang satu pesan yang mati."""
    from shared import mailbox

    with _databases() as database, database(str(division)).transaction() as session:
        mailbox.retry(session, message_id)
    typer.echo("Pesan akan dikirim ulang.")


@message_app.command("skip")
def message_skip(
    division: Service, message_id: UUID, reason: Annotated[str, typer.Option(help="Alasan tertulis.")]
) -> None:
    """Lewati satu pesan yang mati, dengan alasan."""
    from shared import mailbox

    with _databases() as database, database(str(division)).transaction() as session:
        mailbox.skip(session, message_id, reason=reason)
    typer.echo("Pesan dilewati; pesan berikutnya berjalan.")


@person_app.command("add")
def person_add(
    username: str,
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
        )
        typer.echo(f"{made.username} terdaftar sebagai {made.title}.")


@person_app.command("password")
def person_password(username: str) -> None:
    """Ganti kata sandi, dibaca dari masukan standar; sesi dan token orang itu berakhir."""
    from services.gateway.actions import person as actions

    password = _password()
    with _databases() as database, database("gateway").transaction() as session:
        actions.set_password(session, username=username, password=password)
    typer.echo("Kata sandi diganti; semua sesi dan tokennya berakhir.")


@person_app.command("close")
def person_close(username: str) -> None:
    """Tutup akun: orang itu tidak dapat masuk lagi."""
    from services.gateway.actions import person as actions

    with _databases() as database, database("gateway").transaction() as session:
        actions.shut_out(session, username=username)
    typer.echo("Akun ditutup; semua sesi dan tokennya berakhir.")


@person_app.command("act")
def person_act(
    username: str,
    role: Annotated[Role, typer.Option(help="Jabatan yang dijalankan.")],
    until_on: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Hari terakhir.")],
    letter: Annotated[str, typer.Option(help="Nomor surat tugas.")],
    instead_of: Annotated[str | None, typer.Option("--for", help="Pejabat yang digantikan (Plh.).")] = None,
    from_on: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Hari pertama; kosong: hari ini.")
    ] = None,
    kind: Annotated[str, typer.Option(help="plt (jabatan kosong) atau plh (pejabatnya berhalangan).")] = "plh",
) -> None:
    """Tugaskan orang sebagai Plt. atau Plh.; berakhir dengan sendirinya setelah hari terakhir."""
    from services.gateway.actions import appointment as appointments
    from services.gateway.schemas.appointment import NewAppointment
    from shared.database import utc_now
    from shared.pages import parse
    from shared.words import local_date, long_date

    typed = {
        "username": username,
        "role": str(role),
        "kind": kind,
        "for_username": instead_of,
        "from_on": from_on.date() if from_on else local_date(utc_now()),
        "until_on": until_on.date(),
        "letter_number": letter,
    }
    new = parse(NewAppointment, typed)
    with _databases() as database, database("gateway").transaction() as session:
        made = appointments.appoint(session, None, new, now=utc_now())
        typer.echo(f"{made.person.display_name} bertindak sebagai {made.printed} sampai {long_date(made.until_on)}.")


def _password() -> str:
    """Return the password from standard input, asked for without showing it at a terminal; never an argument."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Kata sandi", hide_input=True, confirmation_prompt="Sekali lagi")
        return asked
    return sys.stdin.readline().rstrip("\r\n")
