#!/usr/bin/env bash
# venv-pins.sh PYTHON pins all dependencies of tools/python/requirements.txt in constraints.txt beside it.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=$1
pins=.venv-pins
rm -rf "$pins"
"$python" -m venv "$pins"
grep -v '^-c' tools/python/requirements.txt > "$pins/requirements.txt"
"$pins/bin/pip" install --quiet --disable-pip-version-check --upgrade setuptools -r "$pins/requirements.txt"
{
	cat <<-'END'
		# Every package that requirements.txt brings in, each at a version that all supported Pythons (3.10 and newer)
		# can install. Written by `make venv-pins` with the oldest of them.
	END
	"$pins/bin/pip" freeze --all --exclude pip
} > tools/python/constraints.txt
rm -rf "$pins"
