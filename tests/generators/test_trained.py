"""The trained baseline: its algebra, its file, and that it sees what is drawn on the synthetic films."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from generators import catalogue
from generators.baseline import trained
from generators.baseline.demo_system import DemoSystem
from generators.baseline.sentences import SENTENCES, written
from generators.bounds.floors import bound
from generators.catalogue import Options
from harness import cohorts
from harness.cohorts.synthetic.cohort import build
from harness.config.home import home
from harness.errors import InputError, UsageError
from harness.extractors import extractor
from harness.findings import RAN_21
from harness.scoring import scorer
from harness.types import Cohort, StudyInput
from ranscore.commands import main


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """A synthetic cohort with its films."""
    return build(studies=100, seed=4, images=tmp_path_factory.mktemp("films"), train=400, dev=1)


def test_the_solution_is_ridge_regression_and_left_out_predictions_are_refits() -> None:
    rng = np.random.default_rng(0)
    images, truth = rng.random((40, trained.SIDE**2)), (rng.random((40, 20)) < 0.4).astype(float)
    model = trained.fit(images, truth)
    features = (images - model.mean) / model.scale
    # scikit-learn's Ridge is the independent implementation; the penalty is relative to the number of features.
    peer = Ridge(alpha=trained.RIDGE * features.shape[1], solver="cholesky").fit(features, truth)
    np.testing.assert_allclose(features @ model.directions + model.offsets, peer.predict(features), atol=1e-8)


def test_the_threshold_has_the_best_f1() -> None:
    scores, present = np.array([0.9, 0.8, 0.7, 0.2, 0.1]), np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    assert trained.threshold(scores, present) == pytest.approx(0.15)
    assert trained.threshold(scores, np.zeros(5)) == float("inf")


def test_it_learns_and_beats_every_floor_with_significance(cohort: Cohort) -> None:
    model = trained.train(cohort)
    assert model.digest == trained.train(cohort).digest
    generator = trained.Trained(model)
    assert cohort.images is not None
    inputs = [StudyInput(s.id, frontal=cohort.images / next(i.path for i in s.images if i.id == s.frontal)) for s in cohort.scored]
    reports = {made.study: made.report for made in generator.generate(inputs)}
    own = scorer.score(predictions=reports, references=cohort, metrics=["ran-score"]).record.metrics[0]
    assert own.interval is not None and own.value > 0.6
    for name in ("constant-normal", "all-findings", "shuffled-references"):
        floor = scorer.score(predictions=bound(name, cohort).reports, references=cohort, metrics=["ran-score"]).record.metrics[0]
        assert floor.interval is not None and floor.interval[1] < own.interval[0]


def test_the_extractor_reads_back_what_was_written() -> None:
    for language, sentences in SENTENCES.items():
        for labels, name in zip(extractor().extract([written([name], language) for name in sentences]), sentences, strict=True):
            assert name in {finding for finding, value in zip(RAN_21, labels.values, strict=True) if value == 1}
        (normal,) = extractor().extract([written([], language)])
        assert [name for name, value in zip(RAN_21, normal.values, strict=True) if value] == ["No Finding"]
    with pytest.raises(UsageError, match="not 'fr'"):
        written([], "fr")


def test_a_wrong_model_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"no model")
    with pytest.raises(InputError, match="not a trained baseline"):
        trained.load(tmp_path / "model")
    np.savez(
        tmp_path / "model.npz",
        mean=np.zeros(3),
        scale=np.zeros(1024),
        directions=np.zeros((1024, 20)),
        offsets=np.zeros(20),
        thresholds=np.zeros(20),
    )
    with pytest.raises(InputError, match=r"mean has shape \(3,\)"):
        trained.load(tmp_path / "model.npz")


def test_a_study_without_a_film_is_a_recorded_failure(cohort: Cohort) -> None:
    (made,) = trained.Trained(trained.train(cohort)).generate([StudyInput("s")])
    assert made.failure == "no frontal film" and made.report == ""


def test_the_commands_train_and_generate(cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cohorts.save(cohort, tmp_path / "cohort")
    arguments = ["--cohort", str(tmp_path / "cohort")]
    assert main(["generate", "trained-baseline", *arguments, "-o", str(tmp_path / "r.jsonl")]) == 4
    assert "ranscore train-baseline" in capsys.readouterr().err
    assert main(["train-baseline", *arguments]) == 0
    assert main(["generate", "trained-baseline", *arguments, "-o", str(tmp_path / "r.jsonl"), "--limit", "5"]) == 0
    assert "5 reports by trained-baseline" in capsys.readouterr().out
    assert catalogue.find("trained-baseline").weights[0].name == "model"
    assert main(["generate", "trained-baseline", *arguments, "-o", str(tmp_path / "b.jsonl"), "--set", "colour=red"]) == 2


def test_the_living_system_keeps_its_model_and_makes_it_again_where_it_is_lost(tmp_path: Path) -> None:
    living = DemoSystem(tmp_path / "films", tmp_path / "models", seed=6)
    small = build(studies=6, seed=6)
    first = living(small)
    path = living.model(small)
    kept = path.read_bytes()
    assert path.parent == tmp_path / "models" and len(first.reports) == 6
    made = path.stat().st_mtime_ns
    assert living(small).reports == first.reports and path.stat().st_mtime_ns == made
    path.unlink()
    assert living.model(small).read_bytes() == kept
    assert living.model(build(studies=7, seed=6)) != path


def test_a_model_knows_whether_it_learned_from_drawings(cohort: Cohort, tmp_path: Path) -> None:
    model = trained.train(cohort)
    real = replace(cohort, manifest=replace(cohort.manifest, source="films of a hospital"))
    other = trained.train(real)
    assert model.drawn is True and other.drawn is False and model.digest == other.digest
    for each in (model, other, replace(model, drawn=None)):
        each.save(tmp_path / "model")
        assert trained.load(tmp_path / "model").drawn is each.drawn
    said = {each: trained.Trained(replace(model, drawn=each)).caution for each in (True, False, None)}
    assert "drawn films alone" in said[True] and "does not say" in said[None] and said[False] == ""


def test_on_real_films_its_name_says_what_it_learned_from(cohort: Cohort, tmp_path: Path) -> None:
    model = trained.train(cohort)
    real = replace(cohort, manifest=replace(cohort.manifest, source="films of a hospital"))
    names = {}
    for drawn in (True, False, None):
        path = tmp_path / str(drawn)
        replace(model, drawn=drawn).save(path)
        options = Options({"model": path})
        names[drawn] = catalogue.title(trained.SYSTEM, options, real), catalogue.title(trained.SYSTEM, options, cohort)
    assert names[True] == names[None] == ("trained-baseline (learned from drawings)", "trained-baseline")
    assert names[False] == ("trained-baseline", "trained-baseline")


def test_a_run_on_real_films_keeps_the_mark_up_to_the_record(cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained.train(cohort).save(tmp_path / "model")
    old = cohort.manifest
    real = cohorts.make(
        "real", old.studies, cohort.texts, section=old.section, access=old.access, language="en", source="a hospital", images=cohort.images
    )
    cohorts.save(real, home() / "cohorts" / "real")
    out = tmp_path / "r.jsonl"
    given = ["--cohort", "real"]
    assert main(["generate", "trained-baseline", *given, "--weights", f"model={tmp_path / 'model'}", "-o", str(out), "--limit", "5"]) == 0
    capsys.readouterr()
    assert main(["score", str(out), *given, "--metrics", "ran-score", "--json", "--name", "Mine"]) == 0
    assert json.loads(capsys.readouterr().out)["system"]["name"] == "Mine (learned from drawings)"
