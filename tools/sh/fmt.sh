#!/usr/bin/env bash
# fmt.sh formats the code: Go with gofmt, and the frontend with Prettier where npm is there.
set -euo pipefail
cd "$(dirname "$0")/../.."

git ls-files -co --exclude-standard -z '*.go' | xargs -0 gofmt -w
if ! command -v npm >/dev/null; then
	echo "NOT FORMATTED: npm is missing, so the frontend was left out; install Node.js 20.9 or newer" >&2
	exit 0
fi
make --no-print-directory frontend-packages
npm run format --prefix frontend --silent
