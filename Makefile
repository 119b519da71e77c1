# `make` alone says what there is. Needs make, sh and Python 3.11 or later; everything else lands in .venv.

BIN     := .venv/bin
READY   := .venv/.ready
NATIVE  := .venv/.native
PYTEST   = $(BIN)/pytest -q -n $(JOBS) --dist worksteal
PAIRS   := .venv/pairs
# How many processes run tests and mutants.
JOBS    ?= 2
# Suites that use the ledger and the applications to try something else. What they run does not count as
# covered: the parts' own tests cover every branch, and counting makes a suite take twice as long.
APART   := tests/bench tests/cli tests/crash tests/demo tests/docs tests/hostile tests/privacy tests/sim \
	tests/stories tests/testing tests/tools
QUICK   := not stateful and not consortium
# What some targets take:  make run INVOICES=DIR DATA=DIR   make cases CASES=PATH   make crash N=200   make test-native FUZZ=1000000
DATA     ?= .tally
INVOICES ?=
CASES    ?= examples
N        ?= 200
RECORDS  ?= 1000000
SECONDS  ?= 30
WORKLOADS ?= all
RUNS     ?= 5
OUT      ?= .bench
GROWTH   ?= 10000000
STORE    ?=
SEEDS    ?= 1000
SEED     ?=
NAME     ?=
REV      ?= HEAD
MOST     ?= 0
FUZZ     ?=
export PYTHON
# Tests start hundreds of processes: without kept bytecode each would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run consortium bench-consortium engine setup check check-types check-house test test-beside test-fast test-stateful test-consortium native test-native cases golden docs proto new-app lock crash parity consortium-crash crash-matrix sim bench bench-peer bench-growth bench-check bench-page state-sync mutate mutate-changed
.DEFAULT_GOAL := help
.SUFFIXES:

help:
	@echo "Tallystick: a permissioned ledger for finance."
	@for group in use work prove; do \
		echo; echo "$$group"; \
		sed -n "s/^\([a-z-]*\):.*## $$group: \(.*\)/\1|\2/p" Makefile | \
		while IFS='|' read -r name text; do printf '  make %-15s %s\n' "$$name" "$$text"; done; \
	done

# use ---------------------------------------------------------------------------------------------

run: $(READY) ## use: the story: ten institutions, real invoices, 97 days (INVOICES=DIR DATA=DIR)
	@$(BIN)/python -m tallystick.demo --data "$(DATA)" $(if $(INVOICES),--invoices "$(INVOICES)")

engine: $(READY) ## use: build CometBFT, which orders a consortium's blocks, into your cache
	@$(BIN)/tally engine install

consortium: $(READY) ## use: the same story on four validators, each with a CometBFT (INVOICES=DIR)
	@$(BIN)/python -m tallystick.demo.consortium $(if $(INVOICES),--invoices "$(INVOICES)")

# work --------------------------------------------------------------------------------------------

setup: $(READY) ## work: build .venv from requirements.lock (PYTHON=python3.12 chooses the interpreter)

$(READY): requirements.lock pyproject.toml tools/setup.sh
	@sh tools/setup.sh
	@touch $@

check: $(READY) ## work: format, lint, types, layers, house tests: under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(MAKE) --no-print-directory -j 2 check-types check-house

check-types: $(READY)
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml

check-house: $(READY)
	$(BIN)/pytest -q tests/house

# Real networks wait most of the time: the other tests run beside them, and after them in their turn.
test: check engine ## work: check, then every test; every branch of ledger and apps, every refusal
	@rm -rf $(PAIRS)
	@$(MAKE) --no-print-directory -j 2 test-consortium test-beside
	$(BIN)/python -m tools.pairs $(PAIRS)

test-beside: $(READY)
	@nice -n 5 $(MAKE) --no-print-directory test-fast
	@nice -n 5 $(MAKE) --no-print-directory test-stateful

test-fast: engine
	$(PYTEST) --ignore=tests/house $(APART:%=--ignore=%) -m "$(QUICK)" --cov --cov-report=term --pairs=$(PAIRS)
	$(PYTEST) $(APART) -m "$(QUICK)" --pairs=$(PAIRS)

test-stateful: $(READY)
	$(PYTEST) --ignore=tests/house -m stateful

test-consortium: engine
	$(BIN)/pytest -q --ignore=tests/house -m consortium --durations=10

native: $(NATIVE) ## work: build the native body and install it; needs Rust, for speed alone

$(NATIVE): $(READY) tools/native.sh $(shell find native -name "*.rs" -o -name "*.toml" -o -name "*.lock" -o -name "*.pyi")
	@sh tools/native.sh
	@touch $@

test-native: $(NATIVE) ## work: compare the native body with the Python one; crashes under it (FUZZ=1000000)
	$(PYTEST) native/tests $(if $(FUZZ),--fuzz=$(FUZZ))
	TALLY_ACCEL=both $(PYTEST) tests/stories tests/demo/test_story.py tests/ledger/test_formats.py
	TALLY_ACCEL=native TALLY_STORE=lsm $(PYTEST) -m "not consortium" tests/crash tests/sim tests/hostile \
		$(wildcard tests/engine/test_*.py tests/engine/cometbft/test_*.py)

cases: $(READY) ## work: play case files (CASES=PATH, default examples)
	@$(BIN)/tally cases $(CASES)

golden: $(READY) ## work: write golden receipts and vectors anew and show what changed
	@$(BIN)/tally cases --golden $(CASES)
	@git --no-pager diff --stat -- '*.golden*' tests/vectors

docs: $(READY) ## work: write the generated reference pages and tables
	@$(BIN)/python -m tools.docs

proto: $(READY) ## work: write the messages of ABCI in Python, from abci.proto
	@$(BIN)/python -m tools.proto

new-app: $(READY) ## work: NAME=warehouse: a new application's folder, passing every check
	@$(BIN)/python -m tools.new_app "$(NAME)" --register

lock: $(READY) ## work: resolve both requirements.lock anew from pyproject.toml
	@$(BIN)/python -m uv --no-config pip compile pyproject.toml --group dev --group build \
		--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --quiet --output-file requirements.lock $(LOCK)
	@$(BIN)/python -m uv --no-config pip compile native/pyproject.toml --group native/pyproject.toml:build \
		--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--no-emit-find-links --quiet --output-file native/requirements.lock $(LOCK)

# prove -------------------------------------------------------------------------------------------

crash: $(READY) ## prove: kill a node under load N times, restart, audit (N=200)
	@$(BIN)/python -m tests.crash --kills $(N)

parity: $(NATIVE) ## prove: N random transactions of each app, the same under both bodies (N=200000)
	@$(BIN)/python -m tests.parity --transactions $(N) --jobs $(JOBS)

consortium-crash: $(READY) ## prove: kill validators of a real network under load N times (N=200)
	@$(BIN)/python -m tests.consortium kills --kills $(N)

crash-matrix: $(READY) ## prove: stop a validator at every write, in every kind of block
	@$(BIN)/python -m tests.consortium matrix

sim: $(READY) ## prove: simulated consortia, crashed and lied to (SEEDS=1000, SEED=7 for one)
	@$(BIN)/python -m tests.sim --jobs $(JOBS) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

bench-consortium: $(NATIVE) ## prove: transfers a second on four validators; last line is JSON
	@$(BIN)/python -m tallystick.bench.consortium --out "$(OUT)"

state-sync: engine ## prove: a fifth validator begins at a snapshot of a large state (RECORDS=1000000)
	@$(BIN)/python -m tests.consortium.newcomer --records $(RECORDS)

bench: $(NATIVE) ## prove: transactions a second, end to end (SECONDS=30 WORKLOADS=all RUNS=5)
	@$(BIN)/python -m tallystick.bench --seconds $(SECONDS) --workloads $(WORKLOADS) --runs $(RUNS) --out "$(OUT)"

bench-growth: $(NATIVE) ## prove: what a larger state costs, up to GROWTH=10000000 records
	@$(BIN)/python -m tallystick.bench.growth --records $(GROWTH) --out "$(OUT)"

bench-peer: $(NATIVE) ## prove: the same payments on PostgreSQL, side by side
	@sh tools/postgresql.sh
	@$(BIN)/python -m tallystick.bench.peer --out "$(OUT)"

bench-check: $(READY) ## prove: no ratio of .ci/ratios.json has dropped by a quarter (STORE=1 writes it)
	@$(BIN)/python -m tallystick.bench.check .ci/ratios.json $(if $(STORE),--store)

bench-page: $(READY) ## prove: write the figures of the last runs into docs/performance.md
	@$(BIN)/python -m tools.performance "$(OUT)"

mutate: $(READY) ## prove: set every rule to True, one at a time: a test must fail each time
	@$(BIN)/python -m tools.mutate --jobs $(JOBS)

mutate-changed: $(READY) ## prove: the same for rules in files changed since REV (default HEAD)
	@$(BIN)/python -m tools.mutate --jobs $(JOBS) --changed $(REV) --at-most $(MOST)
