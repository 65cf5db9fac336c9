"""What a run works with, from the configuration and the rules: what `runs` keeps and digests are made of."""

from __future__ import annotations

from importlib.metadata import version

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
        options={**channel, **_second_opinion(config), "utc_offset": str(config.utc_offset)},
    )


def _second_opinion(config: Config) -> dict[str, str]:
    if not config.second_opinion:
        return {}
    from rules.second_opinion import read_model

    return {"second_opinion": read_model().digest}
