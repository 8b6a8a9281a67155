"""The commands of `ranscore readers`, from drawing to a standard that `score` takes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.config.home import home
from harness.types import Access
from ranscore.commands import main
from tests.validation.readers.conftest import Made, cohort_of, study_of
from validation.readers import exchange, folder, questions, sheets, simulated, standard, texts


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["readers", *arguments])
    both = capsys.readouterr()
    return code, both.out + both.err


def saved(place: folder.Folder, target: Path, numbers: Sequence[int] = range(6)) -> list[Path]:
    """What six readers would save, from simulated answers."""
    study = place.study()
    from harness import cohorts

    labels = cohorts.load(study.cohort.name).labels
    paths = []
    for number in numbers:
        reader = study.readers[number]
        sheet = simulated.sheet(study, reader, labels, simulated.SIX[number], np.random.default_rng(number))
        path = target / f"{place.name}.{reader}.json"
        path.write_text(json.dumps(sheets.to_json(sheet)))
        paths.append(path)
    return paths


def test_from_a_cohort_to_labels_that_score_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = cohort_of(40)
    code, said = say(capsys, "new", "lung", "--cohort", "small", "--part", "dev", "--items", "20", "--threshold", "accuracy 0.9")
    assert code == 0 and "20 items, 6 readers, 4 equal answers decide" in said
    code, said = say(capsys, "sheets", "lung", "-o", str(tmp_path))
    assert code == 0 and len(list(tmp_path.glob("lung.reader-*.html"))) == 6
    place = folder.find("lung")
    files = saved(place, tmp_path)
    assert say(capsys, "take", "lung", *map(str, files[:5]))[0] == 0
    code, said = say(capsys, "status", "lung")
    assert code == 0 and said.count("complete") == 5 and "nothing submitted" in said
    for command in ("agree", "settle"):
        code, said = say(capsys, command, "lung")
        assert code == 5 and "reader-6" in said and "--interim" in said
    assert say(capsys, "take", "lung", str(files[5]))[0] == 0
    code, said = say(capsys, "agree", "lung")
    assert code == 0 and "AC1" in said and "Fleiss" in said and "cannot say" in said and "R6" in said
    code, said = say(capsys, "settle", "lung")
    assert code == 0 and standard.load(place.path)["digest"] in said
    assert standard.load(place.path)["looks"] == 0
    code, said = say(capsys, "check", "lung")
    assert code == 0 and "WRONG" not in said
    # The labels are what --reference-labels reads, and the cohort's own labels score well against them.
    from harness.formats import label_files

    reference = label_files.read(place.path / "labels.csv")
    label_files.write(tmp_path / "candidate.csv", {name: cohort.labels[name] for name in reference})
    assert main(["score", "--labels", str(tmp_path / "candidate.csv"), "--reference-labels", str(place.path / "labels.csv"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["metrics"][0]["parts"]["micro-f1"] > 0.95


def test_an_interim_look_is_written_into_the_standard_for_ever(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    made.hand_in(0, 1)
    assert say(capsys, "agree", "trial", "--interim")[0] == 0
    assert say(capsys, "agree", "trial")[0] == 5
    made.hand_in(2, 3, 4, 5)
    assert say(capsys, "settle", "trial")[0] == 0
    assert standard.load(made.folder.path)["looks"] == 1
    code, said = say(capsys, "check", "trial")
    assert code == 0 and "1 before all sheets were in" in said


def test_check_answers_no_where_something_was_changed(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    made.hand_in()
    assert say(capsys, "settle", "trial")[0] == 0
    path = made.folder.path / "labels.csv"
    path.write_text(path.read_text().replace(",0,", ",1,", 1))
    code, said = say(capsys, "check", "trial")
    assert code == 1 and "WRONG labels.csv" in said


def test_a_study_in_a_folder_elsewhere_can_be_checked(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.hand_in()
    say(capsys, "settle", "trial")
    shutil.move(made.folder.path, tmp_path / "received")
    shutil.rmtree(home() / "cohorts")
    code, said = say(capsys, "check", str(tmp_path / "received"))
    assert code == 0 and "is not on this machine" in said


def test_credentialed_text_goes_into_no_sheet_without_the_typed_agreement(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = study_of(cohort_of(30, access=Access.CREDENTIALED))
    assert (made.folder.path.stat().st_mode & 0o777) == 0o700
    for command in (["sheets"], ["serve"], ["export", "--text", "-o", str(tmp_path / "x")], ["practise"]):
        for agreed in ([], ["--agree", "yes"]):
            code, said = say(capsys, command[0], "trial", *command[1:], *agreed)
            assert code == 5 and texts.AGREEMENT in said, command
    assert say(capsys, "serve", "trial", "--host", "0.0.0.0", "--agree", texts.AGREEMENT)[0] == 5
    assert say(capsys, "sheets", "trial", "--agree", texts.AGREEMENT)[0] == 0
    assert all((path.stat().st_mode & 0o077) == 0 for path in (made.folder.path / "forms").iterdir())


@pytest.mark.parametrize("kind", exchange.FORMATS)
def test_answers_go_out_and_come_in_again_without_loss(kind: str, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made.hand_in()
    assert say(capsys, "export", "trial", "--format", kind, "-o", str(tmp_path))[0] == 0
    path = tmp_path / f"answers.{exchange.FORMATS[kind]}"
    words = path.read_text()
    assert not any(text in words for parts in made.texts.values() for text in parts), "no text without --text"
    kept = made.folder.counting()
    back = {sheet.reader: sheet for sheet in exchange.read(path, made.study)}
    assert back.keys() == kept.keys()
    for reader, sheet in back.items():
        assert {at: reply.values for at, reply in sheet.replies.items()} == {at: reply.values for at, reply in kept[reader].replies.items()}
        assert sheet.closed(made.study)
    other = study_of(made.cohort, "other")
    assert say(capsys, "import", "other", str(path))[0] == 0
    assert say(capsys, "settle", "other")[0] == 0
    assert say(capsys, "settle", "trial")[0] == 0
    assert standard.labels_of(other.folder.path) == standard.labels_of(made.folder.path)


def test_tasks_for_another_program_are_blind_and_come_back_answered(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(capsys, "export", "trial", "-o", str(tmp_path))[0] == 3, "nobody has answered"
    assert say(capsys, "export", "trial", "--format", "csv", "--text", "-o", str(tmp_path))[0] == 2
    assert say(capsys, "export", "trial", "--format", "label-studio", "--text", "-o", str(tmp_path))[0] == 0
    assert say(capsys, "export", "trial", "--format", "doccano", "--text", "-o", str(tmp_path))[0] == 0
    assert (tmp_path / "labels.xml").read_text().count("<Choices ") == 20
    for number, reader in enumerate(made.study.readers):
        path, lines = tmp_path / f"tasks.{reader}.json", tmp_path / f"tasks.{reader}.jsonl"
        tasks, documents = json.loads(path.read_text()), [json.loads(line) for line in lines.read_text().splitlines()]
        assert len(tasks) == len(documents) == len(made.study.orders[reader])
        for task, document in zip(tasks, documents, strict=True):
            assert task["annotations"] == [] and set(task["data"]) == {"reader", "position", "text"}
            assert document == task["data"] | {"label": []}
        meant = simulated.sheet(made.study, reader, made.cohort.labels, simulated.SIX[number], np.random.default_rng(number))
        words = {1: "present", 0: "absent", -1: "uncertain"}
        for task, document in zip(tasks, documents, strict=True):
            given = meant.replies[task["data"]["position"]].values
            results = [{"from_name": name, "value": {"choices": [words[int(value)]]}} for name, value in given.items()]
            task["annotations"] = [{"result": results}]
            document["label"] = [f"{name}: {words[int(value)]}" for name, value in given.items()]
        path.write_text(json.dumps(tasks))
        lines.write_text("".join(json.dumps(document) + "\n" for document in documents))
        for file in (path, lines):
            (back,) = exchange.read(file, made.study)
            assert {at: reply.values for at, reply in back.replies.items()} == {at: reply.values for at, reply in meant.replies.items()}
        assert say(capsys, "import", "trial", str(path))[0] == 0
    assert say(capsys, "settle", "trial")[0] == 0
    tasks[0]["data"]["position"] = 99
    path.write_text(json.dumps(tasks))
    code, said = say(capsys, "import", "trial", str(path))
    assert code == 3 and "no such position" in said


def test_tasks_of_a_rating_name_no_system(tmp_path: Path, made: Made) -> None:
    study = replace(
        made.study,
        form=questions.form("rating"),
        with_reference=True,
        items=tuple(replace(item, system="record-17", system_name="Secret Model") for item in made.study.items),
    )
    written = exchange.tasks(study, "label-studio", dict.fromkeys(made.texts, ("Original words.", "Generated words.")))
    assert len(written) == 7
    for content in written.values():
        assert not any(word in content for word in ("Secret Model", "record-17", *(item.study for item in study.items)))
    assert "The radiologist's report of the same film\\nOriginal words.\\n\\nReport\\nGenerated" in written["tasks.reader-1.json"]


def test_a_label_file_of_one_reader_is_imported(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.formats import label_files

    path = tmp_path / "one.csv"
    label_files.write(path, {item.study: made.cohort.labels[item.study] for item in made.study.items})
    assert say(capsys, "import", "trial", str(path), "--reader", "reader-2")[0] == 0
    sheet = made.folder.counting()["reader-2"]
    assert sheet.source == "import" and sheet.value(1, "Edema") in (0, 1)
    first = made.study.first_showings("reader-2")
    assert all(sheets.complete(made.study, sheet.replies[at]) for at in first.values())


def test_positive_labels_alone_leave_the_rest_open_or_absent_by_a_recorded_act(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "doccano.jsonl"
    path.write_text(
        "".join(json.dumps({"study_id": item.study, "label": ["Edema"], "reader": "reader-1"}) + "\n" for item in made.study.items)
    )
    open_, absent = (exchange.read(path, made.study, rest_absent=rest)[0] for rest in (False, True))
    assert open_.replies[1].values == {"Edema": 1} and open_.replies[1].rest == ()
    assert absent.value(1, "Fracture") == 0 and len(absent.replies[1].rest) == 19


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "study_id,reader,question,value\nnobody,reader-1,Edema,1\n"),
        ("b.csv", "study_id,reader,question,value\n{study},reader-9,Edema,1\n"),
        ("c.csv", "study_id,reader,question,value\n{study},reader-1,Edema,7\n"),
        ("d.csv", "study_id,reader,question,value\n{study},reader-1,Swelling,1\n"),
        (
            "e.json",
            '[{"data": {"study_id": "{study}", "reader": "reader-1"}, "annotations": [{"result": [{"from_name": "Edema", "value": {}}]}]}]',
        ),
        ("f.jsonl", '{"study_id": "{study}", "reader": "reader-1", "label": 5}\n'),
        ("g.json", "[]"),
        ("h.json", "[" * 50_000),
        ("i.csv", ""),
    ],
)
def test_a_file_of_another_program_that_is_wrong_is_refused_whole(
    name: str, content: str, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(content.replace("{study}", made.study.items[0].study))
    code, said = say(capsys, "import", "trial", str(path))
    assert code == 3 and str(path) in said and made.folder.hand_ins() == ()


def test_one_bad_file_keeps_the_others_out_and_is_named(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = saved(made.folder, tmp_path, [0])[0]
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    code, said = say(capsys, "take", "trial", str(good), str(bad))
    assert code == 3 and "bad.json" in said and made.folder.hand_ins() == ()


def test_listed_studies_take_the_place_of_a_draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohort = cohort_of(30)
    names = [study.id for study in cohort.scored[:7]]
    (tmp_path / "ids.txt").write_text("\n".join(names) + "\n")
    assert say(capsys, "new", "listed", "--cohort", "small", "--ids", str(tmp_path / "ids.txt"))[0] == 0
    assert [item.study for item in folder.find("listed").study().items] == names
    (tmp_path / "ids.txt").write_text(f"{names[0]}\n{names[0]}\n")
    assert say(capsys, "new", "twice", "--cohort", "small", "--ids", str(tmp_path / "ids.txt"))[0] == 3


def test_the_demonstration_shows_every_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = say(capsys, "demo", "--items", "60")
    assert code == 0
    for words in ("with oneself", "Cohen's kappa", "settled", "good", "An exercise"):
        assert words in said
    assert "WRONG" not in said


def test_an_unknown_study_names_those_that_are_there(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = say(capsys, "status", "nowhere")
    assert code == 2 and "there are trial" in said
