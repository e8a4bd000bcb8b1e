#!/usr/bin/env bash
# test.sh runs every check and test that this machine can run, and prints how long each step took. Two steps at a time
# run side by side, because the one that builds and the one in a browser often wait for other programs.
set -euo pipefail
cd "$(dirname "$0")/../.."

# step NAME COMMAND… runs a command and prints how long it took.
step() {
	local name=$1 began=$SECONDS
	shift
	"$@" || return
	echo "== $name: $((SECONDS - began)) s"
}

# beside LOG COMMAND… runs a command in the background. Its output goes to a file.
beside() {
	log=$1
	shift
	"$@" > "$log" 2>&1 &
}

# both COMMAND… runs a command, waits for the one in the background, and shows the output of that. It ends the script
# when one of them has failed.
both() {
	local status=0
	"$@" || status=$?
	wait $! || status=$?
	cat "$log"
	if ((status != 0)); then exit "$status"; fi
}

artifacts() { make --no-print-directory test-frontend check-build; }
code() { make --no-print-directory check lint-template golden-check check-tools; }
# The checks of the code have run vet. The nightly workflow has the benchmarks run, and has moto judge once more.
tests() { go test -race -vet=off -shuffle=on -parallel 4 -timeout 20m -skip '^(TestQuickRuns|TestMotoAgrees)$' ./...; }
suites() { make --no-print-directory e2e-outputs test-browser; }

mkdir -p build
step "tools" make --no-print-directory -j4 test-tools
beside build/artifacts.log step "checks of the page and the artifacts" artifacts
both step "checks of the code" code
beside build/suites.log step "tests with a deployed stack's outputs, and in a browser" suites
both step "tests" tests
