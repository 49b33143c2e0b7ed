"""The journal entries of a case file: each is the one its hash was made of, and they agree with the messages."""

import re
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

from gateway.domain import proofs
from gateway.errors import JournalMismatch, Refused, TimestampNotTrusted
from gateway.flow.case_words import NOT_PROVEN, VALID, Item, on
from gateway.store.chain import FIELDS, entry_hash, is_hash
from gateway.trust.certificates import TrustStore
from gateway.trust.proven import check_entry
from gateway.wire.case_index import instant_of
from gateway.wire.documents import parse_json

_NAMES = {"id", *FIELDS, "previous", "hash"}
_TEXTS, _TEXTS_OR_NONE = ("event", "actor", "detail"), ("authority", "message_id", "digest")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}\+00:00", re.ASCII)
_ABOUT_MESSAGES = frozenset({"message.sent", "message.received"})


def read_entries(body: bytes) -> list[dict[str, Any]]:
    """Return the entries in a file, each with the hash it must have. Raises `JournalMismatch`, and what `parse_json` raises."""
    return [_entry(line) for line in BytesIO(body)]


def judge_journal(entries: list[dict[str, Any]], count: int, digests: Mapping[str, str], *, exporter: str) -> Item:
    """Return the verdict on the entries. `digests` are those of the messages, by message id. Raises `JournalMismatch`."""
    if len(entries) != count:
        raise JournalMismatch("the case file holds another number of journal entries than its index says")
    before: Mapping[str, Any] | None = None
    for entry in entries:
        if before is not None and entry["id"] <= before["id"]:
            raise JournalMismatch("the journal entries do not stand in their order")
        if before is not None and entry["id"] == before["id"] + 1 and entry["previous"] != before["hash"]:
            raise JournalMismatch(f"journal entry {entry['id']} does not follow the entry before it")
        if entry["case_id"] != entries[0]["case_id"]:
            raise JournalMismatch(f"journal entry {entry['id']} is about another case")
        known = digests.get(str(entry["message_id"]))
        if entry["event"] in _ABOUT_MESSAGES and known is not None and entry["digest"] != known:
            raise JournalMismatch(f"journal entry {entry['id']} is about another message than the case file holds")
        before = entry
    says = (
        f"The record of {exporter} holds {count} entries on this case. Each of them is the one its hash was made of, and they "
        f"agree with the messages. That no other entry is about this case is the word of {exporter}."
    )
    return Item(item="journal", verdict=VALID, says=says)


def _entry(line: bytes) -> dict[str, Any]:
    entry = parse_json(line)
    if not isinstance(entry, dict) or set(entry) != _NAMES or not _well_formed(entry):
        raise JournalMismatch("a journal entry has not the form it must have")
    if entry_hash(entry["id"], [entry[name] for name in FIELDS], entry["previous"]) != entry["hash"]:
        raise JournalMismatch(f"journal entry {entry['id']} is not the one its hash was made of")
    return entry


def _well_formed(entry: Mapping[str, Any]) -> bool:
    """Tell whether every field is of the kind that the journal has there. A hash may be right over a value of any kind."""
    return (
        type(entry["id"]) is int
        and entry["id"] > 0
        and isinstance(entry["at"], str)
        and _INSTANT.fullmatch(entry["at"]) is not None
        and instant_of(entry["at"]) is not None
        and all(isinstance(entry[name], str) for name in _TEXTS)
        and all(isinstance(entry[name], str | None) for name in _TEXTS_OR_NONE)
        and (entry["case_id"] is None or type(entry["case_id"]) is int)
        and is_hash(entry["previous"])
        and is_hash(entry["hash"])
    )


def details(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the details of an entry that `read_entries` read. Raises `JournalMismatch`."""
    try:
        found = parse_json(str(entry["detail"]).encode())
    except (Refused, UnicodeEncodeError):
        found = None
    if not isinstance(found, dict):
        raise JournalMismatch(f"journal entry {entry['id']} holds no details")
    return found


def judge_proofs(found: Mapping[int, bytes], entries: list[dict[str, Any]], trust: TrustStore) -> Item:
    """Return the verdict on the proofs (JSON) of entries, by number: each stood in the journal at a time that others vouch for.

    Raises `JournalMismatch` for a proof of another entry, `RootInvalid`, and what `check_entry` raises.
    """
    if not found:
        return Item(item="journal proofs", verdict=NOT_PROVEN, says="No signed root lies over these journal entries yet.")
    hashes = {entry["id"]: entry["hash"] for entry in entries}
    stamped: list[datetime] = []
    signers: set[str] = set()
    for number, body in found.items():
        proof = proofs.from_json(body)
        if (proof.entry, proof.hash) != (number, hashes.get(number)):
            raise JournalMismatch(f"the proof of journal entry {number} is about another entry")
        try:
            proven = check_entry(proof, trust)
        except TimestampNotTrusted:
            says = "The timestamps over the journal are by an authority that is not among the roots you trust."
            return Item(item="journal proofs", verdict=NOT_PROVEN, says=says)
        signers.add(proven.signer)
        stamped += [proven.stamped_at] if proven.stamped_at else []
    says = (
        f"{len(found)} of {len(entries)} entries lie under a root of the journal, signed by "
        f"{' and '.join(sorted(signers))}: none of them can have been changed, or put in, since. "
    )
    if stamped:
        says += f"A timestamp authority vouches that {len(stamped)} of them were there on {on(max(stamped))} at the latest."
    return Item(item="journal proofs", verdict=VALID if stamped else NOT_PROVEN, says=says.rstrip())
