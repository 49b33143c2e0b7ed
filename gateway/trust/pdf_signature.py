"""Signatures in PDF files: PAdES baseline B (ETSI EN 319 142-1), made with an authority's signing key wherever that lies.

pyHanko writes and reads the PDF; the signature value comes from the port of signing keys, so a key in a token or in another
process signs a form as it signs a message. What is signed has bytes of its own kind (purposes.py). Needs the extra `pdf`: to be
imported where a form is made, not before.
"""

import io
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import algos, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner, PdfSigningSession
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from gateway.errors import PdfUnreadable, SignatureInvalid
from gateway.trust.algorithms import Ecdsa
from gateway.trust.certificates import TrustStore
from gateway.trust.signing_key import SigningKey

FIELD = "Signature"
logging.getLogger("pyhanko").setLevel(logging.ERROR)  # what it tells on the way is no event of ours
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfSignature:
    """A signature over a whole PDF that held."""

    authority: str
    at: datetime  # as the signer claims


class _PortSigner(Signer):
    """Signs with a key behind the port."""

    def __init__(self, key: SigningKey) -> None:
        leaf, *above = (x509.Certificate.load(each) for each in key.chain)
        registry = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko's own types end here
        registry.register_multiple(above)
        hashed = hash_name(key)
        kind = "ecdsa" if isinstance(key.algorithm, Ecdsa) else "rsassa_pkcs1v15"
        name = f"{hashed}_{kind}" if kind == "ecdsa" else kind
        super().__init__(
            signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": name}),
            signing_cert=leaf,
            cert_registry=registry,
            embed_roots=False,
        )
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Return the signature as CMS wants it: of ECDSA, a pair in DER."""
        assert digest_algorithm == hash_name(self._key), "each algorithm hashes one way"
        if dry_run:
            return bytes(512)  # as long as the longest
        value = self._key.sign(data)
        return self._key.algorithm.to_der(value) if isinstance(self._key.algorithm, Ecdsa) else value


class _PdfSigner(PdfSigner):
    """Signs at an instant that is given to it."""

    def __init__(self, about: PdfSignatureMetadata, signer: Signer, at: datetime) -> None:
        super().__init__(about, signer)
        self._at = at

    def init_signing_session(self, *words: Any, **options: Any) -> PdfSigningSession:
        session = super().init_signing_session(*words, **options)
        session.system_time = self._at
        return session


def hash_name(key: SigningKey) -> str:
    """Return the hash that a key's algorithm uses."""
    return str(key.algorithm.name.rpartition("-")[2])


def sign_pdf(pdf: bytes, key: SigningKey, *, at: datetime, reason: str) -> bytes:
    """Return the PDF with a signature of the authority over all of it, without a visible mark. Raises what the key raises."""
    about = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm=hash_name(key), reason=reason, name=key.authority, subfilter=SigSeedSubFilter.PADES
    )
    signer = _PdfSigner(about, _PortSigner(key), at.astimezone(UTC).replace(microsecond=0))
    return bytes(signer.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf))).getvalue())


def verify_pdf(pdf: bytes, trust: TrustStore, at: datetime) -> PdfSignature:
    """Return the one signature of a PDF, if it is a known authority's and covers the whole file.

    Raises `PdfUnreadable`, `SignatureInvalid`, and what the certificate's verdict raises.
    """
    try:
        signatures = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
        if len(signatures) != 1:
            raise SignatureInvalid(f"the PDF has {len(signatures)} signatures; a form has one")
        (found,) = signatures
        chain = (found.signer_cert.dump(), *(each.dump() for each in found.other_embedded_certs))
        context = ValidationContext(
            trust_roots=[found.signer_cert, *found.other_embedded_certs], allow_fetching=False, moment=at
        )
        status = validate_pdf_signature(found, context, skip_diff=True)
    except (PdfError, SigningError, SignatureValidationError, ValueError, KeyError, IndexError, TypeError) as error:
        # Of a broken file pyHanko lets errors of Python through.
        raise PdfUnreadable("the PDF cannot be read, or holds no signature that can") from error
    if not (status.intact and status.valid and status.coverage is SignatureCoverageLevel.ENTIRE_FILE):
        raise SignatureInvalid("the PDF was changed after it was signed")
    signed_at = found.self_reported_timestamp
    if signed_at is None:
        raise SignatureInvalid("the signature does not say when it was made")
    signer = trust.verdict(chain, signed_at.astimezone(UTC), claimed=True)
    return PdfSignature(authority=signer.authority, at=signed_at.astimezone(UTC))
