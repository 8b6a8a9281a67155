"""How fast systems write: `python -m benchmarks.generators [SYSTEM] [--films N] [--size tiny|released] [--weights NAME=PATH ...]`.

Random weights at their own size or as large as released, or released weights where they are given. Every film one at a time and in
batches, in one run, and the two must write the same.

`--upstream CLONE --python INTERPRETER` runs the published code beside ours: a clone of it, and an interpreter with the packages it asks
for. Both have the same films, weights and threads; they take turns film by film, each in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.generators_peer import Answer, Peer
from benchmarks.generators_setup import SETUPS, Setup
from generators import tiny
from generators.catalogue import find
from harness.cohorts.synthetic.cohort import build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="?", default="promptmrg", choices=tiny.systems())
    parser.add_argument("--films", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--size", default="tiny", choices=("tiny", "released"))
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the random weights here, and take them from here the next time")
    parser.add_argument("--upstream", type=Path, metavar="CLONE", help=f"of the published code: {', '.join(SETUPS)}")
    parser.add_argument("--python", default=sys.executable, metavar="INTERPRETER", help="in which the published code runs")
    chosen = parser.parse_args()
    if chosen.upstream and (chosen.system not in SETUPS or chosen.weights or chosen.device != "cpu" or chosen.precision != "float32"):
        parser.error(f"--upstream is for {', '.join(SETUPS)} with random weights on a processor in float32")
    with ExitStack() as stack:
        compare(chosen, stack)


def compare(chosen: argparse.Namespace, stack: ExitStack) -> None:
    """Start what is compared, ask it and print what was measured."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    films = drawn(folder / "films", chosen.films)
    weights = chosen.keep or folder / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    setup = prepared(chosen, weights, films)
    job = {"weights": {path.name: str(path.resolve()) for path in weights.iterdir()}, "threads": chosen.threads} | setup.job
    job["weights"] |= dict(item.split("=", 1) for item in chosen.weights)
    if chosen.system == "xraygpt" and chosen.upstream:
        job["weights"]["clone"] = str(chosen.upstream.resolve())
    mine = {"system": chosen.system, "settings": setup.settings, "device": chosen.device, "precision": chosen.precision}
    ours = stack.enter_context(Peer(sys.executable, "benchmarks.generators_ours", job | mine, folder / "ours.log"))
    name = f"{chosen.system} ({'given' if chosen.weights else chosen.size}) on {chosen.device}, {chosen.threads} threads"
    print(f"{name}, {chosen.films} films of one study each")
    print(f"  ours: {ours.versions}; {ours.loading:.1f} s to load")
    if not chosen.upstream:
        alone(ours, films, chosen.batch)
        return
    theirs_job = job | {"clone": str(chosen.upstream.resolve())}
    module = f"benchmarks.upstream.{chosen.system}"
    theirs = stack.enter_context(Peer(chosen.python, module, theirs_job, folder / "theirs.log"))
    print(f"  published: {theirs.versions}; {theirs.loading:.1f} s to load")
    if chosen.size == "tiny":  # where a film takes seconds and more, a first call is no slower than the next
        for peer in (ours, theirs):
            peer.write(films[:1])
    for size in sorted({1, min(setup.batch, chosen.films)}):
        beside(ours, theirs, films, size, setup.finish)


def prepared(chosen: argparse.Namespace, weights: Path, films: Sequence[Path]) -> Setup:
    """Write random weights, unless released ones are given."""
    known = "size" in find(chosen.system).settings
    if chosen.weights:
        return Setup({"size": "released"} if known else {})
    if chosen.upstream:
        return SETUPS[chosen.system](weights, chosen.size, films)
    if chosen.size == "released":
        return SETUPS[chosen.system](weights, chosen.size, films) if chosen.system in SETUPS else Setup()
    tiny.write(chosen.system, weights)
    return Setup({"size": "tiny"} if known else {})


def drawn(folder: Path, count: int) -> list[Path]:
    """Frontal films of the synthetic cohort."""
    cohort = build(studies=count, train=0, dev=0, images=folder)
    return [folder / study.images[0].path for study in cohort.scored]


def alone(ours: Peer, films: Sequence[Path], batch: int) -> None:
    """One film at a time against batches."""
    ours.write(films[:1])  # the first call is slower than the next
    single, batched = asked([ours], films, 1)[0], asked([ours], films, batch)[0]
    print(f"  ours one by one {each(single, films)}, in batches of {batch} {each(batched, films)}: {times(single, batched)}")
    print(f"    {equal(single.reports, batched.reports)} of {len(films)} reports are equal; {batched.memory:.1f} GB")


def beside(ours: Peer, theirs: Peer, films: Sequence[Path], batch: int, finish: Callable[[Any], str]) -> None:
    """Ours and the published code, one after the other."""
    mine, published = asked([ours, theirs], films, batch)
    print(f"  {batch} at a time: ours {each(mine, films)}, published {each(published, films)}: {times(published, mine)}")
    same = equal(mine.reports, [finish(report) for report in published.reports])
    print(f"    {same} of {len(films)} reports are equal; {mine.memory:.1f} GB and {published.memory:.1f} GB")


def each(answer: Answer, films: Sequence[Path]) -> str:
    """Seconds a film."""
    return f"{answer.seconds / len(films):.3f} s a film ({answer.work / len(films):.3f} s of processor)"


def times(slower: Answer, faster: Answer) -> str:
    """How many times as fast."""
    return f"{slower.seconds / faster.seconds:.2f} times as fast ({slower.work / faster.work:.2f} by processor)"


def asked(peers: Sequence[Peer], films: Sequence[Path], batch: int) -> list[Answer]:
    """All films through each peer, batch by batch; who begins changes."""
    answers: list[list[Answer]] = [[] for _ in peers]
    for number, place in enumerate(range(0, len(films), batch)):
        order = list(range(len(peers)))
        for peer in reversed(order) if number % 2 else order:
            answers[peer].append(peers[peer].write(films[place : place + batch]))
    return [
        Answer(
            sum(one.seconds for one in made),
            sum(one.work for one in made),
            [report for one in made for report in one.reports],
            made[-1].memory,
        )
        for made in answers
    ]


def equal(first: Sequence[Any], second: Sequence[Any]) -> int:
    """How many are."""
    return sum(one == other for one, other in zip(first, second, strict=True))


if __name__ == "__main__":
    main()
