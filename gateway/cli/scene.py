"""What the demonstration plays: two acts, told step by step, each document left in a folder."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from gateway.cli.scene_files import hand_in_files, leave_files
from gateway.cli.scene_record import leave_case_file, tell_record
from gateway.cli.teller import Teller
from gateway.domain.calendars import Side
from gateway.domain.deadlines import due_date
from gateway.domain.messages import Category, Procedure
from gateway.domain.safeguards import Answers
from gateway.errors import GatewayError, Unavailable
from gateway.flow.draft import Held, Sent
from gateway.flow.holding import resume
from gateway.flow.mailbox import acknowledge, fetch
from gateway.flow.outbound import submit
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.flow.receipts import proof_of
from gateway.flow.statements import make_statement, release_statement
from gateway.partners.formats import suffix_of
from gateway.stages import Submitted
from gateway.store import cases, deadlines, inbox, messages
from gateway.store.database import reading
from gateway.store.deadlines import DeadlineRow
from gateway.store.inbox import InboxRow
from gateway.store.messages import MessageRow
from gateway.trust.verify import verify
from gateway.wire.documents import serialize
from gateway.wire.reading import message_inside, without_header
from gateway.wire.reply import Decision, write_reply

WAIT_SECONDS = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One application and its answer."""

    number: int
    title: str
    folder: str
    requesting: str
    requested: str
    example: str  # file name in the requesting dialect's examples
    signatory: str
    officers: tuple[str, str] | None  # who makes the due diligence statement and who releases it; None: none is required


ACTS = (
    Act(
        number=1,
        title="Bosnia and Herzegovina asks Pakistan to readmit one of its nationals (ba-pk)",
        folder="act-1-ba-pk",
        requesting="BA-MS",
        requested="PK-MOI",
        example="own-national.xml",
        signatory="A. Specimen, Section Officer",
        officers=("officer.one@ba-ms", "officer.two@ba-ms"),
    ),
    Act(
        number=2,
        title="Austria asks Serbia to readmit a third-country national, accelerated procedure (eu-rs)",
        folder="act-2-at-rs",
        requesting="AT-BMI",
        requested="RS-MUP",
        example="accelerated.json",
        signatory="Б. Узорак, начелник",
        officers=None,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The gateways that play: which runtime each authority is at home on."""

    runtimes: Mapping[str, Runtime]
    running: Callable[[], bool]  # False once a gateway has stopped by itself

    def at(self, authority: str) -> Runtime:
        return self.runtimes[authority]


async def play(act: Act, scene: Scene, out: Path, teller: Teller) -> dict[str, Any]:
    """Play one act; return its steps. Raises `Unavailable` when something that must happen does not, in good time."""
    teller.act(act.number, act.title)
    folder = out / act.folder
    for name in ("application", "reply"):
        (folder / name).mkdir(parents=True)
    west, east = scene.at(act.requesting), scene.at(act.requested)
    sent = await _apply(act, west, folder / "application", teller)
    row = await _arrival(act.requested, "ReadmissionApplication", sent.message_id, scene, east)
    _tell_arrival(act.requested, row, east, folder / "application", teller)
    await _proof(sent, act.requesting, scene, west, folder / "application", teller)
    _tell_clock(sent, act, west, east, teller)
    answer = _answer(act, row, east, folder / "reply", teller)
    back = await _arrival(act.requesting, "ReadmissionReply", answer.message_id, scene, west)
    _tell_arrival(act.requesting, back, west, folder / "reply", teller)
    await _proof(answer, act.requested, scene, east, folder / "reply", teller)
    _tell_end(sent, act, west, east, folder, teller)
    return {"act": act.number, "title": act.title, "steps": teller.steps}


async def _apply(act: Act, rt: Runtime, folder: Path, teller: Teller) -> Sent:
    """Hand in the application; where a safeguard holds it, make and release the statement."""
    authority = rt.partners.authority(act.requesting)
    dialect = rt.partners.dialect(authority.dialect)
    body = new_document(rt, dialect.id, act.example)
    (folder / f"1-as-handed-in{Path(act.example).suffix}").write_bytes(body)
    teller.step(rt.clock(), act.requesting, f"hands in an application in its own format, {dialect.id}", f"{len(body)} bytes")
    files = hand_in_files(rt, act.requesting, dialect.id, body)
    if files:
        told = ", ".join(f"{file.media_type} of {file.size} bytes" for file in files)
        teller.step(rt.clock(), act.requesting, f"hands in the {len(files)} files that it names", told, count=len(files))
    item = Submitted(
        body=body, authority=act.requesting, dialect=dialect.id, submitted_at=rt.clock(), actor=f"system@{act.requesting}"
    )
    (result,) = await asyncio.to_thread(submit, [item], rt)
    if isinstance(result, Held):
        teller.step(
            rt.clock(), act.requesting, f"the gateway holds it: {result.reason}", result.advice, hold=str(result.reason)
        )
        assert act.officers is not None, "the act names no officers, but a safeguard asks for them"
        maker, second = act.officers
        answers = Answers(
            return_decision=True,
            no_suspensive_appeal=True,
            no_asylum_claim=True,
            non_refoulement_assessed=True,
            best_interests_assessed=None,
        )
        make_statement(result.case_id, answers, actor=maker, rt=rt)
        teller.step(rt.clock(), act.requesting, f"{maker} makes the due diligence statement")
        release_statement(result.case_id, actor=second, rt=rt)
        teller.step(rt.clock(), act.requesting, f"{second} reads and releases it; the statement stays here")
        result = await asyncio.to_thread(resume, result.case_id, second, rt)
    if isinstance(result, GatewayError):
        raise result
    assert isinstance(result, Sent), "a released message is sent"
    _leave_sent(result, rt, folder)
    teller.step(
        rt.clock(),
        act.requesting,
        "checked, translated, signed by the authority, sealed for the other side, in the outbox",
        f"message {result.message_id}",
        f"case {result.case_reference}",
        f"sha256 of the signed envelope {result.digest}",
        message_id=result.message_id,
        case=result.case_reference,
        sha256=result.digest,
    )
    return result


GATEWAY_FILLS = ("MessageId", "CaseReference", "Sequence", "Created", "InReplyTo")


def new_document(rt: Runtime, dialect: str, example: str) -> bytes:
    """Return an example of a dialect as a national system hands in a new file: ids and times are left to the gateway."""
    folder = rt.partners.dialect(dialect).folder / "examples"
    document = rt.translators[dialect].to_canonical((folder / example).read_bytes()).document
    return rt.translators[dialect].from_canonical(without_header(document, GATEWAY_FILLS)).body


def _leave_sent(sent: Sent, rt: Runtime, folder: Path) -> None:
    """Leave the canonical message, its mapping report and the signed envelope of a message that goes out."""
    with reading(rt.engine) as tx:
        case = cases.get(tx, sent.case_id)
        row = next(row for row in messages.of_case(tx, sent.case_id) if row.message_id == sent.message_id)
        for document in messages.documents_of(tx, [row.id or 0]):
            if document.kind == "signed":
                signed = clear(rt, case, document)
                (folder / "2-canonical.xml").write_bytes(serialize(message_inside(signed)))
                (folder / "4-signed.xml").write_bytes(signed)
            if document.kind == "report":
                (folder / "3-mapping-report-of-sender.json").write_bytes(clear(rt, case, document))


async def _until(found: Callable[[], Any], scene: Scene, what: str) -> Any:
    """Wait until `found` gives something, at most WAIT_SECONDS. Raises `Unavailable`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + WAIT_SECONDS
    while loop.time() < end:
        result = await asyncio.to_thread(found)
        if result:
            return result
        if not scene.running():
            raise Unavailable(f"a gateway stopped while waiting: {what}")
        await asyncio.sleep(0.02)
    raise Unavailable(f"this did not happen within {WAIT_SECONDS:.0f} seconds: {what}")


async def _arrival(authority: str, type_: str, message_id: str, scene: Scene, rt: Runtime) -> InboxRow:
    def look() -> InboxRow | None:
        with reading(rt.engine) as tx:
            return next((row for row in inbox.waiting(tx, authority) if row.message_id == message_id), None)

    found: InboxRow = await _until(look, scene, f"{type_} in the inbox of {authority}")
    return found


def _tell_arrival(authority: str, row: InboxRow, rt: Runtime, folder: Path, teller: Teller) -> None:
    """Show what arrived: the verified envelope, the translation and its report."""
    with reading(rt.engine) as tx:
        case = cases.get(tx, row.case_id)
        papers = {document.kind: clear(rt, case, document) for document in messages.documents_of(tx, [row.message_row])}
        message = messages.get(tx, row.message_row)
    opened = verify(papers["signed"], rt.trust)
    teller.step(
        row.arrived_at,
        authority,
        f"{folder.name} received: opened, signature valid, signed by {opened.signer}",
        f"signed at {opened.signed_at:%Y-%m-%d %H:%M:%S} UTC, sha256 {opened.digest}",
        signer=opened.signer,
        verdict="valid",
        sha256=message.digest,
    )
    taken, media_type, body = fetch(authority, row.id, actor=f"system@{authority}", rt=rt)
    (folder / "5-as-received-signed.xml").write_bytes(papers["signed"])
    (folder / f"6-as-delivered{suffix_of(media_type)}").write_bytes(body)
    (folder / "7-mapping-report-of-recipient.json").write_bytes(papers["report"])
    files = leave_files(rt, authority, row.case_id, row.message_row, folder / "attachments")
    if files:
        told = ", ".join(file.name for file in files)
        teller.step(rt.clock(), authority, f"{len(files)} files came with it, digests as signed", told, count=len(files))
    acknowledge(authority, row.id, actor=f"system@{authority}", rt=rt)
    teller.step(
        rt.clock(),
        authority,
        f"fetches it from its inbox in its own format, {taken.dialect}",
        f"{len(body)} bytes {media_type}",
    )


async def _proof(sent: Sent, authority: str, scene: Scene, rt: Runtime, folder: Path, teller: Teller) -> None:
    """Show the signed receipt of a message that was sent."""

    def look() -> MessageRow | None:
        with reading(rt.engine) as tx:
            row = messages.known(tx, "out", [(authority, sent.message_id)])[authority, sent.message_id]
        return row if row.receipt_message_id else None

    row: MessageRow = await _until(look, scene, f"receipt for {authority}")
    with reading(rt.engine) as tx:
        receipt = proof_of(tx, row)
    assert receipt is not None
    (folder / "8-receipt-signed.xml").write_bytes(receipt)
    opened = verify(receipt, rt.trust)
    assert row.received_at is not None
    teller.step(
        rt.clock(),
        authority,
        f"has the signed receipt of {opened.signer}: {row.outcome}",
        f"received at {row.received_at:%Y-%m-%d %H:%M:%S} UTC, sha256 {row.digest}",
        signer=opened.signer,
        verdict="valid",
        received_at=row.received_at.isoformat(),
    )


def _tell_clock(sent: Sent, act: Act, west: Runtime, east: Runtime, teller: Teller) -> None:
    """Show the deadline of the reply as each side counts it."""
    for authority, rt in ((act.requesting, west), (act.requested, east)):
        row = _reply_deadline(sent.case_reference, authority, rt)
        for_whom = "must reply" if authority == act.requested else "waits for the reply"
        teller.step(rt.clock(), authority, f"clock: {for_whom}: {_due(row)}", *row.detail["explain"], deadline=row.detail)
    other = Procedure.ORDINARY if row.detail["known"] and _procedure(sent, act, west) is Procedure.ACCELERATED else None
    if other is not None:
        found = due_date(
            west.treaty(row.detail["agreement"], act.requesting, act.requested),
            row.limit_id,
            start=row.started_at,
            requested=Side.of(act.requested[:2], west.calendars),
            requesting=Side.of(act.requesting[:2], west.calendars),
            procedure=other,
            category=Category.THIRD_COUNTRY,
        ).as_dict()
        literal, rolled = found["literal"]["due_on"], found["rolled"]["due_on"]
        ends = literal if literal == rolled else f"{literal} (literal) or {rolled} (rolled)"
        teller.step(
            west.clock(),
            act.requesting,
            f"for comparison, the ordinary procedure: {found['amount']} calendar days, until {ends} ({found['source']}, "
            f"{found['confidence']})",
            deadline=found,
        )


def _procedure(sent: Sent, act: Act, rt: Runtime) -> Procedure:
    with reading(rt.engine) as tx:
        (case,) = cases.by_reference(tx, sent.case_reference, home=act.requesting)
    return case.procedure


def _reply_deadline(reference: str, authority: str, rt: Runtime) -> DeadlineRow:
    with reading(rt.engine) as tx:
        (case,) = cases.by_reference(tx, reference, home=authority)
        return next(row for row in deadlines.of_cases(tx, [case.id or 0]) if row.limit_id == "reply")


def _due(row: DeadlineRow) -> str:
    if not row.known or row.due_on is None or row.due_until is None:
        return "not known, ask (no verified limit)"
    zone = ZoneInfo(row.detail["zone"])
    local = row.due_until.astimezone(zone)
    text = f"by {row.due_on:%a %d %b %Y}, until {local:%Y-%m-%d %H:%M} in {zone.key}"
    if row.rolled_on != row.due_on and row.rolled_on is not None:
        text += f"; the other side may rely on silence only after {row.rolled_on:%a %d %b %Y}"
    return f"{text} ({row.source}, {row.confidence})"


def _answer(act: Act, row: InboxRow, rt: Runtime, folder: Path, teller: Teller) -> Sent:
    """Answer in the requested authority's own format, as its national system would."""
    with reading(rt.engine) as tx:
        case = cases.get(tx, row.case_id)
        document = messages.document(tx, row.message_row, "signed")
        assert document is not None
        application = message_inside(clear(rt, case, document))
    decision = Decision(agreed=True, on=rt.clock().date(), remarks="Travel document will be issued.", signatory=act.signatory)
    reply = without_header(write_reply(application, decision), ("MessageId", "Sequence", "Created", "InReplyTo"))
    dialect = rt.partners.authority(act.requested).dialect
    body = rt.translators[dialect].from_canonical(reply).body
    suffix = ".json" if body.lstrip()[:1] == b"{" else ".xml"
    (folder / f"1-as-handed-in{suffix}").write_bytes(body)
    item = Submitted(
        body=body, authority=act.requested, dialect=dialect, submitted_at=rt.clock(), actor=f"system@{act.requested}"
    )
    (result,) = submit([item], rt)
    if isinstance(result, GatewayError):
        raise result
    assert isinstance(result, Sent), "a reply is never held"
    _leave_sent(result, rt, folder)
    teller.step(
        rt.clock(),
        act.requested,
        f"answers in its own format, {dialect}: agreed; checked, translated, signed, sealed",
        f"message {result.message_id} answers sha256 {row_digest(row, rt)}",
        message_id=result.message_id,
        sha256=result.digest,
    )
    return result


def row_digest(row: InboxRow, rt: Runtime) -> str:
    """Return the digest of the envelope behind an inbox row."""
    with reading(rt.engine) as tx:
        return messages.get(tx, row.message_row).digest


def _tell_end(sent: Sent, act: Act, west: Runtime, east: Runtime, folder: Path, teller: Teller) -> None:
    """Show where both sides stand, that both journals are whole, and that the case stands on its own."""
    for authority, rt in ((act.requested, east), (act.requesting, west)):
        reply = _reply_deadline(sent.case_reference, authority, rt)
        case = tell_record(authority, sent.case_reference, reply, rt, teller)
    leave_case_file(case, folder, west, teller)
