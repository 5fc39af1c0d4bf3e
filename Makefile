SHELL := /bin/bash
BIN := .venv/bin
# bytecode is written once and read ever after; some containers switch that off
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-containers check audit bench-load bench-stream bench-marts soak quality stop status logs clean setup lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

run: setup ## set up, start the stack, provision, seed, run the pipeline through Airflow, show what happened
	@$(BIN)/promptsales run

test: setup ## set up and pass every test, on ports and a state folder of their own
	@$(BIN)/python -m tests

test-containers: setup ## start docker/compose.yml and follow rows to the marts; skipped where no Docker engine answers
	@$(BIN)/pytest -q tests/containers

check: setup ## format, lint of Python and SQL, layers, types, unit tests
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && $(BIN)/sqruff --parsing-errors lint -q . && $(BIN)/lint-imports --no-logo --no-cache && $(BIN)/mypy && $(BIN)/pytest -q tests/unit

audit: ## ask the package index for known vulnerabilities of the pinned packages (needs a network)
	@.ci/audit

bench-stream: setup ## measure the stream on the running stack: latency by load, and how fast a backlog is drained
	@$(BIN)/python -m bench.stream

quality: setup ## run every suite on the warehouse as it stands, write quality.xml (JUnit)
	@$(BIN)/promptsales check --all --junit quality.xml

bench-load: setup ## time loads beside their floor, on a stack of their own (needs a quiet machine, about ten minutes)
	@$(BIN)/python -m bench.load

bench-marts: setup ## how long marts take on the running stack's warehouse server, beside plain SQL
	@$(BIN)/python -m bench.marts stack
	@$(BIN)/python -m bench.marts

soak: setup ## break the stream every half minute for HOURS=1 on a stack of its own, compare every row after each fault
	@$(BIN)/python -m bench.soak --hours $(or $(HOURS),1)

status: setup ## ask each service how it is
	@$(BIN)/promptsales status

logs: setup ## follow the logs of all services
	@$(BIN)/promptsales logs --follow

stop: setup ## stop the stack, keep its data
	@$(BIN)/promptsales down

clean: ## stop the stack, remove its data and the environment
	@if [ -x $(BIN)/promptsales ]; then $(BIN)/promptsales down --remove; fi; rm -rf .venv .venv.audit .venv.log .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis

setup:
	@local/install

lock: ## pin the newest versions that fit setup.cfg (uv comes from the environment)
	@$(BIN)/uv pip compile -q --no-build-isolation --generate-hashes --upgrade --extra local --extra dev --custom-compile-command "make lock" setup.cfg -o requirements.txt
	@echo pip-audit | $(BIN)/uv pip compile -q --no-build-isolation --generate-hashes --upgrade --custom-compile-command "make lock" - -o .ci/audit.lock
