# make demo       the shipped scenarios and a game day on the simulator, each with a report
# make test       format, lint, types and all tests but those of the next
# make test-kind  the tests on a real cluster: needs Docker, fetches kind where it can
# make bench      the tables of benchmarks/
# Each sets up what it needs in .venv; a second call only does its job.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
READY := $(VENV)/.ready
DAY := out/gameday/bad-image.gameday.yaml

.PHONY: demo test test-kind format bench clean

demo: $(READY)
	$(RUN)/gherkube run features --tags 'not @needs-kubectl and not @needs-helm' --report out
	@echo "Open out/index.html. Beside it: junit.xml, messages.ndjson, and each scenario's whole history in history/."
	rm -rf out/gameday && cp -R features/gamedays/bad-image out/gameday
	$(RUN)/gherkube gameday rehearse $(DAY)
	$(RUN)/gherkube gameday run $(DAY) --yes-i-am "Olga Owner" --yes-i-am "Otto Operator"
	@echo "The game day's report: $$(echo out/gameday/gamedays/*.html); the same in words, and a regression, beside it."

test: $(READY)
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/mypy
	$(RUN)/pytest -n auto

test-kind: $(READY)
	.ci/test-kind

format: $(READY)
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

bench: $(READY)
	for bench in benchmarks/bench_*.py; do $(RUN)/python $$bench || exit 1; done

clean:
	rm -rf $(VENV) out build dist *.egg-info

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "gherkube needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'
	test -x $(RUN)/python || $(PYTHON) -m venv $(VENV)
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(RUN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	touch $@
