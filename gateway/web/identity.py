"""How a case is named on a page, and who it is about: as much as is needed to recognise the file, no more."""

from gateway.domain.case import Case
from gateway.domain.safeguards import ADVICE
from gateway.flow.resemblances import Hint
from gateway.store.worklist import CaseLine
from gateway.web import identification_wording as says
from gateway.web.access import SignedIn
from gateway.web.runtime import PersonView, WebRuntime
from gateway.web.wording import in_words

_SHOWN = 8  # first characters of the reference: enough to tell cases of one list apart


def case_label(line: CaseLine | Case) -> str:
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


def identification_of(rt: WebRuntime, me: SignedIn, case_id: int) -> dict[str, object]:
    """Return what the page of a case shows: personal numbers and hints; nothing for roles that see no person."""
    if not me.viewer.sees_persons:
        return {"numbers": [], "hints": []}
    numbers, hints = rt.identification.found(case_id=case_id, viewer=me.viewer)
    return {"numbers": [says.number_line(number) for number in numbers], "hints": [hint_line(hint) for hint in hints]}


def hint_line(hint: Hint) -> dict[str, object]:
    """Return one hint as a page shows it."""
    case, decision = hint.case, hint.decision
    return {
        "id": case.id,
        "label": case_label(case),
        "tag": says.score_tag(hint),
        "reasons": says.reason_lines(hint),
        "decided": says.decided_text(decision) if decision else None,
        "decided_by": decision.decided_by if decision else None,
        "decided_at": decision.decided_at if decision else None,
    }
