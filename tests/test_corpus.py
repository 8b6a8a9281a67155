"""Labelling whole files: what is read, what is refused, resuming, killing, Ray."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.errors import InputError, RefusedError, UnavailableError, UsageError
from harness.extractors import extractor, recorded
from harness.extractors.llm.extractor import LLM
from harness.findings import RAN_21
from harness.formats import label_files
from harness.formats import reports as reports_file
from harness.labelling import corpus
from harness.labelling.on_ray import OnRay
from harness.types import Labels, ReportStatus, Status
from ranscore.commands import main
from tests.extractors.servers import Faulty, reports

LINES = [("b", 'The heart is big, "very"\nbig.'), ("a", "Normal."), ("c", "")]


class Counting:
    """An extractor for files without a model: the number of letters decides."""

    name = "counting"
    vocabulary = "ran-21"
    digest = "00" * 32

    def __init__(self) -> None:
        self.texts: list[str] = []

    def extract(self, texts: Sequence[str]) -> list[Labels]:
        self.texts += texts
        if any("STOP" in text for text in texts):
            raise UnavailableError("stopped")
        return [
            Labels((len(text) % 2,) * 21, (Status.OK,) * 21) if text else Labels((None,) * 21, (Status.OK,) * 21, ReportStatus.EMPTY)
            for text in texts
        ]


def written(path: Path, rows: Sequence[tuple[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("study_id", "report"), *rows])
    return path


def test_every_format_gives_the_same_rows_in_the_files_order(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    one = written(tmp_path / "a.csv", LINES)
    two = tmp_path / "a.jsonl"
    two.write_text("\n".join(json.dumps({"Study_ID": name, "report": text or None, "more": 1}) for name, text in LINES) + "\n\n")
    three = tmp_path / "a.parquet"
    pq.write_table(pa.table({"study_id": [name for name, _ in LINES], "x": [1, 2, 3], "report": [text for _, text in LINES]}), three)
    assert [list(reports_file.rows(path)) for path in (one, two, three)] == [LINES] * 3
    four, five = tmp_path / "b.csv", tmp_path / "b.jsonl"
    four.write_text('impression,study_id,findings\nClear.,s,"Big heart."\n,t,Lungs.\n')
    five.write_text(
        '{"study_id": "s", "findings": "Big heart.", "impression": "Clear."}\n{"study_id": "t", "findings": "Lungs.", "impression": null}'
    )
    assert list(reports_file.rows(four)) == [("s", "Big heart.\nClear."), ("t", "Lungs.")] == list(reports_file.rows(five))
    for out in (tmp_path / "out.csv", tmp_path / "out.parquet"):
        assert corpus.label(one, out, Counting(), chunk=2) == 3
        found = label_files.read(out)
        assert list(found) == ["b", "a", "c"] and found["c"].report is ReportStatus.EMPTY and set(found["a"].values) == {1}
    assert (tmp_path / "out.csv").read_text().splitlines()[0].split(",") == ["study_id", "status", *RAN_21]
    assert not list(tmp_path.glob("*.parts"))


@pytest.mark.parametrize(
    ("content", "words", "count"),
    [
        (b"", "it is empty", 1),
        (b"study_id,report\n", "a header and no row", 1),
        (b"study_id,text\n1,heart\n", "no column report", 1),
        (b"study_id,report,report\n1,heart,x\n", "columns 2 and 3 have one name", 1),
        (b"study_id,report\n1,heart\n1,lung\n,lung\n2,a,b\n", ":3, study '1': the study has a row already", 3),
        (b"study_id,report\n1,\xff\n2,\x00\n", "not UTF-8", 2),
        (b'study_id,report\n1,"heart\n', "quotation mark", 1),
        (b'{"study_id": "1", "report": "heart"}\n{"study_id": \n[1]\n{"study_id": 2}\n', "not a JSON object", 3),
        (b'{"study_id": "1", "report": 5}\n', "not text", 1),
        (b"PAR1 and so on", "cannot be read", 1),
        (b"study_id,report\n1,=1+1\n2,<script>heart</script>\n3,nan\n", "markup", 3),
    ],
)
def test_all_that_is_wrong_with_a_file_is_said_before_anything_is_labelled(tmp_path: Path, content: bytes, words: str, count: int) -> None:
    path = tmp_path / "in"
    path.write_bytes(content)
    made = Counting()
    with pytest.raises(InputError, match=words) as caught:
        corpus.label(path, tmp_path / "out.csv", made)
    assert len(caught.value.problems) == count and made.texts == []
    assert "heart" not in str(caught.value) and "lung" not in str(caught.value)


def test_a_stopped_run_goes_on_where_it_stopped_and_a_change_is_noticed(tmp_path: Path) -> None:
    rows = [(f"s{number}", text) for number, text in enumerate(reports(10))]
    bad = [*rows[:7], ("s7", "STOP heart"), *rows[8:]]
    with pytest.raises(UnavailableError):
        corpus.label(written(tmp_path / "in.csv", bad), tmp_path / "out.csv", Counting(), chunk=2)
    assert not (tmp_path / "out.csv").exists()
    again = Counting()
    corpus.label(written(tmp_path / "in.csv", rows), tmp_path / "out.csv", again, chunk=2)
    assert again.texts == [text for _, text in rows[6:]]
    corpus.label(tmp_path / "in.csv", tmp_path / "whole.csv", Counting())
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()
    parts = tmp_path / "other.csv.parts"
    parts.mkdir()
    (parts / "mine.txt").write_text("precious")
    with pytest.raises(RefusedError, match="did not write"):
        corpus.label(tmp_path / "in.csv", tmp_path / "other.csv", Counting())
    assert (parts / "mine.txt").exists()


def test_the_output_must_be_a_label_file_and_not_the_input(tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", LINES)
    for out in (path, tmp_path / "out.xlsx"):
        with pytest.raises(UsageError, match="CSV or Parquet"):
            corpus.label(path, out, Counting())
    assert main(["label", str(path), "-o", str(tmp_path / "o.csv"), "--extractor", "lexical", "--model", "x"]) == 2


def test_the_command_labels_by_a_model_and_again_from_an_export(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"s{number}", text) for number, text in enumerate(reports(6))]
    path = written(tmp_path / "in.csv", rows)
    with Faulty() as server:
        asked = ["--endpoint", server.url, "--model", "tiny"]
        assert main(["label", str(path), "-o", str(tmp_path / "one.csv"), "--extractor", "llm", *asked]) == 0
        assert len(server.bodies) == 120
    export = ["cache", "export", str(tmp_path / "labels.jsonl"), "--reports", str(path), "--model", "tiny"]
    assert main(export) == 5
    assert main([*export, "--agree", recorded.AGREEMENT]) == 0
    assert main([*export, "--open"]) == 0
    monkeypatch.setenv("RANSCORE_HOME", str(tmp_path / "elsewhere"))
    assert main(["cache", "import", str(tmp_path / "labels.jsonl")]) == 0
    assert main(["label", str(path), "-o", str(tmp_path / "two.csv"), "--extractor", "recorded"]) == 0
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    with Faulty() as server:
        asked = ["--endpoint", server.url, "--model", "tiny"]
        assert main(["label", str(path), "-o", str(tmp_path / "three.csv"), "--extractor", "llm", *asked]) == 0
        assert server.bodies == []
    assert main(["cache", "list"]) == 0 and "6 answers" in capsys.readouterr().out


def test_reference_labels_of_a_cohort_are_exported_by_its_name(tmp_path: Path) -> None:
    from harness import cohorts
    from harness.types import Access, Section, Study, Text

    texts = {f"s{number}": Text(findings=text) for number, text in enumerate(reports(4))}
    studies = [Study(name, name) for name in texts]
    made = cohorts.make("small", studies, texts, section=Section.FINDINGS, access=Access.CREDENTIALED, language="en", source="none")
    cohorts.save(made, Path(os.environ["RANSCORE_HOME"]) / "cohorts" / "small")
    export = ["cache", "export", str(tmp_path / "labels"), "--cohort", "small", "--model", "tiny"]
    assert main(export) == 4  # nobody has labelled it yet
    with Faulty() as server:
        extractor("llm", endpoint=server.url, model="tiny").extract([text.findings for text in texts.values()])
    assert main(export) == main([*export, "--open"]) == 5  # what a cohort's manifest says is not said otherwise
    assert main([*export, "--agree", recorded.AGREEMENT]) == 0
    read = recorded.read(tmp_path / "labels")
    assert len(read.decisions) == 4 and read.access is Access.CREDENTIALED and not read.official


def killed_after(command: list[str], seconds: float) -> int:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait()


def test_killed_five_times_nothing_is_lost_and_nothing_committed_is_asked_again(tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", [(f"s{number}", text) for number, text in enumerate(reports(150))])
    limit, kills, chance = 8, 0, random.Random(4)
    (Path(os.environ["RANSCORE_HOME"])).mkdir(exist_ok=True)
    with Faulty(delay=0.02) as server:
        config = f'[[endpoint]]\nurl = "{server.url}"\nlimit = {limit}\n'
        (Path(os.environ["RANSCORE_HOME"]) / "config.toml").write_text(config)
        command = [
            sys.executable,
            "-m",
            "ranscore",
            "label",
            str(path),
            "-o",
            str(tmp_path / "out.csv"),
            "--extractor",
            "llm",
            "--model",
            "tiny",
        ]
        code = -9
        while code and kills < 60:
            before = len(server.bodies)
            code = killed_after(command, 3600 if kills >= 5 else 1.5 + 2.5 * chance.random())
            kills += bool(code) and len(server.bodies) > before
        assert code == 0 and kills == 5
        asked = len(server.bodies)
        distinct = len({json.dumps(body["messages"]) for body in server.bodies})
        assert distinct == 3000 and 0 <= asked - distinct <= 5 * limit
        corpus.label(path, tmp_path / "calm.csv", extractor("llm", model="tiny"))
        assert len(server.bodies) == asked
    assert (tmp_path / "calm.csv").read_bytes() == (tmp_path / "out.csv").read_bytes()


def test_the_server_killed_five_times_nothing_is_lost(tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", [(f"s{number}", text) for number, text in enumerate(reports(60))])
    first = Faulty(delay=0.01)
    port, bodies, chance = int(first.url.split(":")[2].split("/")[0]), first.bodies, random.Random(5)
    made = extractor("llm", endpoint=first.url, model="tiny", limit=8)
    running: list[Faulty] = [first]
    first.__enter__()

    def torment() -> None:
        for _ in range(5):
            time.sleep(0.1 + 0.3 * chance.random())
            running[-1].close()
            time.sleep(0.2)
            running.append(Faulty(delay=0.01, port=port, bodies=bodies))
            running[-1].__enter__()

    thread = threading.Thread(target=torment)
    thread.start()
    corpus.label(path, tmp_path / "out.csv", made)
    thread.join()
    running[-1].close()
    distinct = len({json.dumps(body["messages"]) for body in bodies})
    assert distinct == 1200 and len(bodies) - distinct <= 5 * 8
    assert {status for item in label_files.read(tmp_path / "out.csv").values() for status in item.statuses} == {Status.OK}


def test_two_processes_at_the_same_work_share_it(tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", [(f"s{number}", text) for number, text in enumerate(reports(100))])
    with Faulty(delay=0.02) as server:
        base = [
            sys.executable,
            "-m",
            "ranscore",
            "label",
            str(path),
            "--extractor",
            "llm",
            "--model",
            "tiny",
            "--endpoint",
            server.url,
        ]
        both = [subprocess.Popen([*base, "-o", str(tmp_path / f"{number}.csv")], stdout=subprocess.DEVNULL) for number in range(2)]
        assert [process.wait(120) for process in both] == [0, 0]
        assert len(server.bodies) < 2000 * 1.25
    assert (tmp_path / "0.csv").read_bytes() == (tmp_path / "1.csv").read_bytes()


@pytest.mark.server
def test_ray_gives_the_same_labels_in_the_same_order_with_one_of_two_servers_killed_midway(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    path = written(tmp_path / "in.csv", [(f"s{number}", text) for number, text in enumerate(reports(120))])
    with Faulty(delay=0.01) as first, Faulty(delay=0.01) as second:
        options = {"endpoint": [first.url, second.url], "model": "tiny", "access": "credentialed"}
        made = extractor("llm", **options)
        timer = threading.Thread(target=_close_when, args=(first, 400))
        timer.start()
        corpus.label(path, tmp_path / "ray.csv", made, OnRay("llm", options), chunk=15)
        timer.join()
        assert len(first.bodies) >= 400 and len(second.bodies) > 400
        assert len(first.bodies) + len(second.bodies) - 2400 <= first.most
        asked = len(second.bodies)
        corpus.label(path, tmp_path / "here.csv", made)
        assert len(second.bodies) == asked
    assert (tmp_path / "here.csv").read_bytes() == (tmp_path / "ray.csv").read_bytes()


def _close_when(server: Faulty, count: int) -> None:
    while len(server.bodies) < count:
        time.sleep(0.01)
    server.close()


def test_credentialed_text_does_not_go_to_a_cluster() -> None:
    away = Cluster("ray://cluster.example.org:10001")
    with pytest.raises(RefusedError, match="Ray cluster"):
        away.permit("credentialed")
    away.permit("open")
    Cluster().permit("credentialed")
    home = Path(os.environ["RANSCORE_HOME"])
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f'[[ray]]\naddress = "{away.address}"\ncredentialed = "our own machines"\n')
    away.permit("credentialed")


def test_two_actors_share_a_servers_limit() -> None:
    made: Any = extractor("llm", endpoint="http://127.0.0.1:9/v1", model="tiny", limit=9, share=2)
    assert isinstance(made, LLM) and made.source.endpoints[0].limit == 4  # type: ignore[attr-defined]
