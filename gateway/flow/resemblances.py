"""Cases that may concern one person: what they are found by, how alike they are, and what a human decided.

Cases of one authority are compared with each other and with nobody else's: the search terms of each authority are hashed
under its own name, and the rows are asked for by it. A hint merges nothing and sends nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.case import Case
from gateway.errors import BadValue, Erased, GatewayError, NotFound, StoreConflict, Unavailable
from gateway.flow.applications import application_of, applications_of
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.stages import Tree
from gateway.store import cases, journal, resemblances
from gateway.store.database import Tx, our_errors, reading, transaction
from gateway.store.resemblances import Decision, TermRow
from gateway.wire.described import Description, describe, search_terms
from gateway.wire.resemblance import THRESHOLD, Resemblance, resemblance

log = logger("resemblances")

PORTION = 50  # cases that one transaction makes searchable
_CANDIDATES = 20  # cases that are compared with one: those that share most come first; each is opened, about a millisecond


class Verdict(StrEnum):
    """What a person decides about two cases."""

    SAME = "same"
    DIFFERENT = "different"


# Why, in codes: free text would bring personal data into the journal.
WHY = (
    "documents-compared",
    "photographs-compared",
    "fingerprints-compared",
    "person-asked",
    "authority-confirmed",
    "family-members",
    "other",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Another case of the same authority that may concern the same person."""

    case: Case
    found: Resemblance
    decision: Decision | None  # what stands decided about the two


def make_searchable(rt: Runtime, *, most: int = PORTION) -> int:
    """Look at cases that came since the last time, oldest first, and write what they are found by; return how many.

    Off the way of the messages: nothing waits for it, and a case is found about `watch_seconds` after it came. With the
    setting `hints` off, what was written before is removed.
    """
    if not rt.settings.hints:
        with transaction(rt.engine) as tx:
            resemblances.forget(tx)
        return 0
    with reading(rt.engine) as tx:
        waiting = cases.get_many(tx, resemblances.not_searchable(tx, most=most))
        terms = {case.id: _terms(tx, case, rt) for case in waiting if case.id is not None}
    if not terms:
        return 0
    try:
        with transaction(rt.engine) as tx:
            there = [case_id for case_id in terms if cases.get(tx, case_id, lock=True).wrapped_key is not None]
            resemblances.make_searchable(tx, {case_id: terms[case_id] for case_id in there}, rt.clock())
    except StoreConflict:  # another watch did the same
        return 0
    return len(there)


def _terms(tx: Tx, case: Case, rt: Runtime) -> list[TermRow]:
    """Return the search terms of a case; none for one whose application cannot be read."""
    try:
        with our_errors(rt.engine):  # a lost connection is no defect: every case after this one would be taken for unreadable
            described = describe(application_of(tx, case, rt))
    except Unavailable:
        raise
    except GatewayError as error:
        log.warning("search.skipped", code=error.code, case=case.reference)
        return []
    except Exception as error:  # noqa: BLE001  # a defect of ours: one application must not end the loop for all
        # No traceback: its text may hold what a person's document says.
        log.error("search.skipped", code="internal-error", error_type=type(error).__name__, case=case.reference)  # noqa: TRY400
        return []
    return _hashed(described, case.home, rt)


def _hashed(described: Description, home: str, rt: Runtime) -> list[TermRow]:
    return [
        TermRow(term=rt.vault.search_term(home, one.kind, one.text), kind=one.kind, weight=one.weight)
        for one in search_terms(described)
    ]


def hints(case_id: int, rt: Runtime, *, homes: Collection[str], least: int = THRESHOLD) -> list[Hint]:
    """Return the cases that score `least` or more, and those that something is decided about; the likeliest first.

    None with the setting `hints` off.

    Raises `NotFound` for a case of another authority than `homes`, `Erased`.
    """
    with reading(rt.engine) as tx:
        case = _own(tx, case_id, homes)
        return hints_of(tx, case, application_of(tx, case, rt), rt, least=least) if rt.settings.hints else []


def hints_of(tx: Tx, case: Case, application: Tree, rt: Runtime, *, least: int = THRESHOLD) -> list[Hint]:
    """Return the same as `hints` for a case of which the caller has the application, and has checked whose it is."""
    if not rt.settings.hints or case.id is None:
        return []
    mine = describe(application)
    terms = [row.term for row in _hashed(mine, case.home, rt)]
    decided = resemblances.decided(tx, case.id)
    found = resemblances.found_by(tx, case.home, terms, besides=case.id, most=_CANDIDATES)
    others = [other for other in cases.get_many(tx, sorted({*found, *decided})) if other.home == case.home]
    theirs = applications_of(tx, others, rt)  # of the others nothing is left to compare with
    seen = [
        Hint(case=other, found=resemblance(mine, describe(theirs[other.id])), decision=decided.get(other.id))
        for other in others
        if other.id in theirs
    ]
    shown = [hint for hint in seen if hint.found.score >= least or hint.decision is not None]
    return sorted(shown, key=lambda hint: (-hint.found.score, hint.case.id or 0))


def _own(tx: Tx, case_id: int, homes: Collection[str], *, lock: bool = False) -> Case:
    case = cases.get(tx, case_id, lock=lock)
    if case.home not in homes:
        raise NotFound("there is no such case")
    if case.wrapped_key is None:
        raise Erased("the contents of this case were erased")
    return case


def decide(
    case_id: int, other_id: int, verdict: Verdict, *, why: str, by: str, homes: Collection[str], rt: Runtime
) -> Decision:
    """Record what a named person decided about two cases. Nothing else follows from it; a later decision replaces it.

    Raises `BadValue` for two that are one or a reason that is none, `NotFound` for cases that are not of one authority of
    `homes`, `Erased`.
    """
    if case_id == other_id:
        raise BadValue("a decision is about two cases", path="other")
    if why not in WHY:
        raise BadValue(f"a decision has one of these reasons: {', '.join(WHY)}", path="why")
    first, second = sorted((case_id, other_id))
    now = rt.clock()
    decision = Decision(first_case=first, second_case=second, verdict=verdict.value, why=why, decided_by=by, decided_at=now)
    with transaction(rt.engine) as tx:
        both = [_own(tx, one, homes, lock=True) for one in (first, second)]
        if both[0].home != both[1].home:
            raise NotFound("there is no such case")
        resemblances.decide(tx, decision)
        entries = [
            journal.Entry(
                at=now,
                event="resemblance.decided",
                actor=by,
                authority=case.home,
                case_id=case.id,
                detail={"verdict": verdict.value, "why": why, "other": decision.other(case.id or 0)},
            )
            for case in both
        ]
        journal.append(tx, entries)
    return decision
