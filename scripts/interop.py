"""Check our signatures with other people's software: the JDK's own XML signature library.

Signs each canonical example with development keys, lets Java verify it, then changes one byte and expects a refusal.
Exit 0 when Java agrees with us on all of them, 3 when there is no JDK.
"""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.settings import load
from gateway.trust.keys import KeyRing
from gateway.trust.sign import sign
from gateway.wire.documents import parse_xml
from gateway.wire.reading import text

HERE = Path(__file__).resolve().parent


def java(files: list[Path]) -> subprocess.CompletedProcess[str]:
    """Run the Java verifier on signed envelopes."""
    return subprocess.run(
        ["java", str(HERE / "VerifyEnvelope.java"), *map(str, files)], check=False, capture_output=True, text=True, timeout=300
    )


def main() -> int:
    """Return the exit code."""
    if shutil.which("java") is None:
        print("interop: there is no java command; install a JDK (11 or newer)")
        return 3
    settings = load()
    ring = KeyRing.load(settings.keys)
    with TemporaryDirectory() as folder:
        good: list[Path] = []
        broken: list[Path] = []
        for source in sorted((settings.schemas / "readmission" / "1.0" / "examples").glob("*.xml")):
            document = parse_xml(source.read_bytes())
            signed = sign(document, ring.signing(text(document, "Header/Sender") or ""), datetime.now(UTC)).body
            good.append(Path(folder) / source.name)
            good[-1].write_bytes(signed)
            broken.append(Path(folder) / f"changed-{source.name}")
            broken[-1].write_bytes(signed.replace(b"schemaVersion=", b"schemaversion=", 1))
        valid, invalid = java(good), java(broken)
    print(valid.stdout, end="")
    refused = invalid.stdout.count(" invalid: ")
    print(f"{len(good)} envelopes valid for Java: {valid.returncode == 0}; {refused} of {len(broken)} changed ones refused")
    return 0 if valid.returncode == 0 and refused == len(broken) else 1


if __name__ == "__main__":
    sys.exit(main())
