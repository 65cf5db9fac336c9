"""What a run works with, from the configuration and the rules: what `runs` keeps and digests are made of."""

from __future__ import annotations

import functools
import hashlib
import re
from importlib.metadata import requires, version
from pathlib import Path

from audit.config import Config
from audit.store import Settings
from rules.model import RuleSet


def settings_of(config: Config, ruleset: RuleSet) -> Settings:
    """The settings of an audit or re-audit under this configuration."""
    channel = {} if config.agent_channel is None else {"agent_channel": str(config.agent_channel)}
    return Settings(
        tool_version=version("callaudit"),
        ruleset=ruleset.name,
        ruleset_version=ruleset.version,
        ruleset_digest=ruleset.digest,
        engine=config.engine,
        model=None if config.engine == "transcript" else config.model,
        options={**channel, **_second_opinion(config), "utc_offset": str(config.utc_offset), "code": judging_code()},
    )


def _second_opinion(config: Config) -> dict[str, str]:
    if not config.second_opinion:
        return {}
    from rules.suspicion import read_model

    return {"second_opinion": read_model().digest}


@functools.cache
def judging_code() -> str:
    """Digest of our code and tables between a transcript and its scorecard, and of the versions of the packages it may
    use.
    """
    home = Path(__file__).parent
    rules = home.parent / "rules"
    files = [*sorted(rules.glob("*.py")), *sorted(rules.rglob("*.npz")), home / "pipeline.py", home / "score.py"]
    needs = [need for need in requires("callaudit") or () if "extra ==" not in need]
    packages = [f"{name[0]} {version(name[0])}" for need in needs if (name := re.match(r"[\w.-]+", need))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files) + "\n".join(packages).encode()).hexdigest()
