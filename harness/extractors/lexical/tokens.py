"""Text to sentences, sentences to words, words to the lexicon's phrases. Every pattern here takes linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from harness.extractors.lexical.lexicon import Concept, Lexicon
from harness.types import Span

LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?|\d+(?:\.\d+)?|[,:/?()]|(?<=\s)-+(?=\s)|[^\x00-⺀\W]|[，：、（）／]")
"""A word, a number, a sign that can end a scope, or one Chinese character."""

END = re.compile(
    r"[.!?](?=\s|[A-Z]|$)"  # a full stop, also one that lacks its space
    r"|[。；！？;]"
    r"|\n[^\S\n]*(?=\n)"  # an empty line
    r"|\n(?=[^\S\n]*(?:[A-Z•*–—-]|\d+[.)]|[⺀-鿿]))"  # a line that begins anew
)
JOINED = re.compile(
    r"(?:\b(?:the|a|an|of|or|and|no|with|without|in|to|is|are|at|for|by|from|on|not|has|left|right)|,)[^\S\n]*$", re.IGNORECASE
)
"""The end of a line that goes on in the next one, whatever letter that begins with."""
TAIL = 24
"""Characters of a line's end that `JOINED` looks at."""


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
    """Where the sentences of a part of a text lie; wrapped lines are put together."""
    begin = start
    for match in END.finditer(text, start, end):
        if match.group()[0] == "\n" and JOINED.search(text, max(begin, match.start() - TAIL), match.start()):
            continue
        if match.start() > begin:
            yield begin, match.start()
        begin = match.end()
    if begin < end:
        yield begin, end


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
        while ahead < count and (node := node.get(words[ahead])) is not None:
            ahead += 1
            if node.concept is not None:
                concept, last = node.concept, ahead
        if concept is not None:
            found.append(Mark(concept, place, last, (spans[place][0], spans[last - 1][1])))
            place = last
        else:
            place += 1
    return found


def respell(word: str, lexicon: Lexicon) -> str:
    """The lexicon's spelling of a word: a known variant, a plural, or the one long word that is a single slip away."""
    if word[0].isdigit():
        return "#"
    if word in lexicon.words:
        return lexicon.words[word]
    if not 6 <= len(word) <= 30 or word in lexicon.known or word in lexicon.vocabulary or not lexicon.long:
        return word
    near = sorted(_slips(word) & lexicon.long)
    if not near and word.endswith("s"):
        near = sorted(_slips(word[:-1]) & lexicon.long)
    return near[0] if near else word


def _slips(word: str) -> set[str]:
    """All words that a letter more, less, other or exchanged with its neighbour makes; the first letter is kept."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:place], word[place:]) for place in range(1, len(word) + 1)]
    slips = {head + tail[1:] for head, tail in cuts if tail}
    slips |= {head + letter + tail for head, tail in cuts for letter in letters}
    slips |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in letters}
    slips |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    return slips
