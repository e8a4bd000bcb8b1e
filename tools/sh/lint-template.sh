#!/usr/bin/env bash
# lint-template.sh checks the templates with cfn-lint, and the one that is deployed with sam validate.
set -euo pipefail
cd "$(dirname "$0")/../.."

.venv/bin/cfn-lint --include-checks I -- template.yaml account-logging.yaml github-deploy.yaml \
	localstage/testdata/counter/template.yaml
AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .venv/bin/sam validate --lint
