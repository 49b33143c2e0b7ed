"""All forgeries of one run, made once per process with keys that are thrown away."""

import atexit
import shutil
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from gateway.trust.certificates import TrustStore
from tests.forgeries import Forgery, forgeries
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
