"""运行: batches, failures, uploads, the engine and the store."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from audit.access import Action, may
from audit.config import CHINA
from audit.errors import AuditError
from audit.ledger import head, recent, verify
from audit.operations import RunState, State, TaskState, failures, retry, runs, size, tasks
from audit.plan import SOUND
from audit.uploads import Inbox, Upload, take_in
from audit.work import is_working, last_words, start_worker
from dashboard import data, ledger_lines
from dashboard.marks import person
from dashboard.told import told
from dashboard.words import t

REFRESH_SECONDS = 5


def show() -> None:
    """The whole page."""
    st.title(t("operations.title"))
    _now()
    names = ["runs", "failures", "upload", "engine"]
    if may(data.actor(), Action.SEE_LEDGER):
        names.append("ledger")
    parts = {"runs": _runs, "failures": _failures, "upload": _upload, "engine": _engine, "ledger": _ledger}
    tabs = st.tabs([t(f"operations.tab_{name}") for name in names], key="operations_tab")
    for name, tab in zip(names, tabs, strict=True):
        with tab:
            parts[name]()


@st.fragment(run_every=REFRESH_SECONDS)
def _now() -> None:
    """Figures and progress; drawn anew by itself."""
    who = data.actor()
    with data.reading() as store:
        newest, held = runs(store, actor=who, now=datetime.now(UTC), limit=5), size(store, actor=who)
        failed, waiting = len(failures(store, actor=who)), _waiting(tasks(store, actor=who))
    free = shutil.disk_usage(data.config().db.absolute().parent).free
    figures = {
        "calls": f"{held.calls:,}",
        "hours": f"{held.hours:,.1f}",
        "failed": f"{failed:,}",
        "waiting": f"{waiting:,}",
        "store": _bytes(held.bytes),
        "disk": _bytes(free),
    }
    for column, (name, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(t(f"operations.{name}"), value, border=True)
    for run in newest:
        if run.state is State.RUNNING:
            _progress(run)
    if newest and newest[0].state is State.KILLED:
        st.warning(
            t("operations.killed", run=newest[0].run.id, seen=_time(newest[0].seen_at)), icon=":material/power_off:"
        )
    elif not any(run.state is State.RUNNING for run in newest):
        st.caption(t("operations.idle"))


def _progress(state: RunState) -> None:
    run = state.run
    if not state.total:
        st.info(t("operations.reaudit_running", run=run.id, done=run.calls_done), icon=":material/sync:")
        return
    over = run.calls_done + state.skipped + run.calls_failed
    factor = state.heard_ms / 1000 / state.seconds if state.seconds > 0 and state.heard_ms else 0.0
    speed = t("operations.speed", factor=factor) if factor else t("operations.no_speed")
    if state.seconds_left is not None:
        speed += " · " + t("operations.left", minutes=round(state.seconds_left / 60) or 1)
    text = t("operations.progress", over=over, total=state.total, done=run.calls_done, skipped=state.skipped,
             failed=run.calls_failed, speed=speed)  # fmt: skip
    st.progress(min(1.0, over / state.total), text=f"**{t('operations.running', run=run.id)}** · {text}")


def _runs() -> None:
    with data.reading() as store:
        found = runs(store, actor=data.actor(), now=datetime.now(UTC))
    if not found:
        st.info(t("operations.no_runs"), icon=":material/info:")
        return
    st.dataframe(_table([_run_row(state) for state in found]), hide_index=True, key="runs_table")


def _run_row(state: RunState) -> dict[str, Any]:
    run = state.run
    return {
        "run": run.id,
        "kind": t(f"operations.kind_{run.kind}"),
        "state": t(f"operations.state_{state.state}"),
        "started": _time(run.started_at),
        "took": str(timedelta(seconds=round(state.seconds))),
        "done": run.calls_done,
        "skipped": state.skipped,
        "failed": run.calls_failed,
        "sound": str(timedelta(seconds=round(state.heard_ms / 1000))),
        "engine": f"{run.settings.engine} {run.engine_version or ''}".strip(),
        "model": f"{run.settings.model or ''} {(run.model_sha256 or '')[:8]}".strip(),
        "rules": f"{run.settings.ruleset} {run.settings.ruleset_version} {run.settings.ruleset_digest[:8]}",
    }


def _failures() -> None:
    who = data.actor()
    with data.reading() as store:
        found = failures(store, actor=who)
    if not found:
        st.success(t("operations.no_failures"), icon=":material/check_circle:")
        return
    st.caption(t("operations.failures_help"))
    rows = [
        {
            "file": f.path.name,
            "reason": _reason(f.path, f.reason),
            "call": f.call_id or "",
            "tries": f.tries,
            "when": _time(f.failed_at),
        }
        for f in found
    ]
    table = st.dataframe(
        _table(rows), hide_index=True, key="failures_table", on_select="rerun", selection_mode="multi-row"
    )
    if not may(who, Action.OPERATE):
        st.caption(t("operations.may_not"))
        return
    chosen = [found[row].path for row in table.selection.rows]
    some, every = st.columns([1, 5])
    label = t("operations.retry_some", count=len(chosen))
    if some.button(label, key="retry_some", disabled=not chosen, icon=":material/replay:"):
        _retry(chosen)
    if every.button(t("operations.retry_all"), key="retry_all", icon=":material/replay:"):
        _retry([failure.path for failure in found])


def _retry(paths: list[Any]) -> None:
    who = data.actor()
    with data.writing() as store:
        there = retry(store, paths, actor=who)
        if there:
            start_worker(store, data.setup().worker, actor=who)
    if there:
        st.success(t("operations.retried", count=len(there)), icon=":material/hourglass_top:")
    if len(there) < len(paths):
        st.warning(t("operations.not_there", count=len(paths) - len(there)), icon=":material/warning:")


def _upload() -> None:
    if not may(data.actor(), Action.OPERATE):
        st.caption(t("operations.may_not"))
    else:
        _form()
    _tasks()


def _form() -> None:
    with st.form("upload_form", clear_on_submit=True, border=True):
        files = st.file_uploader(
            t("operations.choose"),
            type=[suffix[1:] for suffix in sorted(SOUND)] + ["csv"],
            accept_multiple_files=True,
            key="upload_files",
            help=t("operations.upload_help", mb=data.config().upload_mb),
        )
        handed_in = st.form_submit_button(t("operations.hand_in"), key="hand_in", type="primary")
    if handed_in and not files:
        st.warning(t("operations.choose_first"), icon=":material/upload_file:")
    elif handed_in:
        try:
            _take_in([Upload(name=file.name, content=file.getvalue()) for file in files])
        except AuditError as error:
            st.error(told(error), icon=":material/error:")


def _take_in(uploads: list[Upload]) -> None:
    who, config = data.actor(), data.config()
    inbox = Inbox(folder=config.inbox, largest_bytes=config.upload_mb << 20, utc_offset=config.utc_offset)
    with data.writing() as store:
        taken = take_in(store, uploads, inbox=inbox, actor=who)
        if taken.queued:
            start_worker(store, data.setup().worker, actor=who)
    if taken.queued:
        st.success(t("operations.queued", count=len(taken.queued)), icon=":material/hourglass_top:")
    elif not taken.known:
        st.warning(t("operations.choose_first"), icon=":material/upload_file:")
    for name, call in taken.known.items():
        st.info(t("operations.known", name=name, call=call), icon=":material/content_copy:")


@st.fragment(run_every=REFRESH_SECONDS)
def _tasks() -> None:
    """What became of what was handed in; drawn anew by itself."""
    who = data.actor()
    with data.reading() as store:
        found = tasks(store, actor=who)
    st.subheader(t("operations.tasks"))
    if not found:
        st.caption(t("operations.no_tasks"))
        return
    waiting = _waiting(found)
    if waiting and not is_working(data.config().db) and may(who, Action.OPERATE):
        st.warning(t("operations.worker_stopped", count=waiting), icon=":material/pause_circle:")
        if (words := last_words(data.config().db)) is not None:
            st.error(t("operations.worker_said", words=words), icon=":material/error:")
        if st.button(t("operations.start_worker", count=waiting), key="start_worker", icon=":material/play_arrow:"):
            with data.writing() as store:
                start_worker(store, data.setup().worker, actor=who)
    rows = [
        {
            "state": t(f"operations.task_{task.state}"),
            "file": task.name,
            "kind": t(f"operations.task_kind_{task.kind}"),
            "call": task.call_id or "",
            "reason": _reason(task.path, task.reason or ""),
            "by": person(task.by),
            "when": _time(task.at),
        }
        for task in found
    ]
    st.dataframe(_table(rows), hide_index=True, key="tasks_table")


def _engine() -> None:
    config = data.config()
    st.caption(t("operations.configured", engine=config.engine, model=config.model, rules=config.rules, db=config.db))
    if not may(data.actor(), Action.OPERATE):
        st.caption(t("operations.may_not"))
        return
    if st.button(t("operations.check"), key="check", icon=":material/troubleshoot:"):
        from audit.doctor import examine

        with st.spinner(t("operations.checking")):
            checks = examine(config)
        rows = [
            {"state": t("operations.check_ok" if c.ok else "operations.check_bad"), "item": c.title, "detail": c.detail}
            for c in checks
        ]
        st.dataframe(_table(rows), hide_index=True, key="checks_table")


def _ledger() -> None:
    with data.reading() as store:
        found = recent(store, limit=200)
        if st.button(t("operations.verify"), key="verify", icon=":material/verified_user:"):
            broken, last = verify(store), head(store)
            if broken is None:
                st.success(t("operations.ledger_fine", seq=last.seq), icon=":material/verified_user:")
                st.code(str(last), language=None)
            else:
                st.error(t("operations.ledger_broken", seq=broken.seq, why=broken.why), icon=":material/gpp_bad:")
    if not found:
        st.caption(t("operations.no_entries"))
        return
    rows = [
        {
            "number": e.seq,
            "when": _time(datetime.fromisoformat(e.at)),
            "by": person(e.actor),
            "what": t(f"operations.did_{e.kind}"),
            "subject": ledger_lines.subject(e),
            "content": ledger_lines.content(e.data),
        }
        for e in found
    ]
    st.dataframe(_table(rows), hide_index=True, key="ledger_table")


def _table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows under their headings in the reader's language."""
    return [{t(f"operations.{name}"): value for name, value in row.items()} for row in rows]


def _reason(path: Path, reason: str) -> str:
    """Without the path, which has a column of its own."""
    return reason.removeprefix(f"{path}：")


def _waiting(found: list[Any]) -> int:
    return sum(task.state is TaskState.WAITING for task in found)


def _time(when: datetime) -> str:
    return when.astimezone(CHINA).strftime("%m-%d %H:%M:%S")


def _bytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


show()
