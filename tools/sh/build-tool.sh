#!/usr/bin/env bash
# build-tool.sh build/tools/NAME builds one of the checkers. Modules of their own pin them: tools/go, and tools/golangci
# for a linter with 200 dependencies. So these dependencies never reach the product. A newer checker has other findings:
# raise a pin on purpose.
set -euo pipefail
cd "$(dirname "$0")/../.."

module=tools/go
case $(basename "$1") in
golangci-lint)
	module=tools/golangci package=github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	echo "building golangci-lint (two minutes, once)" >&2
	;;
actionlint) package=github.com/rhysd/actionlint/cmd/actionlint ;;
govulncheck) package=golang.org/x/vuln/cmd/govulncheck ;;
sbom) package=./sbom ;;
esac
go -C "$module" build -o "../../$1" "$package"
