from __future__ import annotations

import itertools

import pytest

from harness.cohorts.synthetic.cohort import LANGUAGES, build
from harness.cohorts.synthetic.labels import expected_f1
from harness.cohorts.synthetic.systems import RATES, system, systems
from harness.errors import UsageError
from harness.findings import NO_FINDING, RAN_21
from harness.metrics.findings_f1 import ran_score
from harness.types import Access, Cohort, Input, Labels, Role, Section


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return build(400, seed=3)


def scored(cohort: Cohort, labels: dict[str, Labels]) -> dict[str, float]:
    metric = ran_score("")
    truth = [Input(study.id, "", labels={"ran-21": cohort.labels[study.id]}) for study in cohort.scored]
    said = [Input(study.id, "", labels={"ran-21": labels[study.id]}) for study in cohort.scored]
    return {name: float(value) for name, value in metric.score(metric.rows(truth, said).sum(axis=0)).items()}


def test_a_cohort_has_the_asked_shape(cohort: Cohort) -> None:
    parts = [study.part for study in cohort.manifest.studies]
    assert (parts.count("test"), parts.count("train"), parts.count("dev")) == (400, 800, 100)
    assert cohort.manifest.name == "synthetic" and cohort.manifest.access is Access.OPEN and cohort.manifest.section is Section.BOTH
    assert set(cohort.labels) == set(cohort.texts) == {study.id for study in cohort.manifest.studies}
    assert all(18 <= (study.age or 0) <= 96 and study.sex in {"F", "M"} for study in cohort.manifest.studies)
    assert cohort.images is None


def test_patients_stay_in_one_part_and_have_earlier_films(cohort: Cohort) -> None:
    studies = {study.id: study for study in cohort.manifest.studies}
    for _, group in itertools.groupby(sorted(studies.values(), key=lambda study: study.patient), key=lambda study: study.patient):
        assert len({study.part for study in group}) == 1
    followed = [study for study in studies.values() if study.prior]
    assert len(followed) > 200
    for study in followed:
        earlier = studies[study.prior]
        assert earlier.patient == study.patient and earlier.id < study.id and (earlier.age or 0) <= (study.age or 0)
        assert earlier.sex == study.sex


def test_films_are_linked(cohort: Cohort) -> None:
    for study in cohort.manifest.studies:
        views = {image.id: image.view for image in study.images}
        assert views[study.frontal] in {"PA", "AP"} and views[study.frontal] == study.strata["view"]
        assert not study.lateral or views[study.lateral] == "LATERAL"
    assert 0.2 < sum(bool(study.lateral) for study in cohort.scored) / 400 < 0.7


def test_the_test_part_depends_on_nothing_but_the_seed(cohort: Cohort) -> None:
    alone = build(400, seed=3, train=0, dev=0)
    assert alone.manifest.digest == cohort.manifest.digest
    assert build(400, seed=4, train=0, dev=0).manifest.digest != cohort.manifest.digest


def test_both_languages_tell_of_the_same_patients(cohort: Cohort) -> None:
    chinese = build(400, seed=3, language="zh")
    assert chinese.manifest.name == "synthetic-zh" and chinese.manifest.language == "zh"
    assert chinese.labels == cohort.labels and chinese.manifest.studies == cohort.manifest.studies
    assert chinese.manifest.digest != cohort.manifest.digest


@pytest.mark.parametrize("wrong", [{"language": "fr"}, {"studies": 0}, {"train": -1}])
def test_what_cannot_be_built_is_said(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="synthetic"):
        build(**wrong)  # type: ignore[arg-type]


def test_the_true_order_shows() -> None:
    large = build(3000, seed=1, train=0, dev=0)
    made = systems(large)
    named = [item for item in made if item.role is Role.SYSTEM]
    assert [item.name for item in named] == [name for name, _, _ in RATES]
    values = {item.name: scored(large, dict(item.labels)) for item in made}
    micro = [values[item.name]["micro-f1"] for item in named]
    for item, value in zip(named, micro, strict=True):
        assert value == pytest.approx(item.expected, abs=0.03)
    clear = [value for item, value in zip(named, micro, strict=True) if item.name != "synthetic-elm"]
    assert clear == sorted(clear, reverse=True)
    assert values["references"]["macro-f1"] == 1.0
    assert values["all-findings"]["micro-recall"] == pytest.approx(1 - large_share(large), abs=1e-9)
    assert values["constant-normal"]["macro-f1"] < 0.05 < values["shuffled-references"]["macro-f1"] < 0.25


def large_share(cohort: Cohort) -> float:
    """The share of positive reference decisions that are No Finding: all that the all-findings floor misses."""
    normal = RAN_21.index(NO_FINDING)
    rows = [cohort.labels[study.id].values for study in cohort.scored]
    return sum(row[normal] or 0 for row in rows) / sum(value or 0 for row in rows for value in row)


@pytest.mark.parametrize("language", LANGUAGES)
def test_systems_write_a_report_for_every_study(language: str) -> None:
    small = build(60, seed=2, language=language)
    ids = {study.id for study in small.scored}
    for item in systems(small, seed=5):
        assert set(item.reports) == set(item.labels) == ids
        assert all(text.strip() for text in item.reports.values())
    shuffled = next(item for item in systems(small) if item.name == "shuffled-references")
    assert all(shuffled.reports[study] != small.reference(study) for study in ids)
    assert sorted(shuffled.reports.values()) == sorted(small.reference(study) for study in ids)


def test_a_system_repeats_itself_and_refuses_what_cannot_be(cohort: Cohort) -> None:
    assert system(cohort, "mine", 0.5, 0.3, 1) == system(cohort, "mine", 0.5, 0.3, 1)
    assert system(cohort, "mine", 0.5, 0.3, 1).labels != system(cohort, "yours", 0.5, 0.3, 1).labels
    assert system(cohort, "mine", 0.5, 0.3).expected == pytest.approx(expected_f1(0.5, 0.3))
    with pytest.raises(UsageError, match="not rates"):
        system(cohort, "mine", 1.5, 0.3)
    unlabelled = Cohort(cohort.manifest, cohort.texts)
    with pytest.raises(UsageError, match="known labels"):
        system(unlabelled, "mine", 0.5, 0.3)
