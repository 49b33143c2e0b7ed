"""Keys that can be destroyed one by one, also for every backup of the database: a tree of secrets with holes in it.

A case's key is wrapped under a leaf of a tree of secrets. Each node gives its four children by a one-way function, so one root
gives 2**64 leaves and the file that keeps it is small. To destroy a leaf, the nodes on its path are replaced by those
beside the path: every other leaf can still be computed, this one never again. A backup of the database holds the number of
the leaf and what was wrapped under it, never the secret, so it is destroyed there too.

    file = "RGTREE1", line feed | tree id (8 bytes) | nodes: depth (1), place (8), secret (32)

The file is the one thing of which no old copy may be kept: gateway/flow/erasure.py, docs/case-file.md.
Source: Goldreich, Goldwasser, Micali 1986; used for this as a puncturable pseudo-random function.
"""

import fcntl
import os
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from gateway.errors import Erased, KeyMissing, StoredDataDamaged, TrustInvalid
from gateway.trust.folder import write_file

FILE = "case-keys.tree"
LEAF_BYTES = 8
TREE_ID_BYTES = 8
_SECRET_BYTES = 32
_BITS = 2  # of the leaf's number, decided at each level
_DEPTH = LEAF_BYTES * 8 // _BITS
_CHILDREN = 1 << _BITS
_NEAR = _DEPTH - 4  # below a node at this depth lie the 256 leaves that a process uses one after the other
_RUN = 1 << 20  # leaves that a process takes before it chooses another place
OTHER_TREE = "a case key was wrapped under another tree of keys than the one in the key folder"
_HEAD = b"RGTREE1\n"
_NODE = struct.Struct(f">BQ{_SECRET_BYTES}s")
_LABELS = tuple(b"readmission-gateway case tree 1" + bytes([child]) for child in range(_CHILDREN))
_MAX_FILE_BYTES = 256 * 1024 * 1024  # a hundred thousand erased cases

Place = tuple[int, int]  # depth, and the number of the node at that depth


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTree:
    """The secrets that are left."""

    id: bytes
    nodes: Mapping[Place, bytes]

    def __repr__(self) -> str:
        return f"CaseTree({self.id.hex()})"

    @classmethod
    def new(cls) -> "CaseTree":
        """Return a whole tree."""
        return cls(id=os.urandom(TREE_ID_BYTES), nodes={(0, 0): os.urandom(_SECRET_BYTES)})

    @classmethod
    def read(cls, data: bytes) -> "CaseTree":
        """Return the tree in a file. Raises `TrustInvalid`."""
        start = len(_HEAD) + TREE_ID_BYTES
        if not data.startswith(_HEAD) or len(data) < start or (len(data) - start) % _NODE.size:
            raise TrustInvalid("the file of the case keys is cut off, or is none")
        nodes = {(depth, number): secret for depth, number, secret in _NODE.iter_unpack(data[start:])}
        return cls(id=data[len(_HEAD) : start], nodes=nodes)

    def written(self) -> bytes:
        """Return the tree as its file holds it."""
        nodes = (_NODE.pack(*place, secret) for place, secret in sorted(self.nodes.items()))
        return b"".join((_HEAD, self.id, *nodes))

    def node(self, leaf: int, depth: int) -> bytes | None:
        """Return the secret of the node above a leaf at a depth; None if a leaf below it was destroyed. Raises `Erased`."""
        above, secret = self._above(leaf)
        return None if above > depth else descend(secret, leaf, above, depth)

    def secret(self, leaf: int) -> bytes:
        """Return the secret of a leaf. Raises `Erased` if it was destroyed."""
        above, secret = self._above(leaf)
        return descend(secret, leaf, above, _DEPTH)

    def without(self, number: int) -> "CaseTree":
        """Return the tree without one leaf; the same tree if it was destroyed before."""
        try:
            depth, secret = self._above(number)
        except Erased:
            return self
        nodes = dict(self.nodes)
        del nodes[depth, _at(number, depth)]
        for level in range(depth + 1, _DEPTH + 1):
            mine = _at(number, level)
            first = mine - mine % _CHILDREN
            children = [sha256(secret + label).digest() for label in _LABELS]
            nodes |= {(level, first + child): each for child, each in enumerate(children) if first + child != mine}
            secret = children[mine % _CHILDREN]
        return CaseTree(id=self.id, nodes=nodes)

    def _above(self, number: int) -> tuple[int, bytes]:
        """Return the kept node above a leaf."""
        for depth in range(_DEPTH + 1):
            secret = self.nodes.get((depth, _at(number, depth)))
            if secret is not None:
                return depth, secret
        raise Erased("the contents of this case were erased")


def _at(number: int, depth: int) -> int:
    """Return the number of the node above a leaf at a depth."""
    return number >> (_BITS * (_DEPTH - depth))


def descend(secret: bytes, leaf: int, depth: int, to: int) -> bytes:
    """Return the secret at depth `to` above a leaf, from that at `depth`."""
    for level in range(depth + 1, to + 1):
        secret = sha256(secret + _LABELS[_at(leaf, level) % _CHILDREN]).digest()
    return secret


class CaseKeys:
    """The tree of an installation, in memory and in its file. Safe to share between threads and processes.

    A process takes its leaves one after the other from a place of the tree that it chose by chance: neighbours share all but
    the last steps of the way down, and cases of one time, erased together, leave few nodes behind.
    """

    def __init__(self, path: Path, tree: CaseTree) -> None:
        self._path = path
        self._tree = tree
        self._seen = _stamp(path)
        self._lock = Lock()
        self._leaves: Iterator[int] = iter(())
        self._near: tuple[int, bytes] | None = None  # a node at depth _NEAR that was used last: number and secret

    @classmethod
    def load(cls, path: Path) -> "CaseKeys":
        """Read the tree; a new installation gets a new one. Raises `KeyMissing` where none can be made, `TrustInvalid`."""
        if not path.exists():
            _plant(path)
        return cls(path, CaseTree.read(_read(path)))

    @property
    def tree_id(self) -> bytes:
        return self._tree.id

    def new_leaf(self) -> bytes:
        """Return a leaf that nobody has."""
        with self._lock:
            leaf = next(self._leaves, None)
            if leaf is None:
                first = int.from_bytes(os.urandom(LEAF_BYTES), "big") & -_RUN
                self._leaves = iter(range(first, first + _RUN))
                leaf = next(self._leaves)
        return leaf.to_bytes(LEAF_BYTES, "big")

    def secret(self, tree_id: bytes, leaf: bytes) -> bytes:
        """Return the secret of a leaf. Raises `Erased`, or `StoredDataDamaged` for a leaf of another tree."""
        tree, number = self._tree, int.from_bytes(leaf, "big")
        if tree_id != tree.id:
            raise StoredDataDamaged(OTHER_TREE)
        place, near = _at(number, _NEAR), self._near
        if near is None or near[0] != place:
            secret = tree.node(number, _NEAR)
            if secret is None:
                return tree.secret(number)
            near = place, secret
            with self._lock:
                if tree is self._tree:  # nothing was destroyed meanwhile
                    self._near = near
        return descend(near[1], number, _NEAR, _DEPTH)

    def destroy(self, tree_id: bytes, leaf: bytes) -> None:
        """Destroy a leaf, in the file first. What the file held before is overwritten where the file system allows it.

        Raises `StoredDataDamaged` for a leaf of another tree.
        """
        if tree_id != self._tree.id:
            raise StoredDataDamaged(OTHER_TREE)
        with self._lock, _alone(self._path):
            with self._path.open("r+b") as before:  # held open: after the renaming nothing else leads to the old bytes
                tree = CaseTree.read(before.read()).without(int.from_bytes(leaf, "big"))
                write_file(self._path, tree.written(), private=True)
                _overwrite(before.fileno())
            _sync(self._path.parent)
            self._tree, self._seen, self._near = tree, _stamp(self._path), None

    def refresh(self) -> bool:
        """Read the file again if another process destroyed a leaf; return whether. Raises `KeyMissing`, `TrustInvalid`."""
        with self._lock:
            seen = _stamp(self._path)
            if seen == self._seen:
                return False
            self._tree, self._seen, self._near = CaseTree.read(_read(self._path)), seen, None
            return True


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise KeyMissing("the file of the case keys cannot be read") from error
    if stat.S_IMODE(mode) & 0o077:
        raise TrustInvalid("the file of the case keys can be read by others than its owner; set its mode to 0600")
    if len(data) > _MAX_FILE_BYTES:
        raise TrustInvalid("the file of the case keys is too large")
    return data


def _plant(path: Path) -> None:
    """Write a new tree, unless another process was faster: then its tree counts."""
    mine = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        write_file(mine, CaseTree.new().written(), private=True)
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
        _sync(path.parent)
    except OSError as error:
        raise KeyMissing("there is no file of case keys, and none can be written; see the setting case_keys") from error


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time change the tree."""
    with path.with_name(f".{path.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _overwrite(file: int) -> None:
    size = os.fstat(file).st_size
    os.pwrite(file, os.urandom(size), 0)
    os.fsync(file)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
