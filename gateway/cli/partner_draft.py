"""`gateway partner words` and `draft`: a dialect written from a vocabulary that a person fills in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.errors import NotAFile
from gateway.settings import load as load_settings
from gateway.wire.drafting.blank import blank_json, blank_text
from gateway.wire.drafting.canonical import read_canonical
from gateway.wire.drafting.draft import draft_dialect, drafted_folders

FAMILY = ("readmission", "1.0")


def register(group: typer.Typer) -> None:
    """Add the commands to `gateway partner`."""

    @group.command("words", epilog="Example:  gateway partner words > vocabulary.toml")
    def words(config: ConfigOption = None, as_json: JsonOption = False) -> None:
        """Print an empty vocabulary: every canonical name, message type and code list that a format needs words for."""
        canonical = read_canonical(load_settings(config).schemas.joinpath(*FAMILY))
        if as_json:
            print_json(blank_json(canonical))
        else:
            typer.echo(blank_text(canonical), nl=False)

    @group.command("draft", epilog="Example:  gateway partner draft partners/me/dialects/mup-xml")
    def draft(
        path: Annotated[Path, typer.Argument(metavar="PATH", help="A dialect folder, or a folder above several.")],
        check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 if a file is not as drafted.")] = False,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write mapping, schema and code lists of every dialect at PATH that has a vocabulary.toml.

        The same vocabulary gives the same files. Changes made by hand in a drafted file are lost: change the vocabulary.
        """
        schemas = load_settings(config).schemas.joinpath(*FAMILY)
        folders = drafted_folders(path.resolve())
        if not folders:
            raise NotAFile(f"{path.name!r} holds no vocabulary.toml")
        results = []
        for folder in folders:
            drafted = draft_dialect(folder, schemas)
            differing = drafted.differing() if check else drafted.write()
            results.append({"dialect": f"{folder.parent.parent.name}/{folder.name}", "differing": list(differing)})
        ok = not check or not any(result["differing"] for result in results)
        if as_json:
            print_json({"ok": ok, "dialects": results})
        else:
            word = "not as drafted" if check else "written"
            for result in results:
                files = ", ".join(result["differing"])
                console().print(escape(f"{result['dialect']}: {f'{word}: {files}' if files else 'as drafted'}"))
        if not ok:
            raise typer.Exit(1)
