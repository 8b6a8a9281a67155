"""Pairs that differ by one edit, and metrics whose answer is known beforehand."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from harness.errors import InputError, UsageError
from harness.metrics import metric
from validation.bench import correlation, known, measures, pairs, results, running, scoring, written
from validation.bench.drafts import words
from validation.bench.estimates import mean
from validation.bench.kinds import KINDS, EditGroup, group_of
from validation.bench.measures import MetricMeasure
from validation.bench.pairs import BenchPair

LANGUAGES = ("en", "zh")
MADE = {language: pairs.generate(600, 5, language) for language in LANGUAGES}


@pytest.fixture(scope="module", params=LANGUAGES)
def measured(request: pytest.FixtureRequest) -> dict[str, MetricMeasure]:
    chosen = MADE[request.param]
    scores = [known.oracle(chosen), known.always_an_error(chosen), *known.sentinels(chosen)]
    return {item.name: item for item in measures.measure(chosen, scores)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pairs_follow_from_the_seed_and_more_of_them_only_add_some(language: str) -> None:
    again = pairs.generate(600, 5, language)
    assert pairs.digest(again) == pairs.digest(MADE[language]) != pairs.digest(pairs.generate(600, 6, language))
    assert pairs.generate(300, 5, language) == again[:300]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_made(language: str) -> None:
    kinds = {pair.kind for pair in MADE[language]}
    # Chinese has no capitals to speak of: only reports with Latin letters have the kind.
    assert {kind.name for kind in KINDS} - kinds <= ({"capitals"} if language == "zh" else set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_edits_are_minimal(language: str) -> None:
    one_word = {"wording", "negated", "unnegated", "side", "severity", "size", "position", "spelling"}
    for pair in MADE[language]:
        changed = pairs.changed_words(pair)
        if pair.kind in one_word:
            assert 1 <= changed <= 3, (pair.id, changed)
        if pair.kind in {"bullets", "punctuation"}:
            assert words(pair.candidate) == words(pair.reference)
        assert pair.kind == "same" or pair.candidate != pair.reference, pair.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_by_construction_change_with_findings_alone(language: str) -> None:
    """Ran Score with the right labels moves on no harmless edit, sees every significant error, and sees no attribute."""
    scores = scoring.by_construction(MADE[language], metric("ran-score"))
    for pair, score in zip(MADE[language], scores, strict=True):
        assert (score < 1) == (group_of(pair.kind) is EditGroup.SIGNIFICANT), (pair.id, score)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_dropped_or_added_has_one_length_in_a_report(language: str) -> None:
    longer: dict[tuple[str, str], int] = {(pair.reference_id, pair.kind): pair.longer for pair in MADE[language]}
    for error, harmless in (("omitted", "remark dropped"), ("invented", "remark added")):
        both = [(value, longer[(name, harmless)]) for (name, kind), value in longer.items() if kind == error and (name, harmless) in longer]
        assert len(both) > 10
        assert all(one == other for one, other in both)


def test_an_oracle_sees_everything_and_what_always_sees_an_error_spares_nothing(measured: dict[str, MetricMeasure]) -> None:
    oracle, always = measured["oracle"], measured["always-an-error"]
    assert oracle.discrimination.value == oracle.attributes.value == oracle.robustness.value == oracle.monotonicity.value == 1
    assert oracle.verdict == {"discrimination": 1, "robustness": 1, "balance": 1, "bias": 0}
    assert always.verdict["discrimination"] == 1 and always.verdict["robustness"] == 0 and always.verdict["bias"] == 1
    assert always.robustness.value == 0 and always.unmoved.value == 0


def test_sentinels_are_blind(measured: dict[str, MetricMeasure]) -> None:
    for name in ("length", "constant"):
        found = measured[f"sentinel-{name}"]
        assert found.discrimination.value == found.attributes.value == 0.5
        for kind, item in found.kinds.items():
            assert item.auc.value in (0.5, None), kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_scores_at_random_see_nothing_on_average(language: str) -> None:
    chosen = MADE[language][:400]
    constant = known.of_pairs("constant", chosen, lambda pair: 1.0)
    found = measures.measure(chosen, [known.noisy(f"random-{number}", constant, 1.0) for number in range(30)])
    for values in ([item.discrimination.value for item in found], [item.attributes.value for item in found]):
        # 30 runs over 13 references: the mean has a standard error of about 0.008.
        assert np.mean([value for value in values if value is not None]) == pytest.approx(0.5, abs=0.03)


def test_a_metric_joins_by_its_rows_alone(tmp_path: Path) -> None:
    chosen = MADE["en"][:120]
    first = running.run(chosen, metrics=["ran-score", "rouge-l"], kept=tmp_path, seed=5)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    again = running.run(chosen, metrics=["ran-score", "rouge-l"], kept=tmp_path, seed=5)
    assert again.digest == first.digest
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == kept and kept
    found = first.metric("ran-score")
    assert found and found.signature.startswith("ran-score|v1|x:")
    assert found.discrimination.value is not None and found.discrimination.value > 0.9
    assert found.attributes.value is not None and found.attributes.value < 0.55


def test_a_damaged_piece_is_scored_again(tmp_path: Path) -> None:
    chosen = MADE["en"][:40]
    first = running.run(chosen, metrics=["rouge-l"], kept=tmp_path)
    piece = next(tmp_path.rglob("*.json"))
    piece.write_text("[1, 2", encoding="utf-8")
    assert running.run(chosen, metrics=["rouge-l"], kept=tmp_path).digest == first.digest
    assert json.loads(piece.read_text(encoding="utf-8"))


def test_a_result_comes_back_as_it_was_and_a_changed_one_is_refused(tmp_path: Path) -> None:
    result = running.run(MADE["en"][:60], metrics=["rouge-l"], seed=5)
    path = results.save(result, tmp_path)
    assert results.load(path) == result
    path.write_text(path.read_text(encoding="utf-8").replace('"seed":5', '"seed":6'), encoding="utf-8")
    with pytest.raises(InputError, match="changed"):
        results.load(path)


def test_texts_that_may_not_be_passed_on_are_not_in_the_result() -> None:
    result = running.run(MADE["en"][:60], metrics=["rouge-l"], passed_on=False)
    assert result.examples == {}
    assert "Findings" not in json.dumps(results.to_json(result))
    assert "Findings" not in repr(MADE["en"][:3])


def test_pairs_are_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    pairs.save(MADE["zh"], path)
    assert pairs.load(path) == MADE["zh"]
    path.write_text('{"id": 1}\nno\n', encoding="utf-8")
    with pytest.raises(InputError) as caught:
        pairs.load(path)
    assert len(caught.value.problems) == 2
    with pytest.raises(UsageError, match="fr"):
        pairs.generate(3, 0, "fr")


def test_written_pairs_are_whole_and_halved() -> None:
    found = [written.pairs(language, half) for language in LANGUAGES for half in (False, True)]
    assert [sum(pair.kind != "same" for pair in item) for item in found] == [60, 60, 60, 60]
    for pair in (pair for item in found for pair in item):
        group = group_of(pair.kind)
        assert (pair.candidate == pair.reference) == (pair.kind == "same")
        assert pair.significant == (group in (EditGroup.SIGNIFICANT, EditGroup.ATTRIBUTE)), pair.id


def test_tau_b_equals_scipy() -> None:
    rng = np.random.default_rng(3)
    for size in (2, 5, 30):
        for top in (2, 4, 1000):
            first, second = (rng.integers(0, top, size).astype(float) for _ in range(2))
            want = scipy.stats.kendalltau(first, second).statistic
            assert correlation.tau_b(first, second) == pytest.approx(want, nan_ok=True)


def test_the_calibrated_threshold_is_the_best_of_all() -> None:
    rng = np.random.default_rng(4)
    groups = [(rng.integers(0, 3, size).astype(float), rng.random(size).round(1)) for size in (2, 6, 9, 1)]
    gaps = {abs(one - other) for _, scores in groups for one in scores for other in scores}
    tried = {
        epsilon: float(np.mean([correlation.accuracy(people, scores, epsilon) for people, scores in groups if len(people) > 1]))
        for epsilon in sorted({0.0, *gaps})
    }
    best, epsilon = correlation.calibrated(groups)
    assert best == pytest.approx(max(tried.values()))
    assert tried[epsilon] == pytest.approx(best)


def test_one_reference_decides_nothing_and_agreement_of_all_is_not_certainty() -> None:
    assert mean(np.array([1.0, np.nan])).low == 0
    agreed = mean(np.ones(20))
    assert agreed.value == 1 and agreed.low is not None and 0.8 < agreed.low < 0.9
    by_kind: dict[str, list[BenchPair]] = defaultdict(list)
    for pair in MADE["en"]:
        by_kind[pair.kind].append(pair)
    assert {shape.kind: shape.pairs for shape in results.shapes(MADE["en"])} == {
        kind: len(listed) for kind, listed in by_kind.items() if kind != "same"
    }
