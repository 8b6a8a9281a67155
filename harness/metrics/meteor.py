"""METEOR, both metrics of that name: version 1.5 as the Java program scores it, and the older formula that NLTK implements.

They differ in parameters, in matchers and in what a content word is worth: on equal pairs 0.31 and 0.53. So they have different names here.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

from harness.errors import Problem, UnavailableError
from harness.metrics.meteor_jar import ask_jar
from harness.metrics.text.on_words import OnWords, mean_of
from harness.metrics.text.porter import stem
from harness.metrics.text.tokens import read_recipe, words_of
from harness.types import Array, Input

JAR_DEFAULT = "jar|ptb"
NLTK_DEFAULT = "stem|lower"
WAYS: Mapping[str, Mapping[str, str]] = {
    "meteor-1.5": {"jar": "the program meteor-1.5.jar with -l en -norm, as pycocoevalcap calls it"},
    "meteor-nltk": {
        "stem": "words match as they are or by Porter stem; needs no data",
        "wordnet": "also by a WordNet synonym, as NLTK with its data and Hugging Face evaluate; needs nltk's wordnet",
    },
}

_STAGES = ("exact", "stem", "synonym", "paraphrase")
_KINDS = ("candidate-content", "reference-content", "candidate-function", "reference-function")
STATISTICS = (
    *("candidate-length", "reference-length", "candidate-function-words", "reference-function-words"),
    *(f"{stage}-{kind}" for stage in _STAGES for kind in _KINDS),
    *("chunks", "candidate-matches", "reference-matches"),
)
"""What the jar answers to SCORE, in its order."""

_ALPHA, _BETA, _GAMMA, _DELTA = 0.85, 0.2, 0.6, 0.75
_STAGE_WEIGHTS = np.array([1.0, 0.6, 0.8, 0.6])
"""The parameters that the jar prints for English."""


@dataclass(frozen=True, slots=True)
class Meteor15(OnWords):
    """METEOR 1.5: the jar aligns the words, the formula over its counts is done here, so that totals can be resampled."""

    jar: Path = field(kw_only=True)
    java: str = field(kw_only=True)
    name: str = "meteor-1.5"
    columns: tuple[str, ...] = STATISTICS
    headline: str = "meteor-1.5"

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """The jar's 23 counts per study; the one chunk of a pair that matches as a whole counts 0, as where the jar adds them up.

        Raises:
            UnavailableError: The Java program failed.
        """
        truth = words_of(self.preparation, tuple(item.text for item in references), True)
        said = words_of(self.preparation, tuple(item.text for item in candidates), False)
        lines = [f"SCORE ||| {_line(first)} ||| {_line(second)}" for first, second in zip(truth, said, strict=True)]
        answers = ask_jar(self.java, self.jar, lines) if lines else []
        counts = np.array([[float(value) for value in line.split()] for line in answers]).reshape(-1, len(STATISTICS))
        stages = _stages(counts)
        whole = (stages[..., :2] + stages[..., 2:]).sum(axis=1) == counts[:, :2]
        counts[whole.all(axis=1) & (counts[:, 20] == 1), 20] = 0
        return counts

    def score(self, total: Array) -> Mapping[str, Array]:
        """METEOR over the summed counts, as the jar's last line for EVAL."""
        return {self.headline: _meteor_15(np.asarray(total, dtype=np.float64))}


def _line(words: Iterable[str]) -> str:
    return " ".join(words).replace("|||", "")


def _meteor_15(total: Array) -> Array:
    weights = np.array([_DELTA, _DELTA, 1 - _DELTA, 1 - _DELTA])
    matched = np.einsum("...sk,s,k->...k", _stages(total), _STAGE_WEIGHTS, weights)
    length = _DELTA * (total[..., :2] - total[..., 2:4]) + (1 - _DELTA) * total[..., 2:4]
    both = matched[..., :2] + matched[..., 2:]
    rates = np.divide(both, length, out=np.zeros_like(both), where=length > 0)
    precision, recall = rates[..., 0], rates[..., 1]
    bottom = (1 - _ALPHA) * recall + _ALPHA * precision
    mean = np.divide(precision * recall, bottom, out=np.zeros_like(bottom), where=bottom > 0)
    matches = total[..., 21:23].mean(axis=-1)
    chunks = np.divide(total[..., 20], matches, out=np.zeros_like(matches), where=matches > 0)
    score: Array = mean * (1 - _GAMMA * chunks**_BETA)
    return score


def _stages(total: Array) -> Array:
    """Matches by stage and kind, shape (..., 4, 4)."""
    return total[..., 4:20].reshape(*total.shape[:-1], len(_STAGES), len(_KINDS))


def find_jar() -> Path | None:
    """`meteor-1.5.jar`: the one that RANSCORE_METEOR_JAR names, else pycocoevalcap's; None where there is none."""
    named = os.environ.get("RANSCORE_METEOR_JAR")
    if named:
        return Path(named) if Path(named).is_file() else None
    found = find_spec("pycocoevalcap")
    folders = found.submodule_search_locations if found and found.submodule_search_locations else []
    return next((jar for folder in folders if (jar := Path(folder) / "meteor" / "meteor-1.5.jar").is_file()), None)


def meteor_15(recipe: str) -> Meteor15:
    """METEOR 1.5 by a recipe; `jar|ptb` where none is named.

    Raises:
        UnavailableError: Java or the jar is not here; both are said at once.
    """
    way, preparation = read_recipe("meteor-1.5", recipe, WAYS["meteor-1.5"], JAR_DEFAULT)
    jar, java = find_jar(), shutil.which("java")
    problems = []
    if jar is None:
        remedy = "Install pycocoevalcap, which brings it, or name the file in RANSCORE_METEOR_JAR"
        problems.append(Problem("meteor-1.5 needs meteor-1.5.jar, which is not here", remedy))
    if java is None:
        problems.append(Problem("meteor-1.5 needs Java, which is not here", "Install a Java runtime, or use meteor-nltk"))
    if jar is None or java is None:
        raise UnavailableError(problems)
    return Meteor15(way, preparation, jar=jar.resolve(), java=java)


@dataclass(frozen=True, slots=True)
class MeteorNltk(OnWords):
    """METEOR as NLTK computes it: Lavie and Agarwal 2007 with alpha 0.9, beta 3, gamma 0.5; the mean over reports."""

    name: str = "meteor-nltk"
    columns: tuple[str, ...] = ("sum", "studies")
    headline: str = "meteor-nltk"

    def rows(self, references: Sequence[Input], candidates: Sequence[Input]) -> Array:
        """(METEOR of the study, 1)."""
        truth = words_of(self.preparation, tuple(item.text for item in references), True)
        said = words_of(self.preparation, tuple(item.text for item in candidates), False)
        known = synonyms() if self.way == "wordnet" else None
        values = np.array([meteor_of(*pair, known) for pair in zip(truth, said, strict=True)], dtype=np.float64)
        return np.stack([values, np.ones_like(values)], axis=1)

    def score(self, total: Array) -> Mapping[str, Array]:
        """The mean over the studies."""
        return {self.headline: mean_of(total)}


Synonyms = Callable[[str], frozenset[str]]
Match = tuple[int, int]


def meteor_of(reference: Sequence[str], candidate: Sequence[str], known: Synonyms | None = None) -> float:
    """METEOR of one pair in lower case; 0 where nothing matches."""
    matches = align([word.lower() for word in reference], [word.lower() for word in candidate], known)
    if not matches:
        return 0.0
    precision, recall = len(matches) / len(candidate), len(matches) / len(reference)
    mean = precision * recall / (0.9 * precision + 0.1 * recall)
    chunks = 1 + sum(after != (before[0] + 1, before[1] + 1) for before, after in pairwise(matches))
    return float((1 - 0.5 * (chunks / len(matches)) ** 3) * mean)


def align(reference: Sequence[str], candidate: Sequence[str], known: Synonyms | None = None) -> list[Match]:
    """Match words that are equal; of what is left those of equal stem; of what is left then those whose stems are synonyms.

    That synonyms are looked up for stems, so that few are found, is NLTK's way.
    """
    first, second = dict(enumerate(reference)), dict(enumerate(candidate))
    matches = _matched(first, second, lambda word: (word,))
    first, second = ({place: stem(word) for place, word in side.items()} for side in (first, second))
    matches += _matched(first, second, lambda word: (word,))
    if known is not None:
        matches += _matched(first, second, known)
    return sorted(matches)


def _matched(reference: dict[int, str], candidate: dict[int, str], forms: Callable[[str], Iterable[str]]) -> list[Match]:
    """Match and take out: each candidate word, last first, gets the last free reference word that one of its forms equals."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, word in reference.items():
        places[word].append(place)
    matches = []
    for place in list(candidate)[::-1]:
        options = [(places[word][-1], word) for word in forms(candidate[place]) if places.get(word)]
        if options:
            _, word = max(options)
            other = places[word].pop()
            matches.append((place, other))
            del candidate[place], reference[other]
    return matches


def _wordnet_is_likely() -> bool:
    """Whether nltk is installed and WordNet is in a folder where it looks. To ask nltk itself is an import of seconds."""
    prefixes = [Path(sys.prefix), *(Path(sys.prefix, name) for name in ("share", "lib"))]
    system = [Path(place, name) for place in ("/usr", "/usr/local") for name in ("share", "lib")]
    folders = [folder / "nltk_data" for folder in (Path.home(), *prefixes, *system)]
    folders += [Path(name).expanduser() for name in os.environ.get("NLTK_DATA", "").split(os.pathsep) if name]
    there = os.name == "nt" or any(list(folder.glob("corpora/wordnet*")) for folder in folders)
    return there and find_spec("nltk") is not None


@lru_cache(maxsize=1)
def synonyms() -> Synonyms:
    """A word's WordNet synonyms of one word each, itself among them.

    Raises:
        UnavailableError: nltk or its WordNet data is not here.
    """
    try:
        if not _wordnet_is_likely():
            raise LookupError
        from nltk.corpus import wordnet

        wordnet.ensure_loaded()
    except (ImportError, LookupError) as error:
        what = f"meteor-nltk:wordnet needs nltk with its WordNet data, which is not here ({type(error).__name__})"
        raise UnavailableError(Problem(what, "Install both (`python -m nltk.downloader wordnet`), or use meteor-nltk:stem|lower")) from None

    @lru_cache(maxsize=1 << 14)
    def known(word: str) -> frozenset[str]:
        names = (lemma.name() for synset in wordnet.synsets(word) for lemma in synset.lemmas())
        return frozenset({word, *(name for name in names if "_" not in name)})

    return known


def meteor_nltk(recipe: str) -> MeteorNltk:
    """NLTK's METEOR by a recipe; `stem|lower` where none is named.

    Raises:
        UnavailableError: The recipe wants WordNet and it is not here.
    """
    way, preparation = read_recipe("meteor-nltk", recipe, WAYS["meteor-nltk"], NLTK_DEFAULT)
    if way == "wordnet":
        synonyms()
    return MeteorNltk(way, preparation)
