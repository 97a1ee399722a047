# "make run" and "make test" are the first two commands.  They need make, and Python 3 with
# its venv module.

PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
SPHINX = $(BIN)/sphinx-build -q -W --keep-going -d build/docs/doctrees docs
# Options of echod for "make run".
ARGS =

.PHONY: run test test-all lint types unit trial package man deb docs bench soak \
    format clean

# Serve until Ctrl-C, on the default ports or as ARGS says.  No shell stands between
# make and twistd: a shell would not pass a SIGTERM on.
run: $(VENV)/run
	@printf '%s\n' "To use the clients, type in a second terminal:" "    cd '$$PWD'" \
	    "    . $(BIN)/activate" "    echoc tcp" \
	    "To choose ports and other options: make run ARGS='--tcp 8081'"
	$(BIN)/twistd -n --pidfile= echod $(ARGS)

# All checks of CI.  The last line says which tests were skipped, and why.
test:
	$(MAKE) --no-print-directory --jobs=2 unit types package docs lint trial
	@cat $(VENV)/skipped

# The same tests with every installed Python and with the oldest Twisted.  Mutations of the
# code, each of which must fail a test.  The status page with a real browser and a real
# Prometheus.  Other echo servers, as far as they are installed.  A table of what echoc says
# about servers that misbehave.
test-all: test man
	$(BIN)/python -m tests.extended.reactorsuite
	$(BIN)/python -m tests.extended.mutations
	$(BIN)/python -m tests.extended.pingcomparison
	$(BIN)/python -m tests.extended.pingaccuracy
	$(BIN)/python -m tests.extended.misbehaving
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

# Every third test mostly waits, so start more processes than there are processors.
unit: BUSY = $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 3 / 2)
unit: $(VENV)/test
	rm -f .coverage.*
	SKIPPED=$(VENV)/skipped $(BIN)/coverage run -m pytest -n $(BUSY) --dist worksteal
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# The tests that use the reactor of the test runner.  All others do the same under trial as
# under pytest; "make test-all" runs all of them with trial.
trial: TRIED = $(shell grep -lE 'import .*\<(Client)?TestCase' $$(grep -L subprocess $$(find tests -name 'test_*.py')))
trial: $(VENV)/test
	$(BIN)/trial --temp-directory=$(VENV)/_trial_temp $(subst /,.,$(basename $(TRIED)))

package: man
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist . > $(VENV)/build.log 2>&1 || { cat $(VENV)/build.log; false; }
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m pytest tests/extended/packaged.py

# Pages in build/docs/html, and man pages in build/docs/man; any warning is an error.
docs: man
	$(SPHINX) -b html build/docs/html

# The man pages where setup.py finds them: installing a package needs no Sphinx.
man: $(VENV)/test
	$(SPHINX) -b man build/docs/man
	# Narrow columns of a table cannot be justified: groff would warn.
	sed -i '/^\.TH/i .ds AD l' build/docs/man/*.[18]
	sed -i '/^\.TH/a .na' build/docs/man/*.[18]
	install -m 644 -D -t share/man/man1 build/docs/man/*.1
	install -m 644 -D -t share/man/man8 build/docs/man/*.8

# A package for Debian 13 and later, in build/deb.
deb: man
	packaging/deb build/deb

# Run the server on one core and the load on another, on a machine without other work, and
# write the figures and the picture into docs/. docs/benchmarks.rst lists its variables.
bench: $(VENV)/test
	$(BIN)/python -m benchmarks.run

# The soak test: a quarter of an hour of hostile peers and load, in which no data may be
# lost.  It is complete only as root, with iproute2 and libfaketime.
soak: EXAMPLES = 2000
soak: FUZZERS = $(addprefix tests/tcp/test_,fuzz.py goodbye.py proxyheader.py proxyprotocol.py)
soak: $(VENV)/test
	EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest $(FUZZERS)
	$(BIN)/python -m soak

format: $(VENV)/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist share/man *.egg-info .coverage .hypothesis .*_cache

# Install again when setup.cfg has changed.
$(VENV)/run: setup.cfg | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .[all]
	touch $@

$(VENV)/test: setup.cfg | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .[dev]
	touch $@ $(VENV)/run

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade pip
