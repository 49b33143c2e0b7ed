"""Conformance passes of this installation: made after a whole run, kept, looked up when a partner goes into production."""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from gateway import __version__
from gateway.domain.conformance import Pass
from gateway.errors import GatewayError, PassInvalid, SettingsInvalid
from gateway.flow.ports import Runtime
from gateway.partners.versions import version_of
from gateway.store import journal, passes
from gateway.store.database import reading, transaction
from gateway.store.passes import PassRow
from gateway.trust.passes import CheckedPass, check_pass, sign_pass

SCHEMAS = "readmission/1.0"


def folder_version(rt: Runtime, partner: str) -> str:
    """Return the version of a partner's folder: a digest over its files. Raises `UnknownPartner`."""
    rt.partners.partner(partner)
    return version_of(rt.directory.known.versions[partner])


def make_pass(
    rt: Runtime, partner: str, *, played: str, tested: str, over: str, results: Mapping[str, bool], by: str
) -> PassRow:
    """State that a partner was tried, sign that as the first home authority, keep it, and journal it.

    Raises `PassInvalid` for a run in which something did not come about, `SettingsInvalid` without a home authority, and what
    the signing key raises.
    """
    if not results or not all(results.values()):
        raise PassInvalid("a run in which something did not come about gives no pass")
    if not rt.settings.home:
        raise SettingsInvalid("a pass is signed by a home authority: the setting home names none")
    now = rt.clock().replace(microsecond=0)
    key = rt.ring.signing(rt.settings.home[0], now)
    stated = Pass(
        partner=partner,
        played=played,
        tested=tested,
        folder=folder_version(rt, partner),
        schemas=SCHEMAS,
        gateway=__version__,
        over=over,
        results=results,
        made_at=now,
        ends_at=now + timedelta(days=rt.settings.pass_days),
        authority=key.authority,
        certificate=sha256(key.chain[0]).hexdigest(),
    )
    body = sign_pass(stated, key)
    row = PassRow(partner=partner, made_at=now, ends_at=stated.ends_at, sha256=sha256(body).hexdigest(), body=body)
    detail = {"who": partner, "folder": stated.folder, "scenes": len(results), "ends_at": stated.ends_at.isoformat()}
    entry = journal.Entry(
        at=now, event="partner.passed", actor=by, authority=stated.authority, digest=row.sha256, detail=detail
    )
    with transaction(rt.engine) as tx:
        passes.add(tx, row)
        journal.append(tx, [entry])
    return row


def fault(rt: Runtime, row: PassRow) -> GatewayError | None:
    """Return why a pass is not valid here and now, None for one that is."""
    try:
        check_for(rt, row.body, row.partner)
    except GatewayError as error:
        return error
    return None


def check_for(rt: Runtime, body: bytes, partner: str) -> CheckedPass:
    """Check that a pass is good, current, and about this partner as its folder and the schemas are now.

    Raises `PassInvalid`, `PassExpired` and what `check_pass` raises.
    """
    checked = check_pass(body, rt.trust)
    checked.require_current(rt.clock())
    stated = checked.stated
    if stated.partner != partner:
        raise PassInvalid(f"the conformance pass is about {stated.partner}, not about {partner}")
    if checked.signer not in rt.settings.home:
        raise PassInvalid("the conformance pass was signed by another installation")
    if not all(stated.results.values()):
        raise PassInvalid("the conformance pass names scenes that did not go well")
    if (stated.folder, stated.schemas) != (folder_version(rt, partner), SCHEMAS):
        raise PassInvalid(f"the folder of {partner}, or the schemas, changed since the conformance pass was made")
    return checked


def valid_pass(rt: Runtime, partner: str) -> str | None:
    """Return the digest of the newest valid pass of a partner, None if it has none."""
    with reading(rt.engine) as tx:
        rows = passes.of(tx, partner)
    return next((row.sha256 for row in rows if fault(rt, row) is None), None)
