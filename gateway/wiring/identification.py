"""Connects the pages to identification: numbers, zones, and cases that resemble each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.case import Case
from gateway.errors import NotFound
from gateway.flow import resemblances
from gateway.flow.applications import application_of
from gateway.flow.ports import Runtime
from gateway.flow.resemblances import Hint, Verdict
from gateway.stages import Tree
from gateway.store import cases
from gateway.store.database import Tx, reading
from gateway.store.worklist import Viewer
from gateway.wire.identifiers import Examined, examine_numbers
from gateway.wire.mrz import Compared, Mrz, compare, read_mrz


@dataclass(frozen=True, slots=True)
class CaseIdentification:
    """What pages ask of identification, on this gateway."""

    rt: Runtime

    def found(self, *, case_id: int, viewer: Viewer) -> tuple[Sequence[Examined], Sequence[Hint]]:
        with reading(self.rt.engine) as tx:
            case, application = self._application(tx, case_id, viewer)
            return examine_numbers(application), resemblances.hints_of(tx, case, application, self.rt)

    def hint(self, *, case_id: int, other_id: int, viewer: Viewer) -> Hint:
        for hint in resemblances.hints(case_id, self.rt, homes=self._homes(viewer), least=0):
            if hint.case.id == other_id:
                return hint
        raise NotFound("these two cases share nothing that can be compared")

    def decide(self, *, case_id: int, other_id: int, verdict: Verdict, why: str, viewer: Viewer) -> None:
        homes = self._homes(viewer)
        resemblances.decide(case_id, other_id, verdict, why=why, by=viewer.account, homes=homes, rt=self.rt)

    def compare(self, *, case_id: int, zone: str, viewer: Viewer) -> tuple[Mrz, Sequence[Compared]]:
        mrz = read_mrz(zone)
        with reading(self.rt.engine) as tx:
            _, application = self._application(tx, case_id, viewer)
        return mrz, compare(mrz, application, self.rt.clock().date())

    def _application(self, tx: Tx, case_id: int, viewer: Viewer) -> tuple[Case, Tree]:
        case = cases.get(tx, case_id)
        if case.home not in self._homes(viewer):
            raise NotFound("there is no such case")
        return case, application_of(tx, case, self.rt)

    def _homes(self, viewer: Viewer) -> frozenset[str]:
        return frozenset(self.rt.settings.home if viewer.authority is None else (viewer.authority,))
