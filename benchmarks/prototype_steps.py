"""The work on one message, without queue and database: what A does before it sends, what B does after it received."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from lxml import etree
from prototype_message import NAMESPACE, SCHEMAS
from prototype_signature import Signer, SigningKey, Verifier, make_keys

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
INFO = b"prototype|BA-MS|PK-MOI"  # bound into the seal
NATIONAL = "urn:example:prototype:pk:1"
R = f"{{{NAMESPACE}}}"
MESSAGE_ID = f"{R}Header/{R}MessageId"
SEX_CODES: Mapping[str | None, str] = {"male": "1", "female": "2"}
OTHER_SEX = "9"


class NotValidError(Exception):
    """The document does not meet the schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """All keys of a run in DER or raw bytes, so that they travel to another process."""

    signing: bytes
    chain: tuple[bytes, ...]
    root: bytes
    sealing: bytes  # X25519 private key of the receiver

    @classmethod
    def make(cls) -> "Keys":
        signing, root = make_keys()
        return cls(
            signing=signing.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            chain=signing.chain,
            root=root,
            sealing=x25519.X25519PrivateKey.generate().private_bytes_raw(),
        )


class _Reader:
    """Parses and checks."""

    def __init__(self, *, drop_indentation: bool = False) -> None:
        self._parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=drop_indentation
        )
        self._schema = etree.XMLSchema(etree.parse(SCHEMAS / "readmission.xsd"))

    def parse(self, body: bytes) -> etree._Element:
        return etree.fromstring(body, self._parser)

    def check(self, document: etree._Element) -> None:
        if not self._schema.validate(document):
            raise NotValidError("the document does not meet the schema")


class Sender:
    """A: parse, check, map, check, sign, seal."""

    def __init__(self, keys: Keys) -> None:
        self._reader = _Reader(drop_indentation=True)  # how A lays out its file is no part of the message
        key = load_der_private_key(keys.signing, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._signer = Signer(SigningKey(key=key, chain=keys.chain))
        self._recipient = x25519.X25519PrivateKey.from_private_bytes(keys.sealing).public_key()

    def send(self, raw: bytes) -> tuple[str, bytes]:
        """Return the message id and the sealed message."""
        document = self._reader.parse(raw)
        self._reader.check(document)
        to_canonical(document)
        self._reader.check(document)
        return document.findtext(MESSAGE_ID, ""), SUITE.encrypt(self._signer.sign(document), self._recipient, INFO)


class Receiver:
    """B: open, verify, check, map."""

    def __init__(self, keys: Keys) -> None:
        self._reader = _Reader()
        self._verifier = Verifier(keys.root)
        self._key = x25519.X25519PrivateKey.from_private_bytes(keys.sealing)

    def receive(self, sealed: bytes) -> tuple[str, bytes]:
        """Return the message id, read from what was signed, and the message in B's own format."""
        document = self._verifier.verify(SUITE.decrypt(sealed, self._key, INFO), self._reader.parse)
        self._reader.check(document)
        message_id = document.findtext(MESSAGE_ID, "")
        return message_id, to_national(document)


def to_canonical(document: etree._Element) -> None:
    """Map A's form to the canonical one in place: only what differs is touched."""
    for element in document.iter(f"{R}Latin"):
        element.text = (element.text or "").upper()


def to_national(document: etree._Element) -> bytes:
    """Map the canonical form to B's own in place, and write it."""
    for element in document.iter(f"{R}Latin", f"{R}Date", f"{R}Sex", f"{R}Nationality"):
        text = element.text or ""
        match element.tag.removeprefix(R):
            case "Latin":
                element.tag = f"{R}Name"
            case "Date":
                element.tag, element.text = f"{R}Day", ".".join(reversed(text.split("-")))
            case "Sex":
                element.tag, element.text = f"{R}Gender", SEX_CODES.get(text, OTHER_SEX)
            case _:
                element.tag, element.text = f"{R}Citizenship", None
                element.set("code", text)
    return etree.tostring(document, encoding="UTF-8").replace(NAMESPACE.encode(), NATIONAL.encode(), 1)
