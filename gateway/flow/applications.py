"""The application that opened a case, read from the store: as it was signed, or while it is held as it was handed in."""

from gateway.domain.case import Case
from gateway.errors import Erased, NotFound
from gateway.flow.papers import clear
from gateway.flow.ports import Runtime
from gateway.stages import Tree
from gateway.store import messages
from gateway.store import statements as holds
from gateway.store.database import Tx
from gateway.wire.documents import parse_xml
from gateway.wire.reading import message_inside


def application_of(tx: Tx, case: Case, rt: Runtime) -> Tree:
    """Return the canonical application of a case. Raises `Erased`, `NotFound`, `StoredDataDamaged`."""
    if case.wrapped_key is None:
        raise Erased("the contents of this case were erased")
    assert case.id is not None
    row = messages.openers(tx, [case.id]).get(case.id)
    paper = messages.document(tx, row.id, "signed") if row and row.id else None
    if paper is not None:
        return message_inside(clear(rt, case, paper))
    hold = holds.open_hold(tx, case.id)
    if hold is None:
        raise NotFound("the application of this case cannot be read")
    return parse_xml(rt.vault.decrypt(case.wrapped_key, hold.body, b"held"))
