"""What today's rules would change in the stored calls, before anything is saved; then applied by who may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from audit.access import Action, may
from audit.reaudit import SHOWN, Change, Notify, changes, judged_anew, reaudit
from audit.rejudge import Today
from audit.settings import settings_of
from dashboard import data, rulebook
from dashboard.words import t

_SCOPES = (1_000, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a comparison found, and by which rules."""

    digest: str
    calls: int
    found: Sequence[Change]


def show() -> None:
    """Compare, look, apply."""
    st.markdown(t("rules_page.reaudit_what"))
    digest = rulebook.ruleset().digest
    with data.reading() as store:
        last = store.last_run()
    if last is None:
        st.info(t("rules_page.reaudit_never"), icon=":material/play_circle:")
        return
    told = {"old": last.settings.ruleset_digest[:8], "new": digest[:8], "digest": digest[:8]}
    same = last.settings.ruleset_digest == digest
    st.caption(t("rules_page.reaudit_same" if same else "rules_page.reaudit_other", **told))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scope = st.selectbox(
            t("rules_page.scope"), [*_SCOPES, None], key="reaudit_scope", width=220,
            format_func=lambda n: t("rules_page.scope_newest", n=f"{n:,}") if n else t("rules_page.scope_all"),
        )  # fmt: skip
        asked = st.button(t("rules_page.compare"), key="reaudit_compare", icon=":material/difference:")
    if asked:
        st.session_state["reaudit_compared"] = _compare(scope)
    compared: Compared | None = st.session_state.get("reaudit_compared")
    if compared is not None and compared.digest == digest:
        _show(compared)


def _compare(newest: int | None) -> Compared:
    ruleset = rulebook.ruleset()
    with data.reading() as store, _Progress() as progress:
        judged = judged_anew(store, _today(), newest=newest, notify=progress.notify)
        found = changes(judged, actor=data.actor())
        return Compared(digest=ruleset.digest, calls=progress.done, found=found)


def _today() -> Today:
    ruleset = rulebook.ruleset()
    return Today(ruleset=ruleset, settings=settings_of(data.config(), ruleset))


class _Progress:
    """A bar that moves a hundred times, however many calls there are."""

    def __init__(self) -> None:
        self.done = 0

    def __enter__(self) -> _Progress:
        self._bar = st.progress(0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.empty()

    @property
    def notify(self) -> Notify:
        def told(done: int, total: int) -> None:
            self.done = done
            if done % max(1, total // 100) == 0:
                self._bar.progress(done / total, t("rules_page.comparing", done=f"{done:,}", total=f"{total:,}"))

        return told


def _show(compared: Compared) -> None:
    if not compared.found:
        st.success(t("rules_page.same", n=f"{compared.calls:,}"), icon=":material/check:")
    else:
        st.markdown(t("rules_page.would_change", n=f"{compared.calls:,}"))
        st.dataframe([_row(change) for change in compared.found], key="reaudit_table", hide_index=True)
    if may(data.actor(), Action.OPERATE):
        with st.popover(t("rules_page.apply"), icon=":material/published_with_changes:"):
            _apply()


def _row(change: Change) -> dict[str, object]:
    calls = dict.fromkeys((*change.new_in, *change.gone_from, *change.changed_in))
    return {
        t("rules_page.c_title"): rulebook.title(change.rule_id),
        t("rules_page.c_new"): change.new,
        t("rules_page.c_gone"): change.gone,
        t("rules_page.c_changed"): change.changed,
        t("rules_page.c_calls", n=SHOWN): t("shell.comma").join(calls),
        t("rules_page.c_id"): change.rule_id,
    }


def _apply() -> None:
    st.markdown(t("rules_page.apply_sure"))
    if not st.button(t("rules_page.apply_yes"), key="reaudit_sure", type="primary", icon=":material/check:"):
        return
    today = _today()
    with data.writing() as store, _Progress() as progress:
        count = reaudit(store, today, actor=data.actor(), notify=progress.notify)
    st.success(t("rules_page.applied", n=f"{count:,}", version=today.ruleset.version), icon=":material/check:")
