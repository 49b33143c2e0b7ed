"""Digests, signature values, times and certificates: the numbers of a signature, and whose key made them."""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from gateway.simulation.forgeries.forge import DS, INFO, OWN, REFERENCE, Forge, Forgery
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.sign import sign
from gateway.wire.documents import canonicalize

ORDER, BYTES = ECDSA_P256.order, ECDSA_P256.scalar_bytes
_VALUE = re.compile(rb"<ds:SignatureValue>([^<]*)<")
_CERTIFICATE = re.compile(rb"<ds:X509Certificate>([^<]*)<")
_DIGEST = re.compile(rb"<ds:DigestValue>([^<]*)<")
_TIME = re.compile(rb"<xades:SigningTime>([^<]*)<")


def _found(pattern: re.Pattern[bytes], body: bytes) -> bytes:
    match = pattern.search(body)
    assert match is not None, "every envelope of the profile has one"
    return match.group(1)


def _scalar(number: int) -> bytes:
    return number.to_bytes(BYTES, "big")


def forgeries(forge: Forge) -> Iterator[Forgery]:
    """Yield them."""
    yield from _signature_values(forge)
    yield from _spellings_of_base64(forge)
    yield from _digests(forge)
    yield from _times(forge)
    yield from _keys(forge)


def _signature_values(forge: Forge) -> Iterator[Forgery]:
    value = _found(_VALUE, forge.genuine)
    raw = b64decode(value)
    r, s = int.from_bytes(raw[:BYTES], "big"), int.from_bytes(raw[BYTES:], "big")
    for name, code, made in (
        ("value_empty", "signature-profile", b""),
        ("value_of_zeros", "signature-invalid", bytes(2 * BYTES)),
        ("value_with_r_of_zero", "signature-invalid", bytes(BYTES) + raw[BYTES:]),
        ("value_with_s_of_zero", "signature-invalid", raw[:BYTES] + bytes(BYTES)),
        ("value_with_r_of_one", "signature-invalid", _scalar(1) + raw[BYTES:]),
        ("value_with_s_of_one", "signature-invalid", raw[:BYTES] + _scalar(1)),
        ("value_with_r_of_the_order", "signature-invalid", _scalar(ORDER) + raw[BYTES:]),
        ("value_with_s_of_the_order", "signature-profile", raw[:BYTES] + _scalar(ORDER)),
        ("value_with_the_other_s", "signature-profile", raw[:BYTES] + _scalar(ORDER - s)),
        ("value_with_the_negative_of_r", "signature-invalid", _scalar(ORDER - r) + raw[BYTES:]),
        ("value_with_r_and_s_exchanged", "signature-invalid", _scalar(s) + _scalar(min(r, ORDER - r))),  # s in its lower half
        ("value_of_all_ones", "signature-profile", b"\xff" * 2 * BYTES),
        ("value_in_der", "signature-profile", encode_dss_signature(r, s)),
        ("value_with_leading_zeros", "signature-profile", b"\x00" + raw[:BYTES] + b"\x00" + raw[BYTES:]),
        ("value_with_a_byte_more", "signature-profile", raw + b"\x00"),
        ("value_with_a_byte_less", "signature-profile", raw[:-1]),
        ("value_of_eight_bytes", "signature-profile", raw[:8]),
        ("value_of_half_a_megabyte", "signature-profile", raw * 8192),
    ):
        yield Forgery(name=name, row=12, code=code, body=forge.swapped((value, b64encode(made))))
    envelope = forge.envelope()
    method = envelope[1].find(f"{INFO}/{DS}SignatureMethod")
    method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    for name, secret in {
        "hmac_keyed_with_the_certificate": forge.key.chain[0],
        "hmac_keyed_with_the_written_certificate": b64encode(forge.key.chain[0]),
    }.items():
        made = hmac.new(secret, canonicalize(envelope[1].find(INFO)), sha256).digest()
        envelope[1].find(f"{DS}SignatureValue").text = b64encode(made).decode()
        yield Forgery(name=name, row=13, code="signature-profile", body=canonicalize(envelope))


def _spellings_of_base64(forge: Forge) -> Iterator[Forgery]:
    """Yield other ways to write the same bytes: one meaning would have many digests."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    for what, pattern in (("value", _VALUE), ("certificate", _CERTIFICATE), ("digest", _DIGEST)):
        text = _found(pattern, forge.genuine)
        body = text.rstrip(b"=")
        spellings = {
            "with_a_line_feed": text[:40] + b"\n" + text[40:],
            "with_a_blank_before": b" " + text,
            "for_urls": _for_urls(text),
            "with_a_sign_that_is_none": text[:-4] + b"!!!!",
        }
        if what != "certificate":  # its length differs from run to run, and with it what stands at its end
            loose = bytes([alphabet[alphabet.index(body[-1]) | 1]])
            spellings["with_bits_beyond_the_end"] = body[:-1] + loose + text[len(body) :]
            spellings["with_padding_too_much"] = text + b"=="
        for how, made in spellings.items():
            code = "signature-invalid" if what == "digest" else "signature-profile"
            yield Forgery(name=f"{what}_{how}", row=5, code=code, body=forge.swapped((text, made)))


def _for_urls(text: bytes) -> bytes:
    """Return it with one sign of the alphabet for URLs: one only, so that every run makes a text of the same kind."""
    return re.sub(rb"[+/]", b"-", text, count=1) if re.search(rb"[+/]", text) else b"-" + text[1:]


def _digests(forge: Forge) -> Iterator[Forgery]:
    digest = _found(_DIGEST, forge.genuine)
    for name, made in {"digest_of_zeros": b64encode(bytes(32)), "digest_of_sha_1_size": b64encode(bytes(20))}.items():
        yield Forgery(name=name, row=1, code="signature-invalid", body=forge.swapped((digest, made)))
    yield Forgery(name="digest_empty", row=9, code="signature-invalid", body=forge.swapped((digest, b"")))
    envelope = forge.envelope()
    envelope[0].find(f"{OWN}Person/{OWN}Name/{OWN}AsShown").text = "SOMEBODY ELSE"
    yield Forgery(name="message_altered", row=1, code="signature-invalid", body=canonicalize(envelope))
    signature = envelope[1]
    envelope.remove(signature)
    signature.find(f"{REFERENCE}/{DS}DigestValue").text = b64encode(sha256(canonicalize(envelope)).digest()).decode()
    envelope.append(signature)
    yield Forgery(name="message_altered_with_its_digest", row=1, code="signature-invalid", body=canonicalize(envelope))
    other = sign(forge.envelope()[0], forge.key, forge.now - timedelta(hours=1)).body
    yield Forgery(
        name="value_of_another_envelope_of_the_sender",
        row=25,
        code="signature-invalid",
        body=forge.swapped((_found(_VALUE, forge.genuine), _found(_VALUE, other))),
    )


def _times(forge: Forge) -> Iterator[Forgery]:
    time = _found(_TIME, forge.genuine)
    earlier = (forge.now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    yield Forgery(name="signing_time_altered", row=10, code="signature-profile", body=forge.swapped((time, earlier)))
    for name, code, at in (
        ("signing_time_of_the_year_1", "certificate-not-valid", b"0001-01-01T00:00:00Z"),
        ("signing_time_of_the_year_0", "signature-profile", b"0000-01-01T00:00:00Z"),
        ("signing_time_of_the_year_9999", "certificate-not-valid", b"9999-12-31T23:59:59Z"),
        ("signing_time_on_a_leap_second", "signature-profile", b"2016-12-31T23:59:60Z"),
        ("signing_time_of_24_hours", "signature-profile", b"2026-11-24T24:00:00Z"),
    ):
        yield Forgery(name=name, row=39, code=code, body=forge.swapped((time, at)))
    late = sign(forge.envelope()[0], forge.key, forge.now + timedelta(hours=1)).body
    yield Forgery(name="signed_in_an_hour", row=39, code="signing-time-invalid", body=late, own_key=True)


def _keys(forge: Forge) -> Iterator[Forgery]:
    def signed_by(name: str, code: str, row: int, **how: bool) -> Forgery:
        key = forge.certificate(**how)  # type: ignore[arg-type]
        return Forgery(name=name, row=row, code=code, body=sign(forge.envelope()[0], key, forge.now).body)

    yield signed_by("certificate_signed_by_itself", "signer-not-trusted", 15, own_issuer=True)
    yield signed_by("certificate_of_the_same_name_and_issuer", "signer-not-trusted", 15)
    yield signed_by("certificate_of_an_authority_of_certification", "signer-not-trusted", 28, ca=True)
    yield signed_by("certificate_not_for_signatures", "signer-not-trusted", 28, digital_signature=False)
    own = _found(_CERTIFICATE, forge.genuine)
    partner = b64encode(forge.ring.signing(forge.other).chain[0])
    other = b64encode(forge.certificate().chain[0])
    for name, code, made in (
        ("certificate_of_another_partner", "signature-profile", partner),
        ("certificate_of_another_key", "signer-not-trusted", other),
        ("certificate_empty", "signer-not-trusted", b""),
        ("certificate_of_nonsense", "signer-not-trusted", b64encode(b"certificate")),
        ("certificate_with_a_byte_more", "signer-not-trusted", b64encode(b64decode(own) + b"\x00")),
        ("certificate_cut_short", "signer-not-trusted", b64encode(b64decode(own)[:200])),
    ):
        yield Forgery(name=name, row=15, code=code, body=forge.swapped((own, made)))
    beside = {
        "certificate_beside_the_chain": partner,
        "root_beside_the_chain": b64encode(forge.root.public_bytes(Encoding.DER)),
        "nonsense_beside_the_certificate": b"AAAA",
    }
    for name, text in beside.items():
        envelope = forge.envelope()
        extra = etree.SubElement(envelope[1].find(f".//{DS}X509Data"), f"{DS}X509Certificate")
        extra.text = text.decode()
        yield Forgery(name=name, row=15, code="signer-not-trusted", body=canonicalize(envelope))
    envelope = forge.envelope()
    envelope[1].find(f".//{DS}X509Certificate").text = partner.decode()
    again = forge.resigned(envelope)
    yield Forgery(
        name="certificate_of_another_partner_signed_again", row=15, code="signature-profile", body=again, own_key=True
    )
    partners = forge.ring.signing(forge.other)
    whole = sign(forge.envelope()[0], partners, forge.now).body
    yield Forgery(name="signed_by_another_partner", row=29, code="signer-mismatch", body=whole)
