"""Which parts of a report are read: findings and impression, not the question that was asked or the film it is compared with."""

from __future__ import annotations

import re

from harness.types import Span

UNREAD = (
    r"(?:clinical |patient )?(?:indications?|history|information|statement|question|data)|reasons?(?: for (?:the )?(?:exam(?:ination)?|study))?"
    r"|hpi|comparisons?|compared? with|techniques?|procedures?|exam(?:ination)?s?|studies|study|views?|protocol|signed(?: by)?|dictated by"
    r"|临床(?:诊断|病史|资料|表现)|病史|主诉|检查(?:方法|技术|目的|部位|项目)|对比|比较|对照|臨床(?:診斷|病史)|病史|檢查(?:方法|技術|目的|部位)"
)
READ = (
    r"findings?|impressions?|conclusions?|opinion|assessment|report|interpretation|summary|results?|diagnosis|observations?"
    r"|影像(?:所见|表现|学表现|诊断|学诊断|意见)|(?:检查|放射学)?所见|(?:诊断)?(?:印象|意见|结论)|放射学诊断|x线(?:所见|表现|诊断)|所見|印象|意見"
)
HEADING = re.compile(rf"(?:^|(?<=[\n.。；;]))[^\S\n]*(?:(?P<unread>{UNREAD})|(?P<read>{READ}))(?: and (?:{READ}|{UNREAD}))?[^\S\n]*[:：]")
LINE = re.compile(r"\n|[.。](?=\s|$)|[。]")


def read(text: str, small: str) -> list[Span]:
    """The parts of a text to read.

    Args:
        text: As written.
        small: In lower case, character for character.
    """
    if ":" not in text and "：" not in text:
        return [(0, len(text))]
    headings = list(HEADING.finditer(small))
    if not headings:
        return [(0, len(text))]
    parts = [(0, headings[0].start())] if headings[0].start() else []
    for place, heading in enumerate(headings):
        later = any(other["read"] for other in headings[place + 1 :])
        end = headings[place + 1].start() if place + 1 < len(headings) else len(text)
        begin = heading.end()
        if heading["unread"]:
            begin = end if later else _after_line(small, begin, end)
        if begin < end:
            parts.append((begin, end))
    return parts


def _after_line(small: str, begin: int, end: int) -> int:
    """Behind the first line or sentence: no heading says where the question ends and the report begins."""
    match = LINE.search(small, begin, end)
    return match.end() if match else end
