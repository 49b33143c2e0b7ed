"""`gateway keys list`: what there is, where it lies, and how long it lasts."""

import os
from datetime import UTC, datetime
from typing import Any

from gateway import settings
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.trust.certificates import Pinned, TrustStore
from gateway.trust.folder import PRIVATE
from gateway.trust.hardware import HardwareKey
from gateway.trust.held import HeldKey, HeldKeys
from gateway.trust.keys import read_sealing_keys
from gateway.trust.pending import pending_authorities
from gateway.trust.sealing_keys import SealingKey


def list_command(json: JsonOption = False, config: ConfigOption = None) -> None:
    """List certificates and sealing keys, with the day each ends and whether, and where, its private key is here.

    Example: `gateway keys list --json`
    """
    folder, now = settings.load(config).keys, datetime.now(UTC)
    trust, held = TrustStore.load(folder), HeldKeys.load(folder, os.environ)
    opens, pending = set(read_sealing_keys(folder)), pending_authorities(folder / PRIVATE)
    listed = []
    for authority in sorted({*trust.authorities(), *pending}):
        own = {each.fingerprint: each for each in held.keys.get(authority, ())}
        listed.append(
            {
                "authority": authority,
                "signs_here": bool(own),
                "pending": pending.get(authority),
                "certificates": [_certificate(each, own.get(each.fingerprint), now) for each in trust.pinned(authority)],
                "sealing_keys": [
                    _sealing_key(each, opens_here=(authority, each.key_id) in opens, now=now)
                    for each in trust.sealing_keys(authority)
                ],
            }
        )
    if json:
        print_json({"authorities": listed})
    else:
        for row in listed:
            _tell(row)


def _certificate(pinned: Pinned, held: HeldKey | None, now: datetime) -> dict[str, Any]:
    return {
        "fingerprint": pinned.fingerprint,
        "subject": pinned.subject,
        "algorithm": pinned.algorithm.name,
        "not_before": pinned.not_before,
        "not_after": pinned.not_after,
        "days_left": (pinned.not_after - now).days,
        "development": pinned.development,
        "key": None if held is None else "pkcs11" if isinstance(held.key, HardwareKey) else "file",
        "signs_from": held.signs_from if held is not None else None,
        "signs_until": held.not_after if held is not None else None,
    }


def _sealing_key(key: SealingKey, *, opens_here: bool, now: datetime) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "suite": key.suite.name,
        "not_before": key.not_before,
        "not_after": key.not_after,
        "days_left": (key.not_after - now).days,
        "opens_here": opens_here,
    }


def _tell(row: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{row['authority']}[/]" + ("  (private key here)" if row["signs_here"] else ""))
    if row["pending"] is not None:
        out.print(f"  pending  waits for its certificate, {row['pending']}")
    for each in row["certificates"]:
        notes = [f"{each['algorithm']}, {each['days_left']} days left"]
        notes += [f"key in {'a token' if each['key'] == 'pkcs11' else 'a file'}"] if each["key"] else []
        notes += ["development only"] if each["development"] else []
        out.print(f"  signing  {each['fingerprint'][:16]}  until {each['not_after']:%Y-%m-%d}, {', '.join(notes)}")
    for each in row["sealing_keys"]:
        left = f"{each['days_left']} days left"
        out.print(f"  sealing  {each['key_id']}  until {each['not_after']:%Y-%m-%d}, {each['suite']}, {left}")
