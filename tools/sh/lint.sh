#!/usr/bin/env bash
# lint.sh checks the Go code of the modules with golangci-lint (.golangci.yml), and the form of all Go files.
set -euo pipefail
cd "$(dirname "$0")/../.."

modules=". test/browser tools/go"

unformatted=$(find . \( -name node_modules -o -path ./build -o -path ./.aws-sam \) -prune -o -name '*.go' -exec gofmt -l {} +)
if [ -n "$unformatted" ]; then
	printf 'These files are not formatted; run make fmt:\n%s\n' "$unformatted" >&2
	exit 1
fi

# All modules are checked before a finding ends the script.
root=$PWD
status=0
for module in $modules; do
	(cd "$module" && "$root/build/tools/golangci-lint" run --config "$root/.golangci.yml" ./...) || status=$?
done
exit "$status"
