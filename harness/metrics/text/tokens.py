"""From report text to the words that are counted: the part of a recipe that moves BLEU-4 by four points.

A preparation is a list of steps: cleaners of text, then one way of splitting, then steps on words. `ptb`, `lower|13a` and
`r2gen-iu|cut-60` are preparations; where no way of splitting is named, it is white space. Text without any visible character has no words
under every preparation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from harness.errors import UsageError
from harness.metrics.text.porter import stem
from harness.metrics.text.ptb import ptb

Words = list[str]


def r2gen_iu(text: str) -> str:
    """R2Gen's cleaner for Indiana University reports: sentences in lower case without punctuation, a full stop between them."""
    return _sentences(_unnumbered(_fewer_dots(text, 3)))


def r2gen_mimic(text: str) -> str:
    """R2Gen's cleaner for MIMIC-CXR: as the other, with line ends and runs of blanks made one blank first."""
    text = text.replace("\n", " ")
    for _ in range(6):
        text = text.replace("  ", " ")
    return _sentences(_unnumbered(_fewer_dots(text, 7)))


def _fewer_dots(text: str, times: int) -> str:
    """Halve runs of full stops as often as the published cleaner does: longer runs survive it."""
    for _ in range(times):
        text = text.replace("..", ".")
    return text


def _unnumbered(text: str) -> str:
    """Take out the numbers of a list. As published, `1. ` is removed everywhere, the end of `T11. ` too."""
    text = text.replace("1. ", "")
    for before in (". ", " "):
        for number in "2345":
            text = text.replace(f"{before}{number}. ", ". ")
    return text


# The published class means to name `:`, `-` and `[`, but writes the range from `:` to `[`: hyphens stay, and `<=>@` go.
_DELETED = str.maketrans("", "", "\"/\\'")
_R2GEN_PUNCTUATION = re.compile(r"[.,?;*!%^&_+():<=>@\[\]{}A-Z]")


def _sentences(text: str) -> str:
    sentences = text.strip().lower().split(". ")
    return " . ".join(_R2GEN_PUNCTUATION.sub("", sentence.translate(_DELETED).strip().lower()) for sentence in sentences) + " ."


def libra(text: str) -> str:
    """The regular expressions of Libra and relatives: hyphens and underscores to blanks, no sign but `.,:;()`."""
    text = re.sub(r"[_-]+", " ", re.sub(r"\n+", " ", text))
    return re.sub(r"\s{2,}", " ", re.sub(r"[^\w\s.,:;()]", "", text)).strip()


def rexrank(text: str) -> Words:
    """Lower case, a blank before every full stop, split at blanks only (a line end stays inside a word)."""
    return [word for word in text.lower().replace(".", " .").split(" ") if word]


_SYMBOLS = re.compile(r"([!-&(-+/:-@\[-`{-~])")
_AFTER_NO_DIGIT = re.compile(r"([^0-9])([.,])")
_BEFORE_NO_DIGIT = re.compile(r"([.,])([^0-9])")
_DASH = re.compile(r"([0-9])(-)")
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))


def mteval_13a(text: str) -> Words:
    """NIST's mteval-v13a, sacrebleu's default: symbols apart, full stops and commas apart unless between digits."""
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, sign in _ENTITIES:
        text = text.replace(entity, sign)
    return _western(f" {text} ")


def _western(text: str) -> Words:
    text = _AFTER_NO_DIGIT.sub(r"\1 \2 ", _SYMBOLS.sub(r" \1 ", text))
    return _DASH.sub(r"\1 \2 ", _BEFORE_NO_DIGIT.sub(r" \1 \2", text)).split()


# sacrebleu's ranges. Two of them are written there with five hex digits after \u, which Python reads as four and a digit: so all of
# U+2001..U+2A6D is split into single characters, and the rarer characters beyond U+FFFF do not. Kept, for equal numbers.
_CHINESE = re.compile(
    "([\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u33ff\u3400-\u4db5\u4e00-\u9fbb"
    "\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef])"
)


def zh(text: str) -> Words:
    """The `zh` of sacrebleu: every Chinese character a word of its own, the rest as `13a`."""
    return _western(_CHINESE.sub(r" \1 ", text.strip()))


def characters(text: str) -> Words:
    """Every visible character a word."""
    return list("".join(text.split()))


_WORD = re.compile("[a-z0-9]+")


def latin_words(text: str) -> Words:
    """rouge-score's words: runs of a-z and 0-9 in lower case; every other letter, Chinese too, is nothing."""
    return _WORD.findall(text.lower())


def stems(words: Words) -> Words:
    """Porter stems of the words of more than three letters, as rouge-score takes them."""
    return [stem(word) if len(word) > 3 else word for word in words]


CLEANERS: Mapping[str, Callable[[str], str]] = {"lower": str.lower, "r2gen-iu": r2gen_iu, "r2gen-mimic": r2gen_mimic, "libra": libra}
SPLITTERS: Mapping[str, Callable[[str], Words]] = {
    "raw": str.split,
    "ptb": ptb,
    "13a": mteval_13a,
    "rexrank": rexrank,
    "words": latin_words,
    "zh": zh,
    "char": characters,
}
WORD_STEPS: Mapping[str, Callable[[Words], Words]] = {"stem": stems}
CUTS: Mapping[str, int] = {"cut-60": 59, "cut-100": 99}
"""References are cut to so many words: R2Gen's maximal length less the start symbol, which takes a place."""

STEPS: Mapping[str, str] = {
    "raw": "split at white space, nothing else; stands alone",
    "lower": "lower case",
    "ptb": "Penn Treebank words in lower case without punctuation, as pycocoevalcap's PTBTokenizer",
    "13a": "mteval-v13a, as sacrebleu and Hugging Face evaluate",
    "r2gen-iu": "R2Gen's cleaner for Indiana University reports; hyphens stay, full stops are words",
    "r2gen-mimic": "R2Gen's cleaner for MIMIC-CXR: the same, and line ends are blanks",
    "cut-60": "references end after 59 words, as R2Gen's at max_seq_length 60; candidates are not cut",
    "cut-100": "references end after 99 words, as R2Gen's at max_seq_length 100; candidates are not cut",
    "rexrank": "lower case, a blank before full stops, split at blanks",
    "libra": "Libra's regular expressions: hyphens to blanks, most signs dropped",
    "words": "rouge-score's words: a-z and 0-9 in lower case; Chinese text has none",
    "stem": "Porter stems of words longer than three letters",
    "zh": "sacrebleu's zh: each Chinese character a word, the rest as 13a",
    "char": "each visible character a word",
}
"""Every step and what it does, for people."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How text becomes words."""

    steps: tuple[str, ...]

    def __str__(self) -> str:
        return "|".join(self.steps)

    def words(self, text: str, reference: bool = False) -> tuple[str, ...]:
        """The words of one text.

        Args:
            text: A report; empty and blank ones have no words.
            reference: Whether it is the reference side, which `cut-` steps shorten.
        """
        if not text.strip():
            return ()
        splitter: Callable[[str], Words] = str.split
        for step in self.steps:
            text = CLEANERS[step](text) if step in CLEANERS else text
            splitter = SPLITTERS.get(step, splitter)
        words = splitter(text)
        for step in self.steps:
            words = WORD_STEPS[step](words) if step in WORD_STEPS else words
            words = words[: CUTS[step]] if reference and step in CUTS else words
        return tuple(words)


def preparation(name: str) -> Preparation:
    """Read a preparation.

    Raises:
        UsageError: A step does not exist, or the steps are not in the order cleaner, splitting, words.
    """
    steps = tuple(name.split("|"))
    unknown = [step for step in steps if step not in STEPS]
    if unknown:
        raise UsageError(f"there is no preparation step {unknown[0]!r}; there are {', '.join(STEPS)}")
    kinds = [_kind(step) for step in steps]
    if kinds != sorted(kinds) or kinds.count(1) > 1 or len(set(steps)) < len(steps) or ("raw" in steps and len(steps) > 1):
        raise UsageError(f"the steps of {name!r} do not go together: first cleaners, then at most one splitting, then stem or a cut")
    return Preparation(steps)


def _kind(step: str) -> int:
    return 0 if step in CLEANERS else 1 if step in SPLITTERS else 2


def read_recipe(metric: str, recipe: str, ways: Mapping[str, str], default: str) -> tuple[str, Preparation]:
    """Split a recipe such as `coco|ptb` into the way of counting and the preparation.

    Args:
        metric: The metric's name, for the error.
        recipe: `way|step|...`; empty for the default.
        ways: The metric's ways of counting.
        default: The recipe that an empty one stands for.

    Raises:
        UsageError: There is no such way of counting or step.
    """
    way, _, steps = (recipe or default).partition("|")
    if way not in ways or not steps:
        raise UsageError(f"{metric} has no recipe {recipe!r}: write WAY|STEPS, such as {default}; the ways are {', '.join(ways)}")
    return way, preparation(steps)


@lru_cache(maxsize=8)
def words_of(prepared: Preparation, texts: tuple[str, ...], reference: bool) -> tuple[tuple[str, ...], ...]:
    """The words of many texts. Kept for the next metric with the same preparation; equal texts are prepared once."""
    known = {text: prepared.words(text, reference) for text in dict.fromkeys(texts)}
    return tuple(known[text] for text in texts)
