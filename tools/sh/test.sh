#!/usr/bin/env bash
# test.sh runs every check and test that CI runs for a change, and prints how long each step took. The checks of the
# artifacts often wait for other programs, so they run beside those of the code.
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
# The checks of the code have run vet. The nightly workflow runs the benchmarks (TestQuickRuns), and the tests of the
# packages that use DynamoDB against moto (TestMotoAgrees).
tests() { go test -race -vet=off -shuffle=on -parallel 4 -timeout 20m -skip '^(TestQuickRuns|TestMotoAgrees)$' ./...; }

mkdir -p build
step "tools" make --no-print-directory -j4 test-tools
step "checks of the page and the artifacts" artifacts > build/artifacts.log 2>&1 &
status=0
step "checks of the code" code || status=$?
wait $! || status=$?
cat build/artifacts.log
if ((status != 0)); then exit "$status"; fi
step "tests" tests
step "tests with a deployed stack's outputs" make --no-print-directory e2e-outputs
step "tests in a browser" make --no-print-directory test-browser
