"""投诉: the desk where complaints are answered in time, and what they show of calls, people and rules."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from audit.access import Action, Actor, may
from audit.complaint_clock import Status
from audit.complaint_figures import Line, count, table
from audit.complaint_record import Complaint
from audit.complaint_terms import CATEGORIES_OF_COMPLAINTS, CHANNELS
from audit.complaints import Desk, listing
from audit.exports import Table
from audit.figures import wilson
from audit.store.complaints import EVERY_COMPLAINT, Asked, By
from dashboard import address, data, filters
from dashboard import complaint_labels as labels
from dashboard.complaint_detail import detail
from dashboard.complaint_intake import import_list, register_form
from dashboard.downloads import downloads
from dashboard.tables import interval
from dashboard.words import t

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

MOST = 300
_SHOWN = ("open", "overdue", "soon", "answered", "closed", "all")
# A field hands over what is typed when one leaves it, which keys that step on do not do by themselves.
_LEAVE_FIELD = """<script>
if (!window.leavesField) {
  window.leavesField = true;
  window.addEventListener("keydown", event => {
    if (event.altKey && event.key.startsWith("Arrow")) document.activeElement?.blur();
  }, {capture: true});
}
</script>"""
_BY: tuple[By, ...] = ("agent_id", "cause", "channel", "category", "team")


def show() -> None:
    with data.reading() as store:
        desk = Desk(store=store, actor=data.actor(), terms=data.config().complaint_terms)
        st.title(t("complaints.title"))
        _figures(desk)
        editor = may(desk.actor, Action.EDIT_COMPLAINTS)
        importer = may(desk.actor, Action.IMPORT)
        names = ["list", "figures", *(["new"] if editor else []), *(["import"] if importer else [])]
        titles = [t(f"complaints.tab_{name}") for name in names]
        tabs = dict(zip(names, st.tabs(titles, key="complaints_tabs", on_change="rerun"), strict=True))
        with tabs["list"]:
            _desk(desk)
        if tabs["figures"].open:
            with tabs["figures"]:
                _tables(desk)
        if editor:
            with tabs["new"]:
                register_form(desk)
        if importer:
            with tabs["import"]:
                import_list(desk)


def _asked(**more: Any) -> Asked:
    which = filters.current()
    base = {"since": which.since, "until": which.until, "team": which.team, "product": which.product}
    return Asked(**base | {"agent_id": which.agent_id} | more)


def _figures(desk: Desk) -> None:
    found = _table(desk.actor, desk.actor.role, desk.day, _asked(), None, data.version())
    total = found[0] if found else None
    soon = count(desk, _asked(due_by=desk.day + timedelta(days=desk.terms.due_soon)))
    overdue = total.overdue if total else 0
    founded, caught = (total.founded, total.caught) if total else (wilson(0, 0), wilson(0, 0))
    columns = st.columns(5)
    columns[0].metric(t("complaints.m_open"), total.open if total else 0, border=True)
    columns[0].caption(t("complaints.m_all", n=total.complaints if total else 0))
    columns[1].metric(f":material/hourglass_bottom: {t('complaints.m_soon')}", soon - overdue, border=True)
    columns[1].caption(t("complaints.m_within", days=desk.terms.due_soon))
    sign = f":red[:material/warning: {t('complaints.m_overdue')}]" if overdue else t("complaints.m_overdue")
    columns[2].metric(sign, overdue, border=True)
    columns[2].caption(t("complaints.m_late", n=total.late if total else 0))
    columns[3].metric(t("complaints.m_founded"), labels.percent(founded), border=True)
    columns[3].caption(labels.sample(founded) or t("complaints.m_no_sample"))
    columns[4].metric(t("complaints.m_caught"), labels.percent(caught), border=True)
    columns[4].caption(labels.sample(caught) or t("complaints.m_no_linked"))


@st.cache_data(max_entries=32, show_spinner=False)
def _table(_actor: Actor, role: str, day: date, asked: Asked, by: By | None, version: tuple[int, ...]) -> list[Line]:
    """As slow as everything else on the page together, and the same until somebody writes."""
    with data.reading() as store:
        return table(Desk(store=store, actor=_actor, day=day), asked, by=by)


def _desk(desk: Desk) -> None:
    left, right = st.columns([4, 3], gap="medium")
    with left:
        found = _choice(desk)
        chosen = _list(desk, found)
    with right:
        if chosen is not None:
            detail(desk, chosen)
        elif found:
            st.info(t("complaints.choose"), icon=":material/arrow_back:")


def _choice(desk: Desk) -> list[Complaint]:
    """The filters above the list, and what fits them."""
    shown = st.segmented_control(
        t("complaints.c_status"),
        _SHOWN,
        key="complaints_show",
        default="open",
        required=True,
        format_func=lambda name: t(f"complaints.show_{name}"),
        label_visibility="collapsed",
        wrap=True,
    )
    channel, category, words = st.columns([3, 3, 4])
    wanted = {
        "channel": channel.selectbox(
            t("complaints.channel"), list(CHANNELS), key="complaints_channel", index=None,
            placeholder=t("complaints.any"), format_func=labels.channel,
        ),
        "category": category.selectbox(
            t("complaints.category"), list(CATEGORIES_OF_COMPLAINTS), key="complaints_category", index=None,
            placeholder=t("complaints.any"), format_func=labels.category,
        ),
        "words": words.text_input(
            t("complaints.search"), key="complaints_words", placeholder=t("complaints.search_hint")
        ),
    }  # fmt: skip
    return listing(desk, _asked(**wanted, **_meaning(desk, shown or "open")), limit=MOST)


def _meaning(desk: Desk, shown: str) -> dict[str, Any]:
    meanings: dict[str, dict[str, Any]] = {
        "open": {"statuses": (Status.RECEIVED.value, Status.INVESTIGATING.value)},
        "overdue": {"due_by": desk.day - timedelta(days=1)},
        "soon": {"due_by": desk.day + timedelta(days=desk.terms.due_soon)},
        "answered": {"statuses": (Status.ANSWERED.value,)},
        "closed": {"statuses": (Status.CLOSED.value,)},
        "all": {},
    }
    return meanings[shown]


def _list(desk: Desk, found: list[Complaint]) -> int | None:
    """The list; returns the number of the complaint that is open."""
    numbers = [one.id for one in found]
    chosen = address.number("id")
    if not found:
        anything = count(desk, EVERY_COMPLAINT) > 0
        st.info(t("complaints.none_match" if anything else "complaints.none_yet"), icon=":material/inbox:")
        return chosen
    if chosen is None:
        chosen = numbers[0]
    at = numbers.index(chosen) if chosen in numbers else None
    key = f"complaints_list_{chosen}_{at}"  # Streamlit ticks what it is given only under a new key
    st.dataframe(
        _styled(desk, found),
        hide_index=True,
        placeholder="",
        key=key,
        height=min(430, 38 + 35 * len(found)),
        on_select=partial(_open_selected, numbers, key),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [] if at is None else [at]}},
        column_config={
            t(f"complaints.c_{name}"): st.column_config.NumberColumn(width=52) for name in ("id", "repeats", "calls")
        },
    )
    if len(found) == MOST:
        st.caption(t("complaints.first_n", n=MOST))
    _steps(numbers, at)
    _download(desk, found)
    st.html(_LEAVE_FIELD, unsafe_allow_javascript=True)
    return chosen


def _open_selected(numbers: list[int], key: str) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    if rows and rows[0] < len(numbers):
        st.query_params["id"] = str(numbers[rows[0]])


def _open(number: int) -> None:
    st.query_params["id"] = str(number)


def _steps(numbers: list[int], at: int | None) -> None:
    with st.container(horizontal=True):
        for name, step, key in (("previous", -1, "Alt+ArrowUp"), ("next", 1, "Alt+ArrowDown")):
            to = 0 if at is None else at + step
            inside = 0 <= to < len(numbers)
            st.button(
                t(f"complaints.{name}"),
                key=f"complaints_{name}",
                shortcut=key,
                disabled=not inside,
                on_click=_open,
                args=(numbers[to] if inside else 0,),
            )


def _styled(desk: Desk, found: list[Complaint]) -> Styler:
    import pandas as pd

    clocks = [one.clock(today=desk.day, terms=desk.terms) for one in found]
    rows = [
        {
            t("complaints.c_id"): one.id,
            t("complaints.c_pace"): f"{labels.SIGNS[clock.pace]} {labels.pace(clock)}",
            t("complaints.c_status"): t(f"complaints.{one.status}"),
            t("complaints.c_received"): one.received_on,
            t("complaints.c_category"): labels.category(one.category),
            t("complaints.c_complainant"): one.complainant or "",
            t("complaints.c_agent"): one.agent_id or "",
            t("complaints.c_repeats"): one.repeats or None,
            t("complaints.c_calls"): one.calls or None,
            t("complaints.c_channel"): labels.short_channel(one.channel),
        }
        for one, clock in zip(found, clocks, strict=True)
    ]
    inks = [labels.INKS.get(clock.pace, "") for clock in clocks]
    paint = [f"color: {ink}; font-weight: 600" if ink else "" for ink in inks]
    frame = pd.DataFrame(rows)
    for name in ("complaints.c_repeats", "complaints.c_calls"):
        frame[t(name)] = frame[t(name)].astype("Int64")
    return frame.style.apply(lambda _: paint, subset=[t("complaints.c_pace")])


def _download(desk: Desk, found: list[Complaint]) -> None:
    if not may(desk.actor, Action.EXPORT):
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        words = may(desk.actor, Action.EXPORT_UNMASKED) and st.checkbox(
            t("complaints.with_words"), key="complaints_with_words", help=t("complaints.with_words_help")
        )
        made = labels.as_table(found, today=desk.day, terms=desk.terms, with_words=bool(words))
        downloads(desk.actor, lambda _: made, "complaints")


def _tables(desk: Desk) -> None:
    by = st.segmented_control(
        t("complaints.by"),
        _BY,
        key="complaints_by",
        default="agent_id",
        required=True,
        format_func=lambda name: t(f"complaints.by_{name}"),
    )
    lines = _table(desk.actor, desk.actor.role, desk.day, _asked(), by or "agent_id", data.version())
    if not lines:
        st.info(t("complaints.none_yet"), icon=":material/inbox:")
        return
    rows = [_row(line, by or "agent_id") for line in lines]
    st.dataframe(rows, hide_index=True, key="complaints_table")
    st.caption(t("complaints.f_note"))
    if may(desk.actor, Action.EXPORT):
        made = Table(
            name=t("complaints.tab_figures"),
            subject=f"complaints by {by}",
            headings=tuple(rows[0]),
            rows=tuple(tuple(row.values()) for row in rows),
        )
        with st.container(horizontal=True):
            downloads(desk.actor, lambda _: made, "complaint_figures")


def _row(line: Line, by: By) -> dict[str, Any]:
    label = {"cause": labels.cause, "category": labels.category, "channel": labels.channel}.get(by, str)
    counts = {name: getattr(line, name) for name in ("open", "overdue", "late", "repeats", "decided", "upheld")}
    return {
        t(f"complaints.by_{by}"): t("complaints.unknown") if line.key is None else label(line.key),
        t("complaints.f_n"): line.complaints,
        **{t(f"complaints.f_{name}"): value for name, value in counts.items()},
        t("complaints.f_partial"): line.partial,
        t("complaints.f_founded"): labels.percent(line.founded),
        f"{t('complaints.f_founded')} {t('complaints.f_interval')}": interval(line.founded),
        t("complaints.f_linked"): line.linked,
        t("complaints.f_caught"): labels.percent(line.caught),
        f"{t('complaints.f_caught')} {t('complaints.f_interval')}": interval(line.caught),
    }


show()
