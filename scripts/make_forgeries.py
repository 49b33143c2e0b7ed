"""Write every forgery of a signed envelope into a folder, one file per defect and named for it.

Run `python scripts/make_forgeries.py --out FOLDER --keys KEYS`. The keys are made if they are not there: a development key
folder to be thrown away. `expected.json` says with which code each file is refused, and of which class of the attack
catalogue it is; `genuine.xml` is the envelope that all of them were made from, and is valid.
"""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from gateway.simulation.forgeries import Forge, forgeries
from gateway.trust.devca import make_development_keys

AUTHORITIES = ("AT-BMI", "BA-MS", "PK-MOI", "RS-MUP")


def write(out: Path, keys: Path, now: datetime) -> int:
    """Write all files; return the number of forgeries."""
    out.mkdir(parents=True, exist_ok=True)
    make_development_keys(keys, AUTHORITIES, now)
    expected: dict[str, dict[str, object]] = {}
    for each in forgeries(keys, now):
        (out / f"{each.name}.xml").write_bytes(each.body)
        expected[f"{each.name}.xml"] = {"code": each.code, "row": each.row, "own_key": each.own_key}
    (out / "genuine.xml").write_bytes(Forge.load(keys, now).genuine)
    (out / "expected.json").write_text(json.dumps(expected, indent=2) + "\n", encoding="utf-8")
    return len(expected)


def main() -> None:
    """Read the arguments and write."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--out", type=Path, required=True, help="folder to write into")
    words.add_argument("--keys", type=Path, required=True, help="development key folder; made if it is not there")
    given = words.parse_args()
    print(f"{write(given.out, given.keys, datetime.now(UTC).replace(microsecond=0))} forgeries in {given.out}")


if __name__ == "__main__":
    main()
