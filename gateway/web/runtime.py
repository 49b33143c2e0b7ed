"""What the pages need from the rest of the gateway. Wiring builds it; the pages never build anything themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gateway.domain.safeguards import Answers
from gateway.flow.evidence_clock import Standing
from gateway.flow.resemblances import Hint, Verdict
from gateway.partners import Partners
from gateway.settings import Settings
from gateway.store.attachments import AttachmentRow
from gateway.store.database import Database
from gateway.store.worklist import Viewer
from gateway.web.paper_desk import PaperDesk
from gateway.wire.identifiers import Examined
from gateway.wire.mrz import Compared, Mrz

Clock = Callable[[], datetime]  # returns an aware UTC instant


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """Who a case is about, as far as the case page shows it."""

    name: str | None  # as the document shows it; None when no name is known
    script: str | None  # ISO 15924, e.g. "Latn", "Cyrl", "Arab"
    latin: str | None  # the Latin form, when the name is not shown in Latin script
    born: str | None  # "YYYY", "YYYY-MM" or "YYYY-MM-DD"; None when unknown
    nationalities: tuple[str, ...]  # ISO alpha-2, "stateless" or "unknown"
    to_ask: tuple[str, ...] = ()  # what an officer should ask about the personal numbers; never the numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One ground for a refusal: a code of the schema type `RefusalReason`, and what there is to say about it."""

    code: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """The human who decides. Stands in the reply."""

    name: str
    rank: str | None = None


class Answer(Protocol):
    """Send the reply of the requested authority. Journals the decision; returns the reply's message id."""

    def __call__(
        self,
        *,
        case_id: int,
        outcome: str,  # agreed | refused
        reasons: Sequence[Reason],  # at least one when refused, none when agreed
        remarks: str | None,
        signatory: Signatory,
        viewer: Viewer,
    ) -> str: ...


class MakeStatement(Protocol):
    """Keep the due diligence statement of a case; made again, its release is taken back."""

    def __call__(self, *, case_id: int, answers: Answers, viewer: Viewer) -> None: ...


class ReleaseStatement(Protocol):
    """Release a statement as a second officer, and let a held message go on. Raises `StatementInvalid` for the first officer.

    `read` is when the version was made that the officer read. Returns None when the message left, or the reason why it is
    still held.
    """

    def __call__(self, *, case_id: int, viewer: Viewer, read: datetime) -> str | None: ...


class ReadStatement(Protocol):
    """Return the decrypted answers of a statement. Raises `NotFound`."""

    def __call__(self, *, case_id: int, viewer: Viewer) -> Answers: ...


class ReadDocument(Protocol):
    """Return media type and clear bytes of a document, and journal the read with its purpose. Raises `NotFound`."""

    def __call__(self, *, document_id: int, viewer: Viewer, purpose: str) -> tuple[str, bytes]: ...


class ReadAttachment(Protocol):
    """Return what a file of a case is, and its bytes part by part; journal the read with its purpose. Raises `NotFound`."""

    def __call__(self, *, case_id: int, sha256: str, viewer: Viewer, purpose: str) -> tuple[AttachmentRow, Iterator[bytes]]: ...


class PersonOf(Protocol):
    """Return the person of a case from its decrypted application, None after erasure. The page journals the read."""

    def __call__(self, *, case_id: int, viewer: Viewer) -> PersonView | None: ...


class Identification(Protocol):
    """What can be said about who the person of a case is. Another authority's case is not found, as an unknown one."""

    def found(self, *, case_id: int, viewer: Viewer) -> tuple[Sequence[Examined], Sequence[Hint]]:
        """Return what is found of its personal numbers, and the own cases that may concern the same person, likeliest first."""
        ...

    def hint(self, *, case_id: int, other_id: int, viewer: Viewer) -> Hint:
        """Return how one other case compares, whatever it scores. Raises `NotFound` for a case that shares nothing."""
        ...

    def decide(self, *, case_id: int, other_id: int, verdict: Verdict, why: str, viewer: Viewer) -> None:
        """Record what an officer decided about two cases, in the journal too."""
        ...

    def compare(self, *, case_id: int, zone: str, viewer: Viewer) -> tuple[Mrz, Sequence[Compared]]:
        """Read a machine-readable zone and lay it beside the application. Raises `MrzInvalid`."""
        ...


class WriteJournal(Protocol):
    """Append one entry to the journal, in a transaction of its own. `detail` holds codes and counts, never the person."""

    def __call__(
        self,
        *,
        event: str,
        actor: str,
        authority: str | None = None,
        case_id: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None: ...


class EvidenceOfTime(Protocol):
    """Return where the evidence clock stands, None while there is nothing to say. Raises `DatabaseUnavailable`."""

    def __call__(self) -> Standing | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebRuntime:
    """Everything a page may use."""

    engine: Database
    clock: Clock
    settings: Settings
    known_partners: Callable[[], Partners]  # as their folders say now
    answer: Answer
    make_statement: MakeStatement
    release_statement: ReleaseStatement
    read_statement: ReadStatement
    read_document: ReadDocument
    read_attachment: ReadAttachment
    person_of: PersonOf
    identification: Identification
    journal: WriteJournal
    evidence: EvidenceOfTime
    paper: PaperDesk

    @property
    def partners(self) -> Partners:
        """The partners as their folders say now."""
        return self.known_partners()
