"""What came on paper into a case file: a scan or a filled form that the journal names holds; any other is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.flow.attachments import hand_in
from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import Verdict, verify_case_file
from gateway.flow.deliveries import Proof, record_delivery
from gateway.flow.draft import Held, Sent
from gateway.flow.paper_replies import send_reply
from gateway.store import cases
from gateway.store.chain import FIELDS, entry_hash
from gateway.store.database import reading
from gateway.wire.case_index import JOURNAL
from gateway.wire.forms.reply_fields import filled
from tests.gateways import Gateway, example, exchange
from tests.packs import SCHEMAS, Sample, forged
from tests.paper import on_paper

pytestmark = pytest.mark.anyio

BA, PK = frozenset({"BA-MS"}), frozenset({"PK-MOI"})
SCAN = b"%PDF-1.7\nspecimen of a slip\n%%EOF\n"
FORM = b"%PDF-1.7\nspecimen of a filled form\n%%EOF\n"


@pytest.fixture
async def carried(two_gateways, clock, keys: Path, tmp_path: Path) -> Sample:
    """A case file of an authority on paper: an application whose delivery has a scan, and a reply taken from a filled form."""
    west, east = two_gateways
    east = replace(east, rt=on_paper(east.rt))
    held = west.hand_in(example("ReadmissionApplication-own-national"), authority="BA-MS")
    assert isinstance(held, Held)
    sent = west.release(held.case_id)
    assert isinstance(sent, Sent)
    await exchange(west, east)
    proof = Proof(kind="courier", at=clock(), reference="RX 000 000 000 PK", scan=SCAN)
    record_delivery(sent.message_id, proof, by="officer.one", homes=BA, rt=east.rt)
    answer(east, sent)
    await exchange(west, east)
    export_case(row_id(east), tmp_path / "case.asice", east.rt, actor="clerk", purpose="appeal")
    return Sample(path=tmp_path / "case.asice", keys=keys)


def row_id(side: Gateway) -> int:
    with reading(side.rt.engine) as tx:
        (case,) = cases.all_of(tx)
    assert case.id is not None
    return case.id


def answer(east: Gateway, sent: Sent) -> None:
    kept = hand_in(FORM, east.rt, authority="PK-MOI", actor="liaison.one", media_type="application/pdf")
    words = {"case": sent.case_reference, "digest": sent.digest, "outcome": "agreed", "decision_date": "1.6.2026", "name": "S"}
    send_reply(row_id(east), filled(words), kept.sha256, homes=PK, actor="liaison.one", rt=east.rt)


@pytest.fixture
def judge(clock, keys: Path) -> Callable[[Path], Verdict]:
    return lambda path: verify_case_file(path, keys / "anchors", clock(), SCHEMAS)


def refusals(found: Verdict) -> list[tuple[str, str | None]]:
    return [(item.item, item.code) for item in found.items if item.verdict == "refused"]


async def test_case_that_went_on_paper_holds_in_every_item(carried: Sample, judge) -> None:
    found = judge(carried.path)
    assert refusals(found) == []
    items = {item.item: item for item in found.items}
    assert items["delivery of message 1"].verdict == items["form of message 2"].verdict == "valid"
    assert "BA-MS recorded that this readmission application was delivered on paper on 1 June 2026" in (
        items["delivery of message 1"].says
    )
    assert "that is the word of BA-MS" in items["delivery of message 1"].says


async def test_receipt_of_what_went_on_paper_says_so_to_a_clerk(carried: Sample, judge) -> None:
    says = {item.item: item.says for item in judge(carried.path).items}
    assert says["receipt of message 1"].endswith('The receipt says: "on paper: courier; recorded by BA-MS".')


def _slip_another_in(files: dict[str, bytes], _index: dict[str, Any]) -> None:
    files["documents/0001-delivery.pdf"] = SCAN + b"%"


def _exchange_the_form(files: dict[str, bytes], _index: dict[str, Any]) -> None:
    files["documents/0002-form.pdf"] = FORM + b"%"


def _give_the_scan_to_the_reply(_files: dict[str, bytes], index: dict[str, Any]) -> None:
    first, second = index["messages"]
    (scan,) = [each for each in first["documents"] if each["kind"] == "delivery"]
    first["documents"].remove(scan)
    second["documents"].append(scan)


def _call_the_scan_a_form(_files: dict[str, bytes], index: dict[str, Any]) -> None:
    for each in index["messages"][0]["documents"]:
        each["kind"] = {"delivery": "form"}.get(each["kind"], each["kind"])


def _call_it_by_no_known_word(_files: dict[str, bytes], index: dict[str, Any]) -> None:
    for each in index["messages"][0]["documents"]:
        each["kind"] = {"delivery": "picture"}.get(each["kind"], each["kind"])


def _deliver_when_nothing_can_be(files: dict[str, bytes], _index: dict[str, Any]) -> None:
    """Let the journal say an instant that is none in UTC: year 1 is not over there yet, nor begun here."""
    lines = [json.loads(line) for line in files[JOURNAL].splitlines()]
    for entry in lines:
        if entry["event"] == "message.delivered":
            entry["detail"] = json.dumps(json.loads(entry["detail"]) | {"delivered_at": "0001-01-01T00:00:00+14:00"})
            entry["hash"] = entry_hash(entry["id"], [entry[name] for name in FIELDS], entry["previous"])
    files[JOURNAL] = b"".join(json.dumps(entry).encode() + b"\n" for entry in lines)


async def test_delivery_at_an_instant_that_cannot_be_is_refused(carried: Sample, judge, tmp_path: Path) -> None:
    path = forged(carried, tmp_path / "forged.asice", _deliver_when_nothing_can_be, key=carried.key("PK-MOI"))
    assert ("delivery of message 1", "journal-mismatch") in refusals(judge(path))


@pytest.mark.parametrize(
    ("change", "item", "code"),
    [
        (_slip_another_in, "delivery of message 1", "journal-mismatch"),
        (_exchange_the_form, "form of message 2", "journal-mismatch"),
        (_give_the_scan_to_the_reply, "delivery of message 2", "journal-mismatch"),
        (_call_the_scan_a_form, "form of message 1", "journal-mismatch"),
        (_call_it_by_no_known_word, "attachments", "attachment-unsigned"),
    ],
)
async def test_paper_that_the_journal_does_not_name_is_refused(
    carried: Sample, judge, tmp_path: Path, change: Any, item: str, code: str
) -> None:
    path = forged(carried, tmp_path / "forged.asice", change, key=carried.key("PK-MOI"))
    assert refusals(judge(path)) == [(item, code)]
