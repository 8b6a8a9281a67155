"""Workers and those who take submissions in are killed at random points; nothing acknowledged is lost, nothing is scored twice.

`RANSCORE_KILLS=200 pytest tests/submissions/test_kills.py -s` is the long form, with its figures.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import system
from harness.scoring import scorer
from harness.storage.report_lines import canonical, read_canonical
from harness.types import Cohort, SystemCard
from submissions import board_folder as board_folders
from submissions.events import State
from submissions.intake import Upload, submit
from submissions.worker import Worker

KILLS = int(os.environ.get("RANSCORE_KILLS", "20"))
POLICY = "[door]\nper_day = 0\nin_all = 0\nqueue = 100000\nlease = 0.7\nattempts = 100000\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked and killed")


def files(cohort: Cohort) -> list[bytes]:
    """What three systems wrote."""
    return [canonical(system(cohort, name, reach, 0.1).reports) for name, reach in (("a", 0.9), ("b", 0.6), ("c", 0.3))]


def page(root: Path, contents: list[bytes], acknowledged: Path) -> None:
    """Submits one system after the other and notes each acknowledgement; what was not noted is submitted again."""
    number = len(acknowledged.read_text().splitlines())
    board_folder = board_folders.at(root)
    with acknowledged.open("a") as stream:
        while True:
            card = SystemCard(f"System {number}", organisation="Forest")
            content = contents[number % len(contents)]
            receipt = submit(board_folder, Upload(content, "a.jsonl", "synthetic", card, f"local:{number % 7}"))
            stream.write(f"{number} {receipt.id}\n")
            stream.flush()
            number += 1
            time.sleep(0.3)


def work(root: Path) -> None:
    """A worker that never ends."""
    Worker(board_folders.at(root)).run(poll=0.05)


def kill(process: BaseProcess) -> None:
    """At once, without a last word."""
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()


def test_every_acknowledged_submission_is_scored_exactly_once(tmp_path: Path) -> None:
    root, acknowledged = tmp_path / "board", tmp_path / "acknowledged"
    acknowledged.touch()
    cohort = build(studies=6, seed=5)
    cohorts.save(cohort, root / "cohorts" / "synthetic")
    (root / "config.toml").write_text(POLICY)
    contents = files(cohort)
    # The children inherit what is imported here, so that they are at work the moment they start.
    expected = [
        scorer.score(predictions=read_canonical(content), references=cohort, card=SystemCard("x")).record.digest for content in contents
    ]
    context, rng = multiprocessing.get_context("fork"), random.Random(1)
    starts = {
        "page": lambda: context.Process(target=page, args=(root, contents, acknowledged)),
        "worker": lambda: context.Process(target=work, args=(root,)),
    }
    alive: dict[str, BaseProcess] = {}
    kills: Counter[str] = Counter()
    began = time.monotonic()
    try:
        while kills.total() < KILLS:
            for name in starts.keys() - alive.keys():
                alive[name] = starts[name]()
                alive[name].start()
            time.sleep(rng.uniform(0.02, 1.5))
            victim = rng.choice(("page", "worker", "worker"))
            assert alive[victim].is_alive(), f"the {victim} died by itself with {alive[victim].exitcode}"
            kill(alive.pop(victim))
            kills[victim] += 1
    finally:
        for process in alive.values():
            kill(process)
    time.sleep(0.8)
    board_folder = board_folders.at(root)
    Worker(board_folder).run(once=True)

    found = board_folder.ledger.state().submissions
    noted = dict(line.split() for line in acknowledged.read_text().splitlines() if line.count(" ") == 1)
    assert noted and set(noted.values()) <= set(found)
    assert len(found) - len(noted) in (0, 1)
    for item in found.values():
        kinds = Counter(event.kind for event in item.events)
        assert item.state is State.LISTED and kinds["scored"] == kinds["listed"] == 1
        assert item.record == expected[int(item.card.name.split()[1]) % len(contents)]
    stored = board_folder.store.all()
    assert sorted(item.record.system.name for item in stored) == sorted(item.card.name for item in found.values())
    assert not any(item.withdrawn for item in stored)
    begun = sum(event.kind == "claimed" and not event.data.get("renewed") for item in found.values() for event in item.events)
    print(
        f"\n{KILLS} kills ({dict(kills)}) in {time.monotonic() - began:.0f} s: {len(noted)} acknowledged, {len(found)} in the ledger, "
        f"each scored once; begun {begun} times"
    )
