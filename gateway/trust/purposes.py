"""What a signing key may be used for, told by the bytes themselves.

A signer that takes requests from other processes signs what has a purpose it knows and nothing else. Each purpose has bytes
that no other has: the fixed form of a SignedInfo, or a first line. So a signature for one can never be shown as another's.
"""

from collections.abc import Mapping
from typing import Final

from gateway.domain import conformance
from gateway.domain.roots import CONTEXT
from gateway.trust import profile
from gateway.trust.algorithms import SignatureAlgorithm

ENVELOPE: Final = "envelope"  # a message or a receipt
PDF_FORM: Final = "pdf-form"
JOURNAL_ROOT: Final = "journal-root"
PARTNER_TRIED: Final = "conformance-pass"

# A row for each kind of statement that a gateway signs by itself while it runs. Sealing key documents are not among them: they
# are made by a person at the key folder (`gateway keys`).
_FIRST_LINES: Final[Mapping[str, bytes]] = {
    JOURNAL_ROOT: CONTEXT,
    PARTNER_TRIED: conformance.CONTEXT,
}
PAGES: Final = frozenset({ENVELOPE, PDF_FORM})  # what API and pages may ask for
LOOPS: Final = frozenset({ENVELOPE, PDF_FORM, *_FIRST_LINES})  # what consume, deliver and watch may ask for


def purpose_of(data: bytes, algorithm: SignatureAlgorithm) -> str | None:
    """Return what these bytes are, None if they are nothing that a running gateway signs."""
    if profile.is_signed_info_alone(data, algorithm):
        return ENVELOPE
    if is_pdf_attributes(data):
        return PDF_FORM
    return next((name for name, line in _FIRST_LINES.items() if data.startswith(line)), None)


# The signed attributes of PAdES baseline B without a claimed time in them (ETSI EN 319 142-1, 6.3): exactly these.
_PDF_ATTRIBUTES = frozenset({"content_type", "message_digest", "signing_certificate_v2"})
_DER_SET = b"\x31"


def is_pdf_attributes(data: bytes) -> bool:
    """Tell whether these are the signed attributes of a signature in a PDF, in DER, and nothing beside them."""
    if not data.startswith(_DER_SET):
        return False
    from asn1crypto import cms  # noqa: PLC0415  # for forms on paper only; the signer is kept small

    try:
        found = cms.CMSAttributes.load(data, strict=True)
        kinds = [each["type"].native for each in found]
        values = {each["type"].native: each["values"] for each in found}
        return (
            len(kinds) == len(_PDF_ATTRIBUTES)
            and set(kinds) == _PDF_ATTRIBUTES
            and all(len(each) == 1 for each in values.values())
            and values["content_type"][0].native == "data"
            and bool(found.dump(force=True) == data)
        )
    except (ValueError, TypeError, KeyError):  # asn1crypto's own of bytes that are no DER
        return False
