"""Chinese names of people and places. Chinese has no capitals: a name is known by its surname and the words beside it."""

from __future__ import annotations

import re

from harness.formats.privacy.gazetteer import words
from harness.formats.privacy.span import Span

_HAN = r"\u4e00-\u9fff〇"
_LABEL = re.compile(
    rf"(?:[{_HAN}]{{0,4}}(?:姓名|医师|医生|技师|护士|签名|签字|签发|审核|审阅|复阅|阅片|初审|终审|复审|录入|会签|操作|送检|申请|记录|书写|诊断|主诊|主刀|术者|陪同|引导|报告者|[^{_HAN}\W]者)|[{_HAN}]{{1,3}}[者人]|家属|主任)(?:姓名|签名)?(?: {{0,2}}[::] {{0,2}}| {{1,2}})"
)
_COMPLAINT = "咳痛热喘伤病术胸痰闷气晕血肿晨昨今日前后男女性自突近间无有未已诉不"
_BEFORE = re.compile(
    r"(?:家属|患者|病人|病员|伤者|产妇|[其之](?:子|女|妻|夫|母|父|兄|弟|姐|妹|孙|媳)|女儿|儿子|妻子|丈夫|母亲|父亲|告知|通知|联系|转告|电话告知|汇报|报告给|已告|"
    r"医师|医生|技师|护士|护师|主任|教授|职工|员工|司机|同事|同学|学生|工人|民警|战士)"
)
# After these a name is one only where a title follows it.
_LINK = re.compile(r"(?:[与和及由经向请给]|已同|临床|通知)$")
_AFTER = re.compile(r"(?:主任|副主任|主治|住院)?(?:医生|医师|大夫|教授|护士长?|主任|院长|先生|女士|小姐|老师|技师|同志|阿姨|大爷)")
# "患者某某,男" and "某某,女,54岁": whatever the surname.
_PERSON = re.compile(
    rf"(?:(?<=患者)|(?<=病人)|(?<![{_HAN}]))(?!患者|病人)(?P<own>[{_HAN}]{{2,4}}) ?[,,、 ((] ?(?:男|女)(?:性)?(?![{_HAN}]{{0,6}}(?:图|片))"
)
_NO_GIVEN = re.compile(r"[的了是在与和及或未见不请已经为于由对给患病男女岁有无因行来曾诉,。、;:]")
_FOLLOWS = re.compile(
    r"[的男女因于在已请电联沟确诉曾、]|行胸|来院|入院|同意|复查|主诉|自述|要求|表示|既往|记录|书写|审[签核阅]|签[发字名]|陪同|共同|阅片|诊断|操作|报告|代[诉写签]|会诊|主刀|录入|指示|之[子女妻夫母父]|车祸|受伤|摔|跌"
)
# "由某某、某某共同阅片"
_TOGETHER = re.compile(
    rf"[由经与请](?P<own>[{_HAN}]{{2,4}}?(?:[、和与][{_HAN}]{{2,4}}?){{0,3}})(?=共同|阅片|审[签核阅]|会诊|操作|书写|记录|完成|主刀|诊断)"
)
# A name of several parts, as many have in the west of China and as foreign names are written.
_PARTED = re.compile(rf"[{_HAN}]{{2,8}}(?:[·•・][{_HAN}]{{1,8}}){{1,3}}")
# "患者某某某,因": whatever the surname, unless it is a complaint.
_PATIENT = re.compile(rf"(?:患者|病人)(?P<own>(?:(?![{_COMPLAINT}])[{_HAN}]){{2,4}}) ?[,,] ?(?=因|[于以]|\d|系|既往)")
_INSTITUTION = re.compile(
    r"(?:医院|卫生院|诊所|疗养院|医疗中心|卫生服务中心|保健院|门诊部|医学院|大学|学校|中学|小学|公司|敬老院|养老院|福利院|(?:机械|化工|水泥|食品|服装|钢铁|电子)?厂|集团|监狱|看守所)"
)
_BOUNDARY = re.compile(rf"[^{_HAN}]")
_STOPS = (
    "转自",
    "来自",
    "转入",
    "转至",
    "转往",
    "送至",
    "送往",
    "外院",
    "曾在",
    "就诊于",
    "住在",
    "家住",
    "住院于",
    "毕业于",
    "就职于",
    "工作于",
    "前往",
    "位于",
    "在",
    "于",
    "由",
    "从",
    "到",
    "至",
    "经",
    "赴",
    "入",
    "往",
)
_FIRST = "与和及系为是本"
"""Signs that come before a place, but are also inside the names of places: they count only as the first one."""
_PARTS = r"(?:省|自治区|特别行政区|市|自治州|地区|区|县|旗|镇|乡|村|屯|街道|大街|街|大道|路|巷|弄|里|小区|社区|花园|公寓|大厦|胡同)"
_ADDRESS = re.compile(
    rf"(?:[{_HAN}]{{1,6}}?{_PARTS}){{2,6}}(?: ?[\dA-Za-z一二三四五六七八九十-]{{1,6}} ?(?:号楼?|弄|栋|幢|座|单元|室|层|楼|组|队)){{0,5}}"
)
_LABELLED_ADDRESS = re.compile(
    rf"(?:住址|地址|家庭住址|现住址|籍贯|户籍|家住|居住地|工作单位|单位) {{0,2}}[::]? {{0,2}}(?P<own>[{_HAN}\dA-Za-z-]{{2,40}})"
)


def find(text: str) -> list[Span]:
    """Spans of names and places."""
    if not any(map(_is_han, text)):
        return []
    return [*_names(text), *_places(text)]


def _is_han(sign: str) -> bool:
    return "\u4e00" <= sign <= "\u9fff" or sign == "〇"


def _names(text: str) -> list[Span]:
    found = [Span("name", *match.span("own")) for rule in (_PERSON, _PATIENT) for match in rule.finditer(text)]
    found += [Span("name", *_without_role(match)) for match in _PARTED.finditer(text)]
    for match in _TOGETHER.finditer(text):
        parts = re.finditer(r"[^、和与]+", match["own"])
        found += [
            Span("name", match.start("own") + part.start(), match.start("own") + part.end()) for part in parts if _surname(part[0], 0)
        ]
    for match in _LABEL.finditer(text):
        found += _listed(text, match.end())
    for match in _BEFORE.finditer(text):
        if span := _name_at(text, match.end(), strict=True):
            found.append(span)
    for match in _AFTER.finditer(text):
        if span := _name_before(text, match.start()):
            found.append(span)
    return found


def _without_role(match: re.Match[str]) -> tuple[int, int]:
    """A name of several parts without the word before it ("患者")."""
    before = [role.end() for role in _BEFORE.finditer(match[0]) if role.end() < len(match[0]) - 2]
    return match.start() + max(before, default=0), match.end()


def _listed(text: str, start: int) -> list[Span]:
    """A name after a label, and others after it ("张三/李四", "张三、李四")."""
    found = []
    for _ in range(4):
        span = _between_signs(text, start) or _name_at(text, start)
        if span is None:
            break
        found.append(span)
        gap = re.compile(r" ?[/、] ?").match(text, span.end)
        if gap is None:
            break
        start = gap.end()
    return found


def _between_signs(text: str, start: int) -> Span | None:
    """Two to four characters between signs: after a label they are a name, whatever the surname."""
    end = start
    while end < len(text) and end - start < 5 and _is_han(text[end]) and not _AFTER.match(text, end):
        end += 1
    return Span("name", start, end) if 2 <= end - start <= 4 else None


def _surname(text: str, start: int) -> int:
    """How many characters of a surname begin here; 0 where there is none."""
    if text[start : start + 2] in words("han_double"):
        return 2
    return int(text[start : start + 1] in words("han_surnames"))


def _name_at(text: str, start: int, strict: bool = False) -> Span | None:
    """A surname with one or two characters after it.

    Args:
        text: The report.
        start: Where the name would begin.
        strict: Whether nothing but the place speaks for it: then it must end before a boundary or a word that follows names.
    """
    size = _surname(text, start)
    if not size:
        return None
    end = start + size
    while end < min(start + size + 2, len(text)) and _is_han(text[end]):
        if _NO_GIVEN.match(text, end) or _AFTER.match(text, end):
            break
        end += 1
    if strict:
        end = next((at for at in range(end, start + size, -1) if _ends_name(text, at)), start + size)
    return Span("name", start, end) if end > start + size or not strict else None


def _ends_name(text: str, end: int) -> bool:
    """Whether a name may end here: before a sign, a title, or a word that follows names."""
    return end >= len(text) or bool(_BOUNDARY.match(text, end)) or bool(_AFTER.match(text, end)) or bool(_FOLLOWS.match(text, end))


def _name_before(text: str, end: int) -> Span | None:
    """A name that ends at a title: the longest that begins with a surname behind a boundary or a word before names."""
    for size in (4, 3, 2, 1):
        start = end - size
        if start < 0 or not all(map(_is_han, text[start:end])):
            continue
        family = _surname(text, start)
        inside = range(start + family, end)
        known = text[start:end] in words("han_titles") or any(_NO_GIVEN.match(text, at) for at in inside)
        if family and size - family <= 2 and not known and _free(text, start):
            return Span("name", start, end)
    return None


def _free(text: str, start: int) -> bool:
    """Whether the word before a name ends there: a sign, or a word that comes before names."""
    before = text[max(0, start - 4) : start]
    ended = any(match.end() == len(before) for match in _BEFORE.finditer(before))
    return not before or ended or bool(_BOUNDARY.match(before[-1])) or bool(_LINK.search(before)) or before[-1] in "科室院是为:"


def _places(text: str) -> list[Span]:
    found = []
    for match in _INSTITUTION.finditer(text):
        start = _own_start(text, match.start())
        if start < match.start():
            found.append(Span("place", start, match.start()))
    for match in _ADDRESS.finditer(text):
        start = match.start() + _stop(match[0])
        if start < match.end() and not re.search(r"[肺叶膈肋隔]", match[0]):
            found.append(Span("place", start, match.end()))
    found += [Span("place", *match.span("own")) for match in _LABELLED_ADDRESS.finditer(text)]
    for name in words("han_provinces"):
        found += [Span("place", match.start(), match.end()) for match in re.finditer(rf"{name}[省市]?", text)]
    return found


def _own_start(text: str, end: int) -> int:
    """Where the own words of an institution begin: at most 12 characters back, after a sign or a word that comes before places."""
    start = end
    while start > max(0, end - 12) and _is_han(text[start - 1]):
        start -= 1
    return start + _stop(text[start:end])


def _stop(own: str) -> int:
    """The end of the last word that comes before places."""
    last = max((own.rfind(stop) + len(stop) for stop in _STOPS if stop in own and own.rfind(stop) + len(stop) < len(own)), default=0)
    return last + int(own[last : last + 1] in _FIRST and last + 1 < len(own)) if own[last:] else last
