"""How long does a try take after one edit, the model's time aside? Run by: python -m benchmarks.questions [--texts N].

Fills a cache with the answers to 20 questions about N reports, edits the guidance of one finding, and labels again. The model answers at once.
"""

from __future__ import annotations

import argparse
import os
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
from harness.types import Access


@dataclass
class Instant:
    """Says 0 to everything, at once."""

    questions: int = 0

    async def answer(self, protocol: models.Protocol, asks: Iterator[Ask], settle: Settle) -> None:
        """Answer every question."""
        for ask in asks:
            self.questions += 1
            await settle(ask, ModelReply("0", model="instant"), "instant")


def timed(chosen: pack.Pack, texts: list[str]) -> tuple[float, int]:
    """Seconds and questions of labelling the texts."""
    source = Instant()
    extractor = LLM(models.protocol(chosen, models.find("instant")), source, Access.OPEN)
    started = time.perf_counter()
    extractor.extract(texts)
    return time.perf_counter() - started, source.questions


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2500)
    count = parser.parse_args().texts
    with tempfile.TemporaryDirectory() as home:
        os.environ["RANSCORE_HOME"] = home
        cohort = build(count, 0, train=0, dev=0)
        texts = [f"{cohort.reference(study.id)} Study number {index}." for index, study in enumerate(cohort.scored)]
        base = pack.load()
        edited = replace(base, questions=(replace(base.questions[0], guidance="Something else."), *base.questions[1:]))
        for name, chosen in (("empty cache", base), ("nothing changed", base), ("one finding edited", edited), ("again", edited)):
            seconds, asked = timed(chosen, texts)
            print(f"{name:20} {len(texts):,} reports, {asked:,} questions: {seconds:.2f} s")


if __name__ == "__main__":
    main()
