"""The files and commands of docs/mapping-cookbook.md, and the partner folder of the invented country that they make."""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.settings import data_folder

_PAGE = Path(__file__).parents[1] / "docs" / "mapping-cookbook.md"
_BLOCK = re.compile(r"^```(\w+) ?(>> )?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODES = {"": 0, "refused": 1, "misconfigured": 4}


@dataclass(frozen=True, slots=True)
class Command:
    """One line behind a `$`, how it must end, and what it must say."""

    words: list[str]
    code: int
    told: list[str]


def begin(folder: Path) -> None:
    """Lay out what the page begins with: calendars, treaties and the folder of the other side."""
    for name in ("calendars", "treaties", "ba"):
        shutil.copytree(data_folder("partners") / name, folder / "partners" / name)


def steps(folder: Path) -> Iterator[Command]:
    """Write and change the files of the page, and yield its commands where they stand; a `cp` is done here."""
    for language, more, path, text in _BLOCK.findall(_PAGE.read_text("utf-8")):
        if path:
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            before = place.read_text("utf-8") if more or language == "diff" else ""
            place.write_text(_changed(before, text) if language == "diff" else before + text, "utf-8")
        for command in _commands(text) if language == "console" else ():
            if command.words[0] == "cp":
                place = folder / command.words[2]
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(folder / command.words[1], place)
            else:
                yield command


def _changed(text: str, diff: str) -> str:
    """Change `text` as each part of `diff` says; an empty line ends a part, and what one changes stands in one place only."""
    for part in diff.strip("\n").split("\n\n"):
        lines = part.splitlines()
        old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
        assert f"\n{text}".count(f"\n{old}") == 1, part
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
    return text


def _commands(block: str) -> Iterator[Command]:
    for part in block.removeprefix("$ ").split("\n$ "):
        line, *told = part.strip().splitlines()
        line, _, ends = line.partition("   # ")
        yield Command(shlex.split(line), _CODES[ends], told)


def partners_of_the_cookbook(folder: Path, dialect: str) -> Path:
    """Return the folder of partners as it stands at the end of the page; XA-MIA uses `dialect`."""
    begin(folder)
    for _ in steps(folder):
        continue
    file = folder / "partners" / "xa" / "partner.toml"
    file.write_text(file.read_text("utf-8").replace('dialect = "form-xml"', f'dialect = "{dialect}"'), "utf-8")
    return folder / "partners"
