"""The command line speaks Indonesian: its help, and what it says of words that it does not understand."""

import re
import sys
from collections.abc import Iterator

import pytest
import typer.main

from alur import manual
from alur.cli import app

ENGLISH = re.compile(r"\b(Usage|Options|Arguments|Commands|Show this|required|default|Missing|Invalid|No such|Try)\b")


def every_command() -> Iterator[list[str]]:
    """Yield the words of every command and group of commands."""
    yield []
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        yield [name]
        yield from ([name, inner] for inner in getattr(command, "commands", {}))


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run a command as it is typed; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["alur", *words])
    return manual.run(app)


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_the_help_of_every_command_is_indonesian(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, *words, "--help")

    told = capsys.readouterr().out
    assert code == 0 and "Tampilkan bantuan ini." in told and f"Pakai: {' '.join(['alur', *words])}" in told
    assert ENGLISH.findall(told) == []


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("orang", "Perintah 'orang' tidak dikenal."),
        ("person ac", "Perintah 'ac' tidak dikenal. Mungkin maksud Anda 'act'."),
        ("case", "'NOMOR' wajib diisi."),
        ("case satu dua", "Isian berlebih: dua."),
        ("case --jsn", "Pilihan --jsn tidak dikenal. Mungkin maksud Anda --json."),
        ("msg retry gateway abc", "'PESAN' adalah nomor seperti yang ditampilkan `alur msg list`."),
        ("work dapur", "'LAYANAN' tidak mengenal 'dapur'. Yang ada: 'gateway', 'proposal',"),
        ("serve gateway --port delapan", "'--port' adalah bilangan bulat."),
        ("serve gateway --port", "Pilihan '--port' memerlukan isian."),
        ("person act budi --role head --letter B-1 --until besok", "'--until' adalah tanggal yang ditulis seperti"),
        ("person act budi --role head --letter B-1 --until 2026-12-01 --kind pjs", "'--kind' tidak mengenal 'pjs'."),
    ],
)
def test_what_is_no_command_is_said_in_indonesian_and_leaves_with_two(
    typed: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(monkeypatch, *typed.split())

    told = capsys.readouterr()
    assert (code, told.out) == (2, "") and told.err.startswith(said) and "\nBantuan: alur" in told.err
    assert ENGLISH.findall(told.err) == []
