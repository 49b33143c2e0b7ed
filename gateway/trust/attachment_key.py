"""The key of one attachment at rest. Every part is encrypted under it, bound to its place in the file.

    part = 0x01 | nonce (12) | AES-256-GCM(bytes, bound to the part's number)

The key itself is kept encrypted under the key of its case (trust/vault.py). A file that came before there was a case lies under
a holding key until then; to move it into the case only the file's key is encrypted anew, never its bytes.
"""

import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import StoredDataDamaged
from gateway.trust.vault import KEY_BYTES, Vault

_NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"
_ABOUT: Final = b"attachment-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentKey:
    """Encrypts and decrypts the parts of one file."""

    _raw: bytes

    def __repr__(self) -> str:
        return "AttachmentKey()"

    @classmethod
    def new(cls) -> "AttachmentKey":
        """Return a new random key."""
        return cls(_raw=os.urandom(KEY_BYTES))

    @classmethod
    def kept(cls, vault: Vault, under: bytes, stored: bytes) -> "AttachmentKey":
        """Return the key that was stored under a wrapped key. Raises `Erased`, `StoredDataDamaged`."""
        return cls(_raw=vault.decrypt(under, stored, _ABOUT))

    def keep(self, vault: Vault, under: bytes) -> bytes:
        """Return the key encrypted under a wrapped key, to be stored. Raises `Erased`."""
        return vault.encrypt(under, self._raw, _ABOUT)

    def encrypt(self, number: int, data: bytes) -> bytes:
        """Return one part as it is stored; `number` counts from 1."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + AESGCM(self._raw).encrypt(nonce, data, _place(number))

    def decrypt(self, number: int, stored: bytes) -> bytes:
        """Return the bytes of one part. Raises `StoredDataDamaged` if they were altered or belong to another place."""
        start = len(_VERSION) + _NONCE_BYTES
        if stored[: len(_VERSION)] != _VERSION or len(stored) < start:
            raise StoredDataDamaged("a stored part has not the form in which parts are written")
        try:
            return AESGCM(self._raw).decrypt(stored[len(_VERSION) : start], stored[start:], _place(number))
        except InvalidTag:
            raise StoredDataDamaged("a stored part was altered, or belongs to another place") from None


def _place(number: int) -> bytes:
    return b"part %d" % number
