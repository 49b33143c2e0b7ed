"""What became of a submission, as the JSON object that API, files edge and command line share."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.flow.draft import Held, Submission
from gateway.stages import Tree
from gateway.wire.identifiers import warnings


def describe(result: Submission) -> Mapping[str, Any]:
    """Return a result with its `outcome`: sent, held or refused."""
    if isinstance(result, GatewayError):
        return {"outcome": "refused", **result.as_dict()}
    if isinstance(result, Held):
        return {
            "outcome": "held",
            "case": result.case_reference,
            "case_id": result.case_id,
            "reason": str(result.reason),
            "advice": result.advice,
            "warnings": _warnings(result.document),
        }
    return {
        "outcome": "sent",
        "message_id": result.message_id,
        "case": result.case_reference,
        "case_id": result.case_id,
        "sha256": result.digest,
        "warnings": _warnings(result.document),
    }


def _warnings(document: Tree) -> list[dict[str, str]]:
    """Return what a human should look at in a document that was taken; asked for here, off the walk."""
    return [warning.as_dict() for warning in warnings(document)] if document is not None else []
