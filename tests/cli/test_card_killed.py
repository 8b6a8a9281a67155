"""A card that is killed at any point ends as if it had not been."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from ranscore.commands import main

STUDIES = 30
SLOW = """
import json, sys, time
for line in sys.stdin:
    time.sleep(0.03)
    study = json.loads(line)["study_id"]
    print(json.dumps({"study_id": study, "report": "Small left pleural effusion." if study[-1] in "02468" else "The lungs are clear."}), flush=True)
"""
SYSTEMS = ["constant-normal", "command", "trained-baseline", "references"]


def files(folder: Path, *parts: str) -> dict[str, bytes]:
    """What lies there, by path; without what a kill left half written, which nobody reads."""
    found = [path for part in parts for path in sorted((folder / part).rglob("*")) if path.is_file() and not path.name.endswith(".part")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def timeless(found: dict[str, bytes]) -> dict[str, bytes]:
    """The same with every time, and every seal over a time, replaced by one."""

    def plain(text: bytes) -> bytes:
        text = re.sub(rb'"sha256": ?"[0-9a-f]{64}"\s*}\s*\Z', b"", text)  # the seal over the whole file
        return re.sub(rb"20\d\d-?\d\d-?\d\dT\d\d:?\d\d:?\d\d(\.\d+)?Z?", b"TIME", text)

    return {plain(name.encode()).decode(): plain(data) for name, data in found.items()}


def kill_when(arguments: list[str], reached: Callable[[], bool]) -> None:
    """Run the command and kill it, without a chance to tidy up, as soon as it has got somewhere."""
    process = subprocess.Popen([sys.executable, "-m", "ranscore", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not reached():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline, "it never got there"
        time.sleep(0.001)
    process.kill()
    process.wait()


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0


def test_a_killed_card_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    cohorts.save(build(STUDIES, 6, images=tmp_path / "films", train=60, dev=1), tmp_path / "cohort")
    (tmp_path / "slow.py").write_text(SLOW)
    run = f"run={shlex.quote(sys.executable)} {tmp_path / 'slow.py'}"
    arguments = ["card", "--tiny", "--cohort", str(tmp_path / "cohort"), "--systems", ",".join(SYSTEMS), "--set", run]
    arguments += ["--metrics", "ran-score,bleu", "-o"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert main([*arguments, str(whole)]) == 0

    written = cut / "reports" / "command.jsonl"
    trained = cut / "reports" / "trained-baseline.jsonl"
    points: list[Callable[[], bool]] = [
        (cut / "done" / "constant-normal.json").is_file,  # the record is named and not in the store, or just is
        lambda: lines(written) >= 3,  # in the middle of a system's reports
        lambda: len(files(cut, "store/events")) == 2,  # between two systems
        lambda: lines(trained) == STUDIES,  # while a system is scored
        lambda: len(files(cut, "site")) > 5,  # while the pages are written
    ]
    kept: dict[str, bytes] = {}
    for reached in points:
        kill_when([*arguments, str(cut)], reached)
        now = files(cut, "store/events")
        assert kept.items() <= now.items(), "a record that stood was written again"
        kept = now
    assert len(kept) == len(SYSTEMS)
    assert main([*arguments, str(cut)]) == 0
    assert files(cut, "store/events") == kept
    for part in ("reports", "store", "site"):
        ours, theirs = timeless(files(cut, part)), timeless(files(whole, part))
        assert sorted(ours) == sorted(theirs)
        assert [name for name in ours if ours[name] != theirs[name]] == []
