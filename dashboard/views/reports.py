"""报表: a report of the filtered calls as a file, masked unless someone with the right asks otherwise."""

from __future__ import annotations

import shlex

import streamlit as st

from audit.access import Action, Actor, may
from audit.errors import AuditError
from audit.figures import By
from audit.report import Asked, make_report
from audit.report_html import CALLS_SHOWN
from audit.report_words import Lang, Words
from audit.store import Filter, tallies
from audit.store.tallies import Totals
from dashboard import data, filters
from dashboard.links import nothing_audited, nothing_here
from dashboard.told import told
from dashboard.words import lang, t
from rules.model import CATEGORIES

MOST_CALLS = 50_000
"""More would hold the browser for many minutes and the server's memory; the command line has no limit."""
MANY_CALLS = 2_000
# Covering what is private takes longest: 400 calls of the demo took 12 s on two busy cores.
_CALLS_A_MINUTE = 2_000
_MIME = {"html": "text/html", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
_TABLES: tuple[By, ...] = ("collector", "team", "rule")


def show() -> None:
    st.title(t("reports.title"))
    actor, which = data.actor(), filters.current()
    everything, found = _totals(Filter(), data.version()), _totals(which, data.version())
    if not everything.every_call:
        nothing_audited()
        return
    _scope(which, found)
    if not found.every_call:
        nothing_here()
        return
    asked, form = _choose(which, actor)
    if found.every_call > MOST_CALLS:
        st.warning(t("reports.too_many", n=found.every_call, most=MOST_CALLS), icon=":material/terminal:")
        st.code(_command(asked, form), "bash")
        return
    if found.every_call > MANY_CALLS:
        minutes = max(1, found.every_call // _CALLS_A_MINUTE)
        st.info(t("reports.many", n=found.every_call, shown=CALLS_SHOWN, minutes=minutes), icon=":material/schedule:")
    if st.button(t("reports.make"), key="reports_make", type="primary", icon=":material/description:"):
        _make(asked, form, actor)
    _offer(asked, form)
    with st.expander(t("reports.contents"), icon=":material/info:"):
        st.write(t("reports.contents_note"))


@st.cache_data(max_entries=32, show_spinner=False)
def _totals(which: Filter, version: tuple[int, ...]) -> Totals:
    with data.reading() as store:
        return tallies.totals(store, which)


def _scope(which: Filter, found: Totals) -> None:
    period = None
    if which.since or which.until:
        since, until = which.since or t("reports.first_day"), which.until or t("reports.last_day")
        period = t("reports.from_to", since=since, until=until)
    parts = [str(part) for part in (period, which.team, which.product, which.agent_id) if part]
    st.caption(t("reports.scope", what=" · ".join(parts) or t("reports.everything")))
    left, middle, right = st.columns(3)
    left.metric(t("reports.calls"), found.every_call, border=True)
    middle.metric(t("reports.confirmed"), found.violations, border=True)
    right.metric(t("reports.waiting"), found.waiting, border=True)
    if found.waiting:
        st.caption(t("reports.waiting_note"))


def _choose(which: Filter, actor: Actor) -> tuple[Asked, str]:
    left, right = st.columns(2, gap="large")
    with left:
        form = st.radio(
            t("reports.form"), ("html", "xlsx"), key="reports_form", format_func=lambda name: t(f"reports.{name}")
        )
        by = st.segmented_control(
            t("reports.by"),
            _TABLES,
            key="reports_by",
            default="collector",
            required=True,
            format_func=lambda name: t(f"reports.by_{name}"),
        )
    with right:
        words = Words(lang())
        category = st.selectbox(
            t("reports.category"),
            list(CATEGORIES),
            key="reports_category",
            index=None,
            placeholder=t("reports.all_categories"),
            format_func=lambda name: words.of("category", name),
        )
        language = _language()
        unmasked = may(actor, Action.EXPORT_UNMASKED) and st.checkbox(
            t("reports.unmasked"), key="reports_unmasked", help=t("reports.unmasked_help")
        )
    if unmasked:
        st.warning(t("reports.unmasked_warning"), icon=":material/lock_open:")
    reason = st.text_input(t("reports.reason"), key="reports_reason") if unmasked else ""
    grace = data.config().promise_grace_days
    asked = Asked(
        which=which, by=by or "collector", category=category, lang=language, unmasked=unmasked, reason=reason,
        grace_days=grace,
    )  # fmt: skip
    return asked, form


def _language() -> Lang:
    chosen: Lang | None = st.segmented_control(
        t("reports.report_lang"),
        ("zh", "en"),
        key="reports_lang",
        default=lang(),
        required=True,
        format_func={"zh": "中文", "en": "English"}.__getitem__,
    )
    return chosen or "zh"


def _make(asked: Asked, form: str, actor: Actor) -> None:
    """Kept for the session until something else is asked: a click on download runs the script again."""
    bar = st.progress(0.0, t("reports.reading"))

    def tell(done: int, of: int) -> None:
        if done == of or done % 20 == 0:
            bar.progress(done / of, t("reports.working", done=done, of=of))

    try:
        with data.writing() as store:
            made = make_report(store, f".{form}", asked, actor=actor, notify=tell)
    except AuditError as error:
        st.error(told(error))
        return
    finally:
        bar.empty()
    st.session_state["reports_made"] = (asked, form, made)


def _offer(asked: Asked, form: str) -> None:
    """Only the report that the choices above describe."""
    kept = st.session_state.get("reports_made")
    if kept is None or kept[:2] != (asked, form):
        return
    made: bytes = kept[2]
    name = _file_name(asked, form)
    st.success(t("reports.ready", size=_size(len(made))), icon=":material/check_circle:")
    st.download_button(
        t("reports.download", name=name),
        made,
        file_name=name,
        mime=_MIME[form],
        key="reports_download",
        on_click="ignore",
        icon=":material/download:",
    )


def _file_name(asked: Asked, form: str) -> str:
    which = asked.which
    parts = ("callaudit", which.since, which.until, which.team, which.product, which.agent_id, asked.category)
    told = [str(part) for part in parts if part]
    safe = "_".join("".join(c if c.isalnum() or c in "-." else "-" for c in part) for part in told)
    return f"{safe}{'_unmasked' if asked.unmasked else ''}.{form}"


def _size(count: int) -> str:
    return f"{count / 1_048_576:.1f} MB" if count >= 1_048_576 else f"{max(1, count // 1024)} KB"


def _command(asked: Asked, form: str) -> str:
    which = asked.which
    options = {
        "--db": data.config().db, "--by": asked.by, "--from": which.since, "--to": which.until, "--team": which.team,
        "--product": which.product, "--collector": which.agent_id, "--category": asked.category, "--lang": asked.lang,
        "--out": _file_name(asked, form),
    }  # fmt: skip
    words = [word for option, value in options.items() if value for word in (option, shlex.quote(str(value)))]
    unmasked = ["--unmasked", "--reason", shlex.quote(asked.reason)] if asked.unmasked else []
    return " ".join(["callaudit report", *words, *unmasked])


show()
