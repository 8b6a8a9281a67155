"""Reports as lists of sentences whose findings are known: what the edits change."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from harness.cohorts.synthetic import reports
from harness.cohorts.synthetic.case import Case
from harness.cohorts.synthetic.labels import IMPLIES
from harness.cohorts.synthetic.reports import FINDINGS_20, Language, Phrase
from harness.quiet import Quiet

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:\.\d+)?")
_CARRIER_RATE = 0.75
_FLIPS = 2
"""Sentences of a report that state a finding, and that deny one, in words that can be exchanged one for one."""
Rules = tuple[tuple[re.Pattern[str], str], ...]


def words(text: str) -> list[str]:
    """The words of a text; each Chinese character is a word."""
    return _WORD.findall(text)


def pieces(text: str) -> list[str]:
    """A text cut into words and what is between them; joined, it is the text."""
    found, end = [], 0
    for match in _WORD.finditer(text):
        found += [text[end : match.start()], match.group()]
        end = match.end()
    return [piece for piece in (*found, text[end:]) if piece]


@dataclass(frozen=True, slots=True)
class BenchWords:
    """Everything that the edits of one language need."""

    code: str
    headings: tuple[str, str]
    summary: str
    space: str
    comparison: str
    stop: str
    join: str
    carriers: tuple[Mapping[str, str], ...]
    slots: Mapping[str, Sequence[str]]
    flips: Mapping[str, Sequence[str]]
    """By finding a sentence that states it and one of equal length that denies it."""
    remarks: Mapping[int, Sequence[str]]
    """By number of words two remarks that say nothing about a finding: one that is in reports, and one that can be added."""
    rules: Mapping[str, Rules]

    @property
    def table(self) -> Language:
        """The phrases of the synthetic cohort."""
        return reports.language(self.code)


@cache
def bench_words(code: str) -> BenchWords:
    """Read the table of a language: `en` or `zh`."""
    data = json.loads(resources.files("validation.bench").joinpath(f"words_{code}.json").read_text(encoding="utf-8"))
    edge = r"\b" if code == "en" else ""
    rules = {
        name: tuple((re.compile(pattern if pattern[0] == "^" else f"{edge}{pattern}{edge}"), new) for pattern, new in listed)
        for name, listed in data.pop("rules").items()
    }
    present, added = ({len(words(text)): text for text in data["remarks"][name]} for name in ("present", "added"))
    data["remarks"] = {length: (text, added[length]) for length, text in present.items() if length in added}
    return BenchWords(code=code, rules=rules, **data)


@dataclass(frozen=True, slots=True, repr=False)
class Sentence(Quiet):
    """One sentence of a report."""

    text: str = field(repr=False)
    asserts: frozenset[str] = frozenset()
    denies: frozenset[str] = frozenset()
    edited: bool = False

    @property
    def remark(self) -> bool:
        """Whether it says nothing about a finding."""
        return not self.asserts and not self.denies


@dataclass(frozen=True, slots=True, repr=False)
class ReportEdit(Quiet):
    """A report before it is put together."""

    sentences: tuple[Sentence, ...] = field(repr=False)
    summary: tuple[Sentence, ...] = field(default=(), repr=False)
    """Sentences of the impression, before its fixed sentence."""

    @property
    def present(self) -> frozenset[str]:
        """The findings that it states."""
        return frozenset[str]().union(*(item.asserts for item in (*self.sentences, *self.summary)))

    @property
    def denied(self) -> frozenset[str]:
        """The findings that it denies."""
        return frozenset[str]().union(*(item.denies for item in self.sentences))

    def put(self, index: int, *new: Sentence) -> ReportEdit:
        """The draft with other sentences in place of one."""
        return replace(self, sentences=(*self.sentences[:index], *new, *self.sentences[index + 1 :]))


def text_of(draft: ReportEdit, known: BenchWords) -> str:
    """The report: findings and impression, each under its heading."""
    first, second = known.headings
    findings = known.space.join(item.text for item in draft.sentences)
    return f"{first}{findings}\n{second}{known.space.join([*(item.text for item in draft.summary), known.summary])}"


def closure(finding: str) -> frozenset[str]:
    """A finding with the one that it implies."""
    return frozenset({finding, IMPLIES[finding]}) if finding in IMPLIES else frozenset({finding})


def write(case: Case, code: str, rng: random.Random) -> ReportEdit:
    """Write the reference report of an invented study.

    Args:
        case: Its findings and sides; findings are added, so that the attributes of devices and lesions occur often enough.
        code: `en` or `zh`.
        rng: Decides everything else.
    """
    known = bench_words(code)
    carriers = [item for item in rng.sample(known.carriers, len(known.carriers)) if rng.random() < _CARRIER_RATE]
    carriers = list({item["finding"]: item for item in carriers}.values())
    carried = frozenset[str]().union(*(closure(item["finding"]) for item in carriers))
    flips = rng.sample(sorted(set(known.flips) - carried), _FLIPS)
    stated = carried.union(*(closure(finding) for finding in flips))
    planned = reports.plan(known.table, case.present | stated, None, rng)
    kept = [sentence(known, phrase, case.sides, rng) for phrase in planned.findings if not phrase.asserts & stated]
    own = [Sentence(_fill(known, item["say"], case.sides[item["finding"]], rng), closure(item["finding"])) for item in carriers]
    own += [Sentence(known.flips[finding][0], closure(finding)) for finding in flips]
    draft = ReportEdit((*kept, *own))
    return _with_remark(_with_denials(draft, known, rng), known, rng)


def _with_denials(draft: ReportEdit, known: BenchWords, rng: random.Random) -> ReportEdit:
    """Add denials of findings that nothing else states or denies."""
    free = [name for name in known.flips if not closure(name) & (draft.present | draft.denied)]
    added = [Sentence(known.flips[name][1], denies=frozenset({name})) for name in rng.sample(free, min(_FLIPS, len(free)))]
    listed = list(draft.sentences) + added
    rng.shuffle(listed)
    return ReportEdit(tuple(listed))


def _with_remark(draft: ReportEdit, known: BenchWords, rng: random.Random) -> ReportEdit:
    """Add a remark that is exactly as long as a sentence that states a finding, so that either can be dropped."""
    lengths = [length for _, length in droppable(draft) if length in known.remarks]
    if not lengths:
        return draft
    remark = Sentence(known.remarks[rng.choice(lengths)][0])
    place = rng.randrange(len(draft.sentences) + 1)
    return replace(draft, sentences=(*draft.sentences[:place], remark, *draft.sentences[place:]))


def droppable(draft: ReportEdit) -> Iterator[tuple[int, int]]:
    """The sentences without which a finding is missing: index and number of words."""
    for index, item in enumerate(draft.sentences):
        others = frozenset[str]().union(*(other.asserts for other in draft.sentences if other is not item))
        if item.asserts - others and not item.edited:
            yield index, len(words(item.text))


def sentence(known: BenchWords, phrase: Phrase, sides: Mapping[str, str], rng: random.Random) -> Sentence:
    """One wording of a phrase of the synthetic cohort."""
    about = min(phrase.asserts or {""}, key=lambda name: (name not in IMPLIES, name))
    slots = {name: rng.choice(choices) for name, choices in known.table.slots.items()}
    text = rng.choice(phrase.say).format(side=known.table.sides[sides.get(about, "right")], **slots)
    return Sentence(text[:1].upper() + text[1:], phrase.asserts, phrase.denies)


def _fill(known: BenchWords, say: str, side: str, rng: random.Random) -> str:
    slots = {name: rng.choice(choices) for name, choices in known.slots.items()}
    return say.format(side=known.table.sides[side], **slots)


def possible(draft: ReportEdit, known: BenchWords, sides: Mapping[str, str], rng: random.Random) -> list[Sentence]:
    """Sentences that state one further finding, which nothing in the report denies."""
    free = [name for name in FINDINGS_20 if not closure(name) & (draft.present | draft.denied)]
    phrases = [
        phrase
        for phrase in known.table.phrases
        if phrase.asserts and phrase.asserts <= set(free) and not (phrase.before or phrase.newly or phrase.needs or phrase.denies)
    ]
    return [sentence(known, phrase, sides, rng) for phrase in rng.sample(phrases, len(phrases))]
