#!/usr/bin/env bash
# compare-dynamodb.sh compares the local stage's DynamoDB with moto and dynalite on 10,000 random operations. Moto also
# judges the tests of the packages that use DynamoDB.
set -euo pipefail
cd "$(dirname "$0")/../.."

export SIGNEDSOCKET_SEED=$RANDOM SIGNEDSOCKET_OPERATIONS=10000
echo "random operations with SIGNEDSOCKET_SEED=$SIGNEDSOCKET_SEED"
go test -count=1 -timeout 60m -v -run '^(TestMoto|TestDynalite)$/^random' ./localstage/internal/dynamodb
go test -count=1 -timeout 60m -run '^TestMotoAgrees$' ./shared/connections ./shared/roomlog
