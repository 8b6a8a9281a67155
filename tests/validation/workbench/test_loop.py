"""The loop on a server whose answers obey the guidance: draft, try, look at errors, edit, try again, freeze."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from defusedxml import ElementTree
from scipy import stats

from harness.config.home import home
from harness.extractors.llm import pack as packs
from harness.findings import RAN_21
from harness.types import Access
from ranscore.commands import main
from tests.extractors.servers import Faulty
from tests.validation.extractors.conftest import settled
from tests.validation.readers.conftest import Made
from tests.validation.workbench.conftest import ITEMS, answer, pack
from validation.extractors import results
from validation.extractors.candidates import truth
from validation.workbench import drafts, drawing, parts, rounds, trying


def tried(capsys: pytest.CaptureFixture[str], server: Faulty, standard: str = "lung") -> dict[str, Any]:
    capsys.readouterr()
    assert pack(server, "try", "mine", "--standard", standard, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def of(done: dict[str, Any], finding: str, which: int = -1) -> dict[str, Any]:
    part = done["result"]["extractors"][which]["parts"][0]
    found: dict[str, Any] = next(item for item in part["findings"] if item["finding"] == finding)
    return found


def test_a_revision_is_asked_compared_and_shown_as_it_is(study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(server, "draft", "mine") == 0
    first = tried(capsys, server)
    items = first["result"]["standard"]["items"]
    assert len(server.bodies) == 20 * items and (first["round"], first["new"]) == (1, True)
    assert ITEMS // 2 <= items < ITEMS
    # A word that these reports do not use, and one that many use: all answers of this finding become 1 where "lungs" is said.
    assert pack(server, "edit", "mine", "fracture", "--add-word", "lung") == 0
    second = tried(capsys, server)
    assert second["asked"] == items == len(server.bodies) - 20 * items and second["round"] == 2
    test = second["result"]["pairs"][0]["accuracy"]["Fracture"]
    before, after = of(second, "Fracture", 0), of(second, "Fracture")
    wrong_before, wrong_after = (item["fp"] + item["fn"] for item in (before, after))
    assert wrong_before - wrong_after == test["only_second"] - test["only_first"] and test["only_first"] > 0
    n = test["only_first"] + test["only_second"]
    assert test["p"] == pytest.approx(stats.binomtest(test["only_first"], n).pvalue)
    assert test["smallest"] == pytest.approx(stats.binomtest(0, n).pvalue)
    assert second["result"]["pairs"][0]["accuracy"]["Edema"] == {"only_first": 0, "only_second": 0, "p": 1.0, "holm": 1.0, "smallest": 1.0}
    # Nothing changed: nothing is asked, and no round is added.
    again = tried(capsys, server)
    assert (again["new"], again["round"], len(server.bodies)) == (False, 2, 21 * items)
    assert pack(server, "edit", "mine", "fracture", "--remove-word", "lung") == 0
    third = tried(capsys, server)
    assert third["asked"] == 0 and of(third, "Fracture") == of(first, "Fracture")
    assert pack(server, "rounds", "mine", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["rounds"] == [1, 2, 3] and len(listed["findings"]["Fracture"]) == 3 and listed["looks"] == 0
    _drawn_as_listed(listed["findings"], capsys)


def _drawn_as_listed(findings: dict[str, list[list[float]]], capsys: pytest.CaptureFixture[str]) -> None:
    """The picture has a panel of each finding, with a dot for each round at the height that the table prints."""
    file = home() / "rounds.svg"
    assert main(["pack", "rounds", "mine", "-o", str(file)]) == 0 and str(file) in capsys.readouterr().out
    space = "{http://www.w3.org/2000/svg}"
    drawn = ElementTree.parse(file).getroot()
    assert drawn is not None
    panels = drawn.findall(f"{space}g")
    assert [panel.findtext(f"{space}text") for panel in panels] == list(findings) == list(RAN_21)
    bottom, top = drawing.TOP + drawing.PLOT_HIGH, drawing.TOP
    for panel, values in zip(panels, findings.values(), strict=True):
        for which, kind in enumerate("af"):
            dots = [dot for dot in panel.findall(f"{space}circle") if dot.get("class") == kind]
            heights = [(bottom - float(dot.get("cy") or "nan")) / (bottom - top) for dot in dots]
            assert heights == pytest.approx([value[which] for value in values], abs=0.001)
            assert [float(dot.get("cx") or "nan") for dot in dots] == [34, 154, 274]
    assert main(["pack", "rounds", "mine", "-o", "rounds.png"]) != 0
    assert "does not end in .svg" in capsys.readouterr().err


def test_four_fixed_and_one_broken_are_told_as_that(server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    """p of McNemar for 4 and 1 is 0.375; five changes cannot give less than 0.0625."""
    study = settled(90, "lung", items=40, repeats=0)
    assert pack(server, "draft", "mine") == 0
    known = drafts.load("mine")
    for finding in ("Atelectasis", "Support Devices", "Pleural Effusion", "Lung Opacity", "Cardiomegaly"):
        known = drafts.change(known, finding, lambda guide: replace(guide, words=("a word that nobody says",)))
    drafts.save(known)
    tried(capsys, server)
    finding, words = _words_that(study, fix=4, break_=1)
    assert pack(server, "edit", "mine", finding, "--add-word", words) == 0
    capsys.readouterr()
    assert pack(server, "try", "mine", "--standard", "lung") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.strip().startswith(finding))
    assert re.search(r"\s4\s+1\s+0\.375\s+0\.0625\s", line), line


def _words_that(study: Made, fix: int, break_: int) -> tuple[str, str]:
    """A finding and words that, said of it, make so many answers right and so many wrong."""
    tune, last = parts.part_of(_reference("lung"), parts.TUNE), rounds.of("mine").last()
    assert last is not None
    texts = {item.id: study.texts[item.id][0].lower() for item in tune.items}
    tokens = {name: re.findall(r"\w+", text) for name, text in texts.items()}
    phrases = sorted({" ".join(own[at : at + size]) for own in tokens.values() for at in range(len(own)) for size in (2, 3)})
    right = truth(tune)
    for column, finding in enumerate(RAN_21):
        silent = [index for index, item in enumerate(tune.items) if last.decisions[item.id][column] == "0" and right[index, column] != -1]
        if finding == "No Finding" or sum(right[index, column] for index in silent) < fix:
            continue
        for words in phrases:
            said = [index for index in silent if words in texts[tune.items[index].id]]
            said = [index for index in said if answer(f"Said with words such as: {words}.", texts[tune.items[index].id]) == "1"]
            if len(said) == fix + break_ and sum(right[index, column] for index in said) == fix:
                return finding, words
    raise AssertionError("no words do that")


def _reference(name: str) -> Any:
    from validation.extractors import reference

    return reference.load(name)


def test_errors_show_the_reports_of_tune_alone_and_tags_stay(study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(server, "draft", "mine") == 0 and pack(server, "edit", "mine", "fracture", "--add-word", "lung") == 0
    tried(capsys, server)
    assert pack(server, "errors", "mine", "fracture") == 0
    out = capsys.readouterr().out
    shown = re.findall(r"^\[(\d+)\]", out, re.MULTILINE)
    split = parts.split(_reference("lung"))
    item = {item.id: item for item in study.study.items}
    assert shown and all(split[item[name].patient] == parts.TUNE for name in shown)
    assert all(study.texts[name][0].strip() in out for name in shown)
    held = [name for name in item if split[item[name].patient] == parts.HELD]
    only_held = {study.texts[name][0].strip() for name in held} - {study.texts[name][0].strip() for name in item if name not in held}
    assert not [text for text in only_held if text in out]
    assert pack(server, "tag", "mine", "fracture", shown[0], "negation") == 0
    assert pack(server, "tag", "mine", "fracture", shown[0], "hedge") == 0
    capsys.readouterr()
    assert pack(server, "errors", "mine", "fracture") == 0
    assert (
        f"[{shown[0]}]" in (line := next(line for line in capsys.readouterr().out.splitlines() if line.startswith(f"[{shown[0]}]")))
        and "tag: hedge" in line
    )
    assert len(rounds.of("mine").tags()) == 2
    assert pack(server, "tag", "mine", "fracture", held[0], "hedge") == 2


def test_before_and_after_on_two_standards_or_two_models_is_refused(
    study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(server, "draft", "mine") == 0
    tried(capsys, server)
    settled(60, "other", items=20, repeats=0)
    asked = len(server.bodies)
    assert pack(server, "try", "mine", "--standard", "other") != 0
    assert "two standards are not compared" in capsys.readouterr().err and len(server.bodies) == asked
    words = ["pack", "try", "mine", "--standard", "lung", "--endpoint", server.url, "--model", "another", "--dialect", "openai"]
    assert main(words) != 0 and "asked of tiny" in capsys.readouterr().err
    assert pack(server, "draft", "yours") == 0
    assert pack(server, "try", "yours", "--standard", "other") == 0
    assert pack(server, "diff", "mine", "yours") != 0
    assert "not compared" in capsys.readouterr().err


def test_freeze_evaluates_held_once_and_signs_pack_and_validation(study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(server, "draft", "mine") == 0
    assert pack(server, "freeze", "mine") != 0 and "not tried yet" in capsys.readouterr().err
    tried(capsys, server)
    assert pack(server, "edit", "mine", "fracture", "--add-word", "broken bone") == 0
    assert pack(server, "freeze", "mine") != 0 and "not tried as it is now" in capsys.readouterr().err
    assert len(rounds.of("mine").looks()) == 0
    tried(capsys, server)
    assert pack(server, "freeze", "mine") == 0
    out = capsys.readouterr().out
    frozen = packs.load("mine")
    card: Any = frozen.card
    path = next(path for path in (home() / "validations").glob("*/validation.json"))
    validation = results.load(path)
    assert card["validation"] == validation.digest and card["seal"] in out and card["looks"] == "held part looked at 1 time"
    assert card["standard"] == validation.standard.digest and validation.standard.part == "held"
    held = {item.finding: [item.tp, item.fp, item.fn, item.tn] for item in validation.extractors[0].parts[0].findings}
    assert card["held"] == held and validation.standard.items + rounds.of("mine").rounds()[0].now.parts[0].items == ITEMS
    from harness.signature import digest as digest_of

    assert card["seal"] == digest_of([frozen.digest, validation.digest])
    assert "broken bone" in frozen.questions[[q.finding for q in frozen.questions].index("Fracture")].guidance
    assert pack(server, "edit", "mine", "fracture", "--add-word", "x") != 0 and "frozen" in capsys.readouterr().err
    assert pack(server, "draft", "next", "--from", "mine") == 0


LOOK = """
import os, signal, sys
from ranscore.commands import main
from validation.extractors import candidates
def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)
candidates.run = killed
sys.exit(main(sys.argv[1:]))
"""


def test_a_look_at_held_counts_although_the_program_is_killed_while_it_looks(
    study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pack(server, "draft", "mine") == 0
    tried(capsys, server)
    words = ["pack", "freeze", "mine", "--endpoint", server.url, "--model", "tiny", "--dialect", "openai"]
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", LOOK, *words], env={**os.environ, "PYTHONPATH": os.getcwd()}, capture_output=True, timeout=100
        )
        assert done.returncode == -signal.SIGKILL
    assert "mine" not in packs.names()
    assert pack(server, "freeze", "mine") == 0
    assert packs.load("mine").card["looks"] == "held part looked at 3 times"


@pytest.mark.parametrize("how", ["whole", "case and marks", "part of a longer sentence"])
def test_examples_that_repeat_a_report_are_refused_before_held_is_looked_at(
    how: str, study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]
) -> None:
    known = packs.load().questions
    every = " ".join(question.guidance for question in known).lower()
    sentences = {part.strip() for texts in study.texts.values() for part in texts[0].split(".")}
    sentence = max((part for part in sentences if part.lower() not in every), key=len)
    said = {
        "whole": sentence + ".",
        "case and marks": f"({sentence.upper()}!)",
        "part of a longer sentence": f"Seen here as well: {sentence}, somewhere",
    }[how]
    assert pack(server, "draft", "mine") == 0 and pack(server, "edit", "mine", "edema", "--add-yes", said) == 0
    tried(capsys, server)
    assert pack(server, "freeze", "mine") != 0
    error = capsys.readouterr().err
    assert "Edema" in error and "repeats a report" in error and sentence.lower() not in error.lower()
    assert len(rounds.of("mine").looks()) == 0 and "mine" not in packs.names()
    assert pack(server, "edit", "mine", "edema", "--remove-yes", said) == 0
    assert pack(server, "edit", "mine", "edema", "--add-yes", "Quite unlike whatever anybody has dictated: swollen interstitium.") == 0
    tried(capsys, server)
    assert pack(server, "freeze", "mine") == 0


def test_nothing_of_a_credentialed_report_is_kept_and_errors_need_the_agreement(server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    made = settled(90, "secret", items=30, repeats=0, access=Access.CREDENTIALED)
    assert pack(server, "draft", "mine") == 0 and pack(server, "edit", "mine", "fracture", "--add-word", "lung") == 0
    tried(capsys, server, "secret")
    assert pack(server, "errors", "mine", "fracture") != 0
    said = capsys.readouterr()
    assert "--agree" in said.err
    assert pack(server, "freeze", "mine") == 0
    capsys.readouterr()
    sentences = {part.strip() for texts in made.texts.values() for part in texts[0].split(".") if len(part) > 30}
    kept = [path for path in home().rglob("*") if path.is_file() and {"cohorts", "readers"}.isdisjoint(path.parts)]
    shipped = " ".join(question.guidance for question in packs.load().questions)
    sentences = {sentence for sentence in sentences if sentence not in shipped}
    assert len(kept) > 3 and len(sentences) > 10
    for path in kept:
        data = path.read_bytes()
        assert not [sentence for sentence in sentences if sentence.encode() in data], path.name
        assert "workbench" not in path.parts or path.stat().st_mode & 0o077 == 0
    assert not [sentence for sentence in sentences if sentence in said.out + said.err]


def test_the_split_is_one_for_a_standard_by_patient_and_has_rare_findings_on_both_sides() -> None:
    settled(90, "lung", items=40, repeats=0)
    standard = _reference("lung")
    split = parts.split(standard)
    assert split == parts.split(standard) and set(split) == {item.patient for item in standard.items}
    held = sum(part == parts.HELD for part in split.values())
    assert held == len(split) // 3
    tune, back = (parts.part_of(standard, part) for part in parts.PARTS)
    assert {item.patient for item in tune.items}.isdisjoint(item.patient for item in back.items)
    assert len(tune.items) + len(back.items) == 40 and tune.digest == back.digest == standard.digest
    common = RAN_21.index("Pleural Effusion")
    assert all(any(own.values[common] == 1 for own in part.labels.values()) for part in (tune, back))


def test_a_rounds_file_that_was_changed_is_refused(study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(server, "draft", "mine") == 0
    tried(capsys, server)
    path = home() / "workbench" / "mine" / "rounds" / "0001.json"
    path.write_text(path.read_text().replace('"tp": 1', '"tp": 2', 1))
    assert pack(server, "try", "mine", "--standard", "lung") != 0 and "0001.json" in capsys.readouterr().err


def test_the_joint_mode_says_that_it_asks_everything(study: Made, capsys: pytest.CaptureFixture[str]) -> None:
    def joint(server: Faulty, handler: Any, body: dict[str, Any]) -> None:
        names = [name for name in RAN_21 if name != "No Finding"]
        system = body["messages"][0]["content"]
        values = {}
        for name in packs.load(mode="joint").questions:
            block = system.partition(f"{name.title}\n")[2].partition("\n\n")[0]
            values[name.title] = int(answer(block, body["messages"][1]["content"]))
        assert set(values) == set(names)
        server.good(handler, body, json.dumps(values))

    with Faulty(joint, model="tiny") as server:
        assert pack(server, "draft", "mine", "--mode", "joint") == 0 and "asks all reports again" in capsys.readouterr().out
        items = tried(capsys, server)["result"]["standard"]["items"]
        assert len(server.bodies) == items
        assert pack(server, "edit", "mine", "fracture", "--add-word", "lung") == 0
        capsys.readouterr()
        assert pack(server, "try", "mine", "--standard", "lung") == 0
        assert "asks everything again" in capsys.readouterr().out and len(server.bodies) == 2 * items


def test_wrong_lists_what_readers_decided_otherwise(study: Made, server: Faulty, capsys: pytest.CaptureFixture[str]) -> None:
    assert pack(server, "draft", "mine") == 0
    done = tried(capsys, server)
    tune = parts.part_of(_reference("lung"), parts.TUNE)
    last = rounds.of("mine").last()
    assert last is not None
    for item in done["result"]["extractors"][0]["parts"][0]["findings"]:
        assert len(trying.wrong(tune, last.decisions, item["finding"])) == item["fp"] + item["fn"]
