"""Sign, verify, seal and open one 6 KB message, product and prototype in turn, on one core.

python benchmarks/trust.py            # half a minute; prints the figures
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from goals import Figure
from lxml import etree
from prototype_message import EXAMPLE, NAMESPACE, template
from prototype_signature import Signer, Verifier, make_keys
from prototype_steps import INFO, SUITE, x25519

from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.keys import KeyRing
from gateway.trust.seal import decrypt, seal
from gateway.trust.sign import sign
from gateway.trust.verify import verify
from gateway.wire.documents import parse_xml

SENDER, RECIPIENT = "BA-MS", "PK-MOI"
SIZE = 6000  # bytes of the message
CALLS = 3000
WARM = 200  # calls before that, which fill caches
WANTED = {"sign_us": 200, "verify_us": 500, "seal_us": 250, "open_us": 200}

Step = Callable[[], object]


def message() -> bytes:
    """Return the published example, filled up to the size of the bench."""
    tree = etree.fromstring(template().fresh(), etree.XMLParser(remove_blank_text=True))
    sentence = "The person was found in the cargo space of a lorry. "
    missing = (SIZE - len(etree.tostring(tree))) // len(sentence)
    etree.SubElement(tree, f"{{{NAMESPACE}}}Observations").text = (sentence * missing).strip()
    return etree.tostring(tree)


def product(body: bytes, folder: Path) -> Mapping[str, Step]:
    """Return the four steps of the product, as the walks take them."""
    now = datetime.now(UTC).replace(microsecond=0)
    make_development_keys(folder, [SENDER, RECIPIENT], now)
    ring, trust = KeyRing.load(folder), TrustStore.load(folder)
    document, key = parse_xml(body), ring.signing(SENDER)
    message_id = document.findtext(f"{{{NAMESPACE}}}Header/{{{NAMESPACE}}}MessageId") or ""
    signed = sign(document, key, now)
    names = {"message_id": message_id, "sender": SENDER, "recipient": RECIPIENT}
    sealed = seal(signed, **names, trust=trust)
    return {
        "sign_us": lambda: sign(document, key, now),
        "verify_us": lambda: verify(signed.body, trust, now),
        "seal_us": lambda: seal(signed, **names, trust=trust),
        "open_us": lambda: decrypt(sealed.body, ring),
    }


def prototype(body: bytes) -> Mapping[str, Step]:
    """Return the four steps of the straight-line prototype."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    key, root = make_keys()
    signer, verifier, recipient = Signer(key), Verifier(root), x25519.X25519PrivateKey.generate()
    document, public = etree.fromstring(body, parser), recipient.public_key()
    signed = signer.sign(document)
    sealed = SUITE.encrypt(signed, public, INFO)
    return {
        "sign_us": lambda: signer.sign(document),
        "verify_us": lambda: verifier.verify(signed, lambda each: etree.fromstring(each, parser)),
        "seal_us": lambda: SUITE.encrypt(signed, public, INFO),
        "open_us": lambda: SUITE.decrypt(sealed, recipient, INFO),
    }


def measure(say: Callable[[str], None]) -> dict[str, Figure]:
    """Return the median microseconds of each step; every call of the product stands beside one of the prototype."""
    body = message()
    figures: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        ours, theirs = product(body, Path(folder)), prototype(body)
        for name, goal in WANTED.items():
            times: dict[str, list[float]] = {"ours": [], "theirs": []}
            for _ in range(WARM + CALLS):
                times["ours"].append(_timed(ours[name]))
                times["theirs"].append(_timed(theirs[name]))
            found = {side: round(median(each[WARM:]) * 1e6, 1) for side, each in times.items()}
            figures[name] = Figure(measured=found["ours"], goal=goal, prototype=found["theirs"])
            say(f"trust, {name}: {found['ours']}, prototype {found['theirs']}")
    return figures


def _timed(work: Step) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def as_dict(figures: Mapping[str, Figure]) -> dict[str, Any]:
    """Return the row of results.json."""
    return {"message_bytes": len(message()), "example": EXAMPLE.stem} | {name: one.as_dict() for name, one in figures.items()}


if __name__ == "__main__":
    print(json.dumps(as_dict(measure(print)), indent=2))
