#!/usr/bin/env bash
# dev.sh [OPTION…] builds the local stage, and runs it with these options and the page beside it, with hot reload.
set -euo pipefail
cd "$(dirname "$0")/../.."

go build -o build/localstage ./localstage/cmd/localstage
exec node frontend/dev.mjs build/localstage --json --without FrontendFunction \
	--param AllowedOrigins=http://localhost:3000 "$@"
