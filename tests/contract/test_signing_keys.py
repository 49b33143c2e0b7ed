"""What every signing key does, wherever it lies: in a file, in a token, or in another process."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.errors import SignatureInvalid
from gateway.trust import profile
from gateway.trust.algorithms import ALGORITHMS, PublicKey, SignatureAlgorithm
from gateway.trust.folder import write_file
from gateway.trust.held import HeldKeys
from gateway.trust.keys import FileKey, KeyRing, SigningKey
from gateway.trust.places import KeyPlace
from gateway.trust.remote import RemoteKeys
from gateway.trust.sign import sign
from gateway.trust.signer import PAGES_SOCKET, Signer
from gateway.trust.tokens import module_of
from gateway.trust.verify import verify
from gateway.wire.documents import parse_xml
from tests.gateways import example
from tests.throwaway_ca import Holder, root

NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
AUTHORITY = "BA-MS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A signing key as a ring gives it, and its public part as a partner has it."""

    key: SigningKey
    public_key: PublicKey
    folder: Path  # with the anchor and the pinned certificate


def covered(algorithm: SignatureAlgorithm, word: bytes = b"one") -> bytes:
    """The bytes of a SignedInfo: the one thing that every signing key signs."""
    return profile.signed_info_alone(algorithm, profile.digest(word), profile.digest(b"properties"))


def in_file(folder: Path, algorithm: SignatureAlgorithm, issuer: Holder) -> None:
    private = algorithm.new_private()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = issuer.issue(public_key=private.public_key()).pem
    write_file(folder / "private" / f"{AUTHORITY}.signing.pem", pem + certificate, private=True)


def in_token(folder: Path, algorithm: SignatureAlgorithm, issuer: Holder, request: pytest.FixtureRequest) -> None:
    place = request.getfixturevalue("softhsm").place(algorithm.name.encode())
    module_of(place).generate(place, algorithm)
    public = module_of(place).public_key(place)
    request.addfinalizer(lambda: module_of(place).destroy(place))
    write_file(folder / "private" / f"{AUTHORITY}.signing.pem", issuer.issue(public_key=public).pem, private=True)
    write_file(folder / "private" / f"{AUTHORITY}.signing.toml", KeyPlace(token=place).written(), private=True)


@pytest.fixture
def beside_a_signer() -> Iterator[Callable[[Path], KeyRing]]:
    """A ring whose keys another side of a socket holds; the folder is short, as the address of a socket must be."""
    sockets, running = Path(mkdtemp(prefix="signer-")), []

    def ring(folder: Path) -> KeyRing:
        signer = Signer(keys=HeldKeys.load(folder, {}))
        signer.listen(sockets)
        running.append(signer)
        return KeyRing.of(RemoteKeys(path=sockets / PAGES_SOCKET), sealing=None)

    yield ring
    for signer in running:
        signer.close()
    shutil.rmtree(sockets)


@pytest.fixture(params=[f"{where}-{name}" for where in ("file", "token", "signer") for name in ALGORITHMS])
def kept(request: pytest.FixtureRequest, tmp_path: Path, beside_a_signer: Callable[[Path], KeyRing]) -> Kept:
    where, _, name = request.param.partition("-")
    issuer, algorithm = root(NOW), ALGORITHMS[name]
    if where == "token":
        in_token(tmp_path, algorithm, issuer, request)
    else:
        in_file(tmp_path, algorithm, issuer)
    ring = beside_a_signer(tmp_path) if where == "signer" else KeyRing.load(tmp_path, environment={})
    key = ring.signing(AUTHORITY, NOW)
    leaf = x509.load_der_x509_certificate(key.chain[0])
    write_file(tmp_path / "anchors" / "root.pem", issuer.pem)
    write_file(tmp_path / "pinned" / f"{AUTHORITY}.pem", leaf.public_bytes(Encoding.PEM))
    public_key = leaf.public_key()
    assert isinstance(public_key, PublicKey)
    return Kept(key=key, public_key=public_key, folder=tmp_path)


def test_signature_is_good_for_what_was_signed(kept: Kept) -> None:
    data = covered(kept.key.algorithm)
    kept.key.algorithm.check(kept.public_key, kept.key.sign(data), data)


def test_signature_is_good_for_nothing_else(kept: Kept) -> None:
    value = kept.key.sign(covered(kept.key.algorithm))
    with pytest.raises(SignatureInvalid):
        kept.key.algorithm.check(kept.public_key, value, covered(kept.key.algorithm, b"two"))


def test_key_knows_its_authority(kept: Kept) -> None:
    assert kept.key.authority == AUTHORITY


def test_algorithm_is_that_of_the_certificate(kept: Kept) -> None:
    assert kept.key.algorithm.fits(kept.public_key)


def test_key_does_not_print_itself(kept: Kept) -> None:
    assert AUTHORITY in repr(kept.key)
    assert "PRIVATE" not in repr(kept.key)
    assert len(repr(kept.key)) < 5000


def test_message_signed_with_it_is_accepted(kept: Kept) -> None:
    from gateway.trust.certificates import TrustStore

    message = parse_xml(example("ReadmissionApplication-own-national"))
    signed = sign(message, kept.key, NOW)
    opened = verify(signed.body, TrustStore.load(kept.folder), NOW + timedelta(minutes=1))
    assert opened.signer == AUTHORITY


def test_threads_sign_at_once_without_mixing_their_answers(kept: Kept) -> None:
    failures: list[object] = []
    gate = threading.Barrier(4)

    def work(number: int) -> None:
        gate.wait()
        for turn in range(10):
            data = covered(kept.key.algorithm, f"{number}-{turn}".encode())
            try:
                kept.key.algorithm.check(kept.public_key, kept.key.sign(data), data)
            except Exception as error:  # noqa: BLE001  # shown by the test
                failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_only_a_key_in_a_file_is_in_this_process(kept: Kept, request: pytest.FixtureRequest) -> None:
    assert isinstance(kept.key, FileKey) == request.node.callspec.params["kept"].startswith("file")
