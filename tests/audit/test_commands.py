"""Each command as people meet it: help, mistakes, output, exit code."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import click
import pytest

from audit.cli import cli
from audit.store import Store
from tests.conftest import COMMAND, write_calls, write_transcript

Run = Callable[..., CompletedProcess[str]]


def every_command(group: click.Group = cli, path: str = "callaudit") -> Iterator[tuple[str, click.Command]]:
    yield path, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


@pytest.mark.parametrize(("path", "command"), [*every_command()])
def test_every_command_has_help_in_chinese_with_an_example(path: str, command: click.Command) -> None:
    assert "-h" in command.get_help_option_names(
        click.Context(command, parent=click.Context(cli, **cli.context_settings))
    )
    assert command.help is not None
    assert "例：callaudit" in command.help
    assert any("\u4e00" <= c <= "\u9fff" for c in command.get_short_help_str(limit=99))
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert all(option.help for option in options)


def test_the_module_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audit.cli", "no-such-command"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "no-such-command" in done.stderr


def test_help_comes_in_less_than_0_4_s() -> None:
    """Time on the processor, so that a busy machine does not fail it; wall time on an idle one is the same."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "例：callaudit" in subprocess.check_output([COMMAND, "--help"], text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(5)) < 0.4


def test_help_imports_nothing_heavy() -> None:
    heavy = ["pydantic", "numpy", "rich", "sqlite_utils", "av", "faster_whisper", "spacy", "jieba", "yaml", "whisper"]
    code = f"import sys, audit.cli; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["audit"], "缺少参数 PATH"),
        (["audit", "--foo", "x"], "没有选项 --foo"),
        (["audit", "x", "--workers", "0"], "--workers 的值不对"),
        (["audit", "none/"], "没有这个文件或文件夹"),
        (["rules", "show", "no-such-rule"], "没有规则 no-such-rule"),
        (["rules", "list", "--rules", "no-such-pack"], "no-such-pack"),
        (["report", "--out", "r.pdf"], "callaudit.db：没有这个数据库"),
        (["reaudit", "--diff"], "callaudit.db：没有这个数据库"),
        (["calls", "import", "none.csv"], "none.csv：读不了通话清单"),
        (["doctor", "--config", "none.toml"], "none.toml：读不了配置文件"),
        (["transcribe", "x.wav", "--srt"], "--srt 要和 --out 一起用"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(callaudit: Run, arguments: list[str], told: str) -> None:
    done = callaudit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["audti"], "没有命令 audti；相近的有：audit、reaudit"),
        (["audit", "x", "--fail-on", "terrible"], "可选：critical、high、medium、low、info"),
        (["audit", "x", "--workers", "0"], "应为 1 到 256 之间的数"),
        (["users", "add", "x", "--role", "质检"], "可选：admin、officer"),
        (["report", "--out", "r.html", "--from", "2026-13-01"], "例如 2026-11-01"),
        (["report", "--out", "r.html", "--from", "2026-11-02", "--to", "2026-11-01"], "--from 晚于 --to"),
        (["check", "none.jsonl"], "none.jsonl：没有这个文件"),
        (["check", "/"], "/：这是文件夹，要的是文件"),
        (["transcribe", "x.wav", "--out", __file__], f"{__file__}：这是文件，要的是文件夹"),
        (["rules", "test", "extra"], "多了参数 extra"),
    ],
)
def test_what_was_typed_wrong_is_told_in_chinese(callaudit: Run, arguments: list[str], told: str) -> None:
    done = callaudit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    sentence = done.stderr.splitlines()[-1]
    assert told in sentence
    assert not any(english in sentence for english in (" not ", " is ", "No such", "Got "))


def test_without_a_command_the_help_page_comes_once(callaudit: Run) -> None:
    done = callaudit()
    assert done.returncode == 2
    assert (done.stderr.count("用法：callaudit"), done.stderr.count("错误：")) == (1, 0)


def test_what_is_left_unread_is_no_error(tmp_path: Path, pack: Path) -> None:
    whole = f"'{COMMAND}' rules show threaten-contacts --rules '{pack}' | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {whole}"], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


def test_reaudit_shows_what_would_change_and_saves_only_when_told(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    (tmp_path / "callaudit.toml").write_text("second_opinion = false\n", "utf-8")  # what it says changes with the model
    write_calls(tmp_path / "calls", 4)
    write_transcript(tmp_path / "calls" / "x.json", "agent: 你这个臭老赖")
    callaudit("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", 1)
    today = tmp_path / "today.yaml"
    text = pack.read_text("utf-8").replace("when: [{phrase: [臭老赖]}]", "when: [{phrase: [尽快处理, 臭老赖]}]")
    today.write_text(
        text.replace("severity: critical", "severity: high").replace("version: 0.0.1", "version: 0.0.2"), "utf-8"
    )
    diff = callaudit("reaudit", "--rules", today, "--diff")
    assert diff.returncode == 0
    rows = {line.split()[0]: line.replace("│", " ").split()[1:] for line in diff.stdout.splitlines()[2:]}
    assert rows == {"calls-names": ["2", "0", "0"], "threaten-contacts": ["0", "0", "2"]}
    with Store.read(tmp_path / "callaudit.db") as store:
        assert sum(len(call.judgement.findings) for call in store.calls()) == 3
    assert "重新判定 5 通" in callaudit("reaudit", "--rules", today).stderr
    assert "没有变化" in callaudit("reaudit", "--rules", today, "--diff").stderr
    with Store.read(tmp_path / "callaudit.db") as store:
        assert sum(len(call.judgement.findings) for call in store.calls()) == 5
        run = store.last_run()
        assert run is not None
        assert (run.kind, run.settings.ruleset_version, run.calls_done) == ("reaudit", "0.0.2", 5)
    again = callaudit("audit", "calls", "--engine", "transcript", "--rules", today, "--workers", 1)
    assert "跳过已完成 5 通" in again.stderr


def test_transcribe_writes_json_and_srt_and_goes_on_after_a_failure(tmp_path: Path, callaudit: Run) -> None:
    write_transcript(tmp_path / "in" / "1" / "a.json", "agent: 您好")
    write_transcript(tmp_path / "in" / "2" / "a.json", "agent: 再见")
    (tmp_path / "in" / "b.json").write_text("{", "utf-8")
    done = callaudit("transcribe", "in", "--engine", "transcript", "--out", "out", "--srt")
    assert done.returncode == 3
    assert "失败：" in done.stderr
    assert "b.json" in done.stderr
    assert done.stderr.splitlines()[-1] == "写出 2 个转写，失败 1 个；结果在 out"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"a.json", "a.srt", "a.json.json", "a.json.srt"}
    first = json.loads((tmp_path / "out" / "a.json").read_text("utf-8"))
    assert first["turns"][0]["text"] == "您好"
    assert {"version", "recording", "language", "engine", "turns"} <= set(first)


def test_transcribe_without_a_folder_prints_lines(tmp_path: Path, callaudit: Run) -> None:
    write_transcript(tmp_path / "a.json", "agent: 您好")
    done = callaudit("transcribe", "a.json", "--engine", "transcript")
    assert done.returncode == 0
    assert json.loads(done.stdout)["turns"][0]["role"] == "agent"


def test_reports_are_written_in_both_forms(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    write_calls(tmp_path / "calls", 2)
    callaudit("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", 1)
    for name in ("r.html", "r.xlsx"):
        done = callaudit("report", "--out", name, "--from", "2000-01-01", "--by", "team")
        assert (done.returncode, done.stdout) == (0, "")
        assert (tmp_path / name).stat().st_size > 1000
    assert callaudit("report", "--out", "r.pdf").returncode == 2


def test_rules_are_listed_shown_and_tried(callaudit: Run, pack: Path) -> None:
    assert "threaten-contacts" in callaudit("rules", "list", "--rules", pack).stdout
    shown = callaudit("rules", "show", "threaten-contacts", "--rules", pack)
    assert "坐席：我们就爆你通讯录" in shown.stdout
    tried = callaudit("rules", "test", "-i", "我们就爆你通讯录", "--rules", pack)
    assert tried.returncode == 0
    assert "threaten-contacts" in tried.stdout
    assert "违规" in tried.stdout


@pytest.mark.parametrize("speaker", ["客户：", "customer：", "客户: ", "customer: ", " 用户 ： "])
def test_who_speaks_is_told_in_either_language(callaudit: Run, pack: Path, speaker: str) -> None:
    assert "threaten-contacts" not in callaudit("rules", "test", "-i", f"{speaker}我们就爆你通讯录", "--rules", pack).stdout
    two = callaudit("rules", "test", "-i", f"{speaker}你好\n我跟你说：我们就爆你通讯录", "--rules", pack)
    assert "违规" in two.stdout


ANSWERS = "索要家人电话\nAsks for numbers\n骚扰\n{category}\n{severity}\n不许问\n\n老婆电话\n把你老婆电话给我\n{clean}\n没要\n"


def asked(command: list[object], answers: str, folder: Path) -> CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, command)], input=answers, cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("category", "severity"), [("泄露隐私", "高"), ("privacy_leak", "high")])
def test_a_rule_is_drafted_from_answers_in_either_language(tmp_path: Path, category: str, severity: str) -> None:
    answers = ANSWERS.format(category=category, severity=severity, clean="请您老婆接电话")
    done = asked(["rules", "new", "ask-for-number", "--out", "own"], answers, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "没有“骚扰”这一项" in done.stderr
    assert "Error" not in done.stderr
    assert "severity: high" in (tmp_path / "own/privacy_leak/ask-for-number.yaml").read_text("utf-8")


def test_a_draft_whose_clean_sentence_holds_the_phrase_is_told_of(tmp_path: Path) -> None:
    answers = ANSWERS.format(category="泄露隐私", severity="高", clean="你老婆电话我不需要")
    done = asked(["rules", "new", "ask-for-number", "--out", "own"], answers, tmp_path)
    assert done.returncode == 1
    assert "合规例 1：应为不命中，实为待复核“老婆电话”" in done.stderr
    lint = asked(["rules", "lint", "--rules", "own"], "", tmp_path)
    assert "ask-for-number.yaml:23: ask-for-number examples.clean.1: 应为不命中" in lint.stdout


def test_a_draft_may_not_be_called_as_a_rule_that_there_is_nor_look_for_nothing(tmp_path: Path) -> None:
    taken = asked(["rules", "new", "threaten-contacts", "--out", "own"], "", tmp_path)
    assert (taken.returncode, "已有规则 threaten-contacts" in taken.stderr) == (2, True)
    answers = ANSWERS.format(category="泄露隐私", severity="高", clean="好").replace("\n老婆电话\n", "\n嗯 @nobody\n")
    nothing = asked(["rules", "new", "ask-for-number", "--out", "own"], answers, tmp_path)
    assert nothing.returncode == 2
    assert "没有名为 @nobody 的词表" in nothing.stderr
    assert not (tmp_path / "own").exists()


def test_examples_that_fail_are_named_and_give_exit_code_1(callaudit: Run, pack: Path) -> None:
    assert callaudit("rules", "test", "--rules", pack).returncode == 0
    pack.write_text(pack.read_text("utf-8").replace("phrase: [臭老赖]", "phrase: [老骗子]"), "utf-8")
    done = callaudit("rules", "test", "--rules", pack)
    assert done.returncode == 1
    assert "calls-names 违规例 1" in done.stdout


def test_lint_tells_rule_and_place(callaudit: Run, pack: Path) -> None:
    done = callaudit("rules", "lint", "--rules", pack)
    assert done.returncode == 1  # the tiny pack has too few examples
    assert f"{pack}:" in done.stdout
    assert "threaten-contacts examples.violations: 例句少于 3 条" in done.stdout


def test_pages_of_rules_are_written_and_checked(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    folder = tmp_path / "pages"
    assert callaudit("rules", "docs", "--out", folder, "--check", "--rules", pack).returncode == 1
    assert callaudit("rules", "docs", "--out", folder, "--rules", pack).returncode == 0
    assert (folder / "threaten-contacts.md").is_file()
    assert callaudit("rules", "docs", "--out", folder, "--check", "--rules", pack).returncode == 0


def test_doctor_looks_at_everything_and_tells_what_is_wrong(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    (tmp_path / "callaudit.toml").write_text(f'engine = "transcript"\nrules = "{pack}"\n', "utf-8")
    done = callaudit("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert list(checks) == [
        "python", "packages", "weights", "rules", "store", "counts", "disk", "alerts", "tls", "hears", "judges"
    ]  # fmt: skip
    assert all(check["ok"] for check in checks.values()), checks
    assert done.returncode == 0
    (tmp_path / "callaudit.db").write_text("nothing of the kind" * 200)
    broken = callaudit("doctor")
    assert broken.returncode == 2
    assert "有问题" in broken.stdout
    assert "callaudit.db：" in broken.stdout


def test_doctor_tells_of_addresses_and_files_before_the_night_they_are_needed(
    tmp_path: Path, callaudit: Run, pack: Path
) -> None:
    (tmp_path / "callaudit.toml").write_text(
        f'engine = "transcript"\nrules = "{pack}"\nalerts = ["nonsense://x"]\n'
        'tls_cert = "nosuch.pem"\ntls_key = "nosuch.key"\n', "utf-8",
    )  # fmt: skip
    done = callaudit("doctor", "--json")
    wrong = {check["name"]: check["detail"] for check in json.loads(done.stdout) if not check["ok"]}
    assert set(wrong) == {"alerts", "tls"}
    assert "第 1 个地址" in wrong["alerts"]
    assert "nosuch.pem" in wrong["tls"]
    assert done.returncode == 2


def test_recordings_that_no_list_names_are_told(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    write_calls(tmp_path / "calls", 3)
    (tmp_path / "calls" / "calls.csv").write_text("call_id,recording\nc0000,c0000.json\n", "utf-8")
    done = callaudit("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", 1)
    assert "2 个录音不在通话清单里" in done.stderr
    again = callaudit("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", 1)
    assert "不在通话清单里" not in again.stderr  # known since


def test_the_english_table(tmp_path: Path, callaudit: Run, pack: Path) -> None:
    write_calls(tmp_path / "calls", 1)
    done = callaudit("audit", "calls", "--engine", "transcript", "--rules", pack, "--workers", 1, "--lang", "en")
    assert "Collector" in done.stdout


def test_the_progress_bar_shows_on_a_terminal_and_only_there(tmp_path: Path, pack: Path) -> None:
    write_calls(tmp_path / "calls", 3)
    command = [str(COMMAND), "audit", "calls", "--engine", "transcript", "--rules", str(pack), "--workers", "1"]
    assert "3/3 通" in _on_terminal(command, tmp_path)
    assert "通 " not in _on_terminal([*command, "--quiet", "--db", "2.db"], tmp_path).split("完成")[0]


def _on_terminal(command: list[str], folder: Path) -> str:
    """What a command writes to stderr when that is a terminal."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal is gone when the process is
        while block := os.read(ours, 4096):
            shown += block
    os.close(ours)
    assert process.wait() == 0
    return shown.decode()
