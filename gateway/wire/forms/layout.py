"""The rows of the treaty's forms, as data: `layouts/<message type>.toml`. Other messages: plain.py."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "layouts"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutRow:
    """One row of a form."""

    number: str  # as printed: "3"; "" for none
    label: str  # key of the label
    writer: str  # how it is written: a name of writing.WRITERS
    paths: tuple[str, ...]  # below the element that the section is about; "." is that element
    wanted: str | None = None  # what the writer takes of it


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutSection:
    """One lettered part of a form."""

    letter: str
    label: str
    each: tuple[str, ...]  # printed once for each of these elements; empty: once for the message
    optional: bool  # left out where there is none of `each`; otherwise printed once, empty
    photograph: bool  # with a frame for the photograph
    rows: tuple[LayoutRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A box that is ticked where `path` holds `value`."""

    label: str
    path: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One form."""

    ticks: tuple[Tick, ...]
    head: tuple[LayoutRow, ...]
    sections: tuple[LayoutSection, ...]


@cache
def layout_of(message: str) -> Layout | None:
    """Return the layout of a message type, None for one that no treaty has a form for."""
    path = _FOLDER / f"{message}.toml"
    if not path.is_file():
        return None
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    return Layout(
        ticks=tuple(Tick(label=label, path=path, value=value) for label, path, value in given["ticks"]),
        head=tuple(map(_row, given["head"])),
        sections=tuple(map(_section, given["sections"])),
    )


def _section(given: dict[str, Any]) -> LayoutSection:
    return LayoutSection(
        letter=given.get("letter", ""),
        label=given["label"],
        each=tuple(given["each"].split("|")) if "each" in given else (),
        optional=given.get("optional", False),
        photograph=given.get("photograph", False),
        rows=tuple(map(_row, given["rows"])),
    )


def _row(given: list[str]) -> LayoutRow:
    number, label, writer, paths, *wanted = given
    return LayoutRow(
        number=number, label=label, writer=writer, paths=tuple(paths.split("|")), wanted=wanted[0] if wanted else None
    )
