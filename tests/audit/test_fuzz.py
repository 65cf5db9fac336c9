"""Every importer fed with what nobody should write; `python -m benchmarks.fuzz` does the same ten thousand times."""

import pytest

from benchmarks.fuzz import IMPORTERS, Importer, try_importer

SLOW = {"rules.yaml", "transcript.json", "transcript.srt", "transcript.csv", "check"}
"""These judge what they read by all our rules, or make a judge of it."""


@pytest.mark.parametrize("importer", IMPORTERS, ids=lambda importer: importer.name)
def test_only_documented_errors_come_out(importer: Importer) -> None:
    tried = try_importer(importer, inputs=120 if importer.name in SLOW else 150)
    assert not tried.escaped, tried.examples
    assert tried.refused
    assert tried.taken
    assert tried.slowest < 60
