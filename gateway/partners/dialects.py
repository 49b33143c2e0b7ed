"""A dialect: a partner's own format, its schema, its mapping rows and its code lists, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gateway.errors import MappingInvalid
from gateway.partners.fields import Table, read_bytes
from gateway.partners.formats import FORMATS, Format
from gateway.partners.kept import Kept
from gateway.partners.layouts import Layout, read_layout

_MAPPING_KEYS = {"version", "format", "messages", "cannot_carry"}
_EVERY_KEY = {key for form in FORMATS.values() for key in form.keys}
_LIST_KEYS = {"version", "valid_from", "reviewed", "reviewed_by", "codes", "also_read"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """Canonical code to the partner's code, one to one, so that both directions follow from one table."""

    name: str
    version: str
    valid_from: date  # since when the partner writes these codes
    reviewed: date  # when somebody last compared it with the partner's own list
    reviewed_by: str  # who did: a person or an office, never a person of a case
    codes: Mapping[str, str]  # canonical -> here
    also_read: Mapping[str, str]  # here -> canonical: retired codes that still read and are never written


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One format of one partner."""

    id: str  # "ba/ms-xml"
    partner: str
    name: str
    folder: Path
    version: str  # of the mapping; written into each report
    format: str  # a name in FORMATS
    namespace: str  # XML only; "" for the others, and for documents without one
    schema: Path  # of a canonical dialect: its own folder, since the schema is ours
    mapping: Mapping[str, Any]  # mapping.toml as it stands
    codes: Mapping[str, CodeList]
    layout: Layout | None = None  # of a table

    @property
    def form(self) -> Format:
        """What its documents are called in file names and on the wire."""
        return FORMATS[self.format]

    @property
    def place(self) -> str:
        """How messages name the mapping file."""
        return f"{self.partner}/dialects/{self.name}/mapping.toml"


def load_dialect(folder: Path, partner: str) -> Dialect:
    """Read mapping.toml and codes.toml of one dialect folder.

    Raises `MappingInvalid` naming file and key. Rows are checked when the mapping is compiled against the schemas.
    """
    place = f"{partner}/dialects/{folder.name}"
    content = read_bytes(folder / "mapping.toml", f"{place}/mapping.toml", MappingInvalid)
    table = Table.parse(content, f"{place}/mapping.toml", MappingInvalid)
    kind = FORMATS.get(table.text("format"))
    if kind is None:
        raise table.refuse("format", f"is {table.text('format')!r}, not one of {', '.join(FORMATS)}")
    for key in table.values:
        if key in _EVERY_KEY - kind.keys - _MAPPING_KEYS:
            raise table.refuse(key, f"has no meaning for the format {kind.name!r}")
    table.only(_MAPPING_KEYS | kind.keys)
    for key in ("messages", *(["rows"] if "rows" in kind.keys else [])):
        if not table.table(key).values:
            raise table.refuse(key, "is missing")
    return Dialect(
        id=f"{partner}/{folder.name}",
        partner=partner,
        name=folder.name,
        folder=folder,
        version=table.text("version"),
        format=kind.name,
        namespace=table.text("namespace") if "namespace" in (table.values if kind.name == "xml" else kind.keys) else "",
        schema=_file(table, "schema", folder) if "schema" in kind.keys else folder,
        mapping=Kept(content),
        codes=MappingProxyType(_code_lists(folder / "codes.toml", f"{place}/codes.toml")),
        layout=read_layout(table.table("table"), kind.name) if kind.table else None,
    )


def _file(table: Table, key: str, folder: Path) -> Path:
    """Return the file of the dialect's own folder that a key names."""
    path = folder / table.text(key)
    if path.parent != folder or not path.is_file():
        raise table.refuse(key, f"names {path.name!r}, which is not a file of this folder")
    return path


def _code_lists(path: Path, place: str) -> dict[str, CodeList]:
    if not path.exists():
        return {}
    whole = Table.read(path, place, MappingInvalid)
    return {name: _code_list(name, whole.table(name)) for name in whole.values}


def _code_list(name: str, table: Table) -> CodeList:
    table.only(_LIST_KEYS)
    codes, also_read = table.mapping("codes"), table.mapping("also_read")
    if not codes:
        raise table.refuse("codes", "is missing")
    here = list(codes.values())
    for code in here:
        if here.count(code) > 1:
            raise table.refuse("codes", f"writes {code!r} for two canonical codes: reading it back would be a guess")
    for read, canonical in also_read.items():
        if canonical not in codes:
            raise table.refuse("also_read", f"reads {read!r} as {canonical!r}, which is not in codes")
        if read in here:
            raise table.refuse("also_read", f"names {read!r}, which is a code in use")
    return CodeList(
        name=name,
        version=table.text("version"),
        valid_from=_date(table, "valid_from"),
        reviewed=_date(table, "reviewed"),
        reviewed_by=table.text("reviewed_by"),
        codes=MappingProxyType(codes),
        also_read=MappingProxyType(also_read),
    )


def _date(table: Table, key: str) -> date:
    value = table.values.get(key)
    try:
        return value if type(value) is date else date.fromisoformat(str(value))
    except ValueError as error:
        raise table.refuse(key, "is missing" if value is None else "is not a date (YYYY-MM-DD)") from error
