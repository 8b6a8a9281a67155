"""How long does a try take after one edit, the model's time aside? Run by: python -m benchmarks.questions [--texts N] [--profile].

Fills a cache with the answers to 20 questions about N reports, edits the guidance of one finding, and labels again; then the same as
`ranscore pack try` does it, with the comparison and the round. The model answers at once, 64 questions at a time, as a server would.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import os
import pstats
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harness.cohorts.synthetic.cohort import build
from harness.extractors.llm import pack
from harness.extractors.llm import protocol as models
from harness.extractors.llm.extractor import LLM
from harness.extractors.llm.parser import ModelReply
from harness.extractors.llm.source import Ask, Settle
from harness.types import Access, Cohort
from validation.extractors.reference import ReadItem, Reference
from validation.workbench import drafts, rounds, trying

AT_ONCE = 64


@dataclass
class Instant:
    """Says 0 to everything, at once."""

    questions: int = 0

    async def answer(self, protocol: models.Protocol, asks: Iterator[Ask], settle: Settle) -> None:
        """Answer every question."""

        async def work() -> None:
            for ask in asks:
                self.questions += 1
                await settle(ask, ModelReply("0", model="instant"), "instant")

        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work())


def made(chosen: pack.Pack) -> tuple[LLM, Instant]:
    """An extractor that asks the instant model."""
    source = Instant()
    return LLM(models.protocol(chosen, models.find("instant")), source, Access.OPEN), source


def timed(chosen: pack.Pack, texts: list[str]) -> tuple[float, int]:
    """Seconds and questions of labelling the texts."""
    extractor, source = made(chosen)
    started = time.perf_counter()
    extractor.extract(texts)
    return time.perf_counter() - started, source.questions


def standard(cohort: Cohort) -> Reference:
    """All reports of the cohort, with the labels that they were written from."""
    items = tuple(ReadItem(f"{index:04d}", study.id, study.patient) for index, study in enumerate(cohort.scored))
    labels = {item.id: cohort.labels[item.study] for item in items}
    return Reference(name="all", digest="0" * 64, items=items, labels=labels, access=Access.OPEN, part="tune")


def tries(cohort: Cohort, texts: list[str], profile: bool) -> None:
    """Try a draft, edit one finding, try again."""
    part = standard(cohort)
    reports = dict(zip((item.id for item in part.items), texts, strict=True))
    drafts.create("mine", pack.BUILT_IN)
    for name in ("first try", "one finding edited", "nothing changed"):
        if name == "one finding edited":
            draft = drafts.load("mine")
            drafts.save(drafts.change(draft, "Fracture", lambda guide: replace(guide, words=(*guide.words, "crack"))))
        watch = cProfile.Profile()
        started = time.perf_counter()
        if profile:
            watch.enable()
        done = trying.run(drafts.load("mine"), part, reports, rounds.of("mine"), lambda chosen: made(chosen)[0], "")
        watch.disable()
        print(f"try, {name:18} {len(texts):,} reports, {done.round.asked:,} questions: {time.perf_counter() - started:.2f} s")
        if profile:
            pstats.Stats(watch).sort_stats("tottime").print_stats(25)


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2500)
    parser.add_argument("--profile", action="store_true", help="also print where the time goes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["RANSCORE_HOME"] = home
        cohort = build(arguments.texts, 0, train=0, dev=0)
        texts = [f"{cohort.reference(study.id)} Study number {index}." for index, study in enumerate(cohort.scored)]
        base = pack.load()
        edited = replace(base, questions=(replace(base.questions[0], guidance="Something else."), *base.questions[1:]))
        for name, chosen in (("empty cache", base), ("nothing changed", base), ("one finding edited", edited), ("again", edited)):
            seconds, asked = timed(chosen, texts)
            print(f"{name:20} {len(texts):,} reports, {asked:,} questions: {seconds:.2f} s")
        tries(cohort, texts, arguments.profile)


if __name__ == "__main__":
    main()
