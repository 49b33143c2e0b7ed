"""Every broken document of tests/vectors/broken, sent over the wire by a legitimate sender: signed, sealed, and refused.

A document that can be parsed is brought into canonical form and signed like any other; the rest is signed byte for byte, as
the broken software of a sender would. Inside the envelope some defects are another one: what is fatal there is told first.
"""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select

from gateway.domain.identity import new_message_id
from gateway.errors import Refused, catalogue
from gateway.stages import MAX_MESSAGE_BYTES, Received, Sealed
from gateway.store import journal
from gateway.store import tables as t
from gateway.store.database import reading
from gateway.transport.memory import MemoryHub
from gateway.trust.seal import seal, unseal
from gateway.trust.verify import verify
from gateway.wire.documents import NS, canonicalize, parse_xml
from gateway.wire.reading import header_of
from tests.conftest import MovableClock
from tests.forging import NOTHING, application, count, items_of, journalled, sealed, signed_as_is, take
from tests.gateways import Gateway, make_gateway

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "broken"
EXPECTED: dict[str, str] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))
DECLARATION = re.compile(rb"^<\?xml [^>]*\?>\s*")
NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)  # after the time at which the vectors say they were made

# Defects of a whole file that are another one where a message stands inside an envelope, or that the seal sees first.
ON_THE_WIRE: dict[str, str] = {
    **{name: "signature-profile" for name in EXPECTED if name.endswith(".json")},  # the envelope holds XML only
    # not one message, or not of our schema: no such thing is signed by the one profile
    "attribute_not_known.xml": "signature-profile",
    "declares_latin1.xml": "signature-profile",
    "declares_utf7.xml": "signature-profile",
    "empty.xml": "signature-profile",
    "envelope.xml": "signature-profile",
    "namespace_of_version_2.xml": "signature-profile",
    "no_namespace.xml": "signature-profile",
    "only_white_space.xml": "signature-profile",
    "plain_text.xml": "signature-profile",
    "two_messages_in_one_file.xml": "signature-profile",
    # the seal names a recipient and an id in the one form; the document does not
    "message_id_in_capitals.xml": "seal-mismatch",
    "message_id_missing.xml": "seal-mismatch",
    "recipient_not_a_code.xml": "seal-mismatch",
    "unknown_recipient.xml": "seal-mismatch",
    # nobody signs for a sender that is missing or not known
    "sender_missing.xml": "signer-mismatch",
    "unknown_sender.xml": "signer-mismatch",
    # bytes that are no UTF-8 text show another first defect behind the tags of the envelope
    "json_in_utf16.json": "not-text",
    "utf16_with_byte_order_mark.xml": "not-text",
    "utf16_without_byte_order_mark.xml": "not-text",
    "pdf.bin": "wrong-encoding",
    "photograph.bin": "wrong-encoding",
    "utf8_with_byte_order_mark.xml": "malformed-xml",
}


@pytest.fixture(scope="module")
async def east(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, keys: Path) -> AsyncIterator[Gateway]:
    """One gateway for all vectors, home to whoever they are addressed to."""
    url = f"sqlite:///{tmp_path_factory.mktemp('wire') / 'east.sqlite3'}"
    clock = MovableClock(NOW)
    made = await make_gateway(url, keys, clock, home=("PK-MOI", "RS-MUP", "AT-BMI", "BA-MS"), hub=MemoryHub(clock)).open()
    yield made
    made.rt.engine.dispose()


def wrapped(side: Gateway, content: bytes) -> Sealed:
    """Return a vector, signed and sealed by its sender; by AT-BMI for RS-MUP where it does not say who that is."""
    sender, recipient, message_id = "AT-BMI", "RS-MUP", new_message_id(NOW)
    try:
        document = parse_xml(content)
    except Refused:
        inside = DECLARATION.sub(b"", content)  # inside an envelope the declaration itself would be the defect
    else:
        inside = canonicalize(document)
        header = header_of(document)
        known = side.rt.partners.authorities
        sender = header["Sender"] if header.get("Sender") in known else sender
        recipient = header["Recipient"] if header.get("Recipient") in known else recipient
        message_id = header.get("MessageId", message_id).lower()
    signed = signed_as_is(side.rt, inside, sender, NOW)
    return seal(signed, message_id=message_id, sender=sender, recipient=recipient, trust=side.rt.trust)


def code_on_the_wire(name: str) -> str:
    return ON_THE_WIRE.get(name, EXPECTED[name])


RECEIPTS = {"rule_refused_needs_code.xml", "rule_waiting_names_missing.xml"}
# One that is too large cannot be sealed; a test below sends it.
SENT = sorted(name for name, code in EXPECTED.items() if code != "too-large")


@pytest.mark.parametrize("name", SENT)
async def test_broken_document_is_refused_on_the_wire_with_one_code(east: Gateway, name: str) -> None:
    sealed_ = wrapped(east, (FOLDER / name).read_bytes())
    before, entries = count(east.rt.engine), len(journalled(east.rt.engine))

    (answer,) = take(east.rt, sealed_)
    assert (answer.outcome, answer.code) == ("refused", code_on_the_wire(name))
    assert answer.code in catalogue()
    rows = journalled(east.rt.engine)[entries:]
    (refusal,) = [row for row in rows if row["event"] == "message.refused"]
    assert refusal["detail"]["code"] == answer.code
    after = count(east.rt.engine)
    nothing_of_it = ("cases", "inbox", "deadlines", "holds", "statements")
    assert {table: after[table] for table in nothing_of_it} == dict.fromkeys(nothing_of_it, 0)
    if answer.message_id is None or name in RECEIPTS:  # nobody proved to have sent it, or receipts would answer receipts
        assert after == before
        assert len(rows) == 1
    else:
        assert refusal["message_id"] == sealed_.message_id
        assert (after["outbox"], after["documents"]) == (before["outbox"] + 1, before["documents"] + 1)
        assert_negative_receipt(east, sealed_, answer.code)


def assert_negative_receipt(east: Gateway, refused: Sealed, code: str) -> None:
    """The last row of the outbox is a receipt, signed by the recipient, that says no to this message with this code."""
    row = last_of_outbox(east)
    assert (row["sender"], row["recipient"]) == (refused.recipient, refused.sender)
    raw = Received(body=row["body"], received_at=NOW, transport="memory")
    opened = unseal(raw, east.rt.ring, east.rt.trust)
    assert opened.signer == refused.recipient
    assert verify(opened.signed, east.rt.trust).digest == opened.digest
    east.rt.schemas.check(opened.document)
    assert items_of(opened.document) == [(refused.message_id, "refused", code)]
    digest = opened.document.findtext(f"{{{NS}}}Item/{{{NS}}}Sha256")
    assert digest == refused.digest


def last_of_outbox(side: Gateway) -> Any:
    with reading(side.rt.engine) as tx:
        return tx.execute(select(t.outbox).order_by(t.outbox.c.id.desc()).limit(1)).mappings().one()


async def test_most_defects_keep_their_code_on_the_wire() -> None:
    assert set(ON_THE_WIRE) <= set(EXPECTED)
    assert all(code != EXPECTED[name] for name, code in ON_THE_WIRE.items())
    semantic = {"schema-violation", "rule-violation", "unsupported-schema-version"}
    kept = [name for name, code in EXPECTED.items() if code in semantic and name not in ON_THE_WIRE and name.endswith(".xml")]
    assert len(kept) >= 40


async def test_sealed_message_of_more_than_one_megabyte_is_refused_unopened(two_gateways, clock) -> None:
    west, east = two_gateways
    body = sealed(west.rt, application(clock.now), clock.now).body
    for too_much in (body + b"x" * MAX_MESSAGE_BYTES, (FOLDER / "one_byte_over_one_megabyte.xml").read_bytes()):
        (answer,) = take(east.rt, too_much)
        assert (answer.outcome, answer.code, answer.message_id) == ("refused", "too-large", None)
    assert count(east.rt.engine) == NOTHING
    assert [row["detail"]["code"] for row in journalled(east.rt.engine)] == ["too-large", "too-large"]


async def test_bare_document_without_seal_or_signature_is_refused(two_gateways, clock) -> None:
    _, east = two_gateways
    for body in (etree.tostring(application(clock.now)), *((FOLDER / name).read_bytes() for name in ("empty.xml", "pdf.bin"))):
        (answer,) = take(east.rt, body)
        assert (answer.code, answer.message_id) == ("cannot-open", None)
    assert count(east.rt.engine) == NOTHING


async def test_all_broken_documents_in_one_batch_spoil_no_good_one(two_gateways, keys, clock) -> None:
    west, east = two_gateways
    clock.now = NOW
    bad = [wrapped(west, (FOLDER / name).read_bytes()) for name in SENT]
    good = [sealed(west.rt, application(NOW), NOW) for _ in range(2)]
    answers = take(east.rt, good[0], *bad, good[1])
    assert [answer.outcome for answer in answers] == ["accepted", *["refused"] * len(bad), "accepted"]
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 2, "inbox": 2}
    with reading(east.rt.engine) as tx:
        assert journal.verify(tx)[1] == []
