# Everything runs in a virtual environment of its own, made with plain Python and pip.
#   PYTHON=python3.12  another interpreter        ARGS="..."  more arguments for demo and test

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A Python that was removed or upgraded leaves an environment that no longer works.
ifneq ($(wildcard $(VENV)),)
ifneq ($(shell { $(BIN)/python -c "import pip; print('works')"; } 2>/dev/null),works)
$(shell rm -rf $(VENV))
endif
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint format clean

help:
	@echo "make demo    show the whole loop on an embedded broker, with a page to review on"
	@echo "make test    run the tests; those of Kafka need Docker, or Java 17 with Maven"
	@echo "make lint    check format, style, types and layers"
	@echo "make format  format the code"
	@echo "make clean   remove what these commands made"

demo: $(VENV)/demo.stamp
	@$(BIN)/streamal demo $(ARGS)

test: $(VENV)/develop.stamp
	@$(BIN)/python -m pytest -ra -n auto --dist loadfile $(ARGS)

lint: $(VENV)/develop.stamp
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/develop.stamp
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pip.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "streamal needs Python 3.11 or newer, which $(PYTHON) is not: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up $(VENV), once ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1" || { \
	  echo "streamal needs pip 25.1 or newer, which could not be installed into $(VENV)" >&2; exit 1; }
	@touch $@

$(VENV)/demo.stamp: pyproject.toml $(VENV)/pip.stamp
	@echo "Installing streamal ..."
	@$(BIN)/python -m pip install --quiet --editable ".[console]"
	@touch $@

$(VENV)/develop.stamp: pyproject.toml $(VENV)/pip.stamp
	@echo "Installing streamal with the tools for its tests ..."
	@$(BIN)/python -m pip install --quiet --editable . --group test --group lint
	@touch $@ $(VENV)/demo.stamp
