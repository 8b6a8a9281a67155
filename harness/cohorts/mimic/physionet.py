"""A user's own PhysioNet copy of MIMIC-CXR: where its files are, the index of its studies, and its reports."""

from __future__ import annotations

import csv
import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import InputError, Problem
from harness.types import Image

_PLACES = ("", "mimic-cxr*", "mimic-cxr*/*", "files/mimic-cxr*/*", "physionet.org/files/mimic-cxr*/*")
"""Where the parts of a copy are under the folder that the user names: a flat folder, or what `wget -r` and unzipping leave."""
_LONGEST = 1_000_000
"""Bytes; a longer report file is damaged or not a report."""
VIEWS = {
    "postero-anterior": "PA",
    "antero-posterior": "AP",
    "lateral": "LATERAL",
    "left lateral": "LL",
}
"""By ViewCodeSequence_CodeMeaning the view, for films without a ViewPosition."""


@dataclass(frozen=True, slots=True)
class Examination:
    """One study as the metadata table knows it."""

    id: str
    patient: str
    when: str
    """Shifted date and time, `yyyymmddhhmmss`: sorts the studies of one patient."""
    images: tuple[Image, ...]
    """Frontal films first, PA before AP; then laterals; then the rest; each by time and id."""
    chest: bool
    """A film's procedure names the chest, or no film has a procedure."""
    split: str
    """`train`, `validate` or `test` of the official split."""

    @property
    def folder(self) -> str:
        """The study's folder in every tree, with forward slashes."""
        return f"files/p{self.patient[:2]}/p{self.patient}/s{self.id}"

    def first(self, *views: str) -> str:
        """Id of the first film of one of these views, the views in order of preference; empty where there is none."""
        return next((image.id for view in views for image in self.images if image.view == view), "")


def places(copy: Path) -> list[Path]:
    """The folders in which parts of the copy may be."""
    return [folder for pattern in _PLACES for folder in (sorted(copy.glob(pattern)) if pattern else [copy]) if folder.is_dir()]


def table(copy: Path, name: str) -> Path:
    """One of the tables that come with MIMIC-CXR-JPG, packed or not.

    Raises:
        InputError: It is nowhere under the copy.
    """
    for folder in places(copy):
        for path in sorted(folder.glob(f"mimic-cxr-*-{name}.csv*")):
            return path
    what = f"there is no mimic-cxr-2.0.0-{name}.csv.gz in it, nor in its folders mimic-cxr-jpg/VERSION"
    raise InputError(Problem(what, "Name the folder that your PhysioNet download made; the table comes with MIMIC-CXR-JPG", str(copy)))


def image_root(copy: Path, suffix: str) -> Path | None:
    """The folder whose `files/` holds films with this suffix (`.jpg` or `.dcm`); None where there is none."""
    for folder in places(copy):
        if next(folder.glob(f"files/p1?/p*/s*/*{suffix}"), None):
            return folder
    return None


def rows(path: Path, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV table, packed or not, with their line numbers.

    Raises:
        InputError: It cannot be read, or a column is missing.
    """
    line = 0
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            absent = [name for name in needed if name not in (reader.fieldnames or [])]
            if absent:
                raise InputError(Problem(f"it has no column {', '.join(absent)}", "Download it again", str(path), 1))
            for row in reader:
                line = reader.line_num
                yield line, {name: value or "" for name, value in row.items() if name}
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        what = f"it cannot be read ({type(error).__name__})"
        raise InputError(Problem(what, "Download it again and compare its checksum", str(path), line + 1)) from None


def examinations(copy: Path, tell: Callable[[str], None]) -> dict[str, Examination]:
    """All studies by id, from the metadata table and the official split.

    Raises:
        InputError: A table is missing or damaged; all damaged lines at once.
    """
    from harness.storage.progress import progress

    splits = _splits(table(copy, "split"))
    path = table(copy, "metadata")
    films: dict[str, list[dict[str, str]]] = {}
    problems: list[Problem] = []
    for line, row in progress(
        rows(path, ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate", "StudyTime")), "metadata", unit="film"
    ):
        problem = _wrong(row)
        if problem:
            problems.append(Problem(problem, "Download it again and compare its checksum", str(path), line))
        else:
            films.setdefault(row["study_id"], []).append(row)
    if problems:
        raise InputError(problems)
    if absent := sum(study not in splits for study in films):
        tell(f"{absent} of {len(films)} studies are not in the official split; they are recorded as `unknown`")
    return {study: _examination(study, group, splits.get(study, "unknown")) for study, group in films.items()}


def _wrong(row: dict[str, str]) -> str:
    """What is wrong with a line of the metadata table; ids become paths, so nothing but digits may be in them."""
    for name in ("subject_id", "study_id"):
        if not (row[name].isascii() and row[name].isdigit()):
            return f"its {name} is not a number"
    if not row["dicom_id"] or not all(part.isascii() and part.isalnum() for part in row["dicom_id"].split("-")):
        return "its dicom_id is not an id"
    return ""


def _splits(path: Path) -> dict[str, str]:
    return {row["study_id"]: row["split"] for _, row in rows(path, ("study_id", "split"))}


def _examination(study: str, films: list[dict[str, str]], split: str) -> Examination:
    patient = films[0]["subject_id"]
    ordered = sorted(films, key=lambda row: (_rank(_view(row)), _when(row), row["dicom_id"]))
    folder = f"files/p{patient[:2]}/p{patient}/s{study}"
    images = tuple(Image(row["dicom_id"], f"{folder}/{row['dicom_id']}.jpg", _view(row)) for row in ordered)
    procedures = [_procedure(row) for row in films]
    chest = any("CHEST" in procedure for procedure in procedures) or not any(procedures)
    return Examination(study, patient, min(_when(row) for row in films), images, chest, split)


def _view(row: dict[str, str]) -> str:
    return row["ViewPosition"] or VIEWS.get(row.get("ViewCodeSequence_CodeMeaning", ""), "")


def _rank(view: str) -> int:
    order = ("PA", "AP", "LATERAL", "LL")
    return order.index(view) if view in order else len(order)


def _procedure(row: dict[str, str]) -> str:
    names = (row.get(name, "") for name in ("PerformedProcedureStepDescription", "ProcedureCodeSequence_CodeMeaning"))
    return " ".join(names).strip().upper()


def _when(row: dict[str, str]) -> str:
    """Date and time as one sortable text; the table drops the time's leading zeros and keeps fractions of a second."""
    return row["StudyDate"].zfill(8) + row["StudyTime"].partition(".")[0].zfill(6)


class Reports:
    """The report files of a copy, as a tree or as `mimic-cxr-reports.zip`. Reading is safe from several threads."""

    def __init__(self, copy: Path) -> None:
        self._roots = [folder for folder in places(copy) if (folder / "files").is_dir()]
        archives = [path for folder in places(copy) for path in sorted(folder.glob("mimic-cxr-reports*.zip"))]
        self.where = str(archives[0] if archives else copy)
        self._archive = _open(archives[0]) if archives else None
        self._members = {name.partition("files/")[2]: name for name in self._archive.namelist()} if self._archive else {}

    def read(self, study: Examination) -> str | Problem:
        """One study's report, empty where the copy has none; a problem where its file is damaged."""
        member = study.folder.removeprefix("files/") + ".txt"
        try:
            data = self._bytes(member)
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
            return Problem(f"its report cannot be read ({type(error).__name__})", "Download it again", self.where, study=study.id)
        if len(data) > _LONGEST:
            return Problem("its report is longer than a million bytes", "Download it again", self.where, study=study.id)
        # A few files hold stray bytes of an old encoding; Latin-1 never fails and keeps every other character.
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def _bytes(self, member: str) -> bytes:
        for root in self._roots:
            path = root / "files" / member
            if path.is_file():
                with path.open("rb") as stream:
                    return stream.read(_LONGEST + 1)
        if self._archive and member in self._members:
            with self._archive.open(self._members[member]) as packed:
                return packed.read(_LONGEST + 1)
        return b""


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile):
        raise InputError(Problem("it is not a ZIP archive", "Download it again and compare its checksum", str(path))) from None
