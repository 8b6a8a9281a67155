"""A word as written to the lexicon's spelling: a known variant, or a long word that is a single slip away and is no other word."""

from __future__ import annotations

from collections.abc import Iterator

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
        return "☐" if word.strip("()[] \t") in ("", "-", "–", "−") else "☑"
    if word in lexicon.words:
        return lexicon.words[word]
    if word[-2:] in ("'s", "’s"):
        return respell(word[:-2], lexicon)
    if not SHORTEST <= len(word) <= LONGEST or word in lexicon.known or word in lexicon.real or not lexicon.near:
        return word
    near = sorted(_slips(word, lexicon)) or (sorted(_slips(word[:-1], lexicon)) if word.endswith("s") else [])
    return near[0] if near else word


def _slips(word: str, lexicon: Lexicon) -> set[str]:
    """The long words that a letter more, less, other or exchanged with its neighbour makes of a word; the first letter is kept."""
    found = {other for short in (word, *shorter(word)) for other in lexicon.near.get(short, ())}
    return {other for other in found if other[0] == word[0] and _is_slip(word, other)}


def shorter(word: str) -> Iterator[str]:
    """A word without one of its letters, the first one aside."""
    return (word[:place] + word[place + 1 :] for place in range(1, len(word)))


def _is_slip(one: str, other: str) -> bool:
    """Whether two words that share a shorter form are a single slip apart."""
    first = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    if len(one) != len(other):
        longer, less = (one, other) if len(one) > len(other) else (other, one)
        return longer[first + 1 :] == less[first:]
    if one[first + 1 :] == other[first + 1 :]:
        return True
    return one[first : first + 2] == other[first : first + 2][::-1] and one[first + 2 :] == other[first + 2 :]
