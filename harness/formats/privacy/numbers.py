"""Numbers that name somebody: record numbers, accession numbers, telephones, addresses of mail and web, ages above 89."""

from __future__ import annotations

import re

from harness.formats.privacy.span import Span

_LABELS = (
    r"MRN|MR ?#|med(?:ical)?\.? ?rec(?:ord)?|record|accession|acc|patient ?id|pat\.? ?id|pt\.? ?id|account|acct|case|exam|examination|order|chart|"
    r"visit|encounter|hospital|unit|requisition|req|film|image|study|specimen|policy|member|insurance|medicare|medicaid|licen[cs]e|SSN|social security|NHS|"
    r"DOB|beeper|badge|serial|device|room|bed|ward|passport|NRIC|CHI|ref(?:erence)?|ID"
)
_NUMBER_WORD = r"(?:number|num|no|nr|nbr|id|#)"
# A label, perhaps the word "number", a sign, and a word with a digit in it.
_LABELLED = re.compile(
    rf"(?<![A-Za-z])(?:{_LABELS})\.?(?: ?{_NUMBER_WORD}\.?)?(?: (?:is|was))? ?[:#=]? ?#? ?(?P<id>\d{{3}} \d{{3}} \d{{3,4}}|[A-Za-z]{{0,5}}-?\d[\dA-Za-z/-]{{0,20}})",
    re.IGNORECASE,
)
_HAN_LABELLED = re.compile(
    r"(?:病历|住院|检查|门诊|影像|登记|病案|身份证|床位?|医保|条码|放射|申请单?|流水|就诊|体检|社保|护照|档案|患者|病人|联系|卡|CT|MR|DR|X线|片|ID)"
    r"(?:编?号码?|尾号|ID|卡号|证号|编码|电话)? ?(?:为|是)? ?[::#]? ?(?P<id>[A-Za-z]{0,5}-?\d[\dA-Za-z-]{1,20})"
)
_BED = re.compile(r"(?P<id>\d{1,3}) ?(?:号床|床(?!旁|边|上|位))")
_PLAIN: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("contact", re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")),
    ("contact", re.compile(r"(?:https?://|www\.)[\w.-]{1,100}(?:/[\w./?=&%-]{0,200})?")),
    ("number", re.compile(r"(?<![\d.])\d{1,6}(?:\.\d{1,40}){4,20}(?!\d)")),
    ("contact", re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")),
    ("contact", re.compile(r"(?<![\d-])(?:\+?\d{1,3}[ .-]?)?\(\d{2,4}\) ?\d{3,4}[ .-]?\d{3,4}(?!\d)")),
    ("contact", re.compile(r"(?<![\d.-])(?:\+?1[ .-])?\d{3}[.-]\d{3}[.-]\d{4}(?![\d-])")),
    ("contact", re.compile(r"(?<![\d+])\+\d{1,3}(?:[ .-]?\d{2,5}){2,5}(?!\d)")),
    (
        "contact",
        re.compile(
            r"(?<![\d.-])0\d{2,4}[ -]\d{5,8}(?!\d)|(?<![\d.-])0\d{2,4} \d{3,4} \d{3,4}(?!\d)|(?<![\d.])\d{5} \d{6}(?!\d)|(?<!\d)1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)"
        ),
    ),
    (
        "contact",
        re.compile(
            r"(?i:\b(?:pager|beeper|bleep|ext|extension|phone|tel|telephone|fax|cell|mobile|call|dial)\b\.?(?: (?:number|no|at))?\.? ?[:#]? ?)(?P<id>[\dx][\d .x-]{2,18}\d)"
        ),
    ),
    ("contact", re.compile(r"(?:电话|手机|传真|分机|联系方式)(?:号码?)? ?(?:为|是)? ?[::]? ?(?P<id>\d[\d -]{2,18}\d)")),
    ("number", re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")),
    ("number", re.compile(r"(?<![\dA-Za-z])\d{17}[\dXx](?![\dA-Za-z])")),
    ("number", re.compile(r"(?<![\dA-Za-z])[A-Za-z]{1,5}-?\d{4,14}(?![\dA-Za-z])")),
    ("number", re.compile(r"(?<![\dA-Za-z])[A-Z]{1,5}/\d{2,8}/\d{2,10}(?![\dA-Za-z])")),
    ("number", re.compile(r"(?<![\dA-Za-z.])\d{2,6}-\d{2,8}(?:-\d{1,8}){0,2}(?![\dA-Za-z])")),
    ("number", re.compile(r"(?<![\dA-Za-z.])\d{6,16}(?![\dA-Za-z]|\.\d)")),
    ("number", re.compile(r"(?<![\dA-Za-z])\d{1,6}[A-Z]{1,3}\d{3,10}(?![\dA-Za-z])")),
    ("age", re.compile(r"(?<!\d)(?P<id>9\d|1[0-2]\d)(?= ?-?(?:years?|yrs?|yo\b|y/o|y\.o|岁|周岁| ?F\b| ?M\b))", re.IGNORECASE)),
    ("age", re.compile(r"(?i:\baged? ?:? ?)(?P<id>9\d|1[0-2]\d)(?!\d)")),
)
# What looks like a range or a size and is one: "10-12 mm", "T4-5", "3-4 cm".
_SIZE = re.compile(r" ?(?:mm|cm|ml|cc|mg|kg|mmhg|degrees|%|次|毫米|厘米|x\b|×)", re.IGNORECASE)


def find(text: str) -> list[Span]:
    """Spans of numbers that name somebody; sizes, ranges and vertebrae are left alone."""
    found = [
        Span("number", *match.span("id")) for rule in (_LABELLED, _HAN_LABELLED, _BED) for match in rule.finditer(text) if _long(match)
    ]
    for kind, rule in _PLAIN:
        for match in rule.finditer(text):
            place = match.span("id") if "id" in rule.groupindex else match.span()
            if not _SIZE.match(text, place[1]):
                found.append(Span(kind, *place))
    return found


def _long(match: re.Match[str]) -> bool:
    """A label makes even a short number one of somebody, but "study 1", "image 2" and "film 3" count films."""
    word = match["id"]
    digits = sum(sign.isdigit() for sign in word)
    return digits >= 3 or (digits >= 1 and re.match(r"(?i)room|bed|ward|ID|床", match[0]) is not None) or match.re is _BED
