"""What a generator is shown of a study, and the check of all films before the first is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from harness import films
from harness.errors import InputError, Problem
from harness.storage.progress import progress
from harness.types import Cohort, Study, StudyInput, Text

FILMS = frozenset({"frontal", "lateral", "prior_frontal", "prior_lateral"})
SHOWN = 20


def inputs(cohort: Cohort, studies: Iterable[Study], needs: frozenset[str]) -> Iterator[StudyInput]:
    """What a generator asks for and nothing else; what a study lacks stays empty, and the generator records what replaced it."""
    by_id = {study.id: study for study in cohort.manifest.studies}
    return (_input(cohort, study, by_id.get(study.prior), needs) for study in studies)


def _input(cohort: Cohort, study: Study, prior: Study | None, needs: frozenset[str]) -> StudyInput:
    text, before = cohort.texts[study.id], cohort.texts.get(prior.id, Text()) if prior else Text()
    return StudyInput(
        study.id,
        frontal=film(cohort, study, study.frontal) if "frontal" in needs else None,
        lateral=film(cohort, study, study.lateral) if "lateral" in needs else None,
        view=_view(study) if "view" in needs else "",
        prior_frontal=film(cohort, prior, prior.frontal) if prior and "prior_frontal" in needs else None,
        prior_report=_report(before) if "prior_report" in needs else "",
        indication=text.indication if "indication" in needs else "",
        history=text.history if "history" in needs else "",
        comparison=text.comparison if "comparison" in needs else "",
        technique=text.technique if "technique" in needs else "",
        reference=cohort.reference(study.id) if "reference" in needs else "",
        prior_lateral=film(cohort, prior, prior.lateral) if prior and "prior_lateral" in needs else None,
        prior_view=_view(prior) if prior and "prior_view" in needs else "",
        prior_findings=before.findings if "prior_findings" in needs else "",
        prior_impression=before.impression if "prior_impression" in needs else "",
    )


def _view(study: Study) -> str:
    return next((image.view for image in study.images if image.id == study.frontal), "")


def _report(text: Text) -> str:
    return "\n".join(part for part in (text.findings, text.impression) if part)


def film(cohort: Cohort, study: Study, image: str) -> Path | None:
    """The path of one film; None where the study has none."""
    found = next((item for item in study.images if item.id == image), None) if image else None
    return cohort.images / found.path if found and cohort.images else None


def check_films(cohort: Cohort, studies: Sequence[Study], needs: frozenset[str]) -> None:
    """Every film that will be read is there, and its header says that it can be read; nothing is decoded yet.

    A study without a frontal film is a problem; a missing lateral or prior is not: the generator records what replaced it.

    Raises:
        InputError: With the first 20 problems and the number of the rest, or that the folder of a cohort's films is not known.
        UnavailableError: They are DICOM and its reader is not installed.
    """
    if not needs & FILMS:
        return
    if cohort.images is None:
        what = f"the cohort {cohort.manifest.name} does not name the folder of its films on this machine"
        raise InputError(Problem(what, "Build it again with the folder of the images"))
    by_id = {study.id: study for study in cohort.manifest.studies}
    found = progress(studies, "Looking at the films", len(studies))
    problems = [problem for study in found for problem in _problems(cohort, study, by_id.get(study.prior), needs)]
    if problems:
        rest = [Problem(f"and {len(problems) - SHOWN} more films")] if len(problems) > SHOWN else []
        raise InputError([*problems[:SHOWN], *rest])


def _problems(cohort: Cohort, study: Study, prior: Study | None, needs: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with the films of one study."""
    if "frontal" in needs and film(cohort, study, study.frontal) is None:
        yield Problem("the study has no frontal film", "Leave it out of the cohort, or pick one", study=study.id)
    wanted = [film(cohort, study, study.frontal)] if "frontal" in needs else []
    wanted += [film(cohort, study, study.lateral)] if "lateral" in needs else []
    wanted += [film(cohort, prior, prior.frontal)] if prior and "prior_frontal" in needs else []
    wanted += [film(cohort, prior, prior.lateral)] if prior and "prior_lateral" in needs else []
    for path in filter(None, wanted):
        try:
            films.check(path)
        except InputError as error:
            yield from (replace(problem, study=study.id) for problem in error.problems)
