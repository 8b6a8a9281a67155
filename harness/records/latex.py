"""Text in LaTeX."""

from __future__ import annotations

import re

SPELT = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}"}
SPELT.update({character: "\\" + character for character in "&%$#_{}"} | {"|": r"\textbar{}", "–": "--"})


def latex_escape(text: str) -> str:
    """Text that LaTeX prints as it is, in any font encoding."""
    return "".join(SPELT.get(character, character) for character in re.sub(r"\s+", " ", text))
