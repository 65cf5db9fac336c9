"""Names of people in speech: by what stands around them (我叫…, 是…吗, …在吗, …先生), and by the call record.

A family name, its surroundings and the everyday dictionary decide; without surroundings only three characters of which
all are usual in names (崔小娟) are one. Names from the call record are found by sound too, as recognisers write what
they hear.
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
    "狄竺笪綦糜粟佴仉伊况冀屠廉朴淦禚芈蓟蹇辜邸郤钦闾雒韶郁匡晋阎喻衡闻楚植贝戈皮计乐木占惠燕凤英尉满富封幸"
    "平强原官容战昌智练银隆印束寿怀敬祖牧楼羊虎铁税揭危钮操练招"
)
_COMPOUND = (
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|端木|轩辕|夏侯|南宫|呼延|淳于|濮阳|闻人|单于"
    "|申屠|鲜于|贺兰|独孤|东郭|万俟|澹台|钟离|赫连|拓跋|百里|完颜|纳兰|叶赫|耶律|哥舒|仲孙|太史|闾丘|公冶|即墨"
)
# Words of their own far more often than names; only a sure context makes them names.
_RARE_WORDS = set("招衡闻楚植贝戈皮计乐木占惠燕凤英满富封幸平强原官容战昌智练银隆印束寿怀敬祖牧楼羊虎铁税揭危操")
_DOUBTFUL = _RARE_WORDS | set("和时向从应全明成能安都那别单边万方于任向关路解连管应和文古车党商师农项查")
_PLAIN = set(_FAMILY) - _DOUBTFUL
_JOINING = set("和时向从应全能那别")
_NEVER_GIVEN = set(
    "的了在我你您他她它们吗呢吧啊呀嘛么就都也还有说问请找给让叫到这那个不没要会能可好是和跟与或把被对从向往"
    "贷款债额费卡账帐催诉骂死偿扣罚息什怎谁哪几每很太更最但而因吃喝睡买卖拿做走跑听看些个过着得啥咋哦噢嗯呃唉喂嘞咯哩咧啦"
    "哟嘿呗哇俺咱话号码证件网房店街镇县市省厂院局厅司铺馆桌菜饭酒肉狗猪猫药针点分秒块候样欠缴骗抢偷逃躲砸揍滚您伐"
    "，。？！、,.?!：:；; \n\t\0\"'“”()（）0123456789"
)
_TITLE = re.compile(
    r"先生|女士|小姐|太太|老师|经理|主管|主任|总监|老板|大哥|大姐|阿姨|叔叔|师傅|律师(?!事务所|函|所|团|费)|警官|法官|专员|本人"
    r"|同学|大爷|大妈|大叔|大娘|大嫂|奶奶|爷爷|伯伯|医生|大夫|护士|书记|队长|校长|院长|科长|处长|局长|厂长|站长|店长"
    r"|行长|组长|所长|村长|班长|会计|秘书|助理|调解员"
    r"|(?<=.)[哥姐总叔姨](?![哥姐弟妹叔共算之结计体额是部公说])"
)
_LOOSE_TITLES = frozenset(("本人", "哥", "姐", "总", "叔", "姨"))
_COPULAS = frozenset("为系")  # 写明为本人, 应系本人: not a name but what says whose it is
_FIRM_TITLES = frozenset(("先生", "女士", "小姐", "太太"))
_BEFORE_A_FAMILY = frozenset("是姓好喂问找的位叫嘛啊吧谢见和跟与给让请呢哈了扰，。？！、,.?!：:；; \t\n")
_RELATIVES = (
    r"(?:担保人|保证人|联系人|借款人|债务人|欠款人|机主|户主|当事人|老公|老婆|爱人|妻子|丈夫|父亲|母亲|爸爸?|妈妈?|儿子"
    r"|女儿|哥哥?|弟弟?|姐姐?|妹妹?|朋友|同学|邻居|老板|领导|房东|[堂表][哥弟姐妹兄]|外甥女?"
    r"|侄[子儿女]|连襟|亲家|舅子|小姨子?|媳妇|孙[子儿女]|舅舅|姑姑|岳父|岳母|债主|亲戚|室友|同事|嫂子|家属)"
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
# Rarer words and products that begin like a name; whatever follows them is none either.
_NO_NAMES = frozenset(
    re.findall(
        "..",
        "房东房主阎王惠民安逸任性白条金条万达明早明细明村招行招人招商招联连麦关机楼顶仲裁银保银监银航纪检莫发赖皮屠户束花浦口农机"
        "包工战队官当谢谢多谢全班戴耳戴口戴眼金监许昌白血管钱",
    )
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
_EDGES = r"，。？！、；,.?!;\s"
# Patterns that begin at an edge are looked for with a comma before the text: a set of characters is found ten times as
# fast as the beginning of a text or one of them.
_EDGE = (
    rf"[{_EDGES}](?:(?:喂|哎|诶|您好|你好|恁好|[早上中下晚][上午]好|打扰了?|录音|请问|问一?下|麻烦)[呀啊哈的]?){{0,3}}"
)
_END = rf"(?:$|[{_EDGES}])"
_KIN = r"的(?:家属|家人|爱人|老[公婆]|[爸妈哥姐弟妹儿女]|父[亲母]|母亲|同事|亲戚|联系人|担保人)"
_GIVEN = f"[^{re.escape(''.join(sorted(_NEVER_GIVEN)))}\\x00-\\x7f]"
_FULL = rf"((?:{_COMPOUND}){_GIVEN}{{1,2}}|[{_FAMILY}]{_GIVEN}{{1,2}})"
_FULL_OF_THREE = rf"((?:{_COMPOUND}){_GIVEN}{{1,2}}|[{_FAMILY}]{_GIVEN}{{2}})"
# 你好，是郑小军吗; 汪洋在吗; 我霍明辉: a name where the clause holds nothing else but a question or a greeting.
_ALONE = (
    re.compile(
        rf"{_EDGE}(?:那边|电话那头)?(?:是不是|系咪|系唔系|可是|是|找){_FULL}"
        rf"(?=(?:吗|吧|么|嘛|不|噻|哈|没错|[对是][吧吗])?{_END}|[吗吧么]|本人|先生|女士|小姐|同学|师傅|阿姨|大哥|大姐|[您你]好"
        rf"|{_KIN}|的(?:电话|手机|号码)|家(?:吗|吧|里|属|人))"
    ),
    re.compile(
        rf"{_EDGE}{_FULL}"
        rf"(?=(?:现在)?在(?:吗|吧|么|不|没|家|单位|旁边|边上)|[您你]好|是[吧吗不]|对[吧吗不]|[吗吧么嘛不]{_END}|{_KIN})"
    ),
    re.compile(rf"{_EDGE}{_FULL_OF_THREE}(?=[你您](?!们)|的(?:电话|手机|号码))"),
)
_MYSELF = re.compile(rf"[{_EDGES}](?:我|俺|这边|我这边|我这里){_FULL_OF_THREE}(?={_END})")
# Whoever is called so by all three characters is masked wherever it is said: 我不是崔小娟, 你跟杨丽萍什么关系.
_TYPICAL = (
    "小晓建国志海文永玉春秀丽红梅桂英芳兰凤霞玲娟艳燕萍敏静洁慧莉莹颖琳雪倩娜婷佳欣怡嘉梦雨涵梓轩宇浩然子俊杰豪博睿鑫磊涛伟强勇军斌"
    "鹏飞辉峰刚毅超凯亮明华平东升生福德旺富贵荣昌兴盛长喜宝金根林森山川江河洋波清泉源云宁安康健龙虎彪雄威振宏洪弘大立利民忠义仁良美淑"
    "珍珠琴瑶瑾琪瑜瑞祥庆吉光耀辰旭昊晨曦思诗若雅雯惠芬芸菊莲萱薇蓉蓓茜莎菲翠碧青素贞贤媛妍姣娇婉娥妮婕彩虹爱秋冬学彦哲智启正诚承绍世"
    "家达远航帆圣顺泰友朋卫守保胜宪廷汉斯鸣铭锋锐锦钰鸿鹤麟"
)
# Words, places and first characters of companies: these family names need what stands around.
_WORDS_TOO = "金安华江苏宁白常温路包齐康钱花谢费房祝易付鲁桂荣石马龙司卓浦"
_ANYWHERE = re.compile(
    rf"[{''.join(sorted(_PLAIN - set(_WORDS_TOO)))}][{_TYPICAL}]{{2}}(?<!小)"
    r"(?![贷服]|银行|金融|公司|集团|资产|科技|小贷|消金|分期|信用|商贸|商务|[路街镇村县市区乡湖山河桥站店城]|小区|新村|花园|[大中小]学|医院|[律证保])"
)
# What recognisers make of a name, or a name of another people, need not begin with a family name.
_UNCERTAIN = re.compile(
    r"(?:[您你]是|请问是|是不是|[您你]好是|找一?+下?+|[我他她]叫|我是)([一-鿿]{2,3})(?=先生|女士|小姐)"
)
_DOTS = frozenset("·•・‧")
_FOREIGN = re.compile(
    r"(?<![一-鿿·])(?:[一-鿿]{0,12}(?:是|叫|找|问|好|喂|系|认识|姓名|名字|的|位|下))?([一-鿿]{1,7}(?:[·•・‧][一-鿿]{1,8}?)+)"
    r"(?=$|[^一-鿿·•・‧]|吗|吧|么|先生|女士|本人|同志|大哥|大姐|在|的|你|您|我|他|她|是|这|那|欠|说|和|跟|啊|呀|呢|家|就)"
)
# Uighur, Tibetan and Mongol names are spelled with few characters, and most hold one of these parts.
_SPELLED = (
    "阿艾买提江尔力木合塔克孜依古丽热汗曼不都卜杜拉吐逊帕努巴亚森库班玛麦迪扎西次仁央金旦增丹多吉格桑卓洛德勒嘎益措姆特其乌云斯琴"
    "萨娜图雅娃"
)
_SPELLED_NAME = re.compile(
    rf"(?=[{_SPELLED}]{{3}})[{_SPELLED}]{{0,3}}?(?:扎西(?!德勒)|次仁|卓玛|央金|旦增|丹增|格桑|洛桑|嘎玛|德吉|买买提|买提|古丽|艾力|阿卜杜|阿不都"
    rf"|吐尔逊|热合曼|木合塔|玉素甫|帕提|迪丽|热娜|阿依|努尔|巴特尔|其其格|乌云|斯琴|图雅)[{_SPELLED}]{{0,5}}"
)
_FAMILY_ONLY = re.compile(
    rf"(?:免贵姓|我姓|您姓|他姓|她姓|(?<![百贵尊同])姓)((?:{_COMPOUND})|[{_FAMILY}])(?!名)"
    rf"|姓(?<=[我您他她敝贵{_EDGES}]姓)([一-鿿])(?<![啥名什氏了啊呀吧呢哈甚])(?=$|[{_EDGES}]|工号|录音)"
)
_NICK = re.compile(
    rf"(?:我是|叫我|找|这边是|这里是|喊我|您?叫|跟|和|问)([小老阿大](?!赖)[{_FAMILY}])(?![一-鿿]?[的地方额贷])"
)
# As many words begin like this (小时, 老板, 小康, 老高了), what stands before and behind it must fit.
_NOT_NICK = (
    "赖时家康宝米钱车区路花包费商师本向乡公远方党全成麦文和能项农齐平水信强满门国保战户都单边海林鹿羊牛马龙虎贝别木皮金银铁"
)
_NICKED = "".join(sorted(set(_FAMILY) - set(_NOT_NICK)))
_NICK_ALONE = re.compile(
    rf"([小老阿](?<=[{_EDGES}我俺是叫喊找跟问让给替请系识个们融期金司行心的贷部组队呀啊哎喂好].)[{_NICKED}])"
    rf"(?=$|[{_EDGES}吗吧啊呀呢嘛哈你您我他她]|在[吗不家]|工号|编号|号|说|就行|打|来|去|跟|和|欠|借|的电话|的手机|给|录音|为[您你])"
)
_AFTER_NAME = re.compile(
    r"$|[\s，。？！、,.?!：:；;\n]|吗|吧|么|啊|呀|呢|嘛|本人|先生|女士|小姐|的(?=$|[\s，。？！,.?!])"
    r"|的(?:电话|手机|家属|家人|朋友|老公|老婆|爱人|号码|本人|爸|妈|同事|领导|身份|单位|借款|欠款|贷款|账|卡|妻|丈夫|儿子"
    r"|女儿|联系|紧急|情况|事|哥|弟|姐|妹|邻居|同学|债务|案)"
    r"|是[吗吧不您你我他她]|对[吗吧不]|是吧|您好|你好|在[吗不家]|工号|和|跟|与|还是|我(?:们|这|是)|他(?:的|是|在|[爸妈哥姐弟妹])"
    r"|她(?:的|是|在|[爸妈哥姐弟妹])|电话|手机|欠|借|接|这边|不|说|让|委托|给|来|去|也|都|没|已|现在|昨|今|明天|承诺|保证|同意|处理|过来"
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
    yield from _alone(folded)
    yield from _anywhere(folded)
    yield from _without_family_name(folded)
    for pattern in (_FAMILY_ONLY, _NICK):
        yield from (found.span(found.lastindex or 0) for found in pattern.finditer(folded))
    yield from ((found.start() - 1, found.end() - 1) for found in _NICK_ALONE.finditer("，" + folded))
    if asked and _ASKED_NAME.search(asked) and (answer := _WHOLE_ANSWER.fullmatch(folded)):
        yield answer.span(1)
    for name in known:
        yield from _known(folded, name.strip().translate(FOLD))


def _alone(text: str) -> Iterator[tuple[int, int]]:
    """Names of which nothing but a question or a greeting says that they are: 是郑小军吗, 汪洋在吗, 王海涛你好."""
    edged = "，" + text
    for pattern in _ALONE:
        for found in pattern.finditer(edged):
            if _stands_out(found[1]):
                yield found.start(1) - 1, found.end(1) - 1
    for found in _MYSELF.finditer(edged):
        if _stands_out(found[1]) and not is_ordinary(found[1][1:]):  # 我戴耳机
            yield found.start(1) - 1, found.end(1) - 1


def _anywhere(text: str) -> Iterator[tuple[int, int]]:
    """Full names that are made like names, and of which no part is another word's."""
    for found in _ANYWHERE.finditer(text):
        start, end = found.span()
        around = [text[start - 1 : start + 1] if start else "", text[end - 1 : end + 1]]
        if not any(len(word) == 2 and is_ordinary(word) for word in around) and _stands_out(found[0]):
            yield start, end


def _stands_out(name: str) -> bool:
    """A name that neither is nor begins like an everyday word, nor is one with a word before it (钱到账)."""
    if name[:2] in _NO_NAMES or is_ordinary(name) or is_ordinary(name[:2]) or _TITLE.search(name):
        return False
    return name[0] not in _DOUBTFUL or (len(name) == 3 and not is_ordinary(name[1:]))


def _without_family_name(text: str) -> Iterator[tuple[int, int]]:
    """买买提·艾力, and what was misheard where only a name can be: 请问是正小军先生吗."""
    if not _DOTS.isdisjoint(text):
        yield from (found.span(1) for found in _FOREIGN.finditer(text))
    yield from (found.span() for found in _SPELLED_NAME.finditer(text))
    for found in _UNCERTAIN.finditer(text):
        name = found[1]
        words = (name, name[:2], name[1:])
        if not set(name) & _NEVER_GIVEN and name[-1] not in _PLAIN and not any(map(is_ordinary, words)):
            yield found.span(1)


def _before_titles(text: str) -> Iterator[tuple[int, int]]:
    """王先生, 王小明先生, 王小明本人: the longest name that ends where the title begins."""
    for title in _TITLE.finditer(text):
        end = title.start()
        for length in (4, 3, 2, 1):
            start = end - length
            if start < 0 or not _is_called(text[start:end]):
                continue
            if length == 1 and (title[0] == "本人" or not _may_stand_alone(text, start, title[0])):
                continue
            if length > 1 and not _may_be_whole(text, start, end):
                continue
            if title[0] == "本人" and text[start] in _DOUBTFUL and text[end - 1] in _COPULAS:
                continue
            yield start, end
            break


def _may_be_whole(text: str, start: int, end: int) -> bool:
    """No word of its own, and not the end of one (设计师小哥)."""
    if _TITLE.search(text, start, end) or text[start : start + 2] in _NO_NAMES:
        return False
    ends_a_word = text[start] in _DOUBTFUL and start > 0 and is_ordinary(text[start - 1 : start + 1])
    return not ends_a_word and not (end - start == 2 and is_ordinary(text[start:end]))


def _is_called(name: str) -> bool:
    """A name, or a full name with the family name again (熊美兰熊女士)."""
    return _is_name(name) or (len(name) > 2 and name[0] == name[-1] and _is_name(name[:-1]))


def _may_stand_alone(text: str, start: int, title: str) -> bool:
    """A family name before a title is one unless it ends another word: 对方女士, 关于经理."""
    loose, firm = title in _LOOSE_TITLES, title in _FIRM_TITLES
    before = text[max(0, start - 1) : start + 1]
    if loose and text[start] in _DOUBTFUL:
        return False
    apart = len(before) < 2 or before[0] in _BEFORE_A_FAMILY
    if not apart and text[start] in (_JOINING if firm else _DOUBTFUL):
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
        if name[:2] in _NO_NAMES or is_ordinary(name) or (name[0] in _DOUBTFUL and is_ordinary(name[:2])):
            continue
        if length == 2 and not sure and name[0] in _RARE_WORDS:
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
