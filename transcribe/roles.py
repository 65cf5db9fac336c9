"""Who is the agent: the channel map, checked against what is said; on one channel, by what each turn says.

Below the threshold the role stays UNKNOWN: a finding on a role that was guessed would accuse the wrong person.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from transcribe.audio import Recording
from transcribe.engine import Utterance
from transcribe.manner import manner
from transcribe.model import Role, Turn
from transcribe.turns import SENTENCE_ENDS, clauses, make_turns
from transcribe.voices import tell_apart

SURE = 0.75
"""Least confidence with which a role is assigned by words alone."""

# On one channel each clause stands alone: a role needs more. The sound of a voice helps, and misleads more easily.
_SURE_OF_CLAUSE, _SURE_BY_VOICE = 0.8, 0.85
# Before a word is heard, as likely as that voices were told apart rightly: twice one of the two ways to do so.
_MEANINGLESS = 2.0
_MOST_AGREEMENT = 50.0

# The table of manners counts pieces as if they were independent: it is three times too sure of a whole call. Of a
# clause half of it counts, by the open recordings of the corpus mixed to mono: in full, as many roles again are wrong.
_MANNER, _MANNER_OF_CLAUSE = 1 / 3, 1 / 2
_FEW_CHARACTERS = 40  # of both channels, below which the table counts for less

# A channel map comes from the recording system; words overrule it only when they leave hardly any doubt.
_CONTRADICTED = 0.97

# How often the speaker changes, counted on the sample calls with both channels mixed: 0.2 at a breath of 0.3 s, 0.45
# at 0.5 s, 0.7 from 0.7 s on; more after a question. Without a breath hardly ever, but at a full stop.
_PAUSES = ((350, 0.2), (450, 0.3), (600, 0.45), (700, 0.6))
_AFTER_LONG_PAUSE, _AFTER_QUESTION, _AFTER_SENTENCE, _AFTER_COMMA = 0.7, 0.8, 0.3, 0.03
_SAME_BREATH_MS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Turns with their roles, the confidence that the agent was found, and notes for the reviewer."""

    turns: tuple[Turn, ...]
    confidence: float
    notes: tuple[str, ...] = ()


# Evidence in nats (log odds of "the agent says this"), for text as Whisper writes it: alternatives hold the
# homophones that base makes of the phrase (field notes: 录音→路1, 逾期→于7, 工号→公号, 贷款→带款).
_RECORDING = r"(录音|錄音|路音|路1|陆音|录1)"
_LOAN = r"(贷款|貸款|带款|代款|账单|賬單|帐单|借款|欠款|本金|信用卡|分期)"
_OVERDUE = r"(逾期|預期|预期|于期|于7|余期|欲期|已七)"
_AGENT: tuple[tuple[str, float], ...] = (
    (r"(这边|這邊|这里|這裡|我这|我).{0,2}是.{1,12}(公司|银行|銀行|金融|中心|客服|消费|消費|贷后|法务|部门|委托)", 3.0),
    (r"(请问|請問|您)?(您)?是.{1,8}(本人|先生|女士|小姐)(本人)?(吗|嗎|么)", 2.5),
    (r"(请问|請問).{0,10}(先生|女士|小姐|本人)", 2.0),
    (r"(工号|工號|公号|公號|共号|编号)(是|为)?.{0,2}[\d零一二三四五六七八九幺]", 3.0),
    (r"(通话|通話|通化|电话|電話).{0,6}" + _RECORDING, 3.0),
    (r"(您|你)(的|在|名下|有|这).{0,12}" + _LOAN, 1.5),
    (r"(您|你).{0,14}" + _OVERDUE, 2.0),
    (_OVERDUE + r"(了)?.{0,3}([\d一二三四五六七八九十两]+天|多天)", 1.5),
    (r"(核实|核對|核对|确认|確認|和实|河对).{0,6}(身份|信息|您|本人|一下)", 2.0),
    (r"(身份证|身份證|身份正).{0,6}(后|後).{0,2}(四|4|六|6)位", 2.0),
    (r"(麻烦|麻煩|请)(您|你)", 1.0),
    (r"(尽快|盡快|及时|今天|下午|之前|务必).{0,6}(处理|處理|还款|還款|还上|结清|存入|还清)", 1.2),
    (r"(应还|應還|还款金额|欠款|总共|合计|最低)(金额)?.{0,3}(是|为|额)?[\d一二三四五六七八九两].{0,8}(元|块)", 1.5),
    (r"(祝您|(感谢|谢谢)您的(配合|接听|来电)|打扰您了|打擾您|生活愉快|提醒您|跟您(确认|核实|说一下|核对))", 2.5),
    (r"(您|你)(看|打算|准备|预计|大概|什么时候|几号).{0,8}(还|還|处理|處理)", 1.8),
    (r"(帮您|幫您|为您|給您|给您).{0,10}(登记|申请|记录|备注|查|登記|办理|反馈|安排|减免|延期)", 2.0),
    (r"(影响|影響|上报|上).{0,6}(征信|真心|徵信|正信)", 0.8),
    (r"(催收|起诉|起訴|律师函|立案|法院|上门|爆|通讯录|通訊錄).{0,12}(你|您)?", 0.4),
    (r"(你|您).{0,5}(欠|借|拖|逾期)(了|着|的|钱|我们)", 1.2),
    (r"(欠|还)(钱|款)(?!.{0,4}(的)?(凭证|记录))", 0.5),
    (r"(你|您)(家|爸|妈|父母|老公|老婆|孩子|女儿|儿子|单位|领导|同事|亲戚|身边|以后)", 1.0),
    (r"(涉嫌|拘留|坐牢|判.{0,2}年|失信|派出所|黑名单|法务|外访)", 0.8),
    (r"(打|找)(你|您).{0,4}(单位|家|公司|电话|座机|爸|妈|领导|联系人)", 1.2),
    (r"(我告诉你|我跟你讲|听清楚|给(我|个)(个)?(说法|准话|时间)|我(就)?等(到|您|你)|你说(几|三|两)(次|回))", 1.2),
    (r"(个性化|减免|方案|材料|单据|证明|流程|核销|上级|系统|显示|登记|备注)", 0.7),
    (r"您", 1.6),
    (r"我们", 0.8),
    (r"先生|女士|小姐", 1.2),
    (r"一下|情况|请(?!问)", 0.8),
    (r"这边|委托|核对|核实|合同|方便|打扰", 1.0),
    (r"(明天|后天|今天).{0,6}(上门|穿制服|外访)|(结清|全部还清)|(到底|究竟).{0,2}还不还", 1.0),
    (r"我(就|会)?(是)?提醒(你|您)|明白(吗|没)|(你|您)(可得|给我)|我等(您|你)|(跟|帮|给)(您|你)", 0.8),
    (r"转告|留的联系人|(让|叫)(他|她).{0,4}(还|处理|联系)", 1.0),
    (r"^(喂)?.{0,2}(您好|你好)[，,。]?.{3,}", 0.8),
    (r"客服热线|投诉(热线|电话|渠道)|官方(账户|渠道|APP|app)|公司(规定|账户)|我们(公司|这边|会|可以)|我们的", 1.0),
)
_CUSTOMER: tuple[tuple[str, float], ...] = (
    (r"(你|您)(是|们是)?(哪里|哪裡|哪位|什么公司|哪个公司|谁啊|誰啊|那里|哪一位)|^(喂)?.{0,2}(哪位|谁啊|誰啊)", 2.0),
    (r"(打错|打錯|大错|找错)", 2.0),
    (r"(没钱|沒錢|没有钱|沒有錢|没有工作|失业了|工资.{0,6}(晚|没发|还没|没到|拖)|发工资|發工資|手头紧|周转)", 2.0),
    (r"我.{0,6}(已经|已經|昨天|前天|早就|上周|上个月).{0,4}(还|還)(了|过|款|完|清)", 2.0),
    (r"我.{0,8}(没办法|沒辦法|还不上|還不上|还不了|還不了|实在|困难|住院|生病|离婚|破产)", 2.0),
    (r"(别|不要|別)(再)?(给我|跟我)?(打|骚扰|催)", 1.8),
    (r"(?<!您)(能不能|可不可以|能).{0,6}(分期|延期|宽限|缓|晚几天|减免|少还|便宜|晚点|几天)", 1.2),
    (r"我(要|去|会|得)?(投诉|投訴|头肃|举报|报警|告你)", 2.0),
    (r"(你|您)们?(怎么(能|会|知道|又)|凭什么|为什么|别|不要)", 0.8),
    (r"我(先|这周|下周|月底|明天|今天|周.|星期|礼拜|下个月|十五|等).{0,10}(还|還|给|转|凑)", 1.8),
    (r"^(喂|啊|嗯|哦|噢|对|對|行|好|好的|好吧|知道了|是的|是我|我是|是|呃|哎|唉|你说|嗯嗯)[，,。！？!?啊呀吧的]*", 0.8),
    (r"(我知道|知道了|我明白|听到了|我在(上班|开车|忙)|我不认识|不认识|不是我|我不是|我没|我沒|我哪|他不在)", 1.2),
    (r"(你说|那行|行吧|好吧|算了|再说吧|多少钱|多少啊|怎么还)", 1.0),
    (r"你(们)?(到底|不能|凭啥|什么意思|什么态度|这不是|这叫|哪能|让我|要我)", 1.5),
    (r"我.{0,4}(现在|真|真的|确实|一下子|最近|实在|也|又).{0,8}(没|不|拿不出|变不出|凑|借)", 1.5),
    (r"我(?!们|们这).{0,4}(借(点|借|到)|凑|想想?办法|问问|回去|考虑)", 1.0),
    (r"(利息|违约金|罚息).{0,6}(能|少|太|怎么|为什么)", 1.2),
    (r"我.{0,6}(律师|监管|银保监|12378|一二三七八|幺二三七八)", 1.5),
    (r"(真的|可以|是不是).{0,8}(吗|嗎|啊)[？?]?$", 0.5),
    (r"^[，,。 ]*[\d零一二三四五六七八九幺两]{3,4}[，,。 ]*$", 1.5),
    (r"^(那|不是)[，, ]?(我|那|这|会|你|利息)", 1.0),
    (r"(谢谢你|麻烦你了)", 0.8),
    (r"我(妈|爸|老婆|老公|儿子|女儿|家)", 1.5),
    (r"你们", 0.8),
    (r"^我(?!们|这|是)|会不会|行不行|能不能", 0.7),
    (r"啊[，。？ ]?$", 0.5),
    (r"^(是|是的|对|嗯|哎|那|我|啊|好|行|什么|喂)[，,。 ?？!！]*$", 0.6),
    (r"(^怎么了|什么(事|案件|传票)|凭什么|关我什么|我不(太)?清楚)", 0.6),
    (r"我(跟|和|与|同)(他|她)|我是(他|她)|(他|她)的(同事|朋友|妈|爸|哥|姐)", 1.5),
)


def score(text: str) -> float:
    """Log odds that the agent says this; 0 says nothing, each phrase counts once."""
    said = _simplified().convert(text)
    return _weigh(said, _AGENT) - _weigh(said, _CUSTOMER)


@cache
def _simplified() -> Any:
    import opencc

    return opencc.OpenCC("t2s")  # Whisper changes to traditional characters in the middle of a call


def assign_roles(
    recording: Recording, utterances: Sequence[Utterance], *, agent_channel: int | None = None
) -> Roles:
    """Roles by channel where there are two voices on two channels, else turn by turn."""
    if not utterances:
        return Roles(turns=(), confidence=0.0, notes=_nothing_said(recording))
    if recording.two_voices:
        return _by_channel(utterances, agent_channel)
    return _by_turn(utterances)


def _nothing_said(recording: Recording) -> tuple[str, ...]:
    return ("没有识别到语音",) if recording.sources else ()


def _weigh(text: str, patterns: Iterable[tuple[str, float]]) -> float:
    return sum(weight for pattern, weight in patterns if re.search(pattern, text))


def _probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds))))


def _by_channel(utterances: Sequence[Utterance], claimed: int | None) -> Roles:
    odds = _channel_odds(utterances)
    agent = 0 if odds >= 0 else 1
    sure = _probability(abs(odds))
    if claimed is None:
        return _by_words(utterances, agent, sure)
    if claimed != agent and sure >= _CONTRADICTED:
        names = ("左", "右")
        note = f"声道疑似接反：通话记录说坐席在{names[claimed]}声道，但话术在{names[agent]}声道，已按话术判定"
        return Roles(turns=_turns(utterances, agent), confidence=round(sure, 3), notes=(note,))
    kept = sure if claimed == agent else 1 - sure
    return Roles(turns=_turns(utterances, claimed), confidence=round(max(kept, 0.9), 3))


def _by_words(utterances: Sequence[Utterance], agent: int, sure: float) -> Roles:
    if sure < SURE:
        note = "分不清哪个声道是坐席，角色未定；可在通话记录里填写 agent_channel"
        return Roles(turns=_turns(utterances, None), confidence=round(sure, 3), notes=(note,))
    return Roles(turns=_turns(utterances, agent), confidence=round(sure, 3))


def _channel_odds(utterances: Sequence[Utterance]) -> float:
    """Log odds that channel 0 is the agent's: phrases of both channels, openings twice, and the manner of all words."""
    phrases = manners = 0.0
    for channel, sign in ((0, 1.0), (1, -1.0)):
        texts = [u.text for u in sorted(utterances, key=lambda u: u.start_ms) if u.channel == channel]
        said = "，".join(texts)
        phrases += sign * (score(said) + score("，".join(texts[:3]))) / 2
        manners += sign * manner(_simplified().convert(said))
    length = sum(len(u.text) for u in utterances)
    return phrases + _MANNER * manners * min(1.0, length / _FEW_CHARACTERS)


def _turns(utterances: Sequence[Utterance], agent: int | None) -> tuple[Turn, ...]:
    def role_of(utterance: Utterance) -> Role:
        if agent is None:
            return Role.UNKNOWN
        return Role.AGENT if utterance.channel == agent else Role.CUSTOMER

    return make_turns(utterances, role_of=role_of)


def _by_turn(utterances: Sequence[Utterance]) -> Roles:
    """One channel: clauses are scored by words and voice, neighbours lend each other evidence, doubt stays UNKNOWN."""
    ordered = sorted(utterances, key=lambda u: u.start_ms)
    cut = [clauses(utterance) for utterance in ordered]
    parts = [part for clause in cut for part in clause]
    words = _evidence(parts)
    voices = tell_apart([utterance.voice for utterance in ordered])
    voiced = [odds for odds, clause in zip(voices, cut, strict=True) for _ in clause]
    heard = _by_voice(words, voiced)
    both = [said + sounds for said, sounds in zip(words, heard, strict=True)]
    odds = smooth(both, changes=[_change(a, b) for a, b in itertools.pairwise(parts)])
    least = _SURE_BY_VOICE if any(voices) else _SURE_OF_CLAUSE
    roles = {id(part): _role(o, least=least) for part, o in zip(parts, odds, strict=True)}
    sure = sum(_probability(abs(o)) * len(part.text) for o, part in zip(odds, parts, strict=True))
    return Roles(
        turns=make_turns(parts, role_of=lambda part: roles[id(part)]),
        confidence=round(sure / sum(len(part.text) for part in parts), 3),
        notes=("单声道：角色按话术推断，推断不出的为未知",),
    )


def _by_voice(words: Sequence[float], voices: Sequence[float]) -> list[float]:
    """Log odds that the agent says each part, from voices told apart and the words that each of them uses.

    The first voice is the agent's, or the second is, or the groups mean nothing: words that don't agree with the
    groups make the last most likely, and then voices say nothing.
    """
    both = (voices, [-voice for voice in voices])
    likely = [math.exp(min(_MOST_AGREEMENT, _agreement(words, way))) for way in both]
    first, second = (one / (sum(likely) + _MEANINGLESS) for one in likely)
    share = [_probability(voice) for voice in voices]
    agent = [first * p + second * (1 - p) + (1 - first - second) / 2 for p in share]
    return [math.log(p / (1 - p)) for p in agent]


def _agreement(words: Sequence[float], voices: Sequence[float]) -> float:
    """How much likelier the words are if the first voice is the agent's than if voices mean nothing, as a logarithm."""
    pairs = [(_probability(said), _probability(voice)) for said, voice in zip(words, voices, strict=True)]
    return sum(math.log(2 * (said * voice + (1 - said) * (1 - voice))) for said, voice in pairs)


def _role(log_odds: float, *, least: float) -> Role:
    if _probability(abs(log_odds)) < least:
        return Role.UNKNOWN
    return Role.AGENT if log_odds > 0 else Role.CUSTOMER


def _evidence(parts: Sequence[Utterance]) -> list[float]:
    """Log odds of each part by its own words, and half of what only two neighbours together say."""
    odds = [_by_clause(part.text) for part in parts]
    shared = [
        _by_clause(a.text + b.text) - odds[i] - odds[i + 1] if b.start_ms - a.end_ms < _SAME_BREATH_MS else 0.0
        for i, (a, b) in enumerate(itertools.pairwise(parts))
    ]
    return [
        own + (before + after) / 2 for own, before, after in zip(odds, [0.0, *shared], [*shared, 0.0], strict=True)
    ]


def _by_clause(text: str) -> float:
    """Log odds of a few words: the phrases in them, and the manner of all."""
    return score(text) + _MANNER_OF_CLAUSE * manner(_simplified().convert(text))


def _change(before: Utterance, after: Utterance) -> float:
    """How likely the speaker changes between two parts: by pause and by punctuation."""
    asked = before.text.endswith(("?", "？"))
    pause = after.start_ms - before.end_ms
    if pause > 0:
        by_pause = next((rate for limit, rate in _PAUSES if pause < limit), _AFTER_LONG_PAUSE)
        return max(by_pause, _AFTER_QUESTION) if asked else by_pause
    return _AFTER_SENTENCE if before.text.endswith(tuple(SENTENCE_ENDS)) else _AFTER_COMMA


def smooth(scores: Sequence[float], *, changes: Sequence[float]) -> list[float]:
    """Log odds of each part given its own words and its neighbours', through a chain of two states.

    `changes[i]` is the probability that the speaker changes between part i and part i + 1.
    """
    forward = _passed(scores, changes)
    backward = _passed(scores[::-1], changes[::-1])[::-1]
    return [own + f + b for own, f, b in zip(scores, forward, backward, strict=True)]


def _passed(scores: Sequence[float], changes: Sequence[float]) -> list[float]:
    """What the parts before say about each part."""
    passed = [0.0]
    for own, change in zip(scores, changes, strict=False):
        agent = _probability(passed[-1] + own)
        agent = agent * (1 - change) + (1 - agent) * change
        passed.append(math.log(agent / (1 - agent)))
    return passed
