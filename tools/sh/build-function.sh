#!/usr/bin/env bash
# build-function.sh PACKAGE PROGRAM builds a Lambda function for GOOS and GOARCH. PACKAGE may be written in any letter
# case: folders of packages are in lower case. The same source gives the same bytes (-trimpath, no commit stamp), so that
# a deployment updates changed functions only. lambda.norpc leaves out the RPC mode of the retired go1.x runtime.
set -euo pipefail
cd "$(dirname "$0")/../.."

CGO_ENABLED=0 exec go build -trimpath -buildvcs=false -ldflags "-s -w" -tags lambda.norpc -o "$2" \
	"$(tr '[:upper:]' '[:lower:]' <<<"$1")"
