"""What `scripts/interop.py` shows to other people's software: envelopes and case files, good and forged."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gateway.flow.case_verdict import verify_case_file
from gateway.settings import data_folder
from gateway.simulation.forgeries import forgeries
from gateway.store.database import open_engine, upgrade
from gateway.trust import stamped
from gateway.trust.authorities import obtain
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.devtsa import DevelopmentAuthority
from gateway.trust.keys import KeyRing
from gateway.trust.sign import sign
from gateway.trust.verify import examine
from gateway.wire.documents import parse_xml
from gateway.wire.reading import text
from gateway.wire.schema import SchemaSet
from tests.packs import AT, make_sample, pack

SCHEMA = data_folder("schemas") / "readmission" / "1.0"
EXAMPLES = SCHEMA / "examples"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file, and what we say of it."""

    name: str
    body: bytes
    code: str | None  # of our refusal, None when we accept it
    level: str = "XAdES-BASELINE-B"  # what DSS must call it when it passes


def authorities() -> list[str]:
    """Return the senders of the examples."""
    found = {text(parse_xml(path.read_bytes()), "Header/Sender") for path in EXAMPLES.glob("*.xml")}
    return sorted(sender for sender in found if sender)


def good_envelopes(keys: Path, now: datetime) -> Iterator[Sample]:
    """Yield every example, signed by its sender with the key of `keys`."""
    ring, trust = KeyRing.load(keys), TrustStore.load(keys)
    for path in sorted(EXAMPLES.glob("*.xml")):
        document = parse_xml(path.read_bytes())
        body = sign(document, ring.signing(text(document, "Header/Sender") or ""), now).body
        yield Sample(name=path.name, body=body, code=_our_code(body, trust, now))


def stamped_envelopes(keys: Path, samples: Sequence[Sample], now: datetime) -> Iterator[Sample]:
    """Yield each envelope with a timestamp of the development authority (profile T)."""
    trust, asked = TrustStore.load(keys), [DevelopmentAuthority.load(keys, lambda: now)]
    for each in samples:
        stamp = obtain(stamped.over(each.body), asked, trust.timestamp_anchors, lambda: now)
        body = stamped.add(each.body, stamp.token)
        yield Sample(name=f"stamped-{each.name}", body=body, code=_our_code(body, trust, now), level="XAdES-BASELINE-T")


def with_foreign_timestamp(keys: Path, envelopes: Sequence[Sample], now: datetime) -> Sample:
    """Return the first of some stamped envelopes with the timestamp of the second."""
    first, second = (stamped.cut(each.body) for each in envelopes[:2])
    assert first is not None, "it was stamped just now"
    assert second is not None, "it was stamped just now"
    body = stamped.add(first.envelope, second.token)
    return Sample(name="timestamp-of-another-envelope.xml", body=body, code=_our_code(body, TrustStore.load(keys), now))


def _our_code(body: bytes, trust: TrustStore, now: datetime) -> str | None:
    found = examine(body, trust, now)
    return found.refusal.code if found.refusal else None


def forged_envelopes(keys: Path, now: datetime) -> Iterator[Sample]:
    """Yield every forgery of gateway/simulation/forgeries."""
    trust = TrustStore.load(keys)
    for each in forgeries(keys, now):
        yield Sample(name=f"{each.name}.xml", body=each.body, code=_our_code(each.body, trust, now))


def case_files(folder: Path, keys: Path) -> Iterator[Sample]:
    """Yield a genuine case file with and without a timestamp, and what a forger makes of it. `keys` is made here."""
    make_development_keys(keys, authorities(), AT - timedelta(days=10))
    folder.mkdir()
    migrated = folder / "migrated.sqlite3"
    engine = open_engine(f"sqlite:///{migrated}")
    upgrade(engine)
    engine.dispose()
    genuine = make_sample(folder, migrated, keys)
    key, files = genuine.key(), genuine.files
    shutil.copy(genuine.path, folder / "case-with-timestamp.asice")
    pack(files, folder / "case.asice", key)
    letter = next(name for name in files if name.startswith("messages/"))
    changed = files | {letter: files[letter].replace(b"SPECIMEN", b"SPECIMAN")}
    pack(changed, folder / "case-with-a-changed-message.asice")
    pack({name: body for name, body in files.items() if name != letter}, folder / "case-without-a-message.asice")
    pack(files | {"messages/unsigned.xml": b"<a/>"}, folder / "case-with-an-unsigned-file.asice")
    schemas = SchemaSet.load(SCHEMA)
    for name, level in (
        ("case.asice", "XAdES-BASELINE-B"),
        ("case-with-timestamp.asice", "XAdES-BASELINE-T"),
        ("case-with-a-changed-message.asice", ""),
        ("case-without-a-message.asice", ""),
        ("case-with-an-unsigned-file.asice", ""),
    ):
        path = folder / name
        code = verify_case_file(path, keys / "anchors", AT + timedelta(days=30), schemas).code
        yield Sample(name=name, body=path.read_bytes(), code=code, level=level)
