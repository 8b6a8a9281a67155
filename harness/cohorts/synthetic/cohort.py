"""The synthetic cohort: any number of invented patients with reports, films and labels that are right by construction.

It is for trying the harness, testing it and studying its statistics. It says nothing about how well anybody reads a real film or report.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from harness.cohorts import make
from harness.cohorts.synthetic.case import Case
from harness.cohorts.synthetic.labels import Matrix, label_matrix
from harness.cohorts.synthetic.reports import FINDINGS_20, write
from harness.errors import UsageError
from harness.findings import NO_FINDING, RAN_21
from harness.types import Access, Cohort, Image, Labels, Section, Status, Study, Text

LANGUAGES = ("en", "zh")
SOURCE = "invented by harness.cohorts.synthetic.cohort, free of rights; no report or film of a person"
PARTS = ("train", "dev", "test")
ONE_SIDED: Mapping[str, str] = {
    "Fracture": "left",
    "Lung Lesion": "right",
    "Pleural Other": "left",
    "Pneumothorax": "right",
    "Trachea and Bronchus": "right",
    "Cavity and Cyst": "right",
}
"""The side of rare findings, always the same one, so that few examples are enough to learn them."""
# The parts draw from random numbers of their own: the test part is the same whatever the sizes of the others.
_PART_SEED = {"train": 1, "dev": 2, "test": 3}
_LATERAL_RATE = 0.7
_PORTABLE_RATE = {True: 0.75, False: 0.3}


def build(
    studies: int = 590,
    seed: int = 0,
    language: str = "en",
    images: Path | None = None,
    *,
    train: int | None = None,
    dev: int | None = None,
) -> Cohort:
    """Invent a cohort.

    Args:
        studies: How many studies are scored (the test part).
        seed: The same seed gives the same cohort, whatever the language.
        language: The language of the reports: `en` or `zh`.
        images: Where to write the films, a PNG each; None writes none (the manifest lists them all the same).
        train: Studies of the train part, twice the test part where None.
        dev: Studies of the dev part, a quarter of the test part where None.

    Returns:
        The cohort `synthetic` or `synthetic-zh`, with labels for every study of every part. No patient is in two parts.

    Raises:
        UsageError: There is no such language, or a part is to have a negative number of studies.
    """
    sizes = {"train": 2 * studies if train is None else train, "dev": max(1, studies // 4) if dev is None else dev, "test": studies}
    if language not in LANGUAGES:
        raise UsageError(f"synthetic reports are written in {' or '.join(LANGUAGES)}, not {language!r}")
    if studies < 1 or min(sizes.values()) < 0:
        raise UsageError(
            "a synthetic cohort has at least 1 study to score and no part below 0, not "
            + ", ".join(f"{part} {size}" for part, size in sizes.items())
        )
    cases = [case for part in PARTS for case in invent(part, sizes[part], seed)]
    if images is not None:
        from harness.cohorts.synthetic.films import draw_all

        draw_all(cases, images, seed)
    return make(
        "synthetic" if language == "en" else f"synthetic-{language}",
        (case.study for case in cases),
        {case.study.id: report(case, language, f"{seed}/{case.study.id}") for case in cases},
        section=Section.BOTH,
        access=Access.OPEN,
        language=language,
        source=SOURCE,
        labels={case.study.id: labels(case.present) for case in cases},
        images=images,
    )


def invent(part: str, studies: int, seed: int) -> Iterator[Case]:
    """The cases of one part, patient by patient in the order of time."""
    if not studies:
        return
    matrix, patients = label_matrix(studies, (_PART_SEED[part], seed))
    # Size and seed are in the path: films of another cohort in the same folder are never taken for this one's.
    folder = f"seed-{seed}/{part}-{studies}"
    people = random.Random(f"{seed}/{part}/patients")  # noqa: S311 - nothing here is a secret
    earlier: Case | None = None
    for number, (present, patient) in enumerate(zip(present_findings(matrix), patients.tolist(), strict=True)):
        name, person = f"s{_PART_SEED[part]}{number:06d}", f"p{_PART_SEED[part]}{patient:06d}"
        if earlier is not None and earlier.study.patient == person:
            age, sex = round((earlier.study.age or 0.0) + 0.2 * people.random(), 2), earlier.study.sex
        else:
            earlier, age, sex = None, min(95.0, max(18.0, round(people.gauss(62, 17)))), people.choice("FM")
        rng = random.Random(f"{seed}/{name}/case")  # noqa: S311
        images = _images(name, folder, "Support Devices" in present, rng)
        study = Study(
            name,
            person,
            images=images,
            frontal=images[0].id,
            lateral=images[1].id if len(images) > 1 else "",
            prior=earlier.study.id if earlier else "",
            part=part,
            age=age,
            sex=sex,
            strata={"view": images[0].view, "content": "abnormal" if present else "normal", "earlier film": "yes" if earlier else "no"},
        )
        sides = {finding: ONE_SIDED.get(finding) or rng.choice(("right", "left")) for finding in FINDINGS_20}
        earlier = Case(study, present, earlier.present if earlier else None, sides)
        yield earlier


def _images(name: str, folder: str, devices: bool, rng: random.Random) -> tuple[Image, ...]:
    """A frontal film, portable (AP, without a lateral one) more often where there are devices."""
    portable = rng.random() < _PORTABLE_RATE[devices]
    frontal = Image(f"{name}-f", f"{folder}/{name}-f.png", "AP" if portable else "PA")
    if portable or rng.random() >= _LATERAL_RATE:
        return (frontal,)
    return frontal, Image(f"{name}-l", f"{folder}/{name}-l.png", "LATERAL")


def report(case: Case, language: str, seed: str) -> Text:
    """The report of a case."""
    return write(language, case.present, case.prior, case.sides, random.Random(f"{seed}/report"))  # noqa: S311


def labels(present: frozenset[str]) -> Labels:
    """Decisions on the 21 findings, all certain; No Finding by the rule."""
    values = tuple(int(name in present or (name == NO_FINDING and not present)) for name in RAN_21)
    return Labels(values, (Status.OK,) * len(RAN_21))


def present_findings(matrix: Matrix) -> list[frozenset[str]]:
    """The findings of each row, without No Finding."""
    return [frozenset(name for name, value in zip(RAN_21, row, strict=True) if value and name != NO_FINDING) for row in matrix.tolist()]


def matrix_of(known: Mapping[str, Labels], studies: Sequence[str]) -> Matrix:
    """The labels of these studies as a matrix, in this order."""
    return np.array([[value == 1 for value in known[study].values] for study in studies], dtype=bool).reshape(-1, len(RAN_21))
