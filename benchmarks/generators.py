"""How fast systems write: `python -m benchmarks.generators [SYSTEM] [--films N] [--size tiny|released] [--weights NAME=PATH ...]`.

Random weights of `generators.tiny` at their own size, or released weights where they are given. Every film one at a time and in batches,
in one run, and the two must write the same.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from generators import tiny
from generators.catalogue import Options, find, make
from harness.cohorts.synthetic import build
from harness.types import Generated, Generator, StudyInput


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="?", default="promptmrg", choices=tiny.SYSTEMS)
    parser.add_argument("--films", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--size", default="tiny", choices=("tiny", "released"))
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=PATH")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "weights").mkdir()
        if chosen.size == "tiny":
            tiny.SYSTEMS[chosen.system](folder / "weights")
        weights = {path.name: path for path in (folder / "weights").iterdir()}
        weights |= {key: Path(value) for key, _, value in (item.partition("=") for item in chosen.weights)}
        generator = make(find(chosen.system), Options(weights, chosen.device, settings={"size": chosen.size}))
        cohort = build(studies=chosen.films, train=0, dev=0, images=folder / "films")
        studies = [StudyInput(study.id, frontal=folder / "films" / study.images[0].path) for study in cohort.scored]
        generator.generate(studies[:1])
        alone, single = timed(generator, studies, 1)
        together, batched = timed(generator, studies, chosen.batch)
    same = sum(one.report == other.report for one, other in zip(single, batched, strict=True))
    print(f"{chosen.system} ({chosen.size}) on {chosen.device}: {alone / chosen.films:.3f} s a film alone")
    print(f"  {together / chosen.films:.3f} s a film in batches of {chosen.batch}: {alone / together:.2f} times as fast")
    print(f"  {same} of {chosen.films} reports are equal")


def timed(generator: Generator, studies: Sequence[StudyInput], batch: int) -> tuple[float, list[Generated]]:
    """Seconds and reports."""
    start = time.perf_counter()
    made = [item for place in range(0, len(studies), batch) for item in generator.generate(studies[place : place + batch])]
    return time.perf_counter() - start, made


if __name__ == "__main__":
    main()
