"""A decision to bear with an outage of an issuer, or to end that: in the journal and in the key folder, which all read."""

from datetime import datetime

from gateway.errors import NotFound
from gateway.flow.ports import Runtime
from gateway.store import journal
from gateway.store.database import transaction
from gateway.trust.revocation import grace
from gateway.trust.revocation.grace import Grace


def give_grace(rt: Runtime, subject: str, *, until: datetime, by: str, why: str) -> Grace:
    """Let the certificates of `subject` (fingerprint or authority code) pass until an instant.

    It is journalled before it is in force: what is not recorded never counts. Raises `TrustInvalid`.
    """
    now = rt.clock()
    given = grace.checked(subject, at=now, until=until, why=why, by=by)
    detail = {"subject": subject, "until": given.until.isoformat(), "why": given.why}
    _record(rt, "certificate.grace_given", given.by, detail)
    return grace.give(rt.settings.keys, subject, at=now, until=until, why=why, by=by)


def end_grace(rt: Runtime, subject: str, *, by: str, why: str) -> None:
    """Take a decision back: it ends before that is journalled. Raises `NotFound` if there is none."""
    if not grace.end(rt.settings.keys, subject):
        raise NotFound("there is no grace for this certificate or authority")
    _record(rt, "certificate.grace_ended", by, {"subject": subject, "why": why})


def _record(rt: Runtime, event: str, by: str, detail: dict[str, str]) -> None:
    subject = detail["subject"]
    authority = subject if subject in rt.trust.authorities() else None
    entry = journal.Entry(at=rt.clock(), event=event, actor=by[:80], authority=authority, detail=detail)
    with transaction(rt.engine) as tx:
        journal.append(tx, [entry])
