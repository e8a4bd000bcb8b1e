#!/usr/bin/env bash
# npm-ci.sh FOLDER [LEFT_OUT] installs the npm packages that the folder's lock file names. No package runs a script of
# its own. LEFT_OUT names the tests that need npm; without LEFT_OUT npm is required.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
if ! command -v npm >/dev/null; then
	if (($# > 1)); then
		echo "npm is missing: $2. Install Node.js 20.9 or newer to include it." >&2
		exit 0
	fi
	echo "npm is missing: $folder needs Node.js 20.9 or newer, with npm." >&2
	exit 1
fi
tools/sh/check-node.sh
# A program may read the output of make, so this line goes to stderr.
echo "installing the npm packages of $folder" >&2
npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
touch "$folder/node_modules" "$folder/node_modules/.package-lock.json"
