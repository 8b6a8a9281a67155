"""`ranscore card`: every system that can run, from film to board, in one command."""

from __future__ import annotations

import json
import sys
from itertools import combinations
from pathlib import Path

import pytest

from generators import tiny
from generators.weights import RANDOM
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.config.home import home, pip_install
from harness.records.snapshot import newest
from harness.records.store import Store
from harness.types import Role
from leaderboard.content import load
from ranscore.commands import main

TEXT = ["--metrics", "ran-score,bleu"]


def test_the_whole_card_runs_ranks_and_continues(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(build(studies=80, seed=6, images=tmp_path / "films", train=400, dev=1), tmp_path / "cohort")
    assert main(["train-baseline", "--cohort", str(tmp_path / "cohort")]) == 0
    arguments = ["card", "--cohort", str(tmp_path / "cohort"), "-o", str(tmp_path / "out"), *TEXT, "--systems"]
    names = "references,trained-baseline,constant-normal,all-findings,shuffled-references"
    assert main([*arguments, names]) == 0
    shown = capsys.readouterr().out
    assert "[2 of 5] trained-baseline" in shown and "80 of 80" in shown
    assert "trained-baseline" in (tmp_path / "out" / "site" / "index.html").read_text()
    (board,) = load(Store(tmp_path / "out" / "store"))
    order = [row.name for row in board.rows]
    assert order[:2] == ["references", "trained-baseline"] and set(order[2:]) == {"constant-normal", "all-findings", "shuffled-references"}
    assert board.rows[1].place is not None and board.rows[1].place.rank == 1
    lines = (tmp_path / "out" / "reports" / "trained-baseline.jsonl").read_text().splitlines()
    assert len(lines) == 80 and json.loads(lines[0])["report"]
    assert main([*arguments, names]) == 0
    assert capsys.readouterr().out.count("was scored before") == 5
    assert len(Store(tmp_path / "out" / "store").all()) == 5
    # Other metrics: the reports stay, the scores are made again, and the board shows the newer records.
    assert main([*arguments[:-3], "--metrics", "ran-score,rouge-l", "--systems", names]) == 0
    assert "80 reports were there already" in capsys.readouterr().out
    assert len(Store(tmp_path / "out" / "store").all()) == 10 and len(load(Store(tmp_path / "out" / "store"))[0].rows) == 5


def test_a_system_that_cannot_run_is_left_out_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(build(studies=20, seed=6), tmp_path / "cohort")
    arguments = ["card", "--cohort", str(tmp_path / "cohort"), "-o", str(tmp_path / "out"), *TEXT]
    assert main([*arguments, "--systems", "trained-baseline,constant-normal"]) == 1
    shown = capsys.readouterr().out
    assert "left out: trained-baseline needs model" in shown and "Left out, with the reasons above: trained-baseline" in shown
    assert [row.name for row in load(Store(tmp_path / "out" / "store"))[0].rows] == ["constant-normal"]
    # Where none is named only what can run is tried: the floors that need no film, and the ceiling.
    assert main(arguments) == 0
    assert "4 systems" in capsys.readouterr().out


def test_a_fault_in_a_systems_own_code_leaves_it_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("the patient's name")

    monkeypatch.setattr("generators.baseline.trained.load", broken)
    assert main(["card", "--tiny", "--studies", "6", "-o", str(tmp_path), *TEXT, "--systems", "trained-baseline,references"]) == 1
    said = capsys.readouterr()
    assert "left out: ZeroDivisionError; `ranscore systems check trained-baseline`" in said.out
    assert "the patient's name" not in said.out + said.err
    assert [row.name for row in load(Store(tmp_path / "store"))[0].rows] == ["references"]


def test_on_the_light_install_the_package_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["card", "--tiny", "--studies", "6", "-o", str(tmp_path), *TEXT, "--systems", "promptmrg,references"]) == 1
    said = capsys.readouterr().out
    lacking = f"promptmrg needs the package torch, which is not installed. Run `{pip_install('torch')}`"
    assert f"left out: {lacking}" in said
    assert tiny.main(["promptmrg", str(tmp_path / "weights")]) == 4
    assert f"generators.tiny: {lacking}" in capsys.readouterr().err


def test_random_weights_never_stand_under_a_released_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody leaves tiny weights where the card looks for released ones."""
    tiny.write("r2gengpt", home() / "weights" / "r2gengpt")
    cohorts.save(build(studies=4, seed=6, images=tmp_path / "films", train=0, dev=0), tmp_path / "cohort")
    arguments = ["card", "--cohort", str(tmp_path / "cohort"), "-o", str(tmp_path / "out"), *TEXT]
    assert main([*arguments, "--systems", "r2gengpt,references"]) == 1
    assert "random numbers by `generators.tiny`, not what was released. Remove them, or give --tiny" in capsys.readouterr().out
    main(["systems", "list", "--json"])
    listed = {item["name"]: item for item in json.loads(capsys.readouterr().out)["systems"]}
    assert [item["random"] for item in listed["r2gengpt"]["weights"]] == [True] * 3
    assert not any(item["random"] for item in listed["xraygpt"]["weights"])
    # Moved out of the marked folder one by one they are still known by the folders among them.
    for path in tiny.given("r2gengpt", home() / "weights" / "r2gengpt").values():
        path.rename(tmp_path / path.name)
    (home() / "weights" / "r2gengpt" / RANDOM).unlink()
    weights = [f"--weights={name}={tmp_path / name}" for name in ("checkpoint", "swin", "llama")]
    assert main(["generate", "r2gengpt", "--cohort", str(tmp_path / "cohort"), "-o", str(tmp_path / "r.jsonl"), *weights]) == 0
    assert "4 reports by r2gengpt (random weights)" in capsys.readouterr().out
    assert json.loads((tmp_path / "r.jsonl.run.json").read_text())["system"] == "r2gengpt (random weights)"


def test_a_card_needs_a_cohort_or_tiny_and_keeps_its_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", "-o", str(tmp_path)]) == 2
    assert "ranscore card --tiny -o DIR" in capsys.readouterr().err
    arguments = ["card", "--tiny", "-o", str(tmp_path), *TEXT, "--systems", "references", "--studies"]
    assert main([*arguments, "5"]) == 0
    assert main([*arguments, "6"]) == 5
    assert "holds a card of 5 studies, not of 6" in capsys.readouterr().err


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing prepared, every system."""
    folder = tmp_path_factory.mktemp("card")
    assert main(["card", "--tiny", "--studies", "24", "-o", str(folder), *TEXT]) == 0
    return folder


@pytest.mark.slow
def test_the_board_of_random_weights_says_what_is_true(whole: Path) -> None:
    """Ceiling; trained system, significantly above all others; then floors and random weights among each other, at chance."""
    (board,) = load(Store(whole / "store"))
    assert [row.name for row in board.rows[:2]] == ["references", "trained-baseline"]
    place = board.rows[1].place
    assert place is not None and (place.rank, place.low, place.high) == (1, 1, 1)
    others = [row.name for row in board.rows[2:]]
    p = separation(whole)
    assert [name for name in others if p["trained-baseline", name] >= 0.05] == []
    random = [name for name in others if name.endswith("(random weights)")]
    score = {row.name: row.cells[board.columns[0].key].value for row in board.rows}
    chance = "shuffled-references"
    assert [name for name in random if p[chance, name] < 0.05 and score[name] > score[chance]] == [], "better than another patient's report"
    places = [row.place for row in board.rows[2:] if row.place]
    assert len(places) == len(random) and min(place.rank for place in places) == 2
    # One block: floors stand above and below random weights.
    assert min(map(others.index, random)) < others.index("constant-normal")
    assert others.index("all-findings") < max(map(others.index, random))


def separation(folder: Path) -> dict[tuple[str, str], float]:
    """By two names the p of the board's own test, either way round."""
    kept = Store(folder / "store")
    name = {item.id: item.record.system.name for item in kept.all()}
    first = kept.all()[0].record
    found = newest(kept.root, first.cohort.digest, first.metrics[0].signature)
    assert found is not None
    metric = found.metric(first.metrics[0].signature)
    assert metric is not None
    pairs = combinations([name[item] for item in metric.systems], 2)
    known = dict(zip(pairs, metric.tests["macro-f1"].p, strict=True))
    return known | {(other, one): value for (one, other), value in known.items()}


@pytest.mark.slow
def test_every_system_stands_on_the_card_of_random_weights(whole: Path) -> None:
    (board,) = load(Store(whole / "store"))
    ranked = {row.name for row in board.rows if row.role is Role.SYSTEM}
    assert ranked == {"trained-baseline", *(f"{name} (random weights)" for name in tiny.systems())}
    assert {row.name for row in board.rows} - ranked == {
        *("references", "constant-normal", "all-findings", "shuffled-references", "nearest-neighbour")
    }
    page = (whole / "site" / "index.html").read_text()
    assert all(row.name in page for row in board.rows)
