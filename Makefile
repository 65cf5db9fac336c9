# One environment for people and CI. Stamps keep a second call from installing again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: audit dashboard test quality rule-pages second-opinion screenshots clean

## Audit the sample recordings: a table here, report.html and report.xlsx beside.
audit: $(VENV)/.with-base
	$(BIN)/callaudit audit samples --calls samples/calls.csv --db callaudit.db
	@$(BIN)/callaudit report --db callaudit.db --out report.xlsx
	@$(BIN)/callaudit report --db callaudit.db --out report.html
	@echo "打开报告：用浏览器打开 $(CURDIR)/report.html；仪表盘：make dashboard"

## The dashboard on what `make audit` left, for this machine alone.
dashboard: $(VENV)/.with-dashboard
	$(BIN)/callaudit dashboard --db callaudit.db

## Everything that must hold: style, types, direction of imports, tests.
test: $(VENV)/.with-tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

## docs/quality.md: how good the rules are, on text and on sound. A few minutes.
quality: $(VENV)/.with-base
	$(BIN)/callaudit benchmark rules --sound > docs/quality.md.new
	@mv docs/quality.md.new docs/quality.md

## docs/rules/: a page for each rule.
rule-pages: $(VENV)/.with-base
	$(BIN)/callaudit rules docs --out docs/rules

## rules/second_opinion.npz: train the second opinion on the corpus's open half. About 20 seconds.
second-opinion: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.second_opinion

## docs/images/: a picture of every page of the dashboard, from a demo store, with Chromium. A few minutes.
screenshots: $(VENV)/.with-tests
	$(BIN)/python -m tests.screenshots

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "需要 Python 3.11 或更新版本；可用 make PYTHON=python3.12 指定" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.with-base: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[base]'
	@touch $@

$(VENV)/.with-dashboard: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[base,dashboard]'
	@touch $@ $(VENV)/.with-base

$(VENV)/.with-tests: pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[base,openai-whisper,train,dashboard,operations,test]'
	@touch $@ $(VENV)/.with-base $(VENV)/.with-dashboard

clean:
	rm -rf $(VENV) build dist callaudit.db callaudit.db-* callaudit.db.* report.html report.xlsx
