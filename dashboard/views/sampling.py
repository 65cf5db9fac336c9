"""抽检: calls drawn at random, heard by people, and what that says of the machine and of ourselves."""

from __future__ import annotations

import streamlit as st

from audit import sampling
from dashboard import data, sample_figures, sample_plans, sample_work
from dashboard.words import t

_VIEWS = ("work", "plans", "figures")


def show() -> None:
    actor = data.actor()
    with data.reading() as store:
        samples = sampling.all_samples(store, actor=actor)
    asked = st.query_params.get("view")
    st.session_state.setdefault("sampling_view", asked if asked in _VIEWS else "work" if samples else "plans")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(t("sampling.title"), anchor=False, width="content")
        st.segmented_control(
            t("sampling.view"), _VIEWS, key="sampling_view", required=True, label_visibility="collapsed",
            format_func=lambda name: t(f"sampling.view_{name}"),
        )  # fmt: skip
        st.caption(t("sampling.what"))
    if (notice := st.session_state.pop("sampling_notice", None)) is not None:
        st.toast(notice, icon=":material/info:")
    if (trouble := st.session_state.pop("sampling_trouble", None)) is not None:
        st.warning(trouble, icon=":material/warning:")
    view = st.session_state["sampling_view"]
    st.query_params["view"] = view
    if view == "plans":
        sample_plans.show(actor, samples)
    elif view == "figures":
        sample_figures.show(actor)
    elif samples:
        sample_work.show(actor, samples)
    else:
        st.info(t("sampling.no_samples"), icon=":material/casino:")
        st.button(t("sampling.to_plans"), key="sampling_to_plans", on_click=_to_plans)


def _to_plans() -> None:
    st.session_state["sampling_view"] = "plans"


show()
