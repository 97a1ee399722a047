# Two commands for a newcomer: "make run" and "make test".  They need Python 3
# with its venv module, and make.

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
# Options of echod for "make run".
ARGS =

.PHONY: run test test-all lint types unit trial package docs bench soak format clean

# Serve until Ctrl-C, on the default ports or as ARGS says.  No shell stands between
# make and twistd: a shell would not pass a SIGTERM on.
run: $(VENV)/run
	@printf '%s\n' "To use the clients, type in a second terminal:" "    cd '$$PWD'" \
	    "    . $(BIN)/activate" "    echoc tcp" \
	    "To choose ports and other options: make run ARGS='--tcp 8081'"
	$(BIN)/twistd -n --pidfile= echod $(ARGS)

# All that CI runs.  The last line says which tests were skipped, and why.
test: lint types unit trial package docs
	@cat $(VENV)/skipped

# The same tests on every Python there is, and with the oldest Twisted; whether a test
# fails for each fault of a list; the status with a real browser and a real Prometheus;
# and other echo servers, as far as they are installed.
test-all: test
	$(BIN)/python -m tests.extended.reactorsuite
	$(BIN)/python -m tests.extended.mutations
	$(BIN)/python -m tests.extended.pingcomparison
	$(BIN)/python -m tests.extended.comparison
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .[browser]
	$(BIN)/python -m pytest tests/extended/realstatus.py
	$(BIN)/python -m pytest tests/extended/installed.py
	$(BIN)/python -m tests.extended.badpath
	$(BIN)/python tests/extended/allpythons.py
	$(BIN)/trial --temp-directory=$(VENV)/_trial_temp tests tests.extended.deployment tests.extended.balancers tests.extended.slowlinks

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

types: $(VENV)/test
	$(BIN)/mypy

# Every third test waits for something most of the time.
unit: BUSY = $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)
unit: $(VENV)/test
	rm -f .coverage.*
	SKIPPED=$(VENV)/skipped $(BIN)/coverage run -m pytest -n $(BUSY) --dist worksteal
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# Twisted's own way to run what starts no other processes.  It would be no different
# for the rest: "make test-all" has that as well.
trial: TRIED = $(shell grep -LE 'subprocess|support.(daemon|story) import' $$(find tests -name 'test_*.py'))
trial: $(VENV)/test
	$(BIN)/trial -j2 --temp-directory=$(VENV)/_trial_temp $(subst /,.,$(basename $(TRIED)))

package: $(VENV)/test
	rm -rf dist
	$(BIN)/python -m build --outdir dist . > $(VENV)/build.log 2>&1 || { cat $(VENV)/build.log; false; }
	$(BIN)/twine check --strict dist/*

# Pages in build/docs/html, and man pages in build/docs/man; any warning is an error.
docs: SPHINX = $(BIN)/sphinx-build -q -W --keep-going -d build/docs/doctrees docs
docs: $(VENV)/test
	$(SPHINX) -b html build/docs/html
	$(SPHINX) -b man build/docs/man

# The server on one core, the load on another: leave the machine alone meanwhile.
# Rewrites the figures and the picture in docs/
bench: $(VENV)/test
	$(BIN)/python benchmarks/run.py

# A quarter of an hour of bad weather, in which nothing may be lost.  As root,
# with iproute2 and libfaketime, it does all that it can.
soak: EXAMPLES = 2000
soak: FUZZERS = $(addprefix tests/tcp/test_,fuzz.py goodbye.py proxyheader.py proxyprotocol.py)
soak: $(VENV)/test
	EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest $(FUZZERS)
	$(BIN)/python -m soak

format: $(VENV)/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .hypothesis .*_cache

# Each environment is made again when what it is made from has changed.
$(VENV)/run: setup.cfg | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .[all]
	touch $@

$(VENV)/test: setup.cfg | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .[dev]
	touch $@ $(VENV)/run

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade pip
