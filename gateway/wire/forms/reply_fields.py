"""The fields of the fillable reply form, by the names they have inside the PDF."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFields:
    """What stands in the form before somebody fills it in, and what may be chosen."""

    case_reference: str
    digest: str  # of the signed application
    outcomes: tuple[str, ...]  # codes
    reasons: tuple[str, ...]  # codes
    means: tuple[str, ...]  # codes
    values: Mapping[str, str]
