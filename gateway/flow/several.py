"""A table handed in by a home authority may hold several messages: each row, or group of rows, is a message of its own.

What is kept as handed in is the rows of one message, written anew in the authority's own format: so a row is known again by its
content, wherever and in whichever file it comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gateway.errors import GatewayError, Refused
from gateway.flow.draft import Submission
from gateway.flow.holding import handed_in_before
from gateway.flow.outbound import submit
from gateway.flow.ports import Runtime
from gateway.flow.submissions import describe
from gateway.stages import Submitted
from gateway.wire.translate import CANONICAL

_WORST = ("refused", "held", "sent")


def messages_of(item: Submitted, rt: Runtime) -> list[Submitted]:
    """Return one item for each message of a document. Raises `Refused` for a table that cannot be read."""
    if item.dialect == CANONICAL or not (dialect := rt.partners.dialect(item.dialect)).form.table:
        return [item]
    if rt.screen is not None and not dialect.form.text:
        rt.screen(item.body)
    return [replace(item, body=body) for body in rt.translators[dialect.id].split(item.body)]


def submit_known(item: Submitted, rt: Runtime) -> list[Submission]:
    """Take every message of a document; one that was handed in before with the same content is answered as it was then.

    A `Refused` in the list is that message's own. Raises what is not a message's fault: the whole document comes again then.
    """
    try:
        parts = messages_of(item, rt)
    except Refused as error:
        return [error]
    results: list[Submission] = []
    for part in parts:
        earlier = handed_in_before(part.body, part.authority, rt)
        result = earlier if earlier is not None else submit([part], rt)[0]
        if isinstance(result, GatewayError) and not isinstance(result, Refused):
            raise result
        results.append(result)
    return results


def describe_all(results: Sequence[Submission]) -> Mapping[str, Any]:
    """Return what became of a document: of its one message, or of each, with the worst outcome for the whole."""
    told = [describe(result) for result in results]
    if len(told) == 1:
        return told[0]
    outcome = next(each for each in _WORST if any(one["outcome"] == each for one in told))
    return {"outcome": outcome, "messages": [{"row": number, **one} for number, one in enumerate(told, 1)]}
