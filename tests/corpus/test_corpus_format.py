"""The labelled corpus is well formed, says nothing twice and is as large as promised."""

import datetime
import json
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONDUCT = {
    "threat",
    "abuse",
    "harassment",
    "privacy_leak",
    "third_party_pressure",
    "impersonation",
    "false_consequence",
    "private_payment",
    "induce_borrowing",
    "improper_promise",
    "obstruct_complaint",
    "unlawful_fee",
}
SIGNALS = {
    "complaint_intent",
    "hardship",
    "self_harm",
    "dispute",
    "stop_contact",
    "wrong_person",
    "promise_to_pay",
    "refuse",
    "request_plan",
}
DUTIES = {
    "greeting",
    "identify_self",
    "recording_notice",
    "verify_identity",
    "state_debt",
    "offer_plan",
    "confirm_promise",
    "complaint_channel",
    "courteous_closing",
}
RELATIONS = {"self", "guarantor", "co_obligor", "spouse_joint_debt", "contact", "unrelated", "unknown"}
KEYS = {
    "call_id",
    "complete",
    "everyday",
    "callee_relation",
    "started_at",
    "turns",
    "labels",
    "duties",
    "promise",
    "near",
    "note",
}
CLOSINGS = ("再见", "拜拜", "打扰")  # farewells may repeat


def calls_in(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


FILES = sorted(HERE.glob("*/*.jsonl"))
CALLS = [call for path in FILES for call in calls_in(path)]


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def faults_of_label(call: dict, label: dict) -> list[str]:
    turn = call["turns"][label["turn"]] if 0 <= label["turn"] < len(call["turns"]) else None
    if turn is None:
        return [f"no turn {label['turn']}"]
    faults = []
    if not label["quote"] or label["quote"] not in turn["text"]:
        faults.append(f"quote is not in turn {label['turn']}: {label['quote']}")
    if label["category"] not in (CONDUCT if turn["role"] == "agent" else SIGNALS):
        faults.append(f"{label['category']} can't be said by {turn['role']} (turn {label['turn']})")
    return faults


def faults_of_call(call: dict) -> list[str]:
    faults = [fault for label in call["labels"] for fault in faults_of_label(call, label)]
    if set(call) - KEYS:
        faults.append(f"unknown keys {set(call) - KEYS}")
    if not call["turns"] or any(
        set(turn) != {"role", "text"} or turn["role"] not in ("agent", "customer") or not turn["text"].strip()
        for turn in call["turns"]
    ):
        faults.append("bad turns")
    if set(call.get("near", [])) - CONDUCT - SIGNALS - DUTIES:
        faults.append(f"unknown near category {call['near']}")
    if call.get("callee_relation", "unknown") not in RELATIONS:
        faults.append(f"unknown relation {call['callee_relation']}")
    return faults + faults_of_duties(call) + faults_of_promise(call)


def faults_of_duties(call: dict) -> list[str]:
    duties = call.get("duties", {})
    if not call["complete"]:
        return ["an excerpt has no duties"] if duties else []
    if set(duties) != DUTIES or set(duties.values()) - {"pass", "fail", "not_applicable"}:
        return ["duties of a whole call: all nine, pass|fail|not_applicable"]
    return []


def faults_of_promise(call: dict) -> list[str]:
    if "started_at" in call:
        datetime.datetime.fromisoformat(call["started_at"])
    promise = call.get("promise")
    if promise is None:
        return []
    if promise["date"] is not None:
        datetime.date.fromisoformat(promise["date"])
    promised = any(label["category"] == "promise_to_pay" for label in call["labels"])
    return [] if promised and set(promise) == {"amount", "date"} else ["promise without promise_to_pay"]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_call_is_well_formed(path: Path) -> None:
    faults = {call["call_id"]: faults_of_call(call) for call in calls_in(path)}
    assert not {call_id: found for call_id, found in faults.items() if found}


def test_call_ids_are_unique() -> None:
    repeated = [call_id for call_id, n in Counter(call["call_id"] for call in CALLS).items() if n > 1]
    assert not repeated


def test_no_turn_is_said_twice() -> None:
    said = Counter(turn["text"] for call in CALLS for turn in call["turns"] if len(turn["text"]) > 8)
    assert not [text for text, n in said.items() if n > 1 and not any(word in text for word in CLOSINGS)]


def test_corpus_is_as_large_as_promised() -> None:
    assert len(CALLS) >= 400
    assert sum(len(call["turns"]) for call in CALLS) >= 2500


@pytest.mark.parametrize("half", ["open", "set_aside"])
def test_each_half_holds_every_category_often_enough(half: str) -> None:
    said = Counter(
        label["category"]
        for path in FILES
        if path.parent.name == half
        for call in calls_in(path)
        for label in call["labels"]
    )
    assert not [category for category in CONDUCT | SIGNALS if said[category] < 12]
