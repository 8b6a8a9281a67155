"""Read pairs to a corrected score: from files to the command, the snapshot, the board and its exports."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness import cohorts
from harness.config.home import home
from harness.errors import InputError, RanscoreError, UsageError
from harness.findings import RAN_21
from harness.formats import label_files
from harness.metrics import metric
from harness.metrics.findings_f1 import ran_score
from harness.records import snapshot
from harness.records.as_readers import AsReaders
from harness.records.store import Store, newest
from harness.scoring import demo
from harness.types import Labels, ReportStatus
from leaderboard.content import BoardContent
from leaderboard.exports import cells as pieces
from leaderboard.exports import tables
from leaderboard.html.addresses import Live
from leaderboard.views import agree, compare, extractor
from leaderboard.views import board as board_view
from ranscore import readers_score
from ranscore.commands import main
from tests.validation.extractors import read_reports
from tests.validation.extractors.read_reports import ReadStore
from validation.extractors import as_readers, measure, named, read_pairs, reference, results
from validation.readers import create, folder, standard


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ReadStore:
    return read_reports.make(tmp_path_factory.mktemp("read"), worse="beta")


def corrected(made: ReadStore, *names: str) -> AsReaders:
    stored = {item.record.system.name: item for item in made.store.standing()}
    pairs = read_pairs.load(made.originals, {name: made.read[name] for name in names})
    rows = {name: made.store.rows(stored[name].record)[0] for name in names}
    cohort = stored[names[0]].record.cohort
    return as_readers.of_pairs(rows, made.store.patients(cohort), pairs, cohort.digest)


def truth_of(made: ReadStore, name: str) -> float:
    """What readers of all pairs would print."""
    original, said = made.truth[name]
    kinds = np.stack([original & said, ~original & said, original & ~said, ~original & ~said], axis=-1)
    return float(ran_score("").score(kinds.sum(axis=0).reshape(-1).astype(float))["macro-f1"])


def test_the_estimate_is_nearer_to_the_readers_than_the_score_as_computed(made: ReadStore) -> None:
    found = corrected(made, "alpha", "beta", "gamma")
    stored = {item.record.system.name: item.record for item in made.store.standing()}
    for item in found.systems:
        value, truth = item.parts["macro-f1"], truth_of(made, item.id)
        assert value.low <= truth <= value.high
        assert abs(value.value - truth) < abs(stored[item.id].metrics[0].value - truth)
        assert item.pairs == 80


def test_a_system_alone_has_the_same_numbers_as_among_others(made: ReadStore) -> None:
    every, alone, two = corrected(made, "alpha", "beta", "gamma"), corrected(made, "alpha"), corrected(made, "alpha", "gamma")
    assert alone.systems[0].parts == every.systems[0].parts
    assert two.pair("alpha", "gamma") == every.pair("alpha", "gamma")
    backwards = every.pair("gamma", "alpha")
    forwards = every.pair("alpha", "gamma")
    assert backwards and forwards and (backwards.low, backwards.p) == (-forwards.high, forwards.p)


def test_the_system_that_is_read_worse_is_named(made: ReadStore) -> None:
    found = corrected(made, "alpha", "beta", "gamma")
    assert found.unsafe == ("beta",)
    reading = {item.id: item.reading for item in found.systems}
    assert reading["beta"] and reading["alpha"] and reading["beta"].sensitivity < reading["alpha"].sensitivity - 0.08
    assert reading["beta"].p["sensitivity"] < 0.01
    assert found.originals and found.originals.reports == 80


def test_no_system_is_named_where_all_are_read_alike(tmp_path: Path) -> None:
    assert corrected(read_reports.make(tmp_path, 150, 60), "alpha", "beta", "gamma").unsafe == ()


def test_decisions_that_readers_left_open_are_left_out(made: ReadStore, tmp_path: Path) -> None:
    labels = label_files.read(made.originals)
    first = sorted(labels)[0]
    values = (-1, *labels[first].values[1:])
    label_files.write(tmp_path / "open.csv", {**labels, first: replace(labels[first], values=values)})
    read, counts = read_pairs.read_rows(ran_score(""), [replace(labels[first], values=values)], [labels[first]])
    assert counts[0, :4].tolist() == [0.0] * 4 and counts[0, 4:].all() and not read[0, :4].any()
    pairs = read_pairs.load(tmp_path / "open.csv", {"alpha": made.read["alpha"]})
    assert pairs.digest != read_pairs.load(made.originals, {"alpha": made.read["alpha"]}).digest


def test_pairs_of_other_studies_are_refused(made: ReadStore, tmp_path: Path) -> None:
    labels = label_files.read(made.originals)
    label_files.write(tmp_path / "other.csv", {f"x{name}": item for name, item in labels.items()})
    with pytest.raises(InputError, match="shares no study"):
        read_pairs.load(tmp_path / "other.csv", {"alpha": made.read["alpha"]})
    label_files.write(tmp_path / "more.csv", {**labels, "zzz": labels[sorted(labels)[0]]})
    pairs = read_pairs.load(tmp_path / "more.csv", {"alpha": made.read["alpha"]})
    item = made.store.find("alpha")
    with pytest.raises(InputError, match="not in the scored cohort"):
        as_readers.of_pairs({"alpha": made.store.rows(item.record)[0]}, {}, pairs, item.record.cohort.digest)


def given(made: ReadStore) -> list[str]:
    read = [part for name, path in made.read.items() for part in ("--read", f"{name}={path}")]
    return ["--originals", str(made.originals), *read, "--store", str(made.store.root)]


def test_the_command_prints_scores_differences_and_the_warning(made: ReadStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["readers", "score", *given(made)]) == 0
    printed = capsys.readouterr().out
    for item in corrected(made, "alpha", "beta", "gamma").systems:
        value = item.parts["macro-f1"]
        assert f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]" in printed
    assert "The extractor reads beta differently: the order is not safe." in printed
    assert main(["readers", "score", *given(made), "--json"]) == 0
    assert {item["id"] for item in json.loads(capsys.readouterr().out)["systems"]} == {"alpha", "beta", "gamma"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(["--read", "alpha"], "names no system and file"), (["--read", "alpha=a.csv", "--read", "alpha=b.csv"], "twice")],
)
def test_what_was_read_must_be_named(made: ReadStore, wrong: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["readers", "score", "--originals", str(made.originals), *wrong, "--store", str(made.store.root)]) != 0
    assert words in capsys.readouterr().err


def test_the_snapshot_carries_it_and_ranks_stay(made: ReadStore, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot.newest(made.store.root, *_board(made))
    assert before and before.as_readers is None
    assert main(["snapshot", *given(made)]) == 0
    capsys.readouterr()
    after = snapshot.newest(made.store.root, *_board(made))
    assert after and after.as_readers and after.metrics == before.metrics
    assert f"readers:{after.as_readers.pairs[:12]}" in after.signature and before.signature in after.signature
    assert after.digest != before.digest
    assert snapshot.from_json({"digest": after.digest, **snapshot.to_json(after)}) == after


def _board(made: ReadStore) -> tuple[str, str]:
    record = newest(made.store.all())[0].record
    return record.cohort.digest, record.metrics[0].signature


def test_board_exports_and_pages_show_it(made: ReadStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snapshot", *given(made)]) == 0
    capsys.readouterr()
    content = BoardContent(made.store).content()
    (board,) = content.boards
    known = content.as_readers(board)
    assert known and board.columns[-1].label == "as readers would score" and board.unsafe == ("beta",)
    lines = {row["system"]: row for row in csv.DictReader(io.StringIO(tables.to_csv(board)))}
    for row in board.rows:
        item = known.system(row.id)
        assert item and float(lines[row.name]["as readers would score"]) == item.parts["macro-f1"].value
        shown = tables.number(row.cells[board.columns[-1].key], True)
        assert shown.count("[") == 1 and shown in tables.to_latex(board) and shown in tables.to_markdown(board).replace("\\", "")
        assert json.dumps(pieces.pieces(board)).count(shown) >= 2
    assert f"readers:{known.pairs[:12]}" in tables.caption(board) and "reads beta differently" in tables.caption(board)
    page = str(board_view.view(board, content.boards, (), Live()))
    assert "as readers would score" in page and "The extractor reads beta differently" in page
    one, other = (row.id for row in board.rows if row.name in ("alpha", "beta"))
    pair = known.pair(one, other)
    assert pair and f"[{pair.low:+.3f}, {pair.high:+.3f}]" in str(compare.view(board, content, one, other, Live()))
    assert "as readers would score" in str(agree.view(board, content.boards, Live()))
    tab = str(extractor.view(board, (), content.boards, Live(), known))
    assert "The extractor reads beta differently" in tab and f"Read pairs {known.pairs[:12]}" in tab


def test_a_validation_alone_gives_a_range_that_is_marked_as_a_model(
    made: ReadStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    item = made.store.find("alpha")
    (rows,) = made.store.rows(item.record)
    labels = read_pairs.labels_in(rows)
    assert labels is not None
    said = {study: label_files.from_rows(dict(zip(RAN_21, row, strict=True))) for study, row in zip(rows.studies, labels[0], strict=True)}
    read = label_files.read(made.originals)
    label_files.write(tmp_path / "said.csv", {study: said[study] for study in read})
    own_standard = reference.load(made.originals)
    candidate, *_ = named.candidates_of([named.parse(str(tmp_path / "said.csv"))], own_standard, made.store, beside=False)
    own = replace(candidate, digest=item.record.extractors[0].digest)
    validation, decisions = measure.validate(own_standard, [own])
    path = results.save(validation, decisions, tmp_path)
    assert main(["snapshot", "--validation", str(path), "--store", str(made.store.root)]) == 0
    capsys.readouterr()
    known = BoardContent(made.store).content().snapshots[_board(made)].as_readers
    assert known and known.systems == () and f"validation:{validation.digest[:12]}" in known.key
    part = validation.extractors[0].parts[0]
    enough = [one.finding for one in part.findings if one.positives >= 10]
    for found in known.ranges:
        parts = made.store.find(found.id).record.metrics[0].parts
        assert found.findings == len(enough) < 21
        assert found.low == pytest.approx(sum(parts[f"f1:{name}"] for name in enough) / len(enough), rel=1e-5)
        assert found.low < found.high <= 1
    content = BoardContent(made.store).content()
    assert "(model, " in str(extractor.view(content.boards[0], (), content.boards, Live(), known))
    other = replace(validation, extractors=(replace(validation.extractors[0], digest="0" * 64),))
    wrong = results.save(other, decisions, tmp_path / "other")
    assert main(["snapshot", "--validation", str(wrong), "--store", str(made.store.root)]) != 0
    assert "none of them labelled" in capsys.readouterr().err


def test_python_gives_what_the_command_gives(made: ReadStore) -> None:
    found = readers_score(made.originals, {"alpha": made.read["alpha"]}, made.store.root)
    assert found == corrected(made, "alpha")


def test_a_missing_report_is_a_reading_that_asserts_nothing(made: ReadStore) -> None:
    labels = next(iter(label_files.read(made.originals).values()))
    read, counts = read_pairs.read_rows(ran_score(""), [labels], [Labels((), (), ReportStatus.MISSING)])
    assert counts.all() and read[0, 0::4].sum() == 0 and read[0, 2::4].sum() == labels.values.count(1)


def test_a_snapshot_of_one_side_alone_is_refused(made: ReadStore) -> None:
    assert main(["snapshot", "--originals", str(made.originals), "--store", str(made.store.root)]) != 0
    assert main(["snapshot", "--read", f"alpha={made.read['alpha']}", "--store", str(made.store.root)]) != 0


def test_one_study_holds_both_sides() -> None:
    store = Store(home() / "store")
    cohort = demo.fill(store, [metric("ran-score")], studies=40)
    cohorts.save(cohort, home() / "cohorts" / cohort.manifest.name)
    item = next(one for one in store.standing() if one.record.system.role == "system")
    plan = create.ReadingPlan(items=30, readers=2, at_least=2, systems=[item.record.system.name])
    study = create.study(cohort, plan, seed="winter", salt="ab" * 32, store=store)
    place = folder.place("both")
    place.freeze(study)
    standard.write(place, standard.settle(study, {}, 0))
    pairs = read_pairs.load("both")
    assert list(pairs.generated) == [item.id] and len(pairs.studies(item.id)) == 30
    assert pairs.cohorts == (cohort.manifest.digest,) and not pairs.listed


def test_few_pairs_are_refused(made: ReadStore, tmp_path: Path) -> None:
    labels = label_files.read(made.originals)
    label_files.write(tmp_path / "few.csv", {name: labels[name] for name in sorted(labels)[:10]})
    pairs = read_pairs.load(tmp_path / "few.csv", {"alpha": made.read["alpha"]})
    item = made.store.find("alpha")
    with pytest.raises(UsageError, match="20"):
        as_readers.of_pairs({"alpha": made.store.rows(item.record)[0]}, {}, pairs, item.record.cohort.digest)
    assert issubclass(UsageError, RanscoreError)


def test_the_plan_says_what_pairs_and_labels_buy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = read_reports.make(tmp_path, 600, 100)
    assert main(["readers", "plan", "alpha", "gamma", "--pairs", "100,300,5000", "--store", str(large.store.root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["expected"]
    assert {(item["pairs"], item["draw"]) for item in found} == {(n, draw) for n in (100, 300) for draw in ("random", "stratified")}
    for system in ("alpha", "gamma"):
        few, many = (item for item in found if item["system"] == system and item["draw"] == "random")
        assert many["alone"] < few["alone"]
        assert few["powered"] < 0.7 * few["alone"]
