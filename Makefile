# Every command that anyone needs; `make help` lists them.

SHELL = /bin/bash
.SHELLFLAGS = -euo pipefail -c
.DEFAULT_GOAL := help

# go run, go test and go build for this machine must not see the values that the functions are built with.
unexport GOOS GOARCH

# Checkers, built from the module in tools/go.
TOOLS = build/tools
TOOL_SOURCES = $(wildcard tools/go/go.mod tools/go/go.sum tools/go/*/*.go)

.PHONY: help run test check attack mutate fmt setup-ci clean
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Build the functions and run the local stage (ARGS="--help" lists its options)
	@go build -o build/localstage ./localstage/cmd/localstage
	@exec build/localstage $(ARGS)

test: check lint-template golden-check check-build check-tools test-frontend test/e2e/clients/node_modules tools/node/node_modules ## Run every check and test that this machine can run
	go test -race -shuffle=on -timeout 20m ./...
	@$(MAKE) --no-print-directory e2e-outputs test-browser

check: $(TOOLS)/staticcheck $(TOOLS)/gosec $(TOOLS)/actionlint ## Vet and scan the Go code and the workflows, and verify the modules
	go mod verify && go -C tools/go mod verify && go -C tools/plot mod verify
	go vet ./... && go -C test/browser vet ./...
	$(TOOLS)/actionlint -shellcheck= -pyflakes=
	$(TOOLS)/staticcheck ./...
	$(TOOLS)/gosec $$(go list -f '{{.Dir}}' ./... | sed "s|^$$PWD/||")

attack: ## Play the attacks that must not get through (part of make test)
	go test -race -count=1 ./test/attack

mutate: ## Take out one protection after another: the tests named for it must notice (ARGS="--only policy" picks some)
	@go run ./tools/mutate $(ARGS)

fmt: ## Format the Go code
	gofmt -w $$(git ls-files -co --exclude-standard '*.go')

# Each fuzz target for FUZZTIME; crashers go to testdata/fuzz and become seeds. Before Go 1.27 a busy machine may end a run with an
# error that is no finding (go.dev/issue/75804).
FUZZTIME = 30s
.PHONY: fuzz fuzz-nightly
fuzz: ## Run every fuzz target for FUZZTIME (30s)
	@mkdir -p build; failed=(); \
	for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			if ! go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$package 2>&1 | tee build/fuzz.log; then \
				grep -q 'context deadline exceeded' build/fuzz.log && ! grep -q 'Failing input' build/fuzz.log || failed+=("$$package $$target"); \
			fi; \
		done; \
	done; \
	if (( $${#failed[@]} )); then echo "these have found something:" >&2; printf '  %s\n' "$${failed[@]}" >&2; exit 1; fi

fuzz-nightly: FUZZTIME = 5m
fuzz-nightly: venv tools/node/node_modules fuzz ## Run every fuzz target for 5 minutes, and the DynamoDB oracles with a new seed
	SIGNEDSOCKET_SEED=$$RANDOM SIGNEDSOCKET_OPERATIONS=10000 \
		go test -count=1 -timeout 60m -v -run '^(TestMoto|TestDynalite)$$/^random' ./localstage/internal/dynamodb

# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: bench bench-stage plot cost
bench: ## Measure posts, broadcasts and starts beside their goals, in 2 minutes (QUICK=1: only see that it works)
	@go build -o build/bench/bench ./tools/bench && build/bench/bench $(if $(QUICK),--quick)

bench-stage: ## Measure the local stage alone: 10,000 connections, their memory, and posts beside a bare broadcast (QUICK=1, too)
	@go build -o build/bench/bench ./tools/bench && build/bench/bench alone $(if $(QUICK),--quick)

plot: ## Put the last make bench into docs/benchmarks.md, with its plot
	@if grep -q '"quick": true' build/bench/results.json; then echo "the last make bench was a quick one, which measures nothing" >&2; exit 1; fi
	@cp build/bench/results.json docs/benchmarks.json
	@go run ./tools/bench page docs/benchmarks.json docs/benchmarks.md
	@go -C tools/plot run . "$(CURDIR)/docs/benchmarks.json" "$(CURDIR)/docs/benchmarks.svg"

.PHONY: docs
docs: cost ## Write the tables of the pages that come from the template and the code
	@UPDATE_DOCS=1 go test -count=1 -run '^TestConfigurationPageIsTheTemplateAndTheCode$$' ./tools/repotest

cost: ## Work out what a deployment costs and where its limits are, into docs/scale.md and the README
	@go run ./tools/cost --write docs/scale.md && go run ./tools/cost --write README.md

# ── Supply chain ────────────────────────────────────────────────────────────────────────────────────────────────
# The tools are pinned in a module of their own, so that what they need never reaches the product. A checker that is
# newer than the pin changes what is found: raise it on purpose.

$(TOOLS)/staticcheck: $(TOOL_SOURCES)
	@cd tools/go && go build -o ../../$@ honnef.co/go/tools/cmd/staticcheck
$(TOOLS)/actionlint: $(TOOL_SOURCES)
	@cd tools/go && go build -o ../../$@ github.com/rhysd/actionlint/cmd/actionlint
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
	@for function in $(GO_FUNCTIONS); do \
		$(MAKE) --no-print-directory build-$$function ARTIFACTS_DIR=build/sbom/$$function && \
		$(TOOLS)/sbom -name $$function build/sbom/$$function/bootstrap > build/sbom/$$function.cdx.json; \
	done

# Clients that other people wrote, for the end-to-end suite. Without Node the suite says what it leaves out.
test/e2e/clients/node_modules: test/e2e/clients/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "installing the foreign clients into test/e2e/clients/node_modules"; \
		npm ci --prefix test/e2e/clients --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "npm is missing: the end-to-end suite leaves out wscat and @smithy/signature-v4" >&2; fi

# Servers that other people wrote, which the stage's own parts are compared with.
tools/node/node_modules: tools/node/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "installing dynalite into tools/node/node_modules"; \
		npm ci --prefix tools/node --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@; \
	else echo "npm is missing: the DynamoDB engine is not compared with dynalite" >&2; fi

setup-ci: ## Install the system packages that the tests need (Debian, as root)
	@missing=(); \
	command -v node >/dev/null || missing+=(nodejs); \
	command -v npm >/dev/null || missing+=(npm); \
	command -v git >/dev/null || missing+=(git); \
	command -v chromium >/dev/null || missing+=(chromium fonts-noto-cjk); \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv); \
	if (( $${#missing[@]} )); then apt-get update && apt-get install -y --no-install-recommends "$${missing[@]}"; fi

clean: ## Remove what was built; the table of the local stage goes too
	rm -rf build .aws-sam .localstage

# Settings for people: make deploy STAGE=prod, make venv PYTHON=python3.12. A stage is a section of samconfig.toml; another name of
# a stack is given with STACK.
PYTHON ?= python3
STAGE ?= dev

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

.PHONY: build-ConnectFunction build-DisconnectFunction build-FanoutFunction build-ReaperFunction build-SendMessageFunction build-SignUrlFunction

build-ConnectFunction:
	$(call build-function,connect)

build-DisconnectFunction:
	$(call build-function,disconnect)

build-FanoutFunction:
	$(call build-function,fanout)

build-ReaperFunction:
	$(call build-function,reaper)

build-SendMessageFunction:
	$(call build-function,sendmessage)

build-SignUrlFunction:
	$(call build-function,signurl)

# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────
# frontend/ is an npm workspace: the client package, and the page in Next.js. What is installed is what the lock file says,
# and no package runs a script of its own on installation.

FRONTEND_PACKAGES = frontend/node_modules/.package-lock.json
$(FRONTEND_PACKAGES): frontend/package-lock.json
	@command -v npm >/dev/null || { echo "The page needs Node.js 20.9 or newer, with npm." >&2; exit 1; }
	@echo "installing the page's packages into frontend/node_modules" >&2
	@npm ci --prefix frontend --ignore-scripts --no-audit --no-fund --loglevel=error >&2 && touch $@

# The artifact is made once, by one at a time, and copied as long as the sources are the same. make cannot list these itself: Next.js gives
# folders names with parentheses and brackets.
FRONTEND_ARTIFACT = build/frontend
FRONTEND_SOURCES = find frontend \( -name node_modules -o -name .next -o -name dist -o -name test -o -name next-env.d.ts -o -name '*.tsbuildinfo' \) \
	-prune -o -type f -exec cksum {} + | LC_ALL=C sort | cksum

.PHONY: build-FrontendFunction
build-FrontendFunction: $(FRONTEND_PACKAGES)
	@test -n "$(ARTIFACTS_DIR)" || { echo "$@: ARTIFACTS_DIR is not set; for people there is 'make build'" >&2; exit 1; }
	@mkdir -p build; exec 9> $(FRONTEND_ARTIFACT).lock; if command -v flock >/dev/null; then flock 9; fi; \
	sources=$$($(FRONTEND_SOURCES)); \
	if [ "$$sources" != "$$(cat $(FRONTEND_ARTIFACT).sources 2>/dev/null)" ]; then \
		rm -rf $(FRONTEND_ARTIFACT) $(FRONTEND_ARTIFACT).sources && mkdir -p $(FRONTEND_ARTIFACT); \
		npm run --prefix frontend --silent artifact -w web -- "$(CURDIR)/$(FRONTEND_ARTIFACT)"; \
		echo "$$sources" > $(FRONTEND_ARTIFACT).sources; \
	fi; \
	mkdir -p "$(ARTIFACTS_DIR)" && cp -R $(FRONTEND_ARTIFACT)/. "$(ARTIFACTS_DIR)"

.PHONY: frontend-packages test-frontend test-browser screenshots
frontend-packages: $(FRONTEND_PACKAGES)
	@npm run --prefix frontend --silent build -w @signedsocket/client

# Without Node the page is neither built nor tested, and says so; where everything has to be tested, that is a failure.
test-frontend: ## Test the client package and the page's own parts
	@if command -v npm >/dev/null; then \
		$(MAKE) --no-print-directory frontend-packages && npm test --prefix frontend --silent -w @signedsocket/client && \
		npm run typecheck --prefix frontend --silent -w web && npm test --prefix frontend --silent -w web; \
	elif [ "$${CI:-}" = true ]; then echo "npm is missing: the page cannot be tested" >&2; exit 1; \
	else echo "NOT CHECKED: npm is missing, so nobody has tested the page" >&2; fi

test-browser: ## Play people in Chromium against the local stage (part of make test)
	go -C test/browser test -timeout 20m .

screenshots: ## Take the README's pictures of the page into docs/images
	SCREENSHOTS="$(CURDIR)/docs/images" go -C test/browser test -count=1 -run '^TestScreenshots$$' .

.PHONY: dev
dev: frontend-packages $(if $(STACK),$(VENV_STAMP)) ## Run the page's development server with the local stage, or against STACK=name of a deployed one
ifdef STACK
	@mkdir -p $(LIVE) && $(SCRIPTS)/stack.py $(WHICH) > $(LIVE)/outputs.json
	@exec node frontend/dev.mjs --outputs $(LIVE)/outputs.json
else
	@go build -o build/localstage ./localstage/cmd/localstage
	@exec node frontend/dev.mjs build/localstage --json --without FrontendFunction --param AllowedOrigins=http://localhost:3000 $(ARGS)
endif

.PHONY: build check-build
build: $(VENV_STAMP) ## Build the functions for AWS into .aws-sam/build
	$(SAM) build --config-env $(STAGE)

# The functions that are Go programs; the page's target has prerequisites.
GO_FUNCTIONS = $(shell sed -n 's/^build-\([A-Za-z]*Function\):$$/\1/p' Makefile)

check-build: $(VENV_STAMP) ## Build everything as for AWS, twice, and check what came out
	@rm -rf build/again
	@if command -v npm >/dev/null; then \
		$(SAM) build --config-env default >build/sam-build.log 2>&1 || { cat build/sam-build.log >&2; exit 1; }; \
		functions="$(GO_FUNCTIONS) FrontendFunction"; without=; \
	elif [ "$${CI:-}" = true ]; then echo "npm is missing: sam build cannot build the page" >&2; exit 1; \
	else echo "NOT CHECKED: npm is missing, so nobody has built the page as for AWS" >&2; \
		for function in $(GO_FUNCTIONS); do $(MAKE) --silent build-$$function ARTIFACTS_DIR=.aws-sam/build/$$function; done; \
		functions="$(GO_FUNCTIONS)"; without="--without FrontendFunction"; fi; \
	for function in $$functions; do $(MAKE) --silent build-$$function ARTIFACTS_DIR=build/again/$$function; done; \
	go run ./tools/artifacts --again build/again $$without

# ── Operation ───────────────────────────────────────────────────────────────────────────────────────────────────

# Which stack: STACK by name, else the one of STAGE.
WHICH = $(if $(STACK),--stack $(STACK),--stage $(STAGE))
SCRIPTS = $(VENV)/bin/python tools/python

.PHONY: deploy outputs logs destroy probe e2e-live e2e-outputs
deploy: $(VENV_STAMP) ## Check, build and deploy to AWS (STAGE=dev or prod, PARAMETERS="Name=value …")
	@$(SCRIPTS)/deploy.py --stage "$(STAGE)" $(PARAMETERS)

outputs: $(VENV_STAMP) ## Print the outputs of a deployed stack as JSON (STAGE=dev or STACK=name)
	@$(SCRIPTS)/stack.py $(WHICH)

logs: $(VENV_STAMP) ## Show what the functions of a deployed stack log (STAGE=dev or STACK=name)
	@$(SCRIPTS)/logs.py $(WHICH)

destroy: $(VENV_STAMP) ## Delete a deployed stack, after its name has been typed (STAGE=dev or STACK=name)
	@$(SCRIPTS)/destroy.py $(WHICH)

# A stack with a user pool of its own needs no command for tokens.
TOKENS = SIGNEDSOCKET_TOKEN_COMMAND="$${SIGNEDSOCKET_TOKEN_COMMAND:-$(CURDIR)/$(VENV)/bin/python $(CURDIR)/tools/python/cognito.py $(WHICH) token}"
LIVE = build/live/$(or $(STACK),$(STAGE))

probe: $(if $(STACK),$(VENV_STAMP)) ## See in seconds that a stage works: the local one, or STACK=name (ARGS="--help")
ifdef STACK
	@mkdir -p $(LIVE) && $(SCRIPTS)/stack.py $(WHICH) > $(LIVE)/outputs.json
	@$(TOKENS) go run ./cmd/probe --outputs $(LIVE)/outputs.json $(ARGS)
else
	@go run ./cmd/probe --outputs "$(OUTPUTS)" $(ARGS)
endif

.PHONY: load
load: $(if $(STACK),$(VENV_STAMP)) ## Put load on a stage and account for every message: the local one, or STACK=name (ARGS="--help")
ifdef STACK
	@mkdir -p $(LIVE) && $(SCRIPTS)/stack.py $(WHICH) > $(LIVE)/outputs.json
	@$(TOKENS) go run ./cmd/chat load --outputs $(LIVE)/outputs.json $(ARGS)
else
	@go run ./cmd/chat load --outputs "$(OUTPUTS)" $(ARGS)
endif

# The stack has to have ExtraSignerArns with whoever runs this, MessagesPerWindow=1000, and nobody else on it; see docs/testing.md.
e2e-live: $(VENV_STAMP) ## Play the suites against a deployed stack, and record what AWS answers (STACK=name or STAGE=dev)
	@mkdir -p $(LIVE) && $(SCRIPTS)/stack.py $(WHICH) > $(LIVE)/outputs.json
	@status=0; $(TOKENS) go run ./tools/suite --outputs $(LIVE)/outputs.json --recordings $(LIVE)/recordings || status=$$?; \
	$(SCRIPTS)/cognito.py $(WHICH) clean; exit $$status

e2e-outputs: ## Play them on a local stage that offers only what a deployed one has (part of make test)
	@go run ./tools/suite --local

# Every shell has a variable USER: only one that is written on the command line is meant.
OUTPUTS = .localstage/outputs.json
.PHONY: revoke
revoke: $(VENV_STAMP) ## Shut a user out: USER=id or sub [BANNED_UNTIL=date, none or 0; else an hour] [STACK=name of a deployed stack]
	@test "$(origin USER)" = "command line" || { echo "say whom: make revoke USER=…" >&2; exit 1; }
	@$(VENV)/bin/python tools/python/revoke.py --user "$$USER" --outputs "$(OUTPUTS)" \
		$(if $(BANNED_UNTIL),--until "$(BANNED_UNTIL)") $(if $(STACK),--stack "$(STACK)")

# ── Template and Python tools ───────────────────────────────────────────────────────────────────────────────────

.PHONY: venv venv-pins lint-template golden golden-check check-tools
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

lint-template: $(VENV_STAMP) ## Check the templates with cfn-lint and sam validate
	@$(VENV)/bin/cfn-lint --include-checks I -- template.yaml account-logging.yaml github-deploy.yaml localstage/testdata/counter/template.yaml
	@AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint

golden: $(VENV_STAMP) ## Refresh the golden file of the template's SAM transform
	@$(VENV)/bin/python tools/python/transform.py

golden-check: $(VENV_STAMP) ## Check that the golden file is the template's SAM transform
	@$(VENV)/bin/python tools/python/transform.py --check

check-tools: $(VENV_STAMP) ## Test the commands for deployed stacks, without an account
	@PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore $(VENV)/bin/python -m unittest discover --start-directory tools/python --buffer
