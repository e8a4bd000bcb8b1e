#!/usr/bin/env bash
# on-stack.sh OUTPUTS --stack|--stage NAME COMMAND [ARGUMENT…] writes the outputs of a deployed stack to the file
# OUTPUTS and runs the command. Without SIGNEDSOCKET_TOKEN_COMMAND it sets the token command of the stack's user pool,
# if the pool signs users in without a browser.
set -euo pipefail
cd "$(dirname "$0")/../.."

outputs=$1 option=$2 name=$3
shift 3
mkdir -p "$(dirname "$outputs")"
.venv/bin/python tools/python/stack.py "$option" "$name" > "$outputs"
if [ -z "${SIGNEDSOCKET_TOKEN_COMMAND:-}" ]; then
	SIGNEDSOCKET_TOKEN_COMMAND=$(.venv/bin/python tools/python/cognito.py "$option" "$name" command)
	export SIGNEDSOCKET_TOKEN_COMMAND
fi
exec "$@"
