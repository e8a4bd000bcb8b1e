# Every command that anyone needs; `make help` lists them.

SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
.DEFAULT_GOAL := help

# go run, go test and go build for this machine must not see the values that the functions are built with.
unexport GOOS GOARCH

.PHONY: help run test check fmt fuzz setup-ci clean
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build the functions and run the local stage (ARGS="--help" lists its options)
	@go build -o build/localstage ./cmd/localstage
	@exec build/localstage $(ARGS)

test: check lint-template golden-check test/e2e/clients/node_modules ## Run every check and test that this machine can run
	go test -race -shuffle=on -timeout 20m ./...

check: ## Vet the Go code and verify its modules
	go mod verify
	go vet ./...

fmt: ## Format the Go code
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

# Each fuzz target for FUZZTIME; crashers go to testdata/fuzz and become seeds.
FUZZTIME = 30s
fuzz: ## Run every fuzz target for FUZZTIME (30s)
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$package; \
		done; \
	done

# Clients that other people wrote, for the end-to-end suite. Without Node the suite says what it leaves out.
test/e2e/clients/node_modules: test/e2e/clients/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "installing the foreign clients into test/e2e/clients/node_modules"; \
		npm ci --prefix test/e2e/clients --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "npm is missing: the end-to-end suite leaves out wscat and @smithy/signature-v4" >&2; fi

setup-ci: ## Install the system packages that the tests need (Debian, as root)
	@missing=(); \
	command -v node >/dev/null || missing+=(nodejs); \
	command -v npm >/dev/null || missing+=(npm); \
	command -v git >/dev/null || missing+=(git); \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv); \
	if (( $${#missing[@]} )); then apt-get update && apt-get install -y --no-install-recommends "$${missing[@]}"; fi

clean: ## Remove what was built; the table of the local stage goes too
	rm -rf build .aws-sam .localstage

# Settings for people: make deploy CONFIG_ENV=prod, make venv PYTHON=python3.12
PYTHON ?= python3
CONFIG_ENV ?= default

VENV = .venv
VENV_STAMP = $(VENV)/.installed
SAM = SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam

# ── Functions ───────────────────────────────────────────────────────────────────────────────────────────────────
# `sam build` calls build-<LogicalId> with ARTIFACTS_DIR in the environment; the local stage calls the same targets as
# `make build-<LogicalId> ARTIFACTS_DIR=… GOOS=… GOARCH=…` for the machine it runs on. GOOS and GOARCH are plain assignments,
# so that a variable left in somebody's shell cannot put a binary for another machine on AWS; only the command line can.

GOOS = linux
GOARCH = arm64

# The same source gives the same bytes (-trimpath, no commit stamp), so that a deployment updates only what changed.
# lambda.norpc leaves out the RPC mode of the retired go1.x runtime.
FUNCTION_FLAGS = -trimpath -buildvcs=false -ldflags "-s -w" -tags lambda.norpc

# $(call build-function,FOLDER) builds functions/FOLDER into $(ARTIFACTS_DIR)/bootstrap.
define build-function
@test -n "$(ARTIFACTS_DIR)" || { echo "$@: ARTIFACTS_DIR is not set; for people there is 'make build'" >&2; exit 1; }
CGO_ENABLED=0 GOOS=$(GOOS) GOARCH=$(GOARCH) go build $(FUNCTION_FLAGS) -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(1)
endef

.PHONY: build-ConnectFunction build-DisconnectFunction build-SendMessageFunction build-SignUrlFunction

build-ConnectFunction:
	$(call build-function,connect)

build-DisconnectFunction:
	$(call build-function,disconnect)

build-SendMessageFunction:
	$(call build-function,sendmessage)

build-SignUrlFunction:
	$(call build-function,signurl)

.PHONY: build deploy
build: $(VENV_STAMP) ## Build the functions for AWS into .aws-sam/build
	$(SAM) build --config-env $(CONFIG_ENV)

deploy: build ## Build and deploy to AWS (CONFIG_ENV=dev or prod picks a section of samconfig.toml)
	$(SAM) deploy --config-env $(CONFIG_ENV)

# ── Template and Python tools ───────────────────────────────────────────────────────────────────────────────────

.PHONY: venv venv-pins lint-template golden golden-check
venv: $(VENV_STAMP) ## Install the Python tools (SAM CLI, cfn-lint, moto, AWS CLI) into .venv

# Made anew when a pin changes: what is installed is what is pinned, with nothing left over.
$(VENV_STAMP): tools/python/requirements.txt tools/python/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "installing the Python tools into $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tools/python/requirements.txt
	@touch $@

venv-pins: ## Pin what tools/python/requirements.txt pulls in (run it with the oldest Python supported, 3.10)
	@rm -rf $(VENV)-pins && $(PYTHON) -m venv $(VENV)-pins
	@grep -v '^-c' tools/python/requirements.txt > $(VENV)-pins/requirements.txt
	@$(VENV)-pins/bin/pip install --quiet --disable-pip-version-check --upgrade setuptools -r $(VENV)-pins/requirements.txt
	@{ echo '# Every package that requirements.txt brings in, each at a version that all supported Pythons (3.10 and newer) can install.'; \
		echo '# Written by `make venv-pins` with the oldest of them.'; \
		$(VENV)-pins/bin/pip freeze --all --exclude pip; } > tools/python/constraints.txt
	@rm -rf $(VENV)-pins

lint-template: $(VENV_STAMP) ## Check template.yaml with cfn-lint and sam validate
	@$(VENV)/bin/cfn-lint --include-checks I -- template.yaml
	@AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint

golden: $(VENV_STAMP) ## Refresh the golden file of the template's SAM transform
	@$(VENV)/bin/python tools/python/transform.py

golden-check: $(VENV_STAMP) ## Check that the golden file is the template's SAM transform
	@$(VENV)/bin/python tools/python/transform.py --check
