#!/usr/bin/env bash
# e2e-live.sh FOLDER --stack|--stage NAME runs the suites against a deployed stack whose outputs are in the folder. It
# records the answers of AWS there, and removes the suites' test users. The stack needs ExtraSignerArns with the
# principal that runs this, MessagesPerWindow=1000, UrlLifetimeSeconds=60, and no other user; see docs/testing.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$1
shift
status=0
go run ./tools/suite --outputs "$folder/outputs.json" --recordings "$folder/recordings" || status=$?
.venv/bin/python tools/python/cognito.py "$@" clean
exit "$status"
