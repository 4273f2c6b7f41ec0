# Everything a newcomer and the CI need. `make` alone lists it.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
SHELL := /bin/bash

# The first of these that is new enough.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& command -v $$python && break; done)
BIN := .venv/bin
READY := .venv/.ready
RABBITMQ := /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server
ROOMS := schemas pipeline tasks receiver sandbox bench tests

.PHONY: help
help: ## List these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: setup
setup: $(READY) ## Make .venv and install what requirements.lock names

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Cratewire needs Python 3.11, 3.12 or 3.13 on the PATH.' >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv \
		|| { echo 'The venv module is incomplete; on Debian: apt-get install python3-venv' >&2; rm -rf .venv; exit 1; }
	@echo "Installing $$(grep -c '^[^ #].*==' requirements.lock) packages into .venv: a minute or two, most of it downloading."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@
	@echo 'Installed. Next: make demo, or make run.'

.PHONY: demo
demo: setup ## A sandbox store, a sandbox Customer.io, and everything between them; ARGS="--hooks 5000 --seed 7"
	$(BIN)/cratewire demo $(ARGS)

.PHONY: run
run: setup ## Everything on this machine in the foreground; ARGS="--port 8080 --data var"
	$(BIN)/cratewire run $(ARGS)

.PHONY: test
test: setup postgres pgbouncer rabbitmq systemd browser lint types contracts ## All that must hold: lint, types, import contracts, tests, coverage
	$(BIN)/python -m tests.run $(ARGS)
	$(BIN)/python -m tests.coverage_gate

.PHONY: lint
lint: setup ## Ruff: rules and format
	$(BIN)/ruff check $(ROOMS)
	$(BIN)/ruff format --check $(ROOMS)

.PHONY: fmt
fmt: setup ## Ruff: repair what can be repaired
	$(BIN)/ruff check --fix $(ROOMS)
	$(BIN)/ruff format $(ROOMS)

.PHONY: types
types: setup ## Mypy: strict on schemas and pipeline
	$(BIN)/mypy

.PHONY: contracts
contracts: setup ## Import-linter: who may import whom
	$(BIN)/lint-imports

.PHONY: mutants
mutants: setup ## Change the pure part in small ways and list what no test notices (an hour); ARGS='"pipeline.fan_out*"'
	timeout 7200 $(BIN)/mutmut run --max-children 2 $(ARGS)
	$(BIN)/mutmut results

.PHONY: bench
bench: setup ## What a hook costs, beside its peers (takes an hour); ARGS="--quick"
	$(BIN)/python -m bench $(ARGS)

.PHONY: chaos
chaos: setup postgres pgbouncer ## Kill, fill, cut and delay everything, and count what is lost; ARGS="--short --only valkey"
	$(BIN)/python -m bench.chaos $(ARGS)

# $(call debian,what it brings,package,and then): install Debian's package if what it brings is missing.
define debian
	@if ! compgen -G '$(1)' >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(2) $(3); \
		else \
			echo 'The tests need $(1); as root: apt-get install $(2)' >&2; exit 1; \
		fi; \
	fi
endef

.PHONY: postgres
postgres: ## Install Debian's PostgreSQL, which the tests start themselves, if it is missing
	$(call debian,/usr/lib/postgresql/*/bin/initdb,postgresql)

.PHONY: pgbouncer
pgbouncer: ## Install Debian's PgBouncer, if it is missing; no service of it is left running
	$(call debian,/usr/sbin/pgbouncer,pgbouncer,&& { systemctl disable --quiet --now pgbouncer 2>/dev/null || true; })

.PHONY: rabbitmq
rabbitmq: ## Install Debian's RabbitMQ, if it is missing; no service of it is left running
	$(call debian,$(RABBITMQ),rabbitmq-server,&& { systemctl disable --quiet --now rabbitmq-server 2>/dev/null || true; })

.PHONY: systemd
systemd: ## Install Debian's systemd, whose systemd-analyze checks the units, if it is missing
	$(call debian,/usr/bin/systemd-analyze,systemd)

.PHONY: browser
browser: ## Install Debian's Chromium, which the tests of the pages use, if it is missing
	$(call debian,/usr/bin/chromium,chromium)

.PHONY: settings
settings: setup ## Write .env.example and the README's table of settings from pipeline/settings
	$(BIN)/python -m pipeline.settings

.PHONY: lock
lock: setup ## Compile requirements.lock from pyproject.toml; ARGS=--upgrade takes newer versions
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras --extra dev \
		--output-file requirements.lock $(ARGS) pyproject.toml

.PHONY: clean
clean: ## Remove .venv, caches and coverage; the data directory stays
	rm -rf .venv build htmlcov mutants .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find $(ROOMS) -name __pycache__ -type d -prune -exec rm -rf {} +
