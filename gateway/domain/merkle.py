"""The Merkle tree of RFC 6962 (Certificate Transparency), section 2.1, with SHA-256.

A root stands for a whole list; a proof of some twenty hashes shows that one value stands at one place of a list of a million.
Leaves and inner nodes are hashed with different prefixes, so that one can never be taken for the other.
"""

from collections.abc import Sequence
from hashlib import sha256

from gateway.errors import RootInvalid


def _leaf(value: bytes) -> bytes:
    return sha256(b"\x00" + value).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _above(level: Sequence[bytes]) -> list[bytes]:
    """Return the next level of the tree; what has no neighbour goes up as it is.

    That is the tree of the RFC, whose left part always has the largest power of two below the number of leaves.
    """
    pairs = [_node(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return pairs + list(level[len(level) - len(level) % 2 :])


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root (32 bytes) of a list of values; that of the empty list is the hash of nothing."""
    if not leaves:
        return sha256().digest()
    level = [_leaf(value) for value in leaves]
    while len(level) > 1:
        level = _above(level)
    return level[0]


def proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the audit path of the value at `index` (from 0): the neighbours on its way to the root, lowest first."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"there is no place {index} in a list of {len(leaves)}")
    path = []
    level = [_leaf(value) for value in leaves]
    while len(level) > 1:
        neighbour = index ^ 1
        if neighbour < len(level):
            path.append(level[neighbour])
        level, index = _above(level), index // 2
    return tuple(path)


def climb(value: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root at which one arrives from `value` at `index` of a list of `size` values, by an audit path.

    Raises `RootInvalid` for a place outside the list and a path of another length than its place has.
    """
    if not 0 <= index < size:
        raise RootInvalid("the proof names a place that the list does not have")
    reached, last, rest = _leaf(value), size - 1, list(reversed(path))
    while last > 0:
        if index % 2 == 1 or index < last:  # it has a neighbour on this level
            if not rest:
                raise RootInvalid("the proof is too short for its place")
            neighbour = rest.pop()
            reached = _node(neighbour, reached) if index % 2 == 1 else _node(reached, neighbour)
        index, last = index // 2, last // 2
    if rest:
        raise RootInvalid("the proof is too long for its place")
    return reached
