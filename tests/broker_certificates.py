"""Certificates of a broker and of its clients, and of those that must not get in."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.throwaway_ca import Holder, root

SERVER, CLIENT = (ExtendedKeyUsageOID.SERVER_AUTH,), (ExtendedKeyUsageOID.CLIENT_AUTH,)


def write_certificates(folder: Path, now: datetime) -> Path:
    """Write `ca.pem` and `other-ca.pem`, and each certificate with its key as `<name>.pem` and `<name>.key`.

    broker      of the broker, for the host name localhost and no other
    ba, rs      of clients, whose common name is the user at the broker
    late        of a client, and ended
    stranger    of a client, by the other authority, with a good user's name
    locked      as `ba`, its key encrypted
    """
    ours, other = root(now, "Specimen broker root"), root(now, "Specimen other root")
    (folder / "ca.pem").write_bytes(ours.pem)
    (folder / "other-ca.pem").write_bytes(other.pem)
    host = [(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)]
    _write(folder, "broker", ours.issue("broker", purposes=SERVER, more=host))
    for name in ("ba", "rs"):
        _write(folder, name, ours.issue(name, purposes=CLIENT))
    _write(folder, "late", ours.issue("ba", purposes=CLIENT, ends=timedelta(days=-1)))
    _write(folder, "stranger", other.issue("ba", purposes=CLIENT))
    _write(folder, "locked", ours.issue("ba", purposes=CLIENT), password=b"specimen")
    return folder


def _write(folder: Path, name: str, holder: Holder, password: bytes | None = None) -> None:
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    (folder / f"{name}.pem").write_bytes(holder.pem)
    key = folder / f"{name}.key"
    key.write_bytes(holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    key.chmod(0o600)
