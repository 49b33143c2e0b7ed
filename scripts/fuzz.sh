#!/bin/sh
# Fuzz every way in, one after the other. First word: python. The rest goes to libFuzzer for each of them,
# e.g. -max_total_time=600 or -runs=2000. Ends at the first finding.
set -eu
python="$1"
shift
for name in $("$python" tests/fuzz/fuzz.py list); do
    echo "== $name"
    "$python" tests/fuzz/fuzz.py "$name" "$@"
done
