"""*No Finding* is granted only to a text that says something about a chest, and no word of the language becomes a finding."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.real_words import words_of
from harness.extractors.lexical import Lexical
from harness.extractors.lexical.lexicon import load
from harness.extractors.lexical.spelling import respell
from harness.findings import NO_FINDING, RAN_21
from harness.types import ReportStatus, Status

NOTHING = (Path(__file__).parent / "data" / "nothing.txt").read_text(encoding="utf-8").splitlines()
LICENCES = Path("/usr/share/common-licenses")
WORDS = Path("/usr/share/dict")
LEXICAL = Lexical()


def test_refusals_prompts_headings_and_fragments_are_empty() -> None:
    assert len(NOTHING) >= 100
    granted = [text for text in NOTHING if LEXICAL.label(text).report is ReportStatus.OK]
    assert granted == []


def test_a_refusal_before_a_report_takes_nothing_from_it() -> None:
    for text in ("Sure, I can help. The heart is enlarged.", "Describe the image.\nThe heart is enlarged."):
        labels = LEXICAL.label(text)
        assert labels.report is ReportStatus.OK and labels.values[RAN_21.index("Cardiomegaly")] == 1


def test_sentences_of_licences_say_nothing_about_a_chest() -> None:
    files = [path for path in sorted(LICENCES.glob("*")) if path.is_file() and not path.is_symlink()]
    if not files:
        pytest.skip("this system keeps no licence texts in /usr/share/common-licenses")
    texts = [" ".join(path.read_text(encoding="utf-8", errors="replace").split()) for path in files]
    sentences = list(dict.fromkeys(part for text in texts for part in re.split(r"(?<=[.;:])\s", text) if len(part.split()) > 5))
    assert len(sentences) >= 500
    labelled = [(sentence, LEXICAL.label(sentence)) for sentence in sentences]
    assert [sentence for sentence, labels in labelled if labels.report is ReportStatus.OK] == []


@pytest.mark.parametrize(
    "text", ["Normal.", "No active disease.", "Unremarkable chest radiograph.", "Clear lungs.", "双肺清晰。", "Heart size normal."]
)
def test_a_statement_of_normality_is_one(text: str) -> None:
    labels = LEXICAL.label(text)
    assert labels.values[RAN_21.index(NO_FINDING)] == 1
    assert set(labels.statuses) == {Status.OK} and labels.flags == ()


def test_no_word_of_the_language_is_taken_for_a_misspelling() -> None:
    lists = [path for path in sorted(WORDS.glob("*english*")) if path.is_file()]
    if not lists:
        pytest.skip("this system has no word list: install wamerican-huge and wbritish-huge to try 270,000 words")
    lexicon = load("english")
    words = [word for word in words_of(lists) if word not in lexicon.words]
    assert len(words) > 50_000
    assert [word for word in words if respell(word, lexicon) != word] == []


def test_the_list_of_real_words_holds_what_english_holds() -> None:
    lexicon = load("english")
    assert {"military", "lobulated", "deceased", "injection", "peacemaker", "locking"} <= lexicon.real
    assert not lexicon.real & lexicon.words.keys()
    assert [word for word in lexicon.real if respell(word, lexicon) != word] == []
