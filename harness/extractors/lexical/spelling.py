"""A word as written to the lexicon's spelling: a known variant, or a long word that is a single slip away and is no other word."""

from __future__ import annotations

from harness.extractors.lexical.lexicon import Lexicon

SHORTEST, LONGEST = 6, 30
"""Letters of a word that may be misspelt."""


def respell(word: str, lexicon: Lexicon) -> str:
    """The lexicon's spelling of a word: a known variant, a plural, or the one long word that is a single slip away.

    A word of the language is never taken for another one.
    """
    if word[0].isdigit():
        return "#" if word != "0" else "0"
    if word[0] in "([" and len(word) > 1:
        return "(-)" if word.strip("()[] \t") in ("", "-", "–", "−") else "(+)"
    if word in lexicon.words:
        return lexicon.words[word]
    if word[-2:] in ("'s", "’s"):
        return respell(word[:-2], lexicon)
    if not SHORTEST <= len(word) <= LONGEST or word in lexicon.known or word in lexicon.real or not lexicon.long:
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
