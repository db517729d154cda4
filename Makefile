# Two commands matter: `make demo` (train the sample, open the dashboard) and `make test` (the whole suite).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
ADDRESS ?= 127.0.0.1
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false
# What one process has compiled is compiled for all others, of which tests and trainings start many.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup app demo test test-code test-browser browser-setup check audit hashes bench docs words screenshots

# pip would compile four times as many modules as are ever loaded.
PIP := --no-compile --quiet --disable-pip-version-check -c constraints.txt

# `make setup HASHES=1`: every file is held against its known hash first, but PyTorch's, which every machine has another of.
HELD := install --no-compile --quiet --disable-pip-version-check --no-deps --require-hashes -r hashes.txt

# Loaded once, so that it is compiled: a process that may not keep what it compiles (PYTHONDONTWRITEBYTECODE, as in many
# containers) would do so every time, which costs a training 5 processor seconds, and its map's process as many.
LOAD := import importlib; from streamlit.logger import set_log_level; set_log_level('error'); \
	from grouprec.ui.server import loading; \
	every = ('grouprec.cli.main', 'grouprec.training.pipeline', 'torch._dynamo', 'umap', *loading.LIBRARIES, *loading.modules()); \
	[importlib.import_module(name) for name in every]

# The stamp is as old as the environment: a changed dependency or constraint installs again.
STAMP := $(VENV)/.installed
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit('grouprec needs Python 3.11 or later; run make PYTHON=python3.12' if sys.version_info < (3, 11) else 0)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(if $(HASHES),$(BIN)/python -m pip $(HELD))
	$(BIN)/python -m pip install $(PIP) torch==2.13.0
	$(BIN)/python -m pip install $(PIP) -e '.[dev]'
	$(BIN)/python -c "$(LOAD)"
	touch $@

setup: $(STAMP)

app: setup
	$(BIN)/grouprec app --port $(PORT) --address $(ADDRESS)

demo: setup
	$(BIN)/grouprec demo --port $(PORT) --address $(ADDRESS)

# Files go to the workers in the order of tests/conftest.py, the slowest first, so that none is left alone at the end.
# Four for two cores: those that have a browser mostly wait.
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

# In a new environment every worker would compile libraries and rewrite the tests' assertions for itself.
COMPILED := $(VENV)/.compiled
$(COMPILED): $(STAMP)
	$(BIN)/python -m pytest --collect-only -qq > /dev/null || true  # what does not load, the tests tell
	touch $@

test: $(COMPILED) browser-setup
	$(PYTEST) -n 4

test-code: $(COMPILED)
	$(PYTEST) -n 2 --ignore tests/browser

test-browser: setup browser-setup
	$(PYTEST) -n 1 tests/browser

# Needs nothing of the environment: `make --jobs 2` does it meanwhile.
browser-setup:
	$(PYTHON) -m tests.browser_setup

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# pip-audit has an environment of its own: it needs much that the product does not.
audit: setup
	test -x $(VENV)-audit/bin/pip-audit || $(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(BIN)/python -m benchmarks.audit $(VENV)-audit/bin/pip-audit

# After constraints.txt has changed. uv looks up the hashes of all files of a version, for every platform.
hashes: setup
	test -x $(VENV)-audit/bin/python || $(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	grep -v '^torch==' constraints.txt | sed "s/^python-dp==.*/& ; sys_platform == 'linux' and platform_machine == 'x86_64'/" \
	  | $(VENV)-audit/bin/uv pip compile --quiet --no-deps --generate-hashes --universal --no-header --no-annotate \
	    --python-version 3.11 -o hashes.txt -

bench: setup
	$(BIN)/python -m benchmarks.outside
	$(BIN)/python -m benchmarks.quality
	$(BIN)/python -m benchmarks.speed

docs: setup
	$(BIN)/python -m benchmarks.stages
	$(BIN)/python -m benchmarks.tables

# New messages come into every catalogue without a translation; tests/benchmarks/test_words.py asks for them.
words: setup
	$(BIN)/python -m benchmarks.words

screenshots: setup browser-setup
	GROUPREC_SCREENSHOTS=docs/screenshots $(BIN)/python -m pytest tests/browser/test_main_job.py
