"""The rules as the pages know them: loaded once for all readers, and what each is called."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import streamlit as st

from dashboard import data
from dashboard.player import ICONS
from dashboard.words import lang, t
from rules.engine import Judge
from rules.hints import title as title_of_hint
from rules.load import RuleErrors, load_rules
from rules.model import CATEGORIES, FOUND, Reference, Rule, RuleSet, Severity
from rules.second_opinion import SecondOpinion

ADDED = "added-"
judging = Lock()
"""Held while the one judge works: readers share it."""


def ruleset() -> RuleSet:
    """Today's rules; those of a folder are read anew when it changes. `RuleErrors`."""
    return _ruleset(data.config().rules, _changed(data.config().rules))


def judge() -> Judge:
    """Today's rules, compiled."""
    return _judge(data.config().rules, _changed(data.config().rules))


def second_opinion() -> SecondOpinion | None:
    """The model beside the rules, unless it is switched off."""
    return _second(data.config().rules, _changed(data.config().rules)) if data.config().second_opinion else None


def rule(rule_id: str) -> Rule | None:
    """A rule of today's pack."""
    return _by_id(data.config().rules, _changed(data.config().rules)).get(rule_id)


def title(rule_id: str) -> str:
    """What a rule is called in the reader's language; hints and added violations too; else its id."""
    found = rule(rule_id)
    if found is not None:
        return found.title if lang() == "zh" else found.title_en
    added = rule_id.removeprefix(ADDED).replace("-", "_")
    if rule_id.startswith(ADDED) and added in FOUND:
        name = as_finding(added)
        return f"人工补充：{name}" if lang() == "zh" else f"Added by a reviewer: {name.lower()}"
    return title_of_hint(rule_id, lang=lang()) or rule_id


def category(name: str) -> str:
    """What a category is called in the reader's language."""
    return CATEGORIES[name][1 if lang() == "zh" else 2] if name in CATEGORIES else name


def as_finding(name: str) -> str:
    """What a finding of a category says in the reader's language: a duty was missed."""
    return FOUND[name][0 if lang() == "zh" else 1] if name in FOUND else name


def severity(found: Severity) -> str:
    """The icon that the player shows and the word."""
    return f"{ICONS[found.value]} {t(f'rules_page.severity_{found.value}')}"


def clause(reference: Reference) -> str:
    """Instrument and clause."""
    return f"{reference.instrument} {reference.clause or ''}".strip()


def short_clause(reference: Reference) -> str:
    """The same for a narrow column: a law by the name that everybody calls it."""
    return clause(reference).removeprefix("中华人民共和国")


def tell_broken(broken: RuleErrors) -> None:
    """What is wrong with the pack, line by line."""
    st.error(t("rules_page.bad_pack"), icon=":material/error:")
    st.code("\n".join(broken.errors), language=None, wrap_lines=True)


@st.cache_resource(max_entries=2, show_spinner=False)
def _ruleset(pack: str, changed: float) -> RuleSet:
    return load_rules(pack)


@st.cache_resource(max_entries=2, show_spinner=False)
def _judge(pack: str, changed: float) -> Judge:
    return Judge(_ruleset(pack, changed))


@st.cache_resource(max_entries=2, show_spinner=False)
def _second(pack: str, changed: float) -> SecondOpinion:
    return SecondOpinion(_ruleset(pack, changed))


@st.cache_resource(max_entries=2, show_spinner=False)
def _by_id(pack: str, changed: float) -> dict[str, Rule]:
    return {found.id: found for found in _ruleset(pack, changed).rules}


def _changed(pack: str) -> float:
    """When a pack of somebody's own was last written to; ours don't change while we run."""
    home = Path(pack)
    files = home.rglob("*.yaml") if home.is_dir() else [home] if home.is_file() else []
    return max((file.stat().st_mtime for file in files), default=0.0)
