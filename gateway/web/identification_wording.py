"""What the pages say about personal numbers, machine-readable zones and cases that resemble each other. Pure functions."""

from collections.abc import Mapping, Sequence

from gateway.flow.resemblances import WHY, Hint, Verdict
from gateway.store.resemblances import Decision
from gateway.web.wording import Tag, Tone, in_words
from gateway.wire.identifiers import Examined
from gateway.wire.mrz import Check, Compared

_REASONS_TO_DECIDE: Mapping[str, str] = {
    "documents-compared": "The documents were compared",
    "photographs-compared": "The photographs were compared",
    "fingerprints-compared": "The fingerprints were compared",
    "person-asked": "The person was asked",
    "authority-confirmed": "An authority confirmed it",
    "family-members": "They are members of one family",
    "other": "Another reason, which stands in your file",
}

_VERDICTS: Mapping[str, str] = {Verdict.SAME: "The same person", Verdict.DIFFERENT: "Not the same person"}

_FIELDS: Mapping[str, str] = {
    "name": "Name",
    "number": "Document number",
    "issuer": "Issuing state",
    "expiry": "Date of expiry",
    "birth": "Date of birth",
    "sex": "Sex",
    "nationality": "Nationality",
}

_COMPARED: Mapping[str, Tag] = {
    "same": Tag(text="Agrees", tone=Tone.GOOD),
    "differs": Tag(text="Differs", tone=Tone.URGENT),
    "not-said": Tag(text="Only one says it", tone=Tone.CALM),
}

_CHECKS: Mapping[str, str] = {
    "number": "document number",
    "birth": "date of birth",
    "expiry": "date of expiry",
    "optional": "optional data",
    "composite": "whole zone",
}

_LIKELY = 80  # points from which a hint is marked


def number_line(number: Examined) -> dict[str, object]:
    """Return one personal number as the page shows it: what it is, whether it checks out, what it says. Not the number."""
    state, place = number.region
    says = [
        f"born {number.born.isoformat()}" if number.born else "",
        number.sex or "",
        f"given out in {', '.join(filter(None, (place, state)))}" if state else "",
    ]
    return {
        "name": number.name or "Personal number",
        "state": number.state,
        "tag": _number_tag(number),
        "says": ", ".join(filter(None, says)),
    }


def _number_tag(number: Examined) -> Tag:
    if number.valid is None:
        return Tag(text="Not checked", tone=Tone.UNKNOWN)
    if not number.valid:
        return Tag(text="Does not check out", tone=Tone.SOON)
    if number.warnings:
        return Tag(text="Checks out, says something else", tone=Tone.SOON)
    return Tag(text="Checks out", tone=Tone.GOOD)


def score_tag(hint: Hint) -> Tag:
    """Return the score of a hint; a settled one is calm."""
    settled = hint.decision is not None
    tone = Tone.CALM if settled else Tone.URGENT if hint.found.score >= _LIKELY else Tone.SOON
    return Tag(text=str(hint.found.score), tone=tone)


def reason_lines(hint: Hint) -> Sequence[dict[str, object]]:
    """Return the reasons of a hint, those that speak for it first."""
    ordered = sorted(hint.found.reasons, key=lambda reason: -reason.points)
    return [{"text": in_words(reason.message), "against": reason.points < 0} for reason in ordered]


def decided_text(decision: Decision) -> str:
    """Return what was decided, with its reason."""
    return f"{_VERDICTS[decision.verdict]}: {_REASONS_TO_DECIDE[decision.why].lower()}"


def why_choices() -> Mapping[str, str]:
    """Return the reasons a decision may have, by code."""
    return {code: _REASONS_TO_DECIDE[code] for code in WHY}


def verdict_texts() -> Mapping[str, str]:
    """Return what may be decided, by code."""
    return {verdict.value: text for verdict, text in ((verdict, _VERDICTS[verdict]) for verdict in Verdict)}


def compared_line(compared: Compared) -> dict[str, object]:
    """Return one field of a zone beside the application's."""
    return {
        "label": _FIELDS[compared.field],
        "zone": compared.zone,
        "application": compared.application,
        "tag": _COMPARED[compared.verdict],
    }


def check_text(check: Check) -> str:
    """Return what to say of a check digit that does not fit."""
    return f"The check digit of the {_CHECKS[check.name]} does not fit (line {check.line}, position {check.position})"
