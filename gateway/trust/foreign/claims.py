"""What a foreign signature may look like, and what it claims. All else is refused before a library sees it.

A library follows what the signature says about itself: which transforms, which parts, which key. So what it may say is listed
here: enveloped over the whole envelope, canonical form without comments, digests of the SHA-2 family, certificates and nothing
else in the key info, and beside the envelope only the signed properties (which must be covered if they are there) and the key
info (which may be). Sources: W3C XML Signature 1.1; ETSI EN 319 132-1.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256, sha384, sha512
from typing import Any, Final

from gateway.errors import SignatureProfile
from gateway.stages import Tree
from gateway.trust.profile import DS as DS_NS
from gateway.trust.profile import XADES as XADES_NS

_DS = f"{{{DS_NS}}}"
_XADES = f"{{{XADES_NS}}}"
_ENVELOPED = f"{DS_NS}enveloped-signature"
_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_INCLUSIVE_1_1: Final = "http://www.w3.org/2006/12/xml-c14n11"
_CANONICAL = {EXCLUSIVE, INCLUSIVE, _INCLUSIVE_1_1}
DIGESTS: Final[Mapping[str, Callable[[bytes], Any]]] = {
    "http://www.w3.org/2001/04/xmlenc#sha256": sha256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": sha384,
    "http://www.w3.org/2001/04/xmlenc#sha512": sha512,
}
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_MAX_CERTIFICATES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a foreign signature says; nothing of it is proven."""

    method: str  # URI of the signature method
    chain: tuple[bytes, ...]  # DER, as they stand in the key info
    canonical: str  # URI of the canonical form of the envelope
    digest: bytes  # raw, of the envelope
    digest_method: str  # URI
    references: int
    signed_at: datetime | None  # of the signed properties, UTC; None if there are none
    properties_id: str | None
    certificate_digests: tuple[tuple[str, bytes], ...]  # (URI, raw) of the first certificate that the properties name

    def names(self, certificate: bytes) -> bool:
        """Tell whether the signed properties, if there are any, name this certificate (DER)."""
        return all(DIGESTS[uri](certificate).digest() == value for uri, value in self.certificate_digests)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """One reference: what of it may differ."""

    canonical: str  # URI
    digest_method: str  # URI
    digest: bytes  # raw


def read_claims(signature: Tree) -> Claims:
    """Return what a ds:Signature claims. Raises `SignatureProfile` for one that says anything that is not listed above."""
    try:
        return _read(signature)
    except ValueError:  # not base64, or a day that does not exist
        raise _refused("a value in it cannot be read") from None


def _read(signature: Tree) -> Claims:
    _check_ids(signature)
    parts = _children(signature, {"Id"})
    if [part.tag for part in parts[:3]] != [f"{_DS}SignedInfo", f"{_DS}SignatureValue", f"{_DS}KeyInfo"] or len(parts) > 4:  # noqa: PLR2004 - and one object
        raise _refused("it does not consist of its info, its value, its key info and at most one object")
    info, value, key_info = parts[:3]
    if not _bytes(value):
        raise _refused("its value is empty")
    properties = _properties(signature, parts[3]) if parts[3:] else None
    head = _children(info, {"Id"})
    if [part.tag for part in head[:2]] != [f"{_DS}CanonicalizationMethod", f"{_DS}SignatureMethod"]:
        raise _refused("its info does not begin with its methods")
    if _algorithm(head[0]) not in _CANONICAL:
        raise _refused("its info has another canonical form than those allowed")
    covered = _references(head[2:], key_info, properties)
    signed_at, named = (None, ()) if properties is None else _signed_properties(properties)
    return Claims(
        method=_algorithm(head[1]),
        chain=_chain(key_info),
        canonical=covered.canonical,
        digest=covered.digest,
        digest_method=covered.digest_method,
        references=len(head) - 2,
        signed_at=signed_at,
        properties_id=None if properties is None else properties.get("Id"),
        certificate_digests=named,
    )


def _refused(why: str) -> SignatureProfile:
    return SignatureProfile(f"the signature is not the one profile, nor one that a partner folder can allow: {why}")


def _children(node: Tree, attributes: set[str]) -> list[Tree]:
    """Return the children of an element that holds nothing else, and only these attributes."""
    found = list(node)
    texts = [node.text, *(child.tail for child in found)]
    if not set(node.keys()) <= attributes or any((text or "").strip() for text in texts):
        raise _refused(f"{_local(node)} holds something that does not belong there")
    return found


def _local(node: Tree) -> str:
    """Return a name for a text: our own word for it, never one that the sender chose."""
    name = str(node.tag).rpartition("}")[2]
    return name if str(node.tag).startswith((_DS, _XADES)) and len(name) < 40 and name.isascii() else "an element"  # noqa: PLR2004


def _algorithm(node: Tree) -> str:
    """Return the algorithm of a method that has no parameters."""
    if _children(node, {"Algorithm"}):
        raise _refused(f"{_local(node)} has parameters")
    return node.get("Algorithm") or ""


def _bytes(node: Tree) -> bytes:
    if len(node):
        raise _refused(f"{_local(node)} holds something that does not belong there")
    return b64decode("".join((node.text or "").split()), validate=True)


def _check_ids(signature: Tree) -> None:
    """Refuse ids that one verifier would look up otherwise than another; in the message there are none at all."""
    names = [
        (name, value)
        for node in signature.iter()
        for name, value in node.items()
        if str(name).rpartition("}")[2].lower() == "id"
    ]
    values = [value for _, value in names]
    if any(name != "Id" for name, _ in names) or len(set(values)) != len(values):
        raise _refused("an id in it stands twice, or is not called Id")


def _references(references: list[Tree], key_info: Tree, properties: Tree | None) -> _Reference:
    """Return the reference to the envelope; refuse any other set of references than those listed."""
    targets = {f"#{key_info.get('Id')}": "key info"} if key_info.get("Id") else {}
    if properties is not None:
        targets[f"#{properties.get('Id')}"] = "properties"
    found: dict[str, _Reference] = {}
    for reference in references:
        if reference.tag != f"{_DS}Reference":
            raise _refused("its info holds something else than references")
        uri = reference.get("URI")
        target = "envelope" if uri == "" else targets.get(uri or "")
        if target is None or target in found:
            raise _refused("it refers to something else than the envelope, its properties and its key info, each once")
        if target == "properties" and reference.get("Type") != _PROPERTIES_TYPE:
            raise _refused("the reference to its properties is not marked as one")
        found[target] = _reference(reference, enveloped=target == "envelope")
    if "envelope" not in found or ("properties" in found) != (properties is not None):
        raise _refused("it does not cover the whole envelope, or not its own properties")
    return found["envelope"]


def _reference(reference: Tree, *, enveloped: bool) -> _Reference:
    parts = _children(reference, {"Id", "URI", "Type"})
    transforms: list[Tree] = []
    if parts and parts[0].tag == f"{_DS}Transforms":
        transforms = _children(parts.pop(0), set())
    if [part.tag for part in parts] != [f"{_DS}DigestMethod", f"{_DS}DigestValue"]:
        raise _refused("a reference does not consist of transforms, digest method and digest")
    if any(each.tag != f"{_DS}Transform" for each in transforms) or _algorithm(parts[0]) not in DIGESTS:
        raise _refused("a reference has another digest than those allowed")
    algorithms = [_algorithm(each) for each in transforms]
    if enveloped and algorithms[:1] != [_ENVELOPED]:
        raise _refused("the reference to the envelope does not begin by leaving out the signature")
    canonical = algorithms[enveloped:]
    if len(canonical) > 1 or not set(canonical) <= _CANONICAL:
        raise _refused("a reference has other transforms than those allowed")
    return _Reference(
        canonical=canonical[0] if canonical else INCLUSIVE,  # XML Signature 1.1, 4.4.3.2: where none is named
        digest_method=_algorithm(parts[0]),
        digest=_bytes(parts[1]),
    )


def _chain(key_info: Tree) -> tuple[bytes, ...]:
    data = _children(key_info, {"Id"})
    if [part.tag for part in data] != [f"{_DS}X509Data"]:
        raise _refused("its key info holds something else than certificates")
    certificates = _children(data[0], set())
    if any(each.tag != f"{_DS}X509Certificate" for each in certificates) or not 1 <= len(certificates) <= _MAX_CERTIFICATES:
        raise _refused("its key info does not hold one to four certificates and nothing else")
    return tuple(_bytes(each) for each in certificates)


def _properties(signature: Tree, container: Tree) -> Tree:
    """Return the SignedProperties in the one object a signature may have; unsigned ones are not taken."""
    holders = _children(container, {"Id"}) if container.tag == f"{_DS}Object" else []
    if [part.tag for part in holders] != [f"{_XADES}QualifyingProperties"]:
        raise _refused("its object holds something else than its properties")
    held = _children(holders[0], {"Id", "Target"})
    if [part.tag for part in held] != [f"{_XADES}SignedProperties"] or not held[0].get("Id"):
        raise _refused("its properties are not signed properties with an id, alone")
    if not signature.get("Id") or holders[0].get("Target") != f"#{signature.get('Id')}":
        raise _refused("its properties speak of another signature")
    return held[0]


def _signed_properties(properties: Tree) -> tuple[datetime, tuple[tuple[str, bytes], ...]]:
    """Return time of signing and digest of the signing certificate."""
    own = f"{_XADES}SignedSignatureProperties"
    times = properties.findall(f"{own}/{_XADES}SigningTime")
    named = [
        found
        for version in ("SigningCertificate", "SigningCertificateV2")
        for found in properties.findall(f"{own}/{_XADES}{version}")
    ]
    if len(times) != 1 or len(named) != 1:
        raise _refused("its properties do not hold one time of signing and one signing certificate")
    digest = named[0].find(f"{_XADES}Cert/{_XADES}CertDigest")
    parts = [] if digest is None else _children(digest, set())
    if [part.tag for part in parts] != [f"{_DS}DigestMethod", f"{_DS}DigestValue"] or _algorithm(parts[0]) not in DIGESTS:
        raise _refused("its properties do not name the signing certificate by an allowed digest")
    return instant(times[0].text or ""), ((_algorithm(parts[0]), _bytes(parts[1])),)


def instant(text: str) -> datetime:
    """Return an instant with its distance from UTC, as XML writes it. Raises `ValueError`."""
    if not _INSTANT.fullmatch(text):
        raise ValueError("not an instant with its distance from UTC")
    return datetime.fromisoformat(text).astimezone(UTC)
