"""The embedded extractor: 21 decisions from a lexicon and rules; no model, no network, no randomness."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from harness.extractors.lexical import characters, language
from harness.extractors.lexical.binding import places, subject
from harness.extractors.lexical.lexicon import Lexicon, load, merged
from harness.extractors.lexical.scope import PhraseState, states
from harness.extractors.lexical.talk import is_talk
from harness.extractors.lexical.tokens import Mark, lower, marks, sentences
from harness.findings import NO_FINDING, RAN_21, UNSURE
from harness.formats import sections
from harness.signature import digest
from harness.types import Labels, ReportStatus, Span, Status

VERSION = 2
"""Raised with every change of these rules that can change a decision."""

LEXICONS = {"en": "english", "zh": "chinese"}
"""By language the lexicon that reads it."""

AT = {finding: index for index, finding in enumerate(RAN_21)}
NOTHING = AT[NO_FINDING]
COUNTS_UNLESS_EXCLUDED = frozenset({AT["Pneumonia"], AT["Lung Lesion"]})
"""What the paper counts where it merely cannot be excluded."""
COUNTS_AS_POSSIBLE = COUNTS_UNLESS_EXCLUDED | {AT["Pleural Effusion"]}
"""What the paper counts where it is merely possible; the definitions of the others ask for more than "may" or "possible"."""
IMPLIES = {AT["Cardiomegaly"]: (AT["Enlarged Cardiomediastinum"],)}
NOT_EXPLAINED = {
    PhraseState.IMPROVED: frozenset(RAN_21) - {"Pulmonary Vascular Abnormal"},
    PhraseState.ARTEFACT: frozenset(RAN_21) - {"Cardiomegaly", "Lung Opacity"},
    PhraseState.SCARRING: frozenset(RAN_21) - {"Lung Opacity"},
    PhraseState.MIMIC: frozenset(RAN_21)
    - {"Lung Opacity", "Lung Lesion", "Pneumothorax", "Calcification", "Pleural Other", "Cavity and Cyst"},
}
"""By explanation the findings that it does not explain away. Congestion that has improved is not asserted, as the authors' prompt has it."""
RULES = {
    PhraseState.PRESENT: "asserted",
    PhraseState.POSSIBLE: "possible",
    PhraseState.UNDECIDED: "cannot be excluded",
    PhraseState.IMPROVED: "asserted, and improved",
    PhraseState.SCARRING: "explained as a scar",
    PhraseState.ARTEFACT: "explained by technique or low volumes",
    PhraseState.MIMIC: "explained as a nipple, a fold or the like",
    PhraseState.PRIOR: "of an earlier film",
    PhraseState.HISTORY: "history",
    PhraseState.CONDITION: "a question or a condition",
    PhraseState.GONE: "resolved or removed",
    PhraseState.NEGATED: "negated",
}
"""By state what decides, in words."""
NOT_NAMED, IMPLIED, OTHERS, NONE = "not named", "implied by {}", "another finding is present", "none of the other 20 is present"
OPEN = frozenset({PhraseState.POSSIBLE, PhraseState.UNDECIDED, PhraseState.CONDITION})
"""States that say neither yes nor no."""
HEDGES = frozenset(RULES[state] for state in OPEN)
"""Those states in words."""
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
    state: PhraseState
    present: bool
    spans: tuple[Span, ...]
    """The words that decided it, in characters of the sentence."""


class Said(NamedTuple):
    """What a sentence says."""

    mentions: tuple[Mention, ...] = ()
    speaks: bool = False
    """Whether it says something about a chest."""
    abnormal: bool = False
    """Whether it asserts something abnormal that is none of the 21."""


@cache
def _mixed() -> Lexicon:
    """Both languages, merged once a process: it takes a tenth of a second."""
    return merged(load(LEXICONS["zh"]), load(LEXICONS["en"]))


class Lexical:
    """The embedded extractor.

    It is not the authors' extractor: its records say so, and are ranked among themselves. It can be pickled; a copy in another process
    begins with an empty memory.
    """

    name = "lexical"
    vocabulary = "ran-21"
    official = False
    """Whether the labels are those that the paper's scores were made with."""
    explains = True
    """Whether its labels hold, for each decision, the rule and the words."""

    def __init__(self) -> None:
        lexicons = {code: load(name) for code, name in LEXICONS.items()}
        self._english, self._mixed = SentenceReader(lexicons["en"]), SentenceReader(_mixed())
        self.digest = digest({"engine": VERSION, "lexicons": {code: lexicon.digest for code, lexicon in lexicons.items()}})
        """SHA-256 over the engine's version and the lexicons."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Lexical, ())

    def extract(self, texts: Sequence[str]) -> list[Labels]:
        """Label texts, in order."""
        return [self.label(text) for text in texts]

    def label(self, text: str) -> Labels:
        """Label one text.

        Returns:
            With evidence: for each finding the rule that decided it and the words, as offsets into `text`. A finding that is absent
            because nobody names it has no words. The flag `unsure` marks a *No Finding* that a reader might not grant.
        """
        text, origins = characters.plain(text)
        small = lower(text)
        status = language.status(small)
        if status is not ReportStatus.OK:
            return Labels((None,) * len(RAN_21), OK, status, NO_SPANS)
        found = list(self._read(text, small))
        if not any(said.speaks for _, said in found):
            return Labels((None,) * len(RAN_21), OK, ReportStatus.EMPTY, NO_SPANS)
        return decide(found, origins)

    def _read(self, text: str, small: str) -> Iterator[tuple[int, Said]]:
        """Where a sentence begins, and what it says. A sentence with a Chinese character is read with both lexicons."""
        plain = small.isascii()
        for begin, end in sections.read(text):
            for start, stop in sentences(text, begin, end):
                sentence = small[start:stop]
                reader = self._english if plain or not language.HAN.search(sentence) else self._mixed
                yield start, reader.sentence(sentence)


class SentenceReader:
    """Reads sentences with one lexicon, and remembers them: half of all sentences of a cohort are repeats."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._spelling: dict[str, str] = {}
        self._known: dict[str, Said] = {}

    def sentence(self, small: str) -> Said:
        """What a sentence in lower case says."""
        said = self._known.get(small)
        if said is None:
            if len(self._spelling) >= REMEMBERED:
                self._spelling.clear()
            said = self._say(small)
            if len(small) <= LONGEST:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[small] = said
        return said

    def _say(self, small: str) -> Said:
        found = marks(small, self.lexicon, self._spelling)
        if not found or is_talk(small):
            return Said()
        read = [mention for first in range(0, len(found), WIDEST) for mention in mentions(found[first : first + WIDEST])]
        named = tuple(mention for mention in read if mention.finding >= 0)
        alone = len(found) == 1 and found[0].concept.kind == "normal" and found[0].span[1] - found[0].span[0] == len(small.strip())
        return Said(named, alone or speaks(found), any(mention.finding < 0 and mention.present for mention in read))


NAMES = frozenset({"observation", "scar"})
"""Kinds of phrases that name something in a film; a scar is none of the 21."""
STATEMENTS = frozenset({"observation", "verdict", "scar", "technique", "mimic", "skip", "gone", "colon"})
"""Kinds of phrases that alone make a statement about a chest."""
SAID_OF_PLACES = frozenset(
    {
        "normal",
        "degree",
        "likely",
        "improved",
        "change",
        "negation either",
        "seen",
        "observation",
        "gone",
        "negation after",
        "artefact",
        "mimic",
    }
)
"""Kinds that say something of a place."""


def speaks(found: Sequence[Mark]) -> bool:
    """Whether the phrases of a sentence say something about a chest: a finding, a place and how it is, or that nothing is wrong."""
    kinds = {mark.concept.kind for mark in found}
    anchors = {mark.concept.kind for mark in found if mark.concept.anchor}
    if not anchors.isdisjoint(STATEMENTS):
        return True
    return "place" in anchors and not kinds.isdisjoint(SAID_OF_PLACES)


def mentions(found: Sequence[Mark]) -> Iterator[Mention]:
    """The findings that a sentence names, in the order of its words; what is none of the 21 and abnormal is named as -1."""
    if not any(mark.concept.kind in NAMES for mark in found):
        return
    said, causes = states(found)
    for index, mark in enumerate(found):
        if mark.concept.kind == "scar":
            yield Mention(-1, said[index], _counts(-1, said[index], mark), (mark.span,))
        if mark.concept.kind != "observation":
            continue
        bound, given = findings_of(found, index)
        spans = [mark.span, *(found[place].span for place in bound)]
        if causes[index] >= 0:
            spans.append(found[causes[index]].span)
        for finding in given:
            yield Mention(finding, said[index], _counts(finding, said[index], mark), tuple(sorted(spans)))


def _counts(finding: int, state: PhraseState, mark: Mark) -> bool:
    """Whether a finding in that state is asserted."""
    if state is PhraseState.PRIOR:
        return mark.concept.lasting
    if state is PhraseState.UNDECIDED:
        return finding in COUNTS_UNLESS_EXCLUDED
    if state is PhraseState.POSSIBLE:
        return finding in COUNTS_AS_POSSIBLE
    if state in NOT_EXPLAINED:
        return finding >= 0 and RAN_21[finding] in NOT_EXPLAINED[state]
    return state is PhraseState.PRESENT


def findings_of(marks: Sequence[Mark], index: int) -> tuple[list[int], tuple[int, ...]]:
    """The places an observation is bound to, and the findings it gives there."""
    concept = marks[index].concept
    if concept.never and subject(marks, index) in concept.never:
        return [], ()
    if not concept.placed:
        return [], concept.gives
    bound, outside = places(marks, index)
    if bound:
        return bound, tuple(dict.fromkeys(finding for place in bound for finding in concept.at[marks[place].concept.name]))
    return [], () if outside else concept.gives


def decide(found: Iterable[tuple[int, Said]], origins: Sequence[int] | None = None) -> Labels:
    """One mention that asserts a finding makes it present, whatever else the report says of it.

    Args:
        found: Where each sentence begins and what it says.
        origins: By character of the text that is read, its offset in the text as written; None where both texts are the same.
    """
    values: list[int | None] = [0] * len(RAN_21)
    rules = [NOT_NAMED] * len(RAN_21)
    spans: list[list[Span]] = [[] for _ in RAN_21]
    unsure = False
    for start, said in found:
        unsure = unsure or said.abnormal
        for finding, state, present, words in said.mentions:
            unsure = unsure or state in OPEN
            if present > (values[finding] or 0):
                values[finding] = 1
                spans[finding].clear()
            elif present != bool(values[finding]):
                continue
            if not spans[finding]:
                rules[finding] = RULES[state]
            if len(spans[finding]) < MOST_SPANS:
                spans[finding] += [(start + first, start + last) for first, last in words]
    _imply(values, rules, spans)
    evidence = tuple(characters.spans_in(tuple(dict.fromkeys(words)), origins) if words else () for words in spans)
    return Labels(tuple(values), OK, ReportStatus.OK, evidence, (UNSURE,) if unsure and values[NOTHING] else (), tuple(rules))


def _imply(values: list[int | None], rules: list[str], spans: list[list[Span]]) -> None:
    """Fill in what follows from the other findings."""
    for finding, implied in IMPLIES.items():
        for other in implied:
            if values[finding] and not values[other]:
                values[other], spans[other], rules[other] = 1, list(spans[finding]), IMPLIED.format(RAN_21[finding])
    present = [finding for finding, value in enumerate(values) if value and finding != NOTHING]
    values[NOTHING], rules[NOTHING] = (0, OTHERS) if present else (1, NONE)
    spans[NOTHING] = [spans[finding][0] for finding in present if spans[finding]]
