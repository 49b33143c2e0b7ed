"""What the treaty of a case does not allow leaves a message before it is signed, and its mapping report says so."""

from gateway.domain.messages import Application
from gateway.domain.treaties import Withheld
from gateway.errors import FieldWithheld, Refused
from gateway.flow.draft import Draft
from gateway.flow.papers import sha256
from gateway.flow.ports import Runtime
from gateway.wire.documents import canonicalize
from gateway.wire.report import Report
from gateway.wire.translate import CANONICAL
from gateway.wire.withheld import withhold


def minimise(draft: Draft, rt: Runtime) -> None:
    """Take out of a checked message what its treaty does not allow, and check again what is left.

    Safeguards still see what the message said: whether the person may be a child is known, though it may not be told.
    Raises `FieldWithheld` when the message cannot be without a field that was taken out.
    """
    rows = _rows(draft, rt)
    if not rows:
        return
    assert draft.checked is not None
    kind = draft.checked.type
    dropped = withhold(draft.document, kind, rows)
    if not dropped:
        return
    try:
        draft.checked = rt.schemas.check(draft.document)
    except Refused as error:
        raise FieldWithheld(
            "the agreement does not allow this field to be sent, and the message cannot be without it", path=dropped[0].path
        ) from error
    left = sha256(canonicalize(draft.document))
    draft.report = (draft.report or _untranslated(draft, kind, left)).with_withheld(dropped, left)


def check_again(draft: Draft, rt: Runtime) -> None:
    """Raise `FieldWithheld` if a message that was held still has what its treaty, changed meanwhile, no longer allows."""
    assert draft.checked is not None
    if dropped := withhold(draft.document, draft.checked.type, _rows(draft, rt)):
        raise FieldWithheld(
            "the agreement's file has changed since this message was held: hand it in again", path=dropped[0].path
        )


def _rows(draft: Draft, rt: Runtime) -> tuple[Withheld, ...]:
    message = draft.message
    if isinstance(message, Application):
        return rt.treaty(message.agreement, message.header.sender, message.header.recipient).withheld
    return rt.rules_of(draft.case).withheld if draft.case is not None else ()


def _untranslated(draft: Draft, kind: str, left: str) -> Report:
    """Return the report of a message that was handed in as canonical XML, of which nothing else would be said."""
    return Report(
        type=kind,
        source=CANONICAL,
        target=CANONICAL,
        sha256_in=sha256(draft.submitted.body),
        sha256_out=left,
        fields=(),
    )
