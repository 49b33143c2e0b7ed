"""When the lists and answers were last fetched, with what result, and when the next attempt is due.

    revocation/attempts.json     {"v": 1, "attempts": {file name: {"tried_at", "result", "failures", "next_at"}}}

The file is a memory, not evidence: without it, or when it cannot be read, everything is fetched again.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.trust.folder import REVOCATION, write_file

FILE = "attempts.json"
_MOST_BYTES = 1_048_576
_SHORTEST = timedelta(minutes=5)
_LONGEST = timedelta(hours=12)  # a list may live for months: a revocation is to be known sooner
_FIRST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(hours=1)


class Result(StrEnum):
    """How an attempt ended."""

    FETCHED = "fetched"
    UNREACHABLE = "unreachable"
    UNUSABLE = "unusable"  # something came that proves nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """The last attempt to fetch one list or answer."""

    tried_at: datetime  # UTC
    result: Result
    failures: int  # in a row
    next_at: datetime  # UTC; not tried again before


def succeeded(now: datetime, next_update: datetime) -> Attempt:
    """Return the record of a success: the next attempt is due at half of the time for which what came is good."""
    pause = min(max((next_update - now) / 2, _SHORTEST), _LONGEST)
    return Attempt(tried_at=now, result=Result.FETCHED, failures=0, next_at=now + pause)


def failed(now: datetime, result: Result, before: Attempt | None) -> Attempt:
    """Return the record of a failure: each in a row doubles the pause, up to an hour."""
    failures = before.failures if before else 0
    pause = min(_FIRST_PAUSE * 2 ** min(failures, 10), _LONGEST_PAUSE)
    return Attempt(tried_at=now, result=result, failures=failures + 1, next_at=now + pause)


def read(folder: Path) -> Mapping[str, Attempt]:
    """Return the last attempts by file name; none where there is no file that can be read."""
    try:
        with (folder / REVOCATION / FILE).open("rb") as file:
            content = json.loads(file.read(_MOST_BYTES))
        return {str(name): _attempt(each) for name, each in content["attempts"].items()} if content["v"] == 1 else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return {}


def _attempt(content: Mapping[str, Any]) -> Attempt:
    return Attempt(
        tried_at=datetime.fromisoformat(content["tried_at"]).astimezone(UTC),
        result=Result(content["result"]),
        failures=int(content["failures"]),
        next_at=datetime.fromisoformat(content["next_at"]).astimezone(UTC),
    )


def write(folder: Path, attempts: Mapping[str, Attempt]) -> None:
    """Write the attempts."""
    content = {"v": 1, "attempts": {name: asdict(each) for name, each in sorted(attempts.items())}}
    text = json.dumps(content, indent=1, default=lambda instant: instant.isoformat())
    write_file(folder / REVOCATION / FILE, (text + "\n").encode())
