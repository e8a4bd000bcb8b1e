# Every command that anyone needs; `make help` lists them.

SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
.DEFAULT_GOAL := help

# go run, go test and go build for this machine must not see the values that the functions are built with.
unexport GOOS GOARCH

# Checkers, built from the module in tools/go.
TOOLS = build/tools
TOOL_SOURCES = $(wildcard tools/go/go.mod tools/go/go.sum tools/go/*/*.go)

.PHONY: help run test check attack mutate fmt fuzz setup-ci clean
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build the functions and run the local stage (ARGS="--help" lists its options)
	@go build -o build/localstage ./cmd/localstage
	@exec build/localstage $(ARGS)

test: check lint-template golden-check test/e2e/clients/node_modules ## Run every check and test that this machine can run
	go test -race -shuffle=on -timeout 20m ./...

check: $(TOOLS)/staticcheck $(TOOLS)/gosec ## Vet and scan the Go code, and verify its modules
	go mod verify && go -C tools/go mod verify
	go vet ./...
	$(TOOLS)/staticcheck ./...
	$(TOOLS)/gosec $$(go list -f '{{.Dir}}' ./... | sed "s|^$$PWD/||")

attack: ## Play the attacks that must not get through (part of make test)
	go test -race -count=1 ./test/attack

mutate: ## Take out one protection after another: the tests named for it must notice (ARGS="--only policy" picks some)
	@go run ./internal/mutate $(ARGS)

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

# ── Supply chain ────────────────────────────────────────────────────────────────────────────────────────────────
# The tools are pinned in a module of their own, so that what they need never reaches the product. A checker that is
# newer than the pin changes what is found: raise it on purpose.

$(TOOLS)/staticcheck: $(TOOL_SOURCES)
	@cd tools/go && go build -o ../../$@ honnef.co/go/tools/cmd/staticcheck
$(TOOLS)/govulncheck: $(TOOL_SOURCES)
	@cd tools/go && go build -o ../../$@ golang.org/x/vuln/cmd/govulncheck
$(TOOLS)/gosec: $(TOOL_SOURCES)
	@cd tools/go && go build -o ../../$@ ./gosec
$(TOOLS)/sbom: $(TOOL_SOURCES)
	@cd tools/go && go build -o ../../$@ ./sbom

.PHONY: vulncheck sbom
# Without its database govulncheck knows nothing; that must be loud, but it is no fault of the code.
VULNDB = https://vuln.go.dev
vulncheck: $(TOOLS)/govulncheck ## Look the modules up in the Go vulnerability database
	@if curl --silent --fail --max-time 10 --output /dev/null $(VULNDB)/index/db.json; then \
		$(TOOLS)/govulncheck -db $(VULNDB) ./...; \
	else echo "NOT CHECKED: $(VULNDB) cannot be reached, so nobody has looked for known vulnerabilities" >&2; fi

sbom: $(TOOLS)/sbom ## Write what each function is made of to build/sbom, in CycloneDX's form
	@for function in $$(sed -n 's/^build-\([A-Za-z]*Function\):$$/\1/p' Makefile); do \
		$(MAKE) --no-print-directory build-$$function ARTIFACTS_DIR=build/sbom/$$function && \
		$(TOOLS)/sbom -name $$function build/sbom/$$function/bootstrap > build/sbom/$$function.cdx.json; \
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

.PHONY: build-ConnectFunction build-DisconnectFunction build-ReaperFunction build-SendMessageFunction build-SignUrlFunction

build-ConnectFunction:
	$(call build-function,connect)

build-DisconnectFunction:
	$(call build-function,disconnect)

build-ReaperFunction:
	$(call build-function,reaper)

build-SendMessageFunction:
	$(call build-function,sendmessage)

build-SignUrlFunction:
	$(call build-function,signurl)

.PHONY: build deploy
build: $(VENV_STAMP) ## Build the functions for AWS into .aws-sam/build
	$(SAM) build --config-env $(CONFIG_ENV)

deploy: build ## Build and deploy to AWS (CONFIG_ENV=dev or prod picks a section of samconfig.toml)
	$(SAM) deploy --config-env $(CONFIG_ENV)

# ── Operation ───────────────────────────────────────────────────────────────────────────────────────────────────

# Every shell has a variable USER: only one that is written on the command line is meant.
OUTPUTS = .localstage/outputs.json
.PHONY: revoke
revoke: $(VENV_STAMP) ## Shut a user out: USER=id or sub [BANNED_UNTIL=date] [STACK=name of a deployed stack]
	@test "$(origin USER)" = "command line" || { echo "say whom: make revoke USER=…" >&2; exit 1; }
	@$(VENV)/bin/python tools/python/revoke.py --user "$$USER" --outputs "$(OUTPUTS)" \
		$(if $(BANNED_UNTIL),--until "$(BANNED_UNTIL)") $(if $(STACK),--stack "$(STACK)")

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
