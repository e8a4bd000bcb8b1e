#!/usr/bin/env bash
# plot.sh puts the last make bench into docs/benchmarks.md, with its plot.
set -euo pipefail
cd "$(dirname "$0")/../.."

if grep -q '"quick": true' build/bench/results.json; then
	echo "The last make bench was a quick one, which measures nothing: run make bench without QUICK" >&2
	exit 1
fi
cp build/bench/results.json docs/benchmarks.json
go run ./tools/bench page docs/benchmarks.json docs/benchmarks.md
go -C tools/plot run . "$PWD/docs/benchmarks.json" "$PWD/docs/benchmarks.svg"
