#!/usr/bin/env bash
# venv.sh PYTHON installs the pinned Python tools into .venv. It empties the folder first, so that no package of an
# older pin stays.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=$1
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
	echo "The Python tools need Python 3.10 or newer: make venv PYTHON=/path/to/python3" >&2
	exit 1
fi
echo "installing the Python tools into .venv (about a minute, once)"
"$python" -m venv --clear .venv
.venv/bin/pip install --quiet --disable-pip-version-check -r tools/python/requirements.txt
touch .venv/.installed
