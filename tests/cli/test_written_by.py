"""The system of a reports file is the one that the run beside it names, so that random weights keep their mark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generators.running import loop
from generators.running.batching import LocalGenerator
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.config.home import home
from harness.errors import InputError
from harness.formats.written_by import name_of, sidecar
from harness.scoring import scorer
from harness.types import Cohort
from ranscore.commands import main
from submissions import board_folder as board_folders
from tests.generators.test_run import Echo

SYSTEM = "promptmrg (random weights)"


@pytest.fixture
def cohort() -> Cohort:
    """A small built cohort."""
    made = build(studies=12, seed=1, train=0, dev=0)
    cohorts.save(made, home() / "cohorts" / "small")
    return made


@pytest.fixture
def written(cohort: Cohort, tmp_path: Path) -> Path:
    """What a run with random weights left."""
    out = tmp_path / "full.jsonl"
    plan = loop.Plan(SYSTEM, "0" * 64, cohort.manifest.digest, tuple(study.id for study in cohort.scored), "cpu", "float32")
    loop.run(LocalGenerator(Echo()), cohort, cohort.scored, out, plan)
    assert sidecar(out).name == "full.jsonl.run.json"
    return out


@pytest.mark.parametrize(("options", "name"), [((), SYSTEM), (("--name", "Mine"), "Mine (random weights)"), (("--name", SYSTEM), SYSTEM)])
def test_score_takes_the_name_of_the_run_and_keeps_its_mark(
    written: Path, options: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", str(written), "--cohort", "small", "--metrics", "ran-score", "--json", *options]) == 0
    assert json.loads(capsys.readouterr().out)["system"]["name"] == name


def test_from_python_and_on_a_board_the_name_is_the_same(written: Path, cohort: Cohort) -> None:
    assert scorer.score(predictions=written, references=cohort, metrics=["ran-score"]).record.system.name == SYSTEM
    assert main(["submit", str(written), "--cohort", "small"]) == 0
    [item] = board_folders.at(home()).ledger.state().submissions.values()
    assert item.card.name == SYSTEM


def test_a_file_that_no_run_wrote_has_its_own_name(written: Path) -> None:
    sidecar(written).unlink()
    assert (name_of(written), name_of(written, "Mine")) == ("full", "Mine")


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\udcff"])
def test_a_plan_that_cannot_be_read_is_not_passed_over(written: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    sidecar(written).write_text(content, errors="surrogateescape")
    with pytest.raises(InputError, match=r"full.jsonl.run.json.*not the plan of a run"):
        name_of(written)
    assert main(["score", str(written), "--cohort", "small"]) == 3
    assert "Restore it" in capsys.readouterr().err
