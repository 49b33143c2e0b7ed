"""The conformance pass: what a gateway states, signed and dated, about one partner that it tried.

It is about one state of everything that was tried: the partner's folder, the schemas, the program. It ends on a day.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.errors import PassInvalid

# Another kind of document signed by the same key can never be mistaken for this one.
CONTEXT = b"readmission-gateway conformance pass 1\n"
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,63}", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TEXTS = ("partner", "played", "tested", "folder", "schemas", "gateway", "over")
MOST_RESULTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What is signed."""

    partner: str  # code of the folder, "pk"
    played: str  # authority of the partner that was played
    tested: str  # authority on the side that was tried
    folder: str  # version of the partner folder: digest over its files
    schemas: str  # version of the schemas, "readmission/1.0"
    gateway: str  # version of the program that tried it
    over: str  # memory | rabbitmq | rest | files
    results: Mapping[str, bool]  # scene -> whether everything came about
    made_at: datetime  # UTC, whole seconds
    ends_at: datetime  # UTC, whole seconds; from then on it is worth nothing
    authority: str  # home authority whose key signs
    certificate: str  # SHA-256 of its signing certificate, hex

    def members(self) -> dict[str, Any]:
        """Return the members of its JSON form."""
        return {
            "v": 1,
            **{name: getattr(self, name) for name in _TEXTS},
            "results": dict(self.results),
            "made_at": _written(self.made_at),
            "ends_at": _written(self.ends_at),
            "authority": self.authority,
            "certificate": self.certificate,
        }

    def covered(self) -> bytes:
        """Return the bytes that are signed: a fixed first line, then JSON with sorted keys and without spaces."""
        return CONTEXT + json.dumps(self.members(), sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def read(cls, members: object) -> "Pass":
        """Return the statement of a JSON form. Raises `PassInvalid` for anything that `members` would not write."""
        if not isinstance(members, dict) or members.get("v") != 1:
            raise PassInvalid("this is no conformance pass of a version that is known here")
        results = members.get("results")
        if not isinstance(results, dict) or not 0 < len(results) <= MOST_RESULTS:
            raise PassInvalid("a conformance pass names the scenes that were played", path="results")
        if not all(_WORD.fullmatch(name) and isinstance(ok, bool) for name, ok in results.items()):
            raise PassInvalid("a conformance pass names each scene and whether it went well", path="results")
        texts = {name: _text(members, name, _WORD) for name in (*_TEXTS, "authority")}
        found = cls(
            **texts,
            results=results,
            made_at=_instant(members, "made_at"),
            ends_at=_instant(members, "ends_at"),
            certificate=_text(members, "certificate", _FINGERPRINT),
        )
        if found.members() != members:
            raise PassInvalid("a conformance pass has members that it should not have")
        return found


def _written(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(members: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise PassInvalid("a value of the conformance pass has not the form of its kind", path=name)
    return value


def _instant(members: Mapping[str, Any], name: str) -> datetime:
    text = _text(members, name, _INSTANT)
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise PassInvalid("a time of the conformance pass does not exist", path=name) from error
