"""The paper's Table 5 and the proof that two of its columns are exchanged."""

from __future__ import annotations

import pytest

from harness.records.paper_table import implied_prevalence, reported, source


def test_the_printed_values_stand() -> None:
    printed = {row.system: row.as_printed for row in reported()}
    # From the printed table.
    assert printed["LLM-RG4"] == (0.854, 0.562, 0.447, 0.498, 0.390, 0.353, 0.333)
    assert printed["XrayGPT"] == (0.839, 0.091, 0.209, 0.127, 0.056, 0.117, 0.045)
    assert len(printed) == 7 and "Table 5" in source()


def test_exchanged_columns_give_one_prevalence_and_the_printed_ones_do_not() -> None:
    corrected = [implied_prevalence(row.micro_accuracy, row.micro_precision, row.micro_recall) for row in reported()]
    printed = [implied_prevalence(row.micro_accuracy, row.micro_recall, row.micro_precision) for row in reported()]
    assert max(corrected) - min(corrected) < 0.0015
    assert min(corrected) == pytest.approx(0.128, abs=0.0006)
    assert max(printed) - min(printed) > 0.1


def test_the_note_prints_what_the_function_computes() -> None:
    from pathlib import Path

    page = (Path(__file__).parents[1] / "docs" / "notes-on-the-paper.md").read_text()
    for row in reported():
        wrong = implied_prevalence(row.micro_accuracy, row.micro_recall, row.micro_precision)
        right = implied_prevalence(row.micro_accuracy, row.micro_precision, row.micro_recall)
        assert f"| {row.system} | {wrong:.3f} | {right:.3f} |" in page


def test_f1_follows_from_the_corrected_pair() -> None:
    for row in reported():
        f1 = 2 * row.micro_precision * row.micro_recall / (row.micro_precision + row.micro_recall)
        assert f1 == pytest.approx(row.micro_f1, abs=0.001)
