"""What a model wrote, made fit for a reports file."""

from __future__ import annotations

from harness.reports import CONTROL

MARKS = ("<unk>", "<s>", "</s>")
"""Tokens of LLaMA that are no text, as its tokenizer writes them out; a reports file takes them for markup."""


def printable(text: str) -> str:
    """Without what a reports file may not hold: LLaMA's marks, and control and invisible characters, which a model can spell in bytes."""
    for mark in MARKS:
        text = text.replace(mark, "")
    return CONTROL.sub("", text)
