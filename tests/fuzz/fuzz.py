"""Fuzz one way in with atheris: `python tests/fuzz/fuzz.py xml -max_total_time=600` (docs/fuzzing.md).

Words after the name go to libFuzzer. What it finds beyond the corpus is kept in `.fuzz/NAME`; an input that breaks the
property is written to `.fuzz/NAME/found/` and ends the run with an error.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gateway"]):
    from gateway.trust.devca import make_development_keys
    from tests.fuzz.entrances import NOW, Entrance, entrances, runtime

AUTHORITIES = ("AT-BMI", "BA-MS", "PK-MOI", "RS-MUP")
MOST_BYTES = 65_536
SECONDS_OF_ONE = 10  # an input that takes longer is a finding
MEGABYTES = 2048


def begin(entrance: Entrance, folder: Path, words: list[str]) -> None:
    """Run libFuzzer on one way in; does not return."""
    corpus, found = folder / "corpus", folder / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    for number, body in enumerate(entrance.corpus):
        (corpus / f"given-{number:03}").write_bytes(body)

    def one(body: bytes) -> None:
        entrance.try_(body)

    options = [
        f"-max_len={MOST_BYTES}",
        f"-timeout={SECONDS_OF_ONE}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-artifact_prefix={found}/",
    ]
    dictionary = Path(__file__).with_name("tokens.dict")
    atheris.Setup([sys.argv[0], *options, f"-dict={dictionary}", *words, str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    """Read which way in, make throw-away keys, begin."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("name", help="way in; `list` names them all")
    reader.add_argument("--folder", type=Path, default=Path(".fuzz"), help="where corpus and findings lie")
    given, words = reader.parse_known_args()
    keys = Path(tempfile.mkdtemp(prefix="fuzz-")) / "keys"
    make_development_keys(keys, AUTHORITIES, NOW)
    known = entrances(runtime(keys))
    shutil.rmtree(keys.parent)
    if given.name == "list":
        sys.stdout.write("\n".join(known) + "\n")
    elif given.name in known:
        begin(known[given.name], given.folder / given.name, words)
    else:
        reader.error(f"no such way in; there are {', '.join(known)}")


if __name__ == "__main__":
    main()
