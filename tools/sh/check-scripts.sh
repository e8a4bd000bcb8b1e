#!/usr/bin/env bash
# check-scripts.sh checks the scripts with shellcheck, and the workflows with actionlint, which calls shellcheck for the
# scripts in them. Without shellcheck CI fails, and other machines print one line.
set -euo pipefail
cd "$(dirname "$0")/../.."

install="install shellcheck (make setup-ci does on Debian)"
if command -v shellcheck >/dev/null; then
	shellcheck .ci/run tools/sh/*.sh
elif [ "${CI:-}" = true ]; then
	echo "shellcheck is missing, so the scripts cannot be checked: $install" >&2
	exit 1
else
	echo "NOT CHECKED: shellcheck is missing, so the scripts were not checked; $install" >&2
fi
build/tools/actionlint -pyflakes=
