"""All forgeries of one run, made once per process with keys that are thrown away."""

import atexit
import dataclasses
import shutil
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from gateway.simulation.forgeries import Forge, Forgery, forged_from, forgeries
from gateway.trust.certificates import TrustStore
from gateway.wire.documents import parse_xml
from tests.gateways import make_keys

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)  # after the time at which the example says it was made


@cache
def keys() -> Path:
    """Return the key folder."""
    folder = Path(tempfile.mkdtemp(prefix="forged-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_keys(folder / "keys", NOW)


@cache
def trust() -> TrustStore:
    return TrustStore.load(keys())


@cache
def forged() -> dict[str, Forgery]:
    """Return every forgery by its name."""
    return {each.name: each for each in forgeries(keys(), NOW)}


@cache
def forge() -> Forge:
    """Return the forge that holds the genuine envelope of the one profile."""
    return Forge.load(keys(), NOW)


@cache
def forged_of_another_id() -> dict[str, Forgery]:
    """Return every forgery, made from a good XAdES signature that is not the one profile: its id is another."""
    ids = (b'Id="signature"', b'Id="sig-1"'), (b'"#signature"', b'"#sig-1"')
    genuine = forge().resigned(parse_xml(forge().swapped(*ids)))
    return {each.name: each for each in forged_from(dataclasses.replace(forge(), genuine=genuine))}
