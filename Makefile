# Everything that developers and the CI need. `make` alone lists the targets.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
SHELL := /bin/bash

# The first suitable one.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null \
	&& command -v $$python && break; done)
BIN := .venv/bin
READY := .venv/.ready
PRODUCT := .venv/.product
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras
RABBITMQ := /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server
ROOMS := schemas pipeline tasks receiver sandbox bench tests

.PHONY: help
help: ## List these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | while IFS=$$'\t' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

# $(call install,a lock): a .venv with the packages of that lock, by uv, which pip installs in the version of requirements.lock.
# All is compiled at once: otherwise every process that may not write there compiles 2,000 modules at each start.
define install
	@test -n "$(PYTHON)" || { echo 'Cratewire needs Python 3.11, 3.12, 3.13 or 3.14 on the PATH.' >&2; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv \
		|| { echo 'The venv module is incomplete; on Debian: apt-get install python3-venv' >&2; rm -rf .venv; exit 1; }
	@echo "Installing $$(grep -c '^[^ #].*==' $(1)) packages into .venv: seconds, most of it downloading."
	@sed -n '/^uv==/,/^    # via/p' requirements.lock > .venv/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r $(1) \
		|| { echo 'uv could not install them; pip, which may be configured otherwise, is asked: a minute or two.' \
		&& $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); }
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q schemas pipeline tasks receiver sandbox
	@touch $@
	@echo 'Installed. Next: make demo, or make run.'
endef

.PHONY: setup
setup: $(READY) ## Create .venv with everything that runs, checks and develops Cratewire

$(READY): requirements.lock pyproject.toml
	$(call install,requirements.lock)

# What only runs Cratewire needs no linter and no browser's driver; a .venv that has them is kept up to date instead.
.PHONY: product
product: $(if $(wildcard $(READY)),$(READY),$(PRODUCT))

$(PRODUCT): product.lock pyproject.toml
	$(call install,product.lock)

.PHONY: demo
demo: product ## Run a sandbox store, a sandbox Customer.io, and everything between them; ARGS="--hooks 5000 --seed 7"
	$(BIN)/cratewire demo $(ARGS)

.PHONY: demos
demos: product ## Run the demo for every platform; ARGS="--hooks 500"
	for platform in $$($(BIN)/python -c 'from receiver.demo.platforms import PLATFORMS; print(*PLATFORMS)'); do $(BIN)/cratewire demo --platform $$platform $(ARGS) || exit 1; done

.PHONY: run
run: product ## Run everything on this machine in the foreground; ARGS="--port 8080 --data var"
	$(BIN)/cratewire run $(ARGS)

.PHONY: test
test: setup postgres pgbouncer rabbitmq systemd browser lint types contracts ## Run every check: lint, types, import contracts, tests, coverage
	$(BIN)/python -m tests.run $(ARGS)
	$(BIN)/python -m tests.coverage_gate

.PHONY: lint
lint: setup ## Check rules and format with Ruff
	$(BIN)/ruff check $(ROOMS)
	$(BIN)/ruff format --check $(ROOMS)

.PHONY: fmt
fmt: setup ## Fix and format with Ruff
	$(BIN)/ruff check --fix $(ROOMS)
	$(BIN)/ruff format $(ROOMS)

.PHONY: types
types: setup ## Check types with mypy, strict on schemas and pipeline
	$(BIN)/mypy

.PHONY: contracts
contracts: setup ## Check the import contracts with import-linter
	$(BIN)/lint-imports

.PHONY: mutants
mutants: setup ## Mutate the pure part and list the mutants that survive the tests (an hour); ARGS='"pipeline.fan_out*"'
	@test -x .venv-mutants/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-mutants
	VIRTUAL_ENV=.venv-mutants $(BIN)/uv pip install --quiet --require-hashes -r mutants.lock
	VIRTUAL_ENV=.venv-mutants $(BIN)/uv pip install --quiet --no-build-isolation --no-deps -e .
	timeout 7200 .venv-mutants/bin/mutmut run --max-children 2 $(ARGS)
	.venv-mutants/bin/mutmut results

.PHONY: bench
bench: setup postgres ## Measure what a hook costs, compared with other designs (an hour); ARGS="--quick"
	$(BIN)/python -m bench $(ARGS)

.PHONY: screenshots
screenshots: setup browser ## Make a picture of every page, in light, dark and on a phone, into docs/screenshots (3 minutes)
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

.PHONY: chaos
chaos: setup postgres pgbouncer ## Inject faults everywhere and count what is lost; ARGS="--short --only valkey"
	$(BIN)/python -m bench.chaos $(ARGS)

.PHONY: year
year: setup ## Live a year of a store with each kind of warehouse, and check every box; ARGS="--years 3 --seed 7"
	$(BIN)/python -m bench.year $(ARGS)

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
postgres: ## Install Debian's PostgreSQL for tests, bench and chaos, if it is missing
	$(call debian,/usr/lib/postgresql/*/bin/initdb,postgresql)

.PHONY: pgbouncer
pgbouncer: ## Install Debian's PgBouncer for the tests, if it is missing; its service is disabled
	$(call debian,/usr/sbin/pgbouncer,pgbouncer,&& { systemctl disable --quiet --now pgbouncer 2>/dev/null || true; })

.PHONY: rabbitmq
rabbitmq: ## Install Debian's RabbitMQ for the tests, if it is missing; its service is disabled
	$(call debian,$(RABBITMQ),rabbitmq-server,&& { systemctl disable --quiet --now rabbitmq-server 2>/dev/null || true; })

.PHONY: systemd
systemd: ## Install Debian's systemd for systemd-analyze, if it is missing
	$(call debian,/usr/bin/systemd-analyze,systemd)

.PHONY: browser
browser: ## Install Debian's Chromium for the browser tests, if it is missing
	$(call debian,/usr/bin/chromium,chromium)

.PHONY: docs
docs: setup ## Build the documents as a site into build/site (seconds, offline)
	$(BIN)/python -m tests.documents.site

.PHONY: settings
settings: setup ## Write .env.example and the table in docs/configuration.md from pipeline/settings
	$(BIN)/python -m pipeline.settings

.PHONY: lock
lock: setup ## Compile requirements.lock from pyproject.toml; ARGS=--upgrade takes newer versions
	$(COMPILE) --extra dev --extra build --output-file requirements.lock $(ARGS) pyproject.toml
	$(COMPILE) --extra otel --extra build --constraint requirements.lock --output-file product.lock $(ARGS) pyproject.toml
	$(COMPILE) --extra dev --extra build --extra mutants --constraint requirements.lock --output-file mutants.lock $(ARGS) pyproject.toml

.PHONY: images
images: setup ## Pin the images of the Dockerfile and docker-compose.yml to what their tags mean today; asks their registry
	$(BIN)/python -m tests.deploy.release.images

.PHONY: release
release: setup ## Build wheel, sdist, SBOM and checksums of this commit into dist/, the same bytes each time
	$(BIN)/python -m tests.deploy.release

.PHONY: clean
clean: ## Remove .venv, caches and coverage; the data directory stays
	rm -rf .venv .venv-mutants build htmlcov mutants .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find $(ROOMS) -name __pycache__ -type d -prune -exec rm -rf {} +
