"""How a played partner behaves towards an application of ours, and what must then have come about on our side."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta

from gateway.domain.case import Case
from gateway.errors import GatewayError, Unavailable
from gateway.flow.arrival import Answer
from gateway.flow.draft import Sent
from gateway.flow.papers import clear
from gateway.flow.watch import watch_once
from gateway.simulation.cast import EXAMPLES, GATEWAY_FILLS, Cast
from gateway.simulation.report import Scene
from gateway.simulation.rig import Rig, Side
from gateway.stages import Tree
from gateway.store import cases, deadlines, inbox, messages
from gateway.store.database import reading
from gateway.store.deadlines import DeadlineRow
from gateway.store.messages import MessageRow
from gateway.trust.seal import seal
from gateway.trust.sign import sign
from gateway.wire.documents import NS, parse_xml, read_file
from gateway.wire.reading import complete_header, message_inside, without_header
from gateway.wire.reply import Decision, write_reply

SIGNATORY = "A. Specimen"
REFUSAL = ("identity-not-established", "no trace in the registers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One application of ours that reached the partner."""

    rig: Rig
    cast: Cast
    scene: Scene
    sent: Sent

    async def arrived(self, type_: str) -> bytes:
        """Let everything travel; return the one message of this type at the partner's desk, in its own dialect."""
        await self.rig.exchange()
        found = [one for one in self.rig.desk.fetch() if one.type == type_]
        if len(found) != 1:
            raise Unavailable(f"{len(found)} messages {type_} lie at the partner's desk, not one{self._fate(type_)}")
        return found[0].body

    def _fate(self, type_: str) -> str:
        """Return what became of our messages of this type, where the partner's gateway refused one."""
        with reading(self.rig.ours.rt.engine) as tx:
            rows = messages.of_case(tx, self.sent.case_id)
        codes = {row.code for row in rows if (row.direction, row.type, row.outcome) == ("out", type_, "refused")}
        return f": its gateway refused with {', '.join(sorted(filter(None, codes)))}" if codes else ""

    def hand_in(self, document: Tree) -> Mapping[str, str]:
        """Hand in a canonical document in the partner's own dialect; note what became of it."""
        rt = self.rig.theirs.rt
        document = without_header(document, ("MessageId", "Sequence", "Created", "InReplyTo"))
        told = self.rig.desk.hand_in(rt.translator(self.cast.theirs).from_canonical(document).body)
        kind = str(document.tag).rpartition("}")[2]
        self.scene.sent.append(f"{kind}: {told['outcome']}" + (f" {told['code']}" if "code" in told else ""))
        return told

    def reply(self, application: bytes, *, agreed: bool) -> Tree:
        """Return the partner's answer, written from what its own system got."""
        document = self.rig.theirs.rt.translator(self.cast.theirs).to_canonical(application).document
        reasons = () if agreed else (REFUSAL,)
        on = self.rig.clock().date()
        return write_reply(document, Decision(agreed=agreed, on=on, reasons=reasons, signatory=SIGNATORY))

    def step(self, example: str, sender: str, recipient: str) -> Tree:
        """Return a step of the case, made from a canonical example."""
        document = read_example(self.rig.ours, example)
        header = document.find(f"{{{NS}}}Header")
        for child in list(header):
            header.remove(child)
        for file in document.findall(f"{{{NS}}}Attachment"):
            document.remove(file)
        complete_header(document, {"CaseReference": self.sent.case_reference, "Sender": sender, "Recipient": recipient})
        return document

    def case(self) -> Case:
        """Return our side's case."""
        with reading(self.rig.ours.rt.engine) as tx:
            return cases.get(tx, self.sent.case_id)

    def deadline(self) -> DeadlineRow | None:
        """Return our side's deadline of the reply; None if the rules have none."""
        with reading(self.rig.ours.rt.engine) as tx:
            rows = deadlines.of_cases(tx, [self.sent.case_id])
        return next((row for row in rows if row.limit_id == "reply"), None)

    def came(self, type_: str) -> list[MessageRow]:
        """Return the messages of the partner in our case that were taken, of one type."""
        with reading(self.rig.ours.rt.engine) as tx:
            rows = messages.of_case(tx, self.sent.case_id)
        return [row for row in rows if row.direction == "in" and row.type == type_ and row.outcome == "accepted"]

    def close(self) -> None:
        """Note what came back on our side, and how the application fared."""
        with reading(self.rig.ours.rt.engine) as tx:
            rows = messages.of_case(tx, self.sent.case_id)
            waiting = {row.message_id for row in inbox.waiting(tx, self.cast.ours)}
        self.scene.came_back += [
            f"{row.type}: {row.outcome}" + (f" {row.code}" if row.code else "") for row in rows if row.direction == "in"
        ]
        first = next(row for row in rows if row.message_id == self.sent.message_id)
        self.scene.check("the application has a signed receipt", "received", first.outcome)
        taken = {row.message_id for row in rows if row.direction == "in" and row.outcome == "accepted"}
        self.scene.check("what was taken lies in our inbox", True, taken <= waiting)


def read_example(side: Side, name: str) -> Tree:
    """Return a canonical example as a tree of its own."""
    return parse_xml(read_file(side.rt.settings.schemas / EXAMPLES / f"{name}.xml"))


async def accept(play: Play) -> None:
    """It agrees."""
    play.hand_in(play.reply(await play.arrived("ReadmissionApplication"), agreed=True))
    await play.rig.exchange()
    play.scene.check("the case", "agreed", play.case().state)
    _met(play)


async def refuse(play: Play) -> None:
    """It refuses, with a reason."""
    play.hand_in(play.reply(await play.arrived("ReadmissionApplication"), agreed=False))
    await play.rig.exchange()
    play.scene.check("the case", "refused", play.case().state)
    _met(play)


async def ask(play: Play) -> None:
    """It asks for information first, gets it, and agrees."""
    application = await play.arrived("ReadmissionApplication")
    play.hand_in(play.step("InformationRequest-by-requested", play.cast.theirs, play.cast.ours))
    await play.rig.exchange()
    play.scene.check("its question lies in our case", 1, len(play.came("InformationRequest")))
    play.rig.ours.must_send(play.step("InformationReply-by-requesting", play.cast.ours, play.cast.theirs))
    await play.arrived("InformationReply")
    play.hand_in(play.reply(application, agreed=True))
    await play.rig.exchange()
    play.scene.check("the case", "agreed", play.case().state)
    _met(play)


async def silent(play: Play) -> None:
    """It says nothing until the limit is over."""
    await play.arrived("ReadmissionApplication")
    _past_the_limit(play)
    _silence(play)


async def late(play: Play) -> None:
    """It agrees after the limit is over."""
    application = await play.arrived("ReadmissionApplication")
    _past_the_limit(play)
    _silence(play)
    play.hand_in(play.reply(application, agreed=True))
    await play.rig.exchange()
    play.scene.check("the late answer lies in our case", 1, len(play.came("ReadmissionReply")))
    play.scene.check("the case", "agreed", play.case().state)
    row = play.deadline()
    if row is not None and row.known:
        play.scene.check("the deadline of the reply", "late", row.state)


async def twice(play: Play) -> None:
    """It answers twice: with the same bytes, with others under the same id, and with another answer."""
    play.hand_in(play.reply(await play.arrived("ReadmissionApplication"), agreed=True))
    await play.rig.exchange()
    (reply,) = play.came("ReadmissionReply")
    (left,) = [row for row in play.rig.theirs.left if row.message_id == reply.message_id]
    _answers(play, "the same bytes", ("repeated", None), await play.rig.throw([left.body], reply.message_id))
    changed = _signed_reply(play, reply.message_id)
    changed.find(f"{{{NS}}}Signatory/{{{NS}}}Name").text = "B. Specimen"
    _answers(
        play,
        "other bytes under the same id",
        ("refused", "message-id-reused"),
        await play.rig.throw([_sealed(play, changed, reply.message_id)], reply.message_id),
    )
    play.rig.clock.move(seconds=1)
    again = _signed_reply(play, reply.message_id)
    fresh = reply.message_id[:-4] + f"{(int(reply.message_id[-4:], 16) + 1) % 0x10000:04x}"
    again.find(f"{{{NS}}}Header/{{{NS}}}MessageId").text = fresh
    again.find(f"{{{NS}}}Header/{{{NS}}}Sequence").text = str((reply.sequence or 0) + 1)
    _answers(
        play,
        "another answer after the first",
        ("refused", "transition-not-allowed"),
        await play.rig.throw([_sealed(play, again, fresh)], fresh),
    )
    await play.rig.exchange()
    play.scene.check("one answer lies in our case", 1, len(play.came("ReadmissionReply")))
    play.scene.check("the case", "agreed", play.case().state)


BEHAVIOURS: Mapping[str, Callable[[Play], Awaitable[None]]] = {
    "accept": accept,
    "refuse": refuse,
    "ask": ask,
    "silent": silent,
    "late": late,
    "twice": twice,
}


async def play_behaviour(name: str, rig: Rig, cast: Cast) -> Scene:
    """Let our side hand in the application and the partner behave; return what came of it."""
    behave = BEHAVIOURS[name]
    scene = Scene(name=name, what=(behave.__doc__ or "").strip())
    try:
        sent = rig.ours.must_send(without_header(deepcopy(cast.application), GATEWAY_FILLS))
        play = Play(rig=rig, cast=cast, scene=scene, sent=sent)
        await behave(play)
        play.close()
    except GatewayError as error:
        where = f" (at {error.path})" if error.path else ""
        scene.check("the scene is played to its end", "yes", f"{error.code}: {error.message}{where}")
    return scene


def _met(play: Play) -> None:
    row = play.deadline()
    if row is not None and row.known:
        play.scene.check("the deadline of the reply", "met", row.state)


def _past_the_limit(play: Play) -> None:
    """Move the clock past the end of the limit, or by a year where nobody knows it."""
    row = play.deadline()
    end = row.lapses_at if row is not None and row.lapses_at is not None else play.rig.clock() + timedelta(days=90)
    play.rig.clock.move_to(end)
    play.rig.clock.move(hours=1)
    watch_once(play.rig.ours.rt)


def _silence(play: Play) -> None:
    """Look how the silence is on record: as the rule says, and never guessed where no rule is known."""
    row = play.deadline()
    if row is None or not row.known:
        play.scene.check("no verified limit, so no silence is recorded", "open", row.state if row else "open")
        return
    lapses = row.on_lapse not in {None, "nothing"}
    play.scene.check("the silence is recorded as the treaty says", "lapsed" if lapses else "open", row.state)


def _answers(play: Play, what: str, expected: tuple[str, str | None], answers: Sequence[Answer]) -> None:
    play.scene.sent.append(what)
    for one in answers:
        play.scene.check(what, expected, (one.outcome, one.code))


def _signed_reply(play: Play, message_id: str) -> Tree:
    """Return the reply as the partner's gateway signed it."""
    rt = play.rig.theirs.rt
    with reading(rt.engine) as tx:
        row = messages.known(tx, "out", [(play.cast.theirs, message_id)])[play.cast.theirs, message_id]
        document = messages.document(tx, row.id or 0, "signed")
        case = cases.get(tx, row.case_id or 0)
    assert document is not None
    return message_inside(clear(rt, case, document))


def _sealed(play: Play, document: Tree, message_id: str) -> bytes:
    """Sign and seal a document as the partner, past its gateway's own checks."""
    rt, now = play.rig.theirs.rt, play.rig.clock()
    signed = sign(document, rt.ring.signing(play.cast.theirs, now), now)
    sender, recipient = play.cast.theirs, play.cast.ours
    return seal(signed, message_id=message_id, sender=sender, recipient=recipient, trust=rt.trust, ring=rt.ring).body
