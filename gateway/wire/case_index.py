"""case.json, the index of a case file: which file is what, who said what when. Written and read by one description.

Reading is strict: exactly these fields, of exactly these kinds. What it says is the exporting authority's word; the envelopes
and receipts beside it prove the most of it, and gateway/flow/case_verdict.py says which.
"""

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from gateway.errors import CaseIndexInvalid
from gateway.wire.documents import parse_json

NAME = "case.json"
FORMAT = "readmission-gateway case file 1"
JOURNAL = "journal/entries.jsonl"
PROOFS = "journal/proof-"  # and the number of the entry
ATTACHMENTS = "attachments/"
CERTIFICATES = "certificates/"
REVOCATION = "revocation/"
README, SUMMARY = "README.txt", "summary.pdf"
REPORT, FORM, DELIVERY = "report", "form", "delivery"  # kinds of documents that have a verdict of their own
KINDS = frozenset({"original", "translated", REPORT, FORM, DELIVERY})
_DIRECTIONS = {"in", "out"}
_LIMIT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)  # as the ids of limits in a treaty file
T = TypeVar("T")


_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedCase:
    """The case, as the exporting side sees it."""

    reference: str
    home: str
    counterparty: str
    role: str
    state: str
    treaty: str
    treaty_version: str
    procedure: str
    category: str
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Who exported the case, when and what for."""

    at: datetime
    by: str  # authority
    purpose: str | None
    program: str  # name and version


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedDocument:
    """A document beside a message."""

    kind: str  # original: as handed in | translated: as handed over | report | form: as filled in | delivery: a scan
    file: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedAttachment:
    """A file that a message brought. Its own name stays in the message: it may say who the person is."""

    number: int  # place in the message, from 1
    kind: str  # photograph | document-scan | fingerprints | other
    media_type: str
    size: int  # bytes
    sha256: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedMessage:
    """One message, in or out. `envelope` is None for a message that was refused: its bytes were not kept."""

    number: int  # from 1, in the order of the store
    direction: str  # in | out, as seen by the exporting side
    type: str
    message_id: str
    sender: str
    recipient: str
    sequence: int | None
    sha256: str  # of the signed envelope
    signed_at: datetime | None
    received_at: datetime | None
    outcome: str
    code: str | None
    envelope: str | None
    receipt: str | None
    documents: tuple[IndexedDocument, ...]
    attachments: tuple[IndexedAttachment, ...]  # those that are in the file

    @property
    def noun(self) -> str:
        """The type in words: a "ReadmissionApplication" is a "readmission application"."""
        return _CAPITAL.sub(" ", self.type).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedDeadline:
    """One deadline; `file` holds the whole explanation, `text` the same to read."""

    limit: str
    state: str
    started_at: datetime
    started_by: str | None  # message id
    known: bool
    due_on: str | None  # local date of the state that must act
    lapses_at: datetime | None
    file: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFile:
    """Any file of the case file but the index itself and what stands under META-INF/."""

    name: str
    media_type: str
    sha256: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseIndex:
    """The whole of case.json."""

    format: str
    case: IndexedCase
    exported: Exported
    messages: tuple[IndexedMessage, ...]
    deadlines: tuple[IndexedDeadline, ...]
    journal_entries: int
    files: tuple[IndexedFile, ...]


def write_index(index: CaseIndex) -> bytes:
    """Return case.json."""
    return (json.dumps(asdict(index), ensure_ascii=False, indent=1, default=_plain) + "\n").encode()


def _plain(value: Any) -> str:
    assert isinstance(value, datetime), value
    return value.astimezone(UTC).isoformat()


def read_index(body: bytes) -> CaseIndex:
    """Return what case.json holds. Raises `CaseIndexInvalid`, and what `parse_json` raises."""
    index = _record(CaseIndex, parse_json(body), NAME)
    if index.format != FORMAT:
        raise CaseIndexInvalid("the case file is of another version than this program reads")
    # Words that decide what is judged, or under which name: one that is not known would pass unjudged.
    known = all(line.direction in _DIRECTIONS for line in index.messages)
    if not known or not all(_LIMIT.fullmatch(line.limit) for line in index.deadlines):
        raise CaseIndexInvalid("the index of the case file calls something by a word that is not known")
    return index


def _record(kind: type[T], data: Any, path: str) -> T:
    assert is_dataclass(kind), kind
    hints = get_type_hints(kind)
    if not isinstance(data, dict) or set(data) != {field.name for field in fields(kind)}:
        raise CaseIndexInvalid("the index of the case file has other fields than it must have", path=path)
    found: Any = kind(**{name: _value(hints[name], value, f"{path}/{name}") for name, value in data.items()})
    return found  # type: ignore[no-any-return]  # kind, made of its own fields


def _value(hint: Any, data: Any, path: str) -> Any:
    if get_origin(hint) is tuple:
        if not isinstance(data, list):
            raise CaseIndexInvalid("a list is expected in the index of the case file", path=path)
        inner = get_args(hint)[0]
        return tuple(_value(inner, each, f"{path}/{place}") for place, each in enumerate(data))
    if isinstance(hint, UnionType):
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        return None if data is None else _value(inner, data, path)
    if is_dataclass(hint):
        return _record(hint, data, path)  # type: ignore[arg-type]  # a class, since the hints name classes
    return _READERS[hint](data, path)


def _text(data: Any, path: str) -> str:
    if not isinstance(data, str):
        raise CaseIndexInvalid("a text is expected in the index of the case file", path=path)
    return data


def _number(data: Any, path: str) -> int:
    if isinstance(data, bool) or not isinstance(data, int):
        raise CaseIndexInvalid("a number is expected in the index of the case file", path=path)
    return data


def _truth(data: Any, path: str) -> bool:
    if not isinstance(data, bool):
        raise CaseIndexInvalid("true or false is expected in the index of the case file", path=path)
    return data


def _instant(data: Any, path: str) -> datetime:
    found = instant_of(data)
    if found is None:
        raise CaseIndexInvalid("an instant with its zone is expected in the index of the case file", path=path)
    return found


def instant_of(data: Any) -> datetime | None:
    """Return the instant (UTC) that a value in a file of a case file names; None if it names none, or none with its zone."""
    try:
        found = datetime.fromisoformat(data)
        return found.astimezone(UTC) if found.tzinfo else None
    except (TypeError, ValueError, OverflowError):  # OverflowError: it lies outside the years there are, once it is in UTC
        return None


_READERS: dict[Any, Callable[[Any, str], Any]] = {str: _text, int: _number, bool: _truth, datetime: _instant}
