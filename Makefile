# Needs Python 3.11 or later and make. The environment in .venv is made on first use and kept
# until requirements.lock or pyproject.toml changes.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ROOMS := ledger projections replay

# The newest interpreter that can make an environment; PYTHON=... overrides it.
CAN := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,python3.14 python3.13 python3.12 python3.11 python3 python, \
	$(shell $(p) -c '$(CAN)' >/dev/null 2>&1 && echo $(p))))

.PHONY: help demo test accept check format lint types walls fix laws docs bench soak ci clean lock

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.installed ## replay the bundled story and explain a figure
	@$(BIN)/python -m replay.demo

test: $(VENV)/.installed ## run the whole test suite
	@HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -q -n auto

accept: $(VENV)/.installed ## run the acceptance tests against the installed command
	@$(BIN)/python tests/accept.py

check: $(VENV)/.installed ## judge format, lint, types and walls; changes nothing
	@$(MAKE) --no-print-directory --keep-going format lint types walls

format: $(VENV)/.installed
	@$(BIN)/ruff format --quiet --check . || { echo "format: 'make fix' rewrites what differs" >&2; \
		$(BIN)/ruff format --check . >&2; exit 1; }

lint: $(VENV)/.installed
	@$(BIN)/ruff check --quiet .

types: $(VENV)/.installed
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/basedpyright --level warning

walls: $(VENV)/.installed
	@$(BIN)/lint-imports --no-logo --no-cache >$(VENV)/walls.txt 2>&1 || { cat $(VENV)/walls.txt >&2; exit 1; }
	@$(BIN)/python -m pytest -q --no-header -p no:randomly tests/test_tidy.py

fix: $(VENV)/.installed ## rewrite format and what lint can repair by itself
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

laws: $(VENV)/.installed ## run the laws of the house alone
	@HYPOTHESIS_PROFILE=ci $(BIN)/python -m pytest -q -n auto tests/laws

docs: $(VENV)/.installed ## build the documents as a site in build/docs; a warning is an error
	@$(BIN)/python -m sphinx -q -E -n -W --keep-going -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

bench: $(VENV)/.installed ## measure append, fold and reads on this machine
	@$(BIN)/python benchmarks/spine.py
	@$(BIN)/python benchmarks/slider.py

soak: $(VENV)/.installed ## run the suite with the deep profile: hours, for nights
	@HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -q -n auto --timeout=0

ci: ## run what the build server runs
	@bash .ci/run

clean: ## remove the environment and every derived file
	@rm -rf $(VENV) .lock-env build dist .coverage htmlcov
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find $(ROOMS) tests benchmarks -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

lock: ## refresh requirements.lock: newest releases at least seven days old
	@$(call need_python)
	@test -d .lock-env || $(PYTHON) -m venv .lock-env
	@.lock-env/bin/python -m pip --disable-pip-version-check --quiet install uv
	@.lock-env/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-header --exclude-newer "7 days" --extra dev \
		pyproject.toml -o .lock-env/lock
	@{ head -n 1 requirements.lock; cat .lock-env/lock; } > .lock-env/requirements.lock
	@mv .lock-env/requirements.lock requirements.lock
	@rm -rf .lock-env

define need_python
test -n "$(PYTHON)" || { echo "rollforward needs Python 3.11 or later with venv and ensurepip;" \
	"none of python3.11 to python3.14, python3, python will do. Name one: make PYTHON=/path/to/python" >&2; exit 1; }
endef

$(VENV)/.locked: requirements.lock
	@$(call need_python)
	@echo "preparing $(VENV) with $$($(PYTHON) --version)" >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
