"""`ranscore rank`: one command, equal to `score`, `floors`, `snapshot` and `compare`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from harness.errors import InputError, UsageError
from harness.records import ranks, snapshot, store
from harness.records.store import Store
from harness.scoring import floors
from harness.types import Grade
from leaderboard.content import load
from ranscore import compare, rank, ranking_files, score
from ranscore.commands import main
from ranscore.ranking import Ranking

EXAMPLES = Path(__file__).parents[2] / "examples"
REFERENCES = EXAMPLES / "references.csv"
FILES = {"predictions": EXAMPLES / "predictions.csv", "other": EXAMPLES / "other.csv"}


@pytest.fixture(scope="module")
def ranking() -> Ranking:
    return rank(systems=FILES, references=REFERENCES, access="open", metrics=["ran-score", "rouge-l"])


def table(path: Path) -> Iterator[dict[str, str]]:
    return csv.DictReader(path.read_text(encoding="utf-8").splitlines())


def places(made: Ranking) -> dict[str, tuple[int, int, int]]:
    return {row.name: (row.place.rank, row.place.low, row.place.high) for row in made.systems if row.place}


def test_it_is_what_score_floors_snapshot_and_compare_say_of_the_real_systems(shared: Path, tmp_path: Path) -> None:
    folder = shared / "submissions"
    systems = {"moerad": folder / "moerad-iu.csv", "aamn": folder / "aamn-iu.csv"}
    made = rank(systems=systems, references=folder / "references.csv", access="open", metrics=["ran-score"])
    cohort = tmp_path / "home" / "cohorts" / "iu"
    place = Store(tmp_path / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RANSCORE_HOME", str(tmp_path / "home"))
        assert main(["cohort", "build", "table", "--file", str(folder / "references.csv"), "--name", "iu", "--open"]) == 0
        assert cohort.is_dir()
        assert main(["floors", "--cohort", "iu", "--metrics", "ran-score", "--store", str(place.root)]) == 0
        for name, path in systems.items():
            command = ["score", str(path), "--cohort", "iu", "--metrics", "ran-score", "--name", name, "--store", str(place.root)]
            assert main(command) == 0
    [own] = ranks.make(place)
    assert made.snapshot.digest == own.digest
    records = {item.record.system.name: item.record for item in place.all()}
    assert {row.name: row.digest for row in made.board.rows} == {name: record.digest for name, record in records.items()}
    assert records["aamn"].grade is Grade.LOCAL and places(made) == {"moerad": (1, 1, 2), "aamn": (1, 1, 2)}
    by_name = {item.record.system.name: item for item in made.evaluations.values()}
    line = compare(first=by_name["aamn"], second=by_name["moerad"], draws=100).metrics[0].scores[0]
    (told,) = [row for row in made.pairs().rows if row[:2] == ("aamn", "moerad")]
    assert line.pair is not None and told[2:] == pytest.approx((line.pair.difference, line.pair.low, line.pair.high, line.pair.p))
    # AAMN writes one sentence 590 times, and no finding.
    (sentence,) = [text for text in made.sentences() if text.startswith("aamn")]
    assert "is not better than one normal report for every study (difference +0.000, p = 1.000)" in sentence
    assert sentence.endswith("asserts nothing but No Finding.")
    # The floors that `score` prints without reading a text are those of the board.
    shown = {item.name: item.value for item in floors.floors(by_name["moerad"])}
    assert shown == {name: records[name].metrics[0].value for name in shown} and len(shown) == 3


def test_the_order_of_the_files_changes_nothing(ranking: Ranking) -> None:
    third = {**FILES, "again": EXAMPLES / "other.csv"}
    made = [
        rank(systems={name: third[name] for name in order}, references=REFERENCES, access="open", metrics=["ran-score"])
        for order in list(permutations(third))[::3]
    ]
    assert len({item.snapshot.digest for item in made}) == 1
    assert len({item.to_csv() for item in made}) == 1
    assert places(ranking) == {"predictions": (1, 1, 2), "other": (1, 1, 2)}


def test_every_form_of_reports_gives_the_same_ranking(ranking: Ranking) -> None:
    import pandas as pd

    frames = {name: pd.read_csv(path) for name, path in (*FILES.items(), ("references", REFERENCES))}
    dicts = {name: dict(zip(frame["study_id"], frame["report"], strict=True)) for name, frame in frames.items()}
    lists = {name: frame.to_dict("records") for name, frame in frames.items()}
    indexed = {name: frame.set_index("study_id") for name, frame in frames.items()}
    for form in (frames, dicts, lists, indexed):
        own = {name: form[name] for name in FILES}
        made = rank(systems=own, references=form["references"], access="open", metrics=["ran-score", "rouge-l"])
        assert made.snapshot.digest == ranking.snapshot.digest
    ordered = frames["references"]["study_id"]
    texts = {name: [reports[study] for study in ordered] for name, reports in dicts.items()}
    paired = score(predictions=texts["other"], references=texts["references"], metrics=["ran-score"])
    assert paired.record.metrics[0].parts == next(
        item.record.metrics[0].parts for item in ranking.evaluations.values() if item.record.system.name == "other"
    )


def test_what_is_wrong_with_what_is_given_is_named() -> None:
    with pytest.raises(UsageError, match="a list of reports has no study ids"):
        score(predictions=["Clear lungs."], references=REFERENCES)
    with pytest.raises(InputError, match="there are 2 references and 1 predictions"):
        score(predictions=["Clear lungs."], references=["Clear lungs.", "An effusion."])
    with pytest.raises(UsageError, match=r"there is no file 'absent\.csv'"):
        score(predictions=FILES["other"], references="absent.csv")
    with pytest.raises(UsageError, match="reports are a path, a dict"):
        score(predictions=7, references=REFERENCES)
    with pytest.raises(InputError, match="not one that the cohort scores"):
        score(predictions={"nobody-1": "Clear lungs."}, references=REFERENCES)
    with pytest.raises(InputError) as both:
        rank(systems={"A": {"x-1": "Clear."}, "B": {"y-1": "Clear."}}, references=REFERENCES)
    assert {problem.study for problem in both.value.problems if problem.study} == {"x-1", "y-1"}


def test_several_seeds_are_one_system_with_the_mean_of_their_rows() -> None:
    made = rank(
        systems={"seeds": (FILES["predictions"], FILES["other"]), "one": FILES["other"]},
        references=REFERENCES,
        access="open",
        metrics=["ran-score"],
    )
    runs = {item.record.system.name: item for item in made.evaluations.values()}
    single = [score(predictions=path, references=REFERENCES, access="open", metrics=["ran-score"]) for path in FILES.values()]
    assert runs["seeds"].rows[0].values == pytest.approx((single[0].rows[0].values + single[1].rows[0].values) / 2)
    # F1 of one finding by hand: twice the hits of both runs over twice the hits and the errors of both.
    hits, wrong = (
        sum(
            float(item.rows[0].values[:, item.rows[0].columns.index(f"Pleural Effusion:{name}")].sum()) for item in single for name in names
        )
        for names in (("tp",), ("fp", "fn"))
    )
    assert runs["seeds"].record.metrics[0].parts["f1:Pleural Effusion"] == pytest.approx(2 * hits / (2 * hits + wrong))
    (row,) = [row for row in made.systems if row.name == "seeds"]
    assert row.version == "2 seeds" and row.coverage.startswith("240 of 240") and len(made.runs[row.id]) == 2
    assert (
        f"its runs {single[0].record.metrics[0].value:.3f}, {single[1].record.metrics[0].value:.3f};"
        in made.sentences()[0] + made.sentences()[1]
    )


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*words: str) -> str:
        assert main(["rank", *map(str, FILES.values()), "--references", str(REFERENCES), "--open", "--metrics", "ran-score", *words]) == 0
        return capsys.readouterr().out

    return run


def test_it_is_written_in_every_format(ranking: Ranking, typed: Callable[..., str], tmp_path: Path) -> None:
    shown = typed("-o", str(tmp_path / "t.csv"))
    for suffix in (".tex", ".html", ".md", ".json"):
        assert ranking_files.write(ranking, tmp_path / f"t{suffix}") == [tmp_path / f"t{suffix}"]
    rows = list(table(tmp_path / "t.csv"))
    assert [row["rank"] for row in rows if row["kind"] == "system"] == ["1", "1"] and len(rows) == 6
    assert len(list(table(tmp_path / "t.pairs.csv"))) == 15
    findings = list(table(tmp_path / "t.findings.csv"))
    assert len(findings) == 21 and {"predictions", "other", "constant-normal"} <= set(findings[0])
    document = json.loads((tmp_path / "t.json").read_text())
    assert len(document["sentences"]) == 2 and len(document["pairs"]) == 15
    tex = (tmp_path / "t.tex").read_text()
    assert tex.count(r"\begin{table}") == tex.count(r"\label{tab:") == 3 and not re.search(r"(?<!\\)[|]", tex)
    assert (tmp_path / "t.html").read_text().count("<table>") == 3
    assert f"Written: {tmp_path / 't.csv'}" in shown
    assert len(re.findall(r"^\| --- ", (tmp_path / "t.md").read_text(), re.M)) == 3


def test_the_command_keeps_what_was_ranked(typed: Callable[..., str], tmp_path: Path) -> None:
    place = tmp_path / "store"
    typed("--store", str(place))
    (board,) = load(store.at(place))
    assert {row.name: row.place and row.place.rank for row in board.rows if row.role == "system"} == {"predictions": 1, "other": 1}
    assert {row.grade for row in board.rows if row.role == "system"} == {Grade.LOCAL}
    assert snapshot.newest(place, board.cohort.digest, board.signature) is not None
    (kept,) = [item for item in Store(place).all() if item.record.system.name == "other"]
    assert kept.reports and len(Store(place).reports(kept) or {}) == 120


def test_a_public_board_ranks_nothing_that_its_owner_scored_alone(typed: Callable[..., str], tmp_path: Path) -> None:
    place = tmp_path / "store"
    (tmp_path / "config.toml").write_text('[page]\naddress = "https://board.example.org"\n')
    typed("--store", str(place))
    (board,) = load(store.at(place))
    systems = [row for row in board.rows if row.role == "system"]
    assert [(row.place, row.why_unranked) for row in systems] == [(None, "scored on this machine")] * 2
    kept = [replace(item, record=replace(item.record, grade=Grade.SCORED_HERE)) for item in Store(place).all()]
    assert all(ranks.Rules(public=True).ranks(item) for item in kept if not item.record.unranked)
    assert not any(ranks.Rules(public=True).ranks(item) for item in Store(place).all() if item.record.system.role == "system")


def test_names_and_refusals(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    start = ["rank", "--references", str(REFERENCES), "--metrics", "ran-score", "--alpha", "0.05", f"A={FILES['other']}"]
    assert main(["rank", *start[-1:], *start[1:-1], f"B={FILES['other']}"]) == 2
    assert "name all of them in one place" in capsys.readouterr().err
    assert main([*start, f"A={FILES['predictions']}"]) == 2
    assert "two systems are called 'A'" in capsys.readouterr().err
    assert main([*start, str(REFERENCES)]) == 2
    assert "'references' is the name of a floor or the ceiling" in capsys.readouterr().err
    assert main([*start, "-o", str(tmp_path / "t.docx")]) == 2
    assert "must end with .tex, .csv, .html, .md, .json" in capsys.readouterr().err
    assert main([*start, "absent.csv"]) == 3
    assert "there is no such file" in capsys.readouterr().err
    assert main([*start, f"B={FILES['other']},{FILES['predictions']}", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {(row["name"], row["version"]) for row in document["board"]["rows"] if row["role"] == "system"} == {("A", ""), ("B", "2 seeds")}


def test_columns_of_other_names(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name, source in (("p", FILES["other"]), ("r", REFERENCES)):
        rows = list(table(source))
        stream = io.StringIO()
        writer = csv.writer(stream)
        writer.writerows([("Image Name", "Generated"), *((row["study_id"], row["report"]) for row in rows)])
        (tmp_path / f"{name}.csv").write_text(stream.getvalue())
    named = ["--references", str(tmp_path / "r.csv"), "--id-column", "image name", "--report-column", "Generated"]
    assert main(["validate", str(tmp_path / "p.csv"), *named]) == 0
    assert "all 120 studies have a report" in capsys.readouterr().out
    assert main(["score", str(tmp_path / "p.csv"), *named, "--metrics", "ran-score", "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    assert main(["score", str(FILES["other"]), "--references", str(REFERENCES), "--metrics", "ran-score", "--json"]) == 0
    assert own["digest"] == json.loads(capsys.readouterr().out)["digest"]
    # One file has the usual names, the other one has not.
    assert main(["score", str(FILES["other"]), *named, "--metrics", "ran-score", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == own["digest"]
    assert main(["validate", str(tmp_path / "p.csv"), "--report-column", "nowhere"]) == 3
    assert "no column of the name that --report-column gives. Correct --report-column" in capsys.readouterr().err
