#!/usr/bin/env bash
# node-versions.sh [VERSION…] tests the page, builds it and has it answer requests on several versions of Node.js: the
# oldest that frontend/package.json allows, the first of the next line, and that of Lambda. npm has the programs.
set -euo pipefail
cd "$(dirname "$0")/../.."

minimum=$(sed -n 's/.*"node": ">=\([0-9.]*\)".*/\1/p' frontend/package.json)
lambda=$(sed -n 's/.*Runtime: nodejs\([0-9]*\)\.x.*/\1/p' template.yaml)
versions=("$@")
if (($# == 0)); then versions=("$minimum" 22.0.0 "$lambda"); fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
platform=$(node -p 'process.platform + "-" + process.arch')

# quietly COMMAND… shows what a command says only when it fails.
quietly() {
	if ! "$@" > "$folder/log" 2>&1; then
		cat "$folder/log" >&2
		exit 1
	fi
}

make --no-print-directory frontend-packages
for version in "${versions[@]}"; do
	mkdir "$folder/$version"
	archive=$(npm pack "node-$platform@$version" --pack-destination "$folder/$version" --silent)
	tar -xzf "$folder/$version/$archive" -C "$folder/$version"
	(
		PATH="$folder/$version/package/bin:$PATH"
		echo "Node.js $(node --version): checks, tests, builds and asks"
		tools/sh/check-node.sh
		quietly npm test --prefix frontend --silent -w @signedsocket/client
		quietly npm test --prefix frontend --silent -w web
		# The artifact is asked for pages as soon as it is built.
		npm run --prefix frontend --silent artifact -w web -- "$folder/$version/artifact" 2> /dev/null
	)
done
