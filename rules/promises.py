"""Promises to pay in a call: how much, when, how firmly, and whether the agent repeated them back.

A promise is the customer's: their own statement (下周五还两千), their answer to the agent's question (什么时候能还?
下周五吧), or their yes to the agent's figures (那您十五号还三千? 好). 能不能 and 行不行 only ask; 尽量 and 争取 make it
weak; 还不了, 没还 and 已经还了 are none. Of several promises the later one counts unless it says less; of two payments
promised in one turn the one due first. A sum or a day left open may be the agent's, if the customer does not object.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter

from rules import promise_words as say
from rules.amounts import may_name_sum
from rules.dates import may_name_day
from rules.entities import LONGEST_READ, Entity, EntityKind, find_entities
from rules.everyday import is_everyday
from rules.numerals import small_number
from rules.signals import sounds_like
from rules.text import NormalText, normal_text
from transcribe.model import Role, Turn


class Firmness(StrEnum):
    """How firmly a customer promised. ASKED is a question, no promise; it is kept for people to see."""

    FIRM = "firm"
    WEAK = "weak"
    ASKED = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A promise to pay; `turn` is the position in the sequence given, `start`/`end` a half-open span of its text.

    `amount` is yuan (per instalment where `instalments` is set), `amount_text` what was said (两千, 最低还款);
    `date` is ISO, `date_text` what was said (by the agent, where the customer left it open); each None where nothing
    was. `repeated_back`: the agent named every amount and date of it afterwards. `confidence` is 0 to 1, lower where
    the speaker is unknown.
    """

    turn: int
    start: int
    end: int
    text: str
    amount: Decimal | None
    amount_text: str | None
    date: str | None
    date_text: str | None
    firmness: Firmness
    repeated_back: bool
    instalments: int | None
    confidence: float


class _Said:
    """A turn, and its entities when they are first asked for: most turns never are."""

    def __init__(self, index: int, role: Role, text: str, call_date: date | None) -> None:
        self.index = index
        self.role = role
        self.text = text[:LONGEST_READ]  # sums and days are read no further
        self._call_date = call_date

    @cached_property
    def entities(self) -> tuple[Entity, ...]:
        return find_entities(self.text, call_date=self._call_date)

    @cached_property
    def may_name_day(self) -> bool:
        """A quick look: False where surely no day is named."""
        return may_name_day(self.text)

    @cached_property
    def may_name_sum(self) -> bool:
        """A quick look: False where surely no sum is named."""
        return may_name_sum(self.text)

    def may_name(self, kind: EntityKind) -> bool:
        """A quick look: False where surely no day, or no sum, is named."""
        return self.may_name_day if kind is EntityKind.DATE else self.may_name_sum

    @property
    def may_name_terms(self) -> bool:
        """A quick look: False where surely neither a day nor a sum is named."""
        return self.may_name_day or self.may_name_sum

    def between(self, start: int, end: int) -> tuple[Entity, ...]:
        """The entities that begin in a stretch of the turn."""
        low = bisect_left(self.entities, start, key=_start)
        return self.entities[low : bisect_left(self.entities, end, lo=low, key=_start)]


_start = attrgetter("start")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    """A stretch of a turn."""

    start: int
    end: int
    text: str
    said: _Said

    def of(self, kind: EntityKind) -> tuple[Entity, ...]:
        entities = self.said.between(self.start, self.end) if self.said.may_name(kind) else ()
        return tuple(entity for entity in entities if entity.kind is kind)


_ROLES = frozenset(role.value for role in Role)
_LONGEST_BARE = 24  # characters: a day, a sum and six more
_BESIDE_BARE = 6
_LONGEST_ANSWER = 30
_TELLING = 8  # characters from which a turn shows by its words what it is
_SAID_BACK_WITHIN = 40  # characters of the agent's reply

_Terms = tuple[Entity | None, Entity | None]  # day and amount


def find_promise(turns: Sequence[Turn | tuple[str, str]], *, call_date: date | None = None) -> Promise | None:
    """The promise to pay of a call, None without one or where nobody talks as if about a debt; `turns` are turns or
    pairs of role and text.
    """
    said = [_said(index, turn, call_date) for index, turn in enumerate(turns)]
    promise: Promise | None = None
    for turn in said:
        if turn.role in (Role.AGENT, Role.OTHER):
            continue
        if say.RETRACT.search(turn.text):
            promise = None
            continue
        new = _promised(said, turn, promise, call_date)
        if not (promise and new and _is_second(new, promise, said[promise.turn])):
            promise = _merged(promise, new)
    if promise is None or is_everyday(normal_text(tuple([turn.text for turn in said]))):
        return None
    promise = _completed(said, _accepted(said, promise), call_date)
    return replace(promise, repeated_back=_repeated_back(said, promise))


def _said(index: int, turn: Turn | tuple[str, str], call_date: date | None) -> _Said:
    if isinstance(turn, Turn):
        return _Said(index, turn.role, turn.text, call_date)
    role, text = turn
    return _Said(index, Role(role) if role in _ROLES else Role.UNKNOWN, text, call_date)


def _promised(said: list[_Said], turn: _Said, promise: Promise | None, call_date: date | None) -> Promise | None:
    """What this turn promises: by its own words, else as an answer, else by a yes to the agent's figures."""
    stated = _stated(turn, call_date)
    if stated is not None and stated.firmness is Firmness.ASKED:
        return stated
    before = _agent_before(said, turn.index)
    agreed = _assented(turn, before, promise, call_date) if before else None
    if stated is not None:
        agreed = agreed if agreed and _same(agreed, stated) else None
        return _merged(agreed, stated) if agreed or _sounds_like_one(turn.text) else None
    if before is None:
        return None
    return _answered(turn, before, call_date) or agreed or _said_back(said, turn, call_date)


def _sounds_like_one(text: str) -> bool:
    """Whether a turn sounds as if something were promised, or is too short to tell: who names a day or a sum may be
    asking, or telling what happened.
    """
    return len(text) < _TELLING or sounds_like("promise_to_pay", NormalText([text]).turn_text(0))


def _agent_before(said: list[_Said], index: int) -> _Said | None:
    return said[index - 1] if index > 0 and said[index - 1].role in (Role.AGENT, Role.UNKNOWN) else None


def _agent_after(said: list[_Said], index: int) -> _Said | None:
    return said[index + 1] if index + 1 < len(said) and said[index + 1].role is Role.AGENT else None


def _clauses(turn: _Said) -> list[_Clause]:
    found = say.CLAUSE.finditer(turn.text)
    return [_Clause(start=match.start(), end=match.end(), text=match[0], said=turn) for match in found]


def _stated(turn: _Said, call_date: date | None) -> Promise | None:
    if not say.SPEAKS_OF_PAYING.search(turn.text):
        return _bare(turn, call_date)
    clauses = _clauses(turn)
    found: Promise | None = None
    for index, clause in enumerate(clauses):
        if not _promises(clause, call_date) or (found and _of_the_rest(clause, found.text)):
            continue
        new = _from_clause(turn, clauses, index, call_date)
        if not (found and new and _due_later(new, found)) or say.CORRECTS.search(turn.text, found.end, clause.end):
            found = _merged(found, new)
    return found


def _of_the_rest(clause: _Clause, promised: str) -> bool:
    """剩下的下个月还, and 年前再还两万五 after 先还一万二."""
    return bool(say.REST.match(clause.text) or (say.FIRST.search(promised) and say.THEN.match(clause.text)))


def _due_later(new: Promise, old: Promise) -> bool:
    """The second of two payments: 这周五还三千，下周五还五千."""
    whole = all(None not in (promise.amount_text, promise.date) for promise in (old, new))
    asked = old.firmness is Firmness.ASKED and new.firmness is not Firmness.ASKED
    return whole and not asked and str(new.date) > str(old.date)


def _bare(turn: _Said, call_date: date | None) -> Promise | None:
    """后天，一千七 or 最迟二十号: a day with a sum or a settling word and next to nothing else is an offer."""
    if len(turn.text) > _LONGEST_BARE or not turn.may_name_day:
        return None
    text = turn.text.strip("，,。！!；; \n")
    if not (turn.may_name_sum or say.SETTLES.search(text)):
        return None
    if say.NO.search(turn.text) or say.DONE.search(turn.text) or say.ASK.search(text) or say.OTHERS.search(text):
        return None
    clause = _Clause(start=0, end=len(turn.text), text=turn.text, said=turn)
    amount = _first([clause.of(EntityKind.MONEY)])
    day = _first([_coming(clause, call_date)])
    if day is None or not ((amount and amount.value is not None) or say.SETTLES.search(text)):
        return None
    named = [entity for entity in (day, amount) if entity]
    if len(turn.text) - sum(len(entity.text) for entity in named) > _BESIDE_BARE:
        return None
    span = min(entity.start for entity in named), max(entity.end for entity in named)
    return _promise(turn, span, (day, amount), Firmness.WEAK if say.WEAK.search(text) else Firmness.FIRM, call_date)


def _promises(clause: _Clause, call_date: date | None) -> bool:
    text = clause.text.rstrip("，,。！!；; \n")
    if say.OTHERS.search(text) or not (say.PAY.search(say.NOT_PAY.sub("", text)) or _implied(clause)):
        return False
    if say.ACCUSES.search(text) or say.NO.search(say.ASKED_ABILITY.sub("", text)):
        return False
    done = say.DONE.search(text) and not say.TO_BE_DONE.search(text)
    if say.LONG_DONE.search(text) or (done and not _near(_coming(clause, call_date), call_date)):
        return False
    return not say.NO_TERMS.search(text)


def _implied(clause: _Clause) -> bool:
    """争取月底前, or 明天早上行吗 after a word of paying: a day is named, paying is understood."""
    said = say.EFFORT.search(clause.text) or say.ASK.search(clause.text.rstrip("，,。 "))
    return bool(said and clause.of(EntityKind.DATE))


def _near(days: tuple[Entity, ...], call_date: date | None) -> bool:
    """十七号就转了 on the 19th tells of two days ago, not of next month."""
    if call_date is None:
        return bool(days)
    latest = (call_date + timedelta(days=20)).isoformat()
    return any(day.value is None or str(day.value) <= latest for day in days)


def _coming(clause: _Clause, call_date: date | None) -> tuple[Entity, ...]:
    """The days of a clause that are not past; without a call date all but 昨天, 上周 and the like."""
    days = clause.of(EntityKind.DATE)
    if call_date is None:
        return tuple(day for day in days if not say.PAST.match(day.text))
    return tuple(day for day in days if day.value is None or str(day.value) >= call_date.isoformat())


def _from_clause(turn: _Said, clauses: list[_Clause], index: int, call_date: date | None) -> Promise | None:
    near = _context(clauses, index)
    day = _first([_coming(clause, call_date) for clause in near])
    amount = _first([clause.of(EntityKind.MONEY) for clause in near])
    text = clauses[index].text.rstrip("，,。！!；; \n")
    hints = (say.SURE, say.WEAK, say.AT_ONCE, say.INSTALMENTS)
    if day is None and amount is None and (say.SOME_DAY.search(text) or not any(words.search(text) for words in hints)):
        return None
    following = clauses[index : index + 2]
    if len(following) > 1 and say.REST.match(following[1].text):
        following = following[:1]  # 剩下的下个月行不行 asks about the rest alone
    elif len(clauses) <= 2:
        following = clauses
    whole = "".join(clause.text for clause in following)
    used = [clauses[index].start, clauses[index].start + len(text)]
    used += [place for entity in (day, amount) if entity for place in (entity.start, entity.end)]
    firmness = _firmness(text, whole, (day, amount), call_date)
    return _promise(turn, (min(used), max(used)), (day, amount), firmness, call_date)


def _context(clauses: list[_Clause], index: int) -> list[_Clause]:
    """The clause, then its neighbours in the same turn, as far as they speak of this payment."""
    own = clauses[index]
    near = [clauses[at] for at in (index - 1, index + 1, index - 2) if 0 <= at < len(clauses)]
    near = [clause for clause in near if not say.ELSEWHERE.search(clause.text)]
    return [own, *(clause for clause in near if not _of_the_rest(clause, own.text))]


def _first(groups: list[tuple[Entity, ...]]) -> Entity | None:
    found = [entity for group in groups for entity in group]
    return next((entity for entity in found if entity.value is not None), found[0] if found else None)


def _firmness(text: str, whole: str, terms: _Terms, call_date: date | None) -> Firmness:
    day, amount = terms
    tail = whole.strip("，,。！!；; \n")
    if say.ASKS_A_PLAN.search(whole):
        return Firmness.ASKED
    if say.ASK.search(tail) and not say.RESTATED.search(whole):
        settled = day is not None and amount is not None and say.NODDED.search(tail) and not say.PLEADS.search(whole)
        return Firmness.WEAK if settled else Firmness.ASKED
    detailed = day is not None or amount is not None or bool(say.AT_ONCE.search(text))
    vague_day = day is not None and day.value is None and call_date is not None and amount is None
    if say.WEAK.search(text) or not detailed or vague_day:
        return Firmness.WEAK
    return Firmness.FIRM


def _promise(turn: _Said, span: tuple[int, int], terms: _Terms, firmness: Firmness, call_date: date | None) -> Promise:
    start, end = span
    day, amount = terms
    value = amount.value if amount and isinstance(amount.value, Decimal) else None
    at_once = say.AT_ONCE.search(turn.text, start, end) if day is None and call_date else None
    spoken_day = str(day.value) if day and day.value else call_date.isoformat() if at_once and call_date else None
    parts = say.INSTALMENTS.search(turn.text)
    return Promise(
        turn=turn.index, start=start, end=end, text=turn.text[start:end], amount=value,
        amount_text=amount.text if amount else None, date=spoken_day,
        date_text=day.text if day else at_once[0] if at_once else None, firmness=firmness, repeated_back=False,
        instalments=small_number(parts[1]) if parts else None, confidence=_confidence(turn, day, amount),
    )  # fmt: skip


def _confidence(turn: _Said, day: Entity | None, amount: Entity | None) -> float:
    known = 1.0 if turn.role is Role.CUSTOMER else 0.5
    return round(known * min([0.95, *(entity.confidence for entity in (day, amount) if entity)]), 2)


def _is_second(new: Promise, old: Promise, turn: _Said) -> bool:
    """Whether two payments were promised in the turn of the old one, and this is the other."""
    named = {entity.value for entity in turn.entities}
    return _due_later(new, old) and new.amount != old.amount and {new.date, new.amount} <= named


def _answered(turn: _Said, before: _Said, call_date: date | None) -> Promise | None:
    """什么时候能还? 下周五吧: a bare day or sum answers a question about paying."""
    if len(turn.text) > _LONGEST_ANSWER or not turn.may_name_terms:
        return None
    asks = (
        say.ABOUT_PAYING.search(before.text)
        and say.QUESTION_OF_PAY.search(before.text)
        and not say.DONE.search(before.text)
    )
    if not asks or say.NO.search(turn.text) or say.DONE.search(turn.text) or _of_other_things(turn):
        return None
    clause = _Clause(start=0, end=len(turn.text), text=turn.text, said=turn)
    day, amount = _first([_coming(clause, call_date)]), _first([clause.of(EntityKind.MONEY)])
    if day is None and amount is None:
        return None
    places = [place for entity in (day, amount) if entity for place in (entity.start, entity.end)]
    text = turn.text.rstrip("吧。，,！! ")
    firmness = _firmness(text, text, (day, amount), call_date)
    return _promise(turn, (min(places), max(places)), (day, amount), firmness, call_date)


def _of_other_things(turn: _Said) -> bool:
    """存折里一万二 and 行，我打110: sums, days and a yes that are no promise."""
    of_paying = say.SPEAKS_OF_PAYING.search(say.NOT_PAY.sub("", turn.text))
    return bool(say.OF_OTHER_THINGS.search(turn.text)) and not of_paying


def _assented(turn: _Said, before: _Said, promise: Promise | None, call_date: date | None) -> Promise | None:
    """The customer's yes to the agent's figures."""
    hum = bool(say.HUM.match(turn.text)) and bool(say.PUTS_IT.search(before.text))
    if not (hum or say.ASSENT.match(turn.text)) or say.THINKS_OVER.search(turn.text) or not before.may_name_terms:
        return None
    if say.NO.search(turn.text) or say.ASK.search(turn.text.strip("。，, ")) or _of_other_things(turn):
        return None
    day, amount = _proposal(before, call_date)
    if day is None and amount is None:
        return None
    weak = hum or bool(say.WEAK.search(turn.text.rstrip("吧。，, ")))
    end = len(turn.text.rstrip("。，,！! \n"))
    agreed = _promise(turn, (0, end), (day, amount), Firmness.WEAK if weak else Firmness.FIRM, None)
    if promise is not None and _same(promise, agreed):
        firmer = promise.firmness is not Firmness.FIRM and not weak
        return replace(promise, firmness=Firmness.FIRM) if firmer else None
    return agreed


def _said_back(said: list[_Said], turn: _Said, call_date: date | None) -> Promise | None:
    """礼拜六，六百八 and the agent's 好，礼拜六六百八: who is not said back a sum and a day promised none."""
    after = _agent_after(said, turn.index)
    if after is None or not turn.may_name_terms:
        return None
    text = turn.text.strip("，,。！!；; \n")
    asks = say.PUTS_IT.search(say.OFFERED.sub("", text)) or say.ASKS_A_PLAN.search(text)
    if asks or say.PLEADS.search(text) or say.DONE.search(text):
        return None
    whole = _Clause(start=0, end=len(turn.text), text=turn.text, said=turn)
    reply = _Clause(start=0, end=min(len(after.text), _SAID_BACK_WITHIN), text=after.text, said=after)
    if say.ERRAND.search(after.text[: reply.end]):
        return None
    their_day, their_amount = _first([_coming(reply, call_date)]), _first([reply.of(EntityKind.MONEY)])
    if their_day is None or their_amount is None:
        return None
    days, amount = _coming(whole, call_date), _first([whole.of(EntityKind.MONEY)])
    same_day = next((day for day in days if _equal(day, their_day)), None)
    if same_day is None and not _equal(amount, their_amount):
        return None
    day = same_day or _first([days])
    named = [entity for entity in (day, amount) if entity]
    span = min(entity.start for entity in named), max(entity.end for entity in named)
    return _promise(turn, span, (day or their_day, amount or their_amount), Firmness.FIRM, call_date)


def _equal(one: Entity | None, other: Entity) -> bool:
    return one is not None and (one.text == other.text or (one.value is not None and one.value == other.value))


def _proposal(before: _Said, call_date: date | None) -> _Terms:
    """Day and sum that the agent proposed."""
    if not say.ABOUT_PAYING.search(say.NOT_PAY.sub("", before.text)):
        return None, None
    if say.ERRAND.search(before.text) and not say.PAYS_THEN.search(before.text):
        return None, None
    return _put_forward(before, call_date)


def _put_forward(turn: _Said, call_date: date | None) -> _Terms:
    """Day and sum that the agent names; what follows 不然 or tells of the debt is none."""
    day: Entity | None = None
    amount: Entity | None = None
    for clause in _clauses(turn):
        if say.AGENT_THREAT.search(clause.text) or say.DEBT.search(clause.text):
            continue
        day = day or _first([_coming(clause, call_date)])
        amount = amount or _first([clause.of(EntityKind.MONEY)])
    return day, amount


def _same(old: Promise, new: Promise) -> bool:
    """The agent's figures are those already promised (or fewer)."""
    return (new.date is None or new.date == old.date) and (new.amount is None or new.amount == old.amount)


def _details(promise: Promise) -> tuple[bool, int]:
    named = (promise.amount_text is not None) + (promise.date_text is not None)
    return promise.firmness is not Firmness.ASKED or named == 2, named


def _merged(old: Promise | None, new: Promise | None) -> Promise | None:
    """The later promise unless it says less; what it leaves open it takes from the earlier one."""
    if old is None or new is None:
        return new or old
    if new.firmness is Firmness.ASKED and old.firmness is not Firmness.ASKED:
        return old
    if new.amount_text is None and new.date_text is None:
        return old
    complements = new.amount_text is None or new.date_text is None
    if not complements or (new.turn == old.turn and _details(new) < _details(old)):
        return new if not complements else old
    still_weak = old.firmness is Firmness.WEAK and new.firmness is Firmness.FIRM and new.date_text is None
    firmness = old.firmness if still_weak else new.firmness
    return replace(
        new, firmness=firmness, instalments=new.instalments or old.instalments,
        amount=new.amount if new.amount_text else old.amount, amount_text=new.amount_text or old.amount_text,
        date=new.date if new.date_text else old.date, date_text=new.date_text or old.date_text,
    )  # fmt: skip


def _accepted(said: list[_Said], promise: Promise) -> Promise:
    """An asked-for arrangement becomes firm when the agent accepts it and the customer says yes to that."""
    following = said[promise.turn + 1 : promise.turn + 3]
    if promise.firmness is not Firmness.ASKED or len(following) < 2:
        return promise
    agent, customer = following
    accepted = agent.role is Role.AGENT and say.ACCEPT.match(agent.text) and not say.DENIED.search(agent.text)
    if accepted and customer.role is Role.CUSTOMER and say.ASSENT.match(customer.text):
        return replace(promise, firmness=Firmness.FIRM)
    return promise


def _completed(said: list[_Said], promise: Promise, call_date: date | None) -> Promise:
    """What the promise leaves open, as the agent names it in reply and the customer does not object."""
    after = _agent_after(said, promise.turn)
    if promise.firmness is Firmness.ASKED or after is None or say.UNSETTLED.search(after.text):
        return promise
    answer = next((turn.text for turn in said[after.index + 1 :] if turn.role is not Role.AGENT), "")
    if say.OBJECTS.search(answer):
        return promise
    day, amount = _put_forward(after, call_date)
    same_day = day is not None and day.value is not None and day.value == promise.date
    if promise.amount is None and amount and isinstance(amount.value, Decimal) and (same_day or _tells(after, promise)):
        return replace(promise, amount=amount.value, amount_text=promise.amount_text or amount.text)
    same_amount = amount is not None and amount.value is not None and amount.value == promise.amount
    if promise.date is None and day and day.value and same_amount:
        return replace(promise, date=str(day.value), date_text=promise.date_text or day.text)
    return promise


def _tells(after: _Said, promise: Promise) -> bool:
    """就是三千二 of 一半, 每期八百六十五 of 分十二期."""
    each = promise.instalments is not None and say.EACH.search(after.text)
    return bool(each or (promise.amount_text and say.THAT_IS.match(after.text)))


def _repeated_back(said: list[_Said], promise: Promise) -> bool:
    if promise.amount_text is None and promise.date_text is None:
        return False
    later = [turn for turn in said[promise.turn + 1 :] if turn.role is Role.AGENT]
    return _names(later, EntityKind.MONEY, promise.amount, promise.amount_text) and _names(
        later, EntityKind.DATE, promise.date, promise.date_text
    )


def _names(said: list[_Said], kind: EntityKind, value: Decimal | str | None, text: str | None) -> bool:
    """Whether `text` was said again, by its value or, where it has none, by its words."""
    if text is None:
        return True
    return any(
        entity.kind is kind and ((value is not None and entity.value == value) or entity.text.startswith(text[:2]))
        for turn in said
        if turn.may_name(kind)
        for entity in turn.entities
    )
