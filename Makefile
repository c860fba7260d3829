# Everything a developer runs. Needs Python >= 3.10, make and git; all else goes into .venv, nothing is global.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Two at a time: tests wait for servers and start-ups most of the time. A file stays together, so that its real Cognee
# server is started once.
PYTEST_WORKERS := -n 2 --dist loadfile
PYTHONS := python3.11 python3.12 python3.10 python3.13 python3 python

.PHONY: help setup demo dev test lint types bench clean

help: ## what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv and install into it (the other targets do it when needed)

demo: $(INSTALLED) ## two real Cognee datasets travel to a real remote Cognee; no key, no account
	@$(BIN)/python -m examples.demo

dev: $(INSTALLED) ## the demo's remote and datasets, and Dagster's UI over them; Ctrl-C stops all
	@$(BIN)/python -m examples.dev

test: $(INSTALLED) ## all tests, on real Cognee
	@$(BIN)/python -m pytest $(PYTEST_WORKERS) $(PYTEST_ARGS)

lint: $(INSTALLED) ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED) ## mypy --strict
	@$(BIN)/python -m mypy

bench: $(INSTALLED) ## ours and Cognee's own side by side; BENCH_ARGS="push" for a part, "--help" for all
	@$(BIN)/python -m bench $(BENCH_ARGS)

clean: ## remove .venv and everything that was made here
	@rm -rf $(VENV) .sandbox .mypy_cache .pytest_cache .ruff_cache .hypothesis dist *.egg-info

# A python3.x on the path may be a shim of pyenv for a version that is not active: so each is tried, not looked for.
$(BIN)/python:
	@for python in $(PYTHONS); do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version)"; exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "No Python >= 3.10 found; tried: $(PYTHONS)" >&2; exit 1

$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (first time: 1.6 GB with Cognee, some minutes); log: $(VENV)/install.log"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -e '.[cognee,webserver,dev]' 2>&1 \
	  | tee $(VENV)/install.log \
	  | awk '/^(Collecting|Requirement already)/ { if (++count % 50 == 0) print "  " count " requirements looked up"; fflush() } \
	         /^Installing collected/ { print "  " count " requirements looked up, installing"; fflush() }' \
	  || { tail -n 25 $(VENV)/install.log >&2; exit 1; }
	@touch $@
