# make run    set up and run two sample programs        make lint      ruff and mypy alone
# make test   set up and prove everything                make bench     measure (build/bench.md)
# Generated:  make samples · make leaf · make services · make lock

SHELL  := /bin/sh
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
PIP    := $(PY) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

# Nothing of the caller's Python may leak into ours.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
export PYTHONNOUSERSITE := 1

.PHONY: run test lint format bench samples leaf services lock clean

run: $(VENV)/.ready
	@echo "── ntos run samples/bin/hello_printf.exe   (prints, and returns 7 from main)"
	@$(PY) -m ntos run samples/bin/hello_printf.exe; code=$$?; echo "── exit code $$code"; test $$code -eq 7
	@echo "── ntos run samples/bin/parent.exe   (starts children, waits for them, reads their exit codes)"
	@$(PY) -m ntos run samples/bin/parent.exe

test: lint
	$(PY) -m pytest -n 2

lint: $(VENV)/.ready-dev
	$(PY) -m ruff check
	$(PY) -m mypy

format: $(VENV)/.ready-dev
	$(PY) -m ruff format

bench: $(VENV)/.ready-dev
	$(PY) -m bench.run

samples: $(VENV)/.ready-dev
	$(PY) samples/build.py

leaf: $(VENV)/.ready-dev
	$(PY) -m ntos.um.leaf.build

services: $(VENV)/.ready
	$(PY) -m ntos services --markdown > build.coverage.tmp
	mv build.coverage.tmp docs/coverage.md

# The newest versions that pyproject.toml allows, as a new lock.
lock:
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet -e '.[dev]'
	{ sed -n '/^#/p' requirements.lock; build/lock/bin/python -m pip freeze --exclude-editable; } > build/lock/new
	mv build/lock/new requirements.lock

clean:
	rm -rf build $(VENV)

# A stamp per level, renewed when the lock or the project's metadata changes.
$(VENV)/.ready: requirements.lock pyproject.toml | $(PY)
	@echo "── setting up $(VENV) (once)"
	$(PIP) --editable .
	@touch $@

$(VENV)/.ready-dev: requirements.lock pyproject.toml | $(PY)
	@echo "── setting up $(VENV) with the developers' tools (once)"
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.ready

# Debian's python3 comes without ensurepip; its pip can still fill a bare environment.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ntos needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(PY) install --quiet pip; }
