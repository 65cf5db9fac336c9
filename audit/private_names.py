"""Names of people in speech: by what stands around them (我叫…, 是…吗, …在吗, …先生), and by the call record.

No list of given names decides, for every two characters may be one; a family name, its surroundings and the
everyday dictionary do. Names from the call record are found by sound too, as recognisers write what they hear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from rules.numerals import FOLD
from rules.sound import syllables
from rules.tokens import is_ordinary

_FAMILY = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢姜崔"
    "钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢"
    "安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游"
    "辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟"
    "应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
    # rarer ones
    "栗郗胥厍仝亓昝晁郦鞠逄蔺荀嵇冼缑阙邰阚芮裘濮郇郜郄鄢酆隗於扈茅茹荆莘菅蒯虢訾谌谯贠赖逯奚宓庾戎桓殳毋汲沐浦湛"
    "狄竺笪綦糜粟佴仉伊况冀屠廉朴淦禚芈蓟蹇辜邸郤钦闾雒韶郁匡晋阎喻衡闻楚植贝戈皮计乐木占惠燕凤英尉保国满富门封"
    "幸平信强海原官容战昌智练银隆印支束展寿怀敬祖班牧母楼羊虎铁税滑揭冒危訾逯"
)
_COMPOUND = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|端木|轩辕|夏侯|南宫|呼延|淳于|濮阳|闻人|单于"
    "|申屠|鲜于|贺兰|独孤|东郭|万俟|澹台|钟离|赫连|拓跋|百里|完颜|纳兰|叶赫|耶律|哥舒|仲孙|太史|闾丘|公冶|即墨"
)
# Words of their own far more often than names; only a sure context makes them names.
_DOUBTFUL = set(
    "和时向从应全明成能安都那别单边万方于任向关路解连管应和文古车党商师农项查"
    "衡闻楚植贝戈皮计乐木占惠燕凤英保国满富门封幸平信强海原官容战昌智练银隆印支束展寿怀敬祖班牧母楼羊虎铁税滑揭冒危"
)
_NEVER_GIVEN = set(
    "的了在我你您他她它们吗呢吧啊呀嘛么就都也还有说问请找给让叫到这那个不没要会能可好是和跟与或把被对从向往"
    "，。？！、,.?!：:；; \n\t\0\"'“”()（）0123456789"
)
_TITLE = re.compile(
    r"先生|女士|小姐|太太|老师|经理|主管|主任|总监|老板|大哥|大姐|阿姨|叔叔|师傅|律师|警官|法官|专员|本人"
    r"|(?<=.)[哥姐总叔姨](?![哥姐弟妹叔共算之结计体额是部公说])"
)
_LOOSE_TITLES = frozenset(("本人", "哥", "姐", "总", "叔", "姨"))
_RELATIVES = (
    r"(?:担保人|保证人|联系人|借款人|债务人|欠款人|机主|户主|当事人|老公|老婆|爱人|妻子|丈夫|父亲|母亲|爸爸?|妈妈?|儿子"
    r"|女儿|哥哥?|弟弟?|姐姐?|妹妹?|朋友|同学|邻居|老板|领导|房东|舅舅|姑姑|岳父|岳母|债主|亲戚|室友|同事|嫂子|家属)"
)
_COLLEAGUES = (
    r"(?:客服|专员|催收员|催收|员工|法务部?|律师|经理|主管|主任"
    r"|中心|公司|银行|平台|金融|消费|普惠|部门?|组|这边|那边|行)"
)  # A name in one of these is sure whatever it looks like: nothing else is said there.
_SURE = (
    re.compile(
        r"(?:姓名|名字|本名|真名|户名|开户名|收款人|签名)(?:就?是|为|叫|写的?是|填的?是|[:：，,\s])*"
        r"|(?:我|他|她|名|本人|人家)(?:就|的?名字)?叫(?:做|作)?|叫做"
    ),
    re.compile(rf"{_RELATIVES}(?:名叫|叫做?|是叫)"),
)
# Here a name is usual, and so are other words.
_LIKELY = (
    re.compile(
        r"(?:我|您|你|他|她|这边|那边|请问|这里|那就|还|就|可能)(?:就|也)?是(?:不是)?|是不是|(?:先生|女士|小姐)[，,\s]"
        r"|[填写留记登](?:的|着)?(?:人)?(?:就|还)?是|(?:本人|我)(?=[一-鿿]{2,3}(?:承诺|保证|同意|声明|在此))|认识"
    ),
    re.compile(r"找(?:一?下|到)?|转告(?:一?下)?|通知(?:一?下)?|联系(?:一?下|到|上)?|[让叫请喊替帮](?!问)"),
    re.compile(rf"{_RELATIVES}(?:的|是|[:：，,\s]){{0,3}}"),
    re.compile(rf"{_COLLEAGUES}(?:的|是|[:：，,\s]){{0,3}}"),
    re.compile(r"(?<=是)[一-鿿]{2,12}的"),
    # 喂，赵磊，钱呢: nothing around it says that it is a name, so its family name must be no other word
    re.compile(
        rf"(?:^|[，。？！,.?!\s]|喂|哎)(?![{''.join(sorted(_DOUBTFUL))}])(?=[一-鿿]{{2,3}}(?:$|[，。？！,.?!\s]))"
    ),
    re.compile(
        r"(?:^|[，。？！,.?!\s]|那个|这个)(?=[一-鿿]{2,4}(?:是[你您他她我](?:什么|谁|的|老|哥|弟|姐|妹|朋|同|亲)|[你您]认识|[你您]在不在))"
    ),
)
_FAMILY_ONLY = re.compile(rf"(?:免贵姓|我姓|您姓|他姓|她姓|(?<![百贵尊同])姓)((?:{_COMPOUND})|[{_FAMILY}])(?!名)")
_NICK = re.compile(
    rf"(?:我是|叫我|找|这边是|这里是|喊我|您?叫|跟|和|问)([小老阿大][{_FAMILY}])(?![一-鿿]?[的地方额贷])"
)
_AFTER_NAME = re.compile(
    r"$|[\s，。？！、,.?!：:；;\n]|吗|吧|么|啊|呀|呢|嘛|本人|先生|女士|小姐|的(?=$|[\s，。？！,.?!])"
    r"|的(?:电话|手机|家属|家人|朋友|老公|老婆|爱人|号码|本人|爸|妈|同事|领导|身份|单位|借款|欠款|贷款|账|卡|妻|丈夫|儿子"
    r"|女儿|联系|紧急|情况|事|哥|弟|姐|妹|邻居|同学|债务|案)"
    r"|是[吗吧不您你我他她]|对[吗吧不]|是吧|您好|你好|在[吗不家]|工号|和|跟|与|还是|我(?:们|这|是)|他(?:的|是|在)"
    r"|她(?:的|是|在)|电话|手机|欠|借|接|这边|不|说|让|委托|给|来|去|也|都|没|已|现在|昨|今|明天|承诺|保证|同意|处理|过来"
    r"|回|听|马上|尽快|赶紧|出差|早就|什么|为"
)
_CHAINED = re.compile(r"(?:[和跟与、，,]|还有|以及)")
_ASKED_NAME = re.compile(r"贵姓|叫什么|姓名|名字|怎么称呼|如何称呼|您是哪位|你是哪位|是谁|报一?下姓")
_WHOLE_ANSWER = re.compile(
    rf"\W*(?:嗯|呃|啊|我|您|就|是|叫|姓|免贵|免贵姓|名字|我是|我叫|我姓)*((?:{_COMPOUND}|[{_FAMILY}])[一-鿿]{{0,2}})(?:吧|啊|呀|的)?\W*"
)


def find_names(text: str, *, known: Iterable[str] = (), asked: str = "") -> Iterator[tuple[int, int]]:
    """Half-open spans of names, not in order and perhaps overlapping; titles (先生) stay outside.

    `known` are names from the call record, `asked` what somebody else said just before (您贵姓).
    """
    folded = _simplified(text)
    yield from _before_titles(folded)
    for patterns, sure in ((_SURE, True), (_LIKELY, False)):
        for pattern in patterns:
            for found in pattern.finditer(folded):
                yield from _names_from(folded, found.end(), sure=sure)
    for pattern in (_FAMILY_ONLY, _NICK):
        yield from (found.span(1) for found in pattern.finditer(folded))
    if asked and _ASKED_NAME.search(asked) and (answer := _WHOLE_ANSWER.fullmatch(folded)):
        yield answer.span(1)
    for name in known:
        yield from _known(folded, name.strip().translate(FOLD))


def _before_titles(text: str) -> Iterator[tuple[int, int]]:
    """王先生, 王小明先生, 王小明本人: the longest name that ends where the title begins."""
    for title in _TITLE.finditer(text):
        end = title.start()
        for length in (4, 3, 2, 1):
            start = end - length
            if start < 0 or not _is_called(text[start:end]):
                continue
            loose = title[0] in _LOOSE_TITLES
            if length == 1 and (title[0] == "本人" or not _may_stand_alone(text, start, loose=loose)):
                continue
            if length == 2 and is_ordinary(text[start:end]):
                continue
            yield start, end
            break


def _is_called(name: str) -> bool:
    """A name, or a full name with the family name again (熊美兰熊女士)."""
    return _is_name(name) or (len(name) > 2 and name[0] == name[-1] and _is_name(name[:-1]))


def _may_stand_alone(text: str, start: int, *, loose: bool) -> bool:
    """A family name before a title is one unless it ends another word: 对方女士, 关于经理."""
    before = text[max(0, start - 1) : start + 1]
    if loose and text[start] in _DOUBTFUL:
        return False
    return len(before) < 2 or not is_ordinary(before)


def _names_from(text: str, start: int, *, sure: bool) -> Iterator[tuple[int, int]]:
    """The name that begins here, and those joined to it (胡小军和林芳)."""
    end = _name_end(text, start, sure=sure)
    while end is not None:
        yield start, end
        joint = _CHAINED.match(text, end)
        if joint is None:
            return
        start, end = joint.end(), _name_end(text, joint.end(), sure=False)


def _name_end(text: str, start: int, *, sure: bool) -> int | None:
    """Where the name ends that begins at `start`; None where none does."""
    for length in (4, 3, 2):
        name = text[start : start + length]
        if len(name) < length or not _is_name(name) or _TITLE.search(name):
            continue
        if is_ordinary(name) or (not sure and name[0] in _DOUBTFUL and is_ordinary(name[:2])):
            continue
        if _AFTER_NAME.match(text, start + length) or (sure and length == 3):
            return start + length
    return _any_name(text, start) if sure else None


def _any_name(text: str, start: int) -> int | None:
    """After 姓名是 whatever fills the clause is the name, of whatever people it comes (阿依古丽, 买买提·艾力)."""
    if re.search(r"叫(?:做|作)?$", text[max(0, start - 2) : start]):
        return None
    found = re.compile(r"[一-鿿·]{2,8}(?=$|[\s，。？！,.?!])").match(text, start)
    return found.end() if found and not set(found[0]) & _NEVER_GIVEN else None


@cache
def _shape() -> re.Pattern[str]:
    return re.compile(rf"(?:(?:{_COMPOUND})[一-鿿]{{0,2}}|[{_FAMILY}][一-鿿]{{0,2}})")


def _is_name(name: str) -> bool:
    return _shape().fullmatch(name) is not None and not set(name[1:]) & _NEVER_GIVEN


def _known(text: str, name: str) -> Iterator[tuple[int, int]]:
    """The name itself, its given part, and what sounds like it."""
    if len(name) < 2:
        return
    forms = [name]
    if len(name) == 3 and not is_ordinary(name[1:]):
        forms.append(name[1:])
    for form in forms:
        yield from (found.span() for found in re.finditer(re.escape(form), text))
    if len(name) >= 3 and not name.isascii():
        sound = syllables(name)
        yield from (found.span() for found in re.finditer(re.escape(sound), syllables(text)))


def _simplified(text: str) -> str:
    from rules.text import simplified

    return simplified(text.translate(FOLD))
