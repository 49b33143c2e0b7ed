"""Envelopes signed by other people's software, as a partner with another stack would send them."""

import functools
from collections.abc import Callable
from typing import Any

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from signxml import CanonicalizationMethod, XMLSigner
from signxml.xades import XAdESSigner

from gateway.stages import Tree
from gateway.wire.documents import canonicalize, parse_xml
from gateway.wire.namespaces import ENVELOPE_NS

Sign = Callable[[Tree, Any], bytes]  # a message and a FileKey -> a signed envelope

_SIGNXML_METHODS = {"ecdsa-p256-sha256": "ecdsa-sha256", "ecdsa-p384-sha384": "ecdsa-sha384", "rsa3072-sha256": "rsa-sha256"}
_XMLSEC_METHODS = {
    "ecdsa-p256-sha256": xmlsec.constants.TransformEcdsaSha256,
    "ecdsa-p384-sha384": xmlsec.constants.TransformEcdsaSha384,
    "rsa3072-sha256": xmlsec.constants.TransformRsaSha256,
}


def enveloped(message: Tree) -> Tree:
    """Return an envelope without a signature."""
    return parse_xml(f'<Envelope xmlns="{ENVELOPE_NS}" version="1.0">'.encode() + canonicalize(message) + b"</Envelope>")


def _pem(key: Any) -> tuple[bytes, bytes]:
    certificates = (x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in key.chain)
    return key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), b"".join(certificates)


def _signxml(message: Tree, key: Any, *, kind: Any, c14n: Any, **more: Any) -> bytes:
    private, certificates = _pem(key)
    signer = kind(signature_algorithm=_SIGNXML_METHODS[key.algorithm.name], c14n_algorithm=c14n)
    return etree.tostring(signer.sign(enveloped(message), key=private, cert=certificates.decode(), **more))


def _xmlsec(message: Tree, key: Any, *, c14n: Any) -> bytes:
    private, certificates = _pem(key)
    envelope = enveloped(message)
    signature = xmlsec.template.create(envelope, c14n, _XMLSEC_METHODS[key.algorithm.name])
    envelope.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri="")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, c14n)
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(private, xmlsec.constants.KeyDataFormatPem, None)
    context.key.load_cert_from_memory(certificates, xmlsec.constants.KeyDataFormatCertPem)
    context.sign(signature)
    return etree.tostring(envelope)


# XAdES of signxml tells the time of this machine's clock; it writes a KeyValue beside the certificate unless told not to.
SIGNERS: dict[str, Sign] = {
    "signxml, exclusive": functools.partial(
        _signxml, kind=XMLSigner, c14n=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
    ),
    "signxml, inclusive": functools.partial(_signxml, kind=XMLSigner, c14n=CanonicalizationMethod.CANONICAL_XML_1_0),
    "signxml, inclusive 1.1": functools.partial(_signxml, kind=XMLSigner, c14n=CanonicalizationMethod.CANONICAL_XML_1_1),
    "signxml, XAdES": functools.partial(
        _signxml, kind=XAdESSigner, c14n=CanonicalizationMethod.CANONICAL_XML_1_1, always_add_key_value=False
    ),
    "xmlsec, exclusive": functools.partial(_xmlsec, c14n=xmlsec.constants.TransformExclC14N),
    "xmlsec, inclusive": functools.partial(_xmlsec, c14n=xmlsec.constants.TransformInclC14N),
    "xmlsec, inclusive 1.1": functools.partial(_xmlsec, c14n=xmlsec.constants.TransformInclC14N11),
}
