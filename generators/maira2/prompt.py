"""The films and the text of a study that MAIRA-2 is given, in the order and the words of its release; see `generators.maira2.system`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.types import Json, StudyInput

if TYPE_CHECKING:
    from PIL.Image import Image

ABSENT = "N/A"
IMAGE = "<image>"
"""What stands for a film in the prompt."""

# The sentences are from processing_maira2.py of the release above (research licence): the weights answer only to them.
ONLY, FRONTAL = "Given the current frontal image only", "Given the current frontal image"
LATERAL, PRIOR = " the current lateral image", " and the prior frontal image"
REPORT = " PRIOR_REPORT: {}"
TASK = (
    " Provide a description of the findings in the radiology study in comparison to the prior frontal image. "
    "INDICATION: {} TECHNIQUE: {} COMPARISON: {}"
)


def films(study: StudyInput) -> list[Path]:
    """The films in the order of the prompt."""
    return [film for film in (study.frontal, study.lateral, study.prior_frontal) if film]


def stretched(film: Path) -> Image:
    """Grey, from 0 to 255, cut to whole levels; a film of one level is black."""
    import numpy as np
    from PIL import Image

    from harness.films import read

    values = read(film).astype(np.float64)
    values -= values.min()
    scaled = values / (values.max() or 1) * 255
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")


def content(study: StudyInput) -> list[Json]:
    """What the user says, films between the words."""
    between = LATERAL if study.prior_frontal else " and" + LATERAL
    before = [FRONTAL if study.lateral or study.prior_frontal else ONLY]
    before += [between] if study.lateral else []
    before += [PRIOR] if study.prior_frontal else []
    said: list[Json] = []
    for number, words in enumerate(before):
        said += [{"index": None, "text": words, "type": "text"}, {"index": number, "text": None, "type": "image"}]
    report = [REPORT.format(known(study.prior_report))] if study.prior_frontal else []
    asked = [*report, TASK.format(known(study.indication), known(study.technique), known(study.comparison))]
    return said + [{"index": None, "text": text, "type": "text"} for text in asked]


def known(text: str) -> str:
    """A text on one line, without the mark of a film."""
    return " ".join(text.replace(IMAGE, " ").split()) or ABSENT


def missing(study: StudyInput) -> list[str]:
    """What replaced the inputs that the study does not have."""
    absent = [name for name in ("lateral", "prior_frontal") if not getattr(study, name)]
    notes = [f"{name}: left out" for name in absent]
    if not study.prior_frontal and study.prior_report.strip():
        notes.append("prior_report: left out with its film")
    texts = ("indication", "technique", "comparison", *(["prior_report"] if study.prior_frontal else []))
    return notes + [f"{name}: {ABSENT}" for name in texts if known(getattr(study, name)) == ABSENT]
