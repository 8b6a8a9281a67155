"""Names: which characters one may hold, and its skeleton, which is equal for names that a reader can take for one another.

The skeleton follows Unicode Technical Standard 39 (confusable characters, from the package `confusable-homoglyphs`) and folds more: case,
accents, signs and blanks, the letters i and l, and digits that are written for letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby

_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\uffff\U00016fe4\U0001d159\U000e0000-\U000e0fff]"
)
"""Characters that show nothing and are not in the category Cf: default-ignorable ones, fillers, and the empty Braille cell."""
MARKS = 2
"""Combining marks that may follow one another: a Vietnamese letter has two, a letter that covers the next line has more."""
_EAST_ASIAN = frozenset(("HAN", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"))
_ANY_SCRIPT = frozenset(("COMMON", "INHERITED", "Unknown"))
_GREEK = "βγδθλμπφψωΓΔΘΛΞΠΣΦΨΩ"
_DIGITS = str.maketrans("0123457" + "89@$", "olzeast" + "bgas")
_WORD = re.compile(r"[\w@$]+")


def problems(text: str) -> Iterator[str]:
    """What makes a text unfit for a name, in words: characters that nobody sees, piles of marks, look-alikes from another script."""
    if _IGNORABLE.search(text) or any(unicodedata.category(char) in ("Cf", "Cc", "Co", "Cs", "Cn", "Zl", "Zp") for char in text):
        yield "a character that shows nothing"
    runs = groupby(unicodedata.normalize("NFD", text), _is_mark)
    if any(marks and len(list(run)) > MARKS for marks, run in runs):
        yield f"more than {MARKS} combining marks in a row"
    words = groupby(text, lambda char: char.isalnum() or _is_mark(char))
    if any(inside and not _one_script("".join(word)) for inside, word in words):
        yield "a word of letters from several scripts"


def _one_script(word: str) -> bool:
    """Whether all letters of a word are of one script, or mixed as honest names mix them: CXR报告, μNet."""
    from confusable_homoglyphs.categories import alias

    # One Greek letter before or after a Latin word, if it resembles no Latin letter.
    word = re.sub(f"^[{_GREEK}]|[{_GREEK}]$", "", unicodedata.normalize("NFKC", word), count=1)
    scripts = {alias(char) for char in word} - _ANY_SCRIPT
    return len(scripts) <= 1 or scripts <= _EAST_ASIAN | {"LATIN"}


def skeleton(name: str, *, every_digit: bool = False) -> str:
    """The form of a name in which it is compared: equal where two names look or read alike.

    Args:
        every_digit: Whether digits count as the letters that they resemble in words without a letter, too: "3" is not "e" in
            "Model 3", but it may be in "c 3 i l i n g".
    """
    text = unicodedata.normalize("NFKC", _prototyped(name))
    text = re.sub(r"!(?=\w)", "i", text)
    text = _WORD.sub(lambda match: match[0].translate(_DIGITS) if every_digit or any(map(str.isalpha, match[0])) else match[0], text)
    text = _prototyped(_prototyped(text).casefold()).casefold()
    text = re.sub(r"(?<=[\x00-\x7f])[\u0300-\u036f]+", "", text)
    text = text.replace("vv", "w").replace("i", "l").replace("cl", "d")
    # A plus sign distinguishes systems: R2Gen+ is not R2Gen.
    return "".join(char for char in text if char.isalnum() or char == "+" or _is_mark(char))


def _prototyped(text: str) -> str:
    """Every character replaced by its prototype, in the decomposed form."""
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFD", "".join(_prototypes().get(char, char) for char in decomposed))


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


@cache
def _prototypes() -> Mapping[str, str]:
    """By character the one (or the sequence) that stands for all that resemble it.

    The package lists pairs in both directions: the prototype of a group is the member that has all others as neighbours. In a
    group of two it is the longer one, so that "m" becomes "rn", else the first in the order of Unicode.
    """
    from confusable_homoglyphs.confusables import confusables_data

    # The package's own data has invisible direction marks around letters that are written from right to left.
    plain = {name.strip("\u200e"): [item["c"].strip("\u200e") for item in others] for name, others in confusables_data.items()}

    def rank(name: str) -> tuple[int, int, str]:
        return (-len(plain[name]), -len(name), name)

    found = {}
    for name, others in plain.items():
        if len(name) == len(others) == 1 and others[0] in plain:
            prototype = unicodedata.normalize("NFKC", min(name, others[0], key=rank))
            # A letter in a circle resembles a sign, but is read as the letter.
            if any(map(str.isalnum, prototype)) or not unicodedata.normalize("NFKC", name).isalnum():
                found[name] = prototype
    return found
