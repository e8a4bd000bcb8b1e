# The commands of the project; `make help` lists them in the same groups. Longer recipes are scripts in tools/sh.
# macOS has make 3.81 and bash 3.2. This make has no .SHELLFLAGS, so no recipe relies on set -e or pipefail: a line is
# one command, or several with && and ||. Scripts set both themselves. tools/repotest checks recipes and scripts.
SHELL = /bin/bash
unexport GOOS GOARCH # of the functions: go run, go test and go build are for this machine
# Settings: make deploy STAGE=prod, make venv PYTHON=python3.12. A stage is in samconfig.toml. STACK names any other one.
PYTHON ?= python3
STAGE ?= dev
OUTPUTS = .localstage/outputs.json
VENV_STAMP = .venv/.installed
SAM = SAM_CLI_TELEMETRY=0 .venv/bin/sam
SCRIPTS = .venv/bin/python tools/python
FRONTEND_PACKAGES = frontend/node_modules/.package-lock.json
TOOLS = build/tools

# $(ON_STACK) COMMAND runs a command on a deployed stack, with the stack's outputs in $(LIVE)/outputs.json.
WHICH = $(if $(STACK),--stack $(STACK),--stage $(STAGE))
LIVE = build/live/$(or $(STACK),$(STAGE))
ON_STACK = tools/sh/on-stack.sh $(LIVE)/outputs.json $(WHICH)

# A line feed in PARAMETERS, as in a GitHub variable of several lines, would end the command before the rest of them.
define LINE_FEED


endef

.PHONY: $(shell sed -n 's/^\([A-Za-z0-9-]*\):.*/\1/p' Makefile)
help: # List the commands
	@awk -F ':.*## ' '/^##@ / {print "\n" substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use it
run: ## Build the functions and run the local stage (ARGS="--help" lists its options)
	@go build -o build/localstage ./localstage/cmd/localstage && exec build/localstage $(ARGS)
dev: frontend-packages $(if $(STACK),$(VENV_STAMP)) ## Run the page with hot reload on the local stage, or on STACK=name
	@$(if $(STACK),$(ON_STACK) node frontend/dev.mjs --outputs $(LIVE)/outputs.json,tools/sh/dev.sh $(ARGS))
probe: $(if $(STACK),$(VENV_STAMP)) ## Check that a stage works: the local one, or STACK=name (ARGS="--help")
	@$(if $(STACK),$(ON_STACK)) go run ./cmd/probe --outputs "$(if $(STACK),$(LIVE)/outputs.json,$(OUTPUTS))" $(ARGS)
load: $(if $(STACK),$(VENV_STAMP)) ## Put load on a stage: the local one, or STACK=name (ARGS="--help")
	@$(if $(STACK),$(ON_STACK)) go run ./cmd/chat load --outputs "$(if $(STACK),$(LIVE)/outputs.json,$(OUTPUTS))" $(ARGS)
# Every shell has a variable USER, so revoke and erase take it from the command line only.
revoke: $(VENV_STAMP) ## Revoke a user: USER=id or sub [BANNED_UNTIL=date, none or 0; else an hour] [STACK=name]
	@test "$(origin USER)" = "command line" || { echo "Name the user: make revoke USER=…" >&2; exit 1; }
	@$(SCRIPTS)/revoke.py --user "$$USER" --outputs "$(OUTPUTS)" \
		$(if $(BANNED_UNTIL),--until "$(BANNED_UNTIL)") $(if $(STACK),--stack "$(STACK)")
erase: $(VENV_STAMP) ## Remove a user from the messages of all rooms: USER=id or sub, or SUB=sub [STACK=name] [YES=1]
	@test "$(origin USER)" = "command line" -o -n "$(SUB)" || { echo "Name the user: make erase USER=…" >&2; exit 1; }
	@$(SCRIPTS)/erase.py $(if $(SUB),--sub "$$SUB",--user "$$USER") --outputs "$(OUTPUTS)" \
		$(if $(STACK),--stack "$(STACK)")
clean: ## Remove what was built, and the table of the local stage
	rm -rf build .aws-sam .localstage

##@ Deploy it
build: $(VENV_STAMP) ## Build the functions for AWS into .aws-sam/build
	$(SAM) build --config-env $(STAGE)
deploy: $(VENV_STAMP) ## Check, build and deploy to AWS (STAGE=dev or prod, PARAMETERS="Name=value …" YES=1)
	@$(SCRIPTS)/deploy.py --stage "$(STAGE)" $(if $(BUILT),--built "$(BUILT)") $(subst $(LINE_FEED), ,$(PARAMETERS))
outputs: $(VENV_STAMP) ## Print the outputs of a deployed stack as JSON, or the one named OUTPUT (STAGE=dev or STACK=name)
	@$(SCRIPTS)/stack.py $(WHICH) $(OUTPUT)
logs: $(VENV_STAMP) ## Show the functions' logs of a deployed stack (STAGE=dev or STACK=name)
	@$(SCRIPTS)/logs.py $(WHICH)
destroy: $(VENV_STAMP) ## Delete a deployed stack, after its name has been typed (STAGE=dev or STACK=name)
	@$(SCRIPTS)/destroy.py $(WHICH)
rehearse: $(VENV_STAMP) ## Run deployments, updates and a deletion against an emulator of AWS, without an account
	@tools/sh/rehearse.sh $(PYTHON)

# `sam build` calls build-<LogicalId> with ARTIFACTS_DIR in the environment. The local stage adds GOOS=… GOARCH=… of its
# machine to the command line. Both are plain assignments here, so that no environment can put other binaries on AWS.
GOOS = linux
GOARCH = arm64
# The package of ConnectFunction is functions/connect, and so on: build-function.sh writes the name in lower case.
GO_FUNCTIONS = ConnectFunction DisconnectFunction EraseFunction FanoutFunction HistoryFunction PresenceFunction \
	ReaperFunction SendMessageFunction SignUrlFunction
$(GO_FUNCTIONS:%=build-%):
	@test -n "$(ARTIFACTS_DIR)" || { echo "$@: ARTIFACTS_DIR is not set; run make build instead" >&2; exit 1; }
	@GOOS=$(GOOS) GOARCH=$(GOARCH) tools/sh/build-function.sh ./functions/$(@:build-%Function=%) "$(ARTIFACTS_DIR)/bootstrap"
build-FrontendFunction: $(FRONTEND_PACKAGES)
	@tools/sh/check-node.sh && ARTIFACTS_DIR="$(ARTIFACTS_DIR)" tools/sh/build-frontend.sh

##@ Work on it
fmt: ## Format the code: Go with gofmt, TypeScript and CSS with Prettier
	@tools/sh/fmt.sh
docs: ## Write the tables that pages take from the template, the code and the cost model
	@UPDATE_DOCS=1 go test -count=1 -run '^(TestConfigurationPage|TestPagesShow)' ./tools/cost ./tools/repotest
golden: $(VENV_STAMP) ## Refresh the golden file of the template's SAM transform
	@$(SCRIPTS)/transform.py
screenshots: ## Take the README's pictures of the page into docs/images
	SCREENSHOTS="$(CURDIR)/docs/images" go -C test/browser test -count=1 -run '^TestScreenshots$$' .
bench: ## Measure posts, broadcasts and starts beside their goals (QUICK=1 only checks that it works)
	@go build -o build/bench/bench ./tools/bench && build/bench/bench $(if $(QUICK),--quick)
bench-stage: ## Measure the local stage alone: its start, and memory of 10,000 connections (QUICK=1, too)
	@go build -o build/bench/bench ./tools/bench && build/bench/bench --alone $(if $(QUICK),--quick)
bench-page: ## Put the last make bench into docs/benchmarks.md
	@UPDATE_DOCS=1 go test -count=1 -run '^TestPageShowsTheResults$$' ./tools/bench
frontend-packages: $(FRONTEND_PACKAGES)
	@npm run --prefix frontend --silent build -w @signedsocket/client
$(FRONTEND_PACKAGES): frontend/package-lock.json
	@tools/sh/npm-ci.sh frontend
venv: $(VENV_STAMP) ## Install the Python tools (SAM CLI, cfn-lint, moto, AWS CLI) into .venv
$(VENV_STAMP): tools/python/requirements.txt tools/python/constraints.txt
	@tools/sh/venv.sh $(PYTHON)
venv-pins: ## Pin the dependencies of tools/python/requirements.txt (run it with the oldest Python, 3.10)
	@tools/sh/venv-pins.sh $(PYTHON)
setup-ci: ## Install the system packages that the tests need (Debian, as root)
	@tools/sh/setup-ci.sh

##@ Check it
test: ## Run every check and test that CI runs for a change
	@tools/sh/test.sh
test-tools: $(VENV_STAMP) $(TOOLS)/golangci-lint $(TOOLS)/actionlint $(if $(shell command -v npm),$(FRONTEND_PACKAGES))
test-tools: test/e2e/clients/node_modules tools/node/node_modules ## Install and build what make test uses
test-fast: test-frontend ## Run the unit tests only, to run while you work
	@tools/sh/test-fast.sh
check: $(TOOLS)/golangci-lint $(TOOLS)/actionlint ## Verify the modules, and lint Go code, scripts and workflows
	go mod verify && go -C tools/go mod verify && go -C tools/golangci mod verify
	tools/sh/check-scripts.sh
	tools/sh/lint.sh
attack: ## Run the attacks, which must fail (part of make test)
	go test -race -count=1 ./test/attack
soak: ## Let clients talk on a local stage full of faults for SOAK (30m), and check that no message gets lost
	@SIGNEDSOCKET_SOAK=$(or $(SOAK),30m) go -C test/e2e test -vet=off -timeout 24h -run '^TestRoomsRemember'
e2e-outputs: ## Run the suites on a local stage with the outputs of a deployed one (part of make test)
	@go run ./tools/suite --local
e2e-live: $(VENV_STAMP) ## Run the suites against a deployed stack (STACK=name or STAGE=dev)
	@$(ON_STACK) tools/sh/e2e-live.sh $(LIVE) $(WHICH)
test-frontend: ## Check the form of the client package and the page, and test their parts
	@tools/sh/test-frontend.sh
test-browser: ## Run the browser tests in Chromium against the local stage (part of make test)
	go -C test/browser test -parallel 4 -timeout 20m .
node-versions: ## Test and build the page on the oldest Node.js that it needs, on 22.0.0 and on that of Lambda
	@tools/sh/node-versions.sh
check-build: $(VENV_STAMP) ## Build everything as for AWS, twice, and check the artifacts
	@tools/sh/check-build.sh $(GO_FUNCTIONS)
check-tools: $(VENV_STAMP) ## Test the commands for deployed stacks, without an account
	@PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore .venv/bin/python -m unittest discover \
		--start-directory tools/python --buffer
lint-template: $(VENV_STAMP) ## Check the templates with cfn-lint and sam validate
	@tools/sh/lint-template.sh
golden-check: $(VENV_STAMP) ## Check that the golden file is the template's SAM transform
	@$(SCRIPTS)/transform.py --check
mutate: ## Remove each protection: its tests must fail (ARGS="--only Role" picks some)
	@go run ./tools/mutate $(ARGS)
fuzz: ## Run every fuzz target for FUZZTIME (30s), or those of PACKAGES
	@tools/sh/fuzz.sh $(or $(FUZZTIME),30s) $(PACKAGES)
fuzz-nightly: venv tools/node/node_modules ## Fuzz for 5 minutes each, and compare DynamoDB with a new seed
	@tools/sh/fuzz.sh $(or $(FUZZTIME),5m) $(PACKAGES) && tools/sh/compare-dynamodb.sh
vulncheck: $(TOOLS)/govulncheck ## Look the modules up in the Go vulnerability database
	@tools/sh/vulncheck.sh $(VULNDB)
sbom: $(TOOLS)/sbom ## Write the components of each function to build/sbom, in CycloneDX format
	@tools/sh/sbom.sh $(GO_FUNCTIONS)

$(TOOLS)/%: $(wildcard tools/go/go.* tools/go/*/*.go tools/golangci/go.*)
	@tools/sh/build-tool.sh $@
# Servers and clients of other projects, with which tests compare the stage. They need npm.
test/e2e/clients/node_modules: test/e2e/clients/package-lock.json
	@tools/sh/npm-ci.sh $(@D) "the end-to-end suite leaves out wscat and @smithy/signature-v4"
tools/node/node_modules: tools/node/package-lock.json
	@tools/sh/npm-ci.sh $(@D) "dynalite and the parser of AsyncAPI are left out"
