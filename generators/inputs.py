"""What a generator is shown of a study, and the check of all films before the first is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.errors import InputError, Problem
from harness.types import Cohort, Study, StudyInput

FILMS = frozenset({"frontal", "lateral", "prior_frontal"})
SHOWN = 20


def inputs(cohort: Cohort, studies: Sequence[Study], needs: frozenset[str]) -> list[StudyInput]:
    """What a generator asks for and nothing else; what a study lacks stays empty, and the generator says what stood in for it."""
    by_id = {study.id: study for study in cohort.manifest.studies}
    return [_input(cohort, study, by_id.get(study.prior), needs) for study in studies]


def _input(cohort: Cohort, study: Study, prior: Study | None, needs: frozenset[str]) -> StudyInput:
    text = cohort.texts[study.id]
    view = next((image.view for image in study.images if image.id == study.frontal), "")
    return StudyInput(
        study.id,
        frontal=film(cohort, study, study.frontal) if "frontal" in needs else None,
        lateral=film(cohort, study, study.lateral) if "lateral" in needs else None,
        view=view if "view" in needs else "",
        prior_frontal=film(cohort, prior, prior.frontal) if prior and "prior_frontal" in needs else None,
        prior_report=_report(cohort, prior) if prior and "prior_report" in needs else "",
        indication=text.indication if "indication" in needs else "",
        history=text.history if "history" in needs else "",
        comparison=text.comparison if "comparison" in needs else "",
        reference=cohort.reference(study.id) if "reference" in needs else "",
    )


def _report(cohort: Cohort, prior: Study) -> str:
    text = cohort.texts.get(prior.id)
    return "\n".join(part for part in (text.findings, text.impression) if part) if text else ""


def film(cohort: Cohort, study: Study, image: str) -> Path | None:
    """The path of one film; None where the study has none."""
    found = next((item for item in study.images if item.id == image), None) if image else None
    return cohort.images / found.path if found and cohort.images else None


def check_films(cohort: Cohort, studies: Sequence[Study], needs: frozenset[str]) -> None:
    """Every film that will be read is there and opens.

    Raises:
        InputError: With all that are missing, or a whole cohort's images where nobody said where they lie.
    """
    if not needs & FILMS:
        return
    if cohort.images is None:
        what = f"the cohort {cohort.manifest.name} does not say where its films lie on this machine"
        raise InputError(Problem(what, "Build it again with the folder of the images"))
    problems = []
    for study in studies:
        path = film(cohort, study, study.frontal)
        if path is None:
            problems.append(Problem("the study has no frontal film", "Leave it out of the cohort, or pick one", study=study.id))
        elif not path.is_file():
            problems.append(
                Problem("the film is not there", "Copy it, or build the cohort with the right folder", str(path), study=study.id)
            )
    if problems:
        rest = [Problem(f"and {len(problems) - SHOWN} more films")] if len(problems) > SHOWN else []
        raise InputError([*problems[:SHOWN], *rest])
