"""What came on paper into a case file: scans of proofs of delivery, and filled forms. The journal must name each by digest.

Nobody signed a piece of paper by a key. That it was there, recorded by whom and when, the journal says; what it shows, a person
reads from it. A paper that the journal does not name was slipped in.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.errors import JournalMismatch
from gateway.flow.case_journal import details
from gateway.flow.case_words import NOT_PROVEN, VALID, Item, on
from gateway.wire.case_index import FORM, IndexedDocument, IndexedMessage, instant_of

_DELIVERED, _CONFIRMED = "message.delivered", "form.confirmed"
_KINDS = {
    "transmission-report": "a transmission report shows it",
    "courier": "a courier's slip shows it",
    "hand": "it was handed over",
}


def judge_paper(
    line: IndexedMessage, document: IndexedDocument, entries: Sequence[Mapping[str, Any]], *, exporter: str
) -> Item:
    """Return the verdict on one document that came on paper; `entries` are those of the journal, as read.

    Raises `JournalMismatch` where no entry names this very file for this message.
    """
    if document.kind == FORM:
        if not any(entry["digest"] == document.sha256 for entry in _about(line, _CONFIRMED, entries)):
            raise JournalMismatch("the journal names no such filled form for this message", path=document.file)
        says = (
            f"The filled form that this {line.noun} was taken from is the one that the record of {exporter} names. That "
            "both say the same a person confirmed; whoever doubts it compares them."
        )
        return Item(item=f"form of message {line.number}", verdict=VALID, says=says)
    for entry in _about(line, _DELIVERED, entries):
        if details(entry).get("scan") == document.sha256:
            says = f"{_recorded(line, entry)} The scan is the one that this record names; what it shows a person must read."
            return Item(item=f"delivery of message {line.number}", verdict=VALID, says=says)
    raise JournalMismatch("the journal names no such scan of a delivery for this message", path=document.file)


def without_receipt(line: IndexedMessage, entries: Sequence[Mapping[str, Any]]) -> Item:
    """Return what is to be said of a message without a receipt: what somebody recorded of its delivery is told, not proven.

    Raises `JournalMismatch` for a record of another form than the gateway writes.
    """
    says = f"There is no receipt for this {line.noun}: whether and when {line.recipient} had it is not proven."
    recorded = [_recorded(line, entry) for entry in _about(line, _DELIVERED, entries)]
    return Item(item=f"receipt of message {line.number}", verdict=NOT_PROVEN, says=" ".join((says, *recorded)))


def _about(line: IndexedMessage, event: str, entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in entries if (entry["event"], entry["message_id"]) == (event, line.message_id)]


def _recorded(line: IndexedMessage, entry: Mapping[str, Any]) -> str:
    """Return the sentence on a delivery that somebody recorded: his word, under the date of the journal."""
    detail = details(entry)
    speaks, kind = detail.get("recorded_for"), detail.get("kind")
    recorded, at = instant_of(entry["at"]), instant_of(detail.get("delivered_at"))
    if speaks not in {line.sender, line.recipient} or kind not in _KINDS or recorded is None or at is None:
        raise JournalMismatch(f"journal entry {entry['id']} does not say who recorded which delivery, and when it was")
    return (
        f"On {on(recorded)} {speaks} recorded that this {line.noun} was delivered on paper on {on(at)} "
        f"({_KINDS[kind]}); that is the word of {speaks}."
    )
