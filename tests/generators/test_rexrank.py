"""The adapter for ReXrank's entrants: a program by that board's contract is run, killed, continued; its faults are studies' failures."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generators.catalogue import Options, find, make
from generators.running.batching import LocalGenerator
from generators.running.inputs import inputs
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import UnavailableError, UsageError
from harness.types import Cohort, Generated
from ranscore.commands import main

INFERENCE = '''
"""A fake entrant: writes after each study, and continues what its output holds."""
import argparse, json, os, sys, time
parser = argparse.ArgumentParser()
parser.add_argument("--input_json_file"); parser.add_argument("--save_json_file"); parser.add_argument("--img_root_dir")
if sys.argv[1].startswith("--"):
    a = parser.parse_args(); given, saved, films = a.input_json_file, a.save_json_file, a.img_root_dir
else:
    given, saved, films = sys.argv[1:4]
with open("starts", "a") as log: log.write("start\\n")
mood = open("mood").read() if os.path.exists("mood") else ""
rows = json.load(open(given))
done = json.load(open(saved)) if os.path.exists(saved) else {}
for place, (name, row) in enumerate(rows.items()):
    if name in done: continue
    if mood == "dies at third" and name.endswith(open("third").read()): os._exit(9)
    if mood == "silent": sys.exit(0)
    if mood == "broken": sys.exit(3)
    if mood == "slow": time.sleep(0.15)
    with open("written", "a") as log: log.write(name + "\\n")
    size = os.path.getsize(os.path.join(films, row["key_image_path"]))
    text = "Findings:Heart of " + name + ", " + str(size) + " bytes, " + str(len(row["image_path"])) + " films.Impression:" + row["context"]
    done[name] = {**row, "model_prediction": 7 if mood == "number" and place == 1 else text}
    with open(saved + ".new", "w") as out: json.dump(done, out)
    os.replace(saved + ".new", saved)
'''


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Eight invented studies with films, in a folder of this module."""
    return build(8, seed=3, images=tmp_path_factory.mktemp("films"))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """An entrant's clone."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "inference.py").write_text(INFERENCE)
    return folder


def options(clone: Path, **settings: str) -> Options:
    return Options(settings={"run": f"{sys.executable} inference.py", "directory": str(clone), **settings})


def wrote(cohort: Cohort, chosen: Options, batch: int = 100) -> list[Generated]:
    writer = LocalGenerator(make(find("rexrank"), chosen), batch)
    return list(writer.write(inputs(cohort, cohort.scored, writer.needs)))


@pytest.mark.parametrize("way", ["named", "positional"])
@pytest.mark.parametrize("writes", ["findings", "impression", "both"])
def test_a_program_of_the_contract_writes_a_report_for_every_study(cohort: Cohort, clone: Path, way: str, writes: str) -> None:
    made = wrote(cohort, options(clone, arguments=way, writes=writes))
    for study, item in zip(cohort.scored, made, strict=True):
        size = (cohort.images / next(image.path for image in study.images if image.id == study.frontal)).stat().st_size  # type: ignore[operator]
        findings = f"Heart of {study.id}, {size} bytes, {1 + bool(study.lateral)} films."
        indication = f"Indication: {cohort.texts[study.id].indication}"
        assert not item.failure
        assert (findings in item.report) == (writes != "impression") and (indication in item.report) == (writes != "findings")
    assert (clone / "starts").read_text().count("start") == 1


def test_a_study_at_which_the_program_dies_is_its_failure_alone(cohort: Cohort, clone: Path) -> None:
    (clone / "mood").write_text("dies at third")
    third = cohort.scored[2].id
    (clone / "third").write_text(third)
    made = {item.study: item for item in wrote(cohort, options(clone))}
    assert [name for name, item in made.items() if item.failure] == [third]
    assert made[third].failure == "the program ended with code 9"


def test_what_is_no_text_is_a_failure_and_a_program_without_any_answer_ends_the_run(cohort: Cohort, clone: Path) -> None:
    (clone / "mood").write_text("number")
    made = wrote(cohort, options(clone))
    assert [item.failure for item in made if item.failure] == ["the program wrote no text as model_prediction"]
    for mood, message in (("broken", "ended with code 3 and wrote no prediction"), ("silent", "ended and wrote no prediction")):
        (clone / "mood").write_text(mood)
        with pytest.raises(UnavailableError, match=message):
            wrote(cohort, options(clone))
    with pytest.raises(UnavailableError, match="cannot be started"):
        wrote(cohort, Options(settings={"run": "/nowhere/python inference.py", "directory": str(clone)}))


def test_settings_are_checked_and_decide_the_digest(clone: Path) -> None:
    for wrong in ({"run": ""}, {"arguments": "guessed"}, {"writes": "poems"}, {"directory": "/nowhere"}, {"timeout": "0"}):
        with pytest.raises(UsageError):
            make(find("rexrank"), options(clone, **wrong))
    before = make(find("rexrank"), options(clone)).digest
    assert make(find("rexrank"), options(clone, folder="x", errors="y")).digest == before
    (clone / "inference.py").write_text(INFERENCE + "# changed")
    assert make(find("rexrank"), options(clone)).digest != before


def test_a_run_that_is_killed_continues_and_asks_no_study_twice(cohort: Cohort, clone: Path, tmp_path: Path) -> None:
    cohorts.save(cohort, tmp_path / "cohort")
    (clone / "mood").write_text("slow")
    out, folder = tmp_path / "reports.jsonl", tmp_path / "work"
    told = ["generate", "rexrank", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--batch", "100"]
    for setting in (f"run={sys.executable} inference.py", f"directory={clone}", f"folder={folder}"):
        told += ["--set", setting]
    child = subprocess.Popen([sys.executable, "-m", "ranscore", *told], stderr=subprocess.DEVNULL)
    while not (clone / "written").exists():
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    deadline = time.monotonic() + 60
    while main(told) == 4 and time.monotonic() < deadline:  # the program that was started lives on, and nobody disturbs it
        time.sleep(0.1)
    reports = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["study_id"] for row in reports] == [study.id for study in cohort.scored]
    assert all(row["report"].startswith("Heart of") for row in reports)
    assert sorted((clone / "written").read_text().split()) == sorted(study.id for study in cohort.scored)


def test_a_program_that_was_killed_with_its_parent_continues_from_its_own_output(cohort: Cohort, clone: Path, tmp_path: Path) -> None:
    chosen = options(clone, folder=str(tmp_path / "work"))
    (clone / "mood").write_text("dies at third")
    (clone / "third").write_text(cohort.scored[2].id)
    wrote(cohort, chosen)
    (clone / "mood").write_text("")
    made = wrote(cohort, chosen)
    assert not any(item.failure for item in made)
    assert (clone / "written").read_text().split().count(cohort.scored[0].id) == 1, "what was written is not asked again"
