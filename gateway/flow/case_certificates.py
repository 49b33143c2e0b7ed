"""The certificates that travel in a case file: which chains its signatures were made with, and whether its list is of those."""

from collections.abc import Iterable, Iterator

from gateway.domain.proofs import from_json
from gateway.errors import CaseIndexInvalid, ContainerTooLarge, RootInvalid
from gateway.flow.case_words import VALID, Item
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.trust.container_signature import claimed_chain
from gateway.trust.strangers import chain_of, pem
from gateway.wire.case_index import CERTIFICATES, PROOFS
from gateway.wire.container import MAX_FILE_BYTES, Container

_ENVELOPES = ("messages/", "receipts/")
_MOST_CHAINS = 1_000  # different ones: two sides that renew their certificates each month for forty years


def chains_of(container: Container) -> list[tuple[bytes, ...]]:
    """Return every chain that travels in the file, each once. Nothing about them is trusted.

    Reads much of the file: only for a container whose own signature holds. Raises `ContainerTooLarge`.
    """
    found: dict[tuple[bytes, ...], None] = {}
    for chain in _all(container):
        found[chain] = None
        if len(found) > _MOST_CHAINS:
            raise ContainerTooLarge(f"a case file holds at most {_MOST_CHAINS} different chains of certificates")
    return list(found)


def judge_certificates(container: Container, names: Iterable[str], met: Iterable[tuple[bytes, ...]]) -> Item:
    """Check that the certificate files among `names` are chains that were met. Raises `CaseIndexInvalid`."""
    known = {pem(chain) for chain in met}
    listed = [name for name in names if name.startswith(CERTIFICATES)]
    for name in listed:
        if container.content(name, most=MAX_MESSAGE_BYTES) not in known:
            raise CaseIndexInvalid("a certificate is in the case file that signed nothing in it", path=name)
    says = f"The {len(listed)} certificate files are those that the signatures in this file were made with."
    return Item(item="certificates", verdict=VALID, says=says)


def _all(container: Container) -> Iterator[tuple[bytes, ...]]:
    yield claimed_chain(container)
    for name in container.entries:
        if name.startswith(_ENVELOPES):
            chain = chain_of(container.content(name, most=MAX_MESSAGE_BYTES))
            if chain:
                yield chain
    for body in container.contents(PROOFS, most=MAX_FILE_BYTES).values():
        yield from _signers_of(body)


def _signers_of(body: bytes) -> Iterator[tuple[bytes, ...]]:
    """Yield the chains in the proof of a journal entry; what is no proof is refused where it is judged."""
    try:
        proof = from_json(body)
    except RootInvalid:
        return
    yield from (each.chain for each in proof.roots)
