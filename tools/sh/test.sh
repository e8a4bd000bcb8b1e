#!/usr/bin/env bash
# test.sh runs every check and test that this machine can run, and prints how long each step took. The checks of the
# artifacts wait for other programs most of the time, so they run beside the checks of the code.
set -euo pipefail
cd "$(dirname "$0")/../.."

# step NAME COMMAND… runs a command and prints how long it took.
step() {
	local name=$1 began=$SECONDS
	shift
	"$@" || return
	echo "== $name: $((SECONDS - began)) s"
}

artifacts() { make --no-print-directory test-frontend check-build; }
code() { make --no-print-directory check lint-template golden-check check-tools; }

step "tools" make --no-print-directory -j4 test-tools
mkdir -p build
step "checks of the page and the artifacts" artifacts > build/artifacts.log 2>&1 &
status=0
step "checks of the code" code || status=$?
wait $! || status=$?
cat build/artifacts.log
if ((status != 0)); then exit "$status"; fi
# The checks of the code have run vet. The nightly workflow has the benchmarks run.
step "tests" go test -race -vet=off -shuffle=on -parallel 4 -timeout 20m -skip '^TestQuickRuns$' ./...
step "tests with a deployed stack's outputs" make --no-print-directory e2e-outputs
step "tests in a browser" make --no-print-directory test-browser
