"""Labels as a resource: permitted ids, the error of every finding, no text, loadable, refused where it must be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.extractors import extractor
from harness.extractors.recorded import AGREEMENT
from harness.findings import RAN_21
from harness.formats import label_files
from harness.types import Access
from ranscore.commands import main
from tests.validation.extractors.conftest import settled
from tests.validation.readers.conftest import Made
from validation.extractors import results


def labelled(made: Made, folder: Path) -> Path:
    """The label file of a whole cohort by the embedded extractor."""
    names = [study.id for study in made.cohort.manifest.studies if study.part == "test"]
    labels = extractor("lexical").extract([made.cohort.reference(name) for name in names])
    label_files.write(folder / "labels.csv", dict(zip(names, labels, strict=True)))
    return folder / "labels.csv"


def validated() -> Path:
    assert main(["extractor", "validate", "--standard", "trial", "--extractor", "lexical"]) == 0
    return next(results.root().glob("*/validation.json"))


def test_a_release_says_how_common_and_how_wrong_each_label_is(trial: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, validation = labelled(trial, tmp_path), validated()
    target = tmp_path / "release"
    assert main(["labels", "release", str(path), "--cohort", "small", "--validation", str(validation), "-o", str(target)]) == 0
    manifest = json.loads((target / "manifest.json").read_text())
    known = results.load(validation)
    assert manifest["validation"] == known.digest and manifest["extractor"]["digest"] == known.extractors[0].digest
    labels = label_files.read(target / "labels.csv")
    for index, row in enumerate(manifest["findings"]):
        assert row["present"] == sum(own.values[index] == 1 for own in labels.values())
        assert row["f1"]["value"] == known.extractors[0].parts[0].findings[index].f1.value
    card = (target / "README.md").read_text()
    assert all(f"| {name} |" in card for name in RAN_21) and "few: nothing is claimed" in card and known.digest in card
    sentences = {part.strip() for text in trial.texts.values() for part in text[0].split(".") if len(part) > 20}
    for file in target.iterdir():
        assert not [sentence for sentence in sentences if sentence in file.read_text()]
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(target), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(loaded) == len(labels) and set(loaded.column_names) > {"study_id", "status"}


def test_without_a_validation_the_card_says_so(trial: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = labelled(trial, tmp_path)
    assert main(["labels", "release", str(path), "--cohort", "small", "-o", str(tmp_path / "release")]) == 0
    assert "Not validated" in capsys.readouterr().out
    assert "Not validated" in (tmp_path / "release" / "README.md").read_text()


def test_labels_of_another_cohort_or_another_extractor_are_refused(trial: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = labelled(trial, tmp_path)
    labels = label_files.read(path)
    first = next(iter(labels))
    words = ["--cohort", "small", "-o", str(tmp_path / "release")]
    label_files.write(tmp_path / "more.csv", {**labels, "somebody-elses": labels[first]})
    assert main(["labels", "release", str(tmp_path / "more.csv"), *words]) != 0
    assert "somebody-elses" in capsys.readouterr().err
    turned = {name: label_files.from_rows(dict.fromkeys(RAN_21[:3], 1) | dict.fromkeys(RAN_21[3:], 0)) for name in labels}
    label_files.write(tmp_path / "turned.csv", turned)
    assert main(["labels", "release", str(tmp_path / "turned.csv"), *words]) != 0
    assert "decides this report otherwise" in capsys.readouterr().err
    assert not (tmp_path / "release").exists()


def test_a_credentialed_cohort_needs_the_typed_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = labelled(settled(access=Access.CREDENTIALED), tmp_path)
    words = ["labels", "release", str(path), "--cohort", "small", "-o", str(tmp_path / "release")]
    assert main(words) == 5 and "--agree" in capsys.readouterr().err and not (tmp_path / "release").exists()
    assert main([*words, "--agree", AGREEMENT]) == 0


def test_a_validation_of_another_extractor_is_refused(trial: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = labelled(trial, tmp_path)
    assert main(["extractor", "validate", "--standard", "trial", "--extractor", f"{path},title=file", "--alone"]) == 0
    other = next(results.root().glob("*/validation.json"))
    assert main(["labels", "release", str(path), "--cohort", "small", "--validation", str(other), "-o", str(tmp_path / "x")]) == 5
    assert "other extractors" in capsys.readouterr().err
