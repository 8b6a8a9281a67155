"""What runs published code beside ours: a clone is imported as it is but for sizes, and never written to; both answer in processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.generators import drawn
from benchmarks.generators_peer import Peer
from benchmarks.generators_setup import SETUPS
from generators.catalogue import Options, find, make
from harness.types import StudyInput

DRIVER = """
import sys
from benchmarks.upstream.serving import serve, use_clone
def load(job):
    use_clone(job["clone"], job["changes"], ("absent_trainer",))
    from published.model import Model
    print("noise that the published code makes")
    return lambda films: [f"{film} {Model().width} {Model.__mro__[1].__name__}" for film in films]
serve(load)
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Published code that imports a package which is not there."""
    folder = tmp_path / "clone" / "published"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text("from absent_trainer.core import Trainer\nclass Model(Trainer):\n    width = 1024\n")
    (tmp_path / "driver.py").write_text(DRIVER)
    return folder.parent


def asked(clone: Path, monkeypatch: pytest.MonkeyPatch, pattern: str) -> list[str]:
    monkeypatch.setenv("PYTHONPATH", str(clone.parent))
    job = {"clone": str(clone), "threads": 1, "changes": {"published.model": [(pattern, "8")]}}
    with Peer(sys.executable, "driver", job, clone.parent / "log") as peer:
        first, second = peer.write([Path("a")]), peer.write([Path("b"), Path("c")])
    assert first.seconds > 0 and second.memory > 0.01
    return [*first.reports, *second.reports]


def test_a_clone_runs_with_other_sizes_and_stays_as_it_was(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(clone, monkeypatch, r"\b1024\b") == ["a 8 Trainer", "b 8 Trainer", "c 8 Trainer"]
    assert "noise that the published code makes" in (clone.parent / "log").read_text()
    assert [path.name for path in clone.rglob("*")] == ["published", "model.py"]


def test_a_clone_of_other_code_is_told_apart(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match=r"model\.py is not as published: it has no 512"):
        asked(clone, monkeypatch, "512")


def test_ours_answers_in_its_process_what_it_answers_here(tmp_path: Path) -> None:
    films = drawn(tmp_path / "films", 2)
    (tmp_path / "weights").mkdir()
    setup = SETUPS["promptmrg"](tmp_path / "weights", "tiny", films)
    weights = {path.name: path for path in (tmp_path / "weights").iterdir()}
    job = {"weights": {name: str(path) for name, path in weights.items()}, "threads": 1, **setup.job}
    ours = {"system": "promptmrg", "settings": setup.settings, "device": "cpu", "precision": "float32"}
    with Peer(sys.executable, "benchmarks.generators_ours", job | ours, tmp_path / "log") as peer:
        answer = peer.write(films)
    system = make(find("promptmrg"), Options(weights, settings=setup.settings))
    assert answer.reports == [made.report for made in system.generate([StudyInput(film.stem, frontal=film) for film in films])]
    assert all(answer.reports)
