# Every command of this repository. `make` alone lists them. Nothing to install by hand but Python >= 3.11, make and git.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ENV ?= dev
BASE ?=
FAIL_ON ?=
REPORT ?=
PROFILE ?=
FREE ?= none
YES ?=
TO ?=
ONLY ?=
USERS ?= 20
RATE ?= 1
SECONDS ?= 30
KNEE ?=
STORM ?=
PLOT ?=
WHAT ?= message
ID ?=
FOR ?=
STEP ?=
TIME ?=
PERSON ?=
OUTPUT ?=
APPLY ?=
CREATE ?=
CHANNEL ?=
ORIGIN ?=
TOKEN_FILE ?=
JSON ?=
READ_ONLY ?=
VERBOSE ?=
USER_NUMBER := $(if $(filter 1 2,$(USER)),$(USER),1)
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  $$p -c 'import sys; sys.exit(not ((3, 11) <= sys.version_info < (3, 14)))' 2>/dev/null && echo $$p && break; done)
UV_VERSION := 0.13.9
BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
export CDK_DISABLE_CLI_TELEMETRY := true

# These tests share all cores; a local cloud and a browser want them for themselves.
SHARED := --numprocesses auto -m 'not local_cloud and not end_of_run and not browser'
FAST := --numprocesses auto -m 'not local_cloud and not end_of_run and not browser and not slow'

# What is installed, each redone when its lock changes. The emulator and the AWS SDK are compiled at once: where Python may not
# write byte code (PYTHONDONTWRITEBYTECODE), each start and restart of the local cloud would compile them again.
PYTHON_READY := .venv/.ready
NODE_READY := node_modules/.ready
WHEELS_READY := .build/.wheels-ready
WEB_READY := web/dist/index.html
PACKAGES := packages/appsync-events packages/appsync-events-local

.PHONY: help up down test test-fast test-web check format synth diff cost deploy load verify outputs snapshots \
        generate lock canary explain restore export-person erase-person retention change-report deployment-access \
        status doctor rollback destroy chat bench clean clean-all setup cutover

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(PYTHON_READY): requirements.lock $(wildcard packages/*/pyproject.toml)
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed, and none was found on the PATH. Install one, or name it: make PYTHON=/path/to/python3.12 …"; exit 1; }
	@echo "→ Python environment ($$($(PYTHON) --version), .venv)"
	@$(PYTHON) -m venv .venv || { echo "Could not make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip install --quiet --require-hashes -r requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/uv pip install --quiet --no-deps --no-build-isolation $(addprefix -e ,$(PACKAGES))
	@.venv/bin/python -m compileall -q .venv/lib/python*/site-packages/{ministack,botocore}
	@touch $@

$(NODE_READY): package-lock.json package.json .npmrc | $(PYTHON_READY)
	@echo "→ Node tools ($$(node --version) from the Python environment, node_modules)"
	@npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

$(WHEELS_READY): handlers/requirements.lock | $(PYTHON_READY)
	@echo "→ Wheels of the Lambda functions (.build)"
	@python -m stacks.packaging prepare --platform arm64
	@python -m stacks.packaging prepare --platform host
	@mkdir -p .build && touch $@

$(WEB_READY): $(NODE_READY) package.json contract/generated/types.ts $(shell find web/src web/index.html web/tsconfig.json -type f 2>/dev/null)
	@echo "→ Web page (web/dist)"
	@npm run --silent build:web

setup: $(PYTHON_READY) $(NODE_READY) $(WHEELS_READY) ## Install everything that the other commands need

up: setup $(WEB_READY) ## Run the whole backend on this machine: local cloud, demo users, web page (Ctrl-C stops it)
	@python -m local up

down: $(PYTHON_READY) ## Stop a local cloud that runs in the background; its state stays
	@python -m local down

chat: $(PYTHON_READY) ## Terminal chat as a demo user, while `make up` runs: make chat USER=1 (or 2)
	@python -m client.cli.chat --user $(USER_NUMBER)

test: setup $(WEB_READY) ## All tests, or those of ARGS: make test ARGS="tests/handlers/calls -k accept"
ifdef ARGS
	@pytest $(ARGS)
else
	@pytest $(SHARED)
	@pytest -m 'local_cloud or end_of_run or browser'
endif

test-fast: setup ## The tests that need no local cloud and no environment of their own, or those of ARGS
	@pytest $(FAST) $(ARGS)

check: setup ## Format, lint, types, generated files
	@ruff format --check . && ruff check .
	@mypy app.py contract stacks handlers local client packages/appsync-events/src packages/appsync-events-local/src ops appsync_js tools bench
	@npx --no-install eslint --max-warnings 0 appsync_js
	@npx --no-install tsc -p web --noEmit
	@zizmor --quiet --offline --strict-collection .github
	@python -m tools.generate --check

format: setup ## Format the code
	@ruff format . && ruff check --fix .

synth: setup ## Write the CloudFormation templates of one environment: make synth ENV=prod
	@npx --no-install cdk synth --quiet --no-notices -c env=$(ENV) --output cdk.out.$(ENV)
	@echo "Templates of $(ENV): cdk.out.$(ENV)/*.template.json"

diff: setup ## What a change does to an environment, offline: make diff ENV=prod [BASE=v1.2.0] [FAIL_ON=exposed] [REPORT=page.html]
	@python -m ops.diff --env $(ENV) $(if $(BASE),--base $(BASE)) $(if $(FAIL_ON),--fail-on $(FAIL_ON)) \
	  $(if $(REPORT),--$(if $(filter %.md,$(REPORT)),markdown,$(if $(filter %.json,$(REPORT)),json,html)) $(REPORT))

change-report: setup ## The change reports of all environments, and the comment of a pull request: make change-report [BASE=v1.2.0]
	@python -m ops.pull_requests.report --base "$(or $(BASE),origin/main)" --directory .build/change-report

cost: setup ## What an environment costs in a month: make cost ENV=prod [PROFILE=campus] [FREE=always]
	@python -m ops.costs --env $(ENV) --free $(FREE) $(if $(PROFILE),--profile $(PROFILE))

deployment-access: setup ## Deploy the roles that GitHub Actions deploys an environment with: make deployment-access ENV=prod
	@npx --no-install cdk deploy --no-notices --all -c env=$(ENV) -c deployment-access=yes

deploy: setup ## Deploy one environment with your AWS credentials: make deploy ENV=staging [YES=1]
	@python -m ops.deploy --env $(ENV) $(if $(YES),--yes)

rollback: setup ## Go back to the functions and channels of an older revision: make rollback ENV=staging TO=v1.2.0
	@$(if $(TO),,echo "Name the revision to go back to: make rollback ENV=$(ENV) TO=<revision>"; exit 1)
	@python -m ops.rollback --env $(ENV) --to $(TO) $(if $(YES),--yes)

destroy: setup ## Delete the stacks of a disposable environment, after its typed name: make destroy ENV=dev
	@python -m ops.destroy --env $(ENV)

outputs: setup ## Write the front end's environment file of a deployed environment: make outputs ENV=staging
	@python -m ops.outputs --env $(ENV)

load: setup ## Load an environment: make load ENV=local USERS=100 RATE=1 [SECONDS=30] [KNEE=1] [STORM=1] [PLOT=load.svg]
	@python -m ops.load --env $(ENV) --users $(USERS) --rate $(RATE) --seconds $(SECONDS) $(if $(KNEE),--knee) \
	  $(if $(STORM),--storm) $(if $(PLOT),--plot $(PLOT)) $(if $(YES),--yes)

canary: setup ## Create the canary's users of a deployed environment, or give them new passwords: make canary ENV=prod
	@python -m ops.canary --env $(ENV)

restore: setup ## Restore what was lost, step by step: make restore ENV=prod STEP=compare TIME=2026-11-29T08:30:00Z [APPLY=1]
	@python -m ops.data restore $(or $(STEP),compare) --env $(ENV) --time "$(TIME)" $(if $(APPLY),--apply)

export-person: setup ## Export what is stored about one person: make export-person ENV=prod PERSON=ID [OUTPUT=person.zip]
	@python -m ops.data export --env $(ENV) --user "$(PERSON)" $(if $(OUTPUT),--output "$(OUTPUT)")

erase-person: setup ## Erase one person: make erase-person ENV=prod PERSON=ID [APPLY=1]
	@python -m ops.data erase --env $(ENV) --user "$(PERSON)" $(if $(APPLY),--apply)

retention: setup ## Remove messages and calls that are older than ENV keeps them: make retention ENV=prod [APPLY=1]
	@python -m ops.data retention --env $(ENV) $(if $(APPLY),--apply)

verify: setup ## Test a deployed environment and print AWS's answers: make verify ENV=staging [YES=1] [ONLY=ID] [CREATE=no]
	@python -m ops.verify --env $(ENV) $(if $(YES),--yes) $(if $(ONLY),--only $(ONLY)) $(if $(filter no,$(CREATE)),--no-create)

explain: setup ## What happened to a message, call or user: make explain ENV=prod WHAT=message ID=… [FOR=USER]
	@python -m ops explain $(WHAT) $(ID) --env $(ENV) $(if $(FOR),--for $(FOR))

status: setup ## The state of an environment on one screen: make status ENV=prod [JSON=1]; local: the running local cloud
	@python -m ops.status --env $(ENV) $(if $(JSON),--json)

doctor: setup ## Check an environment and name the cause of a fault: make doctor ENV=prod [ONLY=D5] [CHANNEL=…] [ORIGIN=…] [TOKEN_FILE=…]
	@python -m ops.doctor --env $(ENV) $(if $(ONLY),--only $(ONLY)) $(if $(CHANNEL),--channel $(CHANNEL)) $(if $(ORIGIN),--origin $(ORIGIN)) \
	  $(if $(TOKEN_FILE),--token-file $(TOKEN_FILE)) $(if $(READ_ONLY),--read-only) $(if $(VERBOSE),--verbose) $(if $(JSON),--json)

cutover: setup ## The migration from Socket.IO: make cutover DO=check|backfill|status|verify ENV=prod [ARGS="--apply"]
	@python -m ops.cutover $(DO) --env $(ENV) $(ARGS)

snapshots: setup ## Rewrite the snapshots of the templates
	@pytest -q tests/stacks --update-snapshots

generate: setup ## Rewrite everything that is generated: contract/generated, pages in docs, lists in appsync_js
	@python -m tools.generate

bench: setup ## Measure; the figures in docs/reference/performance.md come from these
	@python -m bench

lock: ## Rewrite the lock files after a change of requirements.txt or package.json
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --output-file requirements.lock requirements.txt
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet --output-file handlers/requirements.lock handlers/requirements.txt
	@npm install --package-lock-only --ignore-scripts --loglevel=error

clean: ## Delete the local cloud's state, the built assets and the synthesised templates
	@if [ -x $(BIN)/python ]; then python -m local down 2>/dev/null || true; fi
	@rm -rf .local .build cdk.out cdk.out.* web/dist

clean-all: clean ## … and everything that was installed
	@rm -rf .venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
