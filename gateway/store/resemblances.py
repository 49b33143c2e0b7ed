"""What cases are found by, and what was decided about two that resemble each other. Never across authorities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, delete, func, insert, or_, select

from gateway.store.portions import add_rows, among
from gateway.store.resemblance_tables import resemblance_decisions, search_terms, searchable
from gateway.store.tables import cases

_OVERLAP = 10_000  # cases; on PostgreSQL one may be committed after another with a higher number


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRow:
    """One thing that a case is found by, as a keyed hash."""

    term: bytes  # 16 bytes
    kind: str  # name | number | born
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided about two cases."""

    first_case: int  # the smaller id
    second_case: int
    verdict: str  # same | different
    why: str
    decided_by: str
    decided_at: datetime

    def other(self, case_id: int) -> int:
        """Return the other case of the two."""
        return self.second_case if case_id == self.first_case else self.first_case


def not_searchable(tx: Connection, *, most: int) -> list[int]:
    """Return cases that have a key and were not looked at yet, oldest first.

    They are looked at in the order of their numbers, so what is not is near the highest that was.
    """
    last = tx.execute(select(func.max(searchable.c.case_id))).scalar() or 0
    found = (
        select(cases.c.id)
        .outerjoin(searchable, searchable.c.case_id == cases.c.id)
        .where(cases.c.id > last - _OVERLAP, cases.c.wrapped_key.is_not(None), searchable.c.case_id.is_(None))
        .order_by(cases.c.id)
        .limit(most)
    )
    return list(tx.execute(found).scalars())


def make_searchable(tx: Connection, terms: Mapping[int, Sequence[TermRow]], at: datetime) -> None:
    """Write what cases are found by: by case. The caller holds the rows of the cases."""
    known = set(tx.execute(select(searchable.c.case_id).where(among(tx, searchable.c.case_id, list(terms)))).scalars())
    fresh = {case_id: found for case_id, found in terms.items() if case_id not in known}
    add_rows(tx, searchable, ("case_id", "at"), [(case_id, at) for case_id in fresh])
    rows = [(case_id, row.term, row.kind, row.weight) for case_id, found in fresh.items() for row in found]
    add_rows(tx, search_terms, ("case_id", "term", "kind", "weight"), rows)


def found_by(tx: Connection, home: str, terms: Sequence[bytes], *, besides: int, most: int) -> list[int]:
    """Return cases of `home` that share a name or a number among `terms`, those that share most first."""
    if not terms:
        return []
    found = (
        select(search_terms.c.case_id)
        .join(cases, cases.c.id == search_terms.c.case_id)
        .where(
            among(tx, search_terms.c.term, terms),
            cases.c.home == home,
            cases.c.wrapped_key.is_not(None),
            search_terms.c.case_id != besides,
        )
        .group_by(search_terms.c.case_id)
        .having(func.sum(case((search_terms.c.kind == "born", 0), else_=1)) > 0)
        .order_by(func.sum(search_terms.c.weight).desc(), search_terms.c.case_id.desc())
        .limit(most)
    )
    return list(tx.execute(found).scalars())


def decide(tx: Connection, decision: Decision) -> None:
    """Add a decision; it stands until another about the same two is added."""
    names = ("first_case", "second_case", "verdict", "why", "decided_by", "decided_at")
    tx.execute(insert(resemblance_decisions), [{name: getattr(decision, name) for name in names}])


def decided(tx: Connection, case_id: int) -> dict[int, Decision]:
    """Return what stands decided about a case, by the other case."""
    of = resemblance_decisions.c
    found = select(resemblance_decisions).where(or_(of.first_case == case_id, of.second_case == case_id)).order_by(of.id)
    rows = [
        Decision(
            first_case=row.first_case,
            second_case=row.second_case,
            verdict=row.verdict,
            why=row.why,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )
        for row in tx.execute(found)
    ]
    return {row.other(case_id): row for row in rows}


def forget(tx: Connection) -> None:
    """Remove what every case is found by; what people decided stays."""
    for table in (search_terms, searchable):
        if tx.execute(select(table.c.case_id).limit(1)).first() is not None:
            tx.execute(delete(table))


def erase(tx: Connection, case_id: int) -> dict[str, int]:
    """Remove what a case is found by and what was decided about it; return how many rows, by table."""
    of = resemblance_decisions.c
    removed = {
        "search_terms": delete(search_terms).where(search_terms.c.case_id == case_id),
        "searchable": delete(searchable).where(searchable.c.case_id == case_id),
        "resemblance_decisions": delete(resemblance_decisions).where(or_(of.first_case == case_id, of.second_case == case_id)),
    }
    return {name: tx.execute(statement).rowcount for name, statement in removed.items()}
