"""The fillable reply form: its fields by the names they have inside the PDF, and what is read of them when it comes back.

Fields are plain: text, and choices by code. What the form was made with (case reference, digest of the application) stands in
fields of its own, so that it can be compared; whoever changes them has a form that is refused.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from gateway.errors import FormMismatch, PdfUnreadable

CASE, DIGEST = "case", "digest"
OUTCOMES: Final = ("agreed", "refused")  # what an official decides on paper; other outcomes are written in the gateway
REASONS: Final = (  # schema type `RefusalReason`; a test compares
    "nationality-not-established",
    "identity-not-established",
    "conditions-not-met",
    "airside-transit-only",
    "visa-or-permit-by-requesting-state",
    "out-of-time",
    "already-replied",
    "false-documents",
    "incomplete",
    "other",
)
MEANS: Final = ("air", "land", "sea")
REASON_ROWS: Final = 3
LINE, TEXT = 250, 4000  # characters, schema types `Line` and `Text`
TEXTS: Final[Mapping[str, int]] = {
    "decision_date": 10,
    "reason_text": TEXT,
    "transfer_date": 10,
    "transfer_place": LINE,
    "remarks": TEXT,
    "name": LINE,
    "rank": LINE,
}
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "outcome": OUTCOMES,
    **{f"reason_{number}": REASONS for number in range(1, REASON_ROWS + 1)},
    "transfer_means": MEANS,
    "interview": ("true", "false"),
}
NAMES: Final = frozenset({CASE, DIGEST, *TEXTS, *CHOICES})
EMPTY: Final = "-"  # a choice that is not made: readers of PDF show no empty one


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """What a reply form is made with, and what may be chosen in it."""

    case_reference: str
    digest: str  # of the signed application
    outcomes: tuple[str, ...] = OUTCOMES
    reasons: tuple[str, ...] = REASONS
    means: tuple[str, ...] = MEANS
    reason_rows: tuple[int, ...] = tuple(range(1, REASON_ROWS + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What somebody wrote into a reply form. Nothing of it is believed yet but that its fields have the right form."""

    case_reference: str
    digest: str  # of the signed application that is answered
    outcome: str  # one of OUTCOMES, "" where none was chosen
    reasons: tuple[str, ...]
    decided_on: date | None
    reason_text: str
    interview_proposed: bool | None
    transfer_on: date | None
    transfer_place: str
    transfer_means: str
    remarks: str
    name: str
    rank: str

    def as_dict(self) -> dict[str, object]:
        """Return the fields by name, days as ISO dates."""
        said = asdict(self)
        del said["case_reference"], said["digest"]
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in said.items()}

    def require_of(self, case_reference: str, digest: str) -> None:
        """Raise `FormMismatch` unless the form is the one of this case and answers this application."""
        if self.case_reference != case_reference:
            raise FormMismatch("the form belongs to another case, or its case reference was changed", path=CASE)
        if self.digest != digest:
            raise FormMismatch("the form does not answer this application, or its digest was changed", path=DIGEST)


def filled(fields: Mapping[str, str]) -> Filled:
    """Return what the fields of a PDF say. Raises `PdfUnreadable` for one that is not as this form has it."""
    if CASE not in fields or DIGEST not in fields:
        raise PdfUnreadable("the PDF holds no reply form of this gateway")
    found = {name: _text(name, fields.get(name, "")) for name in TEXTS}
    chosen = {name: _choice(name, fields.get(name, ""), allowed) for name, allowed in CHOICES.items()}
    reasons = dict.fromkeys(chosen[f"reason_{number}"] for number in range(1, REASON_ROWS + 1))
    return Filled(
        case_reference=fields[CASE].strip()[:64],
        digest=fields[DIGEST].strip().lower()[:64],
        outcome=chosen["outcome"],
        reasons=tuple(code for code in reasons if code),
        decided_on=_day("decision_date", found["decision_date"]),
        reason_text=found["reason_text"],
        interview_proposed={"": None, "true": True, "false": False}[chosen["interview"]],
        transfer_on=_day("transfer_date", found["transfer_date"]),
        transfer_place=found["transfer_place"],
        transfer_means=chosen["transfer_means"],
        remarks=found["remarks"],
        name=found["name"],
        rank=found["rank"],
    )


def _text(name: str, value: str) -> str:
    given = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(given) > TEXTS[name]:
        raise PdfUnreadable(f"a field may hold {TEXTS[name]} characters", path=name)
    return given


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    given = value.strip().removeprefix("/")
    if given in {"", EMPTY}:
        return ""
    if given not in allowed:
        raise PdfUnreadable("a choice holds a code that it does not offer", path=name)
    return given


def _day(name: str, value: str) -> date | None:
    """Return a day as written: 2026-12-03 or 3.12.2026."""
    if not value:
        return None
    try:
        if "." in value:
            day, month, year = (int(part) for part in value.rstrip(".").split("."))
            return date(year, month, day)
        return date.fromisoformat(value)
    except ValueError:
        raise PdfUnreadable("a date is written as 2026-12-03 or 3.12.2026", path=name) from None
