"""The embedded extractor: 21 decisions from a lexicon and rules; no model, no network, no randomness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from harness import sections
from harness.extractors.lexical import language
from harness.extractors.lexical.binding import places
from harness.extractors.lexical.lexicon import Lexicon, load
from harness.extractors.lexical.scope import State, states
from harness.extractors.lexical.tokens import Mark, lower, marks, respell, sentences
from harness.findings import NO_FINDING, RAN_21
from harness.signature import digest
from harness.types import Labels, ReportStatus, Span, Status

VERSION = 1
"""Raised with every change of these rules that can change a decision."""

LEXICONS = {"en": "english", "zh": "chinese"}
"""By language the lexicon that reads it."""

AT = {finding: index for index, finding in enumerate(RAN_21)}
NOTHING = AT[NO_FINDING]
COUNTS_UNLESS_EXCLUDED = frozenset({AT["Pneumonia"], AT["Lung Lesion"]})
"""What the paper counts where it merely cannot be excluded."""
COUNTS_AS_POSSIBLE = COUNTS_UNLESS_EXCLUDED | {AT["Pleural Effusion"]}
"""What the paper counts where it is merely possible; the definitions of the others ask for more than "may" or "possible"."""
IMPLIES = {
    AT["Cardiomegaly"]: (AT["Enlarged Cardiomediastinum"],),
    AT["Consolidation"]: (AT["Lung Opacity"],),
}
EXPLAINED_AWAY = frozenset({AT["Cardiomegaly"]})
"""Findings that technique or low volumes explain away."""
MOST_SPANS = 6
"""Evidence kept for one finding of one report."""
REMEMBERED = 50_000
"""Sentences, and words as written, that are remembered; then the memory starts empty."""
WIDEST = 150
"""Phrases that are read together; more of them without a full stop are no sentence, and would take quadratic time."""
LONGEST = 600
"""Characters of a sentence that is worth remembering."""

OK = (Status.OK,) * len(RAN_21)
NO_SPANS: tuple[tuple[Span, ...], ...] = ((),) * len(RAN_21)


class Mention(NamedTuple):
    """One finding named in a sentence."""

    finding: int
    present: bool
    spans: tuple[Span, ...]
    """The words that decided it, in characters of the sentence."""


class Lexical:
    """The embedded extractor.

    It is not the authors' extractor: its records say so, and are ranked among themselves. It can be pickled; a copy in another process
    begins with an empty memory.
    """

    name = "lexical"
    vocabulary = "ran-21"
    official = False
    """Whether the labels are those that the paper's scores were made with."""

    def __init__(self) -> None:
        self._readers = {code: Reader(load(name)) for code, name in LEXICONS.items()}
        self.digest = digest({"engine": VERSION, "lexicons": {code: reader.lexicon.digest for code, reader in self._readers.items()}})
        """SHA-256 over the engine's version and the lexicons."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Lexical, ())

    def extract(self, texts: Sequence[str]) -> list[Labels]:
        """Label texts, in order."""
        return [self.label(text) for text in texts]

    def label(self, text: str) -> Labels:
        """Label one text.

        Returns:
            With evidence: for each finding the words that decided it, as offsets into `text`. A finding that is absent because
            nobody names it has none.
        """
        small = lower(text)
        code, status = language.status(small, self._readers["en"].knows, self._readers["zh"].knows)
        if status is not ReportStatus.OK:
            return Labels((None,) * len(RAN_21), OK, status, NO_SPANS)
        return decide(self._readers[code].mentions(text, small))


class Reader:
    """Reads one language, and remembers the sentences it has read: half of all sentences of a cohort are repeats."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._spelling: dict[str, str] = {}
        self._read: dict[str, tuple[Mention, ...]] = {}
        self._any = re.compile("|".join(map(re.escape, sorted(lexicon.vocabulary)))) if lexicon.language == "zh" else None

    def knows(self, small: str) -> bool:
        """Whether a text in lower case has a word of the clinical vocabulary."""
        vocabulary = self.lexicon.vocabulary
        if self._any:
            return self._any.search(small) is not None
        words = language.WORDS.findall(small)
        if not vocabulary.isdisjoint(words) or any(respell(word, self.lexicon) in vocabulary for word in words):
            return True
        return any(mark.concept.gives for mark in marks(small, self.lexicon, {}))

    def mentions(self, text: str, small: str) -> Iterator[tuple[int, tuple[Mention, ...]]]:
        """Where a sentence begins, and what it names."""
        for begin, end in sections.read(text):
            for start, stop in sentences(text, begin, end):
                yield start, self.sentence(small[start:stop])

    def sentence(self, small: str) -> tuple[Mention, ...]:
        """What a sentence in lower case names."""
        known = self._read.get(small)
        if known is None:
            if len(self._spelling) >= REMEMBERED:
                self._spelling.clear()
            found = marks(small, self.lexicon, self._spelling)
            known = tuple(mention for first in range(0, len(found), WIDEST) for mention in mentions(found[first : first + WIDEST]))
            if len(small) <= LONGEST:
                if len(self._read) >= REMEMBERED:
                    self._read.clear()
                self._read[small] = known
        return known


def mentions(found: Sequence[Mark]) -> Iterator[Mention]:
    """The findings that a sentence names, in the order of its words."""
    if not any(mark.concept.kind == "observation" for mark in found):
        return
    said, causes = states(found)
    for index, mark in enumerate(found):
        if mark.concept.kind != "observation":
            continue
        bound, given = findings_of(found, index)
        spans = [mark.span, *(found[place].span for place in bound)]
        if causes[index] >= 0:
            spans.append(found[causes[index]].span)
        for finding in given:
            yield Mention(finding, _counts(finding, said[index], mark), tuple(sorted(spans)))


def _counts(finding: int, state: State, mark: Mark) -> bool:
    """Whether a finding in that state is asserted."""
    if state is State.PRIOR:
        return mark.concept.lasting
    if state is State.UNDECIDED:
        return finding in COUNTS_UNLESS_EXCLUDED
    if state is State.POSSIBLE:
        return finding in COUNTS_AS_POSSIBLE
    if state is State.ARTEFACT:
        return finding not in EXPLAINED_AWAY
    return state is State.PRESENT


def findings_of(marks: Sequence[Mark], index: int) -> tuple[list[int], tuple[int, ...]]:
    """The places an observation is bound to, and the findings it gives there."""
    concept = marks[index].concept
    if not concept.placed:
        return [], concept.gives
    bound, outside = places(marks, index)
    if bound:
        return bound, tuple(dict.fromkeys(finding for place in bound for finding in concept.at[marks[place].concept.name]))
    return [], () if outside else concept.gives


def decide(sentences: Iterable[tuple[int, tuple[Mention, ...]]]) -> Labels:
    """One mention that asserts a finding makes it present, whatever else the report says of it."""
    values: list[int | None] = [0] * len(RAN_21)
    spans: list[list[Span]] = [[] for _ in RAN_21]
    for start, found in sentences:
        for mention in found:
            if mention.present > (values[mention.finding] or 0):
                values[mention.finding] = 1
                spans[mention.finding].clear()
            if mention.present == bool(values[mention.finding]) and len(spans[mention.finding]) < MOST_SPANS:
                spans[mention.finding].extend((start + first, start + last) for first, last in mention.spans)
    for finding, implied in IMPLIES.items():
        for other in implied:
            if values[finding] and not values[other]:
                values[other], spans[other] = 1, list(spans[finding])
    present = [finding for finding, value in enumerate(values) if value and finding != NOTHING]
    values[NOTHING] = int(not present)
    spans[NOTHING] = [spans[finding][0] for finding in present if spans[finding]]
    return Labels(tuple(values), OK, ReportStatus.OK, tuple(tuple(dict.fromkeys(found)) for found in spans))
