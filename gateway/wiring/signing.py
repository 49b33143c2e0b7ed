"""Which process holds which keys: the ring of a process, by the parts that run in it.

A process with API and pages never holds a signing key, whatever else runs in it: it is the one that strangers speak to.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.flow.ports import Clock
from gateway.settings import Settings
from gateway.trust.keys import KeyRing
from gateway.trust.own_signer import own_signer
from gateway.trust.remote import RemoteKeys
from gateway.trust.signer import LOOPS_SOCKET, PAGES_SOCKET

_OPENING = frozenset({"consume", "watch"})  # parts that open what came in
_PAGES = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessKeys:
    """The ring of a process, and whether its own signer still runs (True when it has none)."""

    ring: KeyRing
    signs: Callable[[], bool]


def _nothing_to_watch() -> bool:
    return True


@contextmanager
def keys_for(parts: Sequence[str], settings: Settings, clock: Clock) -> Iterator[ProcessKeys]:
    """Return the keys of a process that runs these parts; where it needs a signer of its own, that ends with the block.

    Raises `Misconfigured` for keys that cannot be used.
    """
    if settings.signer is None and _PAGES in parts:
        with own_signer(settings.keys, as_json=settings.log_json) as child:
            yield ProcessKeys(ring=_asking(child.folder, parts, settings, clock), signs=lambda: child.running)
    else:
        yield ProcessKeys(ring=ring_of(parts, settings, clock), signs=_nothing_to_watch)


def ring_of(parts: Sequence[str], settings: Settings, clock: Clock) -> KeyRing:
    """Return the ring of a process without API and pages, or with a signer that runs elsewhere."""
    if settings.signer is None:
        return KeyRing.load(settings.keys, clock=clock)
    return _asking(settings.signer, parts, settings, clock)


def _asking(folder: Path, parts: Sequence[str], settings: Settings, clock: Clock) -> KeyRing:
    """Return a ring that asks the signer whose sockets lie in `folder`."""
    name = PAGES_SOCKET if set(parts) == {_PAGES} else LOOPS_SOCKET
    opens = not _OPENING.isdisjoint(parts)
    return KeyRing.of(RemoteKeys(path=folder / name), sealing=settings.keys if opens else None, clock=clock)
