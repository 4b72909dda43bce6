# Two commands are enough: make run, make test.
PYTHON ?= python3
PYTHON313 ?= python3.13
VENV := .venv
BIN := $(VENV)/bin

.PHONY: env run test test-full test-bigquery emulators torture bench bench-peers docs lab pictures lint format lock clean

env: $(VENV)/.installed  ## the virtual environment, from the lock

# an installation that was broken off is begun anew
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

run: env  ## make the sandbox if there is none, then repair and prove it
	$(BIN)/runbook sandbox --if-missing
	$(BIN)/runbook run

test: env lint  ## lint and the newcomer's tests
	$(BIN)/python -m pytest -n 2

test-full: env  ## what needs the full league
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m full

emulators:  ## for make torture: public emulators of BigQuery, each in an environment of its own
	$(PYTHON) -m venv .venv-bqemulator
	.venv-bqemulator/bin/python -m pip install --quiet --disable-pip-version-check bqemulator==1.4.0 duckdb==1.5.5 duckdb-extension-spatial==1.5.5 duckdb-extension-avro==1.5.5 numpy pyarrow
	@if $(PYTHON313) -c "import sys; sys.exit(sys.version_info < (3, 13))" 2>/dev/null; then $(MAKE) --no-print-directory .venv-local-bigquery/.installed; \
	else echo "local-bigquery is skipped: it needs Python 3.13, and none answers to '$(PYTHON313)'; name one: make emulators PYTHON313=/path/to/python3.13"; fi

# its storage, DuckLake, is in no wheel for the DuckDB 2 that it asks for: an older DuckDB is put in after it, and does
.venv-local-bigquery/.installed: Makefile
	$(PYTHON313) -m venv .venv-local-bigquery
	.venv-local-bigquery/bin/python -m pip install --quiet --disable-pip-version-check local-bigquery==0.4.0
	.venv-local-bigquery/bin/python -m pip install --quiet --disable-pip-version-check --no-deps duckdb==1.5.5 duckdb-extension-ducklake==1.5.5 duckdb-extension-icu==1.5.5 duckdb-extension-spatial==1.5.5
	touch $@

torture: env  ## by hand: hours, seed printed
	$(BIN)/python -m pytest -m torture

test-bigquery: env  ## by hand: a real project, in scratch datasets that are dropped again: PROJECT=my-project
	@test -n "$(PROJECT)" || { echo "name the project: make test-bigquery PROJECT=my-project"; exit 2; }
	BIGQUERY_PROJECT=$(PROJECT) BIGQUERY_LOCATION=$(or $(LOCATION),US) $(BIN)/python -m pytest -s -m bigquery tests/test_real_bigquery.py

bench: env  ## by hand: ratios of one run, and bench/bench.json
	$(BIN)/python -m tests.bench

bench-peers: env  ## by hand: SQLMesh and dbt on the same raw data, each in a virtual environment of its own
	$(BIN)/python -m tests.bench.peers

lab: env  ## step through copies of the notebooks, in lab/; makes the sandbox if there is none
	$(BIN)/runbook sandbox --if-missing
	$(BIN)/python -m runbook.lab
	$(BIN)/jupyter lab --ServerApp.root_dir=. lab/00_start_here.ipynb

docs: env  ## the pages that are made from the code
	$(BIN)/python -m runbook.docs

pictures: env  ## the pictures of the documentation, from the real thing; needs Chromium
	$(BIN)/python -m tests.pictures

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: env
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## after a change of dependencies in pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --universal --all-extras --no-emit-index-url --no-header --no-annotate --quiet pyproject.toml -o requirements.lock

clean:
	rm -rf sandbox runs .pytest_cache .mypy_cache .ruff_cache
