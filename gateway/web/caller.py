"""Who calls the API: an API key that belongs to one home authority, and what it may do; and numbers as the API takes them."""

from typing import Annotated, Any, TypeAlias

from fastapi import Depends, Path, Request
from pydantic import BeforeValidator

from gateway.errors import NotPermitted, NotSignedIn
from gateway.flow.ports import Runtime
from gateway.store import accounts
from gateway.store.accounts import ApiKey
from gateway.store.database import reading, transaction


def runtime_of(request: Request) -> Runtime:
    """Return the gateway behind this application."""
    found: Runtime = request.app.state.gateway
    return found


Rt: TypeAlias = Annotated[Runtime, Depends(runtime_of)]


def _key(request: Request, rt: Rt) -> ApiKey:
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    now = rt.clock()
    with reading(rt.engine) as tx:
        key = accounts.find_api_key(tx, presented.strip(), now=now) if scheme.lower() == "bearer" else None
    if key is None:
        raise NotSignedIn("a valid API key is needed: Authorization: Bearer <prefix>.<secret>")
    if key.used_at is None or key.used_at <= now - accounts.SEEN_EVERY:
        with transaction(rt.engine) as tx:
            accounts.api_key_used(tx, key.prefix, now=now)
    return key


def may(scope: str) -> Any:
    """Return the dependency that asks for an API key with `scope`."""

    def check(key: Annotated[ApiKey, Depends(_key)]) -> ApiKey:
        if scope not in key.scopes:
            raise NotPermitted(f"this API key lacks the scope {scope!r}")
        return key

    return Depends(check)


def digits(value: Any) -> Any:
    """Refuse what the framework would take for a number too, such as 1.0, 1_0 or a number with a blank before it."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("not a whole number")
    return value


Id: TypeAlias = Annotated[int, BeforeValidator(digits), Path(ge=1)]
