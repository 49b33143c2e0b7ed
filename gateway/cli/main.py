"""The command `gateway`. Each module beside this one holds one group of commands and registers itself here."""

import sys
from importlib import import_module
from io import TextIOWrapper

import typer

from gateway import __version__
from gateway.cli.output import print_error, print_json
from gateway.errors import GatewayError

# First word of a command line -> module that holds it. Only that module is loaded: `gateway check` needs no database.
COMMANDS = {
    "demo": "demo",
    "serve": "serve",
    "run": "serve",
    "check": "check",
    "translate": "translate",
    "mrz": "mrz",
    "sign": "trust",
    "verify": "trust",
    "seal": "trust",
    "open": "trust",
    "certs": "certs",
    "keys": "keys",
    "deadline": "clock",
    "treaty": "treaty",
    "calendar": "calendar",
    "partner": "partner",
    "simulate": "simulate",
    "case": "case",
    "form": "form",
    "verify-case": "casefile",
    "journal": "journal",
    "queue": "queue",
    "broker": "broker",
    "doctor": "doctor",
}
WRONG_USAGE = 2
VERSION = "--version"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gateway {__version__}")
        raise typer.Exit


def build(first: str = "") -> typer.Typer:
    """Return the application with the group that holds the command `first`, or with every group if it is no command."""
    app = typer.Typer(
        name="gateway",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Readmission Gateway: checks, guards, translates, signs, carries, proves and counts readmission messages.\n\n"
        "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 unavailable, 4 misconfigured.",
    )

    @app.callback()
    def top(
        version: bool = typer.Option(False, VERSION, callback=_version, is_eager=True, help="Print the version."),
    ) -> None:
        pass

    every = () if first == VERSION else COMMANDS.values()
    for name in dict.fromkeys([COMMANDS[first]] if first in COMMANDS else every):
        import_module(f"gateway.cli.{name}").register(app)
    return app


def main() -> None:
    """Run one command; an error of ours becomes a sentence and an exit code, never a traceback."""
    words = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):  # a terminal of another encoding, or a file name that is no text: no traceback
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    command = typer.main.get_command(build(words[0] if words else ""))
    as_json = "--json" in words
    try:
        command(prog_name="gateway")
    except GatewayError as error:
        print_error(error, as_json=as_json)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if as_json and end.code == WRONG_USAGE:  # the sentence about it stands on standard error already
            print_json({"error": {"code": "wrong-usage", "path": None, "line": None, "message": "see standard error"}})
        raise
