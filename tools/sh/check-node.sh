#!/usr/bin/env bash
# check-node.sh ends with a message when node is older than what frontend/package.json asks for in "engines".
set -euo pipefail
cd "$(dirname "$0")/../.."

minimum=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' frontend/package.json)
found=$(node --version)
IFS=. read -r major minor patch <<< "$minimum"
IFS=. read -r found_major found_minor found_patch <<< "${found#v}"
if ((found_major * 1000000 + found_minor * 1000 + ${found_patch%%[!0-9]*} < major * 1000000 + minor * 1000 + patch)); then
	echo "Node.js $found is too old: the page needs Node.js $minimum or newer." >&2
	exit 1
fi
