"""Every kind of extractor on a standard: what counts as wrong, what is compared, what leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support

from harness.config.home import home
from harness.errors import InputError, UsageError
from harness.extractors import extractor as make
from harness.findings import NO_FINDING, RAN_21
from harness.formats import label_files
from harness.records.store import Store
from harness.types import Access, Labels, ReportStatus, Status
from ranscore.commands import main
from tests.extractors.servers import Faulty, make_tiny
from tests.validation.extractors.conftest import cells, settled, write_columns
from tests.validation.readers.conftest import Made
from validation.extractors import candidates, measure, named, reference, thresholds
from validation.extractors.results import FindingResult, Ratio


def labels_of(rows: list[list[Any]], report: ReportStatus = ReportStatus.OK) -> dict[str, Labels]:
    statuses = {"?": Status.UNPARSEABLE}
    return {
        f"s{index:02d}": Labels(
            tuple(None if value in ("?", None) else value for value in row), tuple(statuses.get(value, Status.OK) for value in row), report
        )
        for index, row in enumerate(rows)
    }


def column(values: list[Any]) -> list[list[Any]]:
    """Rows of the 21 with these values for Fracture and 0 elsewhere."""
    place = RAN_21.index("Fracture")
    return [[value if index == place else 0 for index in range(len(RAN_21))] for value in values]


def test_an_answer_that_cannot_be_read_is_wrong_whatever_is_right() -> None:
    standard = reference.of_labels("readers", labels_of(column([1, 1, 0, 0, None, -1])))
    given = candidates.of_labels(labels_of(column(["?", 1, "?", 0, 1, 0])), "model", standard)
    made, _ = measure.validate(standard, [*given, candidates.floor(standard)])
    own = next(item for item in made.extractors[0].parts[0].findings if item.finding == "Fracture")
    assert (own.tp, own.fp, own.fn, own.tn, own.left_out) == (1, 1, 1, 1, 2)
    assert own.statuses == {"unparseable": 2} and made.extractors[0].statuses == {"unparseable": 2}
    assert own.accuracy.value == 0.5


def test_cells_of_a_label_file_that_are_no_answers_are_counted() -> None:
    standard = reference.of_labels("readers", labels_of(column([1, 0, 0])))
    one = candidates.of_labels(labels_of(column([-1, -1, None])), "model", standard)[0]
    assert one.codes[:, RAN_21.index("Fracture")].tolist() == [0, 0, -1]
    assert one.by_finding == {"Fracture": {"open": 1, "uncertain": 2}}


def test_a_report_that_is_not_read_asserts_nothing() -> None:
    standard = reference.of_labels("readers", labels_of(column([1, 0])))
    one = candidates.of_labels(labels_of(column([None, None]), ReportStatus.UNSUPPORTED), "model", standard)[0]
    assert not one.codes.any() and one.statuses == {"unsupported": 2}


def test_the_14_of_chexpert_are_taken_uncertain_both_ways_and_no_finding_by_both_rules() -> None:
    from harness.findings import CHEXPERT_14

    standard = reference.of_labels("readers", labels_of(column([1, 0])))
    device = [1 if name in ("Support Devices", NO_FINDING) else -1 if name == "Edema" else None for name in CHEXPERT_14]
    rows = {f"s{index:02d}": Labels(tuple(device), (Status.OK,) * 14) for index in range(2)}
    made = {one.title: one for one in candidates.of_labels(rows, "chexbert", standard, "chexpert-14")}
    present, absent = made["chexbert, uncertain present"], made["chexbert, uncertain absent"]
    assert present.codes[0, RAN_21.index("Edema")] == 1 and absent.codes[0, RAN_21.index("Edema")] == 0
    assert absent.codes[0, RAN_21.index(NO_FINDING)] == 1  # its own answer: a device is no finding
    ruled = made["chexbert, uncertain absent, a device counts as a finding"]
    assert ruled.covers == (NO_FINDING,) and ruled.codes[0, RAN_21.index(NO_FINDING)] == 0


def test_ratios_are_scikit_learns_and_weights_are_used() -> None:
    rng = np.random.default_rng(11)
    right, given = rng.integers(0, 2, (40, 21)), rng.integers(0, 2, (40, 21))
    labels = [labels_of(values.tolist()) for values in (right, given)]
    plain = reference.of_labels("readers", labels[0])
    weights = rng.uniform(0.5, 9, 40)
    items = tuple(
        reference.ReadItem(item.id, item.study, item.patient, item.source, weight)
        for item, weight in zip(plain.items, weights, strict=True)
    )
    weighted = reference.Reference(name="w", digest="0" * 64, items=items, labels=plain.labels)
    for standard, sample in ((plain, np.ones(40)), (weighted, weights)):
        made, _ = measure.validate(standard, candidates.of_labels(labels[1], "model", standard))
        part = made.extractors[0].parts[0]
        for index, own in enumerate(part.findings):
            found = precision_recall_fscore_support(right[:, index], given[:, index], average="binary", sample_weight=sample)
            assert (own.precision.value, own.recall.value, own.f1.value) == pytest.approx(found[:3])
            assert own.accuracy.value == pytest.approx(np.average(right[:, index] == given[:, index], weights=sample))
        average = part.average("21")
        assert average and average.macro["f1"].value == pytest.approx(np.mean([own.f1.value for own in part.findings]))
        assert made.standard.weighted is (standard is weighted)


def test_an_extractor_without_an_error_is_not_certain_to_have_none() -> None:
    standard = reference.of_labels("readers", labels_of(column([1] * 12 + [0] * 18)))
    made, _ = measure.validate(standard, candidates.of_labels(labels_of(column([1] * 12 + [0] * 18)), "model", standard))
    average = made.extractors[0].parts[0].average("10")
    assert average and average.findings == ("Fracture",) and average.micro["f1"].value == 1.0
    low = stats.beta.ppf(0.025, 12, 1)  # Clopper and Pearson's for 12 of 12
    assert average.micro["recall"].low == pytest.approx(low) and average.micro["f1"].low == pytest.approx(2 * low / (1 + low))
    assert made.extractors[0].parts[0].averages[0].macro["f1"].high < 1  # 19 findings without positives count 0


def test_two_extractors_are_compared_by_mcnemar_with_holm_and_the_smallest_p() -> None:
    right, one, other = [1] * 40, [1] * 38 + [0] * 2, [1] * 25 + [0] * 15
    standard = reference.of_labels("readers", labels_of(column(right)))
    pair = measure.validate(
        standard,
        [
            *candidates.of_labels(labels_of(column(one)), "one", standard),
            *candidates.of_labels(labels_of(column(other)), "other", standard),
        ],
    )[0].pairs[0]
    own = pair.accuracy["Fracture"]
    assert (own.only_first, own.only_second) == (13, 0)
    p = stats.binomtest(13, 13).pvalue
    assert own.p == own.smallest == pytest.approx(p) and own.holm == pytest.approx(min(1, 21 * p))
    assert pair.accuracy["Edema"].smallest == 1.0
    assert pair.f1["Fracture"].value == pytest.approx(2 * 38 / 78 - 2 * 25 / 65) and pair.f1["Fracture"].p < 0.05


def test_original_and_generated_reports_are_never_averaged_together() -> None:
    labels = labels_of(column([1, 1, 0, 0]))
    plain = reference.of_labels("readers", labels)
    items = tuple(
        reference.ReadItem(item.id, item.study, item.patient, reference.GENERATED if index % 2 else reference.ORIGINAL)
        for index, item in enumerate(plain.items)
    )
    standard = reference.Reference(name="both", digest="0" * 64, items=items, labels=plain.labels)
    made, _ = measure.validate(standard, candidates.of_labels(labels_of(column([1, 0, 0, 0])), "model", standard))
    place = RAN_21.index("Fracture")
    shown = {part.source: part.findings[place] for part in made.extractors[0].parts}
    assert {name: (own.tp, own.fn) for name, own in shown.items()} == {"original": (1, 0), "generated": (0, 1)}


@pytest.mark.parametrize(
    ("words", "counts", "expected"),
    [
        ("accuracy >= 0.9", (0, 0, 4, 296), "met"),
        ("low recall >= 80 %, positives >= 10", (9, 0, 0, 291), "cannot say"),
        ("low recall >= 80 %, positives >= 10", (60, 0, 1, 239), "met"),
        ("recall >= 0.9", (8, 0, 2, 290), "not met"),
    ],
)
def test_a_threshold_of_a_study_is_applied(words: str, counts: tuple[int, int, int, int], expected: str) -> None:
    rule = thresholds.of_study(f"The board wants {words}.")
    tp, fp, fn, _ = counts
    right, given = cells(tp, fp, fn, sum(counts))
    standard = reference.of_labels("readers", labels_of(column(right)))
    own = measure.validate(standard, candidates.of_labels(labels_of(column(given)), "m", standard))[0].extractors[0].parts[0]
    assert rule and rule.judge(own.findings[RAN_21.index("Fracture")]) == expected
    assert thresholds.of_study("as good as the worst reader") is None


def test_a_finding_that_nobody_decided_meets_no_rule() -> None:
    nothing = Ratio(0.0, 0.0, 1.0)
    own = FindingResult(
        finding="x", tp=0, fp=0, fn=0, tn=0, left_out=3, statuses={}, accuracy=nothing, precision=nothing, recall=nothing, f1=nothing
    )
    assert [rule.judge(own) for rule in thresholds.rules()] == ["cannot say", "cannot say"]


def test_embedded_served_recorded_and_a_label_file_give_their_own_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trial = settled(items=4, repeats=0)
    texts = reference.reports(reference.load("trial"), Store(home() / "store"))
    lexical = dict(zip(texts, make("lexical").extract(list(texts.values())), strict=True))
    owner = {item.id: item.study for item in trial.study.items}
    label_files.write(tmp_path / "elsewhere.csv", {owner[name]: own for name, own in lexical.items()})
    with Faulty(model="tiny") as server:
        served = f"llm,model=tiny,endpoint={server.url},dialect=openai,title=served"
        assert main(["extractor", "validate", "--standard", "trial", "--extractor", served, "--format", "json"]) == 0
        first = {item["title"]: item for item in json.loads(capsys.readouterr().out)["extractors"]}
        asked = len(server.bodies)
        again = ["recorded,model=tiny,dialect=openai,title=recorded", f"{tmp_path / 'elsewhere.csv'}"]
        assert main(["extractor", "validate", "--standard", "trial", "--extractor", served, *again, "--format", "json"]) == 0
        second = {item["title"]: item for item in json.loads(capsys.readouterr().out)["extractors"]}
        assert asked == len(server.bodies) == 20 * len(texts)
    assert list(first) == ["served", "lexical", "always absent"]
    assert second["recorded"]["parts"] == second["served"]["parts"] == first["served"]["parts"]
    assert second["recorded"]["digest"] == first["served"]["digest"]
    assert second["elsewhere"]["parts"] == second["lexical"]["parts"] != first["served"]["parts"]


def test_a_model_in_this_process_is_validated_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two reports alone: the tiny model takes its time."""
    pytest.importorskip("torch")
    small = settled(name="two", items=2, repeats=0)
    folder = make_tiny(tmp_path / "tiny")
    assert (
        main(
            [
                "extractor",
                "validate",
                "--standard",
                "two",
                "--extractor",
                f"llm,model={folder},engine=transformers,title=here",
                "--format",
                "json",
            ]
        )
        == 0
    )
    own = json.loads(capsys.readouterr().out)["extractors"][0]
    assert own["title"] == "here" and len(own["digest"]) == 64 and own["parts"][0]["items"] == len(small.study.items)
    assert not set(own["statuses"]) & {"unparseable", "failed"}


def test_nothing_of_a_credentialed_report_is_kept_or_sent_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    made = settled(name="secret", access=Access.CREDENTIALED)
    text = next(iter(made.texts.values()))[0]
    assert main(["extractor", "validate", "--standard", "secret", "--extractor", "lexical", "--format", "latex"]) == 0
    said = capsys.readouterr()
    written = [path for path in (home() / "validations").rglob("*") if path.is_file()]
    kept = "".join(path.read_text() for path in written)
    assert len(written) == 2 and all(path.stat().st_mode & 0o077 == 0 for path in written)
    for sentence in filter(None, (part.strip() for part in text.split("."))):
        assert sentence not in kept + said.out + said.err
    assert not any(item.study in kept for item in made.study.items)
    assert main(["extractor", "validate", "--standard", "secret", "--extractor", "llm,model=m,endpoint=http://192.0.2.1:9/v1"]) != 0
    assert "credentialed" in capsys.readouterr().err


def test_what_is_named_wrongly_is_told_before_anything_runs(tmp_path: Path, trial: Made) -> None:
    with pytest.raises(UsageError, match="lexicall"):
        named.parse("lexicall")
    with pytest.raises(UsageError, match="option=value"):
        named.parse("llm,temperature=1")
    with pytest.raises(UsageError, match="no label file"):
        named.parse("gone.csv")
    with pytest.raises(UsageError, match="settled"):
        reference.load("nothing")
    standard = reference.of_labels("readers", labels_of(column([1, 0, 0])))
    path = write_columns(tmp_path / "a.csv", {"Fracture": [1, 0, 0]})
    path.write_text(path.read_text().replace("s000", "s0"))
    with pytest.raises(UsageError, match="title="):
        named.candidates_of([named.parse(str(path))] * 2, standard, Store(tmp_path))
    with pytest.raises(InputError, match="no row for a study") as caught:
        candidates.by_item({}, standard, "labels.csv")
    assert len(caught.value.problems) == 3 and caught.value.problems[0].study == "s00"
    with pytest.raises(UsageError, match="--cohort"):
        named.candidates_of([named.parse("lexical")], standard, Store(tmp_path))
