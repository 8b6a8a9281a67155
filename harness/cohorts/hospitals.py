"""Second hospitals: CheXpert Plus and ReXGradient-160K as released, one table with a row for each film or study.

The table is read twice: first ids, patients, dates and splits, then the text of those studies alone that the cohort holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

from harness.cohorts import make
from harness.errors import InputError, Problem
from harness.formats import tabular
from harness.formats.complaints import Complaints
from harness.formats.report_text import clean, faults
from harness.types import Access, Cohort, Image, Section, Study, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalRelease:
    """How one collection is released. Columns are in lower case."""

    name: str
    source: str
    id: Callable[[Mapping[str, Any]], str]
    """The study's id from a row; empty where the row has none."""
    patient: Callable[[Mapping[str, Any]], str]
    needed: tuple[str, ...]
    """Columns without which it is not this release."""
    order: str
    """The column by which a patient's studies follow each other, as a number."""
    sections: Mapping[str, tuple[str, ...]]
    """By section the columns that hold it, joined where several have text."""
    scored: str
    """The split that is scored where nothing is drawn."""
    split: str = ""
    """The column of the split; empty where each split is a file."""
    film: str = ""
    """The column of a row's film; empty where the table names no films."""
    view: tuple[str, ...] = ()
    """Columns of a film's view; the first with a value counts."""
    age: str = ""
    sex: str = ""


@dataclass(slots=True)
class _Seen:
    """What the first reading keeps of a study."""

    line: int
    patient: str
    order: float
    split: str
    reported: bool
    age: float | None
    sex: str
    films: list[tuple[str, str]] = field(default_factory=list)


def build(
    release: HospitalRelease,
    tables: Mapping[str, Path],
    *,
    section: Section = Section.FINDINGS,
    draw: int = 0,
    seed: int = 0,
    images: Path | None = None,
    name: str = "",
    access: Access = Access.CREDENTIALED,
    tell: Callable[[str], None] = lambda note: None,
) -> Cohort:
    """Build a cohort from a user's own copy.

    Args:
        tables: By split the table; one table under an empty name where the release has its split in a column.
        section: Which section is scored.
        draw: How many patients are drawn from all, one study each; 0 scores the release's own test part.
        seed: Decides which are drawn.
        images: The folder of the films.
        access: Credentialed unless the user says otherwise.
        tell: Receives what was left out, with counts.

    Raises:
        InputError: A table is damaged, or a column was renamed; all problems of a table at once, by line.
    """
    seen: dict[str, _Seen] = {}
    for split, path in tables.items():
        _first(release, path, split, section, seen)
    eligible = {name: item for name, item in seen.items() if item.reported and (_is_filmed(item) or not release.film)}
    chosen = _drawn(eligible, draw, seed) if draw else [each for each, item in eligible.items() if item.split == release.scored]
    film = " and a frontal film" if release.film else ""
    if not chosen or (draw and len(chosen) < draw):
        what = f"{len(chosen)} of its {len(seen):,} studies can be scored: they need the {section.value}{film}"
        raise InputError(Problem(what, "Give the whole release, or draw fewer", ", ".join(map(str, tables.values()))))
    priors = _priors(set(chosen), {name: item for name, item in seen.items() if _is_filmed(item) or not release.film}, seen)
    tell(f"{len(chosen):,} of {len(seen):,} studies are scored; {len(eligible):,} have the {section.value}{film}")
    texts = _texts(release, tables.values(), {*chosen, *priors.values()})
    studies = [_study(each, seen[each], priors.get(each, ""), "test") for each in chosen]
    studies += [_study(each, seen[each], "", "context") for each in set(priors.values()) - set(chosen)]
    origin = f"{draw} patients drawn with seed {seed}" if draw else f"its part {release.scored}"
    source = f"{release.source}; {origin}"
    return make(name or release.name, studies, texts, section=section, access=access, language="en", source=source, images=images)


def _rows(release: HospitalRelease, path: Path, complaints: Complaints) -> Iterator[tabular.Row]:
    """The rows of a table whose columns are those of the release."""
    table = tabular.read(path, complaints)
    if table.columns and (lacking := [name for name in release.needed if name not in table.columns]):
        listed = ", ".join(lacking)
        what = f"there is no column {listed}: it is not {release.name} as released, or the column was renamed"
        complaints.add("no column", what, "Give the released table, or name the column as it was", 1)
    complaints.check()
    yield from table.rows
    complaints.check()


def _first(release: HospitalRelease, path: Path, split: str, section: Section, seen: dict[str, _Seen]) -> None:
    """Read everything but text."""
    complaints = Complaints(str(path))
    wanted = {Section.FINDINGS: ("findings",), Section.IMPRESSION: ("impression",)}.get(section, ("findings", "impression"))
    for line, cells in _rows(release, path, complaints):
        name, patient = release.id(cells), release.patient(cells)
        if not name or not patient:
            complaints.add("no id", "the row names no study or no patient as this release does", "Give the released table", line)
            continue
        order = _number(cells.get(release.order))
        if order is None:
            complaints.add("order", f"its {release.order} is not a number", "Give the released table", line, name)
            continue
        reported = all(any(_is_there(cells.get(column)) for column in release.sections[part]) for part in wanted)
        part = split or str(cells.get(release.split) or "")
        age, sex = _age(cells.get(release.age)), str(cells.get(release.sex) or "")[:1].upper()
        item = seen.setdefault(name, _Seen(line, patient, order, part, reported, age, sex if sex in "FM" else ""))
        if item.patient != patient:
            complaints.add("two patients", f"the study has another patient on line {item.line}", "Give the released table", line, name)
        item.films += _films(release, cells, line, name, complaints)
    complaints.check()


def _films(release: HospitalRelease, cells: Mapping[str, Any], line: int, name: str, complaints: Complaints) -> list[tuple[str, str]]:
    """Path and view of a row's film; none where the release names no films."""
    path = str(cells.get(release.film) or "")
    if not path:
        return []
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        complaints.add("image path", "its film is outside the folder of the films", "Give the released table", line, name)
        return []
    return [(path, next((str(value).upper() for column in release.view if (value := cells.get(column))), ""))]


def _texts(release: HospitalRelease, tables: Iterable[Path], wanted: set[str]) -> dict[str, Text]:
    """The sections of the studies that the cohort holds."""
    found: dict[str, Text] = {}
    for path in tables:
        complaints = Complaints(str(path))
        for line, cells in _rows(release, path, complaints):
            name = release.id(cells)
            if name not in wanted or name in found:
                continue
            parts = {
                part: "\n".join(filter(None, (_text(cells.get(column)) for column in columns)))
                for part, columns in release.sections.items()
            }
            for text in parts.values():
                for kind, what, remedy in faults(text):
                    complaints.add(kind, what, remedy, line, name)
            found[name] = Text(**parts)
        complaints.check()
    return found


def _drawn(eligible: Mapping[str, _Seen], count: int, seed: int) -> list[str]:
    """One study each of so many patients, in the order of a seeded hash, which no other patient can change."""
    patients: dict[str, list[str]] = {}
    for name, item in eligible.items():
        patients.setdefault(item.patient, []).append(name)
    order = sorted(patients, key=lambda patient: _place(seed, patient))
    return [min(patients[patient], key=lambda name: _place(seed, name)) for patient in order[:count]]


def _place(seed: int, name: str) -> bytes:
    return sha256(f"{seed}|{name}".encode()).digest()


def _priors(chosen: set[str], shown: Mapping[str, _Seen], seen: Mapping[str, _Seen]) -> dict[str, str]:
    """By study the patient's latest one before it that can be shown."""
    patients = {seen[name].patient for name in chosen}
    known: dict[str, list[str]] = {}
    for name, item in shown.items():
        if item.patient in patients:
            known.setdefault(item.patient, []).append(name)
    found = {}
    for name in chosen:
        before = [other for other in known.get(seen[name].patient, ()) if seen[other].order < seen[name].order]
        if before:
            found[name] = max(before, key=lambda other: (seen[other].order, other))
    return found


def _is_filmed(item: _Seen) -> bool:
    return any(_frontal(view) for _, view in item.films)


def _study(name: str, item: _Seen, prior: str, part: str) -> Study:
    images = tuple(Image(path, path, view) for path, view in item.films)
    frontal = next((image.id for image in images if _frontal(image.view)), "")
    lateral = next((image.id for image in images if image.view and not _frontal(image.view)), "")
    strata = {"official split": item.split} if item.split else {}
    return Study(
        name,
        item.patient,
        images=images,
        frontal=frontal,
        lateral=lateral,
        prior=prior,
        part=part,
        age=item.age,
        sex=item.sex,
        strata=strata,
    )


def _frontal(view: str) -> bool:
    return view in ("PA", "AP", "FRONTAL")


NOTHING = ("", "nan", "none", "null", "unknown")
"""What a data frame writes where a section is absent."""


def _text(value: Any) -> str:
    """A section's text."""
    text = clean(value).strip() if isinstance(value, str) else ""
    return "" if text.lower() in NOTHING else text


def _is_there(value: Any) -> bool:
    """Whether a section has text, without cleaning it: every row of a large table is asked."""
    return isinstance(value, str) and (len(value) > 40 or value.strip().lower() not in NOTHING)


def _number(value: Any) -> float | None:
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if found == found and abs(found) < 1e12 else None


def _age(value: Any) -> float | None:
    """Years; DICOM writes 045Y, and 008M for eight months."""
    found = re.fullmatch(r"0*(\d{1,3}(?:\.\d+)?)\s*([YMWD]?)", str(value or "").strip().upper())
    years = float(found[1]) / {"M": 12.0, "W": 52.2, "D": 365.25}.get(found[2], 1.0) if found else 999.0
    return years if years <= 130 else None


def _chexpert_study(cells: Mapping[str, Any]) -> str:
    found = re.search(r"(patient\d+)/(study\d+)/", str(cells.get("path_to_image") or ""))
    return f"{found[1]}_{found[2]}" if found else ""


CHEXPERT_PLUS = HospitalRelease(
    name="chexpert-plus",
    source="CheXpert Plus, Stanford University Dataset Research Use Agreement",
    id=_chexpert_study,
    patient=lambda cells: str(cells.get("deid_patient_id") or ""),
    needed=(
        *("path_to_image", "frontal_lateral", "ap_pa", "deid_patient_id", "patient_report_date_order"),
        *("section_findings", "section_impression", "split"),
    ),
    order="patient_report_date_order",
    sections={
        "findings": ("section_findings",),
        "impression": ("section_impression",),
        "history": ("section_history", "section_clinical_history"),
        "technique": ("section_technique",),
        "comparison": ("section_comparison",),
    },
    scored="valid",
    split="split",
    film="path_to_image",
    view=("ap_pa", "frontal_lateral"),
    age="age",
    sex="sex",
)
REXGRADIENT = HospitalRelease(
    name="rexgradient",
    source="ReXGradient-160K, under the terms of its page on the Hub",
    id=lambda cells: str(cells.get("studyinstanceuid") or ""),
    patient=lambda cells: str(cells.get("id") or "").partition("_")[0],
    needed=("id", "studyinstanceuid", "studydate", "findings", "impression"),
    order="studydate",
    sections={
        "findings": ("findings",),
        "impression": ("impression",),
        "indication": ("indication",),
        "technique": ("studydescription",),
        "comparison": ("comparison",),
    },
    scored="test",
    age="patientage",
    sex="patientsex",
)
