"""The process that holds the signing keys and signs for the others, over sockets of this machine.

Two sockets in one folder. Whoever reaches `pages.sock` may have envelopes signed; `loops.sock` also signs what only the loops
write, such as roots of the journal. Nothing that is not one of the purposes (gateway/trust/purposes.py) is signed for anybody.

The folder belongs to the signer's user (0700); with a group named, members of it reach `pages.sock`, and that socket alone.
The system says who has connected (SO_PEERCRED), so a socket that got into other hands is of no use.
"""

import grp
import os
import pwd
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.errors import GatewayError, KeyMissing, SettingsInvalid, SignerRefused
from gateway.log import logger
from gateway.trust import purposes, signer_frames
from gateway.trust.held import HeldKeys
from gateway.trust.signer_frames import FrameError
from gateway.trust.signing_key import SigningKey

PAGES_SOCKET: Final = "pages.sock"
LOOPS_SOCKET: Final = "loops.sock"
_SOCKETS: Final = {PAGES_SOCKET: purposes.PAGES, LOOPS_SOCKET: purposes.LOOPS}
_MOST_CALLERS = 128  # connections of one socket at once: one for each thread that signs
_PATIENCE_SECONDS = 10.0  # for the rest of a frame that has begun
_LONGEST_PATH = 100  # bytes; a socket's address has 108 at most
_CREDENTIALS = struct.Struct("iII")  # pid, uid, gid

_log = logger("signer")


@dataclass(slots=True, kw_only=True)
class Signer:
    """Signs for whoever may connect."""

    keys: HeldKeys
    group: str | None = None  # whose members may reach the socket of API and pages
    _hello: bytes = b""
    _by_fingerprint: dict[bytes, SigningKey] = field(default_factory=dict)
    _listeners: list[socket.socket] = field(default_factory=list)
    _callers: dict[socket.socket, str] = field(default_factory=dict)  # the name of the socket each came by
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def __post_init__(self) -> None:
        held = [each for authority in self.keys.authorities() for each in self.keys.keys[authority]]
        self._by_fingerprint = {signer_frames.fingerprint(each.key.chain): each.key for each in held}
        self._hello = signer_frames.hello(
            [signer_frames.key_row(each.key.authority, each.key.chain, each.signs_from, each.not_after) for each in held]
        )

    def listen(self, folder: Path) -> None:
        """Open the sockets in `folder` and answer until `close`. Raises `SettingsInvalid`."""
        gid = _group_id(self.group)
        _make_folder(folder, gid)
        for name in _SOCKETS:
            shared = gid if name == PAGES_SOCKET else None
            listener = _listener(folder / name, shared)
            self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, name, shared), name=f"signer {name}", daemon=True).start()

    def close(self) -> None:
        """End: no further connection, no further signature."""
        with self._lock:
            self._ended = True
            for each in (*self._listeners, *self._callers):
                _shut(each)

    def sign(self, request: bytes, allowed: frozenset[str]) -> bytes:
        """Return the answer to one request. An error of ours is an answer."""
        try:
            return signer_frames.signed(self._signature(request, allowed))
        except GatewayError as error:
            _log.warning("signature.refused", code=error.code)
            return signer_frames.not_signed(error)

    def _signature(self, request: bytes, allowed: frozenset[str]) -> bytes:
        name, data = request[: signer_frames.FINGERPRINT_BYTES], request[signer_frames.FINGERPRINT_BYTES :]
        key = self._by_fingerprint.get(name)
        if key is None:
            raise KeyMissing("the signer does not hold the key of this certificate")
        if purposes.purpose_of(data, key.algorithm) not in allowed:
            raise SignerRefused("the signer does not sign this for the process that asked")
        return key.sign(data)

    def _accept(self, listener: socket.socket, name: str, gid: int | None) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return  # closed
            with self._lock:
                here = sum(1 for each in self._callers.values() if each == name)  # the pages cannot shut the loops out
                if self._ended or here >= _MOST_CALLERS or not may_call(caller, gid):
                    _log.warning("caller.refused", count=here)
                    caller.close()
                    continue
                self._callers[caller] = name
            threading.Thread(target=self._serve, args=(caller, _SOCKETS[name]), name="signer caller", daemon=True).start()

    def _serve(self, caller: socket.socket, allowed: frozenset[str]) -> None:
        try:
            signer_frames.send(caller, self._hello)
            while True:  # without a time limit: a caller may have nothing to sign for days
                request = signer_frames.receive(caller, signer_frames.MAX_REQUEST, patience=_PATIENCE_SECONDS)
                if request is None:
                    return
                signer_frames.send(caller, self.sign(request, allowed))
        except (OSError, FrameError) as error:
            if not self._ended:
                _log.warning("caller.lost", error_type=type(error).__name__)
        finally:
            with self._lock:
                self._callers.pop(caller, None)
            caller.close()


def may_call(caller: socket.socket, gid: int | None) -> bool:
    """Tell whether whoever connected is our own user, root, or a member of the group.

    Where the system does not tell who it is (it is not Linux), the modes of folder and socket are the guard.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, own_gid = _CREDENTIALS.unpack(credentials)
    return uid in {0, os.geteuid()} or (gid is not None and gid in groups_of(uid, own_gid))


def groups_of(uid: int, gid: int) -> set[int]:
    """Return the groups of a user: the one it runs with, and those of the system's list."""
    try:
        return {gid, *os.getgrouplist(pwd.getpwuid(uid).pw_name, gid)}
    except KeyError:  # a user without a name, as in a container
        return {gid}


def _group_id(name: str | None) -> int | None:
    if name is None:
        return None
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise SettingsInvalid(f"signer_group names the group {name!r}, which this machine does not have") from None


def _make_folder(folder: Path, gid: int | None) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            raise SettingsInvalid(f"the folder {folder.name!r} of the signer belongs to another user")
        if gid is not None:
            os.chown(folder, -1, gid)
        folder.chmod(0o700 if gid is None else 0o710)
    except OSError as error:
        raise SettingsInvalid(f"the folder {folder.name!r} of the signer cannot be made: {error.strerror}") from error


def _listener(path: Path, gid: int | None) -> socket.socket:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise SettingsInvalid(f"the path of the signer's socket is longer than {_LONGEST_PATH} bytes; choose a shorter one")
    if _is_alive(path):
        raise SettingsInvalid(f"another signer listens in the folder {path.parent.name!r}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)  # of a signer that was killed
        listener.bind(str(path))  # nobody else reaches it before its mode is set: the folder is ours
        if gid is not None:
            os.chown(path, -1, gid)
        path.chmod(0o600 if gid is None else 0o660)
        listener.listen(_MOST_CALLERS)
    except OSError as error:
        listener.close()
        raise SettingsInvalid(f"the signer cannot listen at {path.name}: {error.strerror}") from error
    return listener


def _is_alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _shut(each: socket.socket) -> None:
    for step in (lambda: each.shutdown(socket.SHUT_RDWR), each.close):
        _quietly(step)


def _quietly(step: Callable[[], None]) -> None:
    try:
        step()
    except OSError:
        return  # it had ended already
