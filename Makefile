# `make help` says what there is. Every target does the set-up it needs; again it takes seconds.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help venv setup check check-ops test test-long faults soak bench demo docs lock clean

BIN := .venv/bin
ARGS ?=

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv:
	@scripts/setup

setup: venv ## Virtual environment, java, redis-server and Kafka's jars
	@$(BIN)/huitou stack prepare

check: venv ## Style, types, who may import whom, declared dependencies
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

# promtool may be where .ci/run puts it. Without it, what needs it is skipped, but in CI.
check-ops: venv ## Metrics, rules, runbooks and deploy/ agree; promtool sees each alert fire and end (half a minute)
	PATH="$$PATH:$${XDG_CACHE_HOME:-$$HOME/.cache}/huitou/bin" $(BIN)/pytest -n 2 tests/telemetry tests/deploy $(ARGS)

test: setup ## All tests but the long ones (some 11 minutes on 2 cores); ARGS go to pytest
	$(BIN)/pytest -m "not long" -n 2 --dist loadfile $(ARGS)

test-long: setup ## The tests that take minutes: replays, faults' tools, the built wheel
	$(BIN)/pytest -m long -n 2 --dist loadfile --durations=15 $(ARGS)

faults: setup ## 24 kinds of faults under load (needs go, PostgreSQL), as make faults MINUTES=10 SEED=7 WORKERS=2
	$(BIN)/python -m tests.faults $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(WORKERS),--workers $(WORKERS)) $(ARGS)

soak: setup ## Half an hour of steady load, or MINUTES=n: exit code 1 if the worker's memory grows; plot in soak.svg
	$(BIN)/python -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) --out soak.svg $(ARGS)

bench: setup ## CPU per event beside a stock Faust agent and the first domain; the paced load with its latencies
	$(BIN)/python -m tests.benchmarks $(ARGS)

demo: setup ## The main job with a live view, as make demo ARGS="--seconds 90 --summary s.json"
	@$(BIN)/huitou demo $(ARGS)

docs: venv ## Write what comes of catalogues anew: docs/metrics.md and the like, docs/campaigns.md, its schema
	$(BIN)/python -m streams.telemetry
	$(BIN)/python -m streams.authoring

lock: ## Write the lock files anew (uv must be on PATH)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 \
	    --custom-compile-command "make lock" pyproject.toml -o requirements.lock
	uv pip compile -q --universal --generate-hashes --python-version 3.11 \
	    --custom-compile-command "make lock" pyproject.toml --extra archive --extra query --extra webhook --extra journey --group dev -c requirements.lock \
	    -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --python-version 3.11 \
	    --custom-compile-command "make lock" pyproject.toml --extra archive --extra query --extra webhook -c requirements-dev.lock \
	    -o requirements-image.lock

clean: ## Remove what was built here; caches and stacks elsewhere stay
	rm -rf .venv .setup.lock dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find schemas producers streams tests -name __pycache__ -type d -prune -exec rm -rf {} +
