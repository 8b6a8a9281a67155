"""The run loop: order, resumption after kills, failures, refusals; and the floors."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import PIL
import pytest

from generators.bounds.floors import BOUNDS, bound, bounds_of
from generators.running import loop
from generators.running.batching import LocalGenerator
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.errors import InputError, RefusedError
from harness.formats import reports
from harness.records.store import Store
from harness.types import Cohort, Generated, Section, StudyInput
from ranscore.commands import main


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """A small synthetic cohort without films."""
    return build(studies=30, seed=1)


@dataclass(frozen=True)
class Echo:
    """Writes the study's id; fails on demand."""

    name: str = "echo"
    digest: str = "0" * 64
    needs: frozenset[str] = frozenset()
    writes: Section = Section.BOTH
    exact_batches: bool = True
    pause: float = 0.0
    bad: str = ""

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        if self.bad in {study.id for study in studies}:
            raise ValueError("quotes text")
        time.sleep(self.pause)
        return [Generated(study.id, f"report of {study.id}") for study in studies]


def plan(cohort: Cohort, generator: Echo) -> loop.Plan:
    return loop.Plan(generator.name, generator.digest, cohort.manifest.digest, tuple(s.id for s in cohort.scored), "cpu", "float32")


def write(cohort: Cohort, out: Path, generator: Echo, batch: int = 4) -> loop.Outcome:
    return loop.run(LocalGenerator(generator, batch), cohort, cohort.scored, out, plan(cohort, generator))


def test_every_study_gets_a_line_in_order(cohort: Cohort, tmp_path: Path) -> None:
    assert write(cohort, tmp_path / "r.jsonl", Echo()) == loop.Outcome(30, 0, 0, 0)
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [line["study_id"] for line in lines] == [study.id for study in cohort.scored]
    assert write(cohort, tmp_path / "r.jsonl", Echo()).resumed == 30


def test_a_fault_is_one_study_s_failure_and_quotes_nothing(cohort: Cohort, tmp_path: Path) -> None:
    bad = cohort.scored[5].id
    assert write(cohort, tmp_path / "r.jsonl", Echo(bad=bad)).failed == 1
    lines = {item["study_id"]: item for item in map(json.loads, (tmp_path / "r.jsonl").read_text().splitlines())}
    assert lines[bad] == {"study_id": bad, "report": "", "failure": "ValueError"}
    assert len(lines) == 30


def test_a_line_cut_short_is_written_again(cohort: Cohort, tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    write(cohort, whole, Echo())
    out = tmp_path / "r.jsonl"
    write(cohort, out, Echo())
    out.write_bytes(out.read_bytes()[:333])
    write(cohort, out, Echo())
    assert out.read_bytes() == whole.read_bytes()


def test_another_systems_file_is_not_continued(cohort: Cohort, tmp_path: Path) -> None:
    write(cohort, tmp_path / "r.jsonl", Echo())
    with pytest.raises(RefusedError, match="other generator"):
        write(cohort, tmp_path / "r.jsonl", Echo(digest="1" * 64))
    lines = (tmp_path / "r.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "r.jsonl").write_bytes(b"".join(lines[:3] + lines[4:]))
    with pytest.raises(RefusedError, match="lines were taken out"):
        write(cohort, tmp_path / "r.jsonl", Echo())
    (tmp_path / "own.jsonl").write_text("{}\n")
    with pytest.raises(RefusedError, match="begun by another run"):
        write(cohort, tmp_path / "own.jsonl", Echo())


def test_a_run_over_the_first_studies_is_continued_over_more(cohort: Cohort, tmp_path: Path) -> None:
    def first(count: int | None) -> loop.Outcome:
        studies = loop.chosen(cohort, count)
        wanted = replace(plan(cohort, Echo()), studies=tuple(study.id for study in studies))
        return loop.run(LocalGenerator(Echo(), 4), cohort, studies, tmp_path / "r.jsonl", wanted)

    write(cohort, tmp_path / "whole.jsonl", Echo())
    assert [first(count).resumed for count in (5, 9, 9, None)] == [0, 5, 9, 9]
    for name in ("r.jsonl", "r.jsonl.run.json"):
        assert (tmp_path / name).read_bytes() == (tmp_path / name.replace("r.", "whole.", 1)).read_bytes()
    with pytest.raises(RefusedError, match="other studies"):
        first(5)


def test_all_missing_films_are_named_before_the_first_is_read(cohort: Cohort, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not name the folder of its films"):
        write(cohort, tmp_path / "a.jsonl", Echo(needs=frozenset({"frontal"})))
    with pytest.raises(InputError, match=r"is not there.*\n[\s\S]*and 10 more films"):
        write(replace(cohort, images=tmp_path), tmp_path / "b.jsonl", Echo(needs=frozenset({"frontal"})))


def test_shards_share_a_cohort_without_overlap(cohort: Cohort) -> None:
    parts = [loop.chosen(cohort, shard=(index, 3)) for index in range(3)]
    assert sorted(study.id for part in parts for study in part) == [study.id for study in cohort.scored]
    assert len(loop.chosen(cohort, limit=4)) == 4


def test_ten_kills_change_nothing(cohort: Cohort, tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    write(cohort, whole, Echo())
    code = (
        "import sys; from pathlib import Path; from tests.generators.test_run import Echo, write; from harness.cohorts.synthetic.cohort import build\n"
        "print('ready', flush=True); write(build(studies=30, seed=1), Path(sys.argv[1]), Echo(pause=0.02), batch=1)"
    )
    out = tmp_path / "r.jsonl"
    root = Path(__file__).parents[2]
    for number in range(10):
        child = subprocess.Popen([sys.executable, "-c", code, str(out)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.3 + 0.031 * number)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    write(cohort, out, Echo())
    assert out.read_bytes() == whole.read_bytes()


def test_bounds_cover_every_study(cohort: Cohort) -> None:
    assert set(bounds_of(cohort)) == BOUNDS.keys() - {"nearest-neighbour"}
    for name in bounds_of(cohort):
        assert set(bound(name, cohort).reports) == {study.id for study in cohort.scored}
    assert len(set(bound("constant-normal", cohort).reports.values())) == 1
    shuffled = bound("shuffled-references", cohort)
    assert sorted(shuffled.reports.values()) == sorted(cohort.reference(study.id) for study in cohort.scored)
    assert shuffled.digest == bound("shuffled-references", cohort).digest != bound("shuffled-references", cohort, 1).digest


def test_the_command_generates_and_lists(cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(cohort, tmp_path / "cohort")
    out = tmp_path / "r.jsonl"
    assert main(["generate", "constant-normal", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--shard", "2/3"]) == 0
    assert "10 reports by constant-normal" in capsys.readouterr().out
    assert len(out.read_text().splitlines()) == 10
    assert main(["systems", "list"]) == 0
    assert "shuffled-references" in capsys.readouterr().out
    assert main(["generate", "constant-norma", "--cohort", str(tmp_path / "cohort"), "-o", str(out)]) == 2
    assert "did you mean 'constant-normal'" in capsys.readouterr().err
    assert main(["generate", "constant-normal", "--cohort", str(tmp_path / "cohort"), "-o", str(out), "--shard", "4/3"]) == 2


def test_a_damaged_film_is_named_before_the_first_is_read(tmp_path: Path) -> None:
    cohort = build(studies=3, seed=1, images=tmp_path / "films")
    broken = next(iter(cohort.scored))
    path = tmp_path / "films" / next(image.path for image in broken.images if image.id == broken.frontal)
    path.write_bytes(b"\x89PNG\r\n")
    with pytest.raises(InputError, match=rf"study '{broken.id}': it is not a PNG, JPEG or DICOM film"):
        write(cohort, tmp_path / "r.jsonl", Echo(needs=frozenset({"frontal"})))


@dataclass(frozen=True)
class Odd(Echo):
    """Writes what JSON may hold raw and some programs take for the end of a line, and control characters."""

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        return [Generated(study.id, f"Clear.\u2028No\u0085 effusion.\u2029\x1c Normal\x00 heart of {study.id}.\r\n") for study in studies]


def test_a_report_with_every_kind_of_line_end_is_one_line(cohort: Cohort, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "r.jsonl"
    write(cohort, whole, Odd())
    write(cohort, out, Odd())
    out.write_bytes(out.read_bytes()[:1000])
    assert write(cohort, out, Odd()).resumed > 3
    assert out.read_bytes() == whole.read_bytes()
    found = reports.read(out, {study.id for study in cohort.scored}).reports
    first = cohort.scored[0].id
    assert found[first] == f"Clear.\u2028No effusion.\u2029 Normal heart of {first}.\r\n" and len(found) == 30


def test_the_bounds_are_scored_and_stored_by_a_command(cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(cohort, tmp_path / "cohort")
    assert main(["floors", "--cohort", str(tmp_path / "cohort"), "--metrics", "ran-score", "--store", str(tmp_path / "store")]) == 0
    said = {line.split()[0]: line.split()[-1] for line in capsys.readouterr().out.splitlines() if line.strip()}
    # Not 1: some findings are present in none of the thirty studies, and their F1 counts as 0.
    assert said["references"] == max(said[name] for name in bounds_of(cohort)) > said["shuffled-references"] > "0.000"
    assert {stored.record.system.name for stored in Store(tmp_path / "store").all()} == set(bounds_of(cohort))


def test_the_versions_that_a_text_can_depend_on_are_recorded_and_may_change(cohort: Cohort, tmp_path: Path) -> None:
    out = tmp_path / "reports.jsonl"
    assert write(cohort, out, Echo()).resumed == 0
    beside = tmp_path / "reports.jsonl.run.json"
    recorded = json.loads(beside.read_text())
    assert recorded["libraries"]["pillow"] == PIL.__version__ and recorded["libraries"]["numpy"] == np.__version__
    beside.write_text(json.dumps(recorded | {"libraries": {"pillow": "9.5.0"}}))
    assert write(cohort, out, Echo()).resumed == 30
