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
JOURNAL_ROOT: Final = "journal-root"
PARTNER_TRIED: Final = "conformance-pass"

# A row for each kind of statement that a gateway signs by itself while it runs. Sealing key documents are not among them: they
# are made by a person at the key folder (`gateway keys`).
_FIRST_LINES: Final[Mapping[str, bytes]] = {
    JOURNAL_ROOT: CONTEXT,
    PARTNER_TRIED: conformance.CONTEXT,
}
PAGES: Final = frozenset({ENVELOPE})  # what API and pages may ask for
LOOPS: Final = frozenset({ENVELOPE, *_FIRST_LINES})  # what consume, deliver and watch may ask for


def purpose_of(data: bytes, algorithm: SignatureAlgorithm) -> str | None:
    """Return what these bytes are, None if they are nothing that a running gateway signs."""
    if profile.is_signed_info_alone(data, algorithm):
        return ENVELOPE
    return next((name for name, line in _FIRST_LINES.items() if data.startswith(line)), None)
