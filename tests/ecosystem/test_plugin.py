"""Somebody else's package adds a metric, an extractor, a generator and a cohort, without a change here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.cohorts import make
from harness.errors import UnavailableError, UsageError
from harness.extractors import extractor
from harness.metrics.means import Mean
from harness.registry import Registry
from harness.scoring.scorer import score
from harness.types import Access, Section, Study, Text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example package was really installed into."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(ROOT / "examples" / "plugin", folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(folder / "site"), str(folder / "source")], check=True)
    return folder / "site"


def test_it_scores_generates_and_lists_with_them(installed: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{installed}", "RANSCORE_HOME": str(tmp_path / "home")}

    def ranscore(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ranscore", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "length-ratio" in ranscore("metrics")
    assert "always-clear" in ranscore("systems", "list")
    assert "two invented patients" in ranscore("help", "cohort", "build")
    ranscore("cohort", "build", "two-patients")
    ranscore("generate", "always-clear", "--cohort", "two-patients", "-o", "reports.jsonl")
    words = ["--cohort", "two-patients", "--extractor", "keywords", "--metrics", "ran-score,length-ratio", "--json"]
    record = json.loads(ranscore("score", "reports.jsonl", *words))
    values = {item["name"]: item for item in record["metrics"]}
    assert values["length-ratio"]["parts"]["length-ratio"] == pytest.approx((4 / 5 + 1) / 2)
    assert record["extractors"][0]["name"] == "keywords"


def test_objects_can_be_given_in_place_of_names() -> None:
    def ones(references: object, candidates: list[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.ones((len(candidates), 1))

    studies = [Study("one", "p1"), Study("two", "p2")]
    texts = {"one": Text(findings="Small pneumothorax."), "two": Text(findings="The lungs are clear.")}
    cohort = make("c", studies, texts, section=Section.FINDINGS, access=Access.OPEN, language="en", source="")
    mine = Mean("mine", "", ("mine",), ones)  # type: ignore[arg-type]
    found = score(
        predictions={"one": "Clear.", "two": "Clear."}, references=cohort, metrics=["ran-score", mine], extractor=extractor("lexical")
    )
    assert [item.name for item in found.record.metrics] == ["ran-score", "mine"] and found.record.metrics[1].value == 1.0


def test_a_broken_package_is_named_and_cannot_replace_a_name_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    added = {"bleu": "elsewhere:bleu", "odd": "no_such_package_here:odd"}
    monkeypatch.setattr("harness.registry._entry_points", lambda group, path: added)
    registry = Registry("metric", {"bleu": "harness.metrics.bleu:bleu"})
    assert registry["bleu"] == "harness.metrics.bleu:bleu" and list(registry) == ["bleu", "odd"]
    with pytest.raises(UnavailableError, match="no_such_package_here cannot be imported"):
        registry.find("odd")
    with pytest.raises(UsageError, match="did you mean 'bleu'"):
        registry.find("blue")
