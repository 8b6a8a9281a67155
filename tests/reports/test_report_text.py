"""Cleaning keeps every word of a report, and leaves to the check what it cannot judge."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.formats.report_text import clean, faults


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Clear lungs.</think>", "Clear lungs.\n"),
        ("<think>\n</think>\nClear lungs.", "\n\nClear lungs."),
        ("no<br/>effusion", "no\neffusion"),
        ('<p class="x">Large heart</p>', "\nLarge heart\n"),
        ("pleural <b>effusion</b>", "pleural effusion"),
        ("```text\nClear.\n```", "\n\nClear.\n\n"),
        ("<|im_start|>Clear.<|im_end|>", "\nClear.\n"),
        ("effusion &gt; 2 cm&nbsp;deep", "effusion > 2 cm deep"),
        ("left\u200b lung\x0cright", "left lung\nright"),
        ("L<R, 3 < 5 & no tag", "L<R, 3 < 5 & no tag"),
    ],
)
def test_marks_go_and_words_stay(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
    assert not [kind for kind, _, _ in faults(cleaned)]


@pytest.mark.parametrize(
    "text",
    [
        "<think>Could be edema.</think> Clear lungs.",
        "Could be edema. </think> Clear lungs.",
        "<script>alert(1)</script>",
        "<!-- effusion --> Clear lungs.",
        "&lt;b&gt;Clear",
        "<<b>br>",
    ],
)
def test_what_cannot_be_judged_stays_an_error_and_no_remedy_promises_otherwise(text: str) -> None:
    left = list(faults(clean(text)))
    assert [kind for kind, _, _ in left] == ["markup"]
    assert "--clean" not in next(faults(text))[2]


@given(
    st.lists(st.sampled_from(["effusion", "<br>", "</think>", "<b>", "&nbsp;", "```", "<|end|>", "\u200b", " ", "heart", "\x0c", "&lt;"]))
)
def test_cleaning_loses_no_word_and_is_done_after_one_pass(parts: list[str]) -> None:
    text = " ".join(parts)
    cleaned = clean(text)
    assert re.findall("effusion|heart", cleaned) == re.findall("effusion|heart", text)
    assert clean(cleaned) == cleaned
