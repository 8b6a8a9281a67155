"""Cohorts from MIMIC-CXR: the paper's draw, the whole official test split, or a list of ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from harness.cohorts import make
from harness.cohorts.mimic import physionet
from harness.cohorts.mimic.physionet import Examination, Reports
from harness.cohorts.mimic.sections import Report, parse
from harness.errors import InputError, Problem, UsageError
from harness.formats.complaints import shown
from harness.storage.progress import progress
from harness.types import Access, Cohort, Section, Study, Text

SIZES: Mapping[str, int] = {"test": 3000, "development": 300, "taxonomy": 3000}
"""The paper's three cohorts, which share no patient, in the order in which patients are dealt out."""
_PARTS = {"test": "test", "development": "dev", "taxonomy": "train"}
_THREADS = 16
_BATCH = 512
"""Patients whose reports are read at a time: small enough that an interrupt is answered at once."""


@dataclass(frozen=True, slots=True)
class Picked:
    """A study in the cohort, with its report and the part it plays."""

    study: Examination
    report: Report
    part: str
    frontal: str


def build(
    copy: Path,
    *,
    draw: str = "test",
    section: Section = Section.BOTH,
    seed: int = 0,
    sizes: Mapping[str, int] = SIZES,
    ids: Path | None = None,
    images: str = "auto",
    whole: bool = True,
    patients: Path | None = None,
    name: str = "mimic-cxr",
    tell: Callable[[str], None] = lambda note: None,
) -> Cohort:
    """Build a cohort from a user's own PhysioNet copy.

    Args:
        copy: The folder with the report tree (or `mimic-cxr-reports.zip`), the metadata and split tables, and the films, in the layout
            that PhysioNet gives them.
        draw: `test`, `development` or `taxonomy` for one of the paper's three cohorts (test also carries the other two as its dev and
            train parts), or `official` for the whole official test split.
        section: Which section is scored. The drawn studies are the same for each.
        seed: Decides which patients and which of their studies are drawn.
        sizes: Patients in each of the three cohorts.
        ids: A file of study ids or image ids, one a line, that takes the place of the draw.
        whole: Whether every listed study must have the scored section; else those without it are left out and counted.
        images: `jpg`, `dicom`, `none`, or `auto` for what the copy has. A film that was asked for by kind must be there.
        patients: MIMIC-IV's `patients.csv.gz`, for age and sex.
        tell: Receives what was left out, with counts.

    Raises:
        InputError: Something is missing or damaged in the copy or in the list of ids; all problems at once.
        UsageError: There is no such draw.
    """
    if draw not in (*SIZES, "official"):
        raise UsageError(f"there is no draw {draw!r}; there are {', '.join(SIZES)}, official")
    known, reports = physionet.examinations(copy, tell), Reports(copy)
    if ids is not None:
        picked = _listed(ids, known, reports, section, None if whole else tell)
        origin = f"listed in {ids.name}"
    elif draw == "official":
        picked, origin = _official(known, reports, section, tell), "official test split"
    else:
        picked, origin = _drawn(known, reports, draw, seed, sizes), f"{draw} cohort drawn with seed {seed}"
    priors = _priors(picked, known)
    listed = {item.study.id for item in picked}
    context = [study for study in dict.fromkeys(priors.values()) if study not in listed]
    texts = {item.study.id: item.report.text for item in picked}
    texts.update({study: report.text for study, report in _read([known[study] for study in context], reports).items()})
    root, suffix = _images(copy, images)
    people = _people(patients) if patients else {}
    studies = [_study(item, priors.get(item.study.id, ""), suffix, people) for item in picked]
    studies += [_study(_context(known[study]), "", suffix, people) for study in context]
    _check_films(studies, root, required=images in ("jpg", "dicom"), tell=tell)
    source = f"MIMIC-CXR 2, PhysioNet Credentialed Health Data License 1.5.0; {origin}"
    return make(name, studies, texts, section=section, access=Access.CREDENTIALED, language="en", source=source, images=root)


def _drawn(known: Mapping[str, Examination], reports: Reports, draw: str, seed: int, sizes: Mapping[str, int]) -> list[Picked]:
    """The paper's rules: findings and impression both present, chest only, a frontal film, one study a patient, no shared patient.

    Patients and the studies of each are in the order of a seeded hash, which no other patient, platform or version can change; only as
    many reports are read as are needed.
    """
    candidates: dict[str, list[Examination]] = {}
    for study in known.values():
        if study.chest and study.first("PA", "AP"):
            candidates.setdefault(study.patient, []).append(study)
    wanted = sum(sizes.values())
    order = sorted(candidates, key=lambda patient: _place(seed, patient))

    def first(patient: str) -> tuple[Examination, Report] | Problem | None:
        for study in sorted(candidates[patient], key=lambda study: _place(seed, study.id)):
            text = reports.read(study)
            if isinstance(text, Problem):
                return text
            report = parse(text)
            if report.text.findings and report.text.impression:
                return study, report
        return None

    found = _until(wanted, order, first)
    if len(found) < wanted:
        what = f"{len(found)} patients have a chest study with a frontal film, findings and impression; {wanted} are to be drawn"
        raise InputError(Problem(what, "Complete the copy, or draw fewer with --sizes TEST,DEVELOPMENT,TAXONOMY", reports.where))
    dealt = iter(found)
    hands = {name: [next(dealt) for _ in range(size)] for name, size in sizes.items()}
    if draw != "test":
        return [_pick(study, report, "test") for study, report in hands[draw]]
    return [_pick(study, report, _PARTS[name]) for name, hand in hands.items() for study, report in hand]


def _until(
    wanted: int, order: Sequence[str], first: Callable[[str], tuple[Examination, Report] | Problem | None]
) -> list[tuple[Examination, Report]]:
    """The first patients in order, as many as wanted, that have a study; batch by batch on several threads."""
    found: list[tuple[Examination, Report]] = []
    problems: list[Problem] = []

    def results() -> Iterator[tuple[Examination, Report]]:
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(order), _BATCH):
                for result in pool.map(first, order[start : start + _BATCH]):
                    if isinstance(result, Problem):
                        problems.append(result)
                    elif result is not None:
                        yield result

    for item in progress(results(), "drawing", total=wanted):
        found.append(item)
        if len(found) == wanted:
            break
    if problems:
        raise InputError(problems)
    return found


def _place(seed: int, name: str) -> bytes:
    return sha256(f"{seed}|{name}".encode()).digest()


def _official(known: Mapping[str, Examination], reports: Reports, section: Section, tell: Callable[[str], None]) -> list[Picked]:
    """Every study of the official test split that has the section and a frontal film."""
    test = [study for study in known.values() if study.split == "test"]
    if not test:
        raise InputError(Problem("the split table has no test studies", "Download the table again", reports.where))
    filmed = [study for study in test if study.first("PA", "AP")]
    read = _read(filmed, reports)
    kept = [study for study in filmed if read[study.id].has(section)]
    without = f"without a frontal film {len(test) - len(filmed)}, without the scored section or report {len(filmed) - len(kept)}"
    tell(f"{len(kept)} of the {len(test)} studies of the official test split are in the cohort; left out: {without}")
    return [_pick(study, read[study.id], "test") for study in kept]


def _listed(
    path: Path, known: Mapping[str, Examination], reports: Reports, section: Section, tell: Callable[[str], None] | None = None
) -> list[Picked]:
    """The studies that a file of ids names.

    Args:
        tell: Receives how many lack the section and are left out; None where that is an error.
    """
    from harness.cohorts.mimic.ids import read_ids

    films = {image.id: (study.id, image.id) for study in known.values() for image in study.images}
    wanted: dict[str, tuple[int, str]] = {}
    problems: list[Problem] = []
    for line, name in read_ids(path):
        study, film = films.get(name, (name.removeprefix("s"), ""))
        if study not in known:
            problems.append(
                Problem("MIMIC-CXR has no such study or film", "Correct the id or remove the line", str(path), line, shown(name))
            )
        elif study in wanted:
            problems.append(
                Problem(f"its study is named twice, first in line {wanted[study][0]}", "Remove one", str(path), line, shown(name))
            )
        else:
            wanted[study] = line, film
    read = _read([known[study] for study in wanted], reports)
    lacking = {study for study in wanted if not read[study].has(section)}
    if tell and lacking:
        tell(f"{len(lacking)} of the {len(wanted)} listed studies have no {section.value}, or are not in the copy, and are left out")
        wanted = {study: told for study, told in wanted.items() if study not in lacking}
    for study, (line, _) in wanted.items():
        if study in lacking:
            what = f"its report has no {'findings and impression' if section is Section.BOTH else section.value}, or is not in the copy"
            problems.append(Problem(what, "Complete the copy, score another section, or remove the line", str(path), line, study))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or 0))
    return [_pick(known[study], read[study], "test", film) for study, (_, film) in wanted.items()]


def _pick(study: Examination, report: Report, part: str, film: str = "") -> Picked:
    return Picked(study, report, part, film or study.first("PA", "AP"))


def _context(study: Examination) -> Picked:
    return _pick(study, Report(Text()), "context")


def _read(studies: Sequence[Examination], reports: Reports) -> dict[str, Report]:
    """The reports of these studies, read and parsed on several threads.

    Raises:
        InputError: Files are damaged; all at once.
    """

    def one(study: Examination) -> Report | Problem:
        text = reports.read(study)
        return text if isinstance(text, Problem) else parse(text)

    with ThreadPoolExecutor(_THREADS) as pool:
        results = list(progress(pool.map(one, studies), "reports", total=len(studies)))
    if problems := [result for result in results if isinstance(result, Problem)]:
        raise InputError(problems)
    return {study.id: result for study, result in zip(studies, results, strict=True) if isinstance(result, Report)}


def _priors(picked: Sequence[Picked], known: Mapping[str, Examination]) -> dict[str, str]:
    """By picked study the id of its patient's latest earlier study with a frontal film."""
    patients = {item.study.patient for item in picked}
    history: dict[str, list[Examination]] = {}
    for study in known.values():
        if study.patient in patients and study.first("PA", "AP"):
            history.setdefault(study.patient, []).append(study)
    priors = {}
    for item in picked:
        earlier = [study for study in history.get(item.study.patient, ()) if study.when < item.study.when]
        if earlier:
            priors[item.study.id] = max(earlier, key=lambda study: (study.when, study.id)).id
    return priors


def _study(item: Picked, prior: str, suffix: str, people: Mapping[str, tuple[str, float, int]]) -> Study:
    study = item.study
    images = tuple(replace(image, path=str(Path(image.path).with_suffix(suffix).as_posix())) for image in study.images)
    sex, age, year = people.get(study.patient, ("", None, 0))
    strata = {"official split": study.split, "view": next((image.view for image in images if image.id == item.frontal), "")}
    return Study(
        study.id,
        study.patient,
        images=images,
        frontal=item.frontal,
        lateral=study.first("LATERAL", "LL"),
        prior=prior,
        part=item.part,
        age=None if age is None else age + int(study.when[:4]) - year,
        sex=sex,
        strata=strata,
    )


def _people(path: Path) -> dict[str, tuple[str, float, int]]:
    """Sex, and age in the patient's anchor year, from MIMIC-IV's patients table."""
    columns = ("subject_id", "gender", "anchor_age", "anchor_year")
    people, problems = {}, []
    for line, row in physionet.rows(path, columns):
        try:
            people[row["subject_id"]] = row["gender"], float(row["anchor_age"]), int(row["anchor_year"])
        except ValueError:
            problems.append(Problem("its age or year is not a number", "Download it again", str(path), line))
    if problems:
        raise InputError(problems)
    return people


def _images(copy: Path, kind: str) -> tuple[Path | None, str]:
    """The folder of the films and their suffix."""
    suffixes = {"jpg": [".jpg"], "dicom": [".dcm"], "auto": [".jpg", ".dcm"], "none": []}[kind]
    for suffix in suffixes:
        if root := physionet.image_root(copy, suffix):
            return root, suffix
    if kind in ("jpg", "dicom"):
        raise InputError(Problem(f"there is no film *{suffixes[0]} under it", "Download the films, or build with --images none", str(copy)))
    return None, ".jpg"


def _check_films(studies: Sequence[Study], root: Path | None, *, required: bool, tell: Callable[[str], None]) -> None:
    """Each scored study's frontal film is a file of the copy."""
    if root is None:
        tell("no films were found or wanted: the cohort scores reports, and lists which films a generator needs")
        return
    scored = [study for study in studies if study.part == "test"]
    frontal = {study.id: image.path for study in scored for image in study.images if image.id == study.frontal}
    absent = {study: path for study, path in frontal.items() if not (root / path).is_file()}
    if absent and required:
        remedy = "Download it, or build with --images none"
        raise InputError([Problem("its frontal film is missing", remedy, str(root / path), study=study) for study, path in absent.items()])
    if absent:
        tell(f"{len(absent)} of {len(scored)} frontal films are not in the copy")
