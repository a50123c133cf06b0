# `make help` lists what there is. Everything that needs more than one line lives in deploy/demo/.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

PY := .venv/bin/python
# An exported KUBECONFIG is somebody's real cluster: only `make demo KUBECONFIG=path` means it.
ifeq ($(origin KUBECONFIG),command line)
KUBECONFIG_FLAG := --kubeconfig "$(KUBECONFIG)"
endif
PYTHON_SOURCES := $(wildcard access bench config democluster deploy kube protocol targets terminal \
	tests manage.py)
PIP_COMPILE := .venv/bin/pip-compile --quiet --generate-hashes --strip-extras --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links --no-annotate --no-header
SYSTEM_PACKAGES := chromium curl fonts-noto-cjk fonts-noto-color-emoji git postgresql procps \
	python3-venv redis-server tmux vim-tiny

##@ See it
.PHONY: help demo
help: ## List the commands
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile
demo: ## Run Hatchway with a demo cluster [KUBECONFIG=path for your own; HATCHWAY_PORT=8000]
	@exec deploy/demo/start demo $(KUBECONFIG_FLAG)

##@ Work on it
.PHONY: dev setup test check check.ruff check.mypy check.imports check.django check.frontend bench build
dev: ## The same with a reloading server and Vite
	@exec deploy/demo/start dev $(KUBECONFIG_FLAG)
setup: ## Install what tests and checks need
	@exec deploy/demo/start setup
test: setup ## Run every check and test that this machine can run
	@failed=""; \
	$(MAKE) check || failed="$$failed check"; \
	(cd frontend && npm test) || failed="$$failed vitest"; \
	$(PY) -m pytest -p tests.needs -p tests.second_try -r fER -o faulthandler_timeout=180 || failed="$$failed pytest"; \
	if [ -n "$$failed" ]; then echo "Failed:$$failed"; exit 1; fi
check: setup ## Lint, types, architecture contracts
	@$(MAKE) --keep-going check.ruff check.mypy check.imports check.django check.frontend
check.ruff:
	$(PY) -m ruff check $(PYTHON_SOURCES)
	$(PY) -m ruff format --check $(PYTHON_SOURCES)
check.mypy:
	$(PY) -m mypy $(PYTHON_SOURCES)
check.imports:
	.venv/bin/lint-imports
check.django:
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run
check.frontend:
	cd frontend && npm run check
bench: setup ## Measure: one JSON object per figure and line [SUITE=terminal]
	@exec $(PY) -m bench $(SUITE)
build: ## Build the frontend
	@exec deploy/demo/start build

##@ Look after it
.PHONY: system lock clean
system: ## Install what the tests use from Debian (as root)
	@[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null || \
		{ echo "make system needs root on Debian. It would install: $(SYSTEM_PACKAGES)" >&2; exit 1; }
	apt-get -o DPkg::Lock::Timeout=300 -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq -y \
		--no-install-recommends install $(SYSTEM_PACKAGES)
lock: setup ## Compile requirements/*.txt again
	$(PIP_COMPILE) -o requirements/runtime.txt pyproject.toml
	$(PIP_COMPILE) --allow-unsafe --extra dev -o requirements/dev.txt pyproject.toml
clean: ## Remove everything that can be made again, and the demo's data
	rm -rf .venv .demo .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf frontend/node_modules static/dist staticfiles test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
