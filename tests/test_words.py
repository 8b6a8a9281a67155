"""The vocabularies, the canonical form and the error tree."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.errors import InputError, Problem, RanscoreError
from harness.findings import CHEXPERT_5, CHEXPERT_14, COMPARABLE_14, FINDINGS, RAN_21, by_spelling
from harness.signature import Signature, canonical, digest


def test_there_are_21_findings_and_14_of_them_are_chexperts() -> None:
    assert len(RAN_21) == len(set(RAN_21)) == 21
    assert set(COMPARABLE_14) == set(CHEXPERT_14)
    assert RAN_21[:14] == COMPARABLE_14
    assert set(CHEXPERT_5) < set(CHEXPERT_14)
    assert all(finding.definition.endswith(".") for finding in FINDINGS)


def test_either_spelling_of_a_column_names_its_finding() -> None:
    table = by_spelling()
    assert table["calcification(lung and mediastinal)"] == table["calcification"] == "Calcification"
    assert set(table.values()) == set(RAN_21)


def test_canonical_form_ignores_order_and_the_last_bits_of_a_float() -> None:
    assert canonical({"b": 1, "a": [0.1 + 0.2, "é"]}) == '{"a":["0.3","é"],"b":1}'.encode()
    assert digest({"x": 0.1 + 0.2}) == digest({"x": 0.3}) != digest({"x": 0.301})
    assert canonical(-0.0) == canonical(0.0)
    with pytest.raises(ValueError, match="not finite"):
        canonical({"x": float("nan")})


def test_a_signature_says_what_must_be_equal() -> None:
    assert str(Signature("bleu", 1, "coco|ptb")) == "bleu|v1|coco|ptb"
    assert str(Signature("ran-score", 1, extractor="ab" * 32)) == "ran-score|v1|x:abababababab"


def test_an_error_names_file_line_study_and_remedy_and_holds_all_problems() -> None:
    error = InputError([Problem("it has no text", "Write a report", "a.csv", 3, "s1"), Problem("broken")])
    assert str(error) == "a.csv:3, study 's1': it has no text. Write a report\nbroken"
    assert isinstance(error, RanscoreError) and error.exit_code == 3


def test_help_answers_without_the_heavy_packages() -> None:
    code = (
        "import sys; from ranscore.commands import parser; parser().format_help(); print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "transformers", "gradio", "datasets", "ray", "pandas", "scipy", "sklearn", "pyarrow", "numpy"} & set(loaded)
