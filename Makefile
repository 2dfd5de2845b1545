# One command each; `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
STATE := .ops-platform
# Candidates for the virtual environment; `make PYTHON=/path/to/python3.12 ...` says which.
PYTHON ?= python3.12 python3.13 python3.11 python3 python
WORKERS ?= 2
# For `make run`, such as OPTIONS='--port-base 4000'.
OPTIONS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check -q

.PHONY: run test test-slow check bench contract-aws lock clean help

run: .venv/.installed ## Run everything on this machine: two AWS accounts, Slack, Dagster, demo flows
	@exec $(BIN)/ops-platform embedded up --demo $(OPTIONS)

test: .venv/.installed ## Run the tests, except the slow ones
	$(BIN)/pytest -q -n $(WORKERS) -m "not slow"

test-slow: .venv/.installed ## Run the slow tests: kills, soaks, browsers, whole runs
	$(BIN)/pytest -q -m slow

check: .venv/.installed ## Check format, lint, types, imports, templates and documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/cfn-lint deploy/*.yaml
	$(BIN)/pytest -q -p no:randomly ops_platform_tests/test_configuration_docs.py ops_platform_tests/test_architecture.py

bench: .venv/.installed ## Measure, and compare with the targets
	$(BIN)/python -m bench

contract-aws: .venv/.installed ## Run the adapters' contract suite against a real AWS account, read-only
	$(BIN)/pytest -q -p no:xdist -p no:cacheprovider ops_platform_tests/adapters/contract_aws.py

lock: ## Pin every dependency anew in requirements.lock; needs uv
	@command -v uv > /dev/null || { echo "uv is not installed; get it with: pipx install uv" >&2; exit 1; }
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-strip-extras --extra embedded --extra dev $(UPGRADE) pyproject.toml -o requirements.lock

clean: ## Remove the embedded edition's state and all caches, but not .venv
	@if [ -e $(STATE)/up.lock ] && command -v flock > /dev/null && ! flock -n $(STATE)/up.lock true; then \
	  echo "The embedded edition is running on $(STATE)/; stop it first." >&2; exit 1; fi
	rm -rf $(STATE) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The lock has the build backend too, so that our own install asks no index for anything.
.venv/.installed: .venv/.locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.locked: requirements.lock
	@python=$$(for candidate in $(PYTHON); do \
	  "$$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null \
	    && echo "$$candidate" && break; done); \
	if [ -z "$$python" ]; then \
	  echo "No Python 3.11 or newer that can make a virtual environment was found among: $(PYTHON)." >&2; \
	  echo "Install one (on Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python3.12" >&2; \
	  exit 1; fi; \
	echo "Making .venv with $$("$$python" --version); this takes a minute or two."; \
	"$$python" -m venv --clear .venv
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@touch $@
