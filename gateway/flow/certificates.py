"""Looks after what is believed: keys and pins that changed, lists and answers of issuers, certificates that end.

One round of the watch. Each thing is said once in the journal, however many watches run: what was said last is a row.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from gateway.errors import Misconfigured
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import journal, told
from gateway.store.database import reading, transaction
from gateway.trust.expiry import ENDED, Ending, days_left, endings
from gateway.trust.inspection import Inspected, inspect
from gateway.trust.revocation.attempts import Result
from gateway.trust.revocation.fetch import Fetcher
from gateway.trust.revocation.refresh import Fetched, refresh
from gateway.trust.revocation.states import State

log = logger("certificates")

_FOLDER, _FAULT = "key-folder", "key-folder-fault"
_NO_FAULT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class _News:
    """Something that is to be said, unless it was said last."""

    subject: str
    said: str
    entry: journal.Entry
    silent: bool = False  # the first word on a subject is noted, not said: nothing is wrong and nothing has changed
    alarm: bool = False


def look_after_certificates(rt: Runtime) -> int:
    """Read the key folder again, fetch what is due, and say what is new; return how many things were said."""
    rt.trust.refresh()
    try:
        refresh_revocation(rt)
    except Misconfigured as error:  # what ends, and what is in force, is told all the same
        log.error("revocation.not_kept", code=error.code, reason=error.message)  # noqa: TRY400  # one line says it
    now = rt.clock()
    news = [*_of_folder(rt, now), *_of_standing(rt, now), *_of_endings(rt, now)]
    with reading(rt.engine) as tx:
        last = told.last(tx)
    fresh = [each for each in news if last.get(each.subject) != each.said]
    if not fresh:
        return 0
    with transaction(rt.engine) as tx:
        first = [each for each in fresh if told.say(tx, each.subject, each.said, now, before=last.get(each.subject))]
        said = [each for each in first if not (each.silent and each.subject not in last)]
        journal.append(tx, [each.entry for each in said])
    for each in said:
        tell = log.error if each.alarm else log.info
        tell(each.entry.event, authority=each.entry.authority, code=each.said)
    return len(said)


def refresh_revocation(rt: Runtime) -> list[Fetched]:
    """Fetch the lists and answers that are due for the chains of pinned certificates; return the attempts."""
    if rt.settings.revocation == "off":
        return []
    done = refresh(
        rt.settings.keys,
        rt.trust.links(rt.clock()),
        rt.clock(),
        Fetcher(private_addresses=rt.settings.revocation_private_addresses),
        nonce_may_be_absent=rt.settings.ocsp_nonce == "optional",
    )
    for each in done:
        if each.result is not Result.FETCHED:
            log.warning("revocation.not_fetched", state=str(each.result), file=each.name, reason=each.why)
    if done:
        rt.trust.refresh()
    return done


def _of_folder(rt: Runtime, now: datetime) -> Iterator[_News]:
    """What is in force of the key folder, and whether newer files of it are not."""
    fault: Misconfigured | None = rt.trust.problem
    said = sha256(fault.message.encode()).hexdigest() if fault else _NO_FAULT
    event = "trust.not_read" if fault else "trust.read_again"
    detail = {"code": fault.code, "message": fault.message} if fault else {}
    entry = journal.Entry(at=now, event=event, actor="gateway", detail=detail)
    yield _News(subject=_FAULT, said=said, entry=entry, silent=fault is None, alarm=fault is not None)
    loaded = rt.trust.loaded()
    counts = {
        "anchors": len(loaded.anchors),
        "pinned": len(loaded.pinned),
        "sealing": sum(map(len, loaded.sealing.values())),
        "digest": loaded.digest,
    }
    entry = journal.Entry(at=now, event="trust.changed", actor="gateway", detail=counts)
    yield _News(subject=_FOLDER, said=loaded.digest, entry=entry, silent=True)


def _of_standing(rt: Runtime, now: datetime) -> Iterator[_News]:
    """Whether each pinned certificate is known not to be revoked."""
    for authority in rt.trust.authorities():
        for found in inspect(rt.trust, authority, now):
            if found.ended(now):
                continue
            state, source = _worst(found)
            detail = {"state": state, "source": source, "fingerprint": found.pinned.fingerprint[:16]}
            entry = journal.Entry(at=now, event="revocation.changed", actor="gateway", authority=authority, detail=detail)
            good = state == State.GOOD
            yield _News(subject=f"revocation:{found.pinned.fingerprint}", said=state, entry=entry, silent=good, alarm=not good)


def _worst(found: Inspected) -> tuple[str, str | None]:
    """Return the state of the certificate in the chain that makes wait or refuse, "good" if there is none."""
    order: Callable[[State], int] = [State.GOOD, State.UNREACHABLE, State.UNKNOWN, State.STALE, State.REVOKED].index
    counted = [link.standing for link in found.links if link.needed or link.standing.state is State.REVOKED]
    worst = max(counted, key=lambda standing: order(standing.state), default=None)
    if worst is None:
        return State.GOOD, None
    return str(worst.state), str(worst.source) if worst.source else None


def _of_endings(rt: Runtime, now: datetime) -> Iterator[_News]:
    for each in endings(rt.trust):
        stage = each.stage(now)
        if stage is not None:
            yield _News(subject=f"expiry:{each.key}", said=str(stage), entry=_ending_entry(each, stage, now), alarm=True)


def _ending_entry(ending: Ending, stage: int, now: datetime) -> journal.Entry:
    detail: Mapping[str, object] = {
        "kind": ending.kind,
        "fingerprint": ending.key[:16],
        "days": days_left(ending.not_after, now),
        "warning": stage,
        "not_after": ending.not_after.isoformat(),
    }
    event = "certificate.ended" if stage == ENDED else "certificate.expiring"
    return journal.Entry(at=now, event=event, actor="gateway", authority=ending.authority, detail=detail)
