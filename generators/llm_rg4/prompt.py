"""LLM-RG4's prompts, read from the user's clone by its syntax tree: the repository has no licence, so none of its text is here."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Problem
from harness.types import Section

FILE = Path("models") / "LLM_RG4.py"
METHOD = "prompt_sn"
FILM = "<ImageHere>"
"""The mark within the repository's prompts where the film's vectors go."""
KNOWN = "h_i"
"""The variable of the repository that holds what is known of the patient."""
SECTIONS = {Section.BOTH: "fi", Section.FINDINGS: "f", Section.IMPRESSION: "i"}
VIEWS = ("AP", "PA")
NO_VIEW = "f_prompt"
"""The sentence for films of another view; it asks for the findings alone, whatever is wanted."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One prompt: fixed words, and the places of what changes."""

    parts: tuple[str | None, ...]
    """None where the patient's context goes."""

    def filled(self, known: str) -> tuple[str, str]:
        """The text before and after the film."""
        text = "".join(known.replace(FILM, " ") if part is None else part for part in self.parts)
        before, _, after = text.partition(FILM)
        return before, after


def read(clone: Path) -> dict[str, Frame]:
    """The prompts by the name of their sentence (`AP_fi_prompt`); nothing of the file is executed.

    Raises:
        InputError: It is not the repository, or not as it was at commit 04b2315.
    """
    path = clone / FILE
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        remedy = "Clone https://github.com/zh-Wang-Med/LLM-RG4 and give the folder"
        raise InputError(Problem(f"{FILE.as_posix()} is not there or cannot be read", remedy, str(clone))) from None
    sentences = _sentences(tree)
    found = {}
    methods = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == METHOD]
    for node in (inner for method in methods for inner in ast.walk(method) if isinstance(inner, ast.JoinedStr)):
        name, parts = _parts(node, sentences)
        if name and FILM in "".join(part or "" for part in parts):
            found[name] = Frame(parts)
    wanted = [f"{view}_{short}_prompt" for view in VIEWS for short in SECTIONS.values()] + [NO_VIEW]
    lacking = [name for name in wanted if name not in found]
    if lacking:
        remedy = "Check out commit 04b2315 of https://github.com/zh-Wang-Med/LLM-RG4"
        raise InputError(Problem(f"{METHOD} has no prompt {', '.join(lacking)}", remedy, str(path)))
    return found


def _sentences(tree: ast.Module) -> dict[str, str]:
    """Every `self.NAME = "..."`."""
    return {
        target.attr: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Attribute)
    }


def _parts(node: ast.JoinedStr, sentences: Mapping[str, str]) -> tuple[str, tuple[str | None, ...]]:
    """An f-string's parts, and the name of the sentence in it; no name where it holds anything else."""
    name, parts = "", list[str | None]()
    for value in node.values:
        inner = value.value if isinstance(value, ast.FormattedValue) else value
        if isinstance(inner, ast.Constant):
            parts.append(str(inner.value))
        elif isinstance(inner, ast.Name) and inner.id == KNOWN:
            parts.append(None)
        elif isinstance(inner, ast.Attribute) and inner.attr in sentences:
            name = inner.attr
            parts.append(sentences[name])
        else:
            return "", ()
    return name, tuple(parts)


def chosen(frames: Mapping[str, Frame], view: str, section: Section) -> tuple[Frame, bool]:
    """The prompt for a view and a section, and whether the view was one that has its own."""
    own = view.upper() in VIEWS
    return frames[f"{view.upper()}_{SECTIONS[section]}_prompt" if own else NO_VIEW], own
