#!/bin/sh
# Compile the pages' style sheet from govuk-frontend. Needs node and npm; the result is committed, users need neither.
# `build_styles.sh --check` compares a fresh build with the committed file and leaves it alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target="$here/../gateway/web/static/gateway.css"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/styles/package.json" "$here/styles/gateway.scss" "$work/"
(cd "$work" && npm install --no-audit --no-fund --silent)
(cd "$work" && ./node_modules/.bin/sass --load-path=node_modules --style=compressed --no-source-map --quiet-deps gateway.scss gateway.css)
# The style sheet may name no other host and none of the protected assets.
if grep -qiE 'GDS Transport|@font-face|@import|url\(' "$work/gateway.css"; then
    echo "the style sheet names a protected typeface, another host or an outside file" >&2
    exit 1
fi
if [ "${1:-}" = "--check" ]; then
    cmp "$work/gateway.css" "$target"
else
    cp "$work/gateway.css" "$target"
fi
echo "gateway.css: $(wc -c <"$target") bytes"
