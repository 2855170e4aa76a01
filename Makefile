# Alur. `make help` lists the commands; a newcomer needs `make up` and `make test`.
# Every command does its own set-up: Python >= 3.11, make and git are enough.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Bytecode is compiled at set-up; a variable around us must not triple every start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up demo test check test-system bench format clean
help: ## what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Alur needs Python >= 3.11; give one with: make PYTHON=python3.11 ..."; exit 2; }
	@echo "Setting up $(VENV) (once; most of it is download)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib alur shared services || true
	@touch $@

up: $(READY) ## start everything on this machine, with the demo campus; Ctrl-C stops it
	@exec $(BIN)/alur up

demo: $(READY) ## walk one application through the eleven steps
	@exec $(BIN)/alur demo

test: $(READY) ## all tests that need no root, but for the house rules (make check)
	@$(BIN)/python -m pytest -m "not system" -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/house
	@echo "Left out: the house rules (make check), and tests marked 'system' (real hosts with systemd, root needed: make test-system)"

check: $(READY) ## format, lint, types, import rules, house rules
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/lint-imports
	@$(MAKE) --no-print-directory -j 2 types house

.PHONY: types house
types:
	@$(BIN)/mypy
house:
	@$(BIN)/python -m pytest tests/house

test-system: $(READY) ## real hosts with systemd, OpenSSH and nginx; needs root and Debian's packages
	@exec sh tests/system/run.sh $(BIN)/python

bench: $(READY) ## each figure beside its peer, in one run (10 minutes, nothing else running); writes docs/performance.md
	@exec $(BIN)/python -m bench

format: $(READY) ## put the code into its form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## remove what was set up and what was run (asks nothing: stop `make up` first)
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
