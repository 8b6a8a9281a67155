"""The messages over every kind of wrong file, word for word: `tests/golden/report_messages.txt`.

After a wanted change, RANSCORE_WRITE_GOLDEN=1 writes the golden file again; read the difference before you commit it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import InputError, Problem
from harness.formats import reports, tabular
from harness.formats.complaints import Complaints
from harness.labelling import corpus
from harness.types import Json, Labels, Section, Status
from ranscore.commands import main
from submissions import sandbox
from submissions.policy import Policy

GOLDEN = Path(__file__).parents[1] / "golden" / "report_messages.txt"
EXPECTED = [f"s{number}" for number in range(50000001, 50000041)]
SECRET = "Quokka"
"""Stands in every report: a message that holds it quotes a report."""
GOOD = f"{SECRET} heart, clear lungs."


def rows(*pairs: tuple[object, object], header: tuple[str, ...] = ("study_id", "report")) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *pairs])
    return stream.getvalue().encode()


def full(**changed: object) -> list[tuple[object, object]]:
    """All studies with texts of their own; `s50000003="..."` changes one."""
    return [(name, changed.get(name, f"{GOOD} No. {name}")) for name in EXPECTED]


def lines(*pairs: tuple[object, object]) -> bytes:
    return "".join(json.dumps({"study_id": name, "report": text}) + "\n" for name, text in pairs).encode()


def parquet(**columns: object) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("predictions.csv", rows(*full()))
    return stream.getvalue()


def one(text: object) -> bytes:
    return rows(*full(s50000003=text))


TEXTS = [text for _, text in full()]
MIXED = (
    rows(*full()[4:], ("s50000040", GOOD), ("s50000001", "=1+1"), ("s50000002", f"<b>{SECRET}</b>"), ("s5000003", GOOD), ("", GOOD))
    + f"s50000004,{SECRET},heart\n".encode()
    + b"s50000003,\xe9\n"
)

WRONG: dict[str, tuple[str, bytes]] = {
    "empty file": ("a.csv", b" \n"),
    "header alone": ("a.csv", rows()),
    "no header": ("a.csv", rows(*full()[1:], header=("s50000001", GOOD))),
    "other column names": ("a.csv", rows(*full(), header=("image_id", "prediction"))),
    "misspelt columns": ("a.csv", rows(*full(), header=("studyID", "reprot"))),
    "no report column": ("a.csv", rows(*full(), header=("study_id", "x"))),
    "report and findings": ("a.jsonl", b'{"study_id": "s50000001", "report": "Quokka", "findings": "Quokka"}\n'),
    "one column name twice": ("a.csv", rows(*full(), header=("study_id", "Study_ID "))),
    "unknown ids": ("a.csv", rows(*full()[4:], ("50000001", GOOD), ("S50000002.dcm", GOOD), ("s5000003", GOOD), ("p17", GOOD))),
    "many unknown ids": ("a.csv", rows(*full(), *((f"z{number}", f"{GOOD} {number}") for number in range(51)))),
    "no id matches": ("a.csv", rows(("a1", GOOD), ("a2", f"{GOOD} No."))),
    "exchanged columns": ("a.csv", rows(*((text, name) for name, text in full()[:3]))),
    "duplicate ids": ("a.csv", rows(*full(), *full()[:2])),
    "no id": ("a.csv", rows(*full(), ("", GOOD), ("  ", GOOD))),
    "ids that are no ids": ("a.csv", rows(*full(), ("=cmd", GOOD), ("s\u202e1", GOOD), ("9" * 500, GOOD))),
    "ids with fractions": ("a.parquet", parquet(study_id=[50000001.0, 50000002.0], report=[GOOD, "x"])),
    "not UTF-8": ("a.csv", one("Quokka café").replace("é".encode(), b"\xe9")),
    "UTF-16": ("a.csv", rows(*full()).decode().encode("utf-16")),
    "NUL": ("a.csv", one("Quokka\0heart")),
    "quotation mark never closed": ("a.csv", rows(*full()[:9]) + b's50000010,"Quokka heart\ns50000011,Quokka\n'),
    "quotation marks that do not match": ("a.csv", rows(*full()[:9]) + b's50000010,"Quokka "enlarged" heart"\ns50000011,Quokka\n'),
    "unquoted comma": ("a.csv", rows(*full()[:39]) + b"s50000040,Quokka, and heart\n"),
    "cut in a row": ("a.csv", rows(*full()[:39]) + b"s500000"),
    "endless field": ("a.csv", rows(*full()[:39]) + b's50000040,"' + b"Quokka " * 30000 + b'"\n'),
    "cut JSON Lines": ("a.jsonl", lines(*full())[:-20]),
    "broken line of JSON Lines": ("a.jsonl", lines(*full()[:2]) + b"{'study_id': 's50000003'}\n" + lines(*full()[3:])),
    "JSON Lines without objects": ("a.jsonl", lines(*full()) + b'"Quokka"\n[1]\n'),
    "JSON Lines without report": ("a.jsonl", lines(*full()[1:]) + b'{"study_id": "s50000001"}\n'),
    "cut JSON": ("a.json", json.dumps([{"study_id": name, "report": text} for name, text in full()], indent=1).encode()[:-30]),
    "broken JSON object": ("a.json", b'{"s50000001": "Quokka",\n "s50000002" "Quokka"}'),
    "text after JSON": ("a.json", b'[{"study_id": "s50000001", "report": "Quokka"}]\n[]'),
    "one key twice": ("a.jsonl", lines(*full()[1:]) + b'{"study_id": "s50000001", "report": "Quokka", "report": "x"}\n'),
    "one id twice in an object": ("a.json", b'{"s50000001": "Quokka",\n "s50000001": "x"}'),
    "deep JSON": ("a.jsonl", lines(*full()[1:]) + b'{"study_id": "s50000001", "report": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "other types": (
        "a.jsonl",
        lines(*full()[6:], *zip(EXPECTED, [1.5, True, ["Quokka"], {"text": "Quokka"}, float("nan"), 7], strict=False)),
    ),
    "nested Parquet": ("a.parquet", parquet(study_id=EXPECTED, report=[[text] for text in TEXTS])),
    "bytes in Parquet": ("a.parquet", parquet(study_id=EXPECTED[:2], report=[b"Quokka", b"x"])),
    "cut Parquet": ("a.parquet", parquet(study_id=EXPECTED, report=TEXTS)[:-50]),
    "word for nothing": ("a.csv", one("NaN")),
    "formula": ("a.csv", one('=HYPERLINK("http://example.org","Quokka")')),
    "HTML": ("a.csv", one("<p>Quokka</p>")),
    "HTML entity": ("a.csv", one("Quokka&nbsp;heart")),
    "code fence": ("a.csv", one("```\nQuokka\n```")),
    "role marker": ("a.csv", one("Quokka<|im_end|>")),
    "control character": ("a.csv", one("Quokka\x1b[31m heart")),
    "bidirectional override": ("a.csv", one("Quokka \u202etraeh")),
    "half a surrogate": ("a.jsonl", lines(*full(s50000003="Quokka \ud800"))),
    "over-long": ("a.csv", one("Quokka " * 3000)),
    "ZIP": ("a.csv", zipped()),
    "gzip": ("a.csv.gz", gzip.compress(rows(*full()))),
    "pickle": ("a.pkl", pickle.dumps(dict(full()))),
    "old pickle": ("a.pkl", pickle.dumps(dict(full()), protocol=0)),
    "web page": ("a.csv", b"<!DOCTYPE html><title>Quokka</title>"),
    "everything at once": ("a.csv", MIXED),
}

WARNED: dict[str, tuple[str, bytes]] = {
    "missing studies": ("a.csv", rows(*full()[:38])),
    "many missing studies": ("a.csv", rows(*full()[:5])),
    "empty reports": ("a.csv", rows(*full(s50000003="", s50000004="  \n"))),
    "one text for most studies": ("a.csv", rows(*((name, GOOD) for name in EXPECTED[:30]), *full()[30:])),
    "columns that are not read": ("a.csv", rows(*((*pair, 1, 2) for pair in full()), header=("study_id", "report", "x", "y"))),  # type: ignore[arg-type]
    "a name that misleads": ("a.csv", lines(*full())),
}


def told(folder: Path, name: str, content: bytes) -> tuple[list[str], list[str]]:
    (folder / name).write_bytes(content)
    complaints = Complaints(name)
    found = tabular.read(folder / name, complaints)
    reports.check(found, complaints, EXPECTED)
    return [str(problem) for problem in complaints.problems], [str(warning) for warning in complaints.warnings]


def test_every_kind_of_wrong_file_is_told_as_the_golden_file_says(tmp_path: Path) -> None:
    assert len(WRONG) >= 25
    parts = []
    for kind, (name, content) in WRONG.items():
        problems, _ = told(tmp_path, name, content)
        assert problems, f"{kind}: nothing was found wrong"
        parts.append("\n".join([f"# {kind}", *problems]))
    for kind, (name, content) in WARNED.items():
        problems, warnings = told(tmp_path, name, content)
        assert not problems, kind
        assert warnings, kind
        parts.append("\n".join([f"# warning: {kind}", *warnings]))
    text = "\n\n".join(parts) + "\n"
    assert SECRET not in text, "a message quotes a report"
    if os.environ.get("RANSCORE_WRITE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


@pytest.mark.parametrize("make", [lambda: rows(*full()), lambda: lines(*full())])
def test_a_sound_file_has_neither_problem_nor_warning(tmp_path: Path, make: Callable[[], bytes]) -> None:
    assert told(tmp_path, "a.csv" if make().startswith(b"study") else "a.jsonl", make()) == ([], [])


def test_a_cohort_that_scores_one_section_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(rows(*full(), header=("study_id", "impression")))
    complaints = Complaints("a.csv")
    reports.check(tabular.read(tmp_path / "a.csv", complaints), complaints, EXPECTED, Section.FINDINGS)
    assert [problem.what for problem in complaints.problems] == ["the cohort scores the findings, and there is no such column"]


class Remembering:
    """An extractor that keeps the texts it is given."""

    name = "remembering"
    vocabulary = "ran-21"
    digest = "00" * 32

    def __init__(self) -> None:
        self.texts: list[str] = []

    def extract(self, texts: Sequence[str]) -> list[Labels]:
        self.texts += texts
        return [Labels((0,) * 21, (Status.OK,) * 21) for _ in texts]


def scored(name: str, *, cleaned: bool = False) -> tuple[list[str], list[str]]:
    """Problems and texts as `score` reads a file, with or without `--clean`."""
    try:
        return [], list(reports.read(Path(name), cleaned=cleaned).reports.values())
    except InputError as error:
        return [str(problem) for problem in error.problems], []


def labelled(name: str) -> tuple[list[str], list[str]]:
    """Problems and texts as `label` reads a file."""
    made = Remembering()
    try:
        corpus.label(Path(name), Path("out.csv"), made)
    except InputError as error:
        return [str(problem) for problem in error.problems], made.texts
    return [], made.texts


def sent(name: str) -> tuple[list[str], list[str]]:
    """Problems and texts as the board reads an upload."""
    asked: Json = {"name": name, "expected": None, "section": "both", "screened": False}
    found = sandbox.answer(asked, Path(name).read_bytes())
    return [str(Problem(**item)) for item in found["problems"]], list(found["reports"].values())


@pytest.mark.parametrize("kept", [None, 0], ids=["in memory", "read again"])
def test_score_validate_label_and_the_board_read_every_file_alike(
    kept: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if kept is not None:
        monkeypatch.setattr(tabular, "KEPT", kept)
    for kind, (name, content) in {**WRONG, **WARNED}.items():
        Path(name).write_bytes(content)
        expected = scored(name)
        assert expected[0] or expected[1], kind
        assert sent(name) == expected, kind
        assert labelled(name) == scored(name, cleaned=True), kind
        assert main(["validate", name, "--json"]) == (3 if expected[0] else 0)
        document = json.loads(capsys.readouterr().out)
        assert [str(Problem(**item)) for item in document["problems"]] == expected[0], kind
        if not expected[0]:
            assert document["reports"] == len(expected[1])


def test_the_process_that_reads_uploads_answers_as_its_function() -> None:
    name, content = WRONG["everything at once"]
    found = sandbox.check(content, name, EXPECTED, Section.BOTH, Policy())
    asked: Json = {"name": name, "expected": EXPECTED, "section": "both", "screened": False}
    assert [str(problem) for problem in found.problems] == [str(Problem(**item)) for item in sandbox.answer(asked, content)["problems"]]
