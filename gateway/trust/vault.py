"""Personal data at rest: one key per case, wrapped by the master key. Destroying the wrapped key erases the case.

    wrapped key  = 0x01 | master key id (8 bytes) | nonce (12) | AES-256-GCM(case key), bound to its use
    ciphertext   = 0x01 | nonce (12) | AES-256-GCM(data), bound to `about`

The master key is the file private/master.key of the key folder, or the one that GATEWAY_MASTER_KEY_FILE names: 64 hex digits.
"""

import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import Erased, StoredDataDamaged, TrustInvalid
from gateway.trust.folder import MASTER_KEY, PRIVATE, named_file, read_private

KEY_BYTES = 32
_NONCE_BYTES = 12
_MASTER_ID_BYTES = 8
_VERSION = b"\x01"
_VARIABLE = "GATEWAY_MASTER_KEY_FILE"
_CASE_KEY = b"readmission-gateway case key 1"
_CACHED_KEYS = 512  # unwrapped case keys kept in memory, least recently used dropped first
_HEX_KEY = re.compile(rb"[0-9a-f]{64}\s*")


def new_master_key() -> bytes:
    """Return the content of a new master key file."""
    return os.urandom(KEY_BYTES).hex().encode() + b"\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Encrypts and decrypts under wrapped case keys. Safe to share between threads."""

    _master: AESGCM
    _master_id: bytes
    _unwrapped: OrderedDict[bytes, AESGCM] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def __repr__(self) -> str:
        return f"Vault({self._master_id.hex()})"

    @classmethod
    def load(cls, folder: Path, *, environment: Mapping[str, str] = os.environ) -> "Vault":
        """Read the master key of the key folder, or of the file that `GATEWAY_MASTER_KEY_FILE` names.

        Raises `KeyMissing`, `TrustInvalid`.
        """
        text = read_private(named_file(_VARIABLE, environment) or folder / PRIVATE / MASTER_KEY)
        if not _HEX_KEY.fullmatch(text):
            raise TrustInvalid(f"{PRIVATE}/{MASTER_KEY} is not 64 hex digits")
        key = bytes.fromhex(text.decode())
        return cls(_master=AESGCM(key), _master_id=sha256(key).digest()[:_MASTER_ID_BYTES])

    def new_case_key(self) -> bytes:
        """Return a new case key, wrapped; store it beside the case and nowhere else."""
        head, nonce = _VERSION + self._master_id, os.urandom(_NONCE_BYTES)
        return head + nonce + self._master.encrypt(nonce, os.urandom(KEY_BYTES), _CASE_KEY + head)

    def encrypt(self, wrapped: bytes, data: bytes, about: bytes) -> bytes:
        """Return `data` encrypted under a case key. `about` says what it is and where it belongs (table, column, row).

        Raises `Erased`, `StoredDataDamaged`.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._unwrap(wrapped).encrypt(nonce, data, about)

    def decrypt(self, wrapped: bytes, data: bytes, about: bytes) -> bytes:
        """Return what was encrypted with the same key and the same `about`.

        Raises `Erased` if the case key was destroyed (`wrapped` is empty), `StoredDataDamaged` if anything does not fit.
        """
        key = self._unwrap(wrapped)
        start = len(_VERSION) + _NONCE_BYTES
        if data[: len(_VERSION)] != _VERSION or len(data) < start:
            raise StoredDataDamaged("stored data has not the form the vault writes")
        try:
            return key.decrypt(data[len(_VERSION) : start], data[start:], about)
        except InvalidTag:
            raise StoredDataDamaged("stored data was altered, or belongs to another case or place") from None

    def forget(self, wrapped: bytes) -> None:
        """Drop a case key from memory: the last step of an erasure."""
        with self._lock:
            self._unwrapped.pop(wrapped, None)

    def _unwrap(self, wrapped: bytes) -> AESGCM:
        if not wrapped:
            raise Erased("the contents of this case were erased")
        with self._lock:
            known = self._unwrapped.get(wrapped)
            if known is not None:
                self._unwrapped.move_to_end(wrapped)
                return known
        head = _VERSION + self._master_id
        if wrapped[: len(_VERSION)] != _VERSION or len(wrapped) < len(head) + _NONCE_BYTES:
            raise StoredDataDamaged("a case key has not the form the vault writes")
        if not wrapped.startswith(head):
            raise StoredDataDamaged("a case key was wrapped by another master key than the one in the key folder")
        start = len(head) + _NONCE_BYTES
        try:
            key = AESGCM(self._master.decrypt(wrapped[len(head) : start], wrapped[start:], _CASE_KEY + head))
        except InvalidTag:
            raise StoredDataDamaged("a case key was altered") from None
        with self._lock:
            self._unwrapped[wrapped] = key
            while len(self._unwrapped) > _CACHED_KEYS:
                self._unwrapped.popitem(last=False)
        return key
