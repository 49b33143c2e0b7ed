"""Local accounts, their sessions, and the keys of systems. Secrets are stored as hashes only."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import NotFound, NotPermitted
from gateway.store.prepared import Prepared, among
from gateway.store.tables import accounts, api_keys, journal, sessions

IDLE = timedelta(minutes=30)  # a session ends after this long without a request
ABSOLUTE = timedelta(hours=10)  # and after this long in any case: one working day
SEEN_EVERY = timedelta(minutes=1)  # `seen_at` is written no more often than this
SIGN_IN_REFUSED = "sign-in.refused"  # journal event that the limit of attempts counts


class AccountRole(StrEnum):
    OFFICER = "officer"  # of a readmission unit
    LIAISON = "liaison"  # of a partner country, often without a system of their own
    OPERATIONS = "operations"  # keeps it flowing; sees no case
    AUDITOR = "auditor"  # sees who did and read what; sees no person


OF_ONE_AUTHORITY = frozenset({AccountRole.OFFICER, AccountRole.LIAISON})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One person who may sign in."""

    id: int
    name: str
    role: AccountRole
    authority: str | None  # None: the whole installation, for operations and auditors only
    password: str  # salted hash
    language: str
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in account."""

    token_hash: str
    account: Account
    form_token: str  # stands in every form of this session
    seen_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A system's key: for one authority, with scopes, until an instant."""

    prefix: str
    authority: str
    scopes: frozenset[str]
    ends_at: datetime
    used_at: datetime | None  # written no more often than every SEEN_EVERY


def token_hash(token: str) -> str:
    """Return what the database keeps of a random token (256 bits: no salt needed)."""
    return hashlib.sha256(token.encode()).hexdigest()


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        role=AccountRole(row.role),
        authority=row.authority,
        password=row.password,
        language=row.language,
        disabled_at=row.disabled_at,
    )


def add_account(
    tx: Connection, *, name: str, role: str, authority: str | None, password: str, at: datetime, language: str = "en"
) -> int:
    """Add an account and return its id. `password` is the salted hash, never the password.

    Raises `NotPermitted` for a name that is taken, or for an officer or liaison officer without an authority.
    """
    kind = AccountRole(role)
    if kind in OF_ONE_AUTHORITY and authority is None:
        raise NotPermitted("an officer or liaison officer belongs to one authority")
    row = {
        "name": name,
        "role": kind.value,
        "authority": authority,
        "password": password,
        "language": language,
        "created_at": at,
    }
    try:
        with tx.begin_nested():
            return int(tx.execute(insert(accounts).values(row).returning(accounts.c.id)).scalar_one())
    except IntegrityError as error:
        raise NotPermitted("there is an account of this name already") from error


def find(connection: Connection, name: str) -> Account | None:
    """Return the account with this name, disabled or not."""
    row = connection.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
    return None if row is None else _account(row)


def all_of(connection: Connection) -> list[Account]:
    """Return every account, by name."""
    return [_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.name))]


def disable(tx: Connection, name: str, at: datetime) -> None:
    """Disable an account and end its sessions. Raises `NotFound`."""
    found = find(tx, name)
    if found is None:
        raise NotFound("there is no such account")
    tx.execute(update(accounts).where(accounts.c.id == found.id).values(disabled_at=at))
    tx.execute(delete(sessions).where(sessions.c.account_id == found.id))


def refused_attempts(connection: Connection, name: str, *, since: datetime) -> int:
    """Return how many sign-ins of this account the journal shows as refused since an instant."""
    counted = select(func.count()).where(journal.c.event == SIGN_IN_REFUSED, journal.c.actor == name, journal.c.at >= since)
    return connection.execute(counted).scalar_one()


def open_session(tx: Connection, account: Account, *, now: datetime, replaces: str | None = None) -> tuple[str, str]:
    """Open a session; return its token (for the cookie, stored nowhere) and its form token.

    `replaces` is the token of the session the browser came with: it ends, so that a token planted before
    sign-in is worth nothing after it. Sessions that have run out are cleared on the way.
    """
    if replaces is not None:
        close_session(tx, replaces)
    tx.execute(delete(sessions).where(or_(sessions.c.ends_at <= now, sessions.c.seen_at <= now - IDLE)))
    token, form_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    row = {
        "token_hash": token_hash(token),
        "account_id": account.id,
        "form_token": form_token,
        "created_at": now,
        "seen_at": now,
        "ends_at": now + ABSOLUTE,
    }
    tx.execute(insert(sessions).values(row))
    return token, form_token


def session(tx: Connection, token: str, *, now: datetime) -> Session | None:
    """Return the session of a token, None if it is unknown, has run out, or its account is disabled."""
    row = tx.execute(
        select(accounts, sessions.c.token_hash, sessions.c.form_token, sessions.c.seen_at, sessions.c.ends_at)
        .join(sessions, sessions.c.account_id == accounts.c.id)
        .where(sessions.c.token_hash == token_hash(token))
    ).one_or_none()
    if row is None or row.disabled_at is not None or now >= row.ends_at or now - row.seen_at >= IDLE:
        return None
    return Session(
        token_hash=row.token_hash, account=_account(row), form_token=row.form_token, seen_at=row.seen_at, ends_at=row.ends_at
    )


def touch(tx: Connection, token: str, *, now: datetime) -> None:
    """Note that a session is in use. Worth a write when `seen_at` is older than `SEEN_EVERY`."""
    tx.execute(update(sessions).where(sessions.c.token_hash == token_hash(token)).values(seen_at=now))


def close_session(tx: Connection, token: str) -> None:
    """End a session; an unknown token is harmless."""
    tx.execute(delete(sessions).where(sessions.c.token_hash == token_hash(token)))


def add_api_key(tx: Connection, *, authority: str, scopes: Sequence[str], at: datetime, ends_at: datetime) -> str:
    """Make a key for a system and return it as `prefix.secret`: the only time that it can be seen."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {
        "prefix": prefix,
        "secret_hash": token_hash(secret),
        "authority": authority,
        "scopes": " ".join(sorted(scopes)),
        "created_at": at,
        "ends_at": ends_at,
    }
    tx.execute(insert(api_keys).values(row))
    return f"{prefix}.{secret}"


def find_api_keys(connection: Connection, presented: Sequence[str], *, now: datetime) -> list[ApiKey | None]:
    """Return the keys that were presented as `prefix.secret`; None for one that is unknown, wrong, or has run out."""
    parts = [each.partition(".")[::2] for each in presented]
    rows = {row.prefix: row for row in _API_KEYS.rows(connection, prefixes=sorted({prefix for prefix, _ in parts}))}
    return [_api_key(rows.get(prefix), secret, now) for prefix, secret in parts]


def _api_key(row: Any, secret: str, now: datetime) -> ApiKey | None:
    if row is None or not secrets.compare_digest(row.secret_hash, token_hash(secret)) or now >= row.ends_at:
        return None
    return ApiKey(
        prefix=row.prefix,
        authority=row.authority,
        scopes=frozenset(row.scopes.split()),
        ends_at=row.ends_at,
        used_at=row.used_at,
    )


_API_KEYS = Prepared(lambda dialect: select(api_keys).where(among(dialect, api_keys.c.prefix, "prefixes")))


def api_key_used(tx: Connection, prefix: str, *, now: datetime) -> bool:
    """Note when a key was last used, at most once a minute; tell whether it was noted now."""
    stale = or_(api_keys.c.used_at.is_(None), api_keys.c.used_at <= now - SEEN_EVERY)
    return tx.execute(update(api_keys).where(api_keys.c.prefix == prefix, stale).values(used_at=now)).rowcount == 1
