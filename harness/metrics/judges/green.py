"""GREEN (Ostmeier et al. 2024): matched findings over these and the significant errors that a language model counts.

Prompt from the user's own copy of green_score; expressions and formula are those of its release d72c195, but for one thing: there an answer
without its sections, or without a number where one belongs, counts 0, like a report that is all wrong. Here it is unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.metrics.judges.pack import Before, JudgePack, Message, Pass, UnreadableError
from harness.metrics.judges.sources import filled, source, template

LONGEST = 300
"""Words of a report that are shown to the model."""
KINDS = ("invented", "missed", "place", "severity", "comparison-invented", "comparison-missed")
COLUMNS = ("score", *KINDS, "matched")
SIGNIFICANT, MATCHED = "Clinically Significant Errors", "Matched Findings"


def pack(recipe: str) -> JudgePack:
    """GREEN, asked in the words of the user's copy.

    Raises:
        UnavailableError: No copy is named.
        InputError: It is another program.
    """
    return of(source("green", "github.com/Stanford-AIMI/GREEN (MIT)", "green_score/utils.py"))


def of(path: Path) -> JudgePack:
    """GREEN with the prompt in this file."""
    pieces = template(path, "make_prompt", "prompt")

    def messages(reference: str, candidate: str, _: Before) -> list[Message]:
        cut = [" ".join(text.split()[:LONGEST]) for text in (reference, candidate)]
        return [{"role": "user", "content": filled(pieces, {"text1": cut[0], "text2": cut[1]})}]

    step = Pass(name="green", messages=messages, read=lambda text, _: read(text))
    return JudgePack(name="green", recipe="", passes=(step,), row=row, columns=COLUMNS, framing="raw")


def read(text: str) -> dict[str, Any]:
    """Counts of the six kinds of significant errors and of matched findings.

    Raises:
        UnreadableError: A section, or the number of matched findings, is not there.
    """
    text = cleaned(text)
    errors, matched = _section(text, SIGNIFICANT), _section(text, MATCHED)
    if errors is None or matched is None:
        raise UnreadableError("a section is not there")
    return {"errors": _errors(errors), "matched": _matched(matched)}


def row(before: Before) -> Mapping[str, float]:
    """The score, 0 where nothing matches, and the counts."""
    errors, matched = before[0]["errors"], before[0]["matched"]
    score = matched / (matched + sum(errors)) if matched else 0.0
    return {"score": score, **dict(zip(KINDS, errors, strict=True)), "matched": matched}


def cleaned(text: str) -> str:
    """What follows the first mark of the explanation, as published."""
    if "[Explanation]:" in text:
        text = text.split("<|assistant|>")[-1]
        parts = text.split("[Explanation]:")
        text = parts[1] if "[Explanation]:\n    <Explanation>\n" in text and len(parts) > 1 else parts[-1]
    return text.split("<|assistant|>")[-1].replace("</s>", "").replace("<unk>", "")


def _section(text: str, name: str) -> str | None:
    found = re.search(rf"\[{name}\]:\s*(.*?)(?:\n\s*\n|\Z)", text, re.DOTALL)
    return found[1] if found else None


def _matched(section: str) -> int:
    if section.startswith("No"):
        return 0
    number = re.match(r"\b\d+\b(?=\.)", section)
    if not number:
        raise UnreadableError("the number of matched findings is not there")
    return int(number[0])


def _errors(section: str) -> list[int]:
    """One count a kind: of the lines in alphabetical order the last that begins with its letter and has a number."""
    counts = [0] * len(KINDS)
    if section.startswith("No"):
        return counts
    names, lines = [f"({letter}) " for letter in "abcdef"], sorted(re.findall(r"\([a-f]\) .*", section))
    if not lines:
        names, lines = [f"({number}) " for number in range(1, 7)], sorted(re.findall(r"\([1-6]\) .*", section))
    if not lines:
        raise UnreadableError("no kind of error is named")
    for line in lines:
        number = re.search(r"(?<=: )\b\d+\b(?=\.)", line)
        if number and line[:4] in names:
            counts[names.index(line[:4])] = int(number[0])
    return counts
