"""The dashboard's frame: who is looking, which pages they may open, language, filters. Streamlit runs this file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from audit.access import LOCAL, Action, Actor, may
from dashboard import address, data, filters
from dashboard.guard import SIGN_OUT, send_to
from dashboard.words import lang, t

# A file of our own: an emoji or a symbol's name would make the browser fetch it from elsewhere.
ICON = Path(__file__).with_name("icon.svg")
SIDEBAR_WIDTH = 240  # pixels: tables need what is left of 1280
# Streamlit leaves 5rem at both sides and squeezes figures and charts until they read "1…": less air, rows that wrap.
_ROOM = """<style>
@media (max-width: 1500px) { .stMainBlockContainer { padding-left: 2.5rem; padding-right: 2.5rem; } }
@media (max-width: 1150px) {
  .stMainBlockContainer { padding-left: 1.25rem; padding-right: 1.25rem; }
  .stHorizontalBlock:has(> .stColumn :is(.stMetric, .st-key-review_confirm)) { flex-wrap: wrap; }
  .stHorizontalBlock:has(> .stColumn :is(.stMetric, .st-key-review_confirm)) > .stColumn { min-width: 8.5rem; }
  .stHorizontalBlock:has(> .stColumn .stVegaLiteChart) { flex-wrap: wrap; }
  .stHorizontalBlock:has(> .stColumn .stVegaLiteChart) > .stColumn { min-width: 100%; }
}
</style>"""
# Streamlit has no Chinese: "Upload" and "200MB per file" are said anew, and "Press Enter to apply" left out.
_IN_CHINESE = """<style>
.stFileUploader button p { font-size: 0; }
.stFileUploader button p::after { content: "选择文件"; font-size: 0.875rem; }
[data-testid="stFileUploaderDropzoneInstructions"] > * { display: none; }
[data-testid="stFileUploaderDropzoneInstructions"]::after {
  content: "也可以拖到这里，每个不超过 %d MB"; font-size: 0.875rem; opacity: 0.6;
}
[data-testid="InputInstructions"] { display: none; }
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSpec:
    """views/<name>.py at /<name>, titled `shell.<name>`, for the roles that may do `needs` (or `or_needs`).

    The file is a script: functions, and a last line that calls the first of them. `filtered` pages keep the filters
    in the sidebar.
    """

    name: str
    icon: str
    needs: Action
    filtered: bool = True
    or_needs: Action | None = None

    def open_to(self, actor: Actor) -> bool:
        """Whether this person may open the page."""
        return may(actor, self.needs) or (self.or_needs is not None and may(actor, self.or_needs))


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
    PageSpec(name="rules_page", icon=":material/rule:", needs=Action.SEE_RULES),
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
    # Streamlit gives the default page no address of its own: links to it would break.
    door = st.Page(_nothing, title="callaudit", url_path="home", default=True, visibility="hidden")
    chosen = st.navigation([door, *pages.values()], expanded=True)  # else those beyond the twelfth hide
    if chosen == door:
        st.switch_page(pages[open_to[0].name], query_params=st.query_params.to_dict())
    spec = next(spec for spec in PAGES if pages[spec.name] == chosen)
    if not spec.open_to(actor):
        st.error(t("shell.refused", role=t(f"shell.role_{actor.role}")), icon=":material/block:")
        return
    if spec.filtered:
        with filters_place:
            filters.draw(actor)
    chosen.run()


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
