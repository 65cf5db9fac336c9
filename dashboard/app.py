"""The dashboard's frame: who is looking, which pages they may open, language, filters. Streamlit runs this file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from audit.access import LOCAL, Action, Actor, may
from dashboard import address, data, filters
from dashboard.guard import SIGN_OUT, send_to
from dashboard.marks import plain
from dashboard.words import lang, t

# A file of our own: an emoji or a symbol's name would make the browser fetch it from elsewhere.
ICON = Path(__file__).with_name("icon.svg")
SIDEBAR_WIDTH = 240  # pixels: tables need what is left of 1280
# Streamlit leaves 5rem at both sides and squeezes figures and charts until they read "1…": less air, rows that wrap,
# six figures as three and three. Rows that hold other rows are none of figures: on a phone their parts stand below
# each other.
_FIGURES = ".stHorizontalBlock:has(> .stColumn :is(.stMetric, .st-key-review_confirm)):not(:has(.stColumn .stColumn))"
_ROOM = """<style>
[data-testid="stMetricLabel"] p { white-space: normal !important; }
@media (max-width: 1500px) { .stMainBlockContainer { padding-left: 2.5rem; padding-right: 2.5rem; } }
@media (max-width: 1150px) {
  .stMainBlockContainer { padding-left: 1.25rem; padding-right: 1.25rem; }
  ROW { flex-wrap: wrap; }
  ROW > .stColumn { min-width: 8.5rem; }
  .stHorizontalBlock:has(> .stColumn .stVegaLiteChart) { flex-wrap: wrap; }
  .stHorizontalBlock:has(> .stColumn .stVegaLiteChart) > .stColumn { min-width: 100%; }
}
@media (min-width: 641px) and (max-width: 1150px) {
  ROW:has(> .stColumn:nth-child(6):last-child) > .stColumn { min-width: 30%; }
  ROW:has(> .stColumn:nth-child(7):last-child) > .stColumn { min-width: 22%; }
}
</style>""".replace("ROW", _FIGURES)
# Streamlit has no Chinese: "Upload", "200MB per file" and "yyyy-mm-dd" are said anew, "Press Enter to apply" left out.
_IN_CHINESE = """<style>
.stFileUploader button p { font-size: 0; }
.stFileUploader button p::after { content: "选择文件"; font-size: 0.875rem; }
[data-testid="stFileUploaderDropzoneInstructions"] > * { display: none; }
[data-testid="stFileUploaderDropzoneInstructions"]::after {
  content: "也可以拖到这里，每个不超过 %d MB"; font-size: 0.875rem; opacity: 0.6;
}
[data-testid="InputInstructions"] { display: none; }
.react-aria-DateField [data-placeholder]:is([data-type="year"], [data-type="month"], [data-type="day"]) {
  font-size: 0;
}
.react-aria-DateField [data-placeholder]::after { font-size: 0.9rem; }
.react-aria-DateField [data-placeholder][data-type="year"]::after { content: "年"; }
.react-aria-DateField [data-placeholder][data-type="month"]::after { content: "月"; }
.react-aria-DateField [data-placeholder][data-type="day"]::after { content: "日"; }
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec:
    """views/<name>.py at /<name>, titled `shell.<name>`, for the roles that may do `needs` (or `or_needs`).

    The file is a script: functions, and a last line that calls the first of them. `filtered` pages keep the filters
    in the sidebar, but not in their `bare` views, which the address names: what is shown there heeds none.
    """

    name: str
    icon: str
    needs: Action
    filtered: bool = True
    bare: tuple[str, ...] = ()
    or_needs: Action | None = None

    def open_to(self, actor: Actor) -> bool:
        """Whether this person may open the page."""
        return may(actor, self.needs) or (self.or_needs is not None and may(actor, self.or_needs))

    def heeds_filters(self) -> bool:
        """Whether what the page shows now depends on the filters."""
        return self.filtered and st.query_params.get("view") not in self.bare


PAGES = [
    PageSpec(name="overview", icon=":material/space_dashboard:", needs=Action.SEE_OVERVIEW),
    PageSpec(name="review", icon=":material/fact_check:", needs=Action.JUDGE),
    PageSpec(name="contacts", icon=":material/phone_callback:", needs=Action.SEE_QUEUE),
    PageSpec(name="call", icon=":material/graphic_eq:", needs=Action.SEE_CALL),
    PageSpec(name="collectors", icon=":material/groups:", needs=Action.SEE_COLLECTORS),
    PageSpec(name="complaints", icon=":material/feedback:", needs=Action.SEE_COMPLAINTS),
    PageSpec(name="coaching", icon=":material/school:", needs=Action.SEE_COACHING),
    PageSpec(name="promises", icon=":material/handshake:", needs=Action.SEE_PROMISES),
    PageSpec(
        name="appeals", icon=":material/gavel:", needs=Action.APPEAL, or_needs=Action.DECIDE_APPEAL, filtered=False
    ),
    PageSpec(name="rules_page", icon=":material/rule:", needs=Action.SEE_RULES, bare=("bench", "reaudit")),
    PageSpec(name="sampling", icon=":material/casino:", needs=Action.SAMPLE, filtered=False),
    PageSpec(name="reports", icon=":material/description:", needs=Action.EXPORT),
    PageSpec(name="operations", icon=":material/settings:", needs=Action.SEE_OPERATIONS, filtered=False),
]


def main() -> None:
    """One run of the script: a page for whoever looks."""
    st.set_page_config(page_icon=ICON, layout="wide", initial_sidebar_state=SIDEBAR_WIDTH)
    st.html(_ROOM)
    actor = data.actor()
    filters_place = st.sidebar.container()  # above the switch, which must have run before them
    _language_switch()
    if lang() == "zh":
        st.html(_IN_CHINESE % data.config().upload_mb)
    with st.sidebar:
        _who(actor)
    open_to = [spec for spec in PAGES if spec.open_to(actor)]
    if not open_to:
        st.error(t("shell.no_pages", role=t(f"shell.role_{actor.role}")))
        return
    pages = {spec.name: _page(spec, hidden=spec not in open_to) for spec in PAGES}
    _tell_unknown_page({*pages, "home"})
    # Streamlit gives the default page no address of its own: links to it would break.
    door = st.Page(_nothing, title="callaudit", url_path="home", default=True, visibility="hidden")
    chosen = st.navigation([door, *pages.values()], expanded=True)  # else those beyond the twelfth hide
    if chosen == door:
        st.switch_page(pages[open_to[0].name], query_params=st.query_params.to_dict())
    spec = next(spec for spec in PAGES if pages[spec.name] == chosen)
    if not spec.open_to(actor):
        st.error(t("shell.refused", role=t(f"shell.role_{actor.role}")), icon=":material/block:")
        return
    if spec.heeds_filters():
        with filters_place:
            filters.draw(actor)
    else:
        filters.keep()
    chosen.run()


def _tell_unknown_page(known: set[str]) -> None:
    """An address that is no page leads to the first one, with a word; Streamlit's own word would be English."""
    context = get_script_run_ctx()
    asked = "" if context is None else context.pages_manager.intended_page_name
    if context is not None and asked and asked not in known:
        context.pages_manager.set_script_intent("", "")
        st.toast(t("shell.no_such_page", page=plain(asked)), icon=":material/search_off:", duration="long")


def _nothing() -> None:
    """What the door shows: it leads on before anything is drawn."""


def _page(spec: PageSpec, *, hidden: bool) -> st.Page:
    return st.Page(
        f"views/{spec.name}.py",
        title=t(f"shell.{spec.name}"),
        icon=spec.icon,
        url_path=spec.name,
        visibility="hidden" if hidden else "visible",
    )


def _language_switch() -> None:
    """Before any text is drawn: the language that a link asks for, else the one chosen before, else Chinese."""
    asked = address.news(["lang"]).get("lang")
    if asked in ("zh", "en"):
        st.session_state["lang"] = asked
    st.session_state.setdefault("lang", "zh")
    with st.sidebar:
        st.segmented_control(
            "中文 / English",
            ["zh", "en"],
            key="lang",
            required=True,
            format_func={"zh": "中文", "en": "English"}.__getitem__,
            label_visibility="collapsed",
        )
    address.write({"lang": None if lang() == "zh" else lang()})


def _who(actor: Actor) -> None:
    if actor is LOCAL:
        st.caption(t("shell.local"))
        return
    st.caption(t("shell.signed_in_as", name=actor.name, role=t(f"shell.role_{actor.role}")))
    if st.button(t("shell.sign_out"), key="sign_out", icon=":material/logout:"):
        send_to(SIGN_OUT)


main()
