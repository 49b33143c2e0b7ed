"""The command `gateway`. Each module beside this one holds one group of commands and registers itself here."""

import sys
from importlib import import_module

import typer

from gateway import __version__
from gateway.cli.output import print_error
from gateway.errors import GatewayError

GROUPS = ("demo", "serve", "check", "translate", "trust", "clock", "partner", "case", "queue", "doctor")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"gateway {__version__}")
        raise typer.Exit


def build() -> typer.Typer:
    """Return the application with every group registered."""
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
        version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
    ) -> None:
        pass

    for name in GROUPS:
        import_module(f"gateway.cli.{name}").register(app)
    return app


def main() -> None:
    """Run one command; an error of ours becomes a sentence and an exit code, never a traceback."""
    command = typer.main.get_command(build())
    try:
        command(prog_name="gateway")
    except GatewayError as error:
        print_error(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
