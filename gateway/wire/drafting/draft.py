"""Draft a dialect folder from its vocabulary: the same vocabulary gives the same files, byte for byte."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gateway.wire.drafting.canonical import read_canonical
from gateway.wire.drafting.json_draft import json_schema_text
from gateway.wire.drafting.layout import lay_out
from gateway.wire.drafting.rows import codes_text, mapping_text
from gateway.wire.drafting.table_draft import table_text
from gateway.wire.drafting.vocabulary import FILE, read_vocabulary
from gateway.wire.drafting.xml_draft import xsd_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The files that a vocabulary gives."""

    folder: Path
    files: Mapping[str, str]  # name -> text

    def differing(self) -> tuple[str, ...]:
        """Return the names of the files that are not in the folder as drafted."""
        return tuple(name for name, text in self.files.items() if _text_of(self.folder / name) != text)

    def write(self) -> tuple[str, ...]:
        """Write what differs, and return the names."""
        differing = self.differing()
        for name in differing:
            (self.folder / name).write_text(self.files[name], encoding="utf-8", newline="\n")
        return differing


def _text_of(path: Path) -> str | None:
    return path.read_bytes().decode("utf-8", "replace") if path.is_file() else None


def draft_dialect(folder: Path, schemas: Path) -> Draft:
    """Return the drafted files of a dialect folder; `schemas` is the folder of the canonical XSD.

    Raises `MappingInvalid` naming the file and the key of the vocabulary that is at fault.
    """
    canonical = read_canonical(schemas)
    vocabulary = read_vocabulary(folder, folder.parent.parent.name, canonical)
    layout = lay_out(vocabulary, canonical)
    if vocabulary.format == "xml":
        schema, text = "schema.xsd", xsd_text(vocabulary, canonical, layout)
    else:
        schema, text = "schema.json", json_schema_text(vocabulary, canonical, layout)
    mapping = mapping_text(vocabulary, canonical, layout, schema)
    if vocabulary.table is not None:
        mapping += table_text(vocabulary, vocabulary.table, layout)
    files = {"mapping.toml": mapping, schema: text}
    if codes := codes_text(vocabulary, _lists_of(mapping)):
        files["codes.toml"] = codes
    return Draft(folder=folder, files=MappingProxyType(files))


def _lists_of(mapping: str) -> set[str]:
    """Return the code lists that the rows of a mapping name: a list that no row uses is a slip, and is not written."""
    rows = tomllib.loads(mapping)["rows"]
    return {row["codes"] for of_set in rows.values() for row in of_set if "codes" in row}


def drafted_folders(root: Path) -> tuple[Path, ...]:
    """Return every dialect folder at or below `root` that has a vocabulary, by name."""
    return tuple(sorted(path.parent for path in root.rglob(FILE)))
