"""Freeze a draft: evaluate the held part once, refuse examples that repeat a report, and sign pack and validation together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import Problem, RefusedError
from harness.extractors.llm import pack as packs
from harness.extractors.llm.pack import Pack
from harness.signature import digest as digest_of
from harness.types import Cohort, Json
from validation.extractors import candidates, measure, results
from validation.extractors.reference import Reference
from validation.extractors.results import Validation
from validation.workbench.drafts import Guide, PackDraft, structured
from validation.workbench.rounds import Look, Round, RoundLog
from validation.workbench.trying import Maker, comparable, model_of

FEWEST = 3
"""Words of a sentence that counts as repeated; shorter ones are everybody's."""
RUN = 6
"""Words in a row that count as repeated wherever they are in a sentence."""
_END = re.compile(r"[.!?;|\n。！？；]+")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Frozen:
    """A pack that was frozen."""

    pack: Pack
    path: Path
    validation: Validation
    looks: int
    """How often the held part was looked at."""
    seal: str
    """Digest over the pack's and the validation's."""


def run(
    draft: PackDraft, held: Reference, reports: Callable[[], Mapping[str, str]], texts: Iterable[str], log: RoundLog, make: Maker, now: str
) -> Frozen:
    """Freeze a draft.

    Args:
        draft: What is frozen; its newest round must be of its present words.
        held: The part *held* of the standard.
        reports: Gives by item the text of the held part; called after the look is noted.
        texts: Every text of the cohort, against which examples are checked.
        log: Keeps the look.
        make: Makes the extractor.
        now: When.

    Raises:
        RefusedError: It was not tried as it is, was frozen before, or an example repeats a report.
    """
    extractor, last = make(draft.pack()), log.last()
    if draft.name in packs.names():
        raise RefusedError(Problem(f"the pack {draft.name} is frozen", f"`ranscore pack draft NEW --from {draft.name}` goes on from it"))
    if last is None or last.pack != extractor.protocol.pack.digest:
        raise RefusedError(Problem(f"{draft.name} was not tried as it is now", f"Run `ranscore pack try {draft.name} --standard NAME`"))
    comparable(last, held, extractor, draft.name)
    if problems := list(repeats(draft, texts)):
        raise RefusedError(problems)
    looks = log.look(Look(extractor.protocol.pack.digest, held.digest, now))
    own = candidates.run(extractor, draft.name, held, reports())[0]
    validation, decisions = measure.validate(held, [own, candidates.floor(held)], now)
    results.save(validation, decisions)
    seal = digest_of([extractor.protocol.pack.digest, validation.digest])
    card = _card(draft, validation, looks, last, model_of(extractor)) | {"seal": seal}
    frozen = replace(extractor.protocol.pack, card=card)
    return Frozen(frozen, packs.save(frozen), validation, looks, seal)


def _card(draft: PackDraft, validation: Validation, looks: int, last: Round, model: str) -> Json:
    part = validation.extractors[0].parts[0]
    average = part.average("10") or part.average("21")
    score = f", macro F1 {average.macro['f1']} over {len(average.findings)} findings" if average else ""
    followed = {"suggested": dict(last.origins)} if last.origins else {}
    return {
        "validated": f"On {validation.standard.items} held reports of the standard {validation.standard.name}, asked of {model}{score}.",
        "from": f"{draft.base} {draft.base_digest[:12]}",
        "standard": validation.standard.digest,
        "validation": validation.digest,
        "model": model,
        "rounds": last.number,
        "looks": f"held part looked at {looks} time{'s' if looks != 1 else ''}",
        "held": {item.finding: [item.tp, item.fp, item.fn, item.tn] for item in part.findings},
        **followed,
    }


def every_text(cohort: Cohort) -> Iterator[str]:
    """Every section of every report of a cohort, of all parts."""
    for text in cohort.texts.values():
        yield from filter(None, (text.findings, text.impression, text.indication, text.history, text.technique, text.comparison))


def words_of(text: str) -> list[str]:
    """The words of a text in lower case: what is left when case, marks and spaces do not matter. Chinese characters are words."""
    spaced = re.sub(r"([\u3400-\u9fff])", r" \1 ", text.casefold())
    return _WORD.findall(spaced)


def repeats(draft: PackDraft, texts: Iterable[str]) -> Iterator[Problem]:
    """Sentences of a draft that are in a report too: such an example would carry text of a cohort out of it, inside a pack.

    What the pack that it is from says already is not looked at.

    Args:
        draft: What is checked.
        texts: Texts of the cohort.
    """
    origin = {question.finding: structured(question) for question in draft.origin().questions}
    written = [(guide.finding, words) for guide in draft.guides for words in _new(guide, origin[guide.finding])]
    sentences = {tuple(words) for _, words in written if len(words) >= FEWEST}
    runs = {run for _, words in written for run in _runs(words)}
    if not sentences:
        return
    seen_sentences: set[tuple[str, ...]] = set()
    seen_runs: set[tuple[str, ...]] = set()
    for text in texts:
        for sentence in _END.split(text):
            words = words_of(sentence)
            if (own := tuple(words)) in sentences:
                seen_sentences.add(own)
            seen_runs |= runs.intersection(_runs(words))
    for finding, words in written:
        if tuple(words) in seen_sentences or seen_runs.intersection(_runs(words)):
            what = f"{finding}: a sentence of {len(words)} words repeats a report of the cohort"
            remedy = "Say it in words of your own: a pack leaves this machine, text of a cohort does not"
            yield Problem(what, remedy, f"{draft.name}.toml")


def _new(guide: Guide, before: Guide) -> Iterator[list[str]]:
    """The sentences that the pack before does not have, as words."""
    known = {tuple(words_of(part)) for field in before.sentences() for part in _END.split(field)}
    for field in guide.sentences():
        for sentence in _END.split(field):
            words = words_of(sentence)
            if words and tuple(words) not in known:
                yield words


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1))
