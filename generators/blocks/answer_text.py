"""The report in what a model wrote."""

from __future__ import annotations

from collections.abc import Sequence


class UnreadError(Exception):
    """What a model wrote holds no report; says why, and never quotes it."""


MARKS = ("<unk>", "<s>", "</s>")
"""Tokens of LLaMA that are no text, as its tokenizer writes them out; a reports file takes them for markup."""


def unmarked(text: str) -> str:
    """Without LLaMA's marks. Control characters are left to `generators.running.batching.fit`, which takes them off what any system wrote."""
    for mark in MARKS:
        text = text.replace(mark, "")
    return text


def after_thought(ids: Sequence[int], begin: int | None, end: int | None) -> list[int]:
    """What was written after the last silent thought; everything where there was none.

    Raises:
        UnreadError: The last thought was not ended.
    """
    ended = max((place for place, number in enumerate(ids) if number == end), default=-1)
    rest = list(ids[ended + 1 :])
    if begin is not None and begin in rest:
        raise UnreadError("it was still thinking when its tokens were used up")
    return rest


def boxed(text: str) -> str:
    r"""The content of the last `\boxed{...}`; braces inside it are counted, for an answer may hold some.

    Raises:
        UnreadError: There is none, or it is not closed.
    """
    start = text.rfind("\\boxed{")
    depth = 0
    for place in range(start + len("\\boxed"), len(text)) if start >= 0 else ():
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start + len("\\boxed{") : place]
    raise UnreadError("its answer has no \\boxed{}" if start < 0 else "the \\boxed{} of its answer is not closed")
