#!/usr/bin/env bash
# rehearse.sh PYTHON runs deployments against an emulator of AWS, MiniStack. It installs the emulator once.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=$1
venv=build/rehearse/venv
if ! cmp -s tools/python/rehearse.txt "$venv/installed.txt"; then
	echo "installing the emulator into $venv (once)"
	"$python" -m venv --clear "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check -r tools/python/rehearse.txt
	cp tools/python/rehearse.txt "$venv/installed.txt"
fi
exec .venv/bin/python tools/python/rehearse.py "$venv/bin/python"
