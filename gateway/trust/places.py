"""Where a signing key lies and from when it signs: the file `<AUTHORITY>[.<n>].signing.toml` beside the key's certificates.

from = 2026-12-15T00:00:00Z                        # the first instant at which it signs; not given: at once
[pkcs11]                                           # not given: the private key lies in the .signing.pem
module = "/usr/lib/softhsm/libsofthsm2.so"         # the token's library
token = "gateway"                                  # label of the token
id = "6f2a90"                                      # CKA_ID of the key in hex; or label = "..."
pin_file = "/run/secrets/token-pin"                # or pin_env = "GATEWAY_TOKEN_PIN"
"""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.errors import TrustInvalid
from gateway.trust.folder import read_private

_HEX = re.compile(r"(?:[0-9a-f]{2}){1,64}")
_TABLE = "pkcs11"
_TOKEN_KEYS = {"module", "token", "id", "label", "pin_file", "pin_env"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPlace:
    """A private key in a PKCS#11 token, and how to get at it."""

    module: Path  # the library that speaks to the token
    token: str  # label
    key_id: bytes | None  # CKA_ID; None: found by its label
    label: str | None  # CKA_LABEL
    pin_file: Path | None
    pin_env: str | None

    def pin(self, environment: Mapping[str, str] = os.environ) -> str:
        """Read the PIN. Raises `KeyMissing`, `TrustInvalid`."""
        if self.pin_env is not None:
            if not environment.get(self.pin_env):
                raise TrustInvalid(f"the variable {self.pin_env} holds no PIN for the token {self.token}")
            return environment[self.pin_env]
        assert self.pin_file is not None, "one of the two is given"
        try:
            return read_private(self.pin_file).decode().strip()
        except UnicodeDecodeError:
            raise TrustInvalid(f"the PIN file of the token {self.token} is not text") from None

    def written(self) -> str:
        """Return the table as it stands in a file."""
        values = {
            "module": str(self.module),
            "token": self.token,
            "id": self.key_id.hex() if self.key_id is not None else None,
            "label": self.label,
            "pin_file": str(self.pin_file) if self.pin_file is not None else None,
            "pin_env": self.pin_env,
        }
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items() if value is not None]
        return "\n".join([f"[{_TABLE}]", *lines]) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlace:
    """What stands beside the certificates of a signing key."""

    signs_from: datetime | None = None  # UTC
    token: TokenPlace | None = None  # None: the key lies in the file with the certificates

    def written(self) -> bytes:
        """Return the file."""
        start = f"from = {self.signs_from.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\n" if self.signs_from is not None else ""
        return (start + (self.token.written() if self.token is not None else "")).encode()


def read_place(path: Path) -> KeyPlace:
    """Read the file; one that is not there says nothing. Raises `KeyMissing`, `TrustInvalid`."""
    if not path.exists():
        return KeyPlace()
    name = f"{path.parent.name}/{path.name}"
    try:
        given = tomllib.loads(read_private(path).decode())
    except ValueError as error:  # not UTF-8, or not TOML
        raise TrustInvalid(f"{name} is not TOML") from error
    if unknown := sorted(set(given) - {"from", _TABLE}):
        raise TrustInvalid(f"{name} has the unknown key {unknown[0]!r}")
    signs_from = given.get("from")
    if signs_from is not None and (not isinstance(signs_from, datetime) or signs_from.tzinfo is None):
        raise TrustInvalid(f"{name}: from is not an instant like 2026-12-15T00:00:00Z")
    table = given.get(_TABLE)
    return KeyPlace(
        signs_from=signs_from.astimezone(UTC) if signs_from is not None else None,
        token=_token(table, name, path.parent) if table is not None else None,
    )


def _token(table: Any, name: str, folder: Path) -> TokenPlace:
    if not isinstance(table, dict) or not all(isinstance(value, str) and value for value in table.values()):
        raise TrustInvalid(f"{name}: {_TABLE} is not a table of texts")
    if unknown := sorted(set(table) - _TOKEN_KEYS):
        raise TrustInvalid(f"{name} has the unknown key '{_TABLE}.{unknown[0]}'")
    for either in (("module",), ("token",), ("id", "label"), ("pin_file", "pin_env")):
        if sum(one in table for one in either) != 1:
            raise TrustInvalid(f"{name}: {_TABLE} needs {' or '.join(either)}" + (", not both" if len(either) > 1 else ""))
    if "id" in table and not _HEX.fullmatch(table["id"]):
        raise TrustInvalid(f"{name}: {_TABLE}.id is not an even number of hexadecimal digits in lower case")
    return TokenPlace(
        module=folder / table["module"],  # an absolute path stays what it is
        token=table["token"],
        key_id=bytes.fromhex(table["id"]) if "id" in table else None,
        label=table.get("label"),
        pin_file=folder / table["pin_file"] if "pin_file" in table else None,
        pin_env=table.get("pin_env"),
    )
