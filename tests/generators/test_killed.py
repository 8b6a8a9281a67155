"""The real command with real systems, killed at any instant, here and on Ray: the file ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from generators.promptmrg import tiny
from generators.running.on_ray import check
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import UnavailableError
from harness.types import Access, StudyInput
from ranscore.commands import main

ROOT = Path(__file__).parents[2]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ranscore", "generate", *arguments, "--device", "cpu"]


def lines(out: Path) -> int:
    return out.read_bytes().count(b"\n") if out.exists() else 0


def wait_for(out: Path, count: int, child: subprocess.Popen[bytes]) -> None:
    """Until so many lines are written."""
    until = time.monotonic() + 120
    while lines(out) < count and child.poll() is None and time.monotonic() < until:
        time.sleep(0.002)


def quiet(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the command takes to run the trained baseline over 300 studies with films."""
    folder = tmp_path_factory.mktemp("trained")
    cohorts.save(build(studies=300, seed=4, train=30, dev=1, images=folder / "films"), folder / "cohort")
    assert main(["train-baseline", "--cohort", str(folder / "cohort"), "-o", str(folder / "model")]) == 0
    return ["trained-baseline", "--cohort", str(folder / "cohort"), "--weights", f"model={folder / 'model'}"]


@pytest.fixture(scope="module")
def promptmrg(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the command takes to run a tiny PromptMRG over 16 studies with films."""
    folder = tmp_path_factory.mktemp("promptmrg")
    (folder / "weights").mkdir()
    tiny.write(folder / "weights")
    cohorts.save(build(studies=16, seed=1, train=0, dev=0, images=folder / "films"), folder / "cohort")
    weights = [part for path in (folder / "weights").iterdir() for part in ("--weights", f"{path.name}={path}")]
    return ["promptmrg", "--cohort", str(folder / "cohort"), "--set", "size=tiny", *weights]


def test_ten_kills_of_the_trained_baseline_change_nothing(trained: list[str], tmp_path: Path) -> None:
    whole, out, chance = tmp_path / "whole.jsonl", tmp_path / "r.jsonl", random.Random(1)
    assert main(["generate", *trained, "-o", str(whole), "--device", "cpu"]) == 0
    kills = 0
    while kills < 10:
        child = quiet(command(*trained, "-o", str(out)))
        if kills % 5 == 4:
            time.sleep(0.5 * chance.random())  # while it starts, looks at the films or begins to write
        else:
            wait_for(out, lines(out) + chance.randint(1, 8), child)
            time.sleep(0.01 * chance.random())
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
        assert lines(out) < 300, "it ended before it was killed ten times"
    assert lines(out) > 0
    assert quiet(command(*trained, "-o", str(out))).wait() == 0
    assert out.read_bytes() == whole.read_bytes() and lines(out) == 300


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where Ray keeps its session: it puts a socket there, whose path must be short."""
    folder = Path(tempfile.mkdtemp(prefix="r"))
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def below(pid: int) -> dict[int, str]:
    """The processes that a process started, and those that they started, with their command lines."""
    found: dict[int, str] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            found[int(child)] = Path(f"/proc/{child}/cmdline").read_bytes().decode(errors="replace")
            found |= below(int(child))
        except OSError:
            continue
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="looks for Ray's processes in /proc")
@pytest.mark.slow
@pytest.mark.parametrize("system", ["trained", "promptmrg"])
def test_on_ray_the_file_is_the_same_though_an_actor_and_the_command_itself_were_killed(
    system: str, request: pytest.FixtureRequest, short: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    given = [*request.getfixturevalue(system), "--batch", "2"]
    whole, out = tmp_path / "whole.jsonl", tmp_path / "r.jsonl"
    assert main(["generate", *given, "-o", str(whole), "--device", "cpu"]) == 0
    total = lines(whole)
    # Begun without Ray, and killed within its second line.
    shutil.copy(whole.with_name("whole.jsonl.run.json"), out.with_name("r.jsonl.run.json"))
    out.write_bytes(whole.read_bytes()[: whole.read_bytes().index(b"\n") + 20])

    driver = quiet(command(*given, "-o", str(out), "--ray"))
    wait_for(out, 2, driver)
    started = below(driver.pid)
    actors = [pid for pid, name in started.items() if name.startswith("ray::_Writer")]
    os.kill(actors[0], signal.SIGKILL)
    assert len(actors) == 2 and lines(out) < total / 2
    wait_for(out, total // 2, driver)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL and lines(out) < total
    until = time.monotonic() + 60
    while any(map(alive, actors)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(alive, actors))
    for pid in filter(alive, started):
        os.kill(pid, signal.SIGKILL)  # two agents of Ray, which would notice within two minutes

    assert quiet(command(*given, "-o", str(out), "--ray")).wait() == 0
    assert out.read_bytes() == whole.read_bytes()
    assert out.with_name("r.jsonl.run.json").read_bytes() == whole.with_name("whole.jsonl.run.json").read_bytes()
    assert b"failure" not in whole.read_bytes()
    kept = [path for path in short.rglob("*") if path.is_file()]
    texts = {json.loads(line)["report"].encode() for line in whole.read_bytes().splitlines()}
    assert [path for path in kept if path.suffix == ".log"], "Ray wrote its logs elsewhere"
    assert not [path for path in kept for text in texts if text and text in path.read_bytes()]


def test_credentialed_films_go_to_a_cluster_only_for_a_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = build(studies=2, seed=1, train=0, dev=0)
    closed = cohorts.make(
        "closed", made.scored, made.texts, section=made.manifest.section, access=Access.CREDENTIALED, language="en", source="invented"
    )
    cohorts.save(closed, tmp_path / "cohort")
    arguments = ["--cohort", str(tmp_path / "cohort"), "-o", str(tmp_path / "r.jsonl"), "--ray", "ray://cluster.example.org:10001"]
    assert main(["generate", "rgrg", *arguments]) == 5
    assert "a Ray cluster sends them to other machines" in capsys.readouterr().err
    assert main(["generate", "constant-normal", *arguments]) == 2
    assert not (tmp_path / "r.jsonl").exists()


def test_a_film_that_is_not_on_an_actor_s_machine_ends_the_run_and_is_no_failure_of_its_study(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    studies = [StudyInput("a", frontal=tmp_path / "a.png"), StudyInput("b", frontal=tmp_path / "b.png", lateral=tmp_path / "c.png")]
    check(studies[:1])
    with pytest.raises(UnavailableError) as caught:
        check(studies)
    assert [(problem.study, Path(problem.file).name) for problem in caught.value.problems] == [("b", "b.png"), ("b", "c.png")]
