"""Forgeries of a genuine signed envelope: what an attacker, or a careless partner, would send.

They need keys, so they are made when they are needed, from development keys that are thrown away: no private key lies in
the repository. `forgeries` is the whole list; the tests, `scripts/make_forgeries.py` and the check against other people's
software all read it.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gateway.simulation.forgeries import claims, encodings, shapes, values, wrapping
from gateway.simulation.forgeries.forge import Forge, Forgery

__all__ = ["Forge", "Forgery", "forged_from", "forgeries"]


def forgeries(keys: Path, now: datetime) -> Iterator[Forgery]:
    """Yield every forgery, each made anew from a genuine envelope signed at `now`, of BA-MS.

    `keys` is a development key folder with BA-MS and PK-MOI in it (`gateway keys new --development`).
    """
    yield from forged_from(Forge.load(keys, now))


def forged_from(forge: Forge) -> Iterator[Forgery]:
    """Yield every forgery, made from the genuine envelope that `forge` holds: the profile's, or another good signature.

    The codes are those of the profile.
    """
    for part in (shapes, wrapping, encodings, claims, values):
        yield from part.forgeries(forge)
