# The front door. Each target sets up what it needs; CI runs the same targets and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BROKER ?= embedded
# Tests run in as many processes as there are processors, at most four: they share two small servers.
WORKERS ?= $(shell n=$$($(PYTHON) -c 'import os; print(os.cpu_count() or 1)'); [ $$n -gt 4 ] && echo 4 || echo $$n)

# Fuzzing: how long each way in is fuzzed by `make fuzz`, and how many inputs each gets in the short run of `make test-all`.
FUZZ_SECONDS ?= 600
FUZZ_RUNS ?= 1000

# The soak: how many processes are killed, for how long at most, and the seed that repeats a run (empty: a new one).
SOAK_KILLS ?= 1000
SOAK_SECONDS ?= 1800
SOAK_SEED ?=

.PHONY: help setup lint format test test-all test-browser fuzz fuzz-short mutation interop bench soak vectors docs demo serve ui-vendor clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $(STAMP)

setup: $(STAMP)  ## virtual environment, the command gateway, development keys
	@$(BIN)/gateway keys new --development

lint: $(STAMP)  ## formatter, linter, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## rewrite files in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

test: setup  ## all tests but the browser's; starts private PostgreSQL and RabbitMQ
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m 'not browser'

test-browser: setup  ## pages in a real browser (Chromium from the distribution)
	$(BIN)/pytest -m browser tests/browser

test-all: test fuzz-short test-browser  ## all of them, and a short fuzzing of every way in

fuzz: setup  ## fuzz every way in, FUZZ_SECONDS each (docs/fuzzing.md)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev,fuzz]'
	sh scripts/fuzz.sh $(BIN)/python -max_total_time=$(FUZZ_SECONDS)

fuzz-short: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev,fuzz]' \
		|| echo 'fuzzing left out: atheris cannot be installed for this Python'
	@if $(BIN)/python -c 'import atheris' 2>/dev/null; then sh scripts/fuzz.sh $(BIN)/python -seed=1 -runs=$(FUZZ_RUNS) -verbosity=0; fi

mutation: setup  ## change the clock in one small way at a time: a test must notice (docs/mutation.md)
	$(BIN)/python scripts/mutate.py

interop: setup  ## checks against other people's software (needs a JDK)
	PYTHONPATH=. $(BIN)/python scripts/interop.py

bench: setup  ## throughput and latency against the straight-line prototype; writes benchmarks/results.json
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev,bench]'
	$(BIN)/python benchmarks/run.py

soak: setup  ## kill, cut and fill up everything under load, and compare the books (docs/soak.md); writes benchmarks/soak.json
	PYTHONPATH=benchmarks:. $(BIN)/python -m soak --kills $(SOAK_KILLS) --seconds $(SOAK_SECONDS) $(if $(SOAK_SEED),--seed $(SOAK_SEED)) --out benchmarks/soak.json

vectors: setup  ## examples and broken inputs, made anew; leaves no diff
	$(BIN)/python scripts/make_examples.py
	$(BIN)/python scripts/make_vectors.py

docs: setup  ## OpenAPI document and command reference, made anew; leaves no diff
	$(BIN)/python scripts/make_docs.py

demo: setup  ## the main job, step by step; BROKER=rabbitmq for two gateways over a private RabbitMQ
	@$(BIN)/gateway demo --broker $(BROKER)

serve: setup  ## the demonstration with API and pages kept up
	@$(BIN)/gateway demo --serve

ui-vendor:  ## compile the style sheet again (needs node; the compiled file is committed)
	sh scripts/build_styles.sh

clean:  ## remove what can be made again; keys and database in .gateway stay
	rm -rf $(VENV) demo-out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
