"""Answers of models: only exactly what is allowed is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.extractors.llm.parser import GarbageError, ModelReply, decisions, reply, without_trace
from harness.types import Status

UNPARSEABLE, REFUSED = (None, Status.UNPARSEABLE), (None, Status.REFUSED)


@pytest.mark.parametrize(
    ("content", "strict", "first"),
    [
        ("1", 1, 1),
        ("0", 0, 0),
        (" 1\n", 1, 1),
        ("1.", None, 1),
        ("10", None, 1),
        ("Answer: 0", None, 0),
        ("２ １", None, None),
        ("１", None, None),
        ("yes", None, None),
        ("", None, None),
        ("   ", None, None),
        ("true", None, None),
        ("-1", None, 1),
        ("<think>It could be 0.</think>\n\n1", 1, 1),
        ("It could be 0.</think>1", 1, 1),
        ("<think></think><think>0</think>1", 1, 1),
        ("<think>Let me see, 0 or 1", None, None),
        ("<|channel|>analysis<|message|>0?<|end|><|start|>assistant<|channel|>final<|message|>1", 1, 1),
        ("<|channel|>analysis<|message|>0 or", None, None),
        ("[THINK]0[/THINK]1", 1, 1),
        ("<|im_start|>assistant\n1", None, 1),
    ],
)
def test_a_digit(content: str, strict: int | None, first: int | None) -> None:
    for parser, expected in (("digit", strict), ("first-digit", first)):
        assert decisions(ModelReply(content), parser, ["Edema"]) == [UNPARSEABLE if expected is None else (expected, Status.OK)]


@pytest.mark.parametrize("parser", ["digit", "first-digit"])
def test_what_is_cut_off_or_refused_is_not_an_answer(parser: str) -> None:
    assert decisions(ModelReply("1", "length"), parser, ["Edema"]) == [UNPARSEABLE]
    assert decisions(ModelReply("1", "content_filter"), parser, ["Edema"]) == [REFUSED]
    assert decisions(ModelReply("1", refusal=True), parser, ["Edema"]) == [REFUSED]


OK = ((1, Status.OK), (0, Status.OK))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"A": 1, "B": 0}', OK),
        ('{"B": 0, "A": 1}', OK),
        ('```json\n{"A": 1, "B": 0}\n```', OK),
        ('<think>{"A": 0}</think>{"A": 1, "B": 0}', OK),
        ('{"A": 1}', (OK[0], UNPARSEABLE)),
        ('{"A": 1, "B": null}', (OK[0], UNPARSEABLE)),
        ('{"A": 1, "B": "0"}', (OK[0], UNPARSEABLE)),
        ('{"A": 1, "B": false}', (OK[0], UNPARSEABLE)),
        ('{"A": 1, "B": 0.0}', (OK[0], UNPARSEABLE)),
        ('{"A": 1, "B": 2}', (OK[0], UNPARSEABLE)),
        ('{"A": 1, "B": 0, "C": 1}', (UNPARSEABLE, UNPARSEABLE)),
        ('{"A": 1, "B": 0, "A": 0}', (UNPARSEABLE, UNPARSEABLE)),
        ('{"A": 1, "B": 0} and so on', (UNPARSEABLE, UNPARSEABLE)),
        ("[1, 0]", (UNPARSEABLE, UNPARSEABLE)),
        ("[" * 100_000, (UNPARSEABLE, UNPARSEABLE)),
        ('{"A": ' + "9" * 5000 + "}", (UNPARSEABLE, UNPARSEABLE)),
        ('{"A": NaN, "B": 0}', (UNPARSEABLE, OK[1])),
    ],
)
def test_a_joint_answer(content: str, expected: tuple[Any, Any]) -> None:
    assert decisions(ModelReply(content), "json", ["A", "B"]) == list(expected)


@given(st.text(max_size=40), st.sampled_from(["digit", "first-digit", "json"]))
def test_no_answer_raises_and_no_value_is_outside_the_set(content: str, parser: str) -> None:
    for value, status in decisions(ModelReply(content), parser, ["A"]):
        assert (value in (0, 1)) == (status is Status.OK)


def test_a_completion_is_taken_apart() -> None:
    data = {
        "model": "m",
        "choices": [{"message": {"content": "1", "reasoning_content": "hm"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9},
    }
    assert reply(data) == ModelReply("1", "stop", False, True, "m", 9)
    assert reply({"choices": [{"message": {"content": None, "refusal": "I will not"}}]}) == ModelReply("", "stop", True)


@pytest.mark.parametrize("data", [None, [], "1", {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"message": "secret"}]}])
def test_anything_else_is_garbage_and_is_not_repeated(data: Any) -> None:
    with pytest.raises(GarbageError) as caught:
        reply(data)
    assert "secret" not in str(caught.value)
    with pytest.raises(GarbageError):
        reply({"choices": [{"message": {"content": [1]}}]})


def test_a_trace_that_never_ends_has_no_answer_after_it() -> None:
    assert without_trace("<think>" + json.dumps({"A": 1})) is None
    assert without_trace("a</think> c ") == "c" and without_trace("a</think>b</think> c ") is None
