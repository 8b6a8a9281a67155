"""Pairs from the reports of a cohort on this machine, by rules on their sentences. The texts stay in memory; only figures are kept."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from harness.types import Cohort
from validation.bench.drafts import BenchWords, ReportEdit, Sentence, bench_words, words
from validation.bench.edits import Maker, by_rule
from validation.bench.kinds import KINDS, SAME, EditGroup
from validation.bench.pairs import BenchPair

LOCAL = "local"
RULES = ("wording", "spelling", "abbreviation", "units", "side", "severity", "position", "change", "prior", "measurement")
_END = {"en": re.compile(r"(?<=[.])\s+"), "zh": re.compile(r"(?<=。)\s*")}
_DENIED = {"en": re.compile(r"^(?:There is )?[Nn]o (?=[a-z])"), "zh": re.compile(r"^未见")}
_NORMAL = {
    "en": re.compile(r"\b(?:no|not|normal|clear|unremarkable|without|intact|free|negative)\b", re.I),
    "zh": re.compile("未见|无|正常|清晰"),
}
_FEWEST = 4
"""Sentences of a report that is edited."""


def pairs(cohort: Cohort, count: int, seed: int = 0) -> tuple[BenchPair, ...]:
    """Edit the scored reports of a cohort, in an order that the seed decides.

    Labels by construction are not known: whether a sentence states a finding is decided by whether it denies or calls normal.
    """
    language = cohort.manifest.language if cohort.manifest.language in _END else "en"
    found: list[BenchPair] = []
    names = [study.id for study in cohort.scored]
    random.Random(seed).shuffle(names)  # noqa: S311 - nothing here is a secret
    for number, name in enumerate(names):
        if len(found) >= count:
            break
        found.extend(_of_report(f"{number:06d}", cohort.reference(name), language, seed))
    return tuple(found[:count])


def _of_report(name: str, report: str, language: str, seed: int) -> Iterator[BenchPair]:
    """The pairs of one report; none where it has too few sentences."""
    known = bench_words(language)
    texts = [text for text in _END[language].split(" ".join(report.split())) if words(text)]
    if len(texts) < _FEWEST:
        return
    # A finding without a name: the rules ask only whether a sentence states something.
    stated = frozenset({"something"})
    draft = ReportEdit(tuple(Sentence(text, frozenset() if _NORMAL[language].search(text) else stated) for text in texts))
    reference = _text(draft, known)
    yield BenchPair(f"{name}/same", name, SAME.name, reference, reference, language, LOCAL, False)
    for kind in KINDS:
        maker = Maker(known, {}, random.Random(f"{seed}/{name}/{kind.name}"))  # noqa: S311
        candidate = _edited(kind.name, draft, maker, language)
        if candidate and candidate != reference:
            significant = kind.group in (EditGroup.SIGNIFICANT, EditGroup.ATTRIBUTE)
            yield BenchPair(f"{name}/{kind.name}", name, kind.name, reference, candidate, language, LOCAL, significant)


def _text(draft: ReportEdit, known: BenchWords) -> str:
    return known.space.join(item.text for item in draft.sentences)


def _edited(kind: str, draft: ReportEdit, maker: Maker, language: str) -> str | None:
    known, listed = maker.known, list(draft.sentences)
    if kind in RULES:
        changed = by_rule(kind, draft, maker)
        return _text(changed, known) if changed else None
    if kind == "capitals":
        return _text(draft, known).upper()
    if kind == "bullets":
        return "\n".join(f"- {item.text}" for item in listed)
    if kind == "comparison":
        return f"{known.comparison}\n{_text(draft, known)}"
    if kind == "order":
        maker.rng.shuffle(listed)
        return _text(ReportEdit(tuple(listed)), known)
    denied = [index for index, item in enumerate(listed) if _DENIED[language].search(item.text)]
    places = {
        "omitted": [index for index, item in enumerate(listed) if item.asserts],
        "pertinent negative": denied,
        "unnegated": [index for index in denied if " or " not in listed[index].text and "及" not in listed[index].text],
    }.get(kind, [])
    if not places:
        return None
    index = maker.rng.choice(places)
    if kind != "unnegated":
        return _text(draft.put(index), known)
    text = _DENIED[language].sub("可见" if language == "zh" else "", listed[index].text)
    return _text(draft.put(index, Sentence(text[:1].upper() + text[1:])), known)
