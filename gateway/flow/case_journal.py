"""The journal entries of a case file: each is the one its hash was made of, and they agree with the messages."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from gateway.errors import JournalMismatch
from gateway.flow.case_words import VALID, Item
from gateway.wire.documents import parse_json

_HASHED = ("id", "at", "event", "actor", "authority", "case_id", "message_id", "digest", "detail", "previous")
_ABOUT_MESSAGES = frozenset({"message.sent", "message.received"})


def entry_hash(entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry: SHA-256 over a JSON list of its number, its fields and the hash before it.

    The same as gateway/store/journal.py, written again without a database: a test holds the two together.
    """
    values = [entry[name] for name in _HASHED]
    return sha256(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def judge_journal(body: bytes, count: int, digests: Mapping[str, str], *, exporter: str) -> Item:
    """Return the verdict on the entries. `digests` are those of the messages, by message id. Raises `JournalMismatch`."""
    entries = [_entry(line) for line in body.splitlines()]
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
        "agree with the messages. That the record as a whole was not rewritten is the word of "
        f"{exporter}; 'gateway journal verify' there shows it."
    )
    return Item(item="journal", verdict=VALID, says=says)


def _entry(line: bytes) -> dict[str, Any]:
    entry = parse_json(line)
    if not isinstance(entry, dict) or set(entry) != {*_HASHED, "hash"} or not isinstance(entry["id"], int):
        raise JournalMismatch("a journal entry has not the form it must have")
    if entry_hash(entry) != entry["hash"]:
        raise JournalMismatch(f"journal entry {entry['id']} is not the one its hash was made of")
    return entry
