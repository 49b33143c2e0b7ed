"""Personal data at rest: one key per case, wrapped twice: by a leaf of the tree of case keys, then by the master key.

    wrapped key  = 0x02 | master key id (8 bytes) | tree id (8) | leaf (8) | nonce (12) | AES-256-GCM(AES-256-GCM(case key))
    search term  = HMAC-SHA-256(HMAC-SHA-256(master key, purpose), authority | kind | term), its first 16 bytes
    ciphertext   = 0x01 | nonce (12) | AES-256-GCM(data), bound to `about`

Destroying the leaf (case_tree.py) erases the case wherever the wrapped key may lie, in a backup too. The master key is the
file private/master.key of the key folder, or the one that GATEWAY_MASTER_KEY_FILE names: 64 hex digits. Keys of the form
0x01, wrapped by the master key alone, are still read.
"""

import hmac
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
from gateway.trust.case_tree import FILE, LEAF_BYTES, TREE_ID_BYTES, CaseKeys
from gateway.trust.folder import CASE_KEYS, MASTER_KEY, PRIVATE, named_file, read_private

KEY_BYTES = 32
_NONCE_BYTES = 12
_MASTER_ID_BYTES = 8
_VERSION = b"\x01"
_VARIABLE = "GATEWAY_MASTER_KEY_FILE"
_UNDER_A_LEAF = b"\x02"
_CASE_KEY = b"readmission-gateway case key 1"
_LEAF = b"readmission-gateway case key under a leaf 1"
_SEARCH = b"readmission-gateway search terms 1"
_TERM_BYTES = 16
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
    _keys: CaseKeys
    _search: bytes = field(repr=False)
    _unwrapped: OrderedDict[bytes, AESGCM] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def __repr__(self) -> str:
        return f"Vault({self._master_id.hex()})"

    @classmethod
    def load(cls, folder: Path, case_keys: Path | None = None, *, environment: Mapping[str, str] = os.environ) -> "Vault":
        """Read the master key (of the key folder, or the file that `GATEWAY_MASTER_KEY_FILE` names) and the tree of case keys.

        The tree lies in the folder `case_keys`, in case-keys/ of the key folder if that is None.

        Raises `KeyMissing`, `TrustInvalid`.
        """
        text = read_private(named_file(_VARIABLE, environment) or folder / PRIVATE / MASTER_KEY)
        if not _HEX_KEY.fullmatch(text):
            raise TrustInvalid(f"{PRIVATE}/{MASTER_KEY} is not 64 hex digits")
        key = bytes.fromhex(text.decode())
        return cls(
            _master=AESGCM(key),
            _master_id=sha256(key).digest()[:_MASTER_ID_BYTES],
            _search=hmac.digest(key, _SEARCH, "sha256"),
            _keys=CaseKeys.load((case_keys or folder / CASE_KEYS) / FILE),
        )

    def new_case_key(self) -> bytes:
        """Return a new case key, wrapped; store it beside the case and nowhere else."""
        leaf, nonce, key = self._keys.new_leaf(), os.urandom(_NONCE_BYTES), os.urandom(KEY_BYTES)
        head = _UNDER_A_LEAF + self._master_id + self._keys.tree_id + leaf
        inner = AESGCM(self._keys.secret(self._keys.tree_id, leaf)).encrypt(nonce, key, _LEAF + head)
        wrapped = head + nonce + self._master.encrypt(nonce, inner, _CASE_KEY + head)
        self._remember(wrapped, AESGCM(key))
        return wrapped

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

    def search_term(self, home: str, kind: str, term: str) -> bytes:
        """Return what stands in the search index for a term of one authority's cases: a keyed hash, 16 bytes.

        Without the master key nobody can try names against the index, and one term is another hash for each authority.
        """
        return hmac.digest(self._search, f"{home}\0{kind}\0{term}".encode(), "sha256")[:_TERM_BYTES]

    @staticmethod
    def destroyable(wrapped: bytes) -> bool:
        """Tell whether a case key can be destroyed for good: one wrapped by the master key alone lives on in backups."""
        return wrapped[:1] == _UNDER_A_LEAF

    def is_destroyed(self, wrapped: bytes) -> bool:
        """Tell whether the leaf of a case key is gone. A key that never had one counts as destroyed: only its row kept it."""
        if not self.destroyable(wrapped):
            return True
        tree, leaf, _ = self._under_a_leaf(wrapped)
        try:
            self._keys.secret(tree, leaf)
        except Erased:
            return True
        return False

    def destroy(self, wrapped: bytes) -> None:
        """Destroy a case key, in memory and, where it can be, for good. A second time is harmless."""
        with self._lock:
            self._unwrapped.pop(wrapped, None)
        if self.destroyable(wrapped):
            tree, leaf, _ = self._under_a_leaf(wrapped)
            self._keys.destroy(tree, leaf)

    def refresh(self) -> None:
        """Take in what another process has destroyed. Raises `KeyMissing`, `TrustInvalid`."""
        if self._keys.refresh():
            with self._lock:
                self._unwrapped.clear()

    def _unwrap(self, wrapped: bytes) -> AESGCM:
        if not wrapped:
            raise Erased("the contents of this case were erased")
        with self._lock:
            known = self._unwrapped.get(wrapped)
            if known is not None:
                self._unwrapped.move_to_end(wrapped)
                return known
        try:
            key = AESGCM(self._opened(wrapped))
        except InvalidTag:
            raise StoredDataDamaged("a case key was altered") from None
        self._remember(wrapped, key)
        return key

    def _remember(self, wrapped: bytes, key: AESGCM) -> None:
        with self._lock:
            self._unwrapped[wrapped] = key
            while len(self._unwrapped) > _CACHED_KEYS:
                self._unwrapped.popitem(last=False)

    def _opened(self, wrapped: bytes) -> bytes:
        version, start = wrapped[:1], len(_VERSION) + _MASTER_ID_BYTES
        if version not in {_VERSION, _UNDER_A_LEAF} or len(wrapped) < start + _NONCE_BYTES:
            raise StoredDataDamaged("a case key has not the form the vault writes")
        if wrapped[1:start] != self._master_id:
            raise StoredDataDamaged("a case key was wrapped by another master key than the one in the key folder")
        if version == _VERSION:
            nonce = wrapped[start : start + _NONCE_BYTES]
            return self._master.decrypt(nonce, wrapped[start + _NONCE_BYTES :], _CASE_KEY + wrapped[:start])
        tree, leaf, start = self._under_a_leaf(wrapped)
        head, nonce = wrapped[:start], wrapped[start : start + _NONCE_BYTES]
        inner = self._master.decrypt(nonce, wrapped[start + _NONCE_BYTES :], _CASE_KEY + head)
        return AESGCM(self._keys.secret(tree, leaf)).decrypt(nonce, inner, _LEAF + head)

    @staticmethod
    def _under_a_leaf(wrapped: bytes) -> tuple[bytes, bytes, int]:
        """Return tree id and leaf of a wrapped key, and where its nonce begins."""
        tree = len(_VERSION) + _MASTER_ID_BYTES
        leaf = tree + TREE_ID_BYTES
        end = leaf + LEAF_BYTES
        if len(wrapped) < end + _NONCE_BYTES:
            raise StoredDataDamaged("a case key has not the form the vault writes")
        return wrapped[tree:leaf], wrapped[leaf:end], end
