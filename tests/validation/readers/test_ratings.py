"""A rating: how systems were judged, and how metrics order the same systems and reports."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness import cohorts
from harness.config.home import home
from harness.metrics import metric
from harness.records import store
from harness.records.store import Store
from harness.scoring import demo
from ranscore.commands import main
from tests.validation.readers.test_study import embedded
from validation.readers import exchange, folder, page, ratings, rule, texts
from validation.readers.folder import Folder
from validation.readers.sheets import Reply, Sheet

SYSTEMS = ("synthetic-alder", "synthetic-elm", "synthetic-maple", "constant-normal")


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic board: store and cohort."""
    root = tmp_path_factory.mktemp("board")
    cohort = demo.fill(Store(root / "store"), [metric("ran-score"), metric("rouge-l:coco|ptb")], studies=40)
    cohorts.save(cohort, root / "cohorts" / "synthetic")
    return root


@pytest.fixture
def filled(board: Path) -> Store:
    """A small synthetic board in the test's home."""
    shutil.copytree(board, home(), dirs_exist_ok=True)
    return store.default()


@pytest.fixture
def rated(filled: Store) -> Folder:
    """Twelve studies, four systems, three readers who punish errors in the findings."""
    systems = [word for name in SYSTEMS for word in ("--system", name)]
    code = main(
        ["readers", "new", "look", "--cohort", "synthetic", "--kind", "rating", "--items", "12", "--readers", "3", "--seed", "4", *systems]
    )
    assert code == 0
    place = folder.find("look")
    study = place.study()
    quality = {(item.system, item.study): errors(filled, item.system, item.study) for item in study.items}
    for number, reader in enumerate(study.readers):
        rng = np.random.default_rng(number)
        replies = {}
        for at, shown in enumerate(study.orders[reader], 1):
            item = study.item(shown.item)
            wrong = quality[item.system, item.study] + rng.normal(0, 0.5)
            values: dict[str, int | str] = {"judgement": 2 if wrong < 1 else 1 if wrong < 3 else 0}
            replies[at] = Reply(
                values | {"verbose": int(wrong > 4), "disorganised": 0, "colloquial": 0, "remark": "=1+1" if at == 1 else "fine"}
            )
        place.take(Sheet(study=study.digest, reader=reader, replies=replies, attested=True))
    return place


def errors(filled: Store, system: str, study: str) -> int:
    table = next(rows for rows in filled.rows(filled.find(system).record) if rows.metric == "ran-score")
    cells = table.values[table.studies.index(study)].reshape(-1, 4)
    return int(cells[:, 1:3].sum())


def test_a_rating_shows_one_generated_report_and_never_who_wrote_it(rated: Folder) -> None:
    study = rated.study()
    loaded = texts.load(study, store.default())
    assert len(study.items) == 48 and {item.system_name for item in study.items} == set(SYSTEMS)
    shown = embedded(page.document(page.of_reader("look", study, "reader-1", loaded)))
    assert all(len(parts) == 1 for parts in shown["reports"])  # type: ignore[attr-defined]
    plain = json.dumps({key: value for key, value in shown.items() if key != "reports"})
    assert not [name for name in SYSTEMS if name in plain]


def test_the_judgement_of_each_system_is_the_mean_of_what_was_said(rated: Folder) -> None:
    study, counting = rated.study(), rated.counting()
    answers = rule.answers(study, counting)
    rows = {row["system"]: row for row in ratings.judged(study, answers)}
    for name in SYSTEMS:
        said = [
            value
            for item, row in zip(study.items, answers[0].first, strict=True)
            if item.system_name == name
            for value in row
            if isinstance(value, int)
        ]
        value, low, high = rows[name]["means"]["judgement"]
        assert value == pytest.approx(np.mean(said)) and 0 <= low <= value <= high <= 2
        assert rows[name]["shares"]["2"] == pytest.approx(said.count(2) / len(said))
    assert rows["synthetic-alder"]["means"]["judgement"][0] > rows["synthetic-maple"]["means"]["judgement"][0]
    never = rows["synthetic-alder"]["means"]["colloquial"]
    assert never[:2] == [0.0, 0.0] and 0.1 < never[2] < 0.5, "12 reports without a fault do not show that there is none"


def test_tau_is_scipys_and_ran_score_follows_readers_who_look_at_findings(rated: Folder) -> None:
    study = rated.study()
    answers = rule.answers(study, rated.counting())
    rows = {row["metric"].split("|")[0]: row for row in ratings.against_metrics(study, answers, store.default())}
    assert set(rows) == {"ran-score", "rouge-l"}
    opinion = [float(np.mean([value for value in row if isinstance(value, int)])) for row in answers[0].first]
    scores = []
    for item in study.items:
        table = next(rows for rows in store.default().rows(store.default().find(item.system).record) if rows.metric == "ran-score")
        scores.append(float(metric("ran-score").score(table.values[table.studies.index(item.study)])["micro-f1"]))
    assert rows["ran-score"]["across"][0] == pytest.approx(stats.kendalltau(opinion, scores).statistic, abs=1e-12)
    within = []
    for name in {item.study for item in study.items}:
        inside = [index for index, item in enumerate(study.items) if item.study == name]
        value = stats.kendalltau([opinion[index] for index in inside], [scores[index] for index in inside]).statistic
        if not np.isnan(value):
            within.append(value)
    assert rows["ran-score"]["within"][0] == pytest.approx(np.mean(within), abs=1e-12)
    for row in rows.values():
        for part in ("across", "within", "systems"):
            value, low, high = row[part]
            assert -1 <= low <= value <= high <= 1
    assert rows["ran-score"]["within"][0] > rows["rouge-l"]["within"][0]


def test_the_tables_are_printed_and_go_into_the_standard(rated: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["readers", "agree", "look"]) == 0
    said = capsys.readouterr().out
    assert "tau-b with the judgement" in said and "synthetic-alder" in said and "ran-score" in said
    assert main(["readers", "settle", "look"]) == 0
    data = json.loads((rated.path / "standard.json").read_text())
    assert {row["system"] for row in data["rating"]["systems"]} == set(SYSTEMS)
    with (rated.path / "answers.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 48 and {line["system"] for line in lines} == set(SYSTEMS)
    assert main(["readers", "check", "look"]) == 0


def test_pairs_show_both_reports_and_count_for_the_same_side(filled: Store, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--kind", "pairs", "--items", "10", "--readers", "2", "--system", "synthetic-elm"]
    assert main(["readers", "new", "two", "--cohort", "synthetic", *given]) == 0
    study = folder.find("two").study()
    loaded = texts.load(study, filled)
    for reader in study.readers:
        shown = texts.shown(loaded, study, reader)
        assert all(len(parts) == 2 for parts in shown)
        for parts, one in zip(shown, study.orders[reader], strict=True):
            assert parts == (loaded[one.item][::-1] if one.swapped else loaded[one.item])
    assert main(["readers", "new", "none", "--cohort", "synthetic", *given[:-1], "nobody"]) == 2
    capsys.readouterr()


def test_remarks_that_a_spreadsheet_would_run_are_made_harmless_and_come_back(rated: Folder, tmp_path: Path) -> None:
    study, path = rated.study(), tmp_path / "answers.csv"
    path.write_text(exchange.write(study, rated.counting(), "csv")["answers.csv"])
    assert "'=1+1" in path.read_text() and ",=1+1" not in path.read_text()
    back = {sheet.reader: sheet for sheet in exchange.read(path, study)}
    assert back["reader-1"].value(1, "remark") == "=1+1"
