"""A deletion record checked with anchors only: that a case was erased, when, by whom and why, without saying whose it was."""

from pathlib import Path

from gateway.errors import GatewayError, Refused
from gateway.flow.case_verdict import Verdict
from gateway.flow.case_words import REFUSED, VALID, Item, certificate, on
from gateway.trust.deletion import WHY, chain_of_record, read_record
from gateway.trust.strangers import introduce, strangers
from gateway.wire.documents import read_file


def is_record(path: Path) -> bool:
    """Tell whether a file is a deletion record rather than a case file. Raises `NotAFile`."""
    try:
        return read_file(path)[:1] == b"{"
    except Refused as error:
        if error.code == "not-a-file":
            raise
        return False


def verify_record_file(path: Path, anchors: Path) -> Verdict:
    """Return the verdict on a deletion record. Raises `NotAFile`, `KeyMissing` or `TrustInvalid`."""
    body = read_file(path)
    try:
        chain = chain_of_record(body)
        with strangers(anchors, [chain]) as trust:
            record = read_record(body, trust)
        known = introduce(chain)
    except Refused as error:
        return Verdict(items=(_refused(error),))
    rows = sum(record.destroyed.values())
    says = (
        f"{record.home} erased a case on {on(record.erased_at)}. {record.by} decided it, because "
        f"{WHY.get(record.why, record.why)}. {rows} rows were made unreadable or removed. "
        f"The record was signed {certificate(known)}."
    )
    return Verdict(items=(Item(item="deletion record", verdict=VALID, says=says),))


def _refused(error: GatewayError) -> Item:
    return Item(item="deletion record", verdict=REFUSED, code=error.code, says=f"Refused ({error.code}): {error.message}.")
