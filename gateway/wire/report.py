"""The mapping report: for every field what was done to it, by which rule, and why. Never a value."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
        """Return the report as bytes, as it is kept with the message.

        The lines of a dialect are the same few hundred in every message, so each is written once and remembered.
        """
        head = {"type": self.type, "from": self.source, "to": self.target, "sha256_in": self.sha256_in}
        head |= {"sha256_out": self.sha256_out}
        lines = ",".join(map(_line, self.fields))
        return f'{_compact(head)[:-1]},"fields":[{lines}],"dropped":{len(self.dropped)}}}'.encode()

    def with_filled(self, paths: Iterable[str]) -> "Report":
        """Return the report with a line for each canonical field ("Header/MessageId") that the gateway filled in."""
        lines = (Field(path=f"/{self.type}/{path}", action="filled", rule="fill", why=FILLED) for path in paths)
        return replace(self, fields=(*self.fields, *lines))

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


@lru_cache(maxsize=4096)
def _line(field: Field) -> str:
    return _compact(field.as_dict())


def digest(body: bytes) -> str:
    """Return the SHA-256 of `body` as lower-case hex."""
    return sha256(body).hexdigest()
