#!/usr/bin/env bash
# check-build.sh FUNCTION… builds the functions in Go and the page as for AWS, twice, and checks the artifacts.
# Without npm there is no page: CI then fails, and other machines print one line.
set -euo pipefail
cd "$(dirname "$0")/../.."

functions=("$@")
options=(--again build/again)
rm -rf build/again
mkdir -p build
if command -v npm >/dev/null; then
	if ! SAM_CLI_TELEMETRY=0 .venv/bin/sam build --config-env default > build/sam-build.log 2>&1; then
		cat build/sam-build.log >&2
		exit 1
	fi
	functions+=(FrontendFunction)
elif [ "${CI:-}" = true ]; then
	echo "npm is missing, so sam build cannot build the page: install Node.js 20.9 or newer" >&2
	exit 1
else
	echo "NOT CHECKED: npm is missing, so the page was not built as for AWS; install Node.js 20.9 or newer" >&2
	for function in "${functions[@]}"; do
		make --silent "build-$function" ARTIFACTS_DIR=".aws-sam/build/$function"
	done
	options+=(--without FrontendFunction)
fi
for function in "${functions[@]}"; do
	make --silent "build-$function" ARTIFACTS_DIR="build/again/$function"
done
go run ./tools/artifacts "${options[@]}"
