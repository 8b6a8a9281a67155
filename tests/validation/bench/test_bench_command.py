"""`ranscore bench` and its commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ranscore.commands import main
from tests.validation.bench.test_people import CASES, ratings
from validation.bench import results


def test_a_run_is_kept_and_shown_with_metrics_by_name_and_signature(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", "--count", "90", "--metrics", "ran-score,rouge-l", "-o", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in found["metrics"][:2]] == ["ran-score", "rouge-l:coco|ptb"]
    assert found["metrics"][1]["signature"] == "rouge-l|v1|coco|ptb"
    assert results.load(tmp_path / "generated-en.json").digest == found["digest"]
    assert main(["bench", "show", "-o", str(tmp_path), "--kinds"]) == 0
    assert "severity" in capsys.readouterr().out


def test_what_nobody_ran_is_shown_from_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "show", "--language", "zh", "--source", "held-out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == results.shipped("zh", "held-out").digest


def test_pairs_of_ones_own_leave_no_text_in_the_result(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    assert main(["bench", "pairs", "--count", "60", "-o", str(path)]) == 0
    digest = capsys.readouterr().out.split()[-1]
    assert main(["bench", "--source", str(path), "--metrics", "rouge-l", "-o", str(tmp_path / "out"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs_digest"] == digest and found["examples"] == {}
    # Its own file: what a page shows of generated pairs stays as it is.
    assert [path.name for path in (tmp_path / "out").glob("*.json")] == ["file-en.json"]
    assert main(["bench", "--source", str(tmp_path / "nowhere")]) == 3


def test_a_metric_of_another_package_joins_by_its_entry_point(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    known = {"ranscore.metrics": {"their-metric": "harness.metrics.rouge:rouge_l"}}
    monkeypatch.setattr("harness.registry._entry_points", lambda group, path: known.get(group, {}))
    from harness.scoring.scorer import every_metric

    assert "their-metric" in every_metric("en")
    assert main(["bench", "gaming", "--metrics", "their-metric", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["scores"]
    assert found["the reference"] == {"rouge-l:coco|ptb": 1.0}
    assert 0 < found["boilerplate"]["rouge-l:coco|ptb"] < 0.5


def test_readers_and_ordered_cases_print_figures_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["bench", "readers", "table", str(ratings(tmp_path / "a.csv")), "--metrics", "rouge-l", "--json"]) == 0
    text = capsys.readouterr().out
    assert "Reference" not in text
    assert [item["within"]["value"] for item in json.loads(text)["readers"]] == [1, 1]
    (tmp_path / "RadJudge").mkdir()
    (tmp_path / "RadJudge" / "test_cases.py").write_text(CASES, encoding="utf-8")
    assert main(["bench", "readers", "radjudge", str(tmp_path), "--metrics", "rouge-l", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["rouge-l:coco|ptb"]
    assert found["1a"] is True and set(found) == {"1a", "1b", "1c"}


def test_reports_of_a_cohort_are_edited_by_rules_and_never_written(tmp_path: Path) -> None:
    from harness import cohorts
    from harness.cohorts.synthetic.cohort import build
    from validation.bench import local, pairs, running

    cohort = build(40, 3, "en")
    made = local.pairs(cohort, 150, 1)
    assert made == local.pairs(cohort, 150, 1) and len(made) == 150
    assert {"side", "order", "omitted", "unnegated", "bullets"} <= {pair.kind for pair in made}
    one_sided = [pair for pair in made if pair.kind == "side"]
    assert all(pairs.changed_words(pair) == 1 for pair in one_sided)
    result = running.run(made, metrics=["ran-score"], passed_on=False)
    assert result.source == "local" and result.examples == {}
    cohorts.save(cohort, tmp_path / "mine")
    assert main(["bench", "pairs", "--source", f"cohort:{tmp_path / 'mine'}", "-o", str(tmp_path / "p.jsonl")]) == 2
    assert not (tmp_path / "p.jsonl").exists()
