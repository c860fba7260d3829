# Everything a developer runs. Needs Python >= 3.10, make and git; all else goes into .venv, .venv-oldest and .venv-newest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Three at a time, on two processors, too: tests wait for servers and start-ups much of the time. A file stays
# together, so that its real Cognee server is started once.
PYTEST_WORKERS := -n 3 --dist loadfile
PYTHONS := python3.11 python3.12 python3.10 python3.13 python3 python
OLDEST_PYTHONS := python3.10 python3.11 python3 python
NEWEST_PYTHONS := python3.13 python3.12 python3 python

OLDEST := .venv-oldest
NEWEST := .venv-newest
# The one that every Cognee that pyproject.toml allows pins.
LADYBUG := ladybug==0.19.0

.PHONY: help setup demo dev test oldest newest mutants rounds sequences scale lint types docs bench clean

help: ## what can be done
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv and install into it (the other targets do it when needed)

demo: $(INSTALLED) ## two real Cognee datasets travel to a real remote Cognee; no key, no account
	@$(BIN)/python -m examples.demo

dev: $(INSTALLED) ## the demo's remote and datasets, and Dagster's UI over them; Ctrl-C stops all
	@$(BIN)/python -m examples.dev

test: $(INSTALLED) ## all tests, on real Cognee
	@$(BIN)/python -m pytest $(PYTEST_WORKERS) $(PYTEST_ARGS)

oldest: $(OLDEST)/.installed ## the tests that need no Cognee, with the oldest dependencies
	@$(OLDEST)/bin/python -m pytest $(PYTEST_WORKERS) tests/unit $(PYTEST_ARGS)

newest: $(NEWEST)/.installed ## the same with the newest Python that there is, and the newest of everything
	@$(NEWEST)/bin/python -m pytest $(PYTEST_WORKERS) tests/unit $(PYTEST_ARGS)

mutants: $(INSTALLED) ## break the code in 100 places and see whether a test notices; MUTANTS_ARGS="--help"
	@$(BIN)/python -m tests.mutation $(MUTANTS_ARGS)

rounds: $(INSTALLED) ## is a mirror of 2,000 nodes exact after each of 25 rounds of edits, on real Cognee? ROUNDS_ARGS="--help"
	@$(BIN)/python -m tests.rounds $(ROUNDS_ARGS)

sequences: $(INSTALLED) ## 2,000 sequences of pushes, rivals and faults on the fake remote: is what a push says so?
	@$(BIN)/python -m pytest -n 2 tests/unit/push_sequences.py $(PYTEST_ARGS)

scale: $(INSTALLED) ## do 20 datasets arrive once, over two Celery workers of which one is killed, and a backfill of 100 tenants?
	@SCALE_DATASETS=20 SCALE_TENANTS=100 $(BIN)/python -m pytest tests/e2e/test_celery.py tests/e2e/test_backfill.py $(PYTEST_ARGS)

lint: $(INSTALLED) ## ruff, and who may import whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports

types: $(INSTALLED) ## mypy --strict
	@$(BIN)/python -m mypy

docs: $(INSTALLED) ## the documentation as a site, in site/; a warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(INSTALLED) ## ours and Cognee's own side by side; BENCH_ARGS="push" for a part, "--help" for all
	@$(BIN)/python -m bench $(BENCH_ARGS)

clean: ## remove .venv and everything that was made here
	@rm -rf $(VENV) $(OLDEST) $(NEWEST) .sandbox .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage dist site *.egg-info

# A python3.x on the path may be a shim of pyenv for a version that is not active: so each is tried, not looked for.
# $(call make_venv,directory,condition on the version,in words,programs to try)
define make_venv
@for python in $(4); do \
  if $$python -c 'import sys; v = sys.hexversion; sys.exit(not ($(2)))' 2>/dev/null; then \
    echo "Making $(1) with $$($$python --version)"; exec $$python -m venv $(1); \
  fi; \
done; \
echo "No Python $(3) found; tried: $(4)" >&2; exit 1
endef

$(BIN)/python:
	$(call make_venv,$(VENV),v >= 0x30a0000,3.10 or newer,$(PYTHONS))

$(INSTALLED): pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) (first time: 1.6 GB with Cognee, some minutes); log: $(VENV)/install.log"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -e '.[cognee,webserver,dg,integration,dev]' 2>&1 \
	  | tee $(VENV)/install.log \
	  | awk '/^(Collecting|Requirement already)/ { if (++count % 50 == 0) print "  " count " requirements looked up"; fflush() } \
	         /^Installing collected/ { print "  " count " requirements looked up, installing"; fflush() }' \
	  || { tail -n 25 $(VENV)/install.log >&2; exit 1; }
	@touch $@

# For newer Pythons the oldest dependencies have no wheels.
$(OLDEST)/bin/python:
	$(call make_venv,$(OLDEST),0x30a0000 <= v < 0x30c0000,3.10 or 3.11,$(OLDEST_PYTHONS))

$(OLDEST)/.installed: pyproject.toml | $(OLDEST)/bin/python
	@echo "Installing the oldest dependencies into $(OLDEST)"
	@sed -n '/^dependencies/,/^]/s/^ *"\([a-z-]*\)>=\([0-9.]*\).*/\1==\2/p' pyproject.toml > $(OLDEST)/constraints.txt
	@$(OLDEST)/bin/python -m pip install --disable-pip-version-check --quiet --constraint $(OLDEST)/constraints.txt \
	  -e '.[dev]' $(LADYBUG)
	@touch $@

$(NEWEST)/bin/python:
	$(call make_venv,$(NEWEST),v >= 0x30c0000,3.12 or newer,$(NEWEST_PYTHONS))

$(NEWEST)/.installed: pyproject.toml | $(NEWEST)/bin/python
	@echo "Installing the newest dependencies into $(NEWEST)"
	@$(NEWEST)/bin/python -m pip install --disable-pip-version-check --quiet -e '.[dev]' $(LADYBUG)
	@touch $@
