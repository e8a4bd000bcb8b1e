#!/usr/bin/env bash
# e2e-live.sh FOLDER --stack|--stage NAME runs the suites against a deployed stack whose outputs are in the folder,
# records the answers of AWS there, and removes the suites' test users.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
shift
status=0
go run ./tools/suite --outputs "$folder/outputs.json" --recordings "$folder/recordings" || status=$?
.venv/bin/python tools/python/cognito.py "$@" clean
exit "$status"
