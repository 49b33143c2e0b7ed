"""Who calls the API: keys of systems, each of one home authority, with scopes. Their use and their refusal are journalled.

A key signs in with every request; the journal says so once in each hour of the clock in which it is used. Requests with no
valid key are written down at once, and then counted for a minute, so that nobody fills the journal by guessing.
"""

import threading
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request

from gateway.errors import NotPermitted, NotSignedIn
from gateway.flow.ports import Runtime
from gateway.store import accounts, journal
from gateway.store.accounts import ApiKey
from gateway.store.database import reading, transaction

REFUSED_EVERY = timedelta(minutes=1)  # one entry for all refusals of this process


async def runtime_of(request: Request) -> Runtime:
    """Return the gateway behind this application. It waits for nothing, and is no function that FastAPI gives a thread."""
    found: Runtime = request.app.state.gateway
    return found


Rt = Annotated[Runtime, Depends(runtime_of)]


class RefusedKeys:
    """Counts the requests without a valid key between two entries of the journal."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._told: datetime | None = None

    def due(self, now: datetime) -> int:
        """Note one refusal; return how many to journal now, 0 while the last entry is fresh."""
        with self._lock:
            self._count += 1
            if self._told is not None and now < self._told + REFUSED_EVERY:
                return 0
            count, self._count, self._told = self._count, 0, now
            return count


def actor_of(key: ApiKey) -> str:
    """Return how the journal names a key."""
    return f"key:{key.prefix}"


def _key(request: Request, rt: Rt) -> ApiKey:
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    now = rt.clock()
    with reading(rt.engine) as tx:
        key = accounts.find_api_key(tx, presented.strip(), now=now) if scheme.lower() == "bearer" else None
    if key is None:
        refused: RefusedKeys = request.app.state.refused_keys
        if count := refused.due(now):
            _note(rt, journal.Entry(at=now, event="api-key.refused", actor="unknown", detail={"count": count}))
        raise NotSignedIn("a valid API key is needed: Authorization: Bearer <prefix>.<secret>")
    if key.used_at is None or key.used_at <= now - accounts.SEEN_EVERY:
        with transaction(rt.engine) as tx:
            if accounts.api_key_used(tx, key.prefix, now=now) and _hour(key.used_at) != _hour(now):
                journal.append(tx, [journal.Entry(at=now, event="api-key.used", actor=actor_of(key), authority=key.authority)])
    return key


def _hour(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(minute=0, second=0, microsecond=0)


def _note(rt: Runtime, entry: journal.Entry) -> None:
    with transaction(rt.engine) as tx:
        journal.append(tx, [entry])


def may(scope: str) -> Any:
    """Return the dependency that asks for an API key with `scope`."""

    async def check(key: Annotated[ApiKey, Depends(_key)]) -> ApiKey:
        if scope not in key.scopes:
            raise NotPermitted(f"this API key lacks the scope {scope!r}")
        return key

    return Depends(check)
