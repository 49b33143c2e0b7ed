"""Signing keys that another process holds: each signature is asked for over the signer's socket (gateway/trust/signer.py).

Which keys there are is what the signer says when a connection is made, so a signer that was started with new keys is noticed by
itself. Each thread has a connection of its own: threads do not wait for each other's signatures.
"""

import os
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.errors import (
    GatewayError,
    KeyMissing,
    SignerRefused,
    SignerUnavailable,
    SigningKeyUnavailable,
    TokenPinRefused,
    TrustInvalid,
    catalogue,
)
from gateway.trust import algorithms, signer_frames
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.held import HeldKey, key_at
from gateway.trust.signer_frames import FrameError

SECONDS: Final = 10.0  # for a connection or a signature; a token in hardware may be slow
_TOLD: Final = {each.code for each in (SignerRefused, SigningKeyUnavailable, TokenPinRefused, KeyMissing, TrustInvalid)}


class _Line(socket.socket):
    """A connection of one thread in one process; closed when its thread ends."""

    def __init__(self) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self._process = os.getpid()

    def ours(self) -> bool:
        """Tell whether it was made in this process: after a fork two processes would read each other's answers."""
        return self._process == os.getpid()

    def __del__(self) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteKey:
    """A `SigningKey` in the signer."""

    authority: str
    chain: tuple[bytes, ...]  # DER, leaf first
    algorithm: SignatureAlgorithm
    signers: "RemoteKeys" = field(repr=False)

    def sign(self, data: bytes) -> bytes:
        """Ask the signer. Raises `SignerUnavailable`, `SignerRefused`, and what the key itself raises."""
        return self.signers.sign(self.chain, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteKeys:
    """The keys of one signer."""

    path: Path  # of the socket
    seconds: float = SECONDS
    _known: dict[str, tuple[HeldKey, ...]] = field(default_factory=dict)  # as the signer told at the newest connection
    _own: threading.local = field(default_factory=threading.local)

    def authorities(self) -> tuple[str, ...]:
        """Return the authorities the signer signs for. Raises `SignerUnavailable`."""
        return tuple(sorted(self._keys()))

    def key(self, authority: str, at: datetime) -> RemoteKey:
        """Return the authority's key at an instant. Raises `KeyMissing`, `SignerUnavailable`."""
        found = key_at(self._keys(), authority, at).key
        assert isinstance(found, RemoteKey), "made below"
        return found

    def sign(self, chain: tuple[bytes, ...], data: bytes) -> bytes:
        """Return the raw signature of the key of this chain over `data`. Raises as `RemoteKey.sign` does."""
        request = signer_frames.request(chain, data)
        line: _Line | None = getattr(self._own, "line", None)
        if line is not None and line.ours():
            try:
                return self._ask(line, request)
            except TimeoutError as error:
                self._own.line = None
                raise SignerUnavailable("the signer did not answer in time") from error
            except (OSError, FrameError):  # the signer was started anew
                self._own.line = None
        try:
            return self._ask(self._connect(), request)
        except (OSError, FrameError) as error:
            self._own.line = None
            raise SignerUnavailable("the signer does not answer") from error

    def _keys(self) -> Mapping[str, tuple[HeldKey, ...]]:
        if not self._known:
            self._connect()
        return self._known

    def _ask(self, connection: socket.socket, request: bytes) -> bytes:
        signer_frames.send(connection, request)
        payload = signer_frames.receive(connection, signer_frames.MAX_ANSWER)
        if payload is None:
            raise FrameError("closed")
        answer = signer_frames.read_answer(payload)
        if isinstance(answer, bytes):
            return answer
        raise _error(answer)

    def _connect(self) -> socket.socket:
        """Connect this thread and learn which keys there are. Raises `SignerUnavailable`."""
        line = _Line()
        line.settimeout(self.seconds)
        try:
            line.connect(str(self.path))
            told = self._read(signer_frames.receive(line, signer_frames.MAX_ANSWER) or b"")
        except (OSError, FrameError) as error:
            raise SignerUnavailable("the signer does not answer; it is started by: gateway run sign") from error
        for gone in self._known.keys() - told.keys():
            self._known.pop(gone, None)  # another thread may have seen it too
        self._known.update(told)
        self._own.line = line
        return line

    def _read(self, payload: bytes) -> dict[str, tuple[HeldKey, ...]]:
        told: dict[str, list[HeldKey]] = {}
        for authority, chain, signs_from, not_after in signer_frames.read_hello(payload):
            key = RemoteKey(authority=authority, chain=chain, algorithm=_algorithm(chain), signers=self)
            told.setdefault(authority, []).append(HeldKey(key=key, signs_from=signs_from, not_after=not_after))
        return {authority: tuple(keys) for authority, keys in told.items()}


def _algorithm(chain: tuple[bytes, ...]) -> SignatureAlgorithm:
    try:
        algorithm = algorithms.of_key(x509.load_der_x509_certificate(chain[0]).public_key())
    except (ValueError, IndexError) as error:
        raise FrameError("the signer names a certificate that cannot be read") from error
    if algorithm is None:
        raise FrameError("the signer names a key of an unknown algorithm")
    return algorithm


def _error(answer: Mapping[str, str]) -> GatewayError:
    if answer["code"] not in _TOLD:
        return SignerUnavailable("the signer could not sign")
    return catalogue()[answer["code"]](answer["message"])
