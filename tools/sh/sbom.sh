#!/usr/bin/env bash
# sbom.sh FUNCTION… builds each function and writes its bill of materials to build/sbom.
set -euo pipefail
cd "$(dirname "$0")/../.."

for function in "$@"; do
	make --no-print-directory "build-$function" ARTIFACTS_DIR="build/sbom/$function"
	build/tools/sbom -name "$function" "build/sbom/$function/bootstrap" > "build/sbom/$function.cdx.json"
done
