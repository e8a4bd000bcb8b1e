#!/usr/bin/env bash
# test-fast.sh runs the tests of packages that start no stage and no browser, without the tests that start a program of
# another project.
set -euo pipefail
cd "$(dirname "$0")/../.."

foreign='^(TestTheDocumentIsAsyncAPI|TestMoto|TestMotoAgrees|TestDynalite|TestAWSCommandLine)$'
go test -skip "$foreign" ./cmd/... ./functions/... ./internal/... ./localstage/internal/... ./protocol ./shared/... \
	./test/tool ./tools/docblock ./tools/repotest
