# `make book` and `make test` are all a fresh clone needs; `make help` lists the rest.
VENV ?= .venv
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup book pdf chapter handouts lab slides test clean lock

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python python3.13 python3.12 python3.11; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)
BIN := $(VENV)/bin
# uv installs in half a minute what takes pip three. It is told where pip looks; what it cannot do, pip does.
PIP := $(BIN)/python -m pip
LOCK := --constraint requirements.lock
# Of pyproject.toml, what is installed besides the book's needs; `test,cluster` has Ray, too.
EXTRAS ?= test
# The environment is up to date when it carries the stamp of the present pins.
STAMP := $(VENV)/.ready-$(shell { cat pyproject.toml requirements.lock; echo $(EXTRAS); } | cksum | cut -d' ' -f1)
# Plain `torch` may bring gigabytes of CUDA packages with it; asked for alone and by version, indexes that
# carry a CPU build give that one.
TORCH := $(shell grep -o 'torch==[0-9.]*' pyproject.toml)
# Small models want one thread a process and several processes.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM ?= false
# Read from the environment by the recipes, so that blanks and quotes in them survive.
export EDITION NAME P SPOT REPOSITORY
OF := $(if $(EDITION),--edition "$$EDITION")

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | sort | expand -t 10

setup: $(STAMP)  ## make the environment in .venv (the other commands do so by themselves)

$(STAMP): pyproject.toml requirements.lock
	@$(or $(PYTHON),false) -c '$(SUPPORTED)' || { echo "crosslingual needs Python 3.11, 3.12 or 3.13;" \
	  "say which one with: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet uv || true
	said() { $(PIP) config get "global.$$1" 2>/dev/null || true; }; tell() { [ -z "$$2" ] || export "$$1=$$2"; }; \
	tell UV_DEFAULT_INDEX "$$(said index-url)"; tell UV_EXTRA_INDEX_URL "$$(said extra-index-url)"; \
	tell UV_FIND_LINKS "$$(said find-links)"; tell SSL_CERT_FILE "$$(said cert)"; \
	install() { $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --index-strategy unsafe-best-match $(LOCK) "$$@" || \
	  $(PIP) install --quiet $(LOCK) "$$@"; }; \
	install $(TORCH) && install --editable '.[$(EXTRAS)]'
	rm -f $(VENV)/.ready-*
	touch $@

book: $(STAMP)  ## build the site (EDITION=paper or a path to a .yml; DRY=1: only say what it takes; FRESH=1: compute all anew; SPOT=7: check other results; REPOSITORY=https://...: buttons for Binder and Colab)
	$(BIN)/crosslingual book $(OF) $(if $(DRY),--dry-run) $(if $(FRESH),--fresh) $(if $(SPOT),--spot "$$SPOT") $(if $(REPOSITORY),--repository "$$REPOSITORY")

pdf: $(STAMP)  ## the book, as it was last built, as a PDF (needs xelatex; EDITION=pocket)
	$(BIN)/crosslingual pdf $(OF)

chapter: $(STAMP)  ## rerun one chapter: make chapter NAME=02-models-and-data P="seeds=5; pos_languages=[en, de]" (OPEN=1: its page in a browser; COMPARE=1: what differs from the book)
	@test -n "$$NAME" || { echo 'name the chapter: make chapter NAME=02-models-and-data' >&2; exit 2; }
	$(BIN)/crosslingual chapter "$$NAME" $(OF) $(if $(P),--parameter "$$P") $(if $(OPEN),--open) $(if $(COMPARE),--compare)

handouts: $(STAMP)  ## write every chapter's exercises for teachers and for students, in nbgrader's format
	$(BIN)/crosslingual handout --all

lab: $(STAMP)  ## start JupyterLab on the students' handouts, where it is installed
	$(BIN)/crosslingual lab

slides: $(STAMP)  ## write a lecture's slides from the built book: open _build/slides.html
	$(BIN)/crosslingual slides

test: $(STAMP)  ## run the tests
	cores=$$(getconf _NPROCESSORS_ONLN); \
	$(BIN)/python -m pytest --numprocesses $$((cores < 8 ? cores + 1 : 8)) --dist worksteal  # some tests wait

clean:  ## remove the site and the results computed here; the environment stays
	rm -rf _build

lock: pyproject.toml  ## resolve the pins afresh and write requirements.lock
	rm -rf _build/lock && $(PYTHON) -m venv _build/lock
	_build/lock/bin/python -m pip install --quiet $(TORCH)
	_build/lock/bin/python -m pip install --quiet '.[test,cluster]'
	{ echo "# The full closure of pyproject.toml's pins, used as pip constraints; written by \`make lock\`."; \
	  _build/lock/bin/python -m pip freeze --exclude crosslingual | sed 's/+cpu$$//'; } > requirements.lock
	rm -rf _build/lock
