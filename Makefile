# One environment for people and CI. Stamps keep a second call from installing again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CHECKS := $(VENV)/checks
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: audit dashboard test quality rule-pages homophones second-opinion everyday callee signals duties speakers screenshots licences vulnerabilities clean

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
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.with-tests
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

## docs/quality.md: how good the rules are, on text and on sound. A few minutes.
quality: $(VENV)/.with-base
	$(BIN)/callaudit benchmark rules --sound > docs/quality.md.new
	@mv docs/quality.md.new docs/quality.md

## docs/rules/: a page for each rule.
rule-pages: $(VENV)/.with-base
	$(BIN)/callaudit rules docs --out docs/rules

## rules/homophones.npz: count which characters follow one another in the corpus's open half. Seconds.
homophones: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.homophones

## rules/second_opinion.npz: train the second opinion on the corpus's open half and the rules' examples. Half an hour of processor time.
second-opinion: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.second_opinion

## rules/everyday.npz: learn from the corpus's open half what has nothing to do with a debt. Seconds.
everyday: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.everyday

## rules/callee.npz: learn from the corpus's open half how calls sound that somebody else than a debtor answers. Seconds.
callee: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.callee

## rules/signal_tables: learn from the corpus's open half what each signal of a customer sounds like. A minute.
signals: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.signals

## rules/duty_tables: learn from the corpus's open half how calls sound in which the agent does a duty. Seconds.
duties: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.duties

## transcribe/speakers.npz: learn how agents and customers talk from the corpus's open half. Seconds.
speakers: $(VENV)/.with-tests
	$(BIN)/python -m benchmarks.speakers

## docs/images/: a picture of every page of the dashboard, from a demo store, with Chromium. A few minutes.
screenshots: $(VENV)/.with-tests
	$(BIN)/python -m tests.screenshots

## docs/licences.md: under which licence each installed package stands.
licences: $(VENV)/.with-base $(CHECKS)/.made
	@$(CHECKS)/bin/pip-licenses --python $(BIN)/python --format=markdown --with-urls --order=license > docs/licences.md.new
	@{ printf '# 许可证\n\n`make licences` 从装好的环境写出；测试和开发用的包也在内，交付前请在交付的环境里再写一次。UNKNOWN 是包没有在元数据里写，看它自带的 LICENSE（sqlcipher3 是 zlib 许可证，里面的 SQLCipher 是 BSD）。\n\n'; \
	    cat docs/licences.md.new; } > docs/licences.md
	@rm docs/licences.md.new

## Known vulnerabilities of what is installed; asks the Python advisory database, which needs the internet.
vulnerabilities: $(VENV)/.with-base $(CHECKS)/.made
	@$(BIN)/python -m pip --disable-pip-version-check freeze --exclude-editable > $(CHECKS)/installed.txt
	@$(CHECKS)/bin/pip-audit --no-deps --disable-pip --requirement $(CHECKS)/installed.txt > $(CHECKS)/told.txt 2>&1; code=$$?; \
	    unknown=$$(grep -c "could not be audited" $(CHECKS)/told.txt); all=$$(wc -l < $(CHECKS)/installed.txt); \
	    if [ $$((unknown * 2)) -gt $$all ] || grep -qE "ConnectionError|ServiceError|Max retries|Timeout" $(CHECKS)/told.txt; then \
	        echo "没有查成：连不上漏洞库（需要互联网）；$$all 个包里有 $$unknown 个没查到。" \
	            "请把 $(CHECKS)/installed.txt 带到能上网的机器上运行 pip-audit" >&2; exit 3; \
	    fi; cat $(CHECKS)/told.txt; exit $$code

# Tools that look at the environment stay out of it.
$(CHECKS)/.made: | $(VENV)/bin/python
	$(BIN)/python -m venv $(CHECKS)
	$(CHECKS)/bin/python -m pip --disable-pip-version-check --quiet install "pip-licenses>=5" "pip-audit>=2.7"
	@touch $@

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
	$(PIP) install --no-compile --editable '.[base,openai-whisper,train,dashboard,operations,encryption,cluster,remote,test]'
	@$(BIN)/python -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib || true  # on all cores; pip does it on one
	@touch $@ $(VENV)/.with-base $(VENV)/.with-dashboard

clean:
	rm -rf $(VENV) build dist callaudit.db callaudit.db-* callaudit.db.* report.html report.xlsx
