"""The reply form of one application: who and what it is about stands printed, what is to be decided stands open."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from gateway.errors import FormMismatch, MissingField
from gateway.stages import Tree
from gateway.wire.forms.form import Form, form_of
from gateway.wire.forms.labels import Words
from gateway.wire.forms.page import html_of
from gateway.wire.forms.reply_fields import Blank, Filled
from gateway.wire.forms.structure import Structure
from gateway.wire.reading import text
from gateway.wire.reply import Decision, Handover, write_reply

_APPLICATION = "ReadmissionApplication"
_PRINTED = frozenset({"A", "B"})  # of the layout: the person, and the family; the rest is what is decided


def reply_page(application: Tree, *, words: Words, states: Mapping[str, str], structure: Structure, digest: str) -> str:
    """Return the page of the form that answers a signed application, with open fields.

    `digest` is that of the application's envelope. Raises `FormMismatch` for a message that no reply form answers.
    """
    if not str(application.tag).endswith(f"}}{_APPLICATION}") or not digest:
        raise FormMismatch("a reply form answers a signed readmission application", path="/")
    made = write_reply(application, Decision(agreed=True, on=date.min))
    form: Form = form_of(made, words=words, states=states, structure=structure, digest=digest)
    kept = tuple(section for section in form.sections if section.letter in _PRINTED)
    blank = Blank(case_reference=text(application, "Header/CaseReference") or "", digest=digest)
    return html_of(replace(form, sections=kept), blank=blank)


def draft_of(application: Tree, filled: Filled) -> Tree:
    """Return the canonical reply that a filled form says. Raises `MissingField` for what a reply cannot do without."""
    for name, value in (("outcome", filled.outcome), ("decision_date", filled.decided_on), ("name", filled.name)):
        if not value:
            raise MissingField("the form leaves a field empty that a reply cannot do without", path=name)
    if filled.outcome == "refused" and not filled.reasons:
        raise MissingField("a refusal names at least one reason", path="reason_1")
    assert filled.decided_on is not None, "looked at above"
    explained = "other" if "other" in filled.reasons else next(iter(filled.reasons), None)
    return write_reply(
        application,
        Decision(
            agreed=filled.outcome == "agreed",
            on=filled.decided_on,
            reasons=tuple((code, filled.reason_text if code == explained else "") for code in filled.reasons),
            remarks=filled.remarks or None,
            signatory=filled.name,
            rank=filled.rank or None,
            interview_proposed=filled.interview_proposed,
            transfer=Handover(on=filled.transfer_on, at=filled.transfer_place or None, means=filled.transfer_means or None),
        ),
    )
