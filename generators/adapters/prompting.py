"""Prompts of served models: one text with places for what is known of a study, which also says what the model needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, UsageError
from harness.types import Section, StudyInput

PLACES = ("view", "indication", "history", "comparison", "technique", "prior_report")
DEFAULT = "Write the findings section of the radiology report for this chest X-ray. Answer with the report alone."
SETTINGS: Mapping[str, str] = {
    "prompt": f"what the model is asked; may hold {', '.join(f'{{{place}}}' for place in PLACES)}",
    "writes": "findings (default), impression or both",
    "lateral": "no (default) or yes: show the lateral film after the frontal one",
    "longest": "tokens of a report at most (default: 512)",
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked, and what it writes."""

    text: str
    writes: Section
    lateral: bool
    longest: int

    @property
    def needs(self) -> frozenset[str]:
        """Inputs, by the places in the text."""
        named = {place for place in PLACES if f"{{{place}}}" in self.text}
        return frozenset({"frontal"} | named | ({"lateral"} if self.lateral else set()))

    @property
    def identity(self) -> list[str | bool | int]:
        """What of it belongs into a system's digest."""
        return [self.text, self.writes.value, self.lateral, self.longest]

    def films(self, study: StudyInput) -> tuple[Path, ...]:
        """The films to show, frontal first.

        Raises:
            InputError: The study has no frontal film.
        """
        if study.frontal is None:
            raise InputError("the study has no frontal film")
        return (study.frontal, study.lateral) if self.lateral and study.lateral else (study.frontal,)

    def filled(self, study: StudyInput) -> tuple[str, tuple[str, ...]]:
        """The text for a study, `N/A` where it knows nothing, and what was substituted."""
        known = {place: str(getattr(study, place)) for place in PLACES}
        lacking = [place for place in PLACES if f"{{{place}}}" in self.text and not known[place]]
        text = re.sub(rf"\{{({'|'.join(PLACES)})\}}", lambda found: known[found[1]] or "N/A", self.text)
        missing = [*(f"{place}: N/A" for place in lacking), *(["lateral: left out"] if self.lateral and study.lateral is None else [])]
        return text, tuple(missing)


def prompt(settings: Mapping[str, str]) -> Prompt:
    """Read the settings.

    Raises:
        UsageError: A value or a place in the text is not known.
    """
    text = settings.get("prompt", DEFAULT)
    if wrong := sorted(set(re.findall(r"\{(\w+)\}", text)) - set(PLACES)):
        raise UsageError(f"the prompt has a place {{{wrong[0]}}}; there are {', '.join(PLACES)}")
    longest = settings.get("longest", "512")
    if not longest.isdigit() or longest == "0":
        raise UsageError(f"longest is a number of tokens, not {longest!r}")
    writes = settings.get("writes", "findings")
    if writes not in set(Section):
        raise UsageError(f"writes is {', '.join(Section)}, not {writes!r}")
    lateral = settings.get("lateral", "no")
    if lateral not in ("yes", "no"):
        raise UsageError(f"lateral is yes or no, not {lateral!r}")
    return Prompt(text, Section(writes), lateral == "yes", int(longest))
