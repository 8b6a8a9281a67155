"""Lexicons as data: what a phrase spreads into, what is refused, and what the digest covers."""

from __future__ import annotations

from typing import Any

import pytest

from harness.extractors.lexical.lexicon import build, data_of, load, spread
from harness.extractors.lexical.spelling import respell
from harness.extractors.lexical.tokens import lower, marks, sentences


def data(name: str = "english") -> dict[str, Any]:
    return data_of(name)


def split(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentences(text, 0, len(text))]


def test_a_pattern_spreads_into_its_phrases() -> None:
    assert list(spread("(no|without) (small |)effusion")) == [
        ("no", "small", "effusion"),
        ("no", "effusion"),
        ("without", "small", "effusion"),
        ("without", "effusion"),
    ]


def test_a_phrase_cannot_stand_for_two_things() -> None:
    changed = data()
    changed["cues"]["stop"].append("pneumonia")
    with pytest.raises(ValueError, match="'pneumonia': stop, pneumonia"):
        build(changed)


def test_an_unknown_place_is_named() -> None:
    changed = data()
    changed["observations"]["enlarged"]["at"]["hart"] = ["Cardiomegaly"]
    with pytest.raises(ValueError, match="hart"):
        build(changed)


def test_an_empty_phrase_is_refused() -> None:
    changed = data()
    changed["places"]["heart"].append("( |)")
    with pytest.raises(ValueError, match="empty phrase"):
        build(changed)


def test_a_choice_inside_a_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="choice inside a choice"):
        list(spread("not seen (before|on (the |)film)"))


@pytest.mark.parametrize("name", ["english", "chinese"])
def test_the_digest_follows_the_content_alone(name: str) -> None:
    changed = data(name)
    assert build(changed).digest == load(name).digest
    changed["places"]["heart"].append("cor" if name == "english" else "心房耳")
    assert build(changed).digest != load(name).digest


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("effusions", "effusion"),
        ("oedema", "edema"),
        ("pneumothoraces", "pneumothorax"),
        ("atelectesis", "atelectasis"),
        ("pnuemothorax", "pneumothorax"),
        ("isn't", "not"),
        ("3.5", "#"),
        ("hemithorax", "hemithorax"),  # a word of its own, not a slip of "hemothorax"
        ("stable", "stable"),
        ("heart's", "heart"),
        ("military", "military"),  # a word of the language, not a slip of "miliary"
        ("lobulated", "lobulated"),
        ("0", "0"),
        ("[x]", "☑"),
        ("( - )", "☐"),
        ("elephant", "elephant"),
    ],
)
def test_spelling(written: str, read: str) -> None:
    assert respell(written, load("english")) == read


def test_lower_case_keeps_every_character_in_place() -> None:
    text = "İSTANBUL Heart É"
    assert len(lower(text)) == len(text)
    assert "heart" in lower(text)


def test_sentences() -> None:
    assert split("Heart is 1.5 cm larger. Lungs clear.No effusion; normal") == [
        "Heart is 1.5 cm larger",
        "Lungs clear",
        "No effusion",
        "normal",
    ]
    assert split("There is no effusion or\nPneumothorax.") == ["There is no effusion or\nPneumothorax"]
    assert split("There is a\nnodule") == ["There is a\nnodule"]
    assert split("Heart normal\nLungs clear\n\nno effusion") == ["Heart normal", "Lungs clear", "no effusion"]
    assert split("Pneumothorax: No\nEffusion: yes") == ["Pneumothorax: No", "Effusion: yes"]
    assert split("Effusion? No. Opacity? In the left base") == ["Effusion? No", "Opacity?", "In the left base"]
    assert split("lungs are clear Heart is large") == ["lungs are clear", "Heart is large"]
    assert split("seen in the Right lung base") == ["seen in the Right lung base"]
    assert split("未见气胸。心影增大") == ["未见气胸", "心影增大"]


def test_the_longest_phrase_is_taken() -> None:
    found = marks("no mass effect, pleural effusion", load("english"), {})
    assert [(mark.concept.kind, mark.concept.name) for mark in found] == [
        ("negation", ""),
        ("skip", ""),
        ("comma", ""),
        ("observation", "effusion"),
    ]
