"""A cohort from any table: CSV, JSON Lines, JSON or Parquet with an id and a report, in any language."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from harness.cohorts import make
from harness.findings import by_spelling
from harness.formats import label_files, tabular
from harness.formats.complaints import Complaints, shown
from harness.formats.report_text import clean, faults, id_fault
from harness.types import Access, Cohort, Image, Labels, Section, Status, Study, Text

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("study_id", "study", "uid", "id"),
    "patient": ("patient", "patient_id", "subject_id"),
    "report": ("report", "text"),
    "findings": ("findings",),
    "impression": ("impression",),
    "indication": ("indication",),
    "history": ("history",),
    "technique": ("technique",),
    "comparison": ("comparison",),
    "image": ("image", "images", "image_path"),
    "view": ("view", "viewposition", "projection"),
    "age": ("age",),
    "sex": ("sex", "gender"),
    "part": ("part", "split"),
    "prior": ("prior",),
}
"""What a column may be called, in any case; the first that is there is taken."""
PARTS: Mapping[str, str] = {"train": "train", "training": "train", "dev": "dev", "val": "dev", "validate": "dev", "validation": "dev", "test": "test", "": "test", "context": "context"}  # fmt: skip
SEXES: Mapping[str, str] = {"f": "F", "female": "F", "女": "F", "w": "F", "m": "M", "male": "M", "男": "M", "": "", "u": "", "o": "", "unknown": "", "other": ""}  # fmt: skip
_HALF = re.compile("[\ud800-\udfff]")
_AGE = re.compile(r"0*(\d{1,3}(?:\.\d+)?)\s*[yY岁]?")
_SCORED = ("report", "findings", "impression")
_SIDE = ("lateral", "ll", "rl", "lat")


def from_table(
    source: Any,
    *,
    section: Section | None = None,
    access: Access = Access.CREDENTIALED,
    name: str = "",
    language: str = "",
    columns: Mapping[str, str] | None = None,
    images: Path | None = None,
    tell: Callable[[str], None] = lambda note: None,
) -> Cohort:
    """Build a cohort from one file, or from a table in memory.

    Args:
        source: CSV, JSON Lines, JSON or Parquet, or what `harness.formats.tabular.of` takes: an id, and `report` or `findings` and `impression`; any of the other columns of `COLUMNS`;
            finding columns in either spelling become the cohort's labels.
        section: Which section is scored. None takes what the file has: `findings` or `impression` where it has one of them, else both.
            A single column `report` is the text of whichever section is scored.
        access: Credentialed unless the user says otherwise.
        name: The cohort's name; empty for the file's.
        language: ISO 639-1 code; empty to guess between Chinese (most letters are Han) and English.
        columns: By a key of `COLUMNS` what the file calls it, where that differs.
        images: The folder that image paths are relative to.
        tell: Receives how many reports were cleaned, where *No Finding* disagrees with its rule, and which studies are not
            scored because the scored section has no text.

    Raises:
        InputError: Anything is wrong with the file; all of it at once.
    """
    path = Path(source) if isinstance(source, Path | str) else Path("references")
    complaints = Complaints(str(path))
    table = tabular.of(source, complaints)
    names = _names(table.columns, columns or {}, complaints)
    table = _cleaned(table, {names[key] for key in _SCORED if key in names}, path, tell)
    section = section or _guess_section(names)
    if table.columns:
        _check_sections(names, section, complaints)
    complaints.check()
    lines: dict[str, int] = {}
    studies, texts, labels = _read(table, names, section, lines, complaints)
    if empty := [study.id for study in studies if study.part == "test" and not _reference(texts[study.id], section)]:
        without = set(empty)
        studies = [replace(study, part="context") if study.id in without else study for study in studies]
    _check_cohort(studies, lines, complaints)
    complaints.check()
    if empty:
        some = ", ".join(shown(study) for study in empty[:10])
        tell(f"{len(empty)} of {table.count} studies have no text in the scored section ({section.value}) and are not scored: {some}")
    for note in label_files.warnings(labels, file=str(path)):
        tell(note)
    language = language or guess_language(_reference(text, section) for text in texts.values())
    origin = f"table {path.name}" if table.format != "memory" else "a table in memory"
    return make(
        name or path.stem, studies, texts, section=section, access=access, language=language, source=origin, labels=labels, images=images
    )


def _read(
    table: tabular.Table, names: Mapping[str, str], section: Section, lines: dict[str, int], complaints: Complaints
) -> tuple[list[Study], dict[str, Text], dict[str, Labels]]:
    """The rows as studies, their text and their labels, where the file has labels; `lines` takes the line of each id."""
    studies: list[Study] = []
    texts: dict[str, Text] = {}
    labels: dict[str, Labels] = {}
    labelled = any(column in by_spelling() for column in table.columns)
    for row in table.rows:
        cells = {key: _text(row.cells.get(column)) for key, column in names.items()}
        _check_texts(row, names, complaints, cells["id"])
        for key in (key for key, text in cells.items() if key not in _SCORED and _HALF.search(text)):
            what, remedy = f"the column {names[key]!r} holds half of a character (a lone surrogate)", "Write the file again as UTF-8"
            complaints.add("half a character", what, remedy, row.line, cells["id"])
        if not _check_id(cells["id"], lines, row.line, complaints):
            continue
        study = _study(cells, row.line, complaints)
        texts[study.id] = _sections(cells, section)
        studies.append(study)
        if labelled:
            labels[study.id] = _labels(row.cells, row.line, study.id, complaints)
    return studies, texts, labels


def guess_language(texts: Any) -> str:
    """`zh` where most letters are Han characters, else `en`."""
    han = other = 0
    for text in texts:
        count = sum("\u4e00" <= letter <= "\u9fff" or "\u3400" <= letter <= "\u4dbf" for letter in text)
        han += count
        other += sum(letter.isalpha() for letter in text) - count
    return "zh" if han > other else "en"


def _names(found: Collection[str], given: Mapping[str, str], complaints: Complaints) -> dict[str, str]:
    """By key the column of the file that holds it."""
    names = {}
    for key, usual in COLUMNS.items():
        wanted = (given[key].strip().lower(),) if key in given else usual
        column = next((name for name in wanted if name in found), None)
        if column is not None:
            names[key] = column
        elif key in given and found:
            complaints.add("no column", f"there is no column named for {key}", f"Correct --{key}-column", 1)
    if found and "id" not in names and "id" not in given:
        complaints.add("no column", "there is no column of study ids", "Call it study_id, or name it with --id-column", 1)
    return names


def _cleaned(table: tabular.Table, columns: Collection[str], path: Path, tell: Callable[[str], None]) -> tabular.Table:
    """The table with its reports cleaned; `tell` receives how many rows that changed."""
    rows, changed = [], 0
    for row in table.rows:
        cells = {name: clean(cell) if name in columns and isinstance(cell, str) else cell for name, cell in row.cells.items()}
        changed += cells != row.cells
        rows.append(row._replace(cells=cells))
    if changed:
        tell(f"{path}: stray markup or control characters were taken out of {changed} reports")
    return replace(table, rows=tuple(rows))


def _check_texts(row: tabular.Row, names: Mapping[str, str], complaints: Complaints, study: str) -> None:
    """What a reports file may not hold, a reference may not hold either."""
    for column in (names[key] for key in _SCORED if key in names):
        for kind, what, remedy in faults(row.cells.get(column)):
            complaints.add(kind, what, remedy, row.line, study)


def _guess_section(names: Collection[str]) -> Section:
    if "findings" in names and "impression" not in names:
        return Section.FINDINGS
    if "impression" in names and "findings" not in names:
        return Section.IMPRESSION
    return Section.BOTH


def _check_sections(names: Collection[str], section: Section, complaints: Complaints) -> None:
    sections = {"findings", "impression"} & set(names)
    if not sections and "report" not in names:
        what = "there is no column report, and none called findings or impression"
        complaints.add("no column", what, "Call it report, or name it with --report-column", 1)
    elif sections and section is not Section.BOTH and section.value not in sections:
        complaints.add("no column", f"there is no column {section.value}", "Name it, or score another section", 1)


def _text(cell: Any) -> str:
    """A cell as text, without blanks around it; whole numbers without a decimal point, and nothing for null."""
    if cell is None or isinstance(cell, bool) or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() if isinstance(cell, str | int | float) else ""


def _check_id(name: str, lines: dict[str, int], line: int, complaints: Complaints) -> bool:
    if not name:
        complaints.add("no id", "the row has no study id", "Write one", line)
    elif what := id_fault(name):
        complaints.add("odd id", what, "Correct it", line)
    elif name in lines:
        complaints.add("id twice", f"the study has a row already, line {lines[name]}", "Keep one row a study", line, name)
    else:
        lines[name] = line
        return True
    return False


def _study(cells: Mapping[str, str], line: int, complaints: Complaints) -> Study:
    name = cells["id"]
    age = _AGE.fullmatch(cells.get("age", ""))
    years = float(age[1]) if age else None
    if cells.get("age") and (years is None or years > 130):
        complaints.add("age", "its age is not a number of years", "Write years, or leave it empty", line, name)
    sex, part = cells.get("sex", "").lower(), cells.get("part", "").lower()
    if sex not in SEXES:
        complaints.add("sex", "its sex is not F, M or empty", "Write one of them", line, name)
    if part not in PARTS:
        complaints.add("part", "its part is not train, dev or test", "Write one of them", line, name)
    images = _images(cells, line, name, complaints)
    frontal = next((image.id for image in images if image.view.lower() not in _SIDE), "")
    lateral = next((image.id for image in images if image.view.lower() in _SIDE), "")
    patient, prior = cells.get("patient") or name, cells.get("prior", "")
    return Study(
        name,
        patient,
        images=images,
        frontal=frontal,
        lateral=lateral,
        prior=prior,
        part=PARTS.get(part, "test"),
        age=years,
        sex=SEXES.get(sex, ""),
    )


def _images(cells: Mapping[str, str], line: int, name: str, complaints: Complaints) -> tuple[Image, ...]:
    """The films of a row: paths, and their views, each separated by semicolons."""
    paths = [part.strip().replace("\\", "/") for part in cells.get("image", "").split(";") if part.strip()]
    views = [part.strip() for part in cells.get("view", "").split(";")]
    if any(PurePosixPath(path).is_absolute() or ":" in path or ".." in PurePosixPath(path).parts for path in paths):
        complaints.add("image path", "its image path leads out of the folder of the images", "Write it relative to --images", line, name)
        return ()
    return tuple(Image(path, path, views[number] if number < len(views) else "") for number, path in enumerate(paths))


def _sections(cells: Mapping[str, str], section: Section) -> Text:
    given = {key: cells.get(key, "") for key in ("findings", "impression", "indication", "history", "technique", "comparison")}
    if "findings" not in cells and "impression" not in cells:
        given["impression" if section is Section.IMPRESSION else "findings"] = cells["report"]
    return Text(**given)


def _reference(text: Text, section: Section) -> str:
    wanted = {Section.FINDINGS: (text.findings,), Section.IMPRESSION: (text.impression,), Section.BOTH: (text.findings, text.impression)}
    return "".join(wanted[section])


def _labels(cells: Mapping[str, Any], line: int, name: str, complaints: Complaints) -> Labels:
    found = label_files.from_rows(cells)
    if any(status is not Status.OK for status in found.statuses):
        complaints.add("label", "a finding's cell is not 1, 0, -1 or empty", "Correct it", line, name)
    return found


def _check_cohort(studies: list[Study], lines: Mapping[str, int], complaints: Complaints) -> None:
    """What only shows when all rows are read."""
    for study in studies:
        if study.prior and study.prior not in lines:
            complaints.add("prior", "its earlier study is not in the file", "Add it with part context", lines[study.id], study.id)
    if not complaints.problems and not any(study.part == "test" for study in studies):
        what = "no row is in the part test and has text in the scored section, so that nothing would be scored"
        complaints.add("no study", what, "Give some rows the part test, or score another section")
