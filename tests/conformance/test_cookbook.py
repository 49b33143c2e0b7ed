"""The cookbook of mappings, run as a newcomer would: its files are written, its commands called, in the order of the page."""

import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.settings import data_folder
from tests.running import call

PAGE = Path(__file__).parents[2] / "docs" / "mapping-cookbook.md"
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODES = {"": 0, "refused": 1, "misconfigured": 4}


@dataclass(frozen=True, slots=True)
class Command:
    """One line behind a `$`, how it must end, and what it must say."""

    words: list[str]
    code: int
    told: list[str]


def commands(block: str) -> Iterator[Command]:
    for part in block.removeprefix("$ ").split("\n$ "):
        line, *told = part.strip().splitlines()
        line, _, ends = line.partition("   # ")
        yield Command(shlex.split(line), _CODES[ends], told)


def test_every_recipe_of_the_cookbook_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("calendars", "treaties", "ba"):
        shutil.copytree(data_folder("partners") / name, tmp_path / "partners" / name)
    monkeypatch.chdir(tmp_path)
    run = 0
    for language, path, text in _BLOCK.findall(PAGE.read_text("utf-8")):
        if path:
            place = tmp_path / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        for command in commands(text) if language == "console" else ():
            run += 1
            if command.words[0] == "cp":
                Path(command.words[2]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(command.words[1], command.words[2])
                continue
            done = call(*command.words[1:], monkeypatch=monkeypatch)
            said = " ".join(f"{done.out} {done.err}".split())
            assert done.code == command.code, f"{command.words}: {said}"
            for told in command.told:
                assert " ".join(told.split()) in said, f"{command.words}: {said}"
    assert run > 20
