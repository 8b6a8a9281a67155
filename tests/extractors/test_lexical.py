"""The embedded extractor as an extractor: statuses, evidence, memory, processes, hostile text."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.extraction import JUNK
from harness.errors import UsageError
from harness.extractors import extractor
from harness.extractors.lexical import Lexical
from harness.extractors.lexical import engine as engine_module
from harness.findings import RAN_21
from harness.types import Labels, ReportStatus, Status

LEXICAL = Lexical()


def present(text: str) -> set[str]:
    labels = LEXICAL.label(text)
    assert labels.report is ReportStatus.OK
    return {finding for finding, value in zip(RAN_21, labels.values, strict=True) if value}


def words(text: str, finding: str) -> list[str]:
    return [text[start:end] for start, end in LEXICAL.label(text).evidence[RAN_21.index(finding)]]


def test_the_registry_makes_it_and_it_is_not_the_official_one() -> None:
    made = extractor("lexical")
    assert (made.name, made.vocabulary) == ("lexical", "ran-21")
    assert getattr(made, "official") is False  # noqa: B009
    assert made.digest == LEXICAL.digest


def test_the_registry_names_what_there_is() -> None:
    with pytest.raises(UsageError, match="lexical"):
        extractor("lexicon")


@pytest.mark.parametrize(
    "text", ["", " \n ", ".", "lorem ipsum dolor sit amet", "asdf", "12345", "n/a", "The cat sat on the mat.", "你好，今天天气不错。"]
)
def test_a_text_without_a_clinical_word_is_empty(text: str) -> None:
    labels = LEXICAL.label(text)
    assert labels.report is ReportStatus.EMPTY
    assert set(labels.values) == {None}
    assert set(labels.statuses) == {Status.OK}


@pytest.mark.parametrize(
    "text", ["normal chest", "Normal.", "No acute disease.", "Lungs clear", "Cardiomegally", "心肺膈未见异常。", "右側胸腔積液"]
)
def test_a_short_report_is_a_report(text: str) -> None:
    assert LEXICAL.label(text).report is ReportStatus.OK


@pytest.mark.parametrize(
    "text",
    [
        "No hay derrame pleural ni neumotórax.",
        "Herz normal groß, kein Erguss.",
        "Pas d'épanchement pleural.",
        "Il cuore è nei limiti, non versamento.",
        "Não há derrame pleural.",
        "Сердце не увеличено.",
        "胸部X線で異常はありません。肺は清です",
        "심장은 정상 크기입니다",
    ],
)
def test_a_language_without_a_lexicon_is_unsupported(text: str) -> None:
    assert LEXICAL.label(text).report is ReportStatus.UNSUPPORTED


def test_evidence_is_where_the_words_stand_in_the_original() -> None:
    text = "FINDINGS:  The Heart is mildly  ENLARGED.\nNo pleural effusion."
    assert words(text, "Cardiomegaly") == ["Heart", "ENLARGED"]
    assert words(text, "Enlarged Cardiomediastinum") == ["Heart", "ENLARGED"]
    assert words(text, "Pleural Effusion") == ["No", "pleural effusion"]  # absent, and the words that say so
    assert words(text, "Fracture") == []
    assert words("左侧胸腔积液，心影增大。", "Cardiomegaly") == ["心影增大"]


def test_offsets_hold_where_lower_case_is_longer() -> None:
    text = "İİİ İİİ cardiomegaly of the heart"  # this letter is two characters in lower case
    assert words(text, "Cardiomegaly") == ["cardiomegaly"]


def test_a_positive_mention_wins_over_a_negative_one() -> None:
    text = "No pleural effusion. Small right pleural effusion."
    assert words(text, "Pleural Effusion") == ["pleural effusion"]


def test_no_finding_is_the_absence_of_the_others() -> None:
    assert present("The lungs are clear.") == {"No Finding"}
    assert "No Finding" not in present("Right PICC line. The lungs are clear.")
    assert words("Cardiomegaly.", "No Finding") == ["Cardiomegaly"]


def test_implied_findings() -> None:
    assert present("Cardiomegaly.") == {"Cardiomegaly", "Enlarged Cardiomediastinum"}
    assert present("Right lower lobe consolidation.") == {"Consolidation", "Lung Opacity"}


def test_a_question_is_not_read_as_a_finding() -> None:
    assert present("INDICATION: Rule out pneumonia. History of edema.\nCOMPARISON: Film with effusion.\nFINDINGS: Cardiomegaly.") == {
        "Cardiomegaly",
        "Enlarged Cardiomediastinum",
    }


def test_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"There is a nodule of {size} mm. No effusion. Line {size}." for size in range(60)]
    once = LEXICAL.extract(texts)
    monkeypatch.setattr(engine_module, "REMEMBERED", 3)
    assert Lexical().extract(texts) == once
    assert LEXICAL.extract(texts) == once


def test_it_goes_through_a_pickle() -> None:
    copy = pickle.loads(pickle.dumps(LEXICAL))
    assert copy.digest == LEXICAL.digest
    assert copy.label("Cardiomegaly.") == LEXICAL.label("Cardiomegaly.")


def test_another_process_with_other_hashes_says_the_same() -> None:
    code = (
        "from harness.extractors.lexical import Lexical; x = Lexical();"
        "print(x.digest, x.label('Atelectesis, small effussion; the heart is enlarged. Interstital edema.'))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert LEXICAL.digest in runs[0]


@pytest.mark.parametrize("name", sorted(JUNK))
def test_junk_is_read_and_says_the_same_twice(name: str) -> None:
    """`benchmarks.extraction` shows that twice the junk takes twice the time."""
    text = JUNK[name]
    assert len(text) > 9_000
    assert Lexical().label(text) == LEXICAL.label(text)


@given(
    st.text(alphabet=st.sampled_from("no effusion,heart enlarged. but\n:未见胸腔积液心影大，。0.5()/-XİÉ"), max_size=200)
    | st.text(max_size=60)
)
def test_any_text_gets_labels_with_spans_inside_it(text: str) -> None:
    labels = LEXICAL.label(text)
    assert isinstance(labels, Labels)
    assert len(labels.values) == len(labels.statuses) == len(labels.evidence) == len(RAN_21)
    for value, spans in zip(labels.values, labels.evidence, strict=True):
        assert value in (0, 1, None)
        assert all(0 <= start < end <= len(text) for start, end in spans)
