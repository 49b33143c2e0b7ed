"""A person decides about a partner: in the journal and in the table that every process reads, in one transaction."""

from gateway.domain.partner_decisions import Decided, Kind, PartnerDecision, Scope
from gateway.errors import MissingField, PartnerNotAdmitted, PassMissing, TransitionNotAllowed
from gateway.flow.openness import decided
from gateway.flow.ports import Runtime
from gateway.store import journal, partner_decisions
from gateway.store.database import transaction

_EVENT = {
    Kind.ADMITTED: "partner.admitted",
    Kind.PRODUCTION: "partner.switched",
    Kind.SUSPENDED: "partner.suspended",
    Kind.RESUMED: "partner.resumed",
}
LONGEST = 400  # characters of a reason: it stands in answers and on pages


def admit(rt: Runtime, partner: str, *, basis: str, assessment: str, by: str) -> PartnerDecision:
    """Record that a counterparty state is admitted: on which legal basis, after which data-protection assessment.

    Raises `UnknownPartner`, `MissingField`.
    """
    rt.partners.partner(partner)
    return _record(
        rt, Kind.ADMITTED, Scope(who=partner), by=by, why=basis, detail={"assessment": _given("assessment", assessment)}
    )


def switch_to_production(rt: Runtime, partner: str, *, by: str, why: str, valid_pass: str | None) -> PartnerDecision:
    """Record that a partner is in production; `valid_pass` is the digest of its pass, None by a decision to do without.

    Raises `UnknownPartner`, `PartnerNotAdmitted`, `MissingField`.
    """
    rt.partners.partner(partner)
    rt.book.look_again()
    if partner not in decided(rt).admitted:
        raise PartnerNotAdmitted(f"{partner} was not admitted yet; run: gateway partner admit {partner}")
    return _record(rt, Kind.PRODUCTION, Scope(who=partner), by=by, why=why, detail={"pass": valid_pass})


def require_pass(found: str | None, partner: str, *, without: bool) -> str | None:
    """Return the digest of a valid pass, None where a person decided to do without. Raises `PassMissing`."""
    if found is None and not without:
        raise PassMissing(
            f"there is no valid conformance pass of {partner}; run: gateway simulate {partner} --pass, or decide --without-pass"
        )
    return found


def suspend(rt: Runtime, scope: Scope, *, by: str, why: str) -> PartnerDecision:
    """Suspend an exchange at once. Raises `UnknownPartner`, `UnknownAuthority`, `MissingField`, `TransitionNotAllowed`."""
    if scope in _suspended(rt, scope):
        raise TransitionNotAllowed(f"the exchange is suspended already ({scope})")
    return _record(rt, Kind.SUSPENDED, scope, by=by, why=why, detail={})


def resume(rt: Runtime, scope: Scope, *, by: str, why: str) -> PartnerDecision:
    """End a suspension of exactly this scope. Raises like `suspend`."""
    standing = _suspended(rt, scope)
    if scope not in standing:
        others = ", ".join(map(str, standing)) or "none"
        raise TransitionNotAllowed(f"there is no suspension of {scope} to end; suspended: {others}")
    return _record(rt, Kind.RESUMED, scope, by=by, why=why, detail={})


def _suspended(rt: Runtime, scope: Scope) -> list[Scope]:
    """Return the scopes that are suspended, after a look that the named partner or pair is known."""
    if ":" in scope.who:
        for code in scope.who.split(":"):
            rt.partners.authority(code)
    elif scope.who != "*":
        rt.partners.partner(scope.who)
    rt.book.look_again()
    return [each.scope for each in decided(rt).suspended]


def _record(rt: Runtime, kind: Kind, scope: Scope, *, by: str, why: str, detail: dict[str, str | None]) -> PartnerDecision:
    now = rt.clock()
    decision = PartnerDecision(kind=kind, scope=scope, at=now, by=_given("by", by)[:80], why=_given("why", why), detail=detail)
    told = {"who": scope.who, "type": scope.type, "why": decision.why, **detail}
    with transaction(rt.engine) as tx:
        decision = partner_decisions.add(tx, decision)
        journal.append(tx, [journal.Entry(at=now, event=_EVENT[kind], actor=decision.by, detail=told)])
    rt.book.look_again()
    return decision


def _given(name: str, text: str) -> str:
    """Return what a person wrote, on one line. Raises `MissingField`: a decision has a person and a reason."""
    plain = " ".join(text.split())
    if not plain:
        raise MissingField("a decision about a partner names a person and a reason", path=name)
    return plain[:LONGEST]


def in_force(rt: Runtime) -> Decided:
    """Return what holds, read anew: for those who look, not for the walks."""
    rt.book.look_again()
    return decided(rt)
