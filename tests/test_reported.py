"""The paper's Table 5 and the proof that two of its columns are exchanged; what is known of Tables 2 to 4, and what it shows."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from harness.findings import RAN_21
from harness.records.paper_table import extraction, implied_prevalence, reported, source
from harness.statistics.agreement import AgreementCounts, counts_of, mcnemar
from harness.types import Json


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
    page = (Path(__file__).parents[1] / "docs" / "notes-on-the-paper.md").read_text()
    for row in reported():
        wrong = implied_prevalence(row.micro_accuracy, row.micro_recall, row.micro_precision)
        right = implied_prevalence(row.micro_accuracy, row.micro_precision, row.micro_recall)
        assert f"| {row.system} | {wrong:.3f} | {right:.3f} |" in page


def test_f1_follows_from_the_corrected_pair() -> None:
    for row in reported():
        f1 = 2 * row.micro_precision * row.micro_recall / (row.micro_precision + row.micro_recall)
        assert f1 == pytest.approx(row.micro_f1, abs=0.001)


REPORTS = 300


def printed() -> Json:
    found: Json = json.loads(files("harness.records").joinpath("reported.json").read_text(encoding="utf-8"))["extraction"]
    return found


def test_the_21_labels_are_there_and_14_have_a_value_of_chexbert() -> None:
    assert {row.finding for row in extraction()} == set(RAN_21) and len(extraction()) == 21
    assert [row.finding for row in extraction() if row.f1_chexbert is not None] == [row.finding for row in extraction()][:14]


def test_the_two_printed_means_are_of_different_labels() -> None:
    """0.753 is the mean of 21 labels and of no 14, 0.956 that of the 14 that CheXbert has."""
    rows, shared = extraction(), extraction()[:14]
    means = [sum(values) / len(values) for values in ([row.f1_before for row in rows], [row.f1_before for row in shared])]
    means += [sum(values) / len(values) for values in ([row.f1_after for row in rows], [row.f1_after for row in shared])]
    assert [round(mean, 3) for mean in means] == [0.753, 0.807, 0.958, 0.956]
    assert printed()["mean_f1_as_printed"] == [0.753, 0.956]


def test_the_positives_that_were_worked_out_fit_the_printed_f1() -> None:
    """F1 is 2 TP / (positives + predicted): for each number of positives some whole TP and predicted must print it."""

    def fits(positives: int, f1: float) -> bool:
        pairs = ((right, found) for right in range(positives + 1) for found in range(max(1, right), REPORTS + 1))
        return any(abs(2 * right / (positives + found) - f1) <= 0.0005 + 1e-9 for right, found in pairs)

    for row in extraction():
        assert all(fits(number, row.f1_before) for number in row.positives_before)
        assert all(fits(number, row.f1_after) for number in row.positives_after)


def test_nine_labels_have_other_positives_before_than_after() -> None:
    other = {row.finding: (row.positives_before, row.positives_after) for row in extraction() if row.one_standard is False}
    assert len(other) == 9 and other["Mediastinal Other"] == ((6,), (19,)) and other["Support Devices"][0] == (106,)
    assert min(other["Support Devices"][1]) - 106 == 12
    assert sum(row.one_standard is True for row in extraction()) == 5


def test_the_printed_row_of_interstitial_lung_disease_after_revision_is_of_no_counts() -> None:
    """Accuracy 0.997 with precision and recall 1: one error of 300 is either a false positive or a false negative."""
    assert counts_of(0.997, 1.0, 1.0, REPORTS) == counts_of(0.997, 1.0, 1.0, REPORTS, truncated=True) == []
    assert counts_of(1.0, 1.0, 1.0, REPORTS)[-1] == AgreementCounts(300, 0, 0, 300)


def test_a_label_needs_six_net_corrections_for_a_significant_improvement() -> None:
    """McNemar's exact test at best: every change is a correction."""
    assert mcnemar(0, 5) > 0.05 > mcnemar(0, 6)


def test_every_label_met_the_threshold_before_any_revision() -> None:
    assert printed()["smallest_accuracy_before"] >= 0.9


def test_the_notes_print_the_positives_that_are_stored() -> None:
    page = (Path(__file__).parents[1] / "docs" / "notes-on-the-paper.md").read_text()
    for row in extraction():
        if row.one_standard is False:
            before, after = (" or ".join(map(str, numbers)) for numbers in (row.positives_before, row.positives_after))
            assert f"| {row.finding} | {before} | {after} |" in page
