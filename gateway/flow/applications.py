"""The application that opened a case, read from the store: as it was signed, or while it is held as it was handed in."""

from collections.abc import Sequence

from gateway.domain.case import Case
from gateway.errors import Erased, NotFound, StoredDataDamaged
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.stages import Tree
from gateway.store import messages
from gateway.store import statements as holds
from gateway.store.database import Tx
from gateway.store.messages import DocumentRow
from gateway.wire.documents import parse_xml
from gateway.wire.reading import message_inside


def application_of(tx: Tx, case: Case, rt: Runtime) -> Tree:
    """Return the canonical application of a case. Raises `Erased`, `NotFound`, `StoredDataDamaged`."""
    return _read(tx, case, _signed(tx, [case]), rt)


def applications_of(tx: Tx, cases: Sequence[Case], rt: Runtime) -> dict[int, Tree]:
    """Return the canonical applications of cases, by case; without those of which nothing is left that can be read."""
    signed = _signed(tx, cases)
    found: dict[int, Tree] = {}
    for case in cases:
        try:
            found[case.id or 0] = _read(tx, case, signed, rt)
        except (Erased, NotFound, StoredDataDamaged):
            continue
    return found


def _signed(tx: Tx, cases: Sequence[Case]) -> dict[int, DocumentRow]:
    """Return the signed envelopes of the messages that opened these cases, by case."""
    openers = messages.openers(tx, [case.id for case in cases if case.id is not None])
    papers = messages.documents_of_kind(tx, [row.id for row in openers.values() if row.id is not None], "signed")
    return {case_id: papers[row.id] for case_id, row in openers.items() if row.id in papers}


def _read(tx: Tx, case: Case, signed: dict[int, DocumentRow], rt: Runtime) -> Tree:
    if case.wrapped_key is None:
        raise Erased("the contents of this case were erased")
    assert case.id is not None
    if case.id in signed:
        return message_inside(clear(rt, case, signed[case.id]))
    hold = holds.open_hold(tx, case.id)
    if hold is None:
        raise NotFound("the application of this case cannot be read")
    return parse_xml(rt.vault.decrypt(case.wrapped_key, hold.body, b"held"))
