#!/usr/bin/env bash
# test-frontend.sh checks the form of the client package and of the page, and tests their parts. Without npm CI fails,
# and other machines print one line.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v npm >/dev/null; then
	if [ "${CI:-}" = true ]; then
		echo "npm is missing, so the page cannot be tested: install Node.js 20.9 or newer" >&2
		exit 1
	fi
	echo "NOT CHECKED: npm is missing, so the page was not tested; install Node.js 20.9 or newer" >&2
	exit 0
fi
make --no-print-directory frontend-packages
npm run format:check --prefix frontend --silent
npm test --prefix frontend --silent -w @signedsocket/client
npm run typecheck --prefix frontend --silent -w web
npm test --prefix frontend --silent -w web
