"""The extractor `chexbert`: CheXpert's 14 observations by the published labeler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from harness.config.home import pip_install
from harness.errors import UnavailableError
from harness.findings import CHEXPERT_14, NO_FINDING
from harness.networks import chexbert_files
from harness.types import Labels, ReportStatus, Status

if TYPE_CHECKING:
    from harness.networks.chexbert import CheXbert

VALUES = (None, 1, 0, -1)
"""By class of a head: blank (not mentioned), positive, negative, uncertain."""


@dataclass(frozen=True, slots=True)
class ChexbertExtractor:
    """Labels by CheXbert: 1, 0, -1 for uncertain, None (ok) for not mentioned; No Finding is 1 or 0.

    The published labeler was trained on impressions; it reads whatever section it is given, and the papers give it findings too.
    """

    network: CheXbert = field(repr=False)
    name: str = "chexbert"
    vocabulary: str = "chexpert-14"
    official: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 over weights, vocabulary, precision and preparation of the text."""
        return self.network.digest

    def extract(self, texts: Sequence[str]) -> list[Labels]:
        """Label texts, in order; identical ones are computed once. Texts without English words are not shown to the network."""
        states = [readable(text) for text in texts]
        answers = iter(self.network.classes([text for text, state in zip(texts, states, strict=True) if state is ReportStatus.OK]))
        return [decided(next(answers)) if state is ReportStatus.OK else unread(state) for state in states]


def readable(text: str) -> ReportStatus:
    """Empty without a letter; unsupported where most letters are not Latin."""
    letters = [character for character in text if character.isalpha()]
    if not letters:
        return ReportStatus.EMPTY
    latin = sum(character < "\u0250" for character in letters)
    return ReportStatus.OK if 2 * latin >= len(letters) else ReportStatus.UNSUPPORTED


def decided(classes: Sequence[int | None]) -> Labels:
    """Labels from the classes of the 14 heads; a class of None is a failed decision."""
    values = tuple(
        None if answer is None else answer if name == NO_FINDING else VALUES[answer]
        for name, answer in zip(CHEXPERT_14, classes, strict=True)
    )
    return Labels(values, tuple(Status.FAILED if answer is None else Status.OK for answer in classes))


def unread(state: ReportStatus) -> Labels:
    """No decisions, and why."""
    return Labels((None,) * len(CHEXPERT_14), (Status.OK,) * len(CHEXPERT_14), state)


def check_available() -> None:
    """Look for what `make` would load, without loading it.

    Raises:
        UnavailableError: PyTorch, the weights or the vocabulary are not here.
    """
    chexbert_files.find_all()


def make(weights: str | Path = "", vocabulary: str | Path = "", device: str = "", precision: str = "fp32") -> ChexbertExtractor:
    """Load CheXbert; the options are those of `harness.networks.chexbert.CheXbert`.

    Raises:
        UnavailableError: PyTorch, the weights or the vocabulary are not here.
        InputError: The files are not what was released.
    """
    return ChexbertExtractor(_module().CheXbert(weights, vocabulary, device, precision))


def _module() -> ModuleType:
    try:
        from harness.networks import chexbert
    except ImportError as error:
        raise UnavailableError(f"CheXbert needs PyTorch. Run `{pip_install('torch')}`") from error
    return chexbert
