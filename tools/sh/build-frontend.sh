#!/usr/bin/env bash
# build-frontend.sh writes the page's artifact to ARTIFACTS_DIR. The artifact is built once, by one process at a time,
# and copied as long as the sources are the same. make cannot list the sources: Next.js gives folders names with
# parentheses and brackets.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${ARTIFACTS_DIR:-}" ]; then
	echo "build-FrontendFunction: ARTIFACTS_DIR is not set; run make build instead" >&2
	exit 1
fi

artifact=build/frontend
mkdir -p build
exec 9> "$artifact.lock"
if command -v flock >/dev/null; then flock 9; fi

sources=$(find frontend \
	\( -name node_modules -o -name .next -o -name dist -o -name test -o -name next-env.d.ts -o -name '*.tsbuildinfo' \) \
	-prune -o -type f -exec cksum {} + | LC_ALL=C sort | cksum)
if [ "$sources" != "$(cat "$artifact.sources" 2>/dev/null)" ]; then
	rm -rf "$artifact" "$artifact.sources"
	mkdir -p "$artifact"
	npm run --prefix frontend --silent artifact -w web -- "$PWD/$artifact"
	echo "$sources" > "$artifact.sources"
fi
mkdir -p "$ARTIFACTS_DIR"
cp -R "$artifact/." "$ARTIFACTS_DIR"
