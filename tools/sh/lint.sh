#!/usr/bin/env bash
# lint.sh checks the Go code of the modules with golangci-lint (.golangci.yml), and the form of the Go files in testdata.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Lines of more than 120 columns are findings if they have changed since this commit.
base=2e0f420f13410ff5e7da0fea9e441bb778696886
modules=". test/browser tools/go"

unformatted=$(find . \( -name node_modules -o -path ./build -o -path ./.aws-sam \) -prune -o -name '*.go' -exec gofmt -l {} +)
if [ -n "$unformatted" ]; then
	printf 'These files are not formatted; run make fmt:\n%s\n' "$unformatted" >&2
	exit 1
fi

# lint OPTION… runs golangci-lint in each module. All modules are checked before a finding ends the script.
lint() {
	local module root=$PWD status=0
	for module in $modules; do
		(cd "$module" && "$root/build/tools/golangci-lint" run --config "$root/.golangci.yml" "$@" ./...) || status=$?
	done
	return "$status"
}

lint --disable lll
if git cat-file -e "$base^{commit}" 2>/dev/null; then
	lint --enable-only lll --new-from-rev "$base"
elif [ "${CI:-}" = true ] && [ "$(git rev-parse --is-shallow-repository 2>/dev/null)" = false ]; then
	echo "The history has no commit $base, so changed lines cannot be found: set base in $0 to a commit that it has" >&2
	exit 1
else
	echo "NOT CHECKED: the history does not reach commit $base, so the length of changed lines was not checked;" \
		"use a clone with all commits (git fetch --unshallow)" >&2
fi
