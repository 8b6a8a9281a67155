"""Headings of chest film reports: where they are in a text and what they open."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple


class Heading(NamedTuple):
    """One heading."""

    kind: str
    """The kind of the part that it opens; see `harness.formats.sections.Part`."""
    start: int
    end: int
    """Where its part begins: behind the heading, or at the name of an organ, which says something itself."""
    first: bool
    """Whether it begins a line."""


_KEYS: tuple[tuple[str, str], ...] = (
    ("notice", "provisional pfi addendum addenda signed dictated transcribed verified approved authorized authorised reported radiologist physician doctor attending"),
    ("notice", "resident referrer referring ordering accession mrn dob name age sex gender hospital ward department institution disclaimer attestation"),
    ("findings", "findings finding"),
    ("impression", "impression impressions conclusion conclusions summary opinion assessment"),
    ("notice", "recommendation recommendations notification notifications communication communications plan advice"),
    ("indication", "indication indications reason question request complaint justification"),
    ("history", "history clinical information details background anamnesis symptoms hpi"),
    ("technique", "technique techniques protocol acquisition quality exposure dose medication medications contrast"),
    ("comparison", "comparison comparisons compared priors prior previous"),
    ("findings", "interpretation result results observation observations report discussion body"),
    ("impression", "diagnosis diagnoses"),
    ("technique", "projection projections views view"),
    ("other", "exam examination examinations exams study studies procedure procedures date time modality"),
    ("findings", "description"),
)  # fmt: skip
_KINDS = {word: (rank, kind) for rank, (kind, words) in reversed(list(enumerate(_KEYS))) for word in words.split()}
"""By word of a heading its kind; of several words the first line of `_KEYS` decides."""
_LONG = tuple(word for word in _KINDS if len(word) >= 8)
"""Words that a misspelt long word is taken for."""
_BESIDE = frozenset(
    [
        "for",
        "of",
        "the",
        "and",
        "to",
        "by",
        "on",
        "at",
        "in",
        "with",
        "this",
        "a",
        "an",
        "patient",
        "patients",
        "s",
        "medical",
        "final",
        "chest",
        "thorax",
        "radiographic",
        "radiological",
        "radiology",
        "imaging",
        "xray",
        "x",
        "ray",
        "cxr",
        "key",
        "main",
        "brief",
        "additional",
        "type",
        "description",
        "detail",
        "data",
        "status",
        "notes",
        "note",
        "summary",
        "no",
        "number",
        "performed",
        "relevant",
        "pertinent",
        "present",
        "current",
        "study",
        "exam",
        "examination",
        "technical",
        "image",
        "personal",
        "general",
        "ct",
        "electronically",
        "read",
        "new",
        "old",
        "other",
        "preliminary",
        "working",
        "provisional",
        "critical",
        "value",
        "values",
        "free",
        "text",
        "narrative",
        "ap",
        "pa",
        "lat",
        "lateral",
        "portable",
        "film",
        "films",
        "radiograph",
        "radiographs",
        "illness",
        "id",
    ]
)
"""Words that are beside these in a heading."""
_TITLE = frozenset(
    [
        "chest",
        "thorax",
        "pa",
        "ap",
        "lat",
        "lateral",
        "view",
        "views",
        "portable",
        "radiograph",
        "radiographs",
        "film",
        "films",
        "x",
        "ray",
        "xray",
        "cxr",
        "single",
        "one",
        "two",
        "three",
        "frontal",
        "upright",
        "supine",
        "erect",
        "semi",
        "semierect",
        "semiupright",
        "bedside",
        "and",
        "of",
        "the",
        "on",
        "at",
        "a",
        "am",
        "pm",
        "m",
        "p",
        "in",
        "plain",
        "digital",
        "exam",
        "study",
        "date",
        "time",
        "decubitus",
        "standing",
        "sitting",
        "planes",
        "plane",
        "posteroanterior",
        "anteroposterior",
        "projection",
        "projections",
    ]
)
_TITLE_KEY = frozenset(["chest", "thorax", "cxr", "radiograph", "radiographs", "film", "films", "xray"])
_TITLE_KEYS = _TITLE_KEY | frozenset(["frontal", "lateral", "pa", "ap", "portable"])
_ORGAN = re.compile(
    r"lungs?|hearts?|cardi\w+|pleurae?|pleural\b|mediastin\w+|bones?|bony|osseous|skelet\w+|airways?|trachea|lines?\b|tubes?|devices?|support|diaphragms?|hila\w*"
    r"|vascul\w+|pulmonary|soft tissues?|abdomen|upper abdomen|aorta|costophrenic|other findings",
    re.IGNORECASE,
)
_ENGLISH = (
    r"(?:clinical |patient |relevant |medical |brief )?(?:indications?|history|information|statement|question|data|details|background|notes)"
    r"|reasons? for (?:the |this )?(?:exam(?:ination)?|study|request|referral)|reason|hpi|request|justification|comparisons?(?: stud(?:y|ies))?|compared? with|priors?"
    r"|techniques?|procedures?|exam(?:ination)?s?|stud(?:y|ies)|views?|protocol|signed(?: by)?|electronically signed(?: by)?|dictated by|reported by"
    r"|recommendations?|recommendation\(s\)|notifications?|notification\(s\)|communication|addendum|disclaimer"
    r"|(?:chest |radiographic |radiological |imaging |key |main )?findings?|(?:final )?impressions?|conclusions?|opinion|assessment|(?:radiology )?report"
    r"|interpretation|summary|results?|diagnosis|observations?|discussion"
)
_CHINESE = {
    "history": r"临床(?:诊断|病史|资料|表现|信息|症状)|病史|主诉|臨床(?:診斷|病史|資料)|現病史|现病史|简要病史",
    "indication": r"检查目的|檢查目的|申请(?:目的|原因)|检查原因|适应[症证]",
    "technique": r"检查(?:方法|技术|项目|部位)|檢查(?:方法|技術|部位)|扫描技术|摄片(?:体位|方法)|投照体位|检查名称",
    "comparison": r"对比(?:检查|片)?|比较|對照|对照(?:片)?|既往(?:检查|影像)",
    "notice": r"建议|建議|报告医[师生]|审核医[师生]|报告日期|检查日期|备注|通知|补充报告|姓名|性别|年龄|检查号|住院号|床号",
    "findings": r"(?:影像|检查|放射学|x线)?(?:所见|表现)|影像学?(?:所见|表现|描述)|影像描述|描述|所見|放射学表现|检查结果|报告内容|报告",
    "impression": r"(?:影像|影像学|放射学|x线|ct)?诊断(?:意见|印象|结论)?|印象|结论|意见|診斷|印象|意見|总结",
}
_INLINE = re.compile(
    rf"(?P<name>(?<![a-z])(?:{_ENGLISH})(?:(?: and | or | & |/| / |, )(?:{_ENGLISH}))?(?:\([s]\))?)(?=[ \t*_]*[:：])"
    rf"|(?:【|\[)?(?P<chinese>{'|'.join(f'(?P<zh_{kind}>{names})' for kind, names in _CHINESE.items())})(?=[】\] \t]*[:：\n】]|[】\] \t]*$)",
    re.IGNORECASE,
)
_LINE = re.compile(
    r"^[ \t*#_>•=-]*(?:\(?\d{1,2}[.)][ \t]*)?(?P<name>[A-Za-z](?:[A-Za-z0-9 ,/&()'._-]|:(?=\d)){1,70}?)(?P<close>[ \t*_]*[:：](?!\d)[ \t*]*)",
    re.MULTILINE,
)
LONE = re.compile(
    rf"^[ \t*#_>•=-]*(?:\d{{1,2}}[.)][ \t]*)?(?:(?P<name>{_ENGLISH})[ \t*_#=.;-]*$|(?P<caps>(?-i:FINDINGS?|IMPRESSIONS?|CONCLUSIONS?|INDICATION|HISTORY|TECHNIQUE|COMPARISON)|findings|impression|conclusion)[ \t*]*(?:[.;][ \t]+|[ \t][-–—][ \t]*))",
    re.IGNORECASE | re.MULTILINE,
)
"""A heading alone on its line, or before a full stop or a dash."""
_BANNERS = tuple(
    form for name in ("wet read", "final report", "addendum") for form in (name, name.upper(), name.title(), name.capitalize())
)


def mentioned(text: str) -> bool:
    """Whether a text may hold a heading or a banner; most texts hold none, and need no closer look."""
    if ":" in text or "：" in text or "】" in text or any(name in text for name in _BANNERS):
        return True
    return any(LONE.match(line) for line in text.splitlines())


_BEFORE = frozenset(".;:。；：!?！？)]】_*>\"'")


def headings(text: str, start: int, end: int) -> list[Heading]:
    """The headings in a stretch of a text, in order; the name of an organ counts behind context alone."""
    found = {head.start: head for head in _lines(text, start, end)}
    for match in _INLINE.finditer(text, start, end):
        head = _inline(text, match, start, end)
        if head and not any(place in found for place in range(head.start, head.end)):
            found[head.start] = head
    kept: list[Heading] = []
    for place in sorted(found):
        head = found[place]
        if kept and head.start < kept[-1].end:
            continue
        inside = bool(kept) and kept[-1].kind in ("findings", "impression", "combined", "untitled")
        if head.kind == "organ" and (inside or not kept):
            continue
        if head.kind == "untitled" and inside:
            continue
        kept.append(head._replace(kind="untitled") if head.kind == "organ" else head)
    return kept


def _lines(text: str, start: int, end: int) -> list[Heading]:
    """Headings that begin a line."""
    found = []
    for match in _LINE.finditer(text, start, end):
        kind = kind_of(match["name"])
        if kind == "organ":
            found.append(Heading(kind, match.start(), match.start(), True))
        elif kind:
            found.append(Heading(kind, match.start(), match.end(), True))
    taken = {head.start for head in found}
    for match in LONE.finditer(text, start, end):
        if match.start() not in taken and (kind := kind_of(match["name"] or match["caps"])):
            found.append(Heading(kind, match.start(), match.end(), True))
    return found


def _inline(text: str, match: re.Match[str], start: int, end: int) -> Heading | None:
    """A heading inside a line: behind the end of a sentence, or in capitals."""
    begin = match.start()
    before = text[max(start, begin - 60) : begin].rstrip(" \t")
    first = not before or before[-1] in "\n\r\f"
    if match["chinese"]:
        if not (first or before[-1] in _BEFORE):
            return None
        kind = next(name for name in _CHINESE if match[f"zh_{name}"])
        close = _CLOSE.match(text, match.end(), end)
        return Heading(kind, begin, close.end() if close else match.end(), first)
    name = match["name"]
    if not (first or before[-1] in _BEFORE or (name.isupper() and text[begin - 1].isspace())):
        return None
    close = _CLOSE.match(text, match.end(), end)
    kind = kind_of(name)
    return Heading(kind, begin, close.end() if close else match.end(), first) if kind not in ("", "organ") else None


_CLOSE = re.compile(r"[】\] \t*_]*[:：]?[ \t*]*")


@lru_cache(4096)
def kind_of(heading: str) -> str:
    """The kind that a heading opens: of a part, `organ`, or empty where it is none that is known."""
    words = re.findall(r"[a-z]+", heading.lower())
    if not words or len(words) > 12:
        return ""
    if len(words) > 6 or not (heading.isupper() or len(words) <= 4):
        return "untitled" if _is_view(words) else ""
    meant = [
        word if word in _KINDS or word in _BESIDE or len(word) < 6 else (get_close_matches(word, _LONG, 1, 0.82) or [word])[0]
        for word in words
    ]
    ranked = sorted(_KINDS[word] for word in meant if word in _KINDS)
    strange = sum(word not in _KINDS and word not in _BESIDE for word in meant)
    if _is_view(words) and not (ranked and ranked[0][1] not in ("technique", "other")):
        return "untitled"
    if ranked and strange <= (2 if heading.isupper() else 0):
        kinds = {kind for _, kind in ranked}
        both = {"findings", "impression"} <= kinds and ranked[0][1] != "notice"
        return "combined" if both else ranked[0][1]
    return "organ" if _ORGAN.match(heading.strip()) and len(words) <= 5 else ""


def _is_view(words: list[str]) -> bool:
    """Whether a heading only names the film."""
    return (
        _TITLE.issuperset(words)
        and not (_TITLE_KEYS if len(words) > 1 else _TITLE_KEY).isdisjoint(words)
        and words[0] not in ("exam", "study", "date")
    )
