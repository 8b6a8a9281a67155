"""Radiology reports written from labels: whatever a report asserts is exactly what its labels say.

A phrase says which findings it asserts and which it denies (both by the paper's conventions), so a report whose phrases assert all of a
study's findings, and deny or skip all others, is right by construction. Phrases that look like a finding and are none (a device that was
removed, an opacity that has cleared, consolidation that merely cannot be excluded, a heart enlarged by low volumes) are part of the prose.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from harness.cohorts.synthetic.labels import IMPLIES
from harness.findings import NO_FINDING, RAN_21
from harness.types import Json, Text

FINDINGS_20: tuple[str, ...] = tuple(name for name in RAN_21 if name != NO_FINDING)
PLACES = ("devices", "lungs", "pleura", "heart", "mediastinum", "bones")
"""The order of a report."""

_DENIAL_RATE = 0.9
_FILLER_RATE = 0.35
_CLEARED_RATE = 0.7
_TITLED_RATE = 0.15


@dataclass(frozen=True, slots=True)
class Phrase:
    """One thing that reports say, in several wordings."""

    place: str
    """One of `PLACES`; in the impression only the order of the table counts."""
    say: tuple[str, ...]
    """Wordings with slots, such as `{side}`."""
    asserts: frozenset[str] = frozenset()
    """The findings that it states to be present, implied ones included."""
    denies: frozenset[str] = frozenset()
    """The findings that must be absent for it to be true."""
    needs: frozenset[str] = frozenset()
    """The findings that must be present for it to make sense, without asserting them."""
    before: frozenset[str] = frozenset()
    """The findings that the previous study must have; empty where it does not compare."""
    newly: frozenset[str] = frozenset()
    """The findings that the previous study must not have; empty where it does not compare."""

    def fits(self, present: Collection[str], prior: Collection[str] | None) -> bool:
        """Whether it is true of a study with these findings after one with those (None where there is no previous study)."""
        now = self.asserts <= set(present) and self.needs <= set(present) and not self.denies & set(present)
        if not now or not (self.before or self.newly):
            return now
        return prior is not None and self.before <= set(prior) and not self.newly & set(prior)


@dataclass(frozen=True, slots=True)
class Language:
    """All that is said in one language."""

    phrases: tuple[Phrase, ...]
    impression: tuple[Phrase, ...]
    nouns: Mapping[str, tuple[str, ...]]
    """What a list of negations calls each finding."""
    none: tuple[str, ...]
    """Sentences around such a list."""
    comma: str
    last: str
    """Between the last two of a list."""
    space: str
    """Between sentences."""
    slots: Mapping[str, tuple[str, ...]]
    sides: Mapping[str, str]
    """By `right` and `left`."""
    titles: Mapping[str, str]
    """By place, for reports with a title over each."""
    context: Mapping[str, tuple[str, ...]]
    """Wordings of the sections that are not scored."""


@cache
def language(code: str) -> Language:
    """Read a language's table: `en` or `zh`."""
    data = json.loads(resources.files("harness.cohorts.synthetic").joinpath(f"{code}.json").read_text(encoding="utf-8"))
    tables = {key: tuple(_phrase(item) for item in data.pop(key)) for key in ("phrases", "impression")}
    tuples = {key: {name: tuple(items) for name, items in data.pop(key).items()} for key in ("nouns", "slots", "context")}
    return Language(**data | tables | tuples | {"none": tuple(data["none"])})


def _phrase(item: Json) -> Phrase:
    sets = {key: frozenset(item.get(key, ())) for key in ("denies", "needs", "before", "newly")}
    asserts = set(item.get("asserts", ()))
    asserts |= {IMPLIES[name] for name in asserts if name in IMPLIES}
    return Phrase(item.get("place", ""), tuple(item["say"]), frozenset(asserts), **sets)


@dataclass(frozen=True, slots=True)
class ReportDraft:
    """What a report will say, before it is put in words."""

    findings: tuple[Phrase, ...]
    denied: tuple[str, ...]
    """The findings in the list of negations."""
    impression: tuple[Phrase, ...]


def plan(table: Language, present: Collection[str], prior: Collection[str] | None, rng: random.Random) -> ReportDraft:
    """Choose the phrases of a report.

    Args:
        present: The study's findings, without No Finding.
        prior: The findings of the patient's previous study; None where there is none.
    """
    fitting = [phrase for phrase in table.phrases if phrase.fits(present, prior)]
    chosen = _cover(present, [phrase for phrase in fitting if phrase.asserts], rng)
    cleared = [phrase for phrase in fitting if phrase.before and not phrase.asserts and rng.random() < _CLEARED_RATE]
    chosen += cleared[:2]
    for place in ("lungs", *PLACES):
        chosen += _aside(place, fitting, chosen, rng)
    said = frozenset[str]().union(*(phrase.denies for phrase in chosen))
    absent = [name for name in table.nouns if name not in present and name not in said]
    denied = tuple(rng.sample(absent, min(len(absent), rng.choice((0, 2, 3, 3, 4, 5)))))
    rng.shuffle(chosen)
    ordered = tuple(sorted(chosen, key=lambda phrase: PLACES.index(phrase.place)))
    return ReportDraft(ordered, denied, _summary(table, present, prior, rng))


def _cover(present: Collection[str], candidates: Sequence[Phrase], rng: random.Random) -> list[Phrase]:
    """Phrases that together assert every finding, the implying ones first."""
    chosen: list[Phrase] = []
    left = set(present)
    ordered = rng.sample(sorted(present), len(present))
    for name in sorted(ordered, key=lambda name: name not in IMPLIES):
        if name in left:
            phrase = rng.choice([item for item in candidates if name in item.asserts])
            chosen.append(phrase)
            left -= phrase.asserts
    return chosen


def _aside(place: str, fitting: Iterable[Phrase], chosen: Sequence[Phrase], rng: random.Random) -> list[Phrase]:
    """A denial about a place, and now and then a remark that asserts nothing."""
    plain = [phrase for phrase in fitting if phrase.place == place and not phrase.asserts and not phrase.before and phrase not in chosen]
    denials, fillers = [phrase for phrase in plain if phrase.denies], [phrase for phrase in plain if not phrase.denies]
    added = [rng.choice(denials)] if denials and rng.random() < _DENIAL_RATE else []
    return added + ([rng.choice(fillers)] if fillers and rng.random() < _FILLER_RATE else [])


def _summary(table: Language, present: Collection[str], prior: Collection[str] | None, rng: random.Random) -> tuple[Phrase, ...]:
    """One to four phrases of the impression."""
    fitting = [phrase for phrase in table.impression if phrase.fits(present, prior)]
    asserting, quiet = [phrase for phrase in fitting if phrase.asserts], [phrase for phrase in fitting if not phrase.asserts]
    chosen: list[Phrase] = []
    rng.shuffle(asserting)
    for phrase in asserting:
        if len(chosen) < 4 and not any(phrase.asserts & other.asserts for other in chosen):
            chosen.append(phrase)
    return tuple(chosen) if chosen and rng.random() < 0.9 else (rng.choice(quiet),)


def write(code: str, present: Collection[str], prior: Collection[str] | None, sides: Mapping[str, str], rng: random.Random) -> Text:
    """Write a report.

    Args:
        code: `en` or `zh`.
        present: The study's findings, without No Finding.
        prior: The findings of the patient's previous study; None where there is none.
        sides: By finding `right` or `left`.
        rng: Decides the wording.

    Returns:
        All sections; each of findings and findings-with-impression asserts exactly `present`.
    """
    table = language(code)
    draft = plan(table, present, prior, rng)
    lines: list[tuple[str, str]] = [(phrase.place, _words(table, phrase, sides, rng)) for phrase in draft.findings]
    if draft.denied:
        nouns = [rng.choice(table.nouns[name]) for name in draft.denied]
        listed = table.last.join([table.comma.join(nouns[:-1]), nouns[-1]]) if len(nouns) > 1 else nouns[0]
        lines.append(("", rng.choice(table.none).format(list=listed)))
    if not lines:
        lines = [("", rng.choice(table.context["silent"]))]
    findings = _titled(table, lines) if rng.random() < _TITLED_RATE else table.space.join(line for _, line in lines)
    summary = [_words(table, phrase, sides, rng) for phrase in draft.impression]
    if len(summary) > 1 and rng.random() < 0.5:
        summary = [f"{number}. {line}" for number, line in enumerate(summary, 1)]
    context = {name: rng.choice(table.context[name]) for name in ("indication", "technique")}
    context["history"] = rng.choice(table.context["history"])
    context["comparison"] = rng.choice(table.context["no prior" if prior is None else "prior"])
    return Text(findings=findings, impression=table.space.join(summary), **context)


def _words(table: Language, phrase: Phrase, sides: Mapping[str, str], rng: random.Random) -> str:
    """One wording with its slots filled; the first letter in upper case."""
    about = min(phrase.asserts or phrase.before or {""}, key=lambda name: (name not in IMPLIES, name))
    slots = {name: rng.choice(words) for name, words in table.slots.items()}
    text = rng.choice(phrase.say).format(side=table.sides[sides.get(about, "right")], **slots)
    return text[:1].upper() + text[1:]


def _titled(table: Language, lines: Sequence[tuple[str, str]]) -> str:
    """A line for each place, under its title."""
    paragraphs = []
    for place, title in table.titles.items():
        sentences = [line for where, line in lines if where == place]
        if sentences:
            paragraphs.append(title + table.space.join(sentences))
    return "\n".join([*paragraphs, *(line for where, line in lines if not where)])
