"""The commands and the Python of the README and of the first tutorial run as they are pasted, one after another."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest

from ranscore.commands import main

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def commands(page: str, heading: str) -> list[list[str]]:
    """The `ranscore` lines of the blocks between a heading and the next of its level."""
    section = re.split(r"^## ", (ROOT / page).read_text(encoding="utf-8"), flags=re.M)
    (text,) = [each for each in section if each.startswith(f"{heading}\n")]
    lines = [line for _, body in BLOCK.findall(text) for line in body.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("ranscore ")]


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the checkout, and an empty store."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path))


def test_the_ten_lines_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    lines = commands("README.md", "Ten lines to a score")
    assert [line[0] for line in lines] == ["validate", "score", "score", "compare", "rank"]
    assert [main(line) for line in lines] == [0, 0, 0, 0, 0]
    shown = capsys.readouterr().out
    assert "predictions and other cannot be distinguished" in shown
    assert "predictions: rank 1 (1 to 2), " in shown and "other: rank 1 (1 to 2), " in shown
    assert main(["board", "--no-reported"]) == 0
    assert "No rank: predictions, other (no snapshot yet). Run `ranscore snapshot`" in capsys.readouterr().out
    assert main(["snapshot"]) == main(["board", "--no-reported", "--format", "csv"]) == 0
    ranks = {row["system"]: (row["rank"], row["evidence"]) for row in csv.DictReader(_csv_of(capsys.readouterr().out))}
    assert ranks == {"predictions": ("1", "scored on this machine"), "other": ("1", "scored on this machine")}


def _csv_of(shown: str) -> list[str]:
    """The lines of a CSV at the end of what was printed."""
    lines = shown.splitlines()
    return lines[next(at for at, line in enumerate(lines) if line.startswith("rank,")) :]


def test_the_python_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = [body for kind, body in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")) if kind == "python"]
    exec(compile(code, "README.md", "exec"), {})
    first, *sentences = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"0\.\d+ \(0\.\d+, 0\.\d+\)", first)
    assert sorted(line.partition(":")[0] for line in sentences) == ["A", "B"]
    assert all("; is better than each floor; cannot be distinguished from " in line for line in sentences)


def test_the_tutorial_ranks_two_systems_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    lines = commands("docs/tutorials/score-a-file.md", "Rank your own systems")
    assert [main(line) for line in lines[:-1]] == [0, 0]
    capsys.readouterr()
    assert main([*lines[-1], "--format", "csv"]) == 0
    ranks = {row["system"]: row["rank"] for row in csv.DictReader(capsys.readouterr().out.splitlines())}
    assert (ranks["System A"], ranks["System B"], ranks["constant-normal"]) == ("1", "1", "")
