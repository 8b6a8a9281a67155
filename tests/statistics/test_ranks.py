"""Snapshots of stores: who is ranked, where, and what may never change it."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import StoreError
from harness.findings import RAN_21
from harness.metrics.findings_f1 import FindingsF1
from harness.records import ranks, snapshot
from harness.records.record import CohortCard, Counts, MetricResult, Record, record_digest, rows_digest
from harness.records.snapshot import MetricSnapshot, Snapshot
from harness.records.store import Store
from harness.storage.stored import seal
from harness.types import Access, Grade, Role, Rows, Section, SystemCard

RATES = {"ash": (0.9, 0.01), "beech": (0.9, 0.01), "cedar": (0.6, 0.02), "dogwood": (0.3, 0.05)}


def keep(store: Store, ran: FindingsF1, name: str, rows: Rows, patients: dict[str, str], **changes: object) -> str:
    """Put a record of these rows into a store; returns its id."""
    cohort = CohortCard(
        name="c",
        digest="c" * 64,
        section=Section.BOTH,
        access=Access.OPEN,
        language="en",
        studies=len(rows.studies),
        patients=len(set(patients.values())),
    )
    parts = {part: float(value) for part, value in ran.score(rows.values.sum(axis=0)).items()}
    counts = Counts(studies=len(rows.studies), decisions=21 * len(rows.studies))
    draft = Record(
        system=SystemCard(name),
        cohort=cohort,
        grade=Grade.SCORED_HERE,
        extractors=(),
        metrics=(MetricResult(name="ran-score", signature="ran-score|v1|x:0", headline="macro-f1", parts=parts),),
        counts=counts,
        rows=rows_digest([rows]),
        digest=record_digest(cohort.digest, ["ran-score|v1|x:0"], counts, [rows]),
        created=f"2026-01-01T00:00:{len(name):02d}Z",
    )
    return store.add(replace(draft, **changes), [rows], patients=patients).id  # type: ignore[arg-type]


@pytest.fixture
def filled(tmp_path: Path, ran: FindingsF1, draw: object) -> tuple[Store, dict[str, str]]:
    """Four systems, a floor and a self-scored system; ids by name."""
    tables, patients = draw({**RATES, "floor": (0.0, 0.0), "mine": (0.95, 0.0)}, studies=300)  # type: ignore[operator]
    store = Store(tmp_path / "store")
    ids = {name: keep(store, ran, name, tables[name], patients) for name in RATES}
    ids["floor"] = keep(store, ran, "floor", tables["floor"], patients, system=SystemCard("floor", role=Role.FLOOR))
    ids["mine"] = keep(store, ran, "mine", tables["mine"], patients, grade=Grade.SELF_SCORED)
    return store, ids


def only(store: Store) -> tuple[Snapshot, MetricSnapshot]:
    [made] = ranks.make(store)
    [metric] = made.metrics
    return made, metric


def test_a_rank_is_one_more_than_the_systems_significantly_better(filled: tuple[Store, dict[str, str]]) -> None:
    store, ids = filled
    _, metric = only(store)
    places = metric.places["macro-f1"]
    shown = {name: (places[ids[name]].rank, places[ids[name]].low, places[ids[name]].high, places[ids[name]].best) for name in RATES}
    # Ash and beech are equally good; cedar and dogwood are far below both.
    assert shown == {"ash": (1, 1, 2, True), "beech": (1, 1, 2, True), "cedar": (3, 3, 3, False), "dogwood": (4, 4, 4, False)}
    for name, place in places.items():
        pairs = [metric.pair("macro-f1", name, other) for other in metric.ranked if other != name]
        assert place.rank == 1 + sum(pair is not None and pair.p < 0.05 and pair.difference < 0 for pair in pairs)
        assert place.high == 4 - sum(pair is not None and pair.p < 0.05 and pair.difference > 0 for pair in pairs)


def test_floors_and_self_scored_records_are_compared_and_never_ranked(filled: tuple[Store, dict[str, str]]) -> None:
    store, ids = filled
    _, metric = only(store)
    assert set(metric.ranked) == {ids[name] for name in RATES}
    assert set(metric.places["macro-f1"]) == set(metric.ranked)
    pair = metric.pair("macro-f1", ids["mine"], ids["floor"])
    assert pair is not None and pair.p < 0.001 and pair.difference > 0.5


def test_too_many_failed_decisions_unrank_and_withdrawn_records_are_gone(
    filled: tuple[Store, dict[str, str]], ran: FindingsF1, draw: object
) -> None:
    store, ids = filled
    tables, patients = draw({"lost": (0.9, 0.0)}, studies=300)  # type: ignore[operator]
    lost = keep(store, ran, "lost", tables["lost"], patients, counts=Counts(studies=300, decisions=6300, failed=127))
    store.withdraw(ids["ash"], "mistake")
    _, metric = only(store)
    assert lost in metric.systems and lost not in metric.ranked
    assert ids["ash"] not in metric.systems
    assert metric.places["macro-f1"][ids["beech"]].rank == 1


def test_pairs_are_antisymmetric_and_findings_are_corrected(filled: tuple[Store, dict[str, str]]) -> None:
    store, _ = filled
    _, metric = only(store)
    for one, other in itertools.combinations(metric.systems, 2):
        forth, back = metric.pair("macro-f1", one, other), metric.pair("macro-f1", other, one)
        assert forth is not None and back == forth.reversed()
        found = metric.findings(one, other)
        assert set(found) == set(metric.findings(other, one)) and len(found) > 10
        assert all(pair.adjusted is not None and pair.adjusted >= pair.p for pair in found.values())
    assert metric.pair("macro-f1", metric.systems[0], metric.systems[0]) is None
    assert metric.pair("macro-f1", metric.systems[0], "nobody") is None


def test_findings_with_few_positives_are_not_in_the_snapshot(filled: tuple[Store, dict[str, str]], ran: FindingsF1) -> None:
    store, _ = filled
    [rows] = store.rows(store.find("ash").record)
    score = ran.score(rows.values.sum(axis=0))
    many = {f"f1:{finding}" for finding in RAN_21 if score[f"positives:{finding}"] >= 10}
    _, metric = only(store)
    assert {part for part in metric.tests if part.startswith("f1:")} == many
    assert 0 < len(many) < 21


def test_taking_a_system_away_changes_no_other_pair(filled: tuple[Store, dict[str, str]]) -> None:
    store, ids = filled
    _, before = only(store)
    store.withdraw(ids["beech"], "test")
    _, after = only(store)
    for part in after.tests:
        for one, other in itertools.combinations(after.systems, 2):
            assert after.pair(part, one, other) == before.pair(part, one, other)


def test_the_order_in_which_records_land_changes_nothing(tmp_path: Path, ran: FindingsF1, draw: object) -> None:
    tables, patients = draw(RATES, studies=80)  # type: ignore[operator]
    made = []
    for names in (sorted(RATES), sorted(RATES, reverse=True)):
        store = Store(tmp_path / names[0])
        for name in names:
            keep(store, ran, name, tables[name], dict(sorted(patients.items(), reverse=names[0] == "ash")))
        made.append(only(store)[0])
    assert made[0].digest == made[1].digest


def test_rows_of_different_studies_are_refused(tmp_path: Path, ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"a": (0.9, 0.0), "b": (0.8, 0.0)}, studies=80)  # type: ignore[operator]
    store = Store(tmp_path)
    keep(store, ran, "a", tables["a"], patients)
    rows = tables["b"]
    keep(store, ran, "b", Rows(rows.metric, rows.columns, tuple(reversed(rows.studies)), rows.values), patients)
    damaged: list[StoreError] = []
    assert ranks.make(store, aside=damaged.append) == () and "not of the same studies" in str(damaged[0])


def test_a_snapshot_survives_its_file_and_names_no_study(filled: tuple[Store, dict[str, str]], tmp_path: Path) -> None:
    store, _ = filled
    made, metric = only(store)
    path = snapshot.save(store.root, replace(made, created="2026-01-01T00:00:00Z"))
    assert "20260101T000000.000000Z" in path.name
    assert snapshot.save(store.root, replace(made, created="2026-01-02T00:00:00Z")) == path
    read = snapshot.newest(store.root, made.cohort, made.board)
    assert read is not None and read.digest == made.digest == json.loads(path.read_text())["digest"]
    assert read.metrics[0].places == metric.places
    assert "s0001" not in path.read_text() and "p0001" not in path.read_text()
    assert snapshot.newest(store.root, made.cohort, "another") is None
    assert "jackknife-t2|alpha:0.05|draws:0|seed:0" in made.signature


def test_a_newer_snapshot_is_read_and_a_damaged_one_is_named(filled: tuple[Store, dict[str, str]]) -> None:
    store, ids = filled
    made, _ = only(store)
    snapshot.save(store.root, replace(made, created="2026-01-01T00:00:00Z"))
    store.withdraw(ids["dogwood"], "test")
    later, _ = only(store)
    path = snapshot.save(store.root, replace(later, created="2026-01-01T00:00:01Z"))
    read = snapshot.newest(store.root, made.cohort, made.board)
    assert read is not None and read.digest == later.digest != made.digest
    good = json.loads(path.read_text())
    for damage in ("{", "[]", "{}", json.dumps({**good, "schema": 99}), json.dumps({**good, "metrics": [{}]})):
        path.write_text(damage)
        with pytest.raises(StoreError, match=path.name):
            snapshot.load(path)
    good["metrics"][0]["tests"]["macro-f1"]["p"].pop()
    path.write_text(json.dumps(good))
    with pytest.raises(StoreError, match="the snapshot cannot be read"):
        snapshot.load(path)
    # As its message says: making it again mends the board. One by a newer program is nothing to mend.
    again = snapshot.save(store.root, replace(later, created="2026-01-01T00:00:02Z"))
    assert again != path and snapshot.newest(store.root, made.cohort, made.board) == snapshot.load(again)
    again.write_text(json.dumps(seal({**snapshot.to_json(later), "schema": 99})))
    with pytest.raises(StoreError, match="Update ranscore"):
        snapshot.save(store.root, replace(later, created="2026-01-01T00:00:03Z"))


def test_records_whose_rows_are_elsewhere_are_named(filled: tuple[Store, dict[str, str]]) -> None:
    store, ids = filled
    (store.root / "rows" / f"{store.find('cedar').record.rows}.npz").unlink()
    made, metric = only(store)
    assert made.without_rows == (ids["cedar"],) and ids["cedar"] not in metric.systems


def test_a_board_whose_patients_nobody_knows_is_named_and_not_ranked(filled: tuple[Store, dict[str, str]]) -> None:
    store, _ = filled
    next((store.root / "patients").iterdir()).unlink()
    damaged: list[StoreError] = []
    assert ranks.make(store, aside=damaged.append) == ()
    assert "which of the 300 studies" in str(damaged[0])


def test_detectable_differences_shrink_with_studies(tmp_path: Path, ran: FindingsF1, draw: object) -> None:
    sizes = []
    for studies in (200, 800):
        tables, patients = draw({"a": (0.7, 0.02), "b": (0.7, 0.02)}, studies=studies)  # type: ignore[operator]
        store = Store(tmp_path / str(studies))
        for name, rows in tables.items():
            keep(store, ran, name, rows, patients)
        sizes.append(only(store)[1].detectable["macro-f1"])
    assert 1.5 < sizes[0] / sizes[1] < 2.7


def test_one_ranked_system_is_first_and_nothing_is_detectable(tmp_path: Path, ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"a": (0.7, 0.02)})  # type: ignore[operator]
    store = Store(tmp_path)
    name = keep(store, ran, "a", tables["a"], patients)
    _, metric = only(store)
    assert metric.places["macro-f1"][name].rank == metric.places["macro-f1"][name].high == 1
    assert metric.detectable == {}


def test_systems_that_differ_in_few_patients_say_nothing_about_a_difference(tmp_path: Path, ran: FindingsF1, draw: object) -> None:
    tables, patients = draw({"a": (0.7, 0.02), "b": (0.6, 0.02)})  # type: ignore[operator]
    store = Store(tmp_path)
    changed = tables["a"].values.copy()
    changed[:18:2, [0, 2]] = changed[:18:2, [2, 0]]  # nine patients, of two studies each
    for name, rows in {"a": tables["a"], "copy": tables["a"], "near": replace(tables["a"], values=changed)}.items():
        keep(store, ran, name, rows, patients)
    _, metric = only(store)
    assert len(metric.ranked) == 3 and metric.detectable == {}
    assert metric.gap("macro-f1", "Ran Score").startswith("The ranked systems differ in fewer than 10 patients")
    keep(store, ran, "other", tables["b"], patients)
    _, metric = only(store)
    least = metric.detectable["macro-f1"]
    assert (
        metric.gap("macro-f1", "Ran Score")
        == f"Two systems like the ranked ones must be about {least:.3f} Ran Score apart to be distinguished."
    )
    assert "0.0002 X" in replace(metric, detectable={"macro-f1": 0.00018}).gap("macro-f1", "X")
    # A snapshot by an older program may hold 0.
    assert "0.000" not in replace(metric, detectable={"macro-f1": 0.0}).gap("macro-f1", "X")
    assert replace(metric, ranked=metric.ranked[:1]).gap("macro-f1", "X") == ""
