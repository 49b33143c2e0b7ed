"""The formats a dialect can have: one place that says what each is called in a file name and on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

XML: Final = "application/xml"
JSON: Final = "application/json"
CSV: Final = "text/csv"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TEXT: Final = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One value of `format` in mapping.toml."""

    name: str
    media_type: str
    suffix: str  # of its files, with the dot
    keys: frozenset[str]  # what mapping.toml says beside `version`, `format`, `messages` and `cannot_carry`
    table: bool = False  # rows and columns, laid out by `[table]`
    text: bool = True  # whether the bytes can be shown on a terminal


_MAPPED = frozenset({"schema", "rows"})
_TABLE = _MAPPED | {"table"}
FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {
        form.name: form
        for form in (
            Format(name="xml", media_type=XML, suffix=".xml", keys=_MAPPED | {"namespace"}),
            Format(name="json", media_type=JSON, suffix=".json", keys=_MAPPED),
            Format(name="csv", media_type=CSV, suffix=".csv", keys=_TABLE, table=True),
            Format(name="xlsx", media_type=XLSX, suffix=".xlsx", keys=_TABLE, table=True, text=False),
            Format(name="lines", media_type=TEXT, suffix=".txt", keys=_TABLE, table=True),
            Format(
                name="xslt",
                media_type=XML,
                suffix=".xml",
                keys=frozenset({"schema", "namespace", "to_canonical", "from_canonical"}),
            ),
            Format(name="canonical", media_type=XML, suffix=".xml", keys=frozenset()),
        )
    }
)
_SUFFIXES: Final = {form.media_type: form.suffix for form in FORMATS.values()}


def suffix_of(media_type: str) -> str:
    """Return the suffix of a file with this media type; ".bin" for one that no format has."""
    return _SUFFIXES.get(media_type, ".bin")


def document_media_types() -> tuple[str, ...]:
    """Return the media types of all formats, each once."""
    return tuple(_SUFFIXES)
