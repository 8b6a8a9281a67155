"""`ranscore compare`, `ranscore snapshot` and `ranscore rescore`, as a person types them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.metrics import metric
from harness.records.store import Store
from harness.scoring import demo, scorer
from harness.scoring.rescore import rescore
from harness.types import Cohort, SystemCard
from ranscore.commands import main
from ranscore.commands.rescore import _row


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """A small synthetic cohort."""
    return build(studies=150, seed=3)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the synthetic systems, floors and the ceiling."""
    root = tmp_path_factory.mktemp("filled") / "store"
    demo.fill(Store(root), [metric("ran-score")], 150, 3)
    return root


def test_two_systems_are_compared_in_a_sentence_and_tables(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "synthetic-alder", "synthetic-maple", "--store", str(filled), "--draws", "999"]) == 0
    shown = capsys.readouterr().out
    assert "ran-score: synthetic-alder is better (difference +0." in shown and "p < 0.001" in shown
    assert "findings differ after Holm's correction" in shown and "fewer than 10 positives" in shown


def test_every_pair_and_every_part_stands_in_the_json(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["synthetic-alder", "synthetic-birch", "references"]
    assert main(["compare", *names, "--store", str(filled), "--draws", "999", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["comparisons"]
    assert [(item["first"], item["second"]) for item in found] == [(names[0], names[1]), (names[0], names[2]), (names[1], names[2])]
    [compared] = found[0]["metrics"]
    assert len(compared["findings"]) == 21 and compared["scores"][0]["part"] == "macro-f1"
    head = compared["scores"][0]
    assert head["pair"]["difference"] == pytest.approx(head["first"] - head["second"])
    assert head["pair"]["low"] <= head["pair"]["difference"] <= head["pair"]["high"]
    assert 0 < head["swapped"] <= 1
    few = [line for line in compared["findings"] if line["pair"] is None]
    assert few and all(line["swapped"] is None for line in few)
    assert main(["compare", names[1], names[0], "--store", str(filled), "--draws", "999", "--json"]) == 0
    back = json.loads(capsys.readouterr().out)["comparisons"][0]["metrics"][0]["scores"][0]
    assert back["pair"]["p"] == head["pair"]["p"] and back["swapped"] == head["swapped"]
    assert back["pair"]["difference"] == -head["pair"]["difference"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["synthetic-alder"], 2, "name at least two systems"),
        (["synthetic-alder", "synthetic-alder"], 2, "named twice"),
        (["synthetic-alder", "nobody"], 2, "is no record of this store"),
        (["synthetic-alder", "synthetic-birch", "--alpha", "2"], 2, "--alpha must be between 0 and 1"),
    ],
)
def test_what_cannot_be_compared_is_said(
    filled: Path, arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *arguments, "--store", str(filled)]) == code
    assert message in capsys.readouterr().err


def test_files_of_two_records_are_compared_and_rows_are_needed(cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.cohorts.synthetic.systems import system
    from harness.config.home import home
    from harness.formats import label_files

    cohorts.save(cohort, home() / "cohorts" / "here")
    files = []
    for name, recall in (("birch", 0.8), ("elm", 0.4)):
        label_files.write(tmp_path / f"{name}.csv", system(cohort, name, recall, 0.3).labels)
        files.append(str(tmp_path / f"{name}.json"))
        assert main(["score", "--labels", str(tmp_path / f"{name}.csv"), "--cohort", "here", "-o", files[-1]]) == 0
    capsys.readouterr()
    assert main(["compare", *files, "--draws", "999"]) == 0
    assert "birch is better" in capsys.readouterr().out
    (tmp_path / "elm.json.rows.npz").unlink()
    assert main(["compare", *files, "--draws", "999"]) == 3
    assert "the rows of 'elm' are not here" in capsys.readouterr().err


def test_a_snapshot_ranks_and_is_kept_once(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", "--store", str(filled)]) == 0
    shown = capsys.readouterr().out
    assert "synthetic-alder" in shown and "apart to be distinguished" in shown and "constant-normal" not in shown
    assert main(["snapshot", "--store", str(filled), "--json"]) == 0
    [made] = json.loads(capsys.readouterr().out)["snapshots"]
    assert len(list((filled / "snapshots").iterdir())) == 1
    assert made["metrics"][0]["ranked"] and len(made["metrics"][0]["systems"]) == 11
    assert main(["board", "--store", str(filled), "--no-reported"]) == 0
    assert "Ran Score apart to be distinguished" in capsys.readouterr().out


def test_an_empty_store_is_not_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("snapshot", "rescore"):
        assert main([command, "--store", str(tmp_path / "none")]) == 0
        assert "holds no records yet" in capsys.readouterr().out


def test_rescoring_keeps_both_values(tmp_path: Path, cohort: Cohort) -> None:
    store = Store(tmp_path)
    reports = {study.id: cohort.reference(study.id) for study in cohort.scored}
    old = scorer.score(
        predictions=reports,
        references=cohort,
        extractor="lexical",
        metrics=["ran-score"],
        card=SystemCard("copy"),
        created="2026-01-01T00:00:00Z",
    )
    store.add(old.record, old.rows, reports, old.sides.patients)
    # As if an earlier version of the metric had scored it: the same reports, another signature and digest.
    result = replace(old.record.metrics[0], signature=old.record.metrics[0].signature.replace("|v1", "|v0"))
    earlier = replace(old.record, metrics=(result,), digest="0" * 64, system=SystemCard("older"))
    store.add(earlier, old.rows, reports, old.sides.patients)
    known = {cohort.manifest.digest: cohort}
    found = {item.old.record.system.name: item for item in rescore(store, known, created="2026-02-01T00:00:00Z")}
    assert found["copy"].same and not found["older"].same and found["older"].new is not None
    assert f"{result.signature} -> {old.record.metrics[0].signature}" in _row(found["older"])[-1]
    kept = [item.record for item in store.standing() if item.record.system.name == "older"]
    assert [record.metrics[0].signature.split("|")[1] for record in kept] == ["v0", "v1"]
    assert kept[1].metrics[0].parts == old.record.metrics[0].parts
    assert {item.reason for item in rescore(store, {})} == {"its cohort is not here"}
    more = {item.old.record.system.name: item.new for item in rescore(store, known, metrics=["rouge-l", "ran-score"])}
    assert more["copy"] and [result.name for result in more["copy"].metrics] == ["ran-score", "rouge-l"]


def test_rescoring_says_what_it_could_not_score(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", "--store", str(filled)]) == 1
    assert "its cohort is not here" in capsys.readouterr().out
