"""Text to sentences, sentences to words, words to the lexicon's phrases. Every pattern here takes linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from harness.extractors.lexical.lexicon import Concept, Lexicon
from harness.extractors.lexical.spelling import respell
from harness.types import Span

LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
WORD = re.compile(
    r"\([ \t]*[+–−-][ \t]*\)|\[[ \t]*[x✓✔]?[ \t]*\]"  # a sign or a box that answers
    r"|[a-z]+(?:['’][a-z]+)?|\d+(?:\.\d+)?|[,:/?()=>☐☑☒✓✔✗✘]|(?<=\s)[-+]+(?=\s|$)|[^\x00-⺀\W]|[，：、（）／]"
)
"""A word, a number, a sign that can end a scope, or one Chinese character."""

END = re.compile(
    r"[.!](?=\s|[A-Z]|$)"  # a full stop, also one that lacks its space
    r"|\?(?![^\S\n]*(?i:no|none|nil|not|negative|absent|yes|present|positive)\b)(?=\s|[A-Z]|$)"  # a question that is not answered at once
    r"|[。；！？;\f\v\x85\u2028\u2029]"
    r"|\r?\n[^\S\n]*(?=\r?\n)"  # an empty line
    r"|\r?\n(?=[^\S\n]*(?:[A-Z•*+(\[☐☑☒✓✔–—-]|\d+[.)]|[⺀-鿿]))"  # a line that begins again
    r"|\r?\n(?=[^\S\n]*(?:no|heart|cardi|lung|pleura|mediastin|bone|small|mild|large|there|normal|clear|stable|possible)[a-z]*\b)"
)
STARTS = re.compile(
    r"(?<=[a-z]{2})[^\S\n]+(?=(?:The|There|No|Heart|Lungs?|Cardi[a-z]+|Mediastin[a-z]+|Small|Mild|Moderate|Large|Stable|Unchanged|Right|Left|Bilateral|Pleura[a-z]*"
    r"|Osseous|Bones?|Normal|Clear|Interval|New|Trachea|Aort[a-z]+|Hilar|Pulmonary|Both|Minimal|Increased|Tip|Low|Degenerative)[^\S\n]+[a-z])"
)
"""Where a sentence begins behind one that lacks its full stop."""
JOINED = re.compile(
    r"(?:\b(?:the|a|an|of|or|and|no|with|without|in|to|is|are|at|for|by|from|on|not|has|left|right|than|into|mild|moderate|small|large|any|this|that|via"
    r"|both|new|be|as|which|was|were|have|had|but|bilateral|focal|acute|upper|lower|middle|pleural|possible|stable)|,)[^\S\n]*$",
    re.IGNORECASE,
)
"""The end of a line that goes on in the next one, whatever letter that begins with."""
ANSWER = re.compile(r"[:：?=][^\S\n]*(?:no|not)[^\S\n]*$", re.IGNORECASE)
"""The end of a line that is answered and does not go on."""
TAIL = 24
"""Characters of a line's end that `JOINED` looks at."""
SHORT = 45
"""Characters of a line that is too short to be one that wraps."""


class Mark(NamedTuple):
    """A phrase of the lexicon found in a sentence."""

    concept: Concept
    first: int
    """Position of its first word in the sentence."""
    last: int
    """Position after its last word."""
    span: Span
    """Characters in the sentence."""


def lower(text: str) -> str:
    """Lower case of A to Z alone, so that every character keeps its place."""
    return text.lower() if text.isascii() else text.translate(LOWER)


def sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Where the sentences of a part of a text are; wrapped lines are put together, and a question keeps its mark."""
    begin = start
    for match in END.finditer(text, start, end):
        sign = match.group()[0]
        if sign in "\r\n" and _goes_on(text, begin, match):
            continue
        stop = match.end() if sign in "?？" else match.start()
        if stop > begin:
            yield from _starts(text, begin, stop)
        begin = match.end()
    if begin < end:
        yield from _starts(text, begin, end)


def _starts(text: str, begin: int, end: int) -> Iterator[Span]:
    """A sentence in parts where capitals show that full stops are missing."""
    if not text[begin + 2 : end].islower():
        for match in STARTS.finditer(text, begin, end):
            if not JOINED.search(text, max(begin, match.start() - TAIL), match.start()):
                yield begin, match.start()
                begin = match.end()
    yield begin, end


def _goes_on(text: str, begin: int, match: re.Match[str]) -> bool:
    """Whether a line or a run of words goes on behind the place where a sentence could end."""
    tail = max(begin, match.start() - TAIL)
    if ANSWER.search(text, tail, match.start()):
        return False
    if JOINED.search(text, tail, match.start()):
        return True
    after = text[match.end() : match.end() + 12].lstrip(" \t")[:1]
    return match.group()[0] in "\r\n" and "a" <= after <= "z" and match.start() - text.rfind("\n", 0, match.start()) > SHORT


def marks(sentence: str, lexicon: Lexicon, spelling: dict[str, str]) -> list[Mark]:
    """The phrases in a sentence (lower case), the longest first, none within another.

    Args:
        spelling: Remembers, by word as written, the lexicon's spelling; filled as words come.
    """
    words, spans = [], []
    for match in WORD.finditer(sentence):
        word = match.group()
        known = spelling.get(word)
        if known is None:
            known = spelling[word] = respell(word, lexicon)
        words.append(known)
        spans.append(match.span())
    found: list[Mark] = []
    place, count, trie = 0, len(words), lexicon.trie
    while place < count:
        node = trie.get(words[place])
        if node is None:
            place += 1
            continue
        concept, last, ahead = node.concept, place + 1, place + 1
        while ahead < count:
            deeper = node.get(words[ahead])
            if deeper is None and words[ahead] in lexicon.inside and ahead + 1 < count:
                deeper = node.get(words[ahead + 1])
                ahead += deeper is not None
            if deeper is None:
                break
            node = deeper
            ahead += 1
            if node.concept is not None:
                concept, last = node.concept, ahead
        if concept is not None:
            found.append(Mark(concept, place, last, (spans[place][0], spans[last - 1][1])))
            place = last
        else:
            place += 1
    return found
