"""The first minute of somebody with a file of reports: the README's commands, on invented data, and the ways to mistype them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cohorts.synthetic.cohort import build
from harness.cohorts.synthetic.systems import system
from harness.extractors import REGISTRY
from harness.extractors.llm.pack import MODES
from harness.extractors.llm.protocol import DIALECTS
from harness.types import Cohort
from ranscore.commands import main, options

AGAINST = ("--references", "references.csv", "--open")


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Sixty invented studies."""
    return build(studies=60, seed=5)


@pytest.fixture
def here(cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a submitter: predictions.csv and references.csv."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path / "home"))
    made = system(cohort, "birch", 0.75, 0.3).reports
    write(tmp_path / "predictions.csv", {study.id: made[study.id] for study in cohort.scored})
    write(tmp_path / "references.csv", {study.id: cohort.reference(study.id) for study in cohort.scored})
    return tmp_path


def write(path: Path, reports: dict[str, str]) -> None:
    """A reports file, as a spreadsheet would save it."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("study_id", "report"), *reports.items()])


def score(*more: str) -> int:
    """`ranscore score predictions.csv --references references.csv --open`, and more."""
    return main(["score", "predictions.csv", *AGAINST, *more])


def test_the_commands_of_the_readme(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "predictions.csv", "--references", "references.csv"]) == 0
    assert "all 60 studies have a report; it can be scored" in capsys.readouterr().out
    assert score("-o", "record.json", "--per-study", "studies.csv") == 0
    said = capsys.readouterr().out
    assert "predictions reaches Ran Score 0." in said and "not the paper's extractor" in said
    digest = json.loads((here / "record.json").read_text())["digest"]
    assert digest[:12] in said
    assert len((here / "studies.csv").read_text().splitlines()) == 61
    assert main(["verify", "record.json", "predictions.csv", *AGAINST]) == 0
    assert f"verified, digest {digest[:12]}" in capsys.readouterr().out


def test_the_python_of_the_readme(here: Path, cohort: Cohort) -> None:
    from ranscore import score as from_python

    assert score("-o", "record.json", "--metrics", "ran-score") == 0
    made = from_python(predictions=here / "predictions.csv", references=cohort, metrics=["ran-score"])
    written = json.loads((here / "record.json").read_text())["metrics"][0]
    assert made.record.metrics[0].value == written["parts"]["macro-f1"]


def test_dots_and_absent_rows_earn_no_no_finding(here: Path, cohort: Cohort, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [study.id for study in cohort.scored]
    write(here / "predictions.csv", {ids[0]: "", **dict.fromkeys(ids[1:-1], ".")})
    assert score("--metrics", "ran-score", "--json") == 0
    parts = json.loads(capsys.readouterr().out)["metrics"][0]["parts"]
    assert parts["positives:No Finding"] > 0
    assert parts["recall:No Finding"] == 0 and parts["macro-f1"] == 0


def test_a_verdict_names_the_forgotten_open(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score("-o", "record.json", "--metrics", "bleu") == 0
    capsys.readouterr()
    assert main(["verify", "record.json", "predictions.csv", "--references", "references.csv"]) == 1
    assert "access: the record says open, the inputs give credentialed; --open makes" in capsys.readouterr().out


def test_a_profile_gives_named_metrics_their_recipes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score("--metrics", "rouge-l", "--profile", "radeval", "--json") == 0
    assert [one["signature"] for one in json.loads(capsys.readouterr().out)["metrics"]] == ["rouge-l|v1|f1|words|stem"]


def test_a_text_metric_alone_says_nothing_of_labels(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score("--metrics", "rouge-l") == 0
    assert "Labels:" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (("--metrics", "rouge-l", "--profile", "nope"), 2, "there is no profile 'nope'; there are board, coco,"),
        (("--metrics", "cider", "--profile", "rexrank"), 2, "the profile 'rexrank' has no cider; it has bleu:sentence|rexrank."),
        (("--metrics", "bleu", "--per-study", "studies.csv"), 2, "add ran-score to --metrics"),
        (("--metrics", "bleu", "-o", "references.csv/record.json"), 3, "references.csv: "),
        (("--metrics", "bleu", "--extractor", "nope"), 2, "there is no extractor 'nope'"),
        (("--metrics", "bleu", "--mode", "nope"), 2, "there is no --mode 'nope'"),
        (("--nope",), 2, "unrecognized arguments: --nope (did you mean --open?). See `ranscore score --help`"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: int, says: str
) -> None:
    assert score(*more) == code
    said = capsys.readouterr().err
    assert says in said and "Traceback" not in said


def test_the_choices_of_the_options_are_those_of_the_program() -> None:
    assert {*options.EXTRACTORS, "chexbert"} == {*REGISTRY} and options.MODES == MODES and options.DIALECTS == DIALECTS


def test_a_reader_that_goes_away_is_no_error(here: Path) -> None:
    command = [sys.executable, "-m", "ranscore", "metrics"]
    # The pipe's end is closed before the first line is written, as `| head` does after its last.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout and running.stderr
        running.stdout.close()
        said = running.stderr.read()
    assert running.returncode == 0 and said == ""


def test_a_record_that_is_not_there(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "nope.json"]) == 3
    assert "nope.json: there is no such file. Give the JSON file that `ranscore score -o` wrote" in capsys.readouterr().err


def test_a_board_of_a_cohort_that_nobody_scored(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert score("--metrics", "ran-score", "--store") == 0
    assert main(["board", "--cohort", "nope"]) == 2
    assert "no record of the cohort 'nope'; it holds references" in capsys.readouterr().err
