"""ReXrank's JSON both ways: its lists as cohorts, its prediction files as reports, and a submission for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import cohorts
from harness.cohorts import rexrank as builder
from harness.cohorts.mimic.ids import read_ids
from harness.cohorts.openi import official_test
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError
from harness.formats import reports, rexrank
from ranscore.commands import main


def study(number: int, **changed: Any) -> dict[str, Any]:
    """A study with every field that ReXrank's page on its data names."""
    findings, impression = f"The heart number {number} is large.", f"Cardiomegaly {number}."
    made = {
        "key_image_path": f"{number}/1.png",
        "image_path": [f"{number}/0.png", f"{number}/1.png"],
        "report": f"Findings: {findings} Impression: {impression}",
        "section_findings": findings,
        "section_impression": impression,
        "split": "test",
        "frontal_lateral": ["Lateral", "Frontal"],
        "context": "<context>Age:50-60.Gender:M.Indication: chest pain. Comparison: None.</context>",
    }
    return made | changed


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., Path]:
    def write(change: Callable[[dict[str, Any]], object] = lambda rows: None, name: str = "list.json") -> Path:
        rows = {name: study(number) for number, name in enumerate(official_test().values())}
        change(rows)
        path = tmp_path / name
        path.write_text(json.dumps(rows))
        return path

    return write


def test_the_list_is_a_cohort_of_the_590_studies(listed: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = listed()
    assert main(["cohort", "build", "rexrank-iu", "--list", str(path)]) == 0
    made = cohorts.load("rexrank-iu")
    assert {item.id for item in made.scored} == set(official_test().values())
    first = made.scored[0]
    shown = {image.id: image for image in first.images}
    assert shown[first.frontal].path.endswith("/1.png") and shown[first.lateral].path.endswith("/0.png")
    assert made.texts[first.id].indication == "chest pain." and made.texts[first.id].comparison == "None."
    assert made.manifest.access == "open" and made.reference(first.id).startswith("The heart number")


def test_everything_that_is_wrong_with_a_list_is_named_at_once(listed: Callable[..., Path], tmp_path: Path) -> None:
    names = list(official_test().values())

    def harm(rows: dict[str, Any]) -> None:
        del rows[names[0]]
        rows["CXR99999_IM-1"] = study(1)
        rows[names[1]]["section_findings"] = " "

    with pytest.raises(InputError) as caught:
        builder.build(listed(harm))
    assert [problem.study for problem in caught.value.problems] == [names[0], "CXR99999_IM-1", names[1]]

    def break_fields(rows: dict[str, Any]) -> None:
        rows[names[0]] = ["no object"]
        rows[names[1]]["section_findings"] = 7
        rows[names[2]]["image_path"] = ["../../secret.png"]
        rows[names[3]]["image_path"] = "0.png"

    with pytest.raises(InputError) as caught:
        builder.build(listed(break_fields))
    assert {problem.study for problem in caught.value.problems} == set(names[:4])
    for text in ("[1]", "{", "7", '{"a": {}, "a": {}}', "{}"):
        (tmp_path / "odd.json").write_text(text)
        with pytest.raises(InputError, match=r"odd\.json"):
            builder.build(tmp_path / "odd.json")


@pytest.mark.parametrize(
    ("prediction", "findings", "impression"),
    [
        ("Findings:The lungs are clear.Impression:No acute process.", "The lungs are clear.", "No acute process."),
        ("FINDINGS: Clear.\n\nIMPRESSION: Normal.", "Clear.", "Normal."),
        ("The lungs are clear.", "The lungs are clear.", ""),
        ("Clear lungs. Impression: Normal.", "Clear lungs.", "Normal."),
        ("Impression: Normal.", "", "Normal."),
        ("", "", ""),
    ],
)
def test_a_prediction_has_sections(prediction: str, findings: str, impression: str, tmp_path: Path) -> None:
    assert rexrank.sections(prediction) == (findings, impression)
    path = tmp_path / "prediction.json"
    path.write_text(json.dumps({"50051329": study(1, model_prediction=prediction)}))
    read = reports.read(path).reports["50051329"]
    assert read == "\n".join(filter(None, (findings, impression)))
    assert "heart number" not in read, "the reference beside it is not read"


def test_a_list_without_predictions_is_no_reports_file(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps({"50051329": study(1)}))
    with pytest.raises(InputError, match="an object, not text"):
        reports.read(path)


def test_a_submission_has_the_published_fields_and_reads_back(listed: Callable[..., Path], tmp_path: Path) -> None:
    cohort = builder.build(listed())
    cohorts.save(cohort, tmp_path / "cohort")
    written = {item.id: f"No effusion in {item.id}." for item in cohort.scored[:500]}
    reports.write(tmp_path / "reports.jsonl", written)
    out = tmp_path / "submission.json"
    told = ["rexrank", "export", str(tmp_path / "reports.jsonl"), "--cohort", str(tmp_path / "cohort"), "-o", str(out)]
    assert main(told) == 0
    made = json.loads(out.read_text())
    example = study(1, model_prediction="text")  # the fields of MoERad's published results/iu_xray/MoERad.json
    assert len(made) == 590
    for name, row in made.items():
        assert {key: type(value) for key, value in row.items()} == {key: type(value) for key, value in example.items()}
        assert row["model_prediction"] == written.get(name, "") and row["section_findings"] == cohort.texts[name].findings
    assert {name: text for name, text in reports.read(out).reports.items() if text} == written
    assert main(told) == 5, "a file that is there is not overwritten"


def test_a_submission_of_credentialed_reports_holds_no_reference_and_is_private(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    from harness.types import Access

    made = build(3, seed=1)
    closed = replace(made, manifest=replace(made.manifest, access=Access.CREDENTIALED))
    row = rexrank.submission(closed, {}, references=False)
    assert all(not item["section_findings"] and not item["section_impression"] and not item["report"] for item in row.values())


def test_the_ids_of_mimic_are_read_from_its_list_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "ReXRank_MIMICCXR_test.json"
    path.write_text(json.dumps({"50051329": study(1), "p10046166_s53492798": study(2), "s57379357": study(3)}))
    assert read_ids(path) == [(1, "50051329"), (2, "53492798"), (3, "57379357")]
    path.write_text(json.dumps({"CXR1_IM-0001": study(1)}))
    with pytest.raises(InputError, match="key 1 names no study of MIMIC-CXR"):
        read_ids(path)
