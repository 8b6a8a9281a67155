"""XrayGPT's prompt: read from the authors' code in the user's clone, or given, or ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Problem, UsageError

FILM = "<Img><ImageHere></Img>"
PLACE = "<ImageHere>"


@dataclass(frozen=True, slots=True)
class ConversationPrompt:
    """One turn of a conversation about a film."""

    template: str
    """With {} for film and instruction."""
    instruction: str

    @property
    def sides(self) -> tuple[str, str]:
        """The text before the film's features and the text after them."""
        before, _, after = self.template.replace("{}", f"{FILM} {self.instruction}", 1).partition(PLACE)
        return before, after


# The turns of MiniGPT-4 (Vision-CAIR/MiniGPT-4, BSD-3-Clause), from which XrayGPT was built; the words are ours.
OURS = ConversationPrompt("###Human: {} ###Assistant: ", "Write the findings and the impression of this chest radiograph.")


def chosen(settings: Mapping[str, str], clone: Path | None) -> ConversationPrompt:
    """The prompt that settings and clone ask for.

    Raises:
        InputError: The clone does not hold what is read from it.
        UsageError: A setting has no such value.
    """
    number = settings.get("number", "2")
    if not number.isdecimal() or (clone is None and "number" in settings):
        raise UsageError("xraygpt: number counts the instructions of a clone, from 1; give --weights clone=FOLDER with it")
    found = cloned(clone, int(number)) if clone is not None else OURS
    made = ConversationPrompt(settings.get("template", found.template), settings.get("instruction", found.instruction))
    if made.template.count("{}") != 1 or PLACE in made.template + made.instruction:
        raise UsageError("xraygpt: a template holds {} once, and neither it nor the instruction names the film's place")
    return made


def cloned(clone: Path, number: int) -> ConversationPrompt:
    """Template and instruction as the release has them in its two files.

    Raises:
        InputError: A file is not there or not as released.
    """
    prompts, settings = clone / "prompts" / "alignment.txt", clone / "eval_configs" / "xraygpt_eval.yaml"
    if lacking := [path for path in (prompts, settings) if not path.is_file()]:
        raise InputError([Problem("the clone has no such file", "Clone it again", str(path)) for path in lacking])
    lines = [line for line in prompts.read_text(encoding="utf-8").splitlines() if PLACE in line]
    template = re.search(r"^\s*prompt_template:\s*'([^'\n]*)'", settings.read_text(encoding="utf-8"), re.MULTILINE)
    if template is None or not 1 <= number <= len(lines) or not lines[number - 1].startswith(f"{FILM} "):
        what = f"it holds {len(lines)} instructions, not one number {number}, or no template"
        raise InputError(Problem(what, "Give another number, or clone it again", str(prompts)))
    return ConversationPrompt(template[1], lines[number - 1].removeprefix(f"{FILM} "))
