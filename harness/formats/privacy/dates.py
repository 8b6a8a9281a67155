"""Dates in reports: found, read, moved by a number of days, and written again in the same form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_NAMES = "|".join((*(name.capitalize() for name in MONTHS), "Sept", *(name[:3].capitalize() for name in MONTHS if name != "may")))
_MONTH = rf"(?P<name>{_NAMES})"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_HAN = "〇零一二三四五六七八九十"
_NUMBER = rf"(?:\d{{1,2}}|[{_HAN}]{{1,3}})"
_DAY = r"(?P<day>[0-3]?\d)(?P<nth>st|nd|rd|th)?"
_BEFORE = "on|admitted|discharged|seen|imaged|dated?|from|since|of|to|until|before|after|prior|film|study|exam|examination|radiographs?|comparison|ct|x-?ray"
_FORMS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\d.]){_YEAR}(?P<sep>[-/.])(?P<month>[01]?\d)(?P=sep)(?P<day>[0-3]?\d)(?!\d)",
        r"(?<![\d.-])(?P<one>[0-3]?\d)(?P<sep>[-/.])(?P<two>[0-3]?\d)(?P=sep)(?P<year>(?:19|20)\d\d)(?![\d])",
        r"(?<![\d./-])(?P<one>[0-3]?\d)(?P<sep>[-/.])(?P<two>[0-3]?\d)(?P=sep)(?P<year>\d\d)(?![\d/-]|\.\d| ?(?:cm|mm))",
        rf"(?<![A-Za-z]){_MONTH}(?P<dot>\.?)(?P<gap> {{1,2}}|-){_DAY}(?P<comma>,? {{1,2}}|-|, ?| of ){_YEAR}(?!\d)",
        rf"(?<!\d){_DAY}(?P<gap> {{1,2}}|-| of ){_MONTH}(?P<dot>\.?)(?P<comma>,? {{1,2}}|-|/){_YEAR}(?!\d)",
        rf"(?<!\d){_DAY}(?P<gap>-){_MONTH}(?P<dot>)(?P<comma>-)(?P<year>\d\d)(?!\d)",
        rf"(?<!\d){_DAY}(?P<gap> )?{_MONTH}(?P<dot>\.?)(?P<comma> ?['’])(?P<year>\d\d)(?!\d)",
        rf"(?<![A-Za-z]){_MONTH}(?P<dot>\.?)(?P<gap>,? {{1,2}}|-| of |/){_YEAR}(?!\d)",
        rf"(?<![A-Za-z]){_MONTH}(?P<dot>\.?)(?P<gap> ?['’])(?P<year>\d\d)(?!\d)",
        rf"(?<![A-Za-z]){_MONTH}(?P<dot>\.?)(?P<gap> {{1,2}}){_DAY}(?![\d:]|\.\d| ?(?:mm|cm|mg|ml))",
        rf"(?<!\d){_DAY}(?P<gap> {{1,2}}| of ){_MONTH}(?P<dot>\.?)(?![A-Za-z])",
        rf"(?P<lead>\b(?:{_BEFORE}),?:? |[(])(?P<one>0?[1-9]|1[0-2]|[12]\d|3[01])(?P<sep>/)(?P<two>[0-3]?\d)(?![\d/]|\.\d| ?(?:cm|mm|mg|of\b))",
        r"(?<![\d./-])(?P<one>0?[1-9]|1[0-2]|[12]\d|3[01])(?P<sep>/)(?P<two>[0-3]?\d)(?= ?(?:to|-|–|through|until|and) ?[0-3]?\d/[0-3]?\d/\d\d)",
        rf"(?<![\d./]){_YEAR}(?P<sep>[-/])(?P<month>0[1-9]|1[0-2])(?![\d/-]|\.\d)",
        rf"(?<![\d./-])(?P<month>0?[1-9]|1[0-2])(?P<sep>/){_YEAR}(?!\d)",
        rf"(?<![\dA-Za-z.-]){_YEAR}(?P<sep>)(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?![\dA-Za-z-]|\.\d)",
        rf"(?<!\d){_DAY}(?P<gap>){_MONTH}(?P<dot>)(?P<comma>){_YEAR}(?!\d)",
        rf"(?<!\d){_YEAR}(?= (?:stud(?:y|ies)|films?|exam(?:ination)?s?|radiographs?|ct|mri|x-?rays?|surgery|images?)\b)",
        rf"(?P<lead>\b(?:spring|summer|autumn|winter|fall|in|since|from|of|during|circa|early|late|mid|year|dated|until|before|after) )(?P<late>late |early |mid |mid-)?{_YEAR}(?!\d|\.\d| ?(?:ml|cc|mg|mm|hours))",
        rf"(?<!\d)(?P<year>(?:19|20)\d\d|[{_HAN}]{{4}}|\d\d) ?年 ?(?P<month>{_NUMBER}) ?月 ?(?P<day>{_NUMBER}) ?(?P<unit>[日号])",
        rf"(?<!\d)(?P<year>(?:19|20)\d\d|[{_HAN}]{{4}}) ?年 ?(?P<month>{_NUMBER}) ?月(?P<unit>份?)",
        rf"(?<![\d年])(?P<month>{_NUMBER}) ?月 ?(?P<day>{_NUMBER}) ?(?P<unit>[日号])",
        rf"(?<!\d)(?P<year>(?:19|20)\d\d|[{_HAN}]{{4}}) ?年(?P<unit>)(?! ?\d)",
    )
)
"""Longest forms first. Every repetition is bounded."""


@dataclass(frozen=True, slots=True)
class Found:
    """One date as a report has it."""

    start: int
    end: int
    year: int | None
    month: int | None
    day: int | None
    write: Callable[[date], str]
    """The same form with another date."""

    def on(self, year: int) -> date:
        """The date, with a year for one that has none, and the middle of what is not said."""
        return _day(self.year or year, self.month or 7, self.day or (15 if self.month else 1))


def _day(year: int, month: int, day: int) -> date:
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def find(text: str, day_first: bool = False) -> tuple[Found, ...]:
    """Every date of a text, in order, none overlapping another; what cannot be a date is none.

    Args:
        text: A report.
        day_first: Whether 3/4/2021 is the third of April.
    """
    found: list[Found] = []
    taken: set[int] = set()
    for form in _FORMS:
        for match in form.finditer(text):
            start = match.end("lead") if "lead" in form.groupindex else match.start()
            if taken.isdisjoint(range(start, match.end())) and (one := _read(match, start, day_first)):
                found.append(one)
                taken.update(range(start, match.end()))
    return tuple(sorted(found, key=lambda item: item.start))


def find_in(words: str, day_first: bool) -> tuple[Found, ...]:
    """The date that some words are, whatever was before them ("in 2019" was found; the words are "2019")."""
    found = find(words, day_first)
    if found and (found[0].start, found[0].end) == (0, len(words)):
        return found
    for lead in ("in ", "on "):
        for item in find(lead + words, day_first):
            if (item.start, item.end) == (len(lead), len(lead) + len(words)):
                return (item,)
    return ()


def reads_day_first(texts: Iterable[str]) -> bool:
    """Whether numeric dates of these texts have the day first: some cannot be otherwise, and none contradicts it."""
    firsts = seconds = False
    for text in texts:
        for form in _FORMS[1:3]:
            for match in form.finditer(text):
                firsts |= 12 < int(match["one"]) <= 31
                seconds |= 12 < int(match["two"]) <= 31
    return firsts and not seconds


def _read(match: re.Match[str], start: int, day_first: bool) -> Found | None:
    """The parts of a match; None where they are no date."""
    parts = {key: value for key, value in match.groupdict().items() if value is not None}
    turned = False
    if "one" in parts:
        one, two = int(parts["one"]), int(parts["two"])
        turned = (day_first or one > 12) and two <= 12
        month, day = (two, one) if turned else (one, two)
    else:
        month_name = parts.get("name", "").lower()
        month = (
            MONTHS.index(next(name for name in MONTHS if name.startswith(month_name[:3]))) + 1
            if month_name
            else _number(parts.get("month"))
        )
        day = _number(parts.get("day"))
    year = _year(parts.get("year"))
    has_day, has_month = "day" in parts or "one" in parts, "name" in parts or "month" in parts or "one" in parts
    if (has_month and not 1 <= month <= 12) or (has_day and not 1 <= day <= 31):
        return None
    return Found(start, match.end(), year, month if has_month else None, day if has_day else None, _writer(match, start, turned))


def _number(text: str | None) -> int:
    if not text:
        return 0
    if text.isascii():
        return int(text)
    values = [10 if sign == "十" else max(_HAN.index(sign) - 1, 0) for sign in text]
    if 10 in values:
        at = values.index(10)
        return (values[at - 1] if at else 1) * 10 + (values[at + 1] if at + 1 < len(values) else 0)
    return int("".join(map(str, values)))


def _year(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii():
        return int("".join(str(max(_HAN.index(sign) - 1, 0)) for sign in text))
    value = int(text)
    return value if value > 99 else 2000 + value if value < 50 else 1900 + value


def _writer(match: re.Match[str], start: int, turned: bool) -> Callable[[date], str]:
    """A function that writes another date with the same separators, widths, names of months and digits."""
    text, groups = match.string[start : match.end()], match.groupdict()
    places = sorted(
        (match.start(name) - start, match.end(name) - start, name)
        for name in ("year", "month", "day", "name", "one", "two", "nth")
        if groups.get(name) is not None
    )

    padded = groups.get("sep") is not None or groups.get("gap") in {"-", ""}

    def write(new: date) -> str:
        values = {
            "year": new.year,
            "month": new.month,
            "day": new.day,
            "one": new.day if turned else new.month,
            "two": new.month if turned else new.day,
        }
        made, last = "", 0
        for begin, end, name in places:
            old = text[begin:end]
            made += text[last:begin] + (
                _month(old, new) if name == "name" else _nth(new.day) if name == "nth" else _like(old, values[name], padded)
            )
            last = end
        return made + text[last:]

    return write


def _month(old: str, new: date) -> str:
    whole = MONTHS[new.month - 1]
    made = whole if old.lower() in MONTHS and old.lower() != "may" else whole[:3]
    return made.upper() if old.isupper() else made.capitalize() if old[0].isupper() else made


def _nth(day: int) -> str:
    return "th" if 10 < day % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def _like(old: str, value: int, padded: bool) -> str:
    """A number as the old one was written: two digits, four, a leading zero, or Chinese numerals."""
    if not old.isascii():
        digits = "〇一二三四五六七八九"
        if len(old) == 4:
            return "".join(digits[int(digit)] for digit in str(value))
        tens, ones = divmod(value, 10)
        return ("" if tens == 0 else "十" if tens == 1 else digits[tens] + "十") + (digits[ones] if ones else "")
    if len(old) == 2 and value > 99:
        return f"{value % 100:02d}"
    return f"{value:02d}" if old.startswith("0") or (padded and len(old) == 2) else str(value)


def moved(found: Found, days: int, year: int) -> str:
    """The date moved by some days, in the same form; `year` stands for one that has none."""
    return found.write(found.on(year) + timedelta(days=days))


def order_after(found: Found, days: int, year: int) -> tuple[int, int]:
    """The place of a date without a year within a year, once it is moved."""
    new = found.on(year) + timedelta(days=days)
    return (new.month, new.day)


def order(found: Found) -> tuple[int, int]:
    """The place of a date without a year within a year."""
    return (found.month or 7, found.day or 15)
