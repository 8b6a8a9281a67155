"""MedKit (Expert Systems with Applications 2025): its public repository lacks the model, so that nobody can run it.

What its authors' test run would leave - a JSON object from film to report, as in the code that it builds on - can be read, so that
their predictions are scored like any other system's. Nothing is imitated under its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generators.catalogue import Options, System
from generators.weights import Weights
from harness.errors import InputError, Problem, UnavailableError
from harness.formats import reports
from harness.signature import digest
from harness.types import Generated, Section, StudyInput

CODE = ("models/MedKit", "models/MedKit_BASE", "dataset/data_module", "configs/config", "lightning_tools/callbacks")
"""What `train.py`, its only entry point, imports (lines 3 to 7) and no commit of the repository holds."""
REST = "a checkpoint, the disease classifier it is distilled from, the knowledge graph, the annotation file, the versions of its packages"


@dataclass(frozen=True, slots=True)
class Predictions:
    """The authors' reports, by study or by film."""

    reports: Mapping[str, str] = field(repr=False)
    digest: str
    name: str = "medkit"
    needs: frozenset[str] = frozenset({"frontal"})
    writes: Section = Section.BOTH
    exact_batches: bool = True

    def generate(self, studies: Sequence[StudyInput]) -> Sequence[Generated]:
        """Look each study up by its id, else by the name of its frontal film."""
        return [self._one(study) for study in studies]

    def _one(self, study: StudyInput) -> Generated:
        names = [study.id, *([study.frontal.stem] if study.frontal else [])]
        found = next((self.reports[name] for name in names if name in self.reports), None)
        return Generated(study.id, failure="the predictions hold no report of it") if found is None else Generated(study.id, found)


def make(options: Options) -> Predictions:
    """Read the authors' predictions, or say what their release still lacks.

    Raises:
        UnavailableError: A clone of the repository was given; names every file that is missing in it.
        InputError: The predictions cannot be read.
    """
    if "release" in options.weights:
        raise UnavailableError(lacking(options.weights["release"]))
    found = read(options.weights["predictions"])
    return Predictions(found, digest(["medkit", 1, dict(found)]))


def lacking(clone: Path) -> list[Problem]:
    """What a clone of the repository lacks before anybody could run it."""
    missing = [name for name in CODE if not (clone / f"{name}.py").is_file() and not (clone / name).is_dir()]
    if not missing:
        what = f"the code is complete now; what it also takes: {REST}"
        return [Problem(what, "Ask for it to be added here, naming the commit", str(clone))]
    return [Problem(f"{name}.py is not in the repository", "Ask its authors", str(clone)) for name in missing] + [
        Problem(f"nor has it {REST}", "Ask its authors", str(clone))
    ]


def read(path: Path) -> dict[str, str]:
    """Reports by study or film: a JSON object of texts, or of lists of one text, or any reports file.

    Raises:
        InputError: It is none of them.
    """
    if path.suffix == ".json":
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise InputError(Problem("it is not JSON", "Give the file as the test run left it", str(path))) from None
        if isinstance(found, dict) and found:
            return {name: _text(value, name, path) for name, value in found.items()}
    return dict(reports.read(path).reports)


def _text(value: object, name: str, path: Path) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return value
    raise InputError(Problem("the entry is no text and no list of one text", "Give one report a study", str(path), study=name))


SYSTEM = System(
    name="medkit",
    make="generators.adapters.medkit:make",
    summary="MedKit: disease predictions and a knowledge graph in the prompt of a frozen language model",
    writes=Section.BOTH,
    weights=(
        Weights(
            "predictions",
            "its authors' predictions (test_result.json or a reports file)",
            "a few MB",
            "its authors'",
            "its authors (https://github.com/sujaly/MedKit)",
            optional=True,
        ),
        Weights(
            "release",
            "a clone of its repository, to see what it lacks",
            "1 MB",
            "BSD-3-Clause",
            "https://github.com/sujaly/MedKit",
            optional=True,
        ),
    ),
    paper="Su et al., Expert Systems with Applications 296:129003 (2025), https://github.com/sujaly/MedKit",
    licence="BSD-3-Clause",
    unavailable="its repository holds neither model nor weights; its authors' predictions can be scored (--weights predictions=FILE)",
)
