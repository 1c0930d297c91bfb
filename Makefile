# The three commands of everyday work. PYTHON names the environment: make check PYTHON=.venv/bin/python
PYTHON ?= .venv/bin/python

.PHONY: check fix test

check:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

fix:
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

test:
	$(PYTHON) -m pytest -n 2
