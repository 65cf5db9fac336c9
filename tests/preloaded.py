"""What the process has in memory from which tests/forked.py forks commands: their imports, and the rules as read."""

from __future__ import annotations

from importlib import import_module

from rules.load import load_rules

for module in (
    "audit.batch", "audit.cli", "audit.cli_batch", "audit.doctor", "audit.journal", "audit.reaudit", "audit.report",
    "audit.report_html", "audit.report_xlsx", "audit.settings", "audit.store.migrations", "audit.transcripts",
    "audit.unmask", "audit.watch", "audit.workers", "psutil", "resource", "rich.table", "rules.digests", "rules.engine",
    "rules.homophones", "rules.hotwords", "rules.lint", "rules.second_opinion", "transcribe.adaptation",
    "transcribe.audio", "transcribe.files", "transcribe.weights",
):  # fmt: skip
    import_module(module)
load_rules()
