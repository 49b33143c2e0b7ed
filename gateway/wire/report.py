"""The mapping report: for every field what was done to it, by which rule, and why. Never a value."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, TypeAlias

Action: TypeAlias = Literal["copied", "coded", "converted", "dropped", "filled", "refused"]

FILLED = "not in the document, given by the gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What happened to one field. A field of a repeated group stands once, however often the group came."""

    path: str  # in the canonical message, or in the dialect where there is no canonical place
    action: Action
    rule: str  # "copy", "codes:sex", "convert:date-dmy", "fixed", "fill", "cannot-carry"
    why: str | None = None
    _hash: int = field(init=False, repr=False, compare=False)  # reports are looked up by their lines, so it is kept

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.path, self.action, self.rule, self.why)))

    def __hash__(self) -> int:
        return self._hash

    def as_dict(self) -> dict[str, str | None]:
        """Return the JSON object of the report."""
        return {"path": self.path, "action": self.action, "rule": self.rule, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one translation did."""

    type: str  # "ReadmissionApplication"
    source: str  # "ba/ms-xml" or "canonical"
    target: str
    sha256_in: str  # lower-case hex
    sha256_out: str
    fields: tuple[Field, ...]

    @property
    def dropped(self) -> tuple[Field, ...]:
        """Return the fields that came in and did not go out."""
        return tuple(field for field in self.fields if field.action == "dropped")

    def as_dict(self) -> dict[str, Any]:
        """Return the report as one JSON document."""
        return {
            "type": self.type,
            "from": self.source,
            "to": self.target,
            "sha256_in": self.sha256_in,
            "sha256_out": self.sha256_out,
            "fields": [field.as_dict() for field in self.fields],
            "dropped": len(self.dropped),
        }

    def as_json(self) -> bytes:
        """Return the report as bytes."""
        return self._head() + _lines(self.fields).text

    def packed(self) -> tuple[str, bytes]:
        """Return the report as it is kept with the message: the digest of what `as_json` returns, and that, compressed by zlib.

        Only the head differs from message to message: it is stored as it is (RFC 1951, 3.2.4) before the lines, which were
        compressed when they first came.
        """
        head, lines = self._head(), _lines(self.fields)
        size = len(head).to_bytes(2, "little")
        stored = b"\x00" + size + bytes(0xFF ^ each for each in size) + head
        checksum = zlib.adler32(lines.text, zlib.adler32(head)).to_bytes(4, "big")
        return digest(head + lines.text), _ZLIB_HEAD + stored + lines.packed + _LAST_BLOCK + checksum

    def _head(self) -> bytes:
        """Return what stands before the lines; far below the 65,535 bytes that a stored block may have."""
        head = {"type": self.type, "from": self.source, "to": self.target, "sha256_in": self.sha256_in}
        return _compact(head | {"sha256_out": self.sha256_out})[:-1].encode()

    def with_filled(self, paths: Iterable[str]) -> "Report":
        """Return the report with a line for each canonical field ("Header/MessageId") that the gateway filled in."""
        return replace(self, fields=(*self.fields, *(filled_line(self.type, path) for path in paths)))

    def with_withheld(self, dropped: tuple[Field, ...], sha256_out: str) -> "Report":
        """Return the report with the lines of fields that were taken out again; `sha256_out` is of what is left."""
        paths = {field.path for field in dropped}
        kept = (field for field in self.fields if field.path not in paths)
        return replace(self, fields=(*kept, *dropped), sha256_out=sha256_out)

    def then(self, after: "Report") -> "Report":
        """Return one report for two steps: dialect to canonical, then canonical to dialect.

        A field that both steps touched stands once per step; a plain copy in one step does not hide a change in the other.
        """
        changed = {field.path for field in (*self.fields, *after.fields) if field.action != "copied"}
        kept = [field for field in (*self.fields, *after.fields) if field.action != "copied" or field.path not in changed]
        seen: dict[tuple[str, str, str], Field] = {(field.path, field.action, field.rule): field for field in kept}
        return Report(
            type=self.type,
            source=self.source,
            target=after.target,
            sha256_in=self.sha256_in,
            sha256_out=after.sha256_out,
            fields=tuple(seen.values()),
        )


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=256)
def filled_line(kind: str, path: str) -> Field:
    """Return the line for a canonical field ("Header/MessageId") of a message type that the gateway filled in."""
    return Field(path=f"/{kind}/{path}", action="filled", rule="fill", why=FILLED)


_ZLIB_HEAD = b"\x78\x01"  # RFC 1950
_LAST_BLOCK = b"\x03\x00"  # an empty one


@dataclass(frozen=True, slots=True)
class _Lines:
    """All of a report behind its head."""

    text: bytes
    packed: bytes  # deflate blocks, none of them the last


@lru_cache(maxsize=512)
def _lines(fields: tuple[Field, ...]) -> _Lines:
    """Return the lines of a report; messages of one kind fill the same fields, so few sets of lines come at all."""
    dropped = sum(1 for each in fields if each.action == "dropped")
    lines = ",".join(_compact(each.as_dict()) for each in fields)
    text = f',"fields":[{lines}],"dropped":{dropped}}}'.encode()
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)  # raw: the head of the stream stands before the report's own
    return _Lines(text, deflate.compress(text) + deflate.flush(zlib.Z_FULL_FLUSH))


def digest(body: bytes) -> str:
    """Return the SHA-256 of `body` as lower-case hex."""
    return sha256(body).hexdigest()
