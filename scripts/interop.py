"""Check what we sign with other people's software: the EU's validator (DSS) and the JDK's own XML signature library.

Good envelopes (B and T) of each algorithm and good case files must be TOTAL_PASSED; forgeries must not be. Where the verdict
of DSS differs from ours the difference stands in tests/interop/differences.toml with its reason; one that does not stand
there, or that stands there and is gone, is an error.

Exit 0 when both agree, 1 when not, 3 when there is no JDK, no Maven, or no registry to fetch DSS from.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from interop_samples import (
    Sample,
    authorities,
    case_files,
    forged_envelopes,
    good_envelopes,
    stamped_envelopes,
    with_foreign_timestamp,
)

from gateway.trust.algorithms import ALGORITHMS, DEFAULT
from gateway.trust.devca import ANCHOR_FILE, make_development_keys
from gateway.trust.folder import ANCHORS, CA

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "tests" / "interop"
PASSED = "TOTAL_PASSED"
UNAVAILABLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What DSS says of one file."""

    indication: str
    sub_indication: str
    level: str
    errors: str


def write_revocation_list(keys: Path, folder: Path, now: datetime) -> None:
    """Issue an empty revocation list of the development root: DSS passes nothing whose revocation it cannot see."""
    root = x509.load_pem_x509_certificate((keys / ANCHORS / ANCHOR_FILE).read_bytes())
    key = load_pem_private_key((keys / CA / "root.key.pem").read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "the development root signs with P-256"
    issued = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(now - timedelta(days=1))
        .next_update(now + timedelta(days=7))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    (folder / "development-root.crl").write_bytes(issued.public_bytes(Encoding.DER))


def build_validator() -> Path | None:
    """Build the Java program with its libraries; return the folder of both, None when that is not possible here."""
    target = PROJECT / "target"
    made = subprocess.run(
        ["mvn", "-q", "-B", "package", "dependency:copy-dependencies"], cwd=PROJECT, check=False, capture_output=True, text=True
    )
    if made.returncode != 0:
        print(made.stdout[-2000:], made.stderr[-2000:], sep="\n")
        return None
    return target


def ask_dss(target: Path, keys: Path, samples: Sequence[Sample], folder: Path, now: datetime) -> dict[str, Verdict]:
    """Return the verdict of DSS on each sample, by name."""
    folder.mkdir()
    write_revocation_list(keys, folder / "lists", now)
    files = []
    for sample in samples:
        (folder / sample.name).write_bytes(sample.body)
        files.append(str(folder / sample.name))
    classes = os.pathsep.join((str(target / "classes"), str(target / "dependency" / "*")))
    command = ["java", "-cp", classes, "DssVerdicts", str(keys / ANCHORS), str(folder / "lists"), *files]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=900)
    verdicts: dict[str, Verdict] = {}
    for line in told.stdout.splitlines():
        name, indication, sub_indication, level, errors = line.split("\t")
        verdicts[name] = Verdict(indication=indication, sub_indication=sub_indication, level=level, errors=errors)
    return verdicts


def compare(samples: Sequence[Sample], verdicts: dict[str, Verdict], label: str, known: set[str]) -> tuple[int, set[str]]:
    """Print where DSS and we differ; return the number of differences nobody explained, and the names of those explained."""
    unexplained, used = 0, set()
    for sample in samples:
        verdict = verdicts[sample.name]
        if (verdict.indication == PASSED) == (sample.code is None) and (sample.code or verdict.level == sample.level):
            continue
        name = Path(sample.name).stem
        if name in known:
            used.add(name)
        else:
            unexplained += 1
            theirs = f"{verdict.indication} {verdict.sub_indication} {verdict.level}"
            print(f"  differs: {label} {sample.name}: DSS {theirs}, we {sample.code or 'valid'}")
            print(f"           {verdict.errors}")
    passed = sum(verdict.indication == PASSED for verdict in verdicts.values())
    print(f"{label}: {len(samples)} files, DSS passes {passed}, we accept {sum(sample.code is None for sample in samples)}")
    return unexplained, used


def ask_jdk(samples: Sequence[Sample], folder: Path) -> bool:
    """Return whether the JDK's own library agrees that these envelopes are valid."""
    files = [str(folder / sample.name) for sample in samples]
    told = subprocess.run(
        ["java", str(ROOT / "scripts" / "VerifyEnvelope.java"), *files],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    print(f"JDK: {told.stdout.count(' valid')} of {len(samples)} valid")
    return told.returncode == 0


def main() -> int:
    """Return the exit code."""
    for command in ("java", "mvn"):
        if shutil.which(command) is None:
            print(f"interop: there is no command {command}; install a JDK (17 or newer) and Maven")
            return UNAVAILABLE
    target = build_validator()
    if target is None:
        print("interop: DSS could not be built; Maven needs its registry")
        return UNAVAILABLE
    told = tomllib.loads((PROJECT / "differences.toml").read_text(encoding="utf-8"))
    known = {name for each in told["difference"] for name in each["files"]}
    now = datetime.now(UTC).replace(microsecond=0)
    unexplained, used = 0, set[str]()
    with TemporaryDirectory(prefix="gateway-interop-") as folder:
        for algorithm in ALGORITHMS.values():
            keys = Path(folder) / f"keys-{algorithm.name}"
            make_development_keys(keys, authorities(), now, algorithm)
            samples = list(good_envelopes(keys, now))
            with_time = list(stamped_envelopes(keys, samples, now))
            good = samples + with_time
            samples = [*good, with_foreign_timestamp(keys, with_time, now)]
            place = Path(folder) / algorithm.name
            verdicts = ask_dss(target, keys, samples, place, now)
            more, explained = compare(samples, verdicts, f"B and T, {algorithm.name}", known)
            unexplained, used = unexplained + more, used | explained
            unexplained += not ask_jdk(good, place)
        keys = Path(folder) / f"keys-{DEFAULT.name}"
        for label, signers, others in (
            ("forgeries", keys, list(forged_envelopes(keys, now))),
            ("case files", Path(folder) / "case-keys", list(case_files(Path(folder) / "cases", Path(folder) / "case-keys"))),
        ):
            verdicts = ask_dss(target, signers, others, Path(folder) / label.replace(" ", "-"), now)
            more, explained = compare(others, verdicts, label, known)
            unexplained, used = unexplained + more, used | explained
    for name in sorted(known - used):
        print(f"  no longer differs: {name}")
        unexplained += 1
    print("DSS and the gateway agree" if not unexplained else f"{unexplained} differences are not explained")
    return 0 if not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
