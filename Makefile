SHELL := /bin/bash
BIN := .venv/bin
# bytecode is written once and read ever after; some containers switch that off
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test test-bi test-containers check audit bi bench-load bench-peers bench-stream bench-marts soak quality stop status logs clean setup lock check-types check-units check-sql check-layers check-lint check-format

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

run: setup ## set up, start the stack, provision, seed, run the pipeline through Airflow, show what happened
	@$(BIN)/promptsales run

test: setup ## set up and pass every test, on ports and a state folder of their own
	@$(BIN)/python -m tests

test-bi: setup ## start Superset on a stack of its own, compare what its dashboards show with core, parse the dbt files
	@bi/install && bi/install dbt && $(BIN)/pytest -q tests/bi

test-containers: setup ## start docker/compose.yml and follow rows to the marts; skipped where no Docker engine answers
	@$(BIN)/pytest -q tests/containers

check: setup ## format, lint of Python and SQL, layers, types, unit tests
	@$(MAKE) --no-print-directory --jobs --output-sync check-types check-units check-sql check-layers check-lint check-format

check-types:
	@$(BIN)/mypy

check-units:
	@$(BIN)/pytest -q tests/unit

check-sql:
	@$(BIN)/sqruff --parsing-errors lint -q .

check-layers:
	@$(BIN)/lint-imports --no-logo --no-cache

check-lint:
	@$(BIN)/ruff check -q .

check-format:
	@$(BIN)/ruff format --check -q .

bi: setup ## serve dashboards with Superset on the running stack, until Ctrl-C
	@bi/install && $(BIN)/promptsales bi

audit: ## ask the package index for known vulnerabilities of the pinned packages (needs a network)
	@.ci/audit

bench-stream: setup ## measure the stream on the running stack: latency, CPU time and backlog, or one load for HOURS=1
	@$(BIN)/python -m bench.stream $(if $(HOURS),--hours $(HOURS))

quality: setup ## run every suite on the warehouse as it stands, write quality.xml (JUnit)
	@$(BIN)/promptsales check --all --junit quality.xml

bench-load: setup ## time loads beside their floor, on a stack of their own (needs a quiet machine, about ten minutes)
	@$(BIN)/python -m bench.load

bench-peers: setup ## time our load beside dlt, sling and ingestr, each installed apart; writes bench/RESULTS.md (needs a network)
	@$(BIN)/python -m bench.peers --write

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
	@if [ -x $(BIN)/promptsales ]; then $(BIN)/promptsales down --remove; fi; rm -rf .venv .venv.audit .venv.bi .venv.bi.log .venv.dbt .venv.dbt.log .venv.log .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis

setup:
	@local/install

lock: ## pin the newest versions that fit setup.cfg (uv comes from the environment)
	@$(BIN)/uv pip compile -q --no-build-isolation --generate-hashes --upgrade --extra local --extra dev --custom-compile-command "make lock" setup.cfg -o requirements.txt
	@$(BIN)/uv pip compile -q --no-build-isolation --generate-hashes --upgrade --custom-compile-command "make lock" bi/requirements.in -o bi/requirements.txt
	@$(BIN)/uv pip compile -q --no-build-isolation --generate-hashes --upgrade --custom-compile-command "make lock" bi/dbt/requirements.in -o bi/dbt/requirements.txt
	@for tool in dlt sling ingestr; do $(BIN)/uv pip compile -q --no-build-isolation --no-config --python-version 3.11 --generate-hashes --upgrade --custom-compile-command "make lock" bench/peers/$$tool.in -o bench/peers/$$tool.lock; done
	@echo pip-audit | $(BIN)/uv pip compile -q --no-build-isolation --generate-hashes --upgrade --custom-compile-command "make lock" - -o .ci/audit.lock
