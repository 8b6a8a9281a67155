"""A study of findings that reads the reports of a system: the same studies as the originals, nothing that shows who wrote them."""

from __future__ import annotations

from typing import Any

import pytest

from harness import cohorts
from harness.config.home import home
from harness.errors import UsageError
from harness.metrics import metric
from harness.records.store import Store
from harness.scoring import demo
from harness.types import Cohort
from validation.extractors import reference
from validation.readers import create, folder, page, standard, texts
from validation.readers.study import ReadingStudy


def drawn(store: Store, cohort: Cohort, **more: Any) -> ReadingStudy:
    plan = create.ReadingPlan(items=12, readers=2, at_least=2, **more)
    return create.study(cohort, plan, seed="winter", salt="ab" * 32, store=store)


def test_people_label_the_reports_of_one_system() -> None:
    store = Store(home() / "store")
    cohort = demo.fill(store, [metric("ran-score")], studies=30)
    cohorts.save(cohort, home() / "cohorts" / cohort.manifest.name)
    item = next(one for one in store.standing() if one.record.system.role == "system")
    originals, generated = drawn(store, cohort), drawn(store, cohort, systems=[item.record.system.name])
    assert [one.study for one in originals.items] == [one.study for one in generated.items]
    reports, shown = store.reports(item) or {}, texts.load(generated, store)
    assert {one.id: (reports[one.study],) for one in generated.items} == shown
    written = page.document(page.of_reader("winter-a", generated, "reader-1", shown))
    assert item.record.system.name not in written and item.id not in written
    place = folder.place("winter-a")
    place.freeze(generated)
    standard.write(place, standard.settle(generated, {}, 0))
    assert {one.source for one in reference.load("winter-a").items} == {"generated"}


def test_a_study_of_findings_reads_one_system_at_a_time() -> None:
    store = Store(home() / "store")
    cohort = demo.fill(store, [metric("ran-score")], studies=20)
    names = [one.record.system.name for one in store.standing()][:2]
    with pytest.raises(UsageError, match="a study for each system"):
        drawn(store, cohort, systems=names)
