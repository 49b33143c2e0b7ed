"""What goes over the signer's socket: frames of a length (4 bytes, big-endian) and so many bytes.

signer -> caller   once, when connected: JSON {"v": 1, "keys": [{"authority", "certificates": [base64 DER, leaf first],
                   "signs_from", "not_after"}]}
caller -> signer   32 bytes (SHA-256 of the signing certificate) and the bytes to sign
signer -> caller   0x00 and the raw signature, or 0x01 and JSON {"code", "message"}
"""

import json
import socket
import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from gateway.errors import GatewayError, SignerRefused

MAX_REQUEST: Final = 65_536  # a SignedInfo has about 1 kB
MAX_ANSWER: Final = 4_194_304  # the first frame names every key: 20 authorities with two chains each are below 1 MB
FINGERPRINT_BYTES: Final = 32
_AT_ONCE = 65_536
_LENGTH = struct.Struct(">I")
_SIGNED, _NOT_SIGNED = b"\x00", b"\x01"


class FrameError(Exception):
    """The other end does not speak this way, or is gone."""


def send(connection: socket.socket, payload: bytes) -> None:
    """Send one frame."""
    connection.sendall(_LENGTH.pack(len(payload)) + payload)


def receive(connection: socket.socket, most: int, *, patience: float | None = None) -> bytes | None:
    """Return the next frame, None when the other end closed between two frames.

    `patience` is how many seconds the rest of a frame may take that has begun; not given, the connection's own limit holds.
    Nobody sends a second frame before the answer to the first. Raises `FrameError`, `OSError`.
    """
    data = connection.recv(_AT_ONCE)
    if not data:
        return None
    if len(data) < _wanted(data, most):
        usual = connection.gettimeout()
        connection.settimeout(patience or usual)
        data = _rest(connection, data, most)
        connection.settimeout(usual)
    if len(data) > _wanted(data, most):
        raise FrameError("a second frame before the answer to the first")
    return data[_LENGTH.size :]


def _rest(connection: socket.socket, data: bytes, most: int) -> bytes:
    while len(data) < _wanted(data, most):
        part = connection.recv(_AT_ONCE)
        if not part:
            raise FrameError("ended within a frame")
        data += part
    return data


def _wanted(data: bytes, most: int) -> int:
    """Return how many bytes the frame has that begins so, its length included."""
    if len(data) < _LENGTH.size:
        return _LENGTH.size
    (length,) = _LENGTH.unpack_from(data)
    if length > most:
        raise FrameError(f"a frame of {length} bytes")
    return _LENGTH.size + int(length)


def request(chain: tuple[bytes, ...], data: bytes) -> bytes:
    """Return what asks for a signature of the key of this chain over `data`. Raises `SignerRefused` if it is too long."""
    if len(data) > MAX_REQUEST - FINGERPRINT_BYTES:
        raise SignerRefused("the signer signs nothing of this length")
    return fingerprint(chain) + data


def fingerprint(chain: tuple[bytes, ...]) -> bytes:
    """Return what names a key in a request."""
    return sha256(chain[0]).digest()


def key_row(authority: str, chain: tuple[bytes, ...], signs_from: datetime, not_after: datetime) -> dict[str, Any]:
    """Return what the first frame says of one key."""
    return {
        "authority": authority,
        "certificates": [b64encode(each).decode() for each in chain],
        "signs_from": signs_from.astimezone(UTC).isoformat(),
        "not_after": not_after.astimezone(UTC).isoformat(),
    }


def hello(rows: list[dict[str, Any]]) -> bytes:
    """Return the first frame."""
    return json.dumps({"v": 1, "keys": rows}).encode()


def read_hello(payload: bytes) -> list[tuple[str, tuple[bytes, ...], datetime, datetime]]:
    """Return (authority, chain, signs_from, not_after) of each key. Raises `FrameError`."""
    try:
        content = json.loads(payload)
        if content["v"] != 1:
            raise FrameError("another version of the signer")
        return [
            (
                row["authority"],
                tuple(b64decode(each, validate=True) for each in row["certificates"]),
                datetime.fromisoformat(row["signs_from"]),
                datetime.fromisoformat(row["not_after"]),
            )
            for row in content["keys"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameError("not the signer's first frame") from error


def signed(value: bytes) -> bytes:
    """Return the answer with a signature."""
    return _SIGNED + value


def not_signed(error: GatewayError) -> bytes:
    """Return the answer without one."""
    return _NOT_SIGNED + json.dumps({"code": error.code, "message": error.message}).encode()


def read_answer(payload: bytes) -> bytes | Mapping[str, str]:
    """Return the signature, or code and message of the refusal. Raises `FrameError`."""
    if payload[:1] == _SIGNED:
        return payload[1:]
    try:
        content = json.loads(payload[1:])
        return {"code": str(content["code"]), "message": str(content["message"])}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameError("not an answer of the signer") from error
