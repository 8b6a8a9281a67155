"""Ran Score as a function and as a metric of `evaluate`."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, make_scorer

from harness.errors import InputError
from harness.findings import FINDINGS, RAN_21
from harness.hf_evaluate import FOLDER
from harness.ran_score import ran_score, score_reports

RNG = np.random.default_rng(0)
TRUE = RNG.integers(0, 2, (50, 21))
SAID = np.where(RNG.random((50, 21)) < 0.3, 1 - TRUE, TRUE)


def test_it_is_scikit_learns_macro_f1() -> None:
    assert ran_score(TRUE, SAID) == pytest.approx(f1_score(TRUE, SAID, average="macro", zero_division=0), abs=1e-12)
    assert ran_score(TRUE, SAID, part="micro-f1") == pytest.approx(f1_score(TRUE, SAID, average="micro"), abs=1e-12)
    assert ran_score(TRUE.tolist(), TRUE.tolist()) == 1.0
    assert callable(make_scorer(ran_score))


def test_a_table_may_have_its_columns_in_any_order_and_either_spelling() -> None:
    table = pd.DataFrame(TRUE, columns=[finding.column for finding in FINDINGS])
    shuffled = pd.DataFrame(SAID, columns=list(RAN_21))[list(RAN_21)[::-1]].assign(study_id="x")
    assert ran_score(table, shuffled) == ran_score(TRUE, SAID)
    with pytest.raises(InputError, match=r"y_pred has no column Edema, Emphysema\."):
        ran_score(table, shuffled.drop(columns=["Edema", "Emphysema"]))


def test_open_decisions_are_left_out_of_the_reference_and_not_asserted_by_the_system() -> None:
    true, said = np.ones((2, 21)), np.ones((2, 21))
    true[0, 0], true[1, 0], said[0, 1] = np.nan, -1, np.nan
    assert ran_score(true, said, part="f1:Atelectasis") == 0.0
    assert ran_score(true, said, part="recall:Cardiomegaly") == 0.5
    assert ran_score(true, said, part="recall:Edema") == 1.0


def test_wrong_shapes_values_and_parts_are_named() -> None:
    with pytest.raises(InputError, match=r"y_true has the shape \(3, 14\)"):
        ran_score(np.ones((3, 14)), np.ones((3, 14)))
    with pytest.raises(InputError, match="50 references and 49 predictions"):
        ran_score(TRUE, SAID[:-1])
    wrong = TRUE.astype(float)
    wrong[3, 4] = 0.5
    with pytest.raises(InputError, match=r"y_pred\[3, 4\] is 0.5"):
        ran_score(TRUE, wrong)
    with pytest.raises(InputError, match="no part 'auc'; there are macro-f1"):
        ran_score(TRUE, SAID, part="auc")


def test_reports_are_labelled_and_one_study_has_no_interval() -> None:
    texts = ["The heart is enlarged. There is a left pleural effusion.", "No acute disease. Lungs are clear."]
    parts, ends = score_reports(predictions=texts, references=texts)
    assert parts["f1:Cardiomegaly"] == parts["f1:Pleural Effusion"] == parts["micro-f1"] == 1.0
    assert ends["micro-f1"][0] <= 1.0 <= ends["micro-f1"][1]
    assert score_reports(predictions=texts[:1], references=texts[:1])[1] == {}
    assert score_reports(predictions=["", ""], references=texts)[0]["micro-f1"] == 0.0


def test_evaluate_loads_it_from_a_folder_without_a_network(tmp_path: Path) -> None:
    code = f"""
        import json, sys

        class WithoutTransformers:  # evaluate imports it where it is there, which takes most of the time of this test
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "transformers":
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, WithoutTransformers())
        import evaluate
        labels = evaluate.load({FOLDER!r}, "labels")
        found = labels.compute(predictions={SAID.tolist()}, references={TRUE.tolist()})
        reports = evaluate.load({FOLDER!r})
        reports.add(prediction="The heart is enlarged.", reference="Cardiomegaly.")
        reports.add_batch(predictions=["Clear lungs."], references=["Large left pleural effusion."])
        both = reports.compute()
        print(json.dumps([found["ran_score"], found["low"], found["high"], both["f1:Cardiomegaly"], both["recall:Pleural Effusion"]]))
    """
    settings = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "HF_EVALUATE_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)], env=os.environ | settings, capture_output=True, text=True, check=True
    )
    score, low, high, heart, effusion = json.loads(done.stdout.splitlines()[-1])
    assert score == pytest.approx(ran_score(TRUE, SAID), abs=1e-12)
    assert 0 <= low < score < high <= 1
    assert (heart, effusion) == (1.0, 0.0)


def test_both_sides_are_named_and_in_one_order_wherever_a_function_takes_both() -> None:
    """Swapped sides give the same macro F1, and precision and recall exchanged: nobody would notice."""
    found = []
    for package in map(importlib.import_module, ("harness", "generators", "submissions", "leaderboard")):
        for listed in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if listed.name.endswith("__main__"):
                continue
            for name, item in vars(importlib.import_module(listed.name)).items():
                if inspect.isfunction(item) and item.__module__ == listed.name and not name.startswith("_"):
                    sides = [
                        each for each in inspect.signature(item).parameters.values() if re.match("(prediction|reference)s?$", each.name)
                    ]
                    if len(sides) == 2:
                        found.append(listed.name + "." + name)
                        assert [each.name for each in sides] == ["predictions", "references"], found[-1]
                        assert all(each.kind is each.KEYWORD_ONLY for each in sides), found[-1]
    assert {name.rpartition(".")[2] for name in found} >= {
        "score",
        "score_labels",
        "score_decisions",
        "score_reports",
        "scores_of",
        "from_labels",
    }
    with pytest.raises(TypeError, match="positional"):
        score_reports(["a"], ["a"])  # type: ignore[call-arg]
