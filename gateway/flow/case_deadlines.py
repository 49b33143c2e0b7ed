"""The deadlines of a case file held against what is proven: the receipts and messages that say from when each one counts."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from gateway.domain.clock import STARTS_BY, Happening, Moment
from gateway.domain.messages import Message, Receipt
from gateway.errors import CaseIndexInvalid, DeadlineMismatch
from gateway.flow.case_words import NOT_PROVEN, VALID, Item, on
from gateway.wire.case_index import IndexedDeadline, instant_of
from gateway.wire.documents import parse_json


def judge_deadline(
    line: IndexedDeadline,
    body: bytes,
    *,
    messages: Mapping[str, Message],
    received: Mapping[str, datetime],
    exporter: str,
) -> Item:
    """Return the verdict on one deadline. `messages` and `received` hold what was proven, by message id.

    Raises `CaseIndexInvalid` where the explanation is another than the index says, `DeadlineMismatch`.
    """
    answer = _answer(line, body)
    name = f"deadline {line.limit}"
    end = f"the last day is {line.due_on}" if line.due_on else "no last day is known; it must be asked for"
    told = (
        f"{exporter} counts the limit '{line.limit}' from {on(line.started_at)}: {end} ({answer.get('source') or 'no source'})"
    )
    message = messages.get(line.started_by or "")
    if message is None or isinstance(message, Receipt):
        return Item(item=name, verdict=NOT_PROVEN, says=f"{told}. The message that started it is not proven by this file.")
    moments = dict(_moments(Happening.of(message), line.limit, received.get(message.header.message_id)))
    if not moments:
        return Item(item=name, verdict=NOT_PROVEN, says=f"{told}. No receipt in this file proves when that was.")
    if line.started_at not in moments:
        raise DeadlineMismatch(f"the limit '{line.limit}' is counted from another instant than the one that is proven")
    basis = "the signed receipt proves" if moments[line.started_at] is Moment.RECEIPT else "the signed message names"
    return Item(
        item=name, verdict=VALID, says=f"{told}. This is the instant that {basis}; the counting is explained in {line.text}."
    )


def _moments(happening: Happening, limit: str, received: datetime | None) -> Iterator[tuple[datetime, Moment]]:
    """Yield every instant from which the message can have started the limit, and what it rests on."""
    for start in STARTS_BY.get(happening.event, ()):
        if limit in start.limits and (received is not None or start.moment is not Moment.RECEIPT):
            moment = happening.moment(start, received) if received is not None else happening.at
            if moment is not None:
                yield moment, start.moment


def _answer(line: IndexedDeadline, body: bytes) -> dict[str, Any]:
    """Return the computed answer inside the explanation, which must say what the index says."""
    whole = parse_json(body)
    answer = whole.get("answer") if isinstance(whole, dict) else None
    if not isinstance(answer, dict) or not isinstance(whole.get("counted_from"), dict):
        raise CaseIndexInvalid("the explanation of a deadline has not the form it must have", path=line.file)
    literal = answer.get("literal")
    said = (line.limit, line.state, line.started_at, line.started_by, line.due_on, line.known)
    found = (
        whole.get("limit"),
        whole.get("state"),
        instant_of(whole.get("started_at")),
        whole["counted_from"].get("message"),
        literal.get("due_on") if isinstance(literal, dict) else None,
        answer.get("known"),
    )
    start = whole["counted_from"].get("start")
    if not isinstance(answer.get("source"), str | None):
        raise CaseIndexInvalid("the explanation of a deadline has not the form it must have", path=line.file)
    if said != found or instant_of(start) != line.started_at or answer.get("limit") != line.limit:
        raise CaseIndexInvalid("the explanation of a deadline says something else than the index", path=line.file)
    return answer
