"""ReXrank's Indiana list as a cohort: the 590 studies of `open-i-590`, with the texts and film names that ReXrank prints."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from harness.cohorts import make
from harness.cohorts.openi import SOURCE, official_test
from harness.errors import InputError, Problem
from harness.formats import rexrank
from harness.formats.complaints import shown
from harness.formats.rexrank import ReXrankStudy
from harness.types import Access, Cohort, Image, Section, Study

REMEDY = "Give ReXRank_IUXray_test.json unaltered (`ranscore fetch rexrank-iu`)"


def build(path: Path, *, section: Section = Section.FINDINGS, images: Path | None = None, name: str = "rexrank-iu") -> Cohort:
    """Build the cohort from ReXrank's list.

    Args:
        path: `ReXRank_IUXray_test.json`.
        section: Which section is scored.
        images: The folder of ReXrank's films, `STUDY/0.png`.

    Raises:
        InputError: It is not that list; all problems at once.
    """
    found = rexrank.studies(path)
    expected = set(official_test().values())
    problems = [Problem("the list lacks this study", REMEDY, str(path), study=each) for each in sorted(expected - found.keys())]
    problems += [
        Problem("the list names a study that is none of the 590", REMEDY, str(path), study=shown(each))
        for each in sorted(found.keys() - expected)
    ]
    problems += [
        Problem(f"the study has no {section.value}", REMEDY, str(path), study=each.id)
        for each in found.values()
        if each.id in expected and not _has(each, section)
    ]
    if problems:
        raise InputError(problems)
    texts = {each.id: each.text for each in found.values()}
    source = f"{SOURCE}; as ReXrank lists it"
    studies = [_study(each) for each in found.values()]
    return make(name, studies, texts, section=section, access=Access.OPEN, language="en", source=source, images=images)


def _has(study: ReXrankStudy, section: Section) -> bool:
    parts = {Section.FINDINGS: study.text.findings, Section.IMPRESSION: study.text.impression}
    return bool(parts.get(section, study.text.findings or study.text.impression))


def _study(listed: ReXrankStudy) -> Study:
    views = listed.views or ("",) * len(listed.films)
    images = tuple(
        Image(str(PurePosixPath(film).with_suffix("")).replace("/", "_"), film, view)
        for film, view in zip(listed.films, views, strict=True)
    )
    by_path = {image.path: image.id for image in images}
    frontal = by_path.get(listed.key) or next((image.id for image in images if image.view == "FRONTAL"), "")
    lateral = next((image.id for image in images if image.view == "LATERAL" and image.id != frontal), "")
    return Study(listed.id, listed.id, images=images, frontal=frontal, lateral=lateral)
