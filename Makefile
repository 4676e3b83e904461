# Two commands matter: `make demo` runs the product, `make test` passes the tests. The rest is for working on it.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 7860

.DEFAULT_GOAL := help
.PHONY: help demo rehearse test check faults bench bench-queue bench-burst eval evidence screenshots browser lock clean

help:  ## say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(VENV)/.demo  ## set everything up and open the desk with the embedded model
	@$(BIN)/assent demo --home desk --port $(PORT) $(ARGS)

rehearse: $(VENV)/.demo  ## watch a class of actions earn a certificate, be signed, get worse and be demoted
	@$(BIN)/assent rehearse --port 7861 $(ARGS)

test: $(VENV)/.test browser check  ## install what the tests need and run them
	$(BIN)/python -m pytest tests -n 2 --dist worksteal $(ARGS)
	$(BIN)/python -m tests.wheel

check: $(VENV)/.test  ## style, types and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p assent.graph -p assent.tools -p assent.ui -p assent.evals
	$(BIN)/typos

faults: $(VENV)/.test  ## kill and race real processes, many times, and write docs/faults.md
	$(BIN)/python tests/faults/run.py $(ARGS)

bench: $(VENV)/.test  ## what a pause and a resume cost, beside stock LangGraph
	$(BIN)/python -m bench.cycle $(ARGS)

bench-queue: $(VENV)/.test  ## what the queue costs with up to a million pending reviews, on both databases
	$(BIN)/python -m bench.queue $(ARGS)

bench-burst: $(VENV)/.test  ## twenty reviewers who decide at once, over HTTP, on both databases
	$(BIN)/python -m bench.burst $(ARGS)

eval: $(VENV)/.demo  ## the agent's proposals on the demo's held-out messages
	$(BIN)/assent eval run demo $(ARGS)

evidence: $(VENV)/.demo  ## measure the gate on labelled rows and write docs/evidence.md
	$(BIN)/assent evidence $(ARGS)

screenshots: $(VENV)/.test browser  ## take the README's pictures again
	$(BIN)/python docs/screenshots.py

browser:  ## find Chromium, or install it where that is allowed
	@sh tests/find-chromium.sh

lock: $(VENV)/.test  ## write down the versions that were tested
	$(BIN)/python -m pip freeze --exclude-editable > constraints.txt

clean:  ## remove what make has made
	rm -rf $(VENV) .typing build dist *.egg-info

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed; name yours with PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip setuptools wheel

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing Assent and what it needs into $(VENV)"
	$(BIN)/python -m pip install --progress-bar on -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/python -m pip install --progress-bar on -c constraints.txt -e '.[test]'
	@mkdir -p .typing && ln -sfn .. .typing/assent
	@touch $@
