"""The one reader of a report's sections: what each part of a text is, by heading, layout and wording; no sentence is lost.

What no heading claims is findings. The question that was asked, the technique, the film compared with, a wet read, an addendum and who was
informed are context. Every part is a span of the text as written, so that a reader of words and a builder of cohorts see the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.formats.section_headings import Heading, headings, mentioned
from harness.types import Span

FINDINGS, IMPRESSION, COMBINED, UNTITLED = "findings", "impression", "combined", "untitled"
READ = frozenset({FINDINGS, IMPRESSION, COMBINED, UNTITLED})
"""Kinds of parts that say what is seen."""
QUESTION = frozenset({"indication", "history"})
"""Kinds of context that name findings nobody has seen."""
ASIDE = "aside"
"""A wet read, a preliminary report or an addendum beside a report proper."""


class Part(NamedTuple):
    """A piece of a text."""

    kind: str
    """`findings`, `impression`, `combined` (both in one), `untitled` (no heading: findings); `indication`, `history`, `technique`,
    `comparison`, `other` (what was examined), `notice` (who signed, who was informed, what comes next); `aside`."""
    start: int
    end: int


def read(text: str) -> list[Span]:
    """The spans of a text that say what is seen, in order; headings and context left out."""
    return [(part.start, part.end) for part in parts(text) if part.kind in READ]


def parts(text: str) -> list[Part]:
    """The parts of a text in order; headings and banners belong to none."""
    if not mentioned(text):
        return [Part(UNTITLED, 0, len(text))]
    if _OTHER_ENDS.search(text):
        # Character for character, so that every place stays where it is.
        text = _OTHER_ENDS.sub("\n", text.replace("\r\n", " \n"))
    return list(_parts(text))


_OTHER_ENDS = re.compile("[\r\f\v\x85\u2028\u2029]")


def _parts(text: str) -> tuple[Part, ...]:
    blocks = _blocks(text)
    for chosen in _PROPER:
        found = [part for name, start, end in blocks if name in chosen for part in _sections(text, start, end)]
        if any(part.kind in READ and _LETTER.search(text, part.start, part.end) for part in found):
            beside = [Part(ASIDE, start, end) for name, start, end in blocks if name not in chosen]
            return tuple(sorted(found + beside, key=lambda part: part.start))
    return tuple(part for _, start, end in blocks for part in _sections(text, start, end))


_LETTER = re.compile(r"[^\W\d_]")
_PROPER = (
    frozenset({"", "final report"}),
    frozenset({"preliminary report", "interim report", "provisional report"}),
    frozenset({"wet read"}),
    frozenset({"final addendum", "addendum"}),
)
"""Which blocks are the report proper: the first of these that says anything."""
_BANNER = re.compile(
    r"(?P<rule>^[ \t]*(?:_{12,}|-{12,}|={12,})[ \t]*$)"
    r"|^[ \t*#]*(?P<line>(?:final|preliminary|interim|provisional)[ \t]+(?:report|addendum)|wet[ \t]+read|addendum)"
    r"(?:[ \t]+(?:version[ \t]*)?\#?\d+)?[ \t*]*(?:[:：][ \t*]*|$)"
    r"|(?-i:(?<![^\s:._])(?P<word>(?:FINAL|PRELIMINARY|INTERIM|PROVISIONAL)[ \t]+(?:REPORT|ADDENDUM)|WET[ \t]+READ|ADDENDUM(?=[ \t]*[:#\n]|[ \t]{2}))\b[ \t]*:?)",
    re.IGNORECASE | re.MULTILINE,
)
"""A drawn line, or the name of a block; three underscores are a removed name or date and stay."""


def _blocks(text: str) -> list[tuple[str, int, int]]:
    """Blocks as name, start and end; text under no banner, or behind a line drawn under an aside, has no name."""
    found, name, start = [], "", 0
    for banner in _BANNER.finditer(text):
        if banner["rule"] and name in ("", "final report"):
            found.append((name, start, banner.start()))
        else:
            found += _until_report(text, name, start, banner.start())
            name = "" if banner["rule"] else " ".join((banner["line"] or banner["word"]).lower().split())
        start = banner.end()
    return [block for block in (*found, *_until_report(text, name, start, len(text))) if block[1] < block[2]]


def _until_report(text: str, name: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """A block; a wet read ends where a heading of context begins the report proper."""
    if name == "wet read":
        proper = next((head.start for head in headings(text, start, end) if head.kind not in READ and head.first), end)
        if proper < end and any(head.kind in READ for head in headings(text, proper, end)):
            yield name, start, proper
            name, start = "", proper
    yield name, start, end


def _sections(text: str, start: int, end: int) -> Iterator[Part]:
    """The parts of one block."""
    heads = headings(text, start, end)
    last_titled = max((index for index, head in enumerate(heads) if head.kind in (FINDINGS, COMBINED)), default=-1)
    last_read = max((index for index, head in enumerate(heads) if head.kind in READ), default=-1)
    first = heads[0].start if heads else end
    yield from _leading(text, start, first, last_titled >= 0)
    for index, head in enumerate(heads):
        stop = heads[index + 1].start if index + 1 < len(heads) else end
        if head.kind in READ:
            yield Part(head.kind, head.end, stop)
            continue
        turn = _turn(text, head, stop, index < last_titled, index < last_read)
        yield Part(head.kind, head.end, turn)
        if turn < stop:
            yield Part(UNTITLED, turn, stop)


def _leading(text: str, start: int, end: int, titled: bool) -> Iterator[Part]:
    """Text before the first heading: findings; before titled findings only what is no talk about the examination."""
    for first, last in _paragraphs(text, start, end):
        context = _is_title(text[first:last]) or (titled and _TALK.search(text, first, last))
        yield Part("other" if context else UNTITLED, first, last)


def _turn(text: str, head: Heading, stop: int, titled: bool, later: bool) -> int:
    """Where the findings begin behind a heading of context.

    Args:
        titled: Whether findings with a heading of their own follow; then only a clear statement is theirs.
        later: Whether any heading of findings or impression follows.
    """
    blank = _BLANK.search(text, _word(text, head.end, stop), stop)
    close = blank.start() if blank else stop
    if head.kind == "notice":
        titled = True
    if not titled:
        begin = _word(text, head.end, close)
        for first, last in _sentences(text, head.end, close):
            if first > begin and _states(text[first:last], head.kind, later):
                return first
        return _word(text, close, stop)
    return next((first for first, last in _sentences(text, close, stop) if _states(text[first:last], "history", True)), stop)


_BLANK = re.compile(r"\n[ \t\r\f]*\n")
_END = re.compile(r"[.!?;](?=\s|$)|[。；！？]|\n(?=[ \t]*[A-Z\d•*–—\u4e00-\u9fff-])|\n[ \t\r\f]*\n")


def _word(text: str, start: int, end: int) -> int:
    """The first character that is no blank."""
    match = _SIGN.search(text, start, end)
    return match.start() if match else end


_SIGN = re.compile(r"\S")


def _paragraphs(text: str, start: int, end: int) -> Iterator[Span]:
    for match in (*_BLANK.finditer(text, start, end), None):
        stop = match.end() if match else end
        if start < stop:
            yield start, stop
        start = stop


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences that hold a letter or digit, roughly."""
    for match in (*_END.finditer(text, start, end), None):
        stop = match.end() if match else end
        first = _word(text, start, stop)
        if first < stop and _LETTER.search(text, first, stop):
            yield first, stop
        start = stop


def _is_title(paragraph: str) -> bool:
    """Whether a paragraph only names the examination."""
    words = re.findall(r"[^\W\d_]+", paragraph.lower())
    return bool(words) and _TITLE_WORDS.issuperset(words)


_TITLE_WORDS = frozenset(
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
        "rays",
        "xr",
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
        "examination",
        "exam",
        "study",
        "date",
        "time",
        "dated",
        "decubitus",
        "standing",
        "sitting",
        "inspiration",
        "posteroanterior",
        "anteroposterior",
        "posterior",
        "anterior",
        "projection",
        "projections",
        "planes",
        "plane",
        "adult",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]
)
_TALK = re.compile(
    r"\b(?:views?|projections?|obtained|performed|acquired|submitted|technique|comparison|compared|indication|history|year|patient|please)\b|\?",
    re.IGNORECASE,
)
_CHEST = re.compile(
    r"lung|pulmon|pleura|heart|cardi(?!olog)|mediastin|\bhil(?:ar|um|a)\b|effusion|pneumo|consolidat|opaci|atelecta|oe?dema|infiltrat|diaphragm"
    r"|costophrenic|trache|aort|\bribs?\b|\bbon[ey]|osseous|spine|vertebra|fractur|nodul|\bmass|\btubes?\b|catheter|\blines?\b|picc|pacemaker"
    r"|\bleads?\b|silhouette|vascul|airspace|\blobes?\b|\bbas(?:e|es|ilar)\b|\bap(?:ex|ices|ical)\b|emphysem|interstiti|granulom|calcif"
    r"|congest|sternotomy|clips?\b|abnormal|acute|active|airways?",
    re.IGNORECASE,
)
"""What a sentence about the film speaks of."""
_SAYS = re.compile(
    r"\b(?:is|are|has|have|shows?|demonstrates?|reveals?|remains?|appears?|seen|noted|no|not|without|clear|normal|unremarkable|intact|stable"
    r"|unchanged|present|identified|visuali[sz]ed|evidence)\b",
    re.IGNORECASE,
)
_PRIOR = r"compar\w*|prior|previous\w*|radiographs?|x-?rays?|films?|exam\w*|stud(?:y|ies)|ct|mri|chest xxxx"
_ASKED = (
    r"year|y/?o|yrs?|old|patient|pt|man|woman|male|female|boy|girl|gentleman|lady|infant|child|neonate|history|hx|h/o|s/p|status post"
    r"|evaluat\w*|assess\w*|rule out|r/o|please|quer(?:y|ied)|question\w*|admitted|present(?:s|ing|ed) with|complain\w*|c/o|symptom\w*|pain\w*"
    r"|cough\w*|fever\w*|febrile|dyspn\w*|short(?:ness)? of breath|sob|hypoxi\w*|sepsis|septic|trauma|fall|mvc|smok\w*|pre-?op\w*|surgery"
    r"|transplant|concern for|look for|check|confirm|exclude|known|smoker|technique|projections?|views?|obtained|performed|acquired|dated"
    r"|available|none|clinical\w*|physician|doctor|dr|telephone|phone|paged|discussed|communicated|notified|reported"
)
_QUESTION = re.compile(rf"\b(?:{_ASKED}|{_PRIOR})\b|\?|___", re.IGNORECASE)
_SETTING = re.compile(rf"\b(?:{_ASKED})\b|\?", re.IGNORECASE)
_FILM = re.compile(rf"\b(?:{_PRIOR})\b|___", re.IGNORECASE)


def _states(sentence: str, kind: str, later: bool) -> bool:
    """Whether a sentence under a heading of context says what is seen."""
    if _CHINESE.search(sentence):
        return bool(_CHINESE_CHEST.search(sentence)) and not _CHINESE_ASKED.search(sentence)
    if not _CHEST.search(sentence):
        return False
    if kind in QUESTION:
        return not _QUESTION.search(sentence) and (not later or bool(_SAYS.search(sentence)))
    if _SETTING.search(sentence):
        return False
    return bool(_SAYS.search(sentence)) or not _FILM.search(sentence)


_RULE = re.compile(r"[_=-]{12,}")
_CHINESE = re.compile("[\u4e00-\u9fff]")
_CHINESE_CHEST = re.compile("[肺胸心膈肋骨管影]|纵隔|縱隔|积液|積液")
_CHINESE_ASKED = re.compile("[?？史因岁歲]|待查|待排|术后|術後|患者|对比|對比|咳|痛|热|熱|排除|复查|複查")


def text_of(text: str, parts_of: Sequence[Part]) -> str:
    """Parts as text: lines of a paragraph joined by a blank, paragraphs by a line break."""
    found = (" ".join(text[first:last].split()) for part in parts_of for first, last in _paragraphs(text, part.start, part.end))
    return "\n".join(paragraph for paragraph in found if paragraph and not _RULE.fullmatch(paragraph))
