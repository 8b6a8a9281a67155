"""English names of people: after a title or a role, before a degree, or known by a given name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from harness.formats.privacy.gazetteer import words
from harness.formats.privacy.span import Span

_WORD = re.compile(r"[^\W\d_][^\W\d_'’-]{0,30}(?:['’-][^\W\d_]{1,30}){0,3}")
TITLES = frozenset(
    [
        "dr",
        "drs",
        "doctor",
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "prof",
        "professor",
        "sir",
        "madam",
        "nurse",
        "sister",
        "father",
        "fr",
        "rev",
        "reverend",
        "pastor",
        "rabbi",
        "judge",
        "captain",
        "sgt",
    ]
)
DEGREES = frozenset(
    [
        "md",
        "do",
        "rn",
        "np",
        "phd",
        "mbbs",
        "frcr",
        "frcs",
        "frcp",
        "pa-c",
        "pac",
        "crna",
        "dds",
        "facr",
        "mbchb",
        "mph",
        "arnp",
        "aprn",
        "lpn",
        "rt",
    ]
)
PARTICLES = frozenset(
    [
        "de",
        "del",
        "della",
        "der",
        "den",
        "di",
        "da",
        "dos",
        "du",
        "el",
        "al",
        "bin",
        "ibn",
        "la",
        "le",
        "los",
        "mac",
        "st",
        "ten",
        "ter",
        "van",
        "vander",
        "von",
        "zu",
    ]
)
# Words after which a capitalised word is somebody. Longest first.
_ROLES = (
    r"(?:discussed|reviewed|shared|confirmed|verified|read)(?: together| over the phone)? (?:with|by)|communicated (?:to|with)|spoke with|spoken with|"
    r"(?:reported|relayed|conveyed|called|phoned|telephoned|paged|texted|messaged|faxed|emailed|sent|given|handed|passed|shown|escalated) to|"
    r"referring(?: physician| provider| doctor)?|requesting(?: physician| provider| doctor)?|ordering(?: physician| provider| doctor)?|re|"
    r"notified|informed|contacted|paged|telephoned|emailed|advised|"
    r"(?:electronically |digitally )?signed(?: off)?(?: by)?|dictated(?: by)?|transcribed(?: by)?|interpreted by|approved by|finalized by|"
    r"performed by|ordered by|requested by|referred by|seen by|attending(?: radiologist| physician)?|radiologist|resident|fellow|physician|clinician|"
    r"technologist|technician|reader|author|provider|surgeon|consultant|registrar|pcp|"
    r"(?:patient(?:'s)? |first |last |full |maiden |family )?name(?: is| was)?|patient(?! id)|pt|daughter|son|wife|husband|mother|father|brother|sister|spouse|caregiver|next of kin|guardian|"
    r"cc|attn|from|per|by|with|to|and"
)
_WEAK = frozenset(
    [
        "from",
        "per",
        "by",
        "with",
        "to",
        "and",
        "patient",
        "pt",
        "physician",
        "clinician",
        "resident",
        "radiologist",
        "fellow",
        "attending",
        "provider",
        "reader",
        "author",
        "surgeon",
        "re",
        "referring",
        "requesting",
        "ordering",
    ]
)
_TRIGGER = re.compile(rf"(?<![A-Za-z])(?P<role>{_ROLES})(?P<colon> {{0,2}}[:;,-])?(?: {{1,2}}|(?<=[:;-])|\n(?=[A-Z]))", re.IGNORECASE)

# "Overread: Roe." A word after a label, alone before the next stop.
_AFTER_LABEL = re.compile(
    r"(?:^|[.;,\n] ?)[A-Z][A-Za-z-]{1,20}(?: [a-z]{2,12}){0,2}: ?(?P<own>[A-Z][^\W\d_][^\W\d_'’-]{1,30})(?=[.,;\n]|$)"
)
_AND = re.compile(r"(?:, and|,| and| &| or|/) ?(?:(?i:drs?|prof|mrs?|ms)\.? )?")


def find(text: str) -> list[Span]:
    """Spans of names, without title and degree."""
    tokens = list(_WORD.finditer(text))
    starts = {token.start(): index for index, token in enumerate(tokens)}
    sure = [*_after_titles(text, tokens), *_before_degrees(text, tokens)]
    guessed = [*_by_given_name(text, tokens), *_by_two_capitals(text, tokens), *_after_small_titles(tokens)]
    guessed += [Span("name", *match.span("own")) for match in _AFTER_LABEL.finditer(text) if _unknown(match["own"])]
    # Where everything is in capitals they say nothing, and only a role that is always followed by a name counts.
    shouting = sum(sign.isupper() for sign in text) > 0.7 * sum(sign.isalpha() for sign in text)
    for match in _TRIGGER.finditer(text):
        index = starts.get(match.end())
        weak = match["role"].lower() in _WEAK and (match["colon"] or ",").strip() == ","
        if index is not None and not (weak and shouting) and (span := _name(text, tokens, index, listed=not weak, least=2 if weak else 1)):
            sure.append(span)
    return [*sure, *guessed, *(span for first in sure for span in _with_others(text, tokens, starts, first))]


def _with_others(text: str, tokens: Sequence[re.Match[str]], starts: Mapping[int, int], first: Span) -> Iterator[Span]:
    """The names that follow another one: "Drs. Roe, Poe and Doe"."""
    span: Span | None = first
    for _ in range(5):
        gap = _AND.match(text, span.end) if span else None
        index = starts.get(gap.end()) if gap else None
        span = _name(text, tokens, index) if index is not None else None
        if span is None:
            return
        yield span


def _after_titles(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[Span]:
    for index, token in enumerate(tokens[:-1]):
        titled = token[0].lower() in TITLES and token[0][0].isupper()
        if (
            titled
            and re.fullmatch(r"\.? {1,2}|\.", text[token.end() : tokens[index + 1].start()])
            and (span := _name(text, tokens, index + 1))
        ):
            yield span


def _after_small_titles(tokens: Sequence[re.Match[str]]) -> Iterator[Span]:
    """Names after a title in a report without capitals: `dr roe`."""
    for index, token in enumerate(tokens[:-1]):
        if token[0] in {"dr", "drs", "mrs", "prof"} and tokens[index + 1].start() - token.end() <= 2:
            last = index + 1
            while tokens[last][0] in PARTICLES and last + 1 < len(tokens) and tokens[last + 1].start() - tokens[last].end() == 1:
                last += 1
            if _small(tokens[last][0]):
                yield Span("name", tokens[index + 1].start(), tokens[last].end())
                if token[0] == "drs" and last + 2 < len(tokens) and tokens[last + 1][0] == "and" and _small(tokens[last + 2][0]):
                    yield Span("name", *tokens[last + 2].span())


def _small(word: str) -> bool:
    return len(word) > 1 and word not in words("common") | TITLES


def _by_two_capitals(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[Span]:
    """Two words with capitals, neither of them one of reports: somebody, or a place."""
    for index, token in enumerate(tokens):
        if _unknown(token[0]) and (span := _name(text, tokens, index, least=2)):
            inside = [word[0] for word in tokens[index : index + 6] if word.end() <= span.end]
            if sum(map(_unknown, inside)) > 1:
                yield span


def _unknown(word: str) -> bool:
    return _capital(word) and not word.isupper() and not {word.lower(), *word.lower().split("-")} & words("eponyms")


def _before_degrees(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[Span]:
    """`Jane Roe, MD` and `J. Roe RN`."""
    for index, token in enumerate(tokens):
        dotted = text[token.start() : token.end() + 3].replace(".", "").lower()
        degree = token[0][0].isupper() and (token[0].lower() in DEGREES or dotted[:2] in {"md", "do"})
        if index and degree and _capital(tokens[index - 1][0]) and re.fullmatch(r",? {1,2}", text[tokens[index - 1].end() : token.start()]):
            first = index - 1
            while first and index - first < 4 and _namelike(tokens[first - 1][0]) and _joined(text, tokens[first - 1], tokens[first]):
                first -= 1
            yield Span("name", tokens[first].start(), tokens[index - 1].end())


def _namelike(word: str) -> bool:
    """A name or an initial."""
    return _capital(word) or (len(word) == 1 and word.isupper())


def _by_given_name(text: str, tokens: Sequence[re.Match[str]]) -> Iterator[Span]:
    """A known given name with another capitalised word after it, or before it and a comma."""
    given = words("given")
    for index, token in enumerate(tokens):
        if token[0].lower() in given and _capital(token[0]):
            if (span := _name(text, tokens, index, least=2)) and span.end > token.end():
                yield span
            before = tokens[index - 1] if index else None
            if before and _capital(before[0]) and text[before.end() : token.start()] == ", ":
                yield Span("name", before.start(), token.end())


def _name(text: str, tokens: Sequence[re.Match[str]], index: int, listed: bool = False, least: int = 1) -> Span | None:
    """The name that begins at a token: up to four capitalised words, initials and particles between them.

    Args:
        text: The report.
        tokens: Its words.
        index: Where the name begins.
        listed: Whether a role or a label comes before it: then "Roe, Jane" is one name.
        least: How many words it must have.
    """
    last, count = index - 1, 0
    for at in range(index, min(index + 6, len(tokens))):
        word = tokens[at][0]
        if at > index and not _joined(text, tokens[at - 1], tokens[at], comma=listed and count == 1):
            break
        if (
            word.lower() in PARTICLES
            and word.lower() not in {"st"}
            and at + 1 < len(tokens)
            and (_capital(tokens[at + 1][0]) or tokens[at + 1][0].lower() in PARTICLES)
        ):
            continue
        if not (_namelike(word) or (listed and at == index and word[0].isupper() and word.lower() in words("short"))):
            break
        last, count = at, count + (len(word) > 1)
        if count == 4:
            break
    if count < 1 or count < least or last < index:
        return None
    return Span("name", tokens[index].start(), tokens[last].end())


def _capital(word: str) -> bool:
    """Whether a word could be a name: it begins with a capital and is no word of reports."""
    plain = word.lower()
    if plain.partition("-")[0] in PARTICLES:
        # al-Khatib
        word = word.partition("-")[2]
    if len(word) < 2 or not word[0].isupper():
        return False
    # NG is a tube, Ng is somebody.
    return (plain not in words("common") and plain not in DEGREES) or (plain in words("short") and not word.isupper())


def _joined(text: str, left: re.Match[str], right: re.Match[str], comma: bool = False) -> bool:
    """Whether only a blank, or the full stop of an initial, is between two words of a name."""
    gap = text[left.end() : right.start()]
    if comma and re.fullmatch(r", ?", gap):
        return True
    return gap in (" ", "  ") or (gap in (". ", ".") and len(left[0]) <= 2 and not left[0][1:].isupper())
