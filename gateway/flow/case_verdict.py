"""`gateway verify-case`: one verdict for each thing in a case file, with anchors only; no store, no network, no settings.

What a message says is proven by its sender's signature, when it arrived by the recipient's. The rest is the word of the
authority that exported the file, and is held against what is proven. What fails ends the verdict on its own item; a container
that fails ends it all, since then nothing in it can be relied on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.domain.messages import Message, Receipt
from gateway.errors import (
    AnswerMismatch,
    CaseIncomplete,
    CaseIndexInvalid,
    GatewayError,
    MessageMismatch,
    Misconfigured,
    NotAFile,
    ReceiptMismatch,
    Refused,
    ReportMismatch,
    SignerMismatch,
)
from gateway.flow import case_words as words
from gateway.flow.case_attachments import There, judge_attachment, judge_rest, name_of, nobody_signed_for_it
from gateway.flow.case_certificates import chains_of, judge_certificates
from gateway.flow.case_deadlines import judge_deadline
from gateway.flow.case_gaps import judge_gaps, numbered
from gateway.flow.case_journal import judge_journal, judge_proofs, read_entries
from gateway.flow.case_paper import judge_paper, without_receipt
from gateway.flow.case_words import NOT_PROVEN, OVERALL, REFUSED, VALID, Item
from gateway.stages import MAX_MESSAGE_BYTES, Opened
from gateway.trust.certificates import TrustStore
from gateway.trust.container_signature import Sealing, claimed_chain, verify_container
from gateway.trust.policy import STANDARD
from gateway.trust.strangers import Introduction, chain_of, introduce, strangers
from gateway.trust.verify import verify
from gateway.wire.case_index import (
    DELIVERY,
    FORM,
    JOURNAL,
    NAME,
    PROOFS,
    REPORT,
    REVOCATION,
    CaseIndex,
    IndexedDeadline,
    IndexedMessage,
    read_index,
)
from gateway.wire.container import MAX_FILE_BYTES, Container, open_container
from gateway.wire.documents import parse_json
from gateway.wire.manifest import Named, digests, manifest
from gateway.wire.reading import read
from gateway.wire.schema import SchemaSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The whole verdict. It is valid exactly if no item is refused."""

    items: tuple[Item, ...]

    @property
    def verdict(self) -> str:
        return REFUSED if any(item.verdict == REFUSED for item in self.items) else VALID

    @property
    def code(self) -> str | None:
        """Return the code of the first refusal."""
        return next((item.code for item in self.items if item.code), None)

    @property
    def says(self) -> str:
        missing = sum(item.verdict == NOT_PROVEN for item in self.items)
        if self.verdict == REFUSED or not missing:
            return OVERALL[self.verdict]
        rest = "1 item is not proven: read it above." if missing == 1 else f"{missing} items are not proven: read them above."
        return f"{OVERALL[VALID]} {rest}"


@dataclass(slots=True)
class _Proven:
    """What was proven so far, by message id."""

    messages: dict[str, Message] = field(default_factory=dict)
    received: dict[str, datetime] = field(default_factory=dict)
    # By the number of the message in the index: the attachments it names, and how many one names that was refused on arrival.
    named: dict[int, tuple[Named, ...]] = field(default_factory=dict)
    refused: dict[int, int] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)  # of the journal, each the one its hash was made of


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A case file whose container and index hold."""

    container: Container
    sealing: Sealing
    index: CaseIndex
    trust: TrustStore
    schemas: SchemaSet
    proven: _Proven
    there: Mapping[str, There]  # by name

    def envelope(self, name: str, line: IndexedMessage | None = None) -> tuple[Opened, Message, Introduction]:
        """Return a signed message of the file, verified and checked.

        `line` is that of the index: where a receipt proves when exactly these bytes were there, they are judged as of then.
        """
        body = self.container.content(name, most=MAX_MESSAGE_BYTES)
        proven = line is not None and sha256(body).hexdigest() == line.sha256
        opened = verify(body, self.trust, self.proven.received.get(line.message_id) if line and proven else None)
        known = introduce(chain_of(body) or ())
        return opened, read(self.schemas.check(opened.document)), known


def verify_case_file(
    path: Path, anchors: Path, at: datetime, schemas: SchemaSet, *, timestamp_anchors: Path | None = None
) -> Verdict:
    """Return the verdict on a case file at the instant `at`.

    `anchors` and `timestamp_anchors` are folders of certificates (*.pem); the second is the first if None.

    Raises `NotAFile`, and `KeyMissing` or `TrustInvalid` where the anchors cannot be used.
    """
    items: list[Item] = []
    try:
        container = open_container(path)
    except NotAFile:
        raise  # nothing was judged
    except Refused as error:
        return Verdict(items=(_refusal("container", error),))
    with container:
        try:
            evidence = container.contents(REVOCATION, most=MAX_FILE_BYTES)
            # Until its signature holds, anybody may have put anything in: no more is read than that takes.
            with strangers(anchors, [claimed_chain(container)], evidence, timestamp_anchors) as trust:
                sealing = verify_container(container, trust, at)
            index = _index(container, sealing)
            met = chains_of(container)
        except Misconfigured:
            raise  # the anchors cannot be used
        except GatewayError as error:
            return Verdict(items=(_refusal("container", error),))
        with strangers(anchors, met, evidence, timestamp_anchors) as trust:
            found = _File(
                container=container,
                sealing=sealing,
                index=index,
                trust=trust,
                schemas=schemas,
                proven=_Proven(),
                there={name: There(sha256=sha, size=container.entries[name].size) for name, sha in sealing.files.items()},
            )
            items.append(_sealed(found))
            journal = list(_journal(found))  # told last, but what came on paper is held against it
            items += _message_items(found)
            items.append(_judged("messages", partial(_complete, found)))
            items.append(_judged("attachments", partial(_rest, found)))
            items += [_judged(f"deadline {line.limit}", partial(_deadline, found, line)) for line in index.deadlines]
            items += journal
            items.append(_judged("certificates", partial(judge_certificates, container, sealing.files, met)))
    return Verdict(items=tuple(items))


def _refusal(item: str, error: GatewayError) -> Item:
    return Item(item=item, verdict=REFUSED, code=error.code, says=f"Refused ({error.code}): {error.message}.")


def _judged(item: str, judge: Callable[[], Item]) -> Item:
    try:
        return judge()
    except GatewayError as error:
        return _refusal(item, error)


def _index(container: Container, sealing: Sealing) -> CaseIndex:
    """Return the index, which must list exactly the signed files, each as it is, and name no other."""
    if NAME not in sealing.files:
        raise CaseIndexInvalid("the case file has no index")
    index = read_index(container.content(NAME, most=MAX_MESSAGE_BYTES))
    listed = {file.name: file.sha256 for file in index.files}
    if len(listed) != len(index.files) or listed | {NAME: sealing.files[NAME]} != dict(sealing.files):
        raise CaseIndexInvalid("the index does not list the files that were signed")
    named = [file for line in index.messages for file in (line.envelope, line.receipt) if file is not None]
    named += [file for line in index.deadlines for file in (line.file, line.text)]
    named += [each.file for line in index.messages for each in line.attachments]
    documents = {document.file: document.sha256 for line in index.messages for document in line.documents}
    if not {*named, JOURNAL} <= set(listed) or any(listed.get(name) != digest for name, digest in documents.items()):
        raise CaseIndexInvalid("the index names a file that is not there, or is another")
    if index.exported.by != sealing.signer:
        raise SignerMismatch(f"the index says that {index.exported.by} exported the case, but {sealing.signer} signed it")
    return index


def _sealed(found: _File) -> Item:
    known, stamp = introduce(found.sealing.chain), found.sealing.stamp
    says = words.whole_is_good(known, found.sealing.signed_at, len(found.sealing.files), stamp.at if stamp else None)
    return Item(item="container", verdict=VALID, says=says)


def _message_items(found: _File) -> Iterator[Item]:
    for line in found.index.messages:
        name = f"message {line.number}"
        # The receipt first: it proves by when the message was there, which matters if a certificate was revoked since.
        receipt = _judged(
            f"receipt of {name}",
            partial(_without_receipt, found, line) if line.receipt is None else partial(_receipt, found, line, line.receipt),
        )
        if line.envelope is None:
            says = f"The {line.noun} of {line.sender} was refused ({line.code}); its bytes were not kept."
            yield Item(item=name, verdict=NOT_PROVEN, says=says)
        else:
            judge = _refused_message if line.direction == "in" and line.outcome == "refused" else _message
            yield _judged(name, partial(judge, found, line, line.envelope))
        yield receipt
        yield from _attachments(found, line)
        for document in line.documents:
            if document.kind == REPORT:
                yield _judged(f"translation of {name}", partial(_report, found, line, document.file))
            elif document.kind in {FORM, DELIVERY}:
                judge_it = partial(judge_paper, line, document, found.proven.entries, exporter=found.sealing.signer)
                yield _judged(f"{document.kind} of {name}", judge_it)


def _attachments(found: _File, line: IndexedMessage) -> Iterator[Item]:
    """Judge the files that a message names, and those that the index gives it. What no proven message names, nobody signed."""
    named = found.proven.named.get(line.number, ())
    if lost := found.proven.refused.get(line.number):
        yield Item(item=f"attachments of message {line.number}", verdict=NOT_PROVEN, says=words.refused_with_files(line, lost))
    for one in named:
        yield _judged(name_of(line, one.number), partial(judge_attachment, line, one, found.there))
    for number in sorted({each.number for each in line.attachments} - {one.number for one in named}):
        yield _judged(name_of(line, number), nobody_signed_for_it)


def _rest(found: _File) -> Item:
    return judge_rest(found.index, found.there, sum(len(named) for named in found.proven.named.values()))


def _message(found: _File, line: IndexedMessage, file: str) -> Item:
    opened, message, known = found.envelope(file, line)
    header = message.header
    inside = (header.message_id, header.sender, header.recipient, header.sequence, header.case_reference)
    said = (line.message_id, line.sender, line.recipient, line.sequence, found.index.case.reference)
    kind = str(opened.document.tag).rpartition("}")[2]
    exact = (opened.digest, opened.signed_at) == (line.sha256, line.signed_at)
    if not exact or inside != said or kind != line.type or isinstance(message, Receipt):
        raise MessageMismatch("the envelope holds another message than the index says", path=file)
    parties = {found.index.case.home, found.index.case.counterparty}
    if {line.sender, line.recipient} != parties or (line.direction == "out") != (line.sender == found.index.case.home):
        raise MessageMismatch("the message was not exchanged between the two sides of the case", path=file)
    _check_answer(found, message, file)
    found.proven.named[line.number] = manifest(opened.document)
    found.proven.messages[line.message_id] = message
    return Item(item=f"message {line.number}", verdict=VALID, says=words.message_is_good(line, known, opened.signed_at))


def _refused_message(found: _File, line: IndexedMessage, file: str) -> Item:
    """Judge a message that was refused on arrival: who signed it is proven, and what is inside may be anything."""
    body = found.container.content(file, most=MAX_MESSAGE_BYTES)
    opened = verify(body, found.trust)
    if (opened.digest, opened.signer) != (line.sha256, line.sender):
        raise MessageMismatch("the envelope holds another message than the index says", path=file)
    found.proven.refused[line.number] = len(digests(opened.document))
    says = words.refused_message_is_good(line, introduce(chain_of(body) or ()), opened.signed_at)
    return Item(item=f"message {line.number}", verdict=VALID, says=says)


def _check_answer(found: _File, message: Message, file: str) -> None:
    """Check that what the message answers is in the file, with the digest that it answers."""
    answers = message.header.answers
    if answers is None:
        return
    answered = next((each for each in found.index.messages if each.message_id == answers.message_id), None)
    if answered is None:
        raise CaseIncomplete("the message answers one that is not in the case file", path=file)
    if answered.sha256 != answers.digest:
        raise AnswerMismatch("the message answers another one than the case file holds", path=file)


def _receipt(found: _File, line: IndexedMessage, file: str) -> Item:
    opened, receipt, known = found.envelope(file)
    header = receipt.header
    if not isinstance(receipt, Receipt) or (header.sender, header.recipient) != (line.recipient, line.sender):
        raise ReceiptMismatch("the receipt is not one of the message's recipient for its sender", path=file)
    about = [each for each in receipt.items if each.message_id == line.message_id and not each.waits]
    if not about or any(each.digest != line.sha256 for each in about):
        raise ReceiptMismatch("the receipt does not speak of this message", path=file)
    last = about[-1]
    outcome = {"accepted", "received"} if last.accepted else {"refused"}
    if line.outcome not in outcome or last.received_at != line.received_at:
        raise ReceiptMismatch("the receipt says something else of this message than the index", path=file)
    skew = STANDARD.clock_skew
    if last.received_at > opened.signed_at + skew or (line.signed_at and last.received_at < line.signed_at - skew):
        raise ReceiptMismatch("the receipt names a time that cannot be", path=file)
    if last.accepted:
        found.proven.received[line.message_id] = last.received_at
    says = words.receipt_is_good(line, last.received_at, known, last.text if last.accepted else None)
    return Item(item=f"receipt of message {line.number}", verdict=VALID, says=says)


def _without_receipt(found: _File, line: IndexedMessage) -> Item:
    if line.outcome in {"accepted", "received"}:
        raise CaseIncomplete("the index says that the message was received, and the receipt is not there")
    return without_receipt(line, found.proven.entries)


def _report(found: _File, line: IndexedMessage, file: str) -> Item:
    report = parse_json(found.container.content(file, most=MAX_MESSAGE_BYTES))
    digests = {document.kind: document.sha256 for document in line.documents}
    document = digests.get("original" if line.direction == "out" else "translated")
    if not isinstance(report, dict) or document is None:
        raise ReportMismatch("the report on the translation stands beside no document", path=file)
    dropped = report.get("dropped")
    if type(dropped) is not int or not all(isinstance(report.get(name), str) for name in ("from", "to")):
        raise ReportMismatch("the report on the translation does not say from and to what, or what was left out", path=file)
    spoken = report.get("sha256_in" if line.direction == "out" else "sha256_out")
    inside = None
    if line.direction == "in" and line.envelope is not None:
        inside = verify(found.container.content(line.envelope, most=MAX_MESSAGE_BYTES), found.trust).inside
    if spoken != document or (inside is not None and report.get("sha256_in") != inside):
        raise ReportMismatch("the report speaks of other documents than those beside it", path=file)
    says = (
        f"{found.sealing.signer} says how this message was translated from {report.get('from')} to {report.get('to')}: the "
        f"report is the one on these documents; {dropped} fields were left out."
    )
    return Item(item=f"translation of message {line.number}", verdict=VALID, says=says)


def _complete(found: _File) -> Item:
    """Check that no message is missing between the first and the last of each side, and that none stands twice."""
    numbers: dict[str, list[int]] = {}
    for line in found.index.messages:
        if line.sequence is not None:
            numbers.setdefault(line.sender, []).append(line.sequence)
    ids = [(line.sender, line.message_id) for line in found.index.messages]
    if len(ids) != len(set(ids)) or [line.number for line in found.index.messages] != list(range(1, len(ids) + 1)):
        raise CaseIndexInvalid("a message stands twice in the index, or its number does")
    never_came = [
        f"The record of {found.sealing.signer} says that {sender} gave up {numbered(first, last)}, by a signed receipt: "
        f"{'it' if first == last else 'they'} never came."
        for sender, own in numbers.items()
        for first, last in judge_gaps(sender, own, found.proven.entries)
    ]
    total = len(found.index.messages)
    says = (
        f"The file holds {total} message{'' if total == 1 else 's'}; the numbers that each side gave its messages have "
        f"{'no other gap' if never_came else 'no gap'}. Whether later ones exist it cannot show."
    )
    return Item(item="messages", verdict=NOT_PROVEN if never_came else VALID, says=" ".join((*never_came, says)))


def _deadline(found: _File, line: IndexedDeadline) -> Item:
    return judge_deadline(
        line,
        found.container.content(line.file, most=MAX_MESSAGE_BYTES),
        messages=found.proven.messages,
        received=found.proven.received,
        exporter=found.sealing.signer,
    )


def _journal(found: _File) -> Iterator[Item]:
    entries = found.proven.entries

    def judge() -> Item:
        entries.extend(read_entries(found.container.content(JOURNAL, most=MAX_FILE_BYTES)))
        digests = {line.message_id: line.sha256 for line in found.index.messages}
        return judge_journal(entries, found.index.journal_entries, digests, exporter=found.sealing.signer)

    yield _judged("journal", judge)
    proofs = {
        int(place): body
        for name, body in found.container.contents(PROOFS, most=MAX_FILE_BYTES).items()
        if (place := name.removeprefix(PROOFS).removesuffix(".json")).isdigit() and str(int(place)) == place
    }
    yield _judged("journal proofs", partial(judge_proofs, proofs, entries, found.trust))
