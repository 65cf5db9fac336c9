"""How fast calls are judged, and what more rules cost: `python -P benchmarks/rules.py`.

-P keeps this file from being taken for the package of its name; docs/speed.md says how to read what it prints.
Prints calls a second of `check` on one core, JSON in and out, with and without the second opinion, beside a plain `re`
search for the pack's phrases and patterns in the same calls; then characters a second and ratios for 50 to 5,000
rules of three words each, beside a plain `re` per rule, spaCy's PhraseMatcher and Hyperscan (where it is installed).
CPU time counts, so that a busy machine disturbs less; all engines run in turn in the same process.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import jieba

from audit.check import as_line, check_lines, read_call
from rules.engine import Judge
from rules.load import conditions_of, load_lexicon, load_rules
from rules.model import CATEGORIES, CallFacts, Condition, Example, Examples, Group, Rule, RuleSet, Severity
from rules.patterns import spelled_out
from rules.text import NormalText, normalise_term
from transcribe.model import Role, Turn

OPEN = Path(__file__).parents[1] / "tests" / "corpus" / "open"
CHARACTERS = 500
SAMPLE = 8  # every so manieth excerpt of the open half is judged
SIZES = (50, 500, 1_000, 5_000)
ROUNDS = 3
Scan = Callable[[str], int]


def corpus() -> Iterator[dict[str, Any]]:
    for file in sorted(OPEN.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            yield json.loads(line)


def is_compliant(call: dict[str, Any]) -> bool:
    return all(CATEGORIES[label["category"]][0] is not Group.CONDUCT for label in call["labels"])


def calls_of(excerpts: list[dict[str, Any]]) -> list[bytes]:
    """Excerpts put together until each call has about 500 characters, as lines of `check`."""
    lines, turns = [], list[dict[str, Any]]()
    for excerpt in excerpts:
        turns += [{"role": turn["role"], "text": turn["text"]} for turn in excerpt["turns"]]
        if sum(len(turn["text"]) for turn in turns) >= CHARACTERS:
            call = {"turns": turns, "started_at": "2026-11-19T15:10:00+08:00", "callee_relation": "self"}
            lines.append(json.dumps(call, ensure_ascii=False).encode())
            turns = []
    return lines


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds, the best of a few rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def check_speed(name: str, lines: list[bytes], rules: RuleSet) -> None:
    """Calls a second of `check` and of its peer, one after the other in this process."""
    search = searched(rules)
    ways: dict[str, Callable[[], object]] = {
        "check": checking(lines, rules, second_opinion=False),
        "check with second opinion": checking(lines, rules, second_opinion=True),
        "re, searching only": lambda: [search(line) for line in lines],
    }
    for way, work in ways.items():
        work()  # the first round fills tables that are learned once
        rate = len(lines) / seconds(work)
        print(f"| {way}, {name} | {len(rules.rules)} | {rate:,.0f} calls/s | {1e6 / rate:,.0f} µs |", flush=True)


def checking(lines: list[bytes], rules: RuleSet, *, second_opinion: bool) -> Callable[[], object]:
    """Judges all lines at each call; the rules are compiled by the first."""
    answers = check_lines(lines * (ROUNDS + 1), rules, second_opinion=second_opinion)
    return lambda: [as_line(checked.answer or {}) for checked in islice(answers, len(lines))]


def searched(rules: RuleSet) -> Callable[[bytes], int]:
    """The peer: each phrase list and pattern of the pack, exceptions left out, as one `re` over each turn."""
    patterns = [
        spelled_out(condition.pattern, rules.words) if condition.pattern
        else "|".join(map(re.escape, rules.words(condition.phrase or ())))
        for rule in rules.rules
        for condition in conditions_of(rule)
        if (condition.pattern or condition.phrase) and condition not in rule.unless
    ]  # fmt: skip
    expressions = [re.compile(pattern) for pattern in dict.fromkeys(patterns)]
    return lambda line: sum(bool(e.search(turn.text)) for turn in read_call(line)[0] for e in expressions)


def synthetic(size: int) -> list[tuple[str, ...]]:
    """Three words a rule, drawn from our lexicon and from the rarer half of jieba's dictionary."""
    jieba.setLogLevel("WARNING")
    jieba.initialize()
    ours = {word for words in load_lexicon().values() for word in words if len(word) > 1}
    rare = {word for word, count in jieba.dt.FREQ.items() if 2 <= len(word) <= 4 and 0 < count < 20}
    same = {word for word in ours | rare if normalise_term(word) == word}  # 乾脆 is 干脆 for us and not for the others
    words = random.Random(size).sample(sorted(same), 3 * size)
    return [tuple(words[n : n + 3]) for n in range(0, 3 * size, 3)]


def ruleset_of(terms: Sequence[tuple[str, ...]]) -> RuleSet:
    example = Examples(violations=(Example(turns=("agent: x",)),), clean=(Example(turns=("agent: y",)),))
    rules = tuple(
        Rule(
            id=f"rule-{n}", title="t", title_en="t", category="threat", kind="forbid", role="any", status="test",
            severity=Severity.LOW, since="0.1.0", why="speed", when=(Condition(phrase=words),), guards=(),
            examples=example,
        )
        for n, words in enumerate(terms)
    )  # fmt: skip
    return RuleSet(
        name="speed", version="0", rules=rules, parameters={}, conditions={}, lexicon=load_lexicon(), digest=""
    )


def ours(terms: Sequence[tuple[str, ...]]) -> Scan:
    judge = Judge(ruleset_of(terms))

    def scan(text: str) -> int:
        turn = Turn(index=0, role=Role.AGENT, channel=None, start_ms=0, end_ms=0, text=text)
        return len(judge.judge([turn], CallFacts()).findings)

    return scan


def plain_re(terms: Sequence[tuple[str, ...]]) -> Scan:
    expressions = [re.compile("|".join(map(re.escape, words))) for words in terms]
    return lambda text: sum(len(expression.findall(text)) for expression in expressions)


def phrase_matcher(terms: Sequence[tuple[str, ...]]) -> Scan:
    """Character by character, as it must be to find what our engine finds: jieba cuts words that hold a term."""
    import spacy
    from spacy.matcher import PhraseMatcher

    language = spacy.blank("zh")  # its default segmenter cuts into characters
    matcher = PhraseMatcher(language.vocab)
    for n, words in enumerate(terms):
        matcher.add(str(n), [language.make_doc(word) for word in words])
    return lambda text: len(matcher(language.make_doc(text)))


def hyperscan(terms: Sequence[tuple[str, ...]]) -> Scan:
    import hyperscan as hs

    words = [(word.encode(), n) for n, group in enumerate(terms) for word in group]
    database = hs.Database()
    database.compile(
        expressions=[re.escape(word.decode()).encode() for word, _ in words], ids=[n for _, n in words],
        elements=len(words), flags=[hs.HS_FLAG_UTF8] * len(words),
    )  # fmt: skip

    def scan(text: str) -> int:
        found: list[int] = []
        database.scan(text.encode(), match_event_handler=lambda n, *_: found.append(n))
        return len(found)

    return scan


ENGINES = {"callaudit": ours, "re per rule": plain_re, "PhraseMatcher": phrase_matcher, "Hyperscan": hyperscan}


def scaling(texts: list[str]) -> None:
    """Characters a second for each number of rules; how often slower than with the fewest rules."""
    characters = sum(map(len, texts))
    first: dict[str, float] = {}
    for size in SIZES:
        terms = synthetic(size)
        for name, build in ENGINES.items():
            try:
                scan = build(terms)
            except ImportError as error:
                if size == SIZES[0]:
                    print(f"{name}: not installed ({error.name})")
                continue
            found = sum(map(scan, texts))
            spent = seconds(lambda scan=scan: [scan(text) for text in texts])
            first.setdefault(name, spent)
            print(
                f"| {size:,} | {name} | {characters / spent / 1e3:,.0f} thousand characters/s "
                f"| {spent / first[name]:.1f} times {SIZES[0]} rules | {found} places |",
                flush=True,
            )


def calibration() -> float:
    """CPU milliseconds of a fixed loop, to compare machines and hours."""
    return 1e3 * seconds(lambda: sum(n * n for n in range(10**6)))


if __name__ == "__main__":
    excerpts, rules = list(islice(corpus(), 0, None, SAMPLE)), load_rules()
    print(f"a loop over a million squares takes {calibration():.0f} ms here now")
    check_speed("compliant calls", calls_of([e for e in excerpts if is_compliant(e)]), rules)
    check_speed("calls dense with violations", calls_of([e for e in excerpts if not is_compliant(e)]), rules)
    said = ["。".join(turn["text"] for turn in excerpt["turns"]) for excerpt in excerpts]
    scaling([NormalText([text]).text.strip() for text in said])
