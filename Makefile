# Two commands for a fresh machine with Python 3.11, git and make: `make demo` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
export PYTHONHASHSEED := 0
# Libraries are compiled once, whatever the machine asks: without their bytecode each start takes 10 s more.
export PYTHONDONTWRITEBYTECODE :=

ifdef UV
MAKE_VENV = uv venv --quiet --python $(PYTHON) $(VENV)
INSTALL = VIRTUAL_ENV=$(VENV) uv pip install --quiet --require-hashes -r
INSTALL_SELF = VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
else
MAKE_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r
INSTALL_SELF = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif

help:  ## List the commands.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

$(VENV)/.run: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(MAKE_VENV)
	$(INSTALL) requirements.lock
	$(INSTALL_SELF)
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(INSTALL) requirements-dev.lock
	touch $@

demo: $(VENV)/.run  ## Run the whole job on the embedded region, offline: demo/runs/current/map.html
	$(BIN)/gateline demo --out demo

test: $(VENV)/.dev lint  ## The whole gate: style, types, contracts, tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev  ## Style, types, import direction and docstrings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.docstrings

lock:  ## Renew both lock files (needs uv)
	uv pip compile pyproject.toml --group dev --group build --extra fetch --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -o requirements-dev.lock
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -c requirements-dev.lock -o requirements.lock

clean:  ## Delete what the commands above made
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache *.egg-info

.PHONY: help demo test lint lock clean
