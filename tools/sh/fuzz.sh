#!/usr/bin/env bash
# fuzz.sh TIME [PACKAGE…] runs each fuzz target of the packages (default: all) for TIME. Crashers go to testdata/fuzz
# and become seeds.
set -euo pipefail
cd "$(dirname "$0")/../.."

time=$1
shift
if (($# == 0)); then set -- ./...; fi

mkdir -p build
failed=
packages=$(go list "$@")
for package in $packages; do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		flags=(-run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x)
		if go test "${flags[@]}" "$package" 2>&1 | tee build/fuzz.log; then continue; fi
		# Before Go 1.27 a busy machine may end a run with this error, which is no finding (go.dev/issue/75804).
		if grep -q 'context deadline exceeded' build/fuzz.log && ! grep -q 'Failing input' build/fuzz.log; then continue; fi
		failed="$failed  $package $target"$'\n'
	done
done
if [ -n "$failed" ]; then
	printf 'These fuzz targets failed; their inputs are in testdata/fuzz of each package:\n%s' "$failed" >&2
	exit 1
fi
