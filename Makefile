# make demo   a made-up town, served on http://127.0.0.1:8000 (GEO_SERVICE_PORT, GEO_SERVICE_HOME)
# make test   everything that is checked; make check: the quick part, under five minutes
# make setup  installs what these need, and nothing else

.PHONY: demo test check setup lint pictures clean
.DEFAULT_GOAL := demo

PYTHON := .venv/bin/python
# One more than there are cores, since tests wait as well as compute; a file's tests stay together.
PYTEST := -m pytest -n $(shell expr $$(nproc) + 1) --dist loadfile --no-loadscope-reorder

setup:
	@.ci/setup runtime

demo:
	@.ci/setup runtime
	@exec .venv/bin/geo-service demo

test:
	@.ci/setup test
	@$(MAKE) --no-print-directory lint
	@$(PYTHON) -m coverage erase
	@$(PYTHON) -m coverage run $(PYTEST) -m "not slow"
	@$(PYTHON) -m coverage combine --quiet
	@$(PYTHON) -m coverage report
	@$(PYTHON) $(PYTEST) -m slow

check:
	@.ci/setup test
	@$(MAKE) --no-print-directory lint
	@$(PYTHON) $(PYTEST) -m "not slow"

lint:
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports
	@$(PYTHON) -m mypy
	@npm run --silent check

# The pictures in the docs, from the pages as they are now.
pictures:
	@.ci/setup test
	@GEO_SERVICE_PICTURES=1 $(PYTHON) -m pytest -q tests/browser/test_pictures.py

clean:
	rm -rf .venv .venv-benchmark node_modules geo_service/web/dist static_maps/dist
