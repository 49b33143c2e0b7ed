"""Who calls the API: keys of systems, each of one home authority, with scopes. Their use and their refusal are journalled.

A key signs in with every request; the journal says so once in each hour of the clock in which it is used. Requests with no
valid key are written down at once, and then counted for a minute, so that nobody fills the journal by guessing.
"""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request

from gateway.errors import GatewayError, NotPermitted, NotSignedIn
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


def authorization(request: Request) -> str:
    """Return what a request shows of its key."""
    return request.headers.get("authorization", "")


def require_keys(presented: Sequence[str], rt: Runtime, refused: RefusedKeys) -> list[ApiKey | GatewayError]:
    """Return the key of each header Authorization, `NotSignedIn` where it shows none that is valid."""
    now = rt.clock()
    with reading(rt.engine) as tx:
        keys = accounts.find_api_keys(tx, [_secret(each) for each in presented], now=now)
    for key in {key.prefix: key for key in keys if key is not None}.values():
        _note_use(key, now, rt)
    return [key or _refusal(now, rt, refused) for key in keys]


def require_key(presented: str, rt: Runtime, refused: RefusedKeys) -> ApiKey:
    """Return the one key of a header Authorization. Raises `NotSignedIn`."""
    (key,) = require_keys([presented], rt, refused)
    if isinstance(key, GatewayError):
        raise key
    return key


def require_scope(key: ApiKey, scope: str) -> None:
    """Raise `NotPermitted` for a key without the scope."""
    if scope not in key.scopes:
        raise NotPermitted(f"this API key lacks the scope {scope!r}")


def _secret(presented: str) -> str:
    scheme, _, secret = presented.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _note_use(key: ApiKey, now: datetime, rt: Runtime) -> None:
    if key.used_at is not None and key.used_at > now - accounts.SEEN_EVERY:
        return
    with transaction(rt.engine) as tx:
        if accounts.api_key_used(tx, key.prefix, now=now) and _hour(key.used_at) != _hour(now):
            journal.append(tx, [journal.Entry(at=now, event="api-key.used", actor=actor_of(key), authority=key.authority)])


def _refusal(now: datetime, rt: Runtime, refused: RefusedKeys) -> NotSignedIn:
    if count := refused.due(now):
        with transaction(rt.engine) as tx:
            journal.append(tx, [journal.Entry(at=now, event="api-key.refused", actor="unknown", detail={"count": count})])
    return NotSignedIn("a valid API key is needed: Authorization: Bearer <prefix>.<secret>")


def _hour(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(minute=0, second=0, microsecond=0)


def _key(request: Request, rt: Rt) -> ApiKey:
    return require_key(authorization(request), rt, request.app.state.refused_keys)


def may(scope: str) -> Any:
    """Return the dependency that asks for an API key with `scope`."""

    async def check(key: Annotated[ApiKey, Depends(_key)]) -> ApiKey:
        require_scope(key, scope)
        return key

    return Depends(check)
