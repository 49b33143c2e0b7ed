"""What a signature says about itself: algorithms, transforms, references, keys and properties that are not the profile's.

The sender's own key signs nearly all of these again, so that every digest and the signature value fit: the profile must
refuse them, not luck.
"""

from base64 import b64encode
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import TypeAlias

from lxml import etree

from gateway.simulation.forgeries.forge import DS, DSIG, INFO, REFERENCE, Forge, Forgery
from gateway.stages import Tree
from gateway.trust.profile import XADES

Change: TypeAlias = Callable[[Tree], object]  # of the signature

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
X = f"{{{XADES}}}"
SIGNED = f".//{X}SignedSignatureProperties"


def _set(path: str, attribute: str, value: str) -> Change:
    return lambda signature: signature.find(path).set(attribute, value)


def _text(path: str, value: str) -> Change:
    return lambda signature: setattr(signature.find(path), "text", value)


def _without(path: str) -> Change:
    def change(signature: Tree) -> None:
        node = signature.find(path)
        node.getparent().remove(node)

    return change


def _add(path: str, name: str, text: str | None = None, **attributes: str) -> Change:
    def change(signature: Tree) -> None:
        etree.SubElement(signature.find(path), name, attributes).text = text

    return change


def _transform(algorithm: str, inside: str = "") -> Change:
    def change(signature: Tree) -> None:
        transform = etree.SubElement(signature.find(f"{REFERENCE}/{DS}Transforms"), f"{DS}Transform", Algorithm=algorithm)
        if inside:
            transform.append(etree.fromstring(inside))

    return change


def _many(path: str, count: int) -> Change:
    def change(signature: Tree) -> None:
        node = signature.find(path)
        node.getparent().extend([deepcopy(node) for _ in range(count)])

    return change


def _prefixes(path: str, prefixes: str) -> Change:
    return _add(path, f"{{{EXCLUSIVE}}}InclusiveNamespaces", PrefixList=prefixes)


def _second_signing_certificate(signature: Tree) -> None:
    named = signature.find(f"{SIGNED}/{X}SigningCertificateV2")
    named.addnext(deepcopy(named))


def _manifest(signature: Tree) -> None:
    holder = etree.SubElement(signature, f"{DS}Object")
    etree.SubElement(holder, f"{DS}Manifest", Id="manifest").append(deepcopy(signature.find(REFERENCE)))


EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
METHOD = f"{INFO}/{DS}SignatureMethod"
CANONICAL_TRANSFORM = f"{REFERENCE}/{DS}Transforms/{DS}Transform[2]"
CANONICAL = f"{INFO}/{DS}CanonicalizationMethod"
DIGEST = f"{REFERENCE}/{DS}DigestMethod"
XSLT = (
    '<xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"><xsl:template match="/">'
    "<xsl:value-of select=\"document('http://127.0.0.1:9/x')\"/></xsl:template></xsl:stylesheet>"
)
XPATH = f'<ds:XPath xmlns:ds="{DSIG}">not(ancestor-or-self::*[local-name()="Person"])</ds:XPath>'

# name: row, change of the signature
CLAIMS: dict[str, tuple[int, Change]] = {
    "digest_by_sha_1": (12, _set(DIGEST, "Algorithm", f"{DSIG}sha1")),
    "digest_by_md5": (12, _set(DIGEST, "Algorithm", f"{MORE}md5")),
    "digest_by_nothing": (12, _set(DIGEST, "Algorithm", "")),
    "digest_method_missing": (12, _without(DIGEST)),
    "signature_by_rsa_sha_1": (12, _set(METHOD, "Algorithm", f"{DSIG}rsa-sha1")),
    "signature_by_dsa_sha_1": (12, _set(METHOD, "Algorithm", f"{DSIG}dsa-sha1")),
    "signature_by_ecdsa_sha_1": (12, _set(METHOD, "Algorithm", f"{MORE}ecdsa-sha1")),
    "signature_by_rsa_of_an_ecdsa_key": (12, _set(METHOD, "Algorithm", f"{MORE}rsa-sha256")),
    "signature_by_ecdsa_sha_384_of_a_p256_key": (12, _set(METHOD, "Algorithm", f"{MORE}ecdsa-sha384")),
    "signature_by_ecdsa_sha_512_of_a_p256_key": (12, _set(METHOD, "Algorithm", f"{MORE}ecdsa-sha512")),
    "signature_by_none": (12, _set(METHOD, "Algorithm", "none")),
    "signature_by_hmac": (13, _set(METHOD, "Algorithm", f"{MORE}hmac-sha256")),
    "signature_by_hmac_sha_1": (13, _set(METHOD, "Algorithm", f"{DSIG}hmac-sha1")),
    "hmac_cut_to_eight_bits": (14, _add(METHOD, f"{DS}HMACOutputLength", "8")),
    "hmac_cut_to_nothing": (14, _add(METHOD, f"{DS}HMACOutputLength", "0")),
    "canonicalization_inclusive": (12, _set(CANONICAL, "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315")),
    "canonicalization_1_1": (12, _set(CANONICAL, "Algorithm", "http://www.w3.org/2006/12/xml-c14n11")),
    "canonicalization_with_comments": (7, _set(CANONICAL, "Algorithm", f"{EXCLUSIVE}WithComments")),
    "canonicalization_with_inclusive_prefixes": (5, _prefixes(CANONICAL, "ds")),
    "canonicalization_unknown": (12, _set(CANONICAL, "Algorithm", "urn:nothing")),
    "canonicalization_by_xslt": (16, _set(CANONICAL, "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")),
    "transform_xslt": (16, _transform("http://www.w3.org/TR/1999/REC-xslt-19991116", XSLT)),
    "transform_xpath": (16, _transform("http://www.w3.org/TR/1999/REC-xpath-19991116", XPATH)),
    "transform_xpath_filter": (16, _transform("http://www.w3.org/2002/06/xmldsig-filter2")),
    "transform_base64": (16, _transform(f"{DSIG}base64")),
    "transform_unknown": (16, _transform("https://attacker.invalid/transform")),
    "transforms_missing": (16, _without(f"{REFERENCE}/{DS}Transforms")),
    "transform_enveloped_missing": (16, _without(f"{REFERENCE}/{DS}Transforms/{DS}Transform")),
    "transform_with_comments": (7, _set(CANONICAL_TRANSFORM, "Algorithm", f"{EXCLUSIVE}WithComments")),
    "transform_with_inclusive_prefixes": (5, _prefixes(CANONICAL_TRANSFORM, "#default ds")),
    "transforms_three": (16, _transform(EXCLUSIVE)),
    "transforms_1_000": (17, _many(CANONICAL_TRANSFORM, 1_000)),
    "references_1_000": (17, _many(f"{REFERENCE}[2]", 1_000)),
    "reference_to_the_envelope_missing": (10, _without(f"{REFERENCE}[1]")),
    "reference_to_the_properties_missing": (10, _without(f"{REFERENCE}[2]")),
    "references_missing": (
        10,
        lambda signature: [signature[0].remove(each) for each in signature[0].findall(f"{DS}Reference")],
    ),
    "references_in_the_other_order": (10, lambda signature: signature[0].append(signature.find(REFERENCE))),
    "reference_by_xpointer": (10, _set(REFERENCE, "URI", "#xpointer(id('envelope'))")),
    "reference_by_xpointer_to_the_root": (10, _set(REFERENCE, "URI", "#xpointer(/)")),
    "reference_to_another_host": (15, _set(REFERENCE, "URI", "https://attacker.invalid/message.xml")),
    "reference_to_a_file": (15, _set(REFERENCE, "URI", "file:///etc/hostname")),
    "reference_without_a_target": (10, lambda signature: signature.find(REFERENCE).attrib.pop("URI")),
    "reference_of_another_type": (10, _set(f"{REFERENCE}[2]", "Type", f"{DSIG}Manifest")),
    "manifest_in_an_object": (10, _manifest),
    "id_of_the_signature_is_another": (4, lambda signature: signature.set("Id", "other")),
    "id_of_the_signature_is_that_of_the_properties": (4, lambda signature: signature.set("Id", "signed-properties")),
    "id_of_the_properties_in_capitals_too": (4, _set(f".//{X}SignedProperties", "ID", "other")),
    "attribute_on_the_signed_info": (5, lambda signature: signature[0].set("note", "x")),
    "text_in_the_signed_info": (5, lambda signature: setattr(signature[0], "text", "\n")),
    "words_in_the_signed_info": (5, lambda signature: setattr(signature[0], "text", "x")),
    "object_empty": (10, lambda signature: signature[-1].clear()),
    "properties_missing": (10, _without(f"{DS}Object")),
    "objects_two": (10, lambda signature: signature.append(deepcopy(signature[-1]))),
    "properties_of_another_target": (10, _set(f".//{X}QualifyingProperties", "Target", "#other")),
    "properties_not_signed": (10, _add(f".//{X}QualifyingProperties", f"{X}UnsignedProperties")),
    "properties_of_version_1_1": (10, _add(f"{SIGNED}/{X}SigningCertificateV2", f"{X}Cert")),
    "signing_time_with_an_offset": (10, _text(f"{SIGNED}/{X}SigningTime", "2026-11-24T13:00:00+01:00")),
    "signing_time_missing": (10, _without(f"{SIGNED}/{X}SigningTime")),
    "signing_time_of_other_digits": (33, _text(f"{SIGNED}/{X}SigningTime", "\u0662026-11-24T12:00:00Z")),
    "signing_time_that_does_not_exist": (10, _text(f"{SIGNED}/{X}SigningTime", "2026-02-30T12:00:00Z")),
    "digest_of_the_certificate_is_another": (
        15,
        _text(f"{SIGNED}//{DS}DigestValue", b64encode(bytes(32)).decode()),
    ),
    "signing_certificate_missing": (15, _without(f"{SIGNED}/{X}SigningCertificateV2")),
    "signing_certificates_two": (15, _second_signing_certificate),
    "format_of_the_data_is_another": (10, _text(f".//{X}MimeType", "text/html")),
    "format_of_the_data_missing": (10, _without(f".//{X}SignedDataObjectProperties")),
    "role_claimed_by_the_signer": (10, _add(SIGNED, f"{X}SignerRoleV2")),
    "key_value_beside_the_certificate": (15, _add(f"{DS}KeyInfo", f"{DS}KeyValue")),
    "key_to_be_fetched": (15, _add(f"{DS}KeyInfo", f"{DS}RetrievalMethod", URI="https://attacker.invalid/key")),
    "key_by_name": (15, _add(f"{DS}KeyInfo", f"{DS}KeyName", "BA-MS")),
    "key_of_pgp": (15, _add(f"{DS}KeyInfo", f"{DS}PGPData")),
    "certificate_by_issuer_and_number": (15, _add(f"{DS}KeyInfo/{DS}X509Data", f"{DS}X509IssuerSerial")),
    "certificate_by_subject_name": (15, _add(f"{DS}KeyInfo/{DS}X509Data", f"{DS}X509SubjectName", "CN=BA-MS signing")),
    "key_info_missing": (15, _without(f"{DS}KeyInfo")),
    "certificate_missing": (15, _without(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate")),
    "certificates_100": (17, _many(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate", 99)),
}


def forgeries(forge: Forge) -> Iterator[Forgery]:
    """Yield them, each signed again by the sender's own key."""
    for name, (row, change) in CLAIMS.items():
        envelope = forge.envelope()
        change(envelope[1])
        yield Forgery(name=name, row=row, code="signature-profile", body=forge.resigned(envelope), own_key=True)
