"""*Try it*: each finding has its own number, negations and hedges look like such, the rule is named, and nothing hides in a hover title."""

from __future__ import annotations

import re

from harness.extractors.lexical import Lexical
from harness.findings import UNSURE
from leaderboard.views import tryit

LEXICAL = Lexical()
TEXT = "The heart is enlarged. No pneumothorax. Cannot exclude edema. Small <b>effusion</b>."


def shown(text: str) -> str:
    return str(tryit.view(text, LEXICAL.label(text)))


def test_each_finding_has_its_own_number_in_the_text_and_in_the_key() -> None:
    page = shown(TEXT)
    marks = re.findall(r'<mark class="rs-said rs-said-(\w+)">([^<]+)<sup>([\d ]+)</sup></mark>', page)
    key = re.findall(r'<b class="rs-said rs-said-(\w+)">(\d+)</b> <strong>([^<]+)</strong>: (\w+) \(([^)]+)\)', page)
    by_number = {number: (look, finding, decision, rule) for look, number, finding, decision, rule in key}
    assert len(by_number) == len(key) == 5
    assert {number for _, _, numbers in marks for number in numbers.split()} == by_number.keys()
    assert {finding: (look, decision, rule) for look, finding, decision, rule in by_number.values()} == {
        "Cardiomegaly": ("yes", "present", "asserted"),
        "Edema": ("maybe", "absent", "cannot be excluded"),
        "Enlarged Cardiomediastinum": ("yes", "present", "implied by Cardiomegaly"),
        "Pleural Effusion": ("yes", "present", "asserted"),
        "Pneumothorax": ("no", "absent", "negated"),
    }
    assert {words: look for look, words, _ in marks} == {
        "heart": "yes", "enlarged": "yes", "No": "no", "pneumothorax": "no", "Cannot exclude": "maybe", "edema": "maybe", "effusion": "yes",
    }  # fmt: skip


def test_nothing_needs_a_pointer_and_pasted_markup_stays_text() -> None:
    page = shown(TEXT)
    assert " title=" not in page
    assert "<b>effusion" not in page and "&lt;b&gt;" in page


def test_an_unsure_no_finding_says_so() -> None:
    text = "Free air under the diaphragm."
    assert LEXICAL.label(text).flags == (UNSURE,)
    assert "This No Finding is unsure" in shown(text)
    assert "unsure" not in shown("The lungs are clear.")


def test_a_text_that_says_nothing_about_a_chest_gets_no_finding() -> None:
    page = shown("I am sorry, I cannot see the image.")
    assert "not even a normal chest" in page and "<mark" not in page
