"""Vocabularies for tests: every canonical name by its own English words, under a head that differs."""

from collections.abc import Mapping
from pathlib import Path

from gateway.settings import data_folder
from gateway.wire.drafting.blank import names_of, values_of
from gateway.wire.drafting.canonical import Canonical, read_canonical
from gateway.wire.drafting.naming import kebab, plain

SCHEMAS = data_folder("schemas") / "readmission" / "1.0"

LATIN_XML = """\
format = "xml"
namespace = "urn:example:xa:1"
style = "pascal"
attributes = ["Kind", "Code", "Script", "State"]
content = ["Value", "Number"]
[converters]
date = "date-dmy"
instant = "instant-offset"
country = "country-alpha3"
case-reference = "case-reference-grouped"
boolean = "codes:yes-no"
[codes.yes-no]
true = "da"
false = "ne"
"""
FLAT_JSON = """\
format = "json"
style = "snake"
layout = "flat"
type_word = "document type"
[converters]
date = "date-dmy-dash"
country = "country-alpha3"
"""
NESTED_JSON = """\
format = "json"
style = "camel"
type_word = "document type"
"""
CSV_GROUPS = """\
format = "csv"
style = "snake"
type_word = "document type"
[table]
delimiter = ";"
repeats = "groups"
record = "row kind"
separator = "|"
[converters]
date = "date-dmy"
"""
XLSX_GROUPS = """\
format = "xlsx"
style = "as-is"
type_word = "document type"
[table]
repeats = "groups"
record = "row kind"
"""
LINES = """\
format = "lines"
style = "upper-snake"
type_word = "document type"
[table]
record = "row kind"
[widths]
line = 120
"Evidence/Description" = 500
[cannot_carry]
"Person/OtherName" = "lines have no place for a list inside a list"
"Relative/OtherName" = "lines have no place for a list inside a list"
"""
CSV_NUMBERED = """\
format = "csv"
style = "pascal"
type_word = "document type"
[times]
"ReadmissionApplication/Child" = 2
"Name/Part" = 3
[cannot_carry]
"Person/OtherName" = "the sheet has no column for it"
"Relative/OtherName" = "the sheet has no column for it"
"Relative/MaidenName" = "the sheet has no column for it"
"Relative/PhysicalDescription" = "the sheet has no column for it"
"""
_ALWAYS = """\
about = "A format for tests."
version = "1"
valid_from = 2026-01-01
reviewed = 2026-01-01
reviewed_by = "Nobody"
"""


def canonical() -> Canonical:
    """Return the canonical messages."""
    return read_canonical(SCHEMAS)


def vocabulary_text(head: str, *, words: Mapping[str, str] | None = None, more: str = "") -> str:
    """Return a whole vocabulary; codes are the canonical ones in capitals, `words` says which names have other words."""
    whole = canonical()
    lines = [_ALWAYS + head, "[words]"]
    lines += [f'{name} = "{(words or {}).get(name, plain(name))}"' for name in names_of(whole)]
    lines += ["[types]", *(f'{kind} = "{plain(kind)}"' for kind in whole.messages)]
    for value in values_of(whole).values():
        if value.codes:
            lines += [f"[codes.{kebab(value.name)}]", *(f'"{code}" = "{code.upper()}"' for code in value.codes)]
    return "\n".join([*lines, more]) + "\n"


def dialect_folder(root: Path, text: str, name: str = "test") -> Path:
    """Write a vocabulary into a dialect folder of the partner `xa`."""
    folder = root / "xa" / "dialects" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocabulary.toml").write_text(text, encoding="utf-8")
    return folder
