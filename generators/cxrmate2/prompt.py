"""CXRMate-2's prompt: films and texts in one row of ids, each id with what it is part of and how recent that is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.quiet import Quiet
from harness.types import StudyInput

if TYPE_CHECKING:
    from generators.blocks.language import Words

NOW = 1.0
"""How recent the study itself is: 1 / sqrt(hours + 1)."""
UNKNOWN = float("nan")
"""How recent something is whose time nobody knows."""

# From processing_cxrmate2.py of https://github.com/aehrc/cxrmate-2, Apache-2.0: films are shown in this order. The first is no view.
VIEWS: tuple[str, ...] = ("", "nan", "SWIMMERS", "LPO", "RAO", "LAO", "OBLICUA", "AP LLD", "AP RLD", "PA LLD", "PA RLD", "LLD")
VIEWS += ("XTABLE LATERAL", "RL", "LL", "Lateral", "LATERAL", "AP AXIAL", "ANTEROPOSTERIOR", "AP", "GENERICA", "POSTEROANTERIOR", "PA")
TEXTS = ("prior_findings", "prior_impression", "indication", "history", "comparison", "technique")
"""The texts in their order; each name is that of its kind too."""


@dataclass(frozen=True, slots=True, repr=False)
class PromptRow(Quiet):
    """One row; all but `films` have an entry an id."""

    films: tuple[Path, ...]
    """Those whose places come first."""
    ids: tuple[int, ...] = field(repr=False)
    kinds: tuple[int, ...] = field(repr=False)
    """The id of the token that stands for what an id is part of."""
    recent: tuple[float, ...] = field(repr=False)
    """From 0 (long ago) to 1 (now); `UNKNOWN` where nobody knows."""

    @property
    def places(self) -> tuple[int, ...]:
        """The position of each id: what is older comes first, what is of unknown age before all; the rest in its order."""
        ages = [0.0 if value != value else value for value in self.recent]
        order = sorted(range(len(ages)), key=ages.__getitem__)
        found = [0] * len(ages)
        for place, number in enumerate(order):
            found[number] = place
        return tuple(found)


def shown(study: StudyInput) -> list[tuple[Path, bool]]:
    """The films in order, each with whether it is of the earlier study."""
    films = [
        (study.prior_frontal, study.prior_view, True),
        (study.prior_lateral, "LATERAL", True),
        (study.frontal, study.view, False),
        (study.lateral, "LATERAL", False),
    ]
    found = sorted((film for film in films if film[0]), key=lambda film: VIEWS.index(film[1]) if film[1] in VIEWS else 0)
    return [(film, prior) for film, _, prior in found if film]


def known(text: str) -> str:
    """A text on one line, without tokens that would mean something else."""
    return " ".join(re.sub(r"<\|[^|]*\|>", " ", text).split())


def prompt(study: StudyInput, words: Words, kinds: Mapping[str, int], film: int, each: int) -> PromptRow:
    """Films, earlier report, the words of the request, and the token that begins the report.

    Args:
        kinds: By name the id of a kind's token.
        film: Id of the token that stands for a part of a film.
        each: How many of them a film takes.
    """
    films = shown(study)
    rows: list[tuple[Sequence[int], str, float]] = [
        ([film] * each, "prior_image" if prior else "image", UNKNOWN if prior else NOW) for _, prior in films
    ]
    for name in TEXTS:
        rows.append((words.ids(known(getattr(study, name))), name, UNKNOWN if name.startswith("prior") else NOW))
    rows.append(([words.bos], "findings", NOW))
    return PromptRow(
        tuple(path for path, _ in films),
        tuple(number for ids, _, _ in rows for number in ids),
        tuple(kinds[name] for ids, name, _ in rows for _ in ids),
        tuple(recent for ids, _, recent in rows for _ in ids),
    )


def missing(study: StudyInput) -> list[str]:
    """What was left out because the study does not have it, and that nobody knows when the earlier one was."""
    before = any((study.prior_frontal, study.prior_lateral, study.prior_findings.strip(), study.prior_impression.strip()))
    notes = [] if study.lateral else ["lateral: left out"]
    return [*notes, "prior study: time unknown" if before else "prior study: left out"]
