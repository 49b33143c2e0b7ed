"""How a case is named on a page, and who it is about: as much as is needed to recognise the file, no more."""

from gateway.domain.safeguards import ADVICE
from gateway.store.worklist import CaseLine
from gateway.web.access import SignedIn
from gateway.web.runtime import PersonView, WebRuntime
from gateway.web.wording import in_words

_SHOWN = 8  # first characters of the reference: enough to tell cases of one list apart


def case_label(line: CaseLine) -> str:
    """Return our own file number, or the beginning of the reference when there is none."""
    return line.national_reference or f"{line.reference[:_SHOWN]}…"


def hold_text(line: CaseLine) -> str | None:
    """Return what to do about a hold, None when nothing is held."""
    if line.hold_reason is None:
        return None
    known = {reason.value: advice for reason, advice in ADVICE.items()}
    return known.get(line.hold_reason, in_words(line.hold_reason))


def person_for(rt: WebRuntime, me: SignedIn, case_id: int) -> PersonView | None:
    """Return the person for those whose role needs to see them. The caller has checked that the case is theirs."""
    return rt.person_of(case_id=case_id, viewer=me.viewer) if me.viewer.sees_persons else None
