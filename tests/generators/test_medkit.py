"""MedKit: nobody can run it, its authors' predictions can be scored; and the other systems that are not in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generators import not_runnable
from generators.adapters import medkit
from generators.catalogue import Options, find, make
from harness.cohorts import save
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, UnavailableError
from harness.records.paper_table import reported
from ranscore.commands import main

DOCS = Path(__file__).parents[2] / "docs" / "baselines.md"


def test_it_cannot_be_run_and_says_why() -> None:
    with pytest.raises(UnavailableError, match="medkit cannot be run: its repository holds neither model nor weights"):
        make(find("medkit"), Options())
    assert "MedKit" in {row.system for row in reported()}


def test_a_clone_is_told_exactly_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        make(find("medkit"), Options({"release": tmp_path}))
    assert [problem.what for problem in caught.value.problems][:5] == [f"{name}.py is not in the repository" for name in medkit.CODE]
    for name in medkit.CODE[1:]:
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "models" / "MedKit.py").write_text("")
    with pytest.raises(UnavailableError, match=r"the code is complete now.*a checkpoint"):
        make(find("medkit"), Options({"release": tmp_path}))


def test_its_authors_predictions_are_scored_by_study_or_by_film(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = build(studies=3, seed=1, images=tmp_path / "films")
    save(cohort, tmp_path / "cohort")
    first, second, third = cohort.scored
    film = next(image.path for image in second.images if image.id == second.frontal)
    predictions = tmp_path / "test_result.json"
    predictions.write_text(json.dumps({first.id: ["heart is enlarged ."], Path(film).stem: "no pleural effusion ."}))
    out = tmp_path / "reports.jsonl"
    command = ["generate", "medkit", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--weights", f"predictions={predictions}"]
    assert main(command) == 0
    assert "2 reports by medkit" in capsys.readouterr().out
    lines = {line["study_id"]: line for line in map(json.loads, out.read_text().splitlines())}
    assert lines[first.id]["report"] == "heart is enlarged ."
    assert lines[second.id]["report"] == "no pleural effusion ."
    assert lines[third.id] == {"study_id": third.id, "report": "", "failure": "the predictions hold no report of it"}
    assert main(["score", str(out), "--cohort", str(tmp_path / "cohort"), "--metrics", "ran-score", "--json"]) == 0


def test_predictions_of_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "test_result.json"
    for content, message in (("{", "not JSON"), ('{"a": ["x", "y"]}', "study 'a': the entry is no text"), ('{"a": 3}', "no text")):
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            medkit.read(path)
    path.write_text(json.dumps([{"study_id": "a", "report": "clear"}]))
    assert medkit.read(path) == {"a": "clear"}


def test_each_absent_system_has_its_reason_here_and_on_the_page() -> None:
    page = DOCS.read_text(encoding="utf-8")
    table = page[page.index("## Not in") : page.index("## Other doors")]
    named = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert named == {system.name for system in not_runnable.SYSTEMS}
    for system in not_runnable.SYSTEMS:
        assert system.unavailable
        assert system.unavailable in table, system.name
        with pytest.raises(UnavailableError, match=f"{system.name} cannot be run"):
            make(system, Options())


def test_every_system_of_the_paper_has_one_section_with_something_in_it() -> None:
    sections = [part.partition("\n") for part in DOCS.read_text(encoding="utf-8").split("\n## ")[1:]]
    for row in reported():
        found = [body for heading, _, body in sections if heading == row.system or heading.startswith(f"{row.system} ")]
        assert len(found) == 1, row.system
        assert len(found[0].split()) > 100, row.system
