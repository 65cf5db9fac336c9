"""Evidence packages: whole, private, and checked by the script that a third party gets."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from audit import ledger
from audit.access import LOCAL, Actor, Refused, Role
from audit.errors import BadPath
from audit.evidence import NoEvidence, evidence, new_package
from audit.review import Choice, Policy, judge, undo
from audit.store import Store
from audit.store.queue import items_of_call
from audit.store.verdicts import Kind, of_call

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_evidence.py"
REASON = "监管调取第118号"
REVIEWER = Actor(name="质检小周", role=Role.REVIEWER)


@pytest.fixture
def store(stored: Callable[..., Store], threat_call: Any, good_call: Any) -> Store:
    """Two calls; the threat was confirmed, that was undone, and it was confirmed again."""
    store = stored(threat_call, good_call)
    for _ in range(2):
        shown = next(item for item in items_of_call(store, "c-threat") if item.rule_id == "menace-family")
        judge(store, shown, Choice(kind=Kind.CONFIRM), actor=REVIEWER, policy=Policy())
        last = of_call(store, shown.recording)[-1]
        if last.id == 1:
            undo(store, last.id, actor=REVIEWER, policy=Policy())
    return store


def check(package: Path, *more: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, SCRIPT, package, *more], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return done.returncode, done.stdout + done.stderr


def altered(package: bytes, name: str, change: Callable[[bytes], bytes], *, honest: bool) -> bytes:
    """The package with one part changed; an honest forger writes the new hash into the manifest too."""
    with zipfile.ZipFile(io.BytesIO(package)) as source:
        parts = {entry: source.read(entry) for entry in source.namelist()}
    parts[name] = change(parts[name])
    if honest:
        manifest = json.loads(parts["manifest.json"])
        manifest["files"][name] = sha256(parts[name]).hexdigest()
        parts["manifest.json"] = json.dumps(manifest).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for entry, content in parts.items():
            target.writestr(entry, content)
    return made.getvalue()


def keep(package: bytes, to: Path) -> Path:
    with new_package(to) as file:
        file.write(package)
    return to


def test_a_package_holds_what_the_findings_rest_on_and_passes_the_check(store: Store, tmp_path: Path) -> None:
    package = keep(evidence(store, "c-threat", reason=REASON, actor=LOCAL, sound=True), tmp_path / "e.zip")
    assert stat.S_IMODE(package.stat().st_mode) == 0o600
    with zipfile.ZipFile(package) as opened:
        said = json.loads(opened.read("verdicts.json"))
        found = json.loads(opened.read("findings.json"))
        entries = json.loads(opened.read("ledger.json"))
        manifest = json.loads(opened.read("manifest.json"))
    assert [one["kind"] for one in said] == ["confirm", "undo", "confirm"]
    assert "你女儿是在实验小学三年级吧，路上小心一点" in [one["quote"] for one in found]
    assert entries["unbroken"]
    assert entries["entries"][-1]["data"]["reason"] == REASON
    assert manifest["recording_sha256"] == store.call("c-threat").recording  # type: ignore[union-attr]
    code, told = check(package)
    assert code == 0, told
    assert str(ledger.head(store)) in told


@pytest.mark.parametrize(("part", "old", "new"), [
    ("transcript.json", "路上小心一点", "路上慢慢走啊"),
    ("verdicts.json", '"confirm"', '"dismiss"'),
    ("ledger.json", "质检小周", "质检小李"),
    ("findings.json", "实验小学", "实验中学"),
])  # fmt: skip
def test_a_changed_part_is_named(store: Store, tmp_path: Path, part: str, old: str, new: str) -> None:
    made = evidence(store, "c-threat", reason=REASON, actor=LOCAL)
    package = tmp_path / "e.zip"
    package.write_bytes(altered(made, part, lambda b: b.replace(old.encode(), new.encode()), honest=False))
    code, told = check(package)
    assert code == 1
    assert f"{part}: hash differs" in told


@pytest.mark.parametrize(("part", "change", "why"), [
    ("ledger.json", ("质检小周", "质检小李"), "changed"),
    ("transcript.json", ("路上小心一点", "路上慢慢走啊"), "its words are not in the transcript"),
    ("verdicts.json", ('"id": 3', '"id": 9'), "verdict 9: not in the ledger"),
])  # fmt: skip
def test_a_forger_who_mends_the_manifest_is_found_out(
    store: Store, tmp_path: Path, part: str, change: tuple[str, str], why: str
) -> None:
    old, new = change
    made = evidence(store, "c-threat", reason=REASON, actor=LOCAL)
    package = tmp_path / "e.zip"
    package.write_bytes(altered(made, part, lambda b: b.replace(old.encode(), new.encode()), honest=True))
    code, told = check(package)
    assert code == 1
    assert why in told


def test_an_entry_left_out_breaks_the_chain(store: Store, tmp_path: Path) -> None:
    def without_second(content: bytes) -> bytes:
        kept = json.loads(content)
        del kept["entries"][1]
        return json.dumps(kept, ensure_ascii=False).encode()

    package = tmp_path / "e.zip"
    made = evidence(store, "c-threat", reason=REASON, actor=LOCAL)
    package.write_bytes(altered(made, "ledger.json", without_second, honest=True))
    assert "does not follow" in check(package)[1]


def test_another_recording_is_refused(store: Store, tmp_path: Path) -> None:
    package = keep(evidence(store, "c-threat", reason=REASON, actor=LOCAL), tmp_path / "e.zip")
    threat, good = (store.call(call).record.path for call in ("c-threat", "c-good"))  # type: ignore[union-attr]
    assert check(package, threat)[0] == 0  # type: ignore[arg-type]
    assert "not the one that was audited" in check(package, good)[1]  # type: ignore[arg-type]


def test_who_may_not_take_data_out_gets_nothing(store: Store) -> None:
    before = ledger.head(store)
    with pytest.raises(Refused):
        evidence(store, "c-threat", reason=REASON, actor=REVIEWER)
    assert ledger.head(store) == before


def test_a_call_that_is_not_there_and_a_file_that_is(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NoEvidence, match="c-none"):
        evidence(store, "c-none", reason=REASON, actor=LOCAL)
    (tmp_path / "taken.zip").write_bytes(b"mine")
    with pytest.raises(BadPath, match=r"taken\.zip"):
        keep(evidence(store, "c-threat", reason=REASON, actor=LOCAL), tmp_path / "taken.zip")
    assert (tmp_path / "taken.zip").read_bytes() == b"mine"


def test_where_nothing_is_handed_out_the_ledger_says_nothing(store: Store, tmp_path: Path) -> None:
    def hand_out(call_id: str, name: str, actor: Actor = LOCAL) -> Path:
        with new_package(tmp_path / name) as file:
            file.write(evidence(store, call_id, reason=REASON, actor=actor))
        return tmp_path / name

    before = ledger.head(store)
    (tmp_path / "taken.zip").write_bytes(b"mine")
    with pytest.raises(BadPath, match=r"taken\.zip.*已有同名的文件"):
        hand_out("c-threat", "taken.zip")
    with pytest.raises(BadPath, match="不存在"):
        hand_out("c-threat", "no folder/e.zip")
    with pytest.raises(NoEvidence):
        hand_out("c-none", "e.zip")
    with pytest.raises(Refused):
        hand_out("c-threat", "e.zip", REVIEWER)
    assert ledger.head(store) == before
    assert sorted(path.name for path in tmp_path.glob("*.zip")) == ["taken.zip"]
    assert check(hand_out("c-threat", "e.zip"))[0] == 0
    assert ledger.head(store) != before


def test_a_recording_that_was_exchanged_is_no_evidence(store: Store, tmp_path: Path) -> None:
    path = store.call("c-threat").record.path  # type: ignore[union-attr]
    path.write_bytes(path.read_bytes() + b"\0")  # type: ignore[union-attr]
    with pytest.raises(BadPath, match="不是同一个文件"):
        evidence(store, "c-threat", reason=REASON, actor=LOCAL, sound=True)
    assert evidence(store, "c-threat", reason=REASON, actor=LOCAL)


@pytest.mark.parametrize("named", [[], ["gone.zip"], [str(SCRIPT)]])
def test_the_checking_script_says_how_it_is_called(named: list[str]) -> None:
    done = subprocess.run([sys.executable, SCRIPT, *named], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: ")
