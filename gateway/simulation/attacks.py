"""The attacks of the catalogue that a partner, or whoever can write to the broker in its name, can send over the wire.

One for each class (`--every` plays all forgeries of a class). Each must be refused with its one code, and nothing of it may be
kept; whose signature was not verified gets no answer, so that nobody learns anything by asking.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from gateway.domain.identity import new_case_reference, new_message_id
from gateway.errors import GatewayError
from gateway.simulation.behaviours import read_example
from gateway.simulation.cast import Cast
from gateway.simulation.forgeries import Forge, Forgery, forged_from
from gateway.simulation.report import Scene
from gateway.simulation.rig import Rig
from gateway.stages import MAX_MESSAGE_BYTES, Signed, Tree
from gateway.store import cases, messages, outbox
from gateway.store.database import reading
from gateway.trust.parts import seal_part
from gateway.trust.seal import seal
from gateway.trust.sign import sign
from gateway.wire.documents import NS
from gateway.wire.reading import complete_header, instant_text, without_header

CLASSES: Mapping[int, str] = {
    1: "wrapping: the signed element below or beside the signature",
    2: "wrapping: an evil element before, after or around the original",
    3: "wrapping: the original hidden in an object or extension",
    4: "duplicate ids, in every spelling",
    5: "attributes, namespaces and spellings that read one way and verify another",
    6: "entities inside what is looked up",
    7: "comment in text",
    8: "processing instruction or CDATA in text",
    9: "signature stripped or empty",
    10: "only a part is signed",
    11: "several signatures, several SignedInfo",
    12: "weaker algorithms",
    13: "HMAC with the public key as its secret",
    14: "HMAC cut to a few bits",
    15: "a key from the signature that nobody trusts",
    16: "transforms that run a program or fetch something",
    17: "references, transforms or certificates by the thousand",
    18: "external entities",
    19: "entities that grow",
    20: "documents that eat the machine",
    21: "places to fetch: schema location, include, style sheet",
    22: "compressed data where a document is expected",
    24: "attachment of another digest than announced",
    25: "replay of an id with other bytes",
    26: "an old valid answer to a new case",
    27: "signed by a certificate that has expired",
    28: "certificate for another purpose",
    29: "signer is not the sender",
    31: "errors that tell why a seal stayed shut",
    32: "encryption without authentication",
    33: "encodings and characters",
    34: "what is harmless in a message and harms a log, a page or a terminal",
    35: "data that becomes an object",
    36: "forgery by whoever may write to the broker",
    39: "instants that do not exist",
    40: "flood by one partner",
}
# The rest is not sent by a partner; the gateway's own tests try it.
NOT_SENT: Mapping[int, str] = {
    23: "a container is read by a person, not taken from the wire",
    30: "timestamps are asked for by our own side",
    37: "a defect of our own is needed",
    38: "our own process must die",
}
FLOOD = 60
_ROOM = 4096  # bytes that a seal may add
# Inside a seal, what begins like JSON is taken for the line of a second signature: another code than for a bare document.
_NOT_SEALED = "json_in_its_place"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrown:
    """Bytes that are sent, and what must become of them."""

    name: str
    body: bytes
    code: str | None  # None: it is taken, or it was taken already
    outcome: str = "refused"
    message_id: str
    answered: bool = False  # its sender is proven, and gets a signed refusal


async def play_attack(number: int, rig: Rig, cast: Cast, forge: Forge, *, every: bool = False) -> Scene:
    """Play the attacks of one class; return what came of them."""
    scene = Scene(name=f"attack-{number}", what=CLASSES[number])
    try:
        before = _kept(rig)
        for each in _attacks(number, rig, cast, forge, every=every):
            answers = await rig.throw([each.body], each.message_id)
            scene.sent.append(each.name)
            scene.came_back.append(", ".join(f"{one.outcome} {one.code or ''}".strip() for one in answers))
            scene.check(each.name, [(each.outcome, each.code)], [(one.outcome, one.code) for one in answers])
            if each.outcome == "accepted":
                before = _kept(rig)
            elif not each.answered:
                scene.check(f"{each.name}: nobody is answered", 0, _leaving(rig))
        await rig.exchange()
        scene.check("nothing of it is kept as a message or a case", before, _kept(rig))
    except GatewayError as error:
        scene.check("the attack is played to its end", "yes", f"{error.code}: {error.message}")
    return scene


def _attacks(number: int, rig: Rig, cast: Cast, forge: Forge, *, every: bool) -> Iterator[Thrown]:
    made = _MADE.get(number)
    if made is not None:
        yield from made(rig, cast, forge)
        return
    forged = [each for each in forged_from(forge) if each.row == number and _fits(each)]
    for each in forged if every else forged[:1]:
        yield _thrown(each, rig, cast)


def _fits(forgery: Forgery) -> bool:
    return len(forgery.body) < MAX_MESSAGE_BYTES - _ROOM and forgery.name != _NOT_SEALED


def _thrown(forgery: Forgery, rig: Rig, cast: Cast) -> Thrown:
    """Seal a forgery, as anybody can: the keys to seal with are public."""
    message_id = new_message_id(rig.clock())
    signed = Signed(body=forgery.body, digest="0" * 64, signer=cast.theirs, signed_at=rig.clock())
    body = seal(signed, message_id=message_id, sender=cast.theirs, recipient=cast.ours, trust=rig.theirs.rt.trust).body
    return Thrown(name=forgery.name, body=body, code=forgery.code, message_id=message_id)


def genuine(rig: Rig, cast: Cast) -> Tree:
    """Return a good application of the partner to us, as its gateway would sign it."""
    document = deepcopy(cast.application)
    for file in document.findall(f"{{{NS}}}Attachment"):
        document.remove(file)
    without_header(document, ("MessageId", "CaseReference", "Sender", "Recipient", "Sequence", "Created", "InReplyTo"))
    now = rig.clock()
    values = {
        "MessageId": new_message_id(now),
        "CaseReference": new_case_reference(),
        "Sender": cast.theirs,
        "Recipient": cast.ours,
        "Sequence": "1",
        "Created": instant_text(now),
    }
    complete_header(document, values)
    return document


def _header(document: Tree, name: str) -> str:
    return str(document.findtext(f"{{{NS}}}Header/{{{NS}}}{name}"))


def _sealed(rig: Rig, cast: Cast, document: Tree, *, sender: str | None = None) -> bytes:
    rt, now, signer = rig.theirs.rt, rig.clock(), sender or cast.theirs
    signed = sign(document, rt.ring.signing(signer), now)
    return seal(
        signed, message_id=_header(document, "MessageId"), sender=signer, recipient=cast.ours, trust=rt.trust, ring=rt.ring
    ).body


# --- what is no forgery of an envelope --------------------------------------------------------------------------------------


def _wrong_attachment(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """A part of a file with the digest of another; the message that names it comes first, and is refused for it."""
    del forge
    document, content = genuine(rig, cast), b"%PDF-1.4\n% an invented file\n" + bytes(64)
    named = next(iter(read_example(rig.theirs, "ReadmissionApplication-own-national").iter(f"{{{NS}}}Attachment")))
    digest = sha256(b"another file").hexdigest()
    for name, value in (("Sha256", digest), ("Size", str(len(content))), ("MediaType", "application/pdf")):
        named.find(f"{{{NS}}}{name}").text = value
    document.append(named)
    message_id = _header(document, "MessageId")
    part = seal_part(
        content,
        sender=cast.theirs,
        recipient=cast.ours,
        message_id=message_id,
        sha256=digest,
        number=1,
        of=1,
        trust=rig.theirs.rt.trust,
        at=rig.clock(),
    )
    yield Thrown(name="part_of_another_file", body=part, outcome="part", code=None, message_id=message_id)
    body = _sealed(rig, cast, document)
    yield Thrown(name="message_with_it", body=body, code="attachment-mismatch", message_id=message_id, answered=True)


def _replay(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """A good message; then the same id with other bytes."""
    del forge
    document = genuine(rig, cast)
    message_id = _header(document, "MessageId")
    yield Thrown(
        name="the_good_message",
        body=_sealed(rig, cast, document),
        outcome="accepted",
        code=None,
        message_id=message_id,
        answered=True,
    )
    document.find(f"{{{NS}}}Header/{{{NS}}}Created").text = instant_text(rig.clock() - timedelta(seconds=1))
    body = _sealed(rig, cast, document)
    yield Thrown(name="its_id_once_more", body=body, code="message-id-reused", message_id=message_id, answered=True)


def _old_answer(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """A question in a new case that says it answers a message which nobody sent."""
    del forge
    document = genuine(rig, cast)
    message_id = _header(document, "MessageId")
    yield Thrown(
        name="a_new_case",
        body=_sealed(rig, cast, document),
        outcome="accepted",
        code=None,
        message_id=message_id,
        answered=True,
    )
    step = read_example(rig.theirs, "InformationReply-by-requesting")
    header = step.find(f"{{{NS}}}Header")
    for child in list(header):
        header.remove(child)
    for file in step.findall(f"{{{NS}}}Attachment"):
        step.remove(file)
    values = {
        "MessageId": new_message_id(rig.clock()),
        "CaseReference": _header(document, "CaseReference"),
        "Sender": cast.theirs,
        "Recipient": cast.ours,
        "Sequence": "2",
        "Created": instant_text(rig.clock()),
        "InReplyTo/MessageId": new_message_id(rig.clock()),
        "InReplyTo/Sha256": sha256(b"a message of another case").hexdigest(),
    }
    complete_header(step, values)
    body = _sealed(rig, cast, step)
    yield Thrown(
        name="answer_to_another_case", body=body, code="answer-mismatch", message_id=values["MessageId"], answered=True
    )


def _expired(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """A good signature of a certificate of the same name and issuer whose time was over."""
    key = forge.certificate(not_before=rig.clock() - timedelta(days=60), not_after=rig.clock() - timedelta(days=30))
    document = genuine(rig, cast)
    signed = sign(document, key, rig.clock())
    message_id = _header(document, "MessageId")
    body = seal(signed, message_id=message_id, sender=cast.theirs, recipient=cast.ours, trust=rig.theirs.rt.trust).body
    yield Thrown(name="certificate_that_has_expired", body=body, code="signer-not-trusted", message_id=message_id)


def _shut(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """Seals that do not open, each for another reason: the answer must be one and the same."""
    del forge
    document = genuine(rig, cast)
    message_id = _header(document, "MessageId")
    body = _sealed(rig, cast, document)
    line, _, rest = body.partition(b"\n")
    for name, made in (
        ("last_bit_turned", body[:-1] + bytes([body[-1] ^ 1])),
        ("cut_short", body[:-20]),
        ("nothing_behind_the_header", line + b"\n"),
        ("noise_behind_the_header", line + b"\n" + secrets.token_bytes(len(rest))),
        ("header_for_another_message", line.replace(message_id.encode(), new_message_id(rig.clock()).encode()) + b"\n" + rest),
        ("noise", secrets.token_bytes(400)),
    ):
        yield Thrown(name=name, body=made, code="cannot-open", message_id=message_id)


def _other_encryption(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """A document in XML Encryption with CBC in place of our seal."""
    del forge, cast
    body = (
        b'<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"><EncryptionMethod Algorithm='
        b'"http://www.w3.org/2001/04/xmlenc#aes256-cbc"/><CipherData><CipherValue>AAAA</CipherValue></CipherData></EncryptedData>'
    )
    yield Thrown(name="xml_encryption_by_cbc", body=body, code="cannot-open", message_id=new_message_id(rig.clock()))


def _other_name(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """A good message of one authority in a seal that says it comes from the partner."""
    document = genuine(rig, cast)
    document.find(f"{{{NS}}}Header/{{{NS}}}Sender").text = forge.other
    signed = sign(document, rig.theirs.rt.ring.signing(forge.other), rig.clock())
    named = Signed(body=signed.body, digest=signed.digest, signer=cast.theirs, signed_at=signed.signed_at)
    message_id = _header(document, "MessageId")
    body = seal(named, message_id=message_id, sender=cast.theirs, recipient=cast.ours, trust=rig.theirs.rt.trust).body
    yield Thrown(name="seal_in_anothers_name", body=body, code="seal-mismatch", message_id=message_id)


def _flood(rig: Rig, cast: Cast, forge: Forge) -> Iterator[Thrown]:
    """Many forgeries in a row, and then a good message, which is taken."""
    forged: Sequence[Forgery] = [each for each in forged_from(forge) if _fits(each) and len(each.body) < 3 * len(forge.genuine)]
    for place in range(FLOOD):
        yield _thrown(forged[place % len(forged)], rig, cast)
    document = genuine(rig, cast)
    yield Thrown(
        name="the_good_message_behind_them",
        body=_sealed(rig, cast, document),
        outcome="accepted",
        code=None,
        message_id=_header(document, "MessageId"),
        answered=True,
    )


_MADE: Mapping[int, Callable[[Rig, Cast, Forge], Iterator[Thrown]]] = {
    24: _wrong_attachment,
    25: _replay,
    26: _old_answer,
    27: _expired,
    31: _shut,
    32: _other_encryption,
    36: _other_name,
    40: _flood,
}


def _kept(rig: Rig) -> tuple[int, int]:
    """Return how many messages of the partner were taken on our side, and how many cases there are with it."""
    with reading(rig.ours.rt.engine) as tx:
        taken = messages.outcomes(tx, sender=rig.theirs.authority, direction="in").get("accepted", 0)
        return taken, sum(cases.counts(tx, [rig.ours.authority]).values())


def _leaving(rig: Rig) -> int:
    """Return how many messages wait to leave our side."""
    with reading(rig.ours.rt.engine) as tx:
        return sum(state.waiting for state in outbox.states(tx))
