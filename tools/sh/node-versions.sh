#!/usr/bin/env bash
# node-versions.sh [VERSION…] tests the page, builds it and has it answer requests on several versions of Node.js: the
# oldest that frontend/package.json allows, the first one of another line that people still have, and that of Lambda.
# npm has the programs.
set -euo pipefail
cd "$(dirname "$0")/../.."

minimum=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' frontend/package.json)
lambda=$(sed -n 's/.*Runtime: nodejs\([0-9]*\)\.x.*/\1/p' template.yaml)
versions=("$@")
if (($# == 0)); then versions=("$minimum" 22.0.0 "$lambda"); fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
platform=$(node -p 'process.platform + "-" + process.arch')

for version in "${versions[@]}"; do
	npm install --prefix "$folder/$version" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
		"node-$platform@$version" >&2
	bin="$folder/$version/node_modules/node-$platform/bin"
	echo "Node.js $("$bin/node" --version):"
	PATH="$bin:$PATH" tools/sh/check-node.sh
	PATH="$bin:$PATH" npm ci --prefix frontend --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	PATH="$bin:$PATH" npm test --prefix frontend --silent -w @signedsocket/client > "$folder/log" || (cat "$folder/log" && exit 1)
	PATH="$bin:$PATH" npm test --prefix frontend --silent -w web > "$folder/log" || (cat "$folder/log" && exit 1)
	# The artifact is asked for pages as soon as it is built.
	PATH="$bin:$PATH" npm run --prefix frontend --silent artifact -w web -- "$folder/$version/artifact"
done
