"""Takes up changed partner folders in a running process, and journals what changed, in which version, by whom."""

import asyncio
from pathlib import Path
from typing import Any

from gateway.errors import GatewayError, PartnerInvalid, Unavailable
from gateway.flow.directory import Swap
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.partners.calendar_changes import CalendarBook
from gateway.partners.versions import version_of, versions
from gateway.store import journal
from gateway.store.database import transaction

log = logger("partners")

LOOK_SECONDS = 2.0  # the folders are looked at this often
CHANGED, REFUSED = "partners.changed", "partners.refused"
_ACTOR = "gateway"


def take_up(rt: Runtime) -> Swap | None:
    """Look at the partner folders once; take up what changed, or say why not. None when nothing did.

    Raises `DatabaseUnavailable`; what was taken up stays in force then, and is journalled by another process or at the next
    start (`settings.changed`).
    """
    swap = rt.directory.refresh(rt.clock())
    if swap is None:
        return None
    if swap.refused is not None:
        log.error("partners.refused", code=swap.refused.code)
        _say(rt, REFUSED, {"code": swap.refused.code, "why": swap.refused.message}, swap)
        return swap
    if not swap.changes:  # touched, or mended again before it was ever taken up
        return swap
    rt.trust.use_rules(rt.partners.trust_rules())
    if swap.calendars is not None and isinstance(rt.calendars, CalendarBook):
        rt.calendars.use(swap.calendars)  # the watch counts anew what was counted with others
    log.info("partners.changed", count=len(swap.changes))
    _say(rt, CHANGED, {}, swap)
    return swap


def _say(rt: Runtime, event: str, detail: dict[str, Any], swap: Swap) -> None:
    """Journal it once for all processes: the first one to see a state of the folders says so."""
    state = _state_of(rt.directory.folder)
    with transaction(rt.engine) as tx:
        journal.hold(tx)
        last = journal.latest(tx, event, actor=_ACTOR)
        if last is not None and last.detail["state"] == state:
            return
        detail |= {"state": state, "changes": [each.as_dict() for each in swap.changes]}
        journal.append(tx, [journal.Entry(at=rt.clock(), event=event, actor=_ACTOR, detail=detail)])


def _state_of(folder: Path) -> str | None:
    """Return what names the state of the folders; None while they cannot be read at all."""
    try:
        return version_of({part: version_of(files) for part, files in versions(folder).items()})
    except PartnerInvalid:
        return None


async def keep_partners(rt: Runtime, stop: asyncio.Event) -> None:
    """Look at the partner folders every two seconds until `stop` is set. What cannot be taken up never ends the process."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(take_up, rt)
        except Unavailable as error:
            log.warning("partners.waiting", code=error.code)
        except GatewayError as error:
            log.error("partners.refused", code=error.code)  # noqa: TRY400  # no traceback: no person in a log
        except Exception as error:  # noqa: BLE001  # a defect of ours must not end the process that carries messages
            log.error("partners.defect", error_type=type(error).__name__)  # noqa: TRY400
        try:
            await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
        except TimeoutError:
            continue
