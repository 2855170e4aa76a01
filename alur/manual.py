"""The command line's own words in Indonesian: its help, and what it says of words that it does not understand.

The library that reads the command line knows English only; here its words are replaced, its rules stay.
"""

import re
from typing import Any

import typer
import typer.main

WORDS = {
    r"^No such command (?P<what>'.*?')\.?": "Perintah {what} tidak dikenal.",
    r"^Missing command\.?": "Perintahnya belum ditulis.",
    r"^No such option: (?P<what>\S+)": "Pilihan {what} tidak dikenal.",
    r"^Got unexpected extra argument\(s\) \((?P<what>.*)\)": "Isian berlebih: {what}.",
    r"^Option (?P<what>'.*?') requires (an argument|\d+ arguments)\.?": "Pilihan {what} memerlukan isian.",
    r"^Missing \w+ (?P<what>'.*?')\.": "{what} wajib diisi.",
    r"^Invalid value for (?P<what>.*?): .*?(?P<typed>'.*') is not one of (?P<rest>.*?)\.?$": (
        "{what} tidak mengenal {typed}. Yang ada: {rest}."
    ),
    r"^Invalid value for (?P<what>.*?): .*does not match the formats? '%Y-%m-%d'.*": (
        "{what} adalah tanggal yang ditulis seperti 2026-12-31."
    ),
    r"^Invalid value for (?P<what>.*?): .*\bUUID\b.*": "{what} adalah nomor seperti yang ditampilkan `alur msg list`.",
    r"^Invalid value for (?P<what>.*?): .*\b(integer|number)\b.*": "{what} adalah bilangan bulat.",
    r"^Invalid value for (?P<what>.*?): .*": "Isian {what} tidak dapat dipakai.",
}
"""What the library says, and what is said instead."""
GUESSED = re.compile(r"Did you mean (?P<guess>.*?)\?|\(Possible options: (?P<options>.*)\)", re.DOTALL)
PANELS = {
    "ARGUMENTS_PANEL_TITLE": "Isian",
    "OPTIONS_PANEL_TITLE": "Pilihan",
    "COMMANDS_PANEL_TITLE": "Perintah",
    "REQUIRED_LONG_STRING": "[wajib]",
    "DEFAULT_STRING": "[bawaan: {}]",
}


def run(app: typer.Typer) -> int:
    """Run the command that was typed and return its exit code; 2 and a sentence for what is no command."""
    command = typer.main.get_command(app)
    try:
        from typer import rich_utils

        vars(rich_utils).update(PANELS)
        _translate(command, "alur")
        # A command that returns has done its work; one that leaves with a code gives it back.
        return int(command.main(prog_name="alur", standalone_mode=False) or 0)
    except typer.Abort:
        typer.echo("Dibatalkan; tidak ada yang berubah.", err=True)
        return 1
    except typer.TyperException as reason:
        context = getattr(reason, "ctx", None)
        if type(reason).__name__ != "NoArgsIsHelpError":
            path = context.command_path if context else "alur"
            typer.echo(f"{said(reason.format_message())}\nBantuan: {path} --help", err=True)
        return reason.exit_code


def said(words: str) -> str:
    """Return what the library says of the words that were typed, in Indonesian."""
    guessed = GUESSED.search(words)
    guess = f" Mungkin maksud Anda {guessed['guess'] or guessed['options']}." if guessed else ""
    for pattern, instead in WORDS.items():
        found = re.match(pattern, words, re.DOTALL)
        if found:
            return instead.format(**found.groupdict()) + guess
    return words


def _translate(command: Any, path: str) -> None:
    """Say in Indonesian what the help of a command and of those beneath it says."""
    option = command.get_help_option(command.context_class(command, info_name=path))
    if option is not None:
        option.help = "Tampilkan bantuan ini."
    command.options_metavar = "[PILIHAN]"
    usage = command.get_usage
    vars(command)["get_usage"] = lambda context: usage(context).replace("Usage:", "Pakai:", 1)
    for name, inner in getattr(command, "commands", {}).items():
        command.subcommand_metavar = "PERINTAH [ISIAN]..."
        _translate(inner, f"{path} {name}")
